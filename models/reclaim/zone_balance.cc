#include "models/reclaim/zone_balance.h"

namespace numasim {
namespace {

constexpr int64_t kExtfragThreshold = 500;  // vm.extfrag_threshold

bool HasBlock(const Zone& zone, int order, ZoneType highest) {
  return zone.WatermarkOk(zone.watermarks().low, order, highest, {}, zone.buddy().free_pages());
}

}  // namespace

// A node without memory in these zones needs no balancing.
bool ZoneBalance::NodeIsBalanced(const Node& node, int order, ZoneType highest) {
  bool any = false;
  for (const Zone& zone : ManagedZones(node, highest)) {
    any = true;
    if (zone.WatermarkOk(zone.watermarks().high, order, highest, {}, zone.buddy().free_pages())) return true;
  }
  return !any;
}

bool ZoneBalance::MayCompact(const Zone& zone, int order, ZoneType highest, int64_t free) {
  if (HasBlock(zone, order, highest)) return false;  // it need not
  const int64_t mark = order > kCostlyOrder ? zone.watermarks().low : zone.watermarks().min;
  return zone.WatermarkOk(mark + CompactGap(order), 0, highest, kAllocCma, free);
}

bool ZoneBalance::HasBlockOrMayCompact(const Zone& zone, int order, ZoneType highest) {
  if (HasBlock(zone, order, highest)) return true;
  if (!MayCompact(zone, order, highest, zone.buddy().free_pages())) return false;
  if (order <= kCostlyOrder) return true;
  const int64_t index = FragmentationIndex(zone, order);
  return index < 0 || index > kExtfragThreshold;
}

// fragmentation_index(): near 0 where a block lacks for want of memory, near 1000 where for fragmentation;
// -1000 where there is one.
int64_t ZoneBalance::FragmentationIndex(const Zone& zone, int order) {
  int64_t blocks = 0;
  int64_t suitable = 0;
  for (int o = 0; o <= kMaxOrder; ++o) {
    blocks += zone.buddy().blocks(o);
    if (o >= order) suitable += zone.buddy().blocks(o);
  }
  if (blocks == 0) return 0;
  if (suitable > 0) return -1000;
  return 1000 - (1000 + zone.buddy().free_pages() * 1000 / (int64_t{1} << order)) / blocks;
}

}  // namespace numasim
