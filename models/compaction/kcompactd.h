// Kcompactds: the thread of each node that compacts where kswapd has freed enough for a block that somebody
// wanted, or where somebody wants one and cannot wait (kcompactd, mm/compaction.c, Linux 6.1). The state of
// each lives on its node's LP. A thread that sleeps is no path.
//
// It compacts on request only: proactive compaction (vm.compaction_proactiveness) is not modelled.
#ifndef NUMASIM_MODELS_COMPACTION_KCOMPACTD_H_
#define NUMASIM_MODELS_COMPACTION_KCOMPACTD_H_

#include <optional>
#include <vector>

#include "models/base/types.h"
#include "models/compaction/compaction.h"
#include "models/physical/memory_system.h"
#include "sim/path.h"
#include "sim/task.h"

namespace numasim {

class Kcompactds {
 public:
  Kcompactds(MemorySystem& memory, Compactor& compactor)
      : memory_(memory), compactor_(compactor), nodes_(static_cast<size_t>(memory.node_count())) {}

  // wakeup_kcompactd(), on the node's LP. Nothing for a single page.
  void WakeUp(sim::Path& path, Node& node, int order, ZoneType highest);

 private:
  struct State {
    bool awake = false;
    int order = 0;                    // the largest that was wanted since it looked last
    std::optional<ZoneType> highest;  // and the lowest of these zones: all of them want it
  };
  State& StateOf(const Node& node) { return nodes_[static_cast<size_t>(node.id.value)]; }
  static bool NodeSuits(const Node& node, int order, ZoneType highest);
  sim::Task<void> Thread(sim::Path& path, Node& node);

  MemorySystem& memory_;
  Compactor& compactor_;
  std::vector<State> nodes_;
};

}  // namespace numasim

#endif  // NUMASIM_MODELS_COMPACTION_KCOMPACTD_H_
