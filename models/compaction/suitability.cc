#include "models/compaction/suitability.h"

namespace numasim {
namespace {

// fill_contig_page_info()
struct FreeBlocks {
  int64_t pages = 0;
  int64_t blocks = 0;
  int64_t suitable = 0;  // blocks of the order, in larger ones too
};
FreeBlocks Count(const Zone& zone, int order) {
  FreeBlocks free;
  for (int o = 0; o < kOrders; ++o) {
    const int64_t blocks = zone.buddy().blocks(o);
    free.blocks += blocks;
    free.pages += blocks << o;
    if (o >= order) free.suitable += blocks << (o - order);
  }
  return free;
}

}  // namespace

Suitability EnoughForCompaction(const Zone& zone, const CompactionGoal& goal, int64_t available) {
  const bool costly = goal.order > kCostlyOrder;
  if (zone.WatermarkOk(goal.order, goal.highest, goal.alloc_flags)) return Suitability::kUnneeded;
  const int64_t mark = zone.Mark(costly ? kAllocWmarkLow : kAllocWmarkMin) + CompactionGap(goal.order);
  const bool enough = zone.WatermarkOk(mark, 0, goal.highest, kAllocCma, available);
  return enough ? Suitability::kContinue : Suitability::kSkipped;
}

Suitability SuitableForCompaction(const Zone& zone, const CompactionGoal& goal, int extfrag_threshold) {
  const Suitability enough = EnoughForCompaction(zone, goal, zone.buddy().free_pages());
  if (enough != Suitability::kContinue || goal.order <= kCostlyOrder) return enough;
  const int index = FragmentationIndex(zone, goal.order);
  return index >= 0 && index <= extfrag_threshold ? Suitability::kSkipped : Suitability::kContinue;
}

int FragmentationIndex(const Zone& zone, int order) {
  const FreeBlocks free = Count(zone, order);
  if (free.blocks == 0) return 0;
  if (free.suitable > 0) return -1000;
  const int64_t requested = int64_t{1} << order;
  return static_cast<int>(1000 - (1000 + free.pages * 1000 / requested) / free.blocks);
}

int UnusableIndex(const Zone& zone, int order) {
  const FreeBlocks free = Count(zone, order);
  if (free.pages == 0) return 1000;
  return static_cast<int>((free.pages - (free.suitable << order)) * 1000 / free.pages);
}

int UnusableFreePercent(const Zone& zone, int order) {
  const FreeBlocks free = Count(zone, order);
  if (free.pages == 0) return 0;
  return static_cast<int>((free.pages - (free.suitable << order)) * 100 / free.pages);
}

}  // namespace numasim
