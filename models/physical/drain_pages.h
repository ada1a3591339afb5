// What CPUs have on their PCP lists goes to the free lists, where it merges and watermarks see it
// (Linux 6.1). On the LP of the zone's node.
#ifndef NUMASIM_MODELS_PHYSICAL_DRAIN_PAGES_H_
#define NUMASIM_MODELS_PHYSICAL_DRAIN_PAGES_H_

#include "models/base/cost_model.h"
#include "models/base/types.h"
#include "models/physical/zone.h"
#include "sim/path.h"
#include "sim/task.h"

namespace numasim {

// drain_pages_zone(): of one CPU, with zone->lock.
sim::Task<void> DrainPages(sim::Path& path, const Costs& costs, Zone& zone, CpuId cpu);

// drain_all_pages() of a zone: a work item for each CPU that has any, one after another.
sim::Task<void> DrainAllPages(sim::Path& path, const Costs& costs, Zone& zone);

}  // namespace numasim

#endif  // NUMASIM_MODELS_PHYSICAL_DRAIN_PAGES_H_
