#include "models/physical/drain_pages.h"

#include <utility>

#include "models/physical/zone_costs.h"

namespace numasim {

sim::Task<void> DrainPages(sim::Path& path, const Costs& costs, Zone& zone, CpuId cpu) {
  co_await zone.lock().Acquire(path);
  const Zone::Drained drained = zone.DrainPcp(cpu);
  co_await path.Take(LockCost(costs, zone, cpu) + DrainCost(costs, drained));
  zone.lock().Release(path);
}

sim::Task<void> DrainAllPages(sim::Path& path, const Costs& costs, Zone& zone) {
  for (int cpu = zone.NextUsedPcp(0); cpu < zone.cpus(); cpu = zone.NextUsedPcp(cpu + 1)) {
    if (std::as_const(zone).pcp(CpuId{cpu}).count == 0) continue;
    co_await path.Take(costs.drain_cpu);
    co_await DrainPages(path, costs, zone, CpuId{cpu});
  }
}

}  // namespace numasim
