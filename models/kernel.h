// Kernel: the models of a machine's memory, put together and booted. What `run`, `conform`, tests and
// benchmarks start from; no one else makes a model.
//
//   MemorySystem      nodes, zones and their frames, reserves, CPUs
//   AddressSpaceOps   processes, their mappings and faults, shared memory; with HugeTLB, whose pools it has
//   Contig            ranges of frames: CMA, gigantic pages, memory hotplug, virtio-mem
//
// Which LP owns what is told by each of them. The engine must have dropped its paths before a Kernel goes.
#ifndef NUMASIM_MODELS_KERNEL_H_
#define NUMASIM_MODELS_KERNEL_H_

#include <memory>
#include <string>
#include <vector>

#include "absl/status/statusor.h"
#include "models/address_space/address_space_ops.h"
#include "models/contig/contig.h"
#include "models/cost_model.h"
#include "models/kernel_config.h"
#include "models/machine_config.h"
#include "models/memory_system.h"
#include "sim/engine.h"

namespace numasim {

class Kernel {
 public:
  // The engine's lookahead must be at most costs.hop. An error names the field of the scenario's machine or
  // kernel section that is wrong. Where boot did less than a boot argument asked for, as the kernel does,
  // `warnings` says so.
  static absl::StatusOr<std::unique_ptr<Kernel>> Boot(sim::Engine& engine, const MachineConfig& machine,
                                                      const KernelConfig& config, const Costs& costs,
                                                      std::vector<std::string>& warnings);

  MemorySystem& memory() { return *memory_; }
  const MemorySystem& memory() const { return *memory_; }
  AddressSpaceOps& ops() { return *ops_; }
  const AddressSpaceOps& ops() const { return *ops_; }
  HugetlbPool& pool() { return ops_->hugetlb().pool(); }
  const HugetlbPool& pool() const { return ops_->hugetlb().pool(); }
  Contig& contig() { return *contig_; }
  const Contig& contig() const { return *contig_; }

  // Every counter of every model, in the order of a trace.
  std::vector<MemorySystem::CounterColumn> Columns() const;

 private:
  Kernel() = default;

  std::unique_ptr<MemorySystem> memory_;
  std::unique_ptr<AddressSpaceOps> ops_;
  std::unique_ptr<Contig> contig_;
};

}  // namespace numasim

#endif  // NUMASIM_MODELS_KERNEL_H_
