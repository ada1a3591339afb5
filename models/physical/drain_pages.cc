#include "models/physical/drain_pages.h"

namespace numasim {

sim::Task<void> DrainPages(sim::Path& path, const Costs& costs, Zone& zone, CpuId cpu) {
  co_await zone.lock().Acquire(path);
  const int64_t pages = zone.DrainPcp(cpu);
  co_await path.Take(costs.buddy_page * pages);
  zone.lock().Release(path);
}

sim::Task<void> DrainAllPages(sim::Path& path, const Costs& costs, Zone& zone) {
  for (int cpu = zone.NextUsedPcp(0); cpu < zone.cpus(); cpu = zone.NextUsedPcp(cpu + 1)) {
    co_await path.Take(costs.drain_cpu);
    zone.DrainPcp(CpuId{cpu});
  }
}

}  // namespace numasim
