#include "models/physical/zone.h"

#include <algorithm>
#include <cstdint>
#include <utility>

#include "absl/strings/str_cat.h"

namespace numasim {

Zone::Zone(const Extent& extent, int cpus, std::unique_ptr<sim::SpinLock> lock)
    : extent_(extent),
      present_(extent.present),
      managed_(extent.managed),
      frames_(extent.start, extent.end() - extent.start),
      buddy_(frames_),
      pcp_(cpus),
      lock_(std::move(lock)) {}

int PcpTable::NextUsed(int cpu) const {
  while (cpu < cpus_ && groups_[GroupOf(CpuId{cpu})] == nullptr) cpu = (cpu / kGroup + 1) * kGroup;
  return std::min(cpu, cpus_);
}

void PcpTable::Make(std::unique_ptr<Group>& group) const {
  group = std::make_unique<Group>();
  group->fill(unused_);
}

void PcpTable::SetLimits(int32_t high, int32_t batch) {
  const auto set = [high, batch](PcpLists& lists) {
    lists.high = high;
    lists.batch = batch;
  };
  set(unused_);
  for (const std::unique_ptr<Group>& group : groups_) {
    if (group != nullptr) std::for_each(group->begin(), group->end(), set);
  }
}

std::string Zone::Name() const {
  return absl::StrCat("node", extent_.node.value, ".", kZoneNames[extent_.type]);
}

// __rmqueue_pcplist() with an empty list: a refill is `batch` pages, but at least two blocks.
Zone::PcpResult Zone::Refill(PcpLists& pcp, FrameRing& ring, int order, Migratetype type,
                             AllocFlags alloc_flags) {
  const int want = pcp.batch > 1 ? std::max(pcp.batch >> order, 2) : pcp.batch;
  const int64_t mixings = buddy_.counters().mixings;
  int refilled = 0;
  FarBlocks far(pcp.last_refilled);
  if (order == 0) {
    refilled = buddy_.TakeSingles(want, type, alloc_flags, [&](FrameIndex first, uint32_t count) {
      frames_.SetSingles(first, count, FrameKind::kPcp);
      ring.PushBackRun(first, count);
      far.Add(first, count);
    });
  } else {
    for (; refilled < want; ++refilled) {
      const FrameIndex frame = buddy_.Take(order, type, alloc_flags);
      if (frame == kNilFrame) break;
      frames_.SetHead(frame, FrameKind::kPcp, order);
      ring.PushBack(PcpLists::Entry(frame, order, type));
      far.Add(frame);
    }
  }
  BoostWatermark(buddy_.counters().mixings - mixings, alloc_flags);
  pcp.count += refilled << order;
  counters_[PCP_PAGES] += refilled << order;
  return {.refilled = refilled, .far = far.count()};
}

// boost_watermark(), for so many blocks that were taken out of pageblocks of another type: a pageblock each.
// Where there is little memory in the zone, or no watermark yet, it would do harm.
void Zone::BoostWatermark(int64_t mixings, AllocFlags alloc_flags) {
  constexpr int64_t kParts = 10000;
  if (mixings == 0 || boost_factor_ == 0 || managed_ < kPageblockPages * 4) return;
  const int64_t high = watermarks_.high;
  const int64_t most = high / kParts * boost_factor_ + high % kParts * boost_factor_ / kParts;
  if (most == 0) return;
  watermark_boost_ =
      std::min(watermark_boost_ + mixings * kPageblockPages, std::max<int64_t>(most, kPageblockPages));
  boosted_ |= alloc_flags.Has(kAllocKswapd);
}

namespace {

// The largest order such that the last 2^order frames of the ring, at most `most` of them, are the whole of
// one aligned block, in rising or falling order.
int RunAtBack(const FrameRing& ring, int32_t most) {
  const FrameIndex last = ring.FromBack(0);
  int order = 0;
  for (; order < kPageblockOrder; ++order) {
    const uint32_t size = 2u << order;
    if (size > ring.size() || static_cast<int32_t>(size) > most) break;
    // Rising: the frame that is freed first is the block's first. The half up to here is known to be a run.
    const bool rising = (last & (size - 1)) == 0;
    if (!rising && (last & (size - 1)) != size - 1) break;
    const uint32_t step = rising ? 1 : ~0u;
    uint32_t i = size / 2;
    while (i < size && ring.FromBack(i) == last + i * step) ++i;
    if (i < size) break;
  }
  return order;
}

}  // namespace

// free_pcppages_bulk(): from the back of each list in turn, starting with `first_list`, until at least
// `pages` are back.
Zone::Drained Zone::BulkFree(PcpLists& pcp, int32_t pages, int first_list) {
  constexpr uint32_t kAhead = 12;
  pages = std::min(pages, pcp.count);
  const int32_t before = pcp.count;
  int64_t blocks = 0;
  FarBlocks far(pcp.last_drained);
  counters_[PCP_PAGES] -= pcp.count;
  for (int list = first_list; pages > 0; list = (list + 1) % PcpLists::kLists) {
    FrameRing& ring = pcp.lists[list];
    const int order = PcpLists::OrderOf(list);
    while (pages > 0 && !ring.empty()) {
      const FrameIndex entry = ring.FromBack(0);
      FrameIndex frame = entry >> order << order;
      const Migratetype type = order == kPageblockOrder ? static_cast<Migratetype>(entry - frame)
                                                        : static_cast<Migratetype>(list % kPcpMigratetypes);
      // Single pages that make up a block merge with each other whatever comes between: they go back as the
      // block.
      int whole = order;
      if (order == 0) {
        if (ring.size() > kAhead) frames_.PrefetchFrame(ring.FromBack(kAhead));
        whole = RunAtBack(ring, pages);
        frame = frame >> whole << whole;
      }
      ring.DropBack(1u << (whole - order));
      pages -= 1 << whole;
      pcp.count -= 1 << whole;
      blocks += int64_t{1} << (whole - order);
      far.Add(frame, 1u << (whole - order));
      // A pageblock of a CMA area, or one isolated since the page was put on the list, takes its pages back
      // as its own.
      const Migratetype block = frames_.pageblock_type(frame);
      buddy_.Free(frame, whole, static_cast<int>(block) < kPcpMigratetypes ? type : block);
    }
  }
  counters_[PCP_PAGES] += pcp.count;
  return {.pages = before - pcp.count, .blocks = blocks, .far = far.count()};
}

Zone::Drained Zone::DrainPcp(CpuId cpu) {
  PcpLists& lists = pcp(cpu);
  return BulkFree(lists, lists.count, 0);
}

FrameIndex Zone::AllocBuddy(int order, Migratetype type, AllocFlags alloc_flags) {
  const int64_t mixings = buddy_.counters().mixings;
  const FrameIndex frame = buddy_.Take(order, type, alloc_flags);
  BoostWatermark(buddy_.counters().mixings - mixings, alloc_flags);
  if (frame == kNilFrame) return kNilFrame;
  frames_.SetHead(frame, FrameKind::kAllocated, order);
  counters_[PGALLOC] += int64_t{1} << order;
  return frame;
}

void Zone::FreeBuddy(FrameIndex frame, int order) {
  NUMASIM_CHECK_EQ(int{frames_.state(frame, order)}, int{FrameStore::Code(FrameKind::kAllocated, order)});
  buddy_.Free(frame, order, frames_.pageblock_type(frame));
}

void Zone::SetPcpLimits(int32_t high, int32_t batch) {
  pcp_high_ = high;
  pcp_batch_ = batch;
  pcp_.SetLimits(pcp_disabled_ ? 0 : high, pcp_disabled_ ? 1 : batch);
}

void Zone::DisablePcp() {
  pcp_disabled_ = true;
  SetPcpLimits(pcp_high_, pcp_batch_);
}

void Zone::EnablePcp() {
  pcp_disabled_ = false;
  SetPcpLimits(pcp_high_, pcp_batch_);
}

void Zone::Halve(FrameIndex frame, int order) {
  NUMASIM_CHECK_EQ(int{frames_.state(frame, order)}, int{FrameStore::Code(FrameKind::kAllocated, order)});
  const FrameOwner owner = frames_.owner(frame, order);
  const int half = order - 1;
  for (const FrameIndex head : {frame, frame + (FrameIndex{1} << half)}) {
    frames_.SetHead(head, FrameKind::kAllocated, half);
    frames_.owner(head, half) = owner;
  }
}

void Zone::TakeRef(FrameIndex frame, int order) {
  PageHolds holds = frames_.holds(frame, order);
  ++holds.refs;
  NUMASIM_CHECK(holds.refs != 0);
  frames_.SetHolds(frame, order, holds);
}

bool Zone::DropRef(FrameIndex frame, int order) {
  PageHolds holds = frames_.holds(frame, order);
  NUMASIM_CHECK(holds.refs > 0);
  --holds.refs;
  frames_.SetHolds(frame, order, holds);
  ++refs_dropped_;
  if (holds.any() || frames_.owner(frame, order).mapcount != 0) return false;
  return order != kPageblockOrder || !frames_.has_parts(frame) || frames_.part_mappings(frame) <= 0;
}

void Zone::MarkMigrating(FrameIndex frame, int order, bool migrating) {
  PageHolds holds = frames_.holds(frame, order);
  NUMASIM_CHECK(holds.migrating != static_cast<uint32_t>(migrating));
  holds.migrating = migrating;
  frames_.SetHolds(frame, order, holds);
}

void Zone::OnlineBlock(Pfn start, int64_t pages) {
  constexpr int64_t kLargest = int64_t{1} << kMaxOrder;
  NUMASIM_CHECK(frames_.Contains(start) && frames_.Contains(start + (pages - 1)));
  NUMASIM_CHECK_EQ(start.value % kLargest, 0u);
  NUMASIM_CHECK_EQ(pages % kLargest, 0);
  const FrameIndex begin = frames_.Index(start);
  const FrameIndex end = begin + static_cast<FrameIndex>(pages);
  for (FrameIndex f = begin; f < end; f += kPageblockPages) {
    NUMASIM_CHECK_EQ(int{frames_.state(f, kPageblockOrder)}, 0);
    frames_.set_pageblock_type(f, Migratetype::kMovable);
  }
  // In rising order and to the tails, as undo_isolate_page_range() leaves them: new memory is used last.
  for (FrameIndex f = begin; f < end; f += kLargest) buddy_.Free(f, kMaxOrder, Migratetype::kMovable, true);
  present_ += pages;
  managed_ += pages;
}

void Zone::OfflineRange(Pfn start, int64_t pages) {
  NUMASIM_CHECK(frames_.Contains(start) && frames_.Contains(start + (pages - 1)));
  NUMASIM_CHECK_EQ(start.value % kPageblockPages, 0u);
  NUMASIM_CHECK_EQ(pages % kPageblockPages, 0);
  const FrameIndex begin = frames_.Index(start);
  const FrameIndex end = begin + static_cast<FrameIndex>(pages);
  for (FrameIndex f = begin; f < end;) {
    const FrameStore::Head head = frames_.Find(f);
    NUMASIM_CHECK_EQ(static_cast<int>(head.kind), static_cast<int>(FrameKind::kFree));
    NUMASIM_CHECK_EQ(head.frame, f);
    buddy_.TakeOut(head.frame, head.order);
    f += FrameIndex{1} << head.order;
    NUMASIM_CHECK(f <= end);
  }
  // Pageblocks that were broken up are unmanaged as a whole too.
  for (FrameIndex f = begin; f < end; f += kPageblockPages) frames_.ClearHead(f, kPageblockOrder);
  present_ -= pages;
  managed_ -= pages;
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
