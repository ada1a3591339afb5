#include "models/kernel.h"

#include <utility>

#include "models/hugetlb/boot_pools.h"

namespace numasim {

absl::StatusOr<std::unique_ptr<Kernel>> Kernel::Boot(sim::Engine& engine, const MachineConfig& machine,
                                                     const KernelConfig& config, const Costs& costs,
                                                     std::vector<std::string>& warnings) {
  auto kernel = std::unique_ptr<Kernel>(new Kernel);
  auto memory = MemorySystem::Create(engine, machine, config, costs);
  if (!memory.ok()) return memory.status();
  kernel->memory_ = *std::move(memory);
  kernel->ops_ = std::make_unique<AddressSpaceOps>(*kernel->memory_);
  auto contig = Contig::Create(*kernel->memory_, *kernel->ops_, machine);
  if (!contig.ok()) return contig.status();
  kernel->contig_ = *std::move(contig);
  // CMA areas are set aside before the pools, which gigantic pages may take from them.
  if (absl::Status status = BootPools(*kernel->memory_, kernel->pool(), machine, warnings); !status.ok())
    return status;
  return kernel;
}

std::vector<MemorySystem::CounterColumn> Kernel::Columns() const {
  std::vector<MemorySystem::CounterColumn> columns = memory_->Columns();
  for (auto& column : pool().Columns()) columns.push_back(std::move(column));
  for (auto& column : contig_->Columns()) columns.push_back(std::move(column));
  return columns;
}

}  // namespace numasim
