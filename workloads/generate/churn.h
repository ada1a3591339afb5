// Churn: pages that a part of the kernel allocates for itself: some CPUs of each node fill memory, free a
// part of it at random, and go on to exchange some of what is left in rounds. As slab caches and drivers'
// buffers do, and the module with which LLFree measures fragmentation (Wrenger et al., USENIX ATC 2023).
// Owned by the Simulation. Each CPU is a path on its node's LP, where it counts too.
//
// What comes from and goes to the CPU's own PCP lists is done some blocks at once, and the time for all of
// them passes afterwards: nobody else sees those lists.
#ifndef NUMASIM_WORKLOADS_GENERATE_CHURN_H_
#define NUMASIM_WORKLOADS_GENERATE_CHURN_H_

#include <array>
#include <cstdint>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include "absl/status/statusor.h"
#include "models/kernel.h"
#include "models/physical/page_allocator.h"
#include "proto/counters.h"
#include "sim/path.h"
#include "sim/random.h"
#include "sim/task.h"
#include "workloads/generate/churn_plan.h"
#include "workloads/generate/workload_part.h"

namespace numasim::workloads {

class Churn final : public WorkloadPart {
 public:
  // A mistake, with its place, where the machine is not one that the plan is for.
  static absl::StatusOr<std::unique_ptr<Churn>> Create(Kernel& kernel, const ChurnPlan& plan, uint64_t seed);

  // Before the run: places its paths.
  void Begin(OnEnd on_end) override;

  // Read, as all below, on the global LP or while nothing runs.
  bool ended() const override { return ended_ == workers_.size(); }
  const ChurnPlan& plan() const { return plan_; }
  // "churn.slab.node0.allocated" and so on.
  std::vector<MemorySystem::CounterColumn> Columns() const override;
  // Over all nodes.
  int64_t counter(ChurnCounter c) const;
  // How much of what is to be done is done, 0 to 1.
  double ShareDone(sim::SimTime now) const override;

 private:
  // A CPU that does its part of the node's share. Its path has it.
  struct Worker {
    Worker(CpuId its_cpu, Node& its_node, int its_number, sim::RandomStream stream)
        : cpu(its_cpu), node(its_node), number(its_number), random(stream) {}

    CpuId cpu;
    Node& node;
    int number;  // among those of its node
    sim::RandomStream random;
    AllocRequest request;
    std::vector<Pfn> blocks;   // that it has; kNoPfn: one that it could not exchange
    int64_t at_once = 0;       // blocks that no time has passed for yet,
    sim::Duration passing{0};  // and how much
    int done = 0;              // of its parts: the filling, the freeing, each round
  };
  using Counters = std::array<int64_t, ChurnCounter_ARRAYSIZE>;

  Churn(Kernel& kernel, const ChurnPlan& plan) : kernel_(kernel), plan_(plan) {}

  sim::Task<void> Run(sim::Path& path, Worker& worker);
  static int64_t FreeFor(const Worker& worker);
  int64_t BlocksFor(const Worker& worker);
  sim::Task<void> Fill(sim::Path& path, Worker& worker, int64_t count);
  sim::Task<void> FreeSome(sim::Path& path, Worker& worker);
  sim::Task<void> Renew(sim::Path& path, Worker& worker);
  sim::Task<void> PauseBefore(sim::Path& path, Worker& worker);
  // The next block, and what becomes of it.
  bool AllocateHere(const sim::Path& path, Worker& worker, Pfn& block);
  sim::Task<Pfn> Allocate(sim::Path& path, Worker& worker);
  bool FreeHere(const sim::Path& path, Worker& worker, Pfn block);
  sim::Task<void> Free(sim::Path& path, Worker& worker, Pfn block);
  static sim::Task<void> LetPass(sim::Path& path, Worker& worker);
  static void Shuffle(Worker& worker, int64_t count);
  void PrefetchBlock(const Worker& worker, Pfn block) const;

  int parts() const { return 2 + plan_.rounds; }
  Counters& CountersOf(const Worker& worker) { return counters_[static_cast<size_t>(worker.node.id.value)]; }

  Kernel& kernel_;
  const ChurnPlan plan_;
  OnEnd on_end_;
  std::vector<std::unique_ptr<Worker>> workers_;
  std::vector<Counters> counters_;       // by node, each on its LP, as is:
  std::vector<int64_t> blocks_of_node_;  // what its workers fill together; -1: not known yet
  size_t ended_ = 0;                     // of the paths; on the global LP
};

}  // namespace numasim::workloads

#endif  // NUMASIM_WORKLOADS_GENERATE_CHURN_H_
