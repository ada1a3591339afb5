#include "models/reclaim/zone_balance.h"

#include <algorithm>

namespace numasim {
// A node without memory in these zones needs no balancing.
bool ZoneBalance::NodeIsBalanced(const Node& node, int order, ZoneType highest) {
  bool any = false;
  for (const Zone& zone : ManagedZones(node, highest)) {
    any = true;
    if (zone.WatermarkOk(zone.Mark(kAllocWmarkHigh), order, highest, {}, zone.buddy().free_pages()))
      return true;
  }
  return !any;
}

bool ZoneBalance::IsBoosted(const Node& node, ZoneType highest) {
  return std::ranges::any_of(ManagedZones(node, highest),
                             [](const Zone& zone) { return zone.watermark_boost() > 0; });
}

int64_t ZoneBalance::Reclaimable(const Zone& zone) {
  const int64_t pages = zone.counter(NR_ZONE_INACTIVE_FILE) + zone.counter(NR_ZONE_ACTIVE_FILE);
  return pages > 0 ? pages : zone.buddy().free_pages();
}

}  // namespace numasim
