// Slab: a cache of the kernel's objects, such as dentries and inodes, that grows while nobody wants its
// memory and is shrunk where memory is short (a kmem_cache with SLAB_RECLAIM_ACCOUNT and its shrinker). Owned
// by the Simulation. Each node has a cache of its own, grown by a path on a CPU there; all of it lives on the
// node's LP.
//
// Which object a shrinker comes to says nothing of which slab it is in, as the order in which objects are
// used has little to do with the order in which they were made. So a slab comes free long after most of its
// objects.
#ifndef NUMASIM_WORKLOADS_GENERATE_SLAB_H_
#define NUMASIM_WORKLOADS_GENERATE_SLAB_H_

#include <array>
#include <cstdint>
#include <memory>
#include <string>
#include <vector>

#include "absl/status/statusor.h"
#include "models/kernel.h"
#include "models/physical/page_allocator.h"
#include "models/reclaim/shrinkers.h"
#include "proto/counters.h"
#include "sim/path.h"
#include "sim/random.h"
#include "sim/task.h"
#include "workloads/generate/slab_objects.h"
#include "workloads/generate/slab_plan.h"
#include "workloads/generate/workload_part.h"

namespace numasim::workloads {

class Slab final : public WorkloadPart, private Shrinker {
 public:
  // A mistake, with its place, where the machine is not one that the plan is for.
  static absl::StatusOr<std::unique_ptr<Slab>> Create(Kernel& kernel, const SlabPlan& plan, uint64_t seed);

  void Begin(OnEnd on_end) override;

  bool ended() const override { return ended_ == running_; }
  const SlabPlan& plan() const { return plan_; }
  // "slab.dentry.node0.objects" and so on.
  std::vector<MemorySystem::CounterColumn> Columns() const override;
  // Over all nodes.
  int64_t counter(SlabCounter c) const;
  double ShareDone(sim::SimTime now) const override;

 private:
  struct OnNode {
    OnNode(Node& its_node, int objects_per_slab, sim::RandomStream stream)
        : node(its_node), random(stream), objects(objects_per_slab) {}

    Node& node;
    sim::RandomStream random;
    AllocRequest request;
    SlabObjects objects;
  };
  using Counters = std::array<int64_t, SlabCounter_ARRAYSIZE>;

  Slab(Kernel& kernel, const SlabPlan& plan);

  sim::Task<void> Run(sim::Path& path, OnNode& cache);
  sim::Task<void> Grow(sim::Path& path, OnNode& cache);

  // As a Shrinker.
  bool MayScan(const Node& node, int priority) const override;
  sim::Task<int64_t> Count(sim::Path& path, Node& node) override;
  sim::Task<Freed> Scan(sim::Path& path, Node& node, int64_t objects, CpuId cpu) override;

  OnNode* CacheOf(const Node& node) const { return caches_[static_cast<size_t>(node.id.value)].get(); }
  Counters& CountersOf(const Node& node) { return counters_[static_cast<size_t>(node.id.value)]; }

  Kernel& kernel_;
  const SlabPlan plan_;
  OnEnd on_end_;
  std::vector<std::unique_ptr<OnNode>> caches_;  // by node; null where there is none
  std::vector<Counters> counters_;               // by node, each on its LP
  size_t running_ = 0;                           // paths,
  size_t ended_ = 0;                             // and those that ended; on the global LP
};

}  // namespace numasim::workloads

#endif  // NUMASIM_WORKLOADS_GENERATE_SLAB_H_
