// Kcompactds: the thread of each node that compacts where kswapd has freed enough for a block that somebody
// wanted, or where somebody wants one and cannot wait, and of its own where much of the node's free memory is
// in small blocks (kcompactd, mm/compaction.c, Linux 6.1). The state of each lives on its node's LP. A thread
// that sleeps is no path; its timeout is.
#ifndef NUMASIM_MODELS_COMPACTION_KCOMPACTD_H_
#define NUMASIM_MODELS_COMPACTION_KCOMPACTD_H_

#include <cstdint>
#include <optional>
#include <vector>

#include "models/base/types.h"
#include "models/compaction/compaction.h"
#include "models/physical/memory_system.h"
#include "sim/path.h"
#include "sim/task.h"
#include "sim/time.h"

namespace numasim {

class Kcompactds {
 public:
  // HPAGE_FRAG_CHECK_INTERVAL_MSEC: so long it sleeps as a rule.
  static constexpr sim::Duration kInterval = sim::Milliseconds(500);

  Kcompactds(MemorySystem& memory, Compactor& compactor)
      : memory_(memory), compactor_(compactor), nodes_(static_cast<size_t>(memory.node_count())) {}

  // wakeup_kcompactd(), on the node's LP. Nothing for a single page.
  void WakeUp(sim::Path& path, Node& node, int order, ZoneType highest);

  // --- proactive compaction ---
  // From now on each looks after its node whenever it has slept for long enough, as long as the simulation
  // runs. Before the run. Without it they do so on request only.
  void RunAsThreads();
  // compaction_proactiveness_sysctl_handler(): the setting is no longer 0, and has reached all nodes: all
  // look at once, or in recordings as soon as the next operation lets time pass. Begins on any LP, and ends
  // on the same.
  sim::Task<void> LookNow(sim::Path& path);
  // For recordings, where nothing goes on between two operations: one look, if one is due by now. Begins on
  // any LP, and ends on the same.
  sim::Task<void> CatchUp(sim::Path& path);

 private:
  struct State {
    bool awake = false;
    int order = 0;                    // the largest that was wanted since it looked last
    std::optional<ZoneType> highest;  // and the lowest of these zones: all of them want it
    bool look_now = false;            // proactive_compact_trigger
    uint64_t sleeps = 0;              // so far: a timeout knows which one it is of
    sim::SimTime due{kInterval.ns};   // of CatchUp()
  };
  State& StateOf(const Node& node) { return nodes_[static_cast<size_t>(node.id.value)]; }
  static bool NodeSuits(const Node& node, int order, ZoneType highest);
  void Begin(sim::Path& path, Node& node);
  sim::Task<void> Thread(sim::Path& path, Node& node);
  sim::Task<sim::Duration> Work(sim::Path& path, Node& node, CpuId cpu);
  bool TimedOut(const Node& node);
  void Sleep(sim::Path& path, Node& node, sim::Duration timeout);
  sim::Task<void> LookAfter(sim::Path& path, Node& node, sim::Duration timeout);
  sim::Task<sim::Duration> Look(sim::Path& path, Node& node, CpuId cpu);

  MemorySystem& memory_;
  Compactor& compactor_;
  std::vector<State> nodes_;
  bool as_threads_ = false;
};

}  // namespace numasim

#endif  // NUMASIM_MODELS_COMPACTION_KCOMPACTD_H_
