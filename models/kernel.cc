#include "models/kernel.h"

#include <utility>

#include "models/hugetlb/boot_pools.h"

namespace numasim {

Kernel::Kernel(std::unique_ptr<MemorySystem> memory)
    : memory_(std::move(memory)),
      allocator_(*memory_),
      files_(memory_->node_count()),
      rmap_(*memory_, processes_, files_),
      hugetlb_(*memory_, allocator_, processes_, rmap_),
      splitter_(*memory_, allocator_, rmap_),
      migrator_(*memory_, allocator_, files_, rmap_, hugetlb_, splitter_),
      compactor_(*memory_, allocator_, migrator_),
      shrinkers_(*memory_),
      reclaim_(*memory_, allocator_, files_, rmap_, compactor_, shrinkers_),
      oom_(*memory_, processes_),
      pressure_(*memory_, reclaim_, compactor_, oom_),
      shmem_(*memory_, allocator_, files_, rmap_),
      filemap_(*memory_, allocator_, files_, rmap_),
      thp_(*memory_, allocator_, processes_, rmap_, files_, shmem_, splitter_, shrinkers_),
      ops_(*memory_, allocator_, processes_, files_, hugetlb_, migrator_, shmem_, filemap_, thp_),
      pipes_(*memory_, allocator_) {
  oom_.SetReap([this](sim::Path& path, Process& process) { return ops_.Exit(path, process); });
  allocator_.SetPressure(&pressure_);
}

absl::StatusOr<std::unique_ptr<Kernel>> Kernel::Boot(sim::Engine& engine, const MachineConfig& machine,
                                                     const KernelConfig& config, const Costs& costs,
                                                     std::vector<std::string>& warnings) {
  auto memory = MemorySystem::Create(engine, machine, config, costs);
  if (!memory.ok()) return memory.status();
  auto kernel = std::unique_ptr<Kernel>(new Kernel(*std::move(memory)));
  auto contig =
      Contig::Create(kernel->memory(), kernel->hugetlb_, kernel->migrator_, kernel->filemap_, machine);
  if (!contig.ok()) return contig.status();
  kernel->contig_ = *std::move(contig);
  kernel->AddHotplug(machine);
  // CMA areas are set aside before the pools, which gigantic pages may take from them.
  if (absl::Status status = BootPools(*kernel->memory_, kernel->pool(), machine, warnings); !status.ok())
    return status;
  return kernel;
}

void Kernel::AddHotplug(const MachineConfig& machine) {
  ContigRanges& ranges = contig_->ranges();
  hotplug_ = std::make_unique<MemoryHotplug>(*memory_, pool(), ranges, migrator_,
                                             sim::Nanoseconds(machine.offline_patience_ns));
  for (Zone* const zone : memory_->zones()) {
    if (zone->extent().hot.pages == 0) continue;
    virtio_mem_ = std::make_unique<VirtioMemDriver>(*memory_, ranges, *hotplug_, *zone);
  }
}

std::vector<MemorySystem::CounterColumn> Kernel::Columns() const {
  std::vector<MemorySystem::CounterColumn> columns = memory_->Columns();
  for (auto& column : pool().Columns()) columns.push_back(std::move(column));
  for (auto& column : thp_.Columns()) columns.push_back(std::move(column));
  for (auto& column : contig_->cma().Columns()) columns.push_back(std::move(column));
  for (auto& column : hotplug_->Columns()) columns.push_back(std::move(column));
  if (virtio_mem_ == nullptr) return columns;
  for (auto& column : virtio_mem_->Columns()) columns.push_back(std::move(column));
  return columns;
}

}  // namespace numasim
