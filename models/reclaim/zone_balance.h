// ZoneBalance: whether zones have enough free memory, as reclaim asks it (pgdat_balanced,
// zone_reclaimable_pages, Linux 6.1). Pure functions, on the LP of the zone's node.
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
  // zone_reclaimable_pages(): where there are none what is free, so that a zone with free memory is not taken
  // for hopeless.
  static int64_t Reclaimable(const Zone& zone);
};

}  // namespace numasim

#endif  // NUMASIM_MODELS_RECLAIM_ZONE_BALANCE_H_
