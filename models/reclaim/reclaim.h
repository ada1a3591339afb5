// Reclaim: what the page allocator gets from page cache where memory is short (mm/vmscan.c, Linux 6.1):
// kswapd of each node, and direct reclaim by who wants the memory. A machine with a disk has one; on others
// there is nothing to reclaim.
//
// Compaction and the OOM killer are not here: what asks for them is told that they do not help.
#ifndef NUMASIM_MODELS_RECLAIM_RECLAIM_H_
#define NUMASIM_MODELS_RECLAIM_RECLAIM_H_

#include <cstdint>
#include <vector>

#include "models/base/types.h"
#include "models/page_cache/shmem.h"
#include "models/physical/memory_system.h"
#include "models/physical/page_allocator.h"
#include "models/physical/pressure.h"
#include "models/reclaim/kswapd.h"
#include "models/reclaim/node_shrinker.h"
#include "models/rmap/rmap.h"
#include "sim/path.h"
#include "sim/task.h"

namespace numasim {

class Reclaim : public Pressure {
 public:
  Reclaim(MemorySystem& memory, PageAllocator& allocator, ShmemFiles& files, const Rmap& rmap)
      : memory_(memory), shrinker_(memory, allocator, files, rmap), kswapds_(memory, shrinker_) {
    for (int lp = 0; lp <= memory.global_lp().value; ++lp)
      under_way_.emplace_back(static_cast<size_t>(memory.node_count()));
  }

  void WakeKswapds(sim::Path& path, const AllocRequest& request) override;
  sim::Task<CompactResult> DirectCompact(sim::Path& path, const AllocRequest& request,
                                         CompactPriority priority) override;
  sim::Task<int64_t> DirectReclaim(sim::Path& path, const AllocRequest& request) override;
  sim::Task<bool> EnoughToReclaim(sim::Path& path, const AllocRequest& request, bool for_compaction) override;
  sim::Task<bool> OutOfMemory(sim::Path& path, const AllocRequest& request) override;

 private:
  // The last call to wake up a node's kswapd that left an LP, and when it arrives.
  struct Call {
    sim::SimTime arrives;
    int order = 0;
    ZoneType highest = ZoneType::kDma;
  };

  // The nodes that the request may be served from, in the order of its zonelist.
  std::vector<NodeId> NodesOf(const AllocRequest& request) const;
  sim::Task<int64_t> Round(sim::Path& path, const AllocRequest& request, const std::vector<NodeId>& nodes,
                           ScanControl& sc);
  sim::Task<void> DrainWhereShort(sim::Path& path, const AllocRequest& request, Node& node);

  MemorySystem& memory_;
  NodeShrinker shrinker_;
  Kswapds kswapds_;
  std::vector<std::vector<Call>> under_way_;  // by LP that it left, on that LP, and node
};

}  // namespace numasim

#endif  // NUMASIM_MODELS_RECLAIM_RECLAIM_H_
