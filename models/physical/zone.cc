#include "models/physical/zone.h"

#include <algorithm>
#include <utility>

#include "absl/strings/str_cat.h"

namespace numasim {

Zone::Zone(const Extent& extent, int cpus, std::unique_ptr<sim::SpinLock> lock)
    : extent_(extent),
      frames_(extent.start, extent.spanned),
      buddy_(frames_),
      pcp_(static_cast<size_t>(cpus)),
      lock_(std::move(lock)) {}

std::string Zone::Name() const {
  return absl::StrCat("node", extent_.node.value, ".", kZoneNames[static_cast<int>(extent_.type)]);
}

// free_pcppages_bulk(): from the back of each list in turn, starting with `first_list`, until at least
// `pages` are back.
void Zone::BulkFree(PcpLists& pcp, int32_t pages, int first_list) {
  constexpr uint32_t kAhead = 10;
  pages = std::min(pages, pcp.count);
  for (int list = first_list; pages > 0; list = (list + 1) % PcpLists::kLists) {
    FrameRing& ring = pcp.lists[static_cast<size_t>(list)];
    const int order = PcpLists::OrderOf(list);
    while (pages > 0 && !ring.empty()) {
      if (order == 0 && ring.size() > kAhead) buddy_.PrefetchMerges(ring.FromBack(kAhead));
      const FrameIndex entry = ring.PopBack();
      const FrameIndex frame = entry >> order << order;
      const Migratetype type = order == kPageblockOrder ? static_cast<Migratetype>(entry - frame)
                                                        : static_cast<Migratetype>(list % kPcpMigratetypes);
      pages -= 1 << order;
      pcp.count -= 1 << order;
      counters_[PCP_PAGES] -= 1 << order;
      // A pageblock isolated since the page was put on the list takes its pages back as its own.
      const bool isolated = frames_.pageblock_type(frame) == Migratetype::kIsolate;
      buddy_.Free(frame, order, isolated ? Migratetype::kIsolate : type);
    }
  }
}

int64_t Zone::DrainPcp(CpuId cpu) {
  PcpLists& lists = pcp(cpu);
  const int32_t pages = lists.count;
  BulkFree(lists, pages, 0);
  return pages;
}

FrameIndex Zone::AllocBuddy(int order, Migratetype type, uint32_t alloc_flags) {
  const FrameIndex frame = buddy_.Take(order, type, alloc_flags);
  if (frame == kNilFrame) return kNilFrame;
  frames_.SetHead(frame, FrameKind::kAllocated, order);
  counters_[PGALLOC] += int64_t{1} << order;
  return frame;
}

void Zone::FreeBuddy(FrameIndex frame, int order) {
  NUMASIM_CHECK_EQ(int{frames_.state(frame, order)}, int{FrameStore::Code(FrameKind::kAllocated, order)});
  buddy_.Free(frame, order, frames_.pageblock_type(frame));
}

const int64_t* Zone::counter_ref(ZoneCounter c) const {
  switch (c) {
    case NR_FREE_PAGES:
      return &buddy_.free_pages_ref();
    case PAGEBLOCK_STEAL:
      return &buddy_.counters().pageblock_steals;
    case FALLBACK_ALLOC:
      return &buddy_.counters().fallbacks;
    default:
      return &counters_[c];
  }
}

}  // namespace numasim
