#include "models/contig/contig.h"

#include <utility>

namespace numasim {

absl::StatusOr<std::unique_ptr<Contig>> Contig::Create(MemorySystem& memory, AddressSpaceOps& ops,
                                                       const MachineConfig& machine) {
  auto contig = std::unique_ptr<Contig>(new Contig(memory, ops));
  auto cma = CmaAreas::Create(memory, contig->ranges_, machine);
  if (!cma.ok()) return cma.status();
  contig->cma_ = *std::move(cma);
  contig->gigantic_ = std::make_unique<GiganticPages>(memory, contig->ranges_, *contig->cma_);
  ops.hugetlb().pool().set_gigantic_source(contig->gigantic_.get());
  contig->hotplug_ = std::make_unique<MemoryHotplug>(memory, ops, contig->ranges_,
                                                     sim::Nanoseconds(machine.offline_patience_ns));
  for (Zone* const zone : memory.zones()) {
    if (zone->extent().hot.pages == 0) continue;
    contig->virtio_mem_ =
        std::make_unique<VirtioMemDriver>(memory, contig->ranges_, *contig->hotplug_, *zone);
  }
  return contig;
}

std::vector<MemorySystem::CounterColumn> Contig::Columns() const {
  std::vector<MemorySystem::CounterColumn> columns = cma_->Columns();
  if (virtio_mem_ == nullptr) return columns;
  for (MemorySystem::CounterColumn& column : virtio_mem_->Columns()) columns.push_back(std::move(column));
  return columns;
}

Contig::~Contig() { ops_.hugetlb().pool().set_gigantic_source(nullptr); }

}  // namespace numasim
