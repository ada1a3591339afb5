// ZoneBalance: whether zones have enough free memory, as reclaim asks it (pgdat_balanced,
// compaction_suitable, Linux 6.1). Pure functions, on the LP of the zone's node.
#ifndef NUMASIM_MODELS_RECLAIM_ZONE_BALANCE_H_
#define NUMASIM_MODELS_RECLAIM_ZONE_BALANCE_H_

#include <cstdint>

#include "models/base/types.h"
#include "models/physical/node.h"
#include "models/physical/zone.h"

namespace numasim {

class ZoneBalance {
 public:
  // pgdat_balanced(): some zone that the request allows is above its high watermark with a block of the
  // order.
  static bool NodeIsBalanced(const Node& node, int order, ZoneType highest);
  // zone_reclaimable_pages()
  static int64_t Reclaimable(const Zone& zone) {
    return zone.counter(NR_ZONE_INACTIVE_FILE) + zone.counter(NR_ZONE_ACTIVE_FILE);
  }
  // compact_gap(): the free pages that compaction needs beside the watermark.
  static constexpr int64_t CompactGap(int order) { return int64_t{2} << order; }
  // compaction_suitable() other than COMPACT_SKIPPED: there is a block already, or compaction could make one.
  static bool HasBlockOrMayCompact(const Zone& zone, int order, ZoneType highest);
  // Whether compaction could, with so many pages free (__compaction_suitable, COMPACT_CONTINUE).
  static bool MayCompact(const Zone& zone, int order, ZoneType highest, int64_t free);

 private:
  static int64_t FragmentationIndex(const Zone& zone, int order);
};

}  // namespace numasim

#endif  // NUMASIM_MODELS_RECLAIM_ZONE_BALANCE_H_
