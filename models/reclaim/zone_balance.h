// ZoneBalance: whether zones have enough free memory, as reclaim asks it (pgdat_balanced,
// zone_reclaimable_pages, Linux 6.1). Pure functions, on the LP of the zone's node.
#ifndef NUMASIM_MODELS_RECLAIM_ZONE_BALANCE_H_
#define NUMASIM_MODELS_RECLAIM_ZONE_BALANCE_H_

#include <cstdint>

#include "models/base/types.h"
#include "models/physical/node.h"
#include "models/physical/node_zones.h"
#include "models/physical/zone.h"

namespace numasim {

class ZoneBalance {
 public:
  // pgdat_balanced(): some zone that the request allows is above its high watermark with a block of the
  // order.
  static bool NodeIsBalanced(const Node& node, int order, ZoneType highest);
  // pgdat_watermark_boosted()
  static bool IsBoosted(const Node& node, ZoneType highest);
  // zone_reclaimable_pages(): where there are none what is free, so that a zone with free memory is not taken
  // for hopeless.
  static int64_t Reclaimable(const Zone& zone);
};

}  // namespace numasim

#endif  // NUMASIM_MODELS_RECLAIM_ZONE_BALANCE_H_
