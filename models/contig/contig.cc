#include "models/contig/contig.h"

#include <utility>

namespace numasim {

absl::StatusOr<std::unique_ptr<Contig>> Contig::Create(MemorySystem& memory, AddressSpaceOps& ops,
                                                       const MachineConfig& machine, const Kernel& kernel) {
  auto contig = std::unique_ptr<Contig>(new Contig(memory, ops));
  auto cma = CmaAreas::Create(memory, contig->ranges_, machine, kernel);
  if (!cma.ok()) return cma.status();
  contig->cma_ = *std::move(cma);
  contig->gigantic_ = std::make_unique<GiganticPages>(memory, contig->ranges_, *contig->cma_);
  ops.hugetlb().pool().set_gigantic_source(contig->gigantic_.get());
  return contig;
}

Contig::~Contig() { ops_.hugetlb().pool().set_gigantic_source(nullptr); }

}  // namespace numasim
