// TestMachine: a simulated machine with everything a test drives it with: the models, a script runner, the
// validator. A value on the stack of a test; its engine is idle between two calls.
#ifndef NUMASIM_TESTS_MODELS_TEST_MACHINE_H_
#define NUMASIM_TESTS_MODELS_TEST_MACHINE_H_

#include <cstdint>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include "models/base/folio.h"
#include "models/base/kernel_config.h"
#include "models/base/machine_config.h"
#include "models/contig/contig.h"
#include "models/kernel.h"
#include "models/mm/address_space_ops.h"
#include "models/physical/memory_system.h"
#include "models/physical/page_allocator.h"
#include "models/validator.h"
#include "sim/engine.h"
#include "workloads/operations.h"
#include "workloads/script_runner.h"

namespace numasim {

inline constexpr int64_t kMiB = (int64_t{1} << 20) / kPageSize;  // in pages

// Nodes of these sizes in pages with `cpus` CPUs each, numbered node by node.
MachineConfig DescribedMachine(const std::vector<int64_t>& node_pages, int cpus = 1);

// The kernel's defaults, but without transparent huge pages.
KernelConfig TestKernel();
// With them, and with `shmem` as shmem_enabled.
KernelConfig TestKernelWithThp(std::string_view shmem = "deny");

class TestMachine {
 public:
  // With more than one thread these run every window.
  explicit TestMachine(const MachineConfig& config, const KernelConfig& kernel = TestKernel(),
                       int threads = 1);
  ~TestMachine();

  Kernel& kernel() { return *kernel_; }
  const Kernel& kernel() const { return *kernel_; }
  MemorySystem& memory() { return kernel_->memory(); }
  const MemorySystem& memory() const { return kernel_->memory(); }
  AddressSpaceOps& ops() { return kernel_->ops(); }
  Contig& contig() { return kernel_->contig(); }
  const Contig& contig() const { return kernel_->contig(); }
  sim::Engine& engine() { return engine_; }
  Zone& zone(int node, ZoneType type) { return *memory().node(NodeId{node}).zone(type); }
  int64_t counter(int node, NodeCounter c) const { return memory().node(NodeId{node}).counters[c]; }

  // Of booting.
  const std::vector<std::string>& warnings() const { return warnings_; }

  // Performs one operation to its end.
  workloads::OpResult Perform(const workloads::Op& op);
  // Performs the lines, which go on from those given before, and returns the last one's result.
  workloads::OpResult Run(std::string_view lines);

  // The process of that name, which must live.
  Process& process(std::string_view name);

  // One allocation or release by itself.
  Pfn Alloc(const AllocRequest& request);
  // All blocks of 2^order that the node has for the kernel (__GFP_THISNODE, so nothing is killed for them).
  std::vector<Folio> TakeAllOf(NodeId node, int order = 0);
  // Takes all of it and gives every other page back: nothing lies in one piece, and nothing can be moved.
  // Returns what is still taken.
  std::vector<Folio> Fragment(NodeId node);
  void Release(CpuId cpu, const std::vector<Folio>& pages);
  void DropRefs(CpuId cpu, const std::vector<Folio>& pages);

  // Runs a path from an LP to its end.
  void RunPath(sim::LpId lp, sim::PathFn fn);

  // What the validator finds.
  std::vector<std::string> Problems() const;
  // The same, where these are all processes that live.
  std::vector<std::string> Problems(const std::vector<const Process*>& processes) const;
  // Pages that are free or on PCP lists, over all zones.
  int64_t UnusedPages() const;

 private:
  sim::Engine engine_;
  std::unique_ptr<Kernel> kernel_;
  std::unique_ptr<workloads::ScriptRunner> runner_;
  std::unique_ptr<Validator> validator_;
  std::vector<std::string> warnings_;
  std::string script_;  // all lines so far
  size_t performed_ = 0;
};

}  // namespace numasim

#endif  // NUMASIM_TESTS_MODELS_TEST_MACHINE_H_
