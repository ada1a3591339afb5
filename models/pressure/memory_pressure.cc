#include "models/pressure/memory_pressure.h"

#include "models/reclaim/zone_balance.h"

namespace numasim {
namespace {

// ALLOCSTALL of each zone.
constexpr PerZoneType<NodeCounter> kStalls = {ALLOCSTALL_DMA, ALLOCSTALL_DMA32, ALLOCSTALL_NORMAL,
                                              ALLOCSTALL_MOVABLE};

}  // namespace

void MemoryPressure::WakeKswapds(sim::Path& path, const AllocRequest& request) {
  reclaim_.WakeKswapds(path, request);
}

sim::Task<CompactResult> MemoryPressure::DirectCompact(sim::Path& path, const AllocRequest& request,
                                                       CompactPriority priority) {
  return compactor_.CompactFor(path, request, priority);
}

sim::Task<int64_t> MemoryPressure::DirectReclaim(sim::Path& path, const AllocRequest& request) {
  Node& node = memory_.node(request.preferred);
  co_await path.GoTo(node.lp, memory_.costs().hop);
  ++node.counter(kStalls[GfpZone(request.gfp)]);
  co_return co_await reclaim_.DirectReclaim(path, request);
}

sim::Task<bool> MemoryPressure::EnoughToReclaim(sim::Path& path, const AllocRequest& request,
                                                bool for_compaction) {
  if (for_compaction)
    co_return co_await compactor_.EnoughIfReclaimed(path, request, ZoneBalance::Reclaimable);
  const ZoneType highest = GfpZone(request.gfp);
  for (const Zone* const zone : memory_.Zonelist(request.preferred, highest)) {
    if (!request.Allows(zone->node())) continue;
    co_await path.GoTo(memory_.node(zone->node()).lp, memory_.costs().hop);
    if (zone->present() == 0) continue;
    const int64_t available = ZoneBalance::Reclaimable(*zone) + zone->buddy().free_pages();
    if (zone->WatermarkOk(zone->Mark(kAllocWmarkMin), request.order, highest, SlowPathFlags(request.gfp),
                          available))
      co_return true;
  }
  co_return false;
}

sim::Task<OomAnswer> MemoryPressure::OutOfMemory(sim::Path& path, const AllocRequest& request) {
  return oom_.Kill(path, request);
}

}  // namespace numasim
