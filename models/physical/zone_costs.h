// What is paid with zone->lock held: for the lock itself, and for what happened to the free lists. On the LP
// of the zone's node.
#ifndef NUMASIM_MODELS_PHYSICAL_ZONE_COSTS_H_
#define NUMASIM_MODELS_PHYSICAL_ZONE_COSTS_H_

#include <cstdint>

#include "models/base/cost_model.h"
#include "models/base/types.h"
#include "models/physical/zone.h"
#include "sim/time.h"

namespace numasim {

// Of the lock, which this CPU has just got.
inline sim::Duration LockCost(const Costs& costs, Zone& zone, CpuId cpu) {
  return zone.LockMoves(cpu) ? costs.zone_lock : sim::Duration();
}

// A page that leaves the free lists is looked at (check_pcp_refill), all 2^order of a block.
inline sim::Duration RefillCost(const Costs& costs, const Zone::PcpResult& refill, int order) {
  const int64_t tails = (int64_t{1} << order) - 1;
  return costs.buddy_page * refill.refilled + costs.buddy_miss * refill.far +
         costs.prep_page * (refill.refilled * tails);
}

inline sim::Duration DrainCost(const Costs& costs, const Zone::Drained& drained) {
  return costs.buddy_page * drained.blocks + costs.buddy_miss * drained.far;
}

}  // namespace numasim

#endif  // NUMASIM_MODELS_PHYSICAL_ZONE_COSTS_H_
