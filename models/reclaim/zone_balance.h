// ZoneBalance: whether zones have enough free memory, as reclaim asks it (pgdat_balanced,
// compaction_suitable, Linux 6.1). Pure functions, on the LP of the zone's node.
#ifndef NUMASIM_MODELS_RECLAIM_ZONE_BALANCE_H_
#define NUMASIM_MODELS_RECLAIM_ZONE_BALANCE_H_

#include <cstdint>
#include <memory>
#include <ranges>

#include "models/base/types.h"
#include "models/physical/node.h"
#include "models/physical/zone.h"

namespace numasim {

// The zones of a node up to `highest` that have memory now, from the lowest one up
// (for_each_managed_zone_pgdat).
inline auto ManagedZones(const Node& node, ZoneType highest) {
  return node.zones | std::views::take(static_cast<int>(highest) + 1) |
         std::views::filter(
             [](const std::unique_ptr<Zone>& zone) { return zone != nullptr && zone->managed() > 0; }) |
         std::views::transform([](const std::unique_ptr<Zone>& zone) -> Zone& { return *zone; });
}

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
