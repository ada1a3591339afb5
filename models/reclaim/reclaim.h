// Reclaim: what the page allocator gets from page cache where memory is short (mm/vmscan.c, Linux 6.1):
// kswapd of each node, and direct reclaim by who wants the memory. On a machine without a disk there is
// nothing to reclaim, and both find that.
#ifndef NUMASIM_MODELS_RECLAIM_RECLAIM_H_
#define NUMASIM_MODELS_RECLAIM_RECLAIM_H_

#include <cstdint>
#include <vector>

#include "models/base/types.h"
#include "models/compaction/compaction.h"
#include "models/compaction/kcompactd.h"
#include "models/page_cache/shmem.h"
#include "models/physical/memory_system.h"
#include "models/physical/page_allocator.h"
#include "models/reclaim/kswapd.h"
#include "models/reclaim/node_shrinker.h"
#include "models/reclaim/shrinkers.h"
#include "models/rmap/rmap.h"
#include "sim/path.h"
#include "sim/task.h"

namespace numasim {

class Reclaim {
 public:
  Reclaim(MemorySystem& memory, PageAllocator& allocator, ShmemFiles& files, const Rmap& rmap,
          Compactor& compactor, Shrinkers& shrinkers)
      : memory_(memory),
        shrinker_(memory, allocator, files, rmap, shrinkers),
        kcompactds_(memory, compactor),
        kswapds_(memory, shrinker_, compactor, kcompactds_) {
    for (int lp = 0; lp <= memory.global_lp().value; ++lp)
      under_way_.emplace_back(static_cast<size_t>(memory.node_count()));
  }

  // As Pressure has them.
  void WakeKswapds(sim::Path& path, const AllocRequest& request);
  void WakeKswapd(sim::Path& path, const Zone& zone);
  sim::Task<int64_t> DirectReclaim(sim::Path& path, const AllocRequest& request);

  Kcompactds& kcompactds() { return kcompactds_; }

 private:
  // The last call to wake up a node's kswapd that left an LP, and when it arrives.
  struct Call {
    sim::SimTime arrives;
    Kswapds::Want want{0, ZoneType::kDma, true};

    // Whether it would do all that this one asks for.
    bool Covers(const Kswapds::Want& other) const {
      return other.order <= want.order && other.highest <= want.highest &&
             (other.may_reclaim || !want.may_reclaim);
    }
  };

  // The nodes that the request may be served from, in the order of its zonelist.
  std::vector<NodeId> NodesOf(const AllocRequest& request) const;
  sim::Task<int64_t> Round(sim::Path& path, const AllocRequest& request, const std::vector<NodeId>& nodes,
                           ScanControl& sc);
  sim::Task<void> DrainWhereShort(sim::Path& path, const AllocRequest& request, Node& node);

  MemorySystem& memory_;
  NodeShrinker shrinker_;
  Kcompactds kcompactds_;
  Kswapds kswapds_;
  std::vector<std::vector<Call>> under_way_;  // by LP that it left, on that LP, and node
};

}  // namespace numasim

#endif  // NUMASIM_MODELS_RECLAIM_RECLAIM_H_
