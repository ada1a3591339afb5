// Kswapds: the thread of each node that keeps its zones between their watermarks (kswapd of mm/vmscan.c,
// Linux 6.1). The state of each lives on its node's LP.
//
// A thread that sleeps for good is no path: waking it up starts one, on a CPU of the node (or on none, where
// the node has none), which ends when it goes to sleep again.
#ifndef NUMASIM_MODELS_RECLAIM_KSWAPD_H_
#define NUMASIM_MODELS_RECLAIM_KSWAPD_H_

#include <cstdint>
#include <optional>
#include <vector>

#include "models/base/types.h"
#include "models/physical/memory_system.h"
#include "models/reclaim/node_shrinker.h"
#include "sim/path.h"
#include "sim/sync.h"
#include "sim/task.h"

namespace numasim {

class Kswapds {
 public:
  // MAX_RECLAIM_RETRIES: after as many vain efforts nobody wakes it up any more.
  static constexpr int kMostFailures = 16;

  Kswapds(MemorySystem& memory, NodeShrinker& shrinker)
      : memory_(memory), shrinker_(shrinker), nodes_(static_cast<size_t>(memory.node_count())) {}

  // wakeup_kswapd(), on the node's LP: a block of `order` from zones up to `highest` was wanted and not at
  // hand.
  void WakeUp(sim::Path& path, Node& node, int order, ZoneType highest);

 private:
  struct State {
    bool awake = false;
    sim::Completion* nap = nullptr;   // of its first, short sleep
    uint64_t naps = 0;                // so far: a timer knows which one it is for
    int order = 0;                    // the largest that was wanted since it looked last
    std::optional<ZoneType> highest;  // the same
  };
  State& StateOf(const Node& node) { return nodes_[static_cast<size_t>(node.id.value)]; }

  // The CPU that the thread runs on; none on a node without one.
  std::optional<CpuId> CpuFor(const Node& node) const;
  sim::Task<void> Thread(sim::Path& path, Node& node, std::optional<CpuId> cpu);
  sim::Task<int> Balance(sim::Path& path, Node& node, CpuId cpu, int order, ZoneType highest);
  sim::Task<bool> TryToSleep(sim::Path& path, Node& node, std::optional<CpuId> cpu, int order,
                             ZoneType highest);
  sim::Task<bool> Nap(sim::Path& path, Node& node);
  bool MaySleep(const Node& node, int order, ZoneType highest);
  static int64_t HighWatermarks(const Node& node, ZoneType highest);

  MemorySystem& memory_;
  NodeShrinker& shrinker_;
  std::vector<State> nodes_;
};

}  // namespace numasim

#endif  // NUMASIM_MODELS_RECLAIM_KSWAPD_H_
