// NodeShrinker: takes page cache away from a node, and what other caches can spare (shrink_node and its
// callees, mm/vmscan.c, Linux 6.1). What it remembers of each node lives on that node's LP, where every call
// begins and ends.
//
// Without swap the lists of anonymous memory are left alone, and all clean page cache can go. A page that
// some process may map is looked for in page tables first, in its file's home and from there; all others go
// at once.
#ifndef NUMASIM_MODELS_RECLAIM_NODE_SHRINKER_H_
#define NUMASIM_MODELS_RECLAIM_NODE_SHRINKER_H_

#include <cstdint>
#include <vector>

#include "models/base/folio.h"
#include "models/filemap/evictor.h"
#include "models/page_cache/shmem.h"
#include "models/physical/memory_system.h"
#include "models/physical/page_allocator.h"
#include "models/reclaim/scan_control.h"
#include "models/reclaim/shrinkers.h"
#include "models/rmap/rmap.h"
#include "sim/path.h"
#include "sim/task.h"

namespace numasim {

class NodeShrinker {
 public:
  NodeShrinker(MemorySystem& memory, PageAllocator& allocator, ShmemFiles& files, const Rmap& rmap,
               Shrinkers& shrinkers)
      : memory_(memory),
        shrinkers_(shrinkers),
        allocator_(allocator),
        files_(files),
        evictor_(memory, files, rmap),
        nodes_(static_cast<size_t>(memory.node_count())) {}

  // shrink_node(): one round at sc.priority.
  sim::Task<void> Shrink(sim::Path& path, Node& node, ScanControl& sc);
  // snapshot_refaults(): an effort is over; from now on it counts what comes back to be active.
  void Snapshot(const Node& node) { StateOf(node).activations = node.counters[WORKINGSET_ACTIVATE_FILE]; }
  // pgdat->kswapd_failures: how often kswapd found nothing, since something was reclaimed here last.
  int& FailuresOf(const Node& node) { return StateOf(node).failures; }

 private:
  struct State {
    int64_t activations = 0;
    int failures = 0;
  };
  struct Batch {
    int64_t scanned = 0;
    std::vector<Folio> evicted;  // from its file, with the file's reference still
    // That cannot be judged here: processes may map them, or their files have another home.
    std::vector<IsolatedPage> elsewhere;
  };

  State& StateOf(const Node& node) { return nodes_[static_cast<size_t>(node.id.value)]; }
  void Prepare(const Node& node, ScanControl& sc);
  sim::Task<void> ShrinkLists(sim::Path& path, Node& node, ScanControl& sc);
  sim::Task<int64_t> ShrinkInactive(sim::Path& path, Node& node, int64_t pages, ScanControl& sc);
  sim::Task<void> ShrinkActive(sim::Path& path, Node& node, int64_t pages, const ScanControl& sc);
  Batch TakeInactive(Node& node, int64_t pages, const ScanControl& sc);
  void JudgeHere(Node& node, Lru::Number number, const Lru::Page& page, Batch& batch);
  void Settle(Node& node, Batch& batch, std::vector<Folio>& released) const;
  bool ShouldGoOn(const Node& node, int64_t reclaimed, const ScanControl& sc) const;

  MemorySystem& memory_;
  Shrinkers& shrinkers_;
  PageAllocator& allocator_;
  ShmemFiles& files_;
  Evictor evictor_;
  std::vector<State> nodes_;  // each on its LP
};

}  // namespace numasim

#endif  // NUMASIM_MODELS_RECLAIM_NODE_SHRINKER_H_
