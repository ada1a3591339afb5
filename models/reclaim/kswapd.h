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
#include "models/compaction/compaction.h"
#include "models/compaction/kcompactd.h"
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

  // What was wanted and not at hand: a block of `order` from zones up to `highest`, by somebody who
  // `may_reclaim` himself or not.
  struct Want {
    int order;
    ZoneType highest;
    bool may_reclaim;
  };

  Kswapds(MemorySystem& memory, NodeShrinker& shrinker, Compactor& compactor, Kcompactds& kcompactds)
      : memory_(memory),
        shrinker_(shrinker),
        compactor_(compactor),
        kcompactds_(kcompactds),
        nodes_(static_cast<size_t>(memory.node_count())) {}

  // wakeup_kswapd(), on the node's LP.
  void WakeUp(sim::Path& path, Node& node, const Want& want);

 private:
  struct State {
    bool awake = false;
    sim::Completion* nap = nullptr;   // of its first, short sleep
    uint64_t naps = 0;                // so far: a timer knows which one it is for
    int order = 0;                    // the largest that was wanted since it looked last
    std::optional<ZoneType> highest;  // the same
  };
  State& StateOf(const Node& node) { return nodes_[static_cast<size_t>(node.id.value)]; }

  sim::Task<void> Thread(sim::Path& path, Node& node, std::optional<CpuId> cpu);
  sim::Task<int> Balance(sim::Path& path, Node& node, CpuId cpu, int order, ZoneType highest);
  sim::Task<bool> Round(sim::Path& path, Node& node, ScanControl& sc);
  sim::Task<void> EndBoosts(sim::Path& path, Node& node, CpuId cpu, ZoneType highest,
                            const PerZoneType<int64_t>& boosts);
  struct Sleep {
    int order;       // that the node is to be balanced for
    int for_others;  // alloc_order: of the block that somebody wanted
    ZoneType highest;
  };
  sim::Task<bool> TryToSleep(sim::Path& path, Node& node, std::optional<CpuId> cpu, const Sleep& sleep);
  sim::Task<bool> Nap(sim::Path& path, Node& node, sim::Completion& wake);
  bool MaySleep(const Node& node, int order, ZoneType highest);
  static int64_t HighWatermarks(const Node& node, ZoneType highest);

  MemorySystem& memory_;
  NodeShrinker& shrinker_;
  Compactor& compactor_;
  Kcompactds& kcompactds_;
  std::vector<State> nodes_;
};

}  // namespace numasim

#endif  // NUMASIM_MODELS_RECLAIM_KSWAPD_H_
