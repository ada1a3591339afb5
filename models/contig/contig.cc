#include "models/contig/contig.h"

#include <utility>

namespace numasim {

absl::StatusOr<std::unique_ptr<Contig>> Contig::Create(MemorySystem& memory, Hugetlb& hugetlb,
                                                       Migrator& migrator, Filemap& filemap,
                                                       const MachineConfig& machine) {
  auto contig = std::unique_ptr<Contig>(new Contig(memory, hugetlb, migrator, filemap));
  auto cma = CmaAreas::Create(memory, contig->ranges_, machine);
  if (!cma.ok()) return cma.status();
  contig->cma_ = *std::move(cma);
  contig->gigantic_ = std::make_unique<GiganticPages>(memory, contig->ranges_, *contig->cma_);
  contig->pool_.set_gigantic_source(contig->gigantic_.get());
  return contig;
}

Contig::~Contig() { pool_.set_gigantic_source(nullptr); }

}  // namespace numasim
