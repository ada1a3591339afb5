#include "models/physical/layout.h"

#include <algorithm>
#include <cstddef>

#include "sim/check.h"

namespace numasim {
namespace {

constexpr FrameIndex kLargest = FrameIndex{1} << kMaxOrder;
constexpr uint64_t kFirmwareEnd = (uint64_t{1} << 20) >> kPageShift;

FrameIndex RoundDown(FrameIndex frame) { return frame / kLargest * kLargest; }
FrameIndex RoundUp(FrameIndex frame) { return RoundDown(frame + kLargest - 1); }

// Calls f(frame, order) for the aligned runs that make up [begin, end), from the lowest up.
template <typename F>
void ForEachRun(FrameIndex begin, FrameIndex end, F f) {
  while (begin < end) {
    int order = begin == 0 ? kMaxOrder : std::min(__builtin_ctz(begin), kMaxOrder);
    while (begin + (FrameIndex{1} << order) > end) --order;
    f(begin, order);
    begin += FrameIndex{1} << order;
  }
}

}  // namespace

BootMemory BootMemoryOf(const Zone::Extent& extent) {
  BootMemory memory{extent.start, extent.start + extent.spanned, 0};
  const int64_t unmanaged = extent.spanned - extent.managed;
  const int64_t holes = extent.spanned - extent.present;
  if (extent.start.value < kFirmwareEnd) {
    const int64_t low = std::min(unmanaged, Pfn{kFirmwareEnd} - extent.start);
    memory.begin = extent.start + low;
    memory.low_holes = std::min(holes, low);
  }
  memory.present_end = memory.present_end + (memory.low_holes - holes);
  return memory;
}

int64_t GiganticRoom(const Zone::Extent& extent) {
  const auto step = static_cast<uint64_t>(PagesOf(HugeSize::k1G));
  const uint64_t begin = BootMemoryOf(extent).begin.value;
  const uint64_t first = (begin + step - 1) / step;
  const uint64_t last = (begin + static_cast<uint64_t>(extent.managed)) / step;
  return last > first ? static_cast<int64_t>(last - first) : 0;
}

Layout::Layout(Zone& zone, const Counts& pageblocks, const HugePageCounts& huge)
    : zone_(zone),
      store_(zone.frames()),
      huge_(huge),
      tags_(store_.pageblocks(), kUntagged),
      types_left_(pageblocks) {
  const Zone::Extent& extent = zone.extent();
  const BootMemory memory = BootMemoryOf(extent);
  begin_ = store_.Index(memory.begin);
  end_ = store_.Index(memory.present_end);
  hot_begin_ = hot_end_ = end_;
  if (extent.hot.plugged > 0) {
    hot_begin_ = store_.Index(extent.hot.start);
    hot_end_ = store_.Index(extent.hot.start + extent.hot.plugged);
  }
  for (const int64_t count : pageblocks) types_known_ = types_known_ || count > 0;
  NUMASIM_CHECK(huge[HugeSize::k1G] <= GiganticRoom(extent));
  const int64_t step = PagesOf(HugeSize::k1G);
  uint64_t number = (memory.begin + extent.managed).value / static_cast<uint64_t>(step);
  for (int64_t i = 0; i < huge[HugeSize::k1G]; ++i) {
    gigantic_.push_back(store_.Index(Pfn{--number * static_cast<uint64_t>(step)}));
  }
}

// From the top of the zone down: reserved memory, then blocks of the largest order, free ones first, then
// those that huge pages are in, with gigantic pages between them, and below all of that what the kernel uses.
int Layout::PlaceFree(const FreeCounts& blocks) {
  int64_t largest = 0;
  for (const int64_t count : blocks[kMaxOrder]) largest += count;
  // A device's memory has nothing reserved in it: its blocks are free first of all. The others end where the
  // reserved memory begins, or above if there are that many.
  const int64_t hot = std::min<int64_t>(largest, (hot_end_ - hot_begin_) / kLargest);
  const int64_t pool = (huge_[HugeSize::k2M] + 1) / 2;
  const auto managed_end = static_cast<FrameIndex>(begin_ + zone_.extent().managed);
  FrameIndex bottom = managed_end;
  FrameIndex top = managed_end;
  std::vector<FrameIndex> slots;
  if (const int64_t below = largest - hot + pool; below > 0) {
    if (below > (end_ - begin_) / kLargest) return kMaxOrder;
    top = std::max(RoundDown(managed_end), RoundUp(begin_) + static_cast<FrameIndex>(below) * kLargest);
    if (top > end_ || !FindSlots(top, below, slots)) return kMaxOrder;
    bottom = slots.back();
  }
  FreeCounts left = blocks;
  std::vector<FrameIndex> of_pool(slots.end() - static_cast<ptrdiff_t>(pool), slots.end());
  slots.resize(slots.size() - static_cast<size_t>(pool));
  std::reverse(slots.begin(), slots.end());
  for (int64_t i = 0; i < hot; ++i) slots.push_back(hot_begin_ + static_cast<FrameIndex>(i) * kLargest);
  PlaceLargest(slots, blocks[kMaxOrder]);
  PlaceHugePages(of_pool, left);
  AddLowParts(bottom);
  ForEachRun(std::max(top, managed_end), end_,
             [&](FrameIndex frame, int order) { AddPart(high_, frame, order); });
  ForEachRun(hot_begin_ + static_cast<FrameIndex>(hot) * kLargest, hot_end_,
             [&](FrameIndex frame, int order) { AddPart(high_, frame, order); });
  PlaceAtEdge(top, managed_end, left);
  for (int order = kMaxOrder - 1; order >= 0; --order) {
    for (int type = 0; type < kMigratetypes; ++type) {
      for (int64_t i = 0; i < left[order][type]; ++i) {
        if (!PlaceOne(order, static_cast<Migratetype>(type))) return order;
      }
    }
  }
  FillLists();
  return -1;
}

// Places for `count` blocks of the largest order, from `top` down, beside gigantic pages. False: no room.
bool Layout::FindSlots(FrameIndex top, int64_t count, std::vector<FrameIndex>& slots) const {
  const auto gigantic_pages = static_cast<FrameIndex>(PagesOf(HugeSize::k1G));
  FrameIndex end = top;
  auto next = gigantic_.begin();
  while (std::ssize(slots) < count) {
    while (next != gigantic_.end() && end > *next && end <= *next + gigantic_pages) end = *next++;
    if (end < kLargest || end - kLargest < begin_) return false;
    end -= kLargest;
    slots.push_back(end);
  }
  return true;
}

void Layout::PlaceLargest(const std::vector<FrameIndex>& slots, const Counts& blocks) {
  auto slot = slots.begin();
  for (int type = 0; type < kMigratetypes; ++type) {
    for (int64_t i = 0; i < blocks[type]; ++i) {
      Put(*slot++, kMaxOrder, static_cast<Migratetype>(type));
    }
  }
}

// Two pages of 2M in each slot. The kernel takes the lowest block first and of a block the lower half first,
// so an odd page has the highest slot, and its other half was left free or went to the kernel.
void Layout::PlaceHugePages(const std::vector<FrameIndex>& slots, FreeCounts& left) {
  constexpr FrameIndex kHalf = kPageblockPages;
  int64_t pages = huge_[HugeSize::k2M];
  for (auto slot = slots.rbegin(); slot != slots.rend(); ++slot, pages -= 2) {
    TakeHuge(*slot, HugeSize::k2M);
    if (pages > 1) {
      TakeHuge(*slot + kHalf, HugeSize::k2M);
      continue;
    }
    int64_t& free = left[kPageblockOrder][Migratetype::kMovable];
    if (free == 0) {
      AddPart(low_, *slot + kHalf, kPageblockOrder);
    } else {
      --free;
      Put(*slot + kHalf, kPageblockOrder, Migratetype::kMovable);
    }
  }
  for (const FrameIndex first : gigantic_) TakeHuge(first, HugeSize::k1G);
}

// Allocated for HugeTLB in blocks of a pageblock.
void Layout::TakeHuge(FrameIndex frame, HugeSize size) {
  const auto end = frame + static_cast<FrameIndex>(PagesOf(size));
  for (FrameIndex f = frame; f < end; f += kPageblockPages) {
    Tag(f, kPageblockOrder, Migratetype::kMovable);
    store_.SetHead(f, FrameKind::kAllocated, kPageblockOrder);
    store_.owner(f, kPageblockOrder) = FrameOwner{FrameOwner::kHugetlb, 1, static_cast<uint64_t>(size), 0};
  }
}

// What lies below `bottom` and is no gigantic page.
void Layout::AddLowParts(FrameIndex bottom) {
  FrameIndex at = begin_;
  const auto add_up_to = [&](FrameIndex end) {
    ForEachRun(at, end, [&](FrameIndex frame, int order) { AddPart(low_, frame, order); });
  };
  for (auto first = gigantic_.rbegin(); first != gigantic_.rend() && *first < bottom; ++first) {
    add_up_to(*first);
    at = *first + static_cast<FrameIndex>(PagesOf(HugeSize::k1G));
  }
  if (at < bottom) add_up_to(bottom);
}

// The block of the largest order that reserved memory cuts off: what is left of it is free in one block of
// each order that its size has a bit for, as far as there are any.
void Layout::PlaceAtEdge(FrameIndex begin, FrameIndex end, FreeCounts& left) {
  static constexpr Migratetype kPreferred[] = {Migratetype::kMovable,     Migratetype::kUnmovable,
                                               Migratetype::kReclaimable, Migratetype::kHighAtomic,
                                               Migratetype::kCma,         Migratetype::kIsolate};
  ForEachRun(begin, end, [&](FrameIndex frame, int order) {
    for (const Migratetype type : kPreferred) {
      int64_t& count = left[order][type];
      if (order == kMaxOrder || count == 0) continue;
      --count;
      return Put(frame, order, type);
    }
    AddPart(high_, frame, order);
  });
}

bool Layout::PlaceOne(int order, Migratetype type) {
  for (Parts* parts : {&low_, &high_}) {
    Run part{};
    if (!TakePart(*parts, order, type, part) && !TakeAlone(*parts, order, part)) continue;
    // The high end becomes free, so that what is used is low. In each part one frame is left over in the end,
    // and no free block ever merges with another, exactly where it could not in the kernel either.
    const FrameIndex size = FrameIndex{1} << order;
    Put(part.frame + (FrameIndex{1} << part.order) - size, order, type);
    for (int o = part.order - 1; o >= order; --o) {
      AddPart(*parts, part.frame, o);
      part.frame += FrameIndex{1} << o;
    }
    return true;
  }
  return false;
}

// A part larger than `order`: the smallest in a pageblock of the type, else in one that may become of the
// type, else in any.
bool Layout::TakePart(Parts& parts, int order, Migratetype type, Run& part) const {
  const auto take = [&](int from, uint8_t tag) {
    std::vector<FrameIndex>& list = parts[from][tag];
    if (list.empty()) return false;
    part = {list.back(), from};
    list.pop_back();
    return true;
  };
  for (int from = order + 1; from <= kMaxOrder; ++from) {
    if (take(from, static_cast<uint8_t>(type))) return true;
  }
  const bool more = !types_known_ || types_left_[type] > 0;
  for (int from = order + 1; more && from <= kMaxOrder; ++from) {
    if (take(from, kUntagged)) return true;
  }
  for (int from = order + 1; from <= kMaxOrder; ++from) {
    for (uint8_t tag = 0; tag <= kUntagged; ++tag) {
      if (take(from, tag)) return true;
    }
  }
  return false;
}

// A part of just this order, whose buddy is in part outside of the memory and never free as a whole.
bool Layout::TakeAlone(Parts& parts, int order, Run& part) const {
  const FrameIndex size = FrameIndex{1} << order;
  for (std::vector<FrameIndex>& list : parts[order]) {
    const auto alone = std::find_if(list.begin(), list.end(), [&](FrameIndex frame) {
      const bool hot = frame >= hot_begin_ && hot_end_ > hot_begin_;
      const FrameIndex buddy = frame ^ size;
      return buddy < (hot ? hot_begin_ : begin_) || buddy + size > (hot ? hot_end_ : end_);
    });
    if (alone == list.end()) continue;
    part = {*alone, order};
    list.erase(alone);
    return true;
  }
  return false;
}

void Layout::AddPart(Parts& parts, FrameIndex frame, int order) const {
  parts[order][tags_[frame >> kPageblockOrder]].push_back(frame);
}

void Layout::Put(FrameIndex frame, int order, Migratetype type) {
  Tag(frame, order, type);
  placed_[order][type].push_back(frame);
}

// The pageblocks of a free block are of its list's type where there are still some of that type.
void Layout::Tag(FrameIndex frame, int order, Migratetype type) {
  for (FrameIndex f = frame; f < frame + (FrameIndex{1} << order); f += kPageblockPages) {
    uint8_t& tag = tags_[f >> kPageblockOrder];
    if (tag != kUntagged) continue;
    Migratetype as = type;
    if (types_known_ && types_left_[type] <= 0) {
      if (types_left_[Migratetype::kMovable] > 0) as = Migratetype::kMovable;
    }
    tag = static_cast<uint8_t>(as);
    --types_left_[tag];
    store_.set_pageblock_type(f, as);
  }
}

void Layout::FillLists() {
  int64_t pages = 0;
  for (int order = 0; order <= kMaxOrder; ++order) {
    for (int type = 0; type < kMigratetypes; ++type) {
      auto& blocks = placed_[order][type];
      std::sort(blocks.begin(), blocks.end());
      for (const FrameIndex f : blocks)
        zone_.buddy().AddToList(f, order, static_cast<Migratetype>(type), true);
      pages += std::ssize(blocks) << order;
    }
  }
  zone_.buddy().AdoptFreePages(pages);
}

// Pageblocks without a free block are of the types that the recording counts beyond those. The kernel's are
// at the low end; in ZONE_MOVABLE only reserved memory at the top is of another type than movable, from
// before its struct pages were set up.
void Layout::TypeRest() {
  const auto set = [&](uint32_t block) {
    if (tags_[block] != kUntagged) return;
    Migratetype as = Migratetype::kMovable;
    for (int type = kMigratetypes - 1; type >= 0; --type) {
      if (types_left_[type] > 0) as = static_cast<Migratetype>(type);
    }
    Tag(block << kPageblockOrder, 0, as);
  };
  const uint32_t present =
      (std::max(end_, hot_end_) + static_cast<uint32_t>(kPageblockPages) - 1) >> kPageblockOrder;
  if (zone_.type() == ZoneType::kMovable) {
    for (uint32_t block = present; block-- > 0;) set(block);
  }
  for (uint32_t block = 0; block < store_.pageblocks(); ++block) set(block);
}

std::vector<Layout::Run> Layout::TakeLeftOver() {
  std::vector<Run> runs;
  for (const Parts* parts : {&low_, &high_}) {
    for (int order = 0; order <= kMaxOrder; ++order) {
      for (const auto& list : (*parts)[order]) {
        for (const FrameIndex frame : list) runs.push_back({frame, order});
      }
    }
  }
  std::sort(runs.begin(), runs.end(), [](const Run& a, const Run& b) { return a.frame > b.frame; });
  // From the top down: the first of the boot memory are reserved.
  int64_t reserved = int64_t{end_} - begin_ - zone_.extent().managed;
  std::vector<Run> used;
  for (const Run& run : runs) {
    const int64_t size = int64_t{1} << run.order;
    const int64_t cut = run.frame < end_ ? std::min(reserved, size) : 0;
    reserved -= cut;
    ForEachRun(run.frame, static_cast<FrameIndex>(run.frame + size - cut),
               [&](FrameIndex frame, int order) { used.push_back({frame, order}); });
  }
  return used;
}

std::vector<FrameIndex> Layout::UseRest(int64_t pcp_pages) {
  TypeRest();
  std::vector<Run> runs = TakeLeftOver();
  // The pages on PCP lists come from the smallest runs: they were freed one by one.
  std::stable_sort(runs.begin(), runs.end(), [](const Run& a, const Run& b) { return a.order < b.order; });
  std::vector<FrameIndex> singles;
  for (const Run& run : runs) {
    if (std::ssize(singles) == pcp_pages) {
      MarkUsed(run.frame, run.order);
      continue;
    }
    for (FrameIndex f = run.frame; f < run.frame + (FrameIndex{1} << run.order); ++f) {
      if (std::ssize(singles) < pcp_pages) {
        singles.push_back(f);
      } else {
        MarkUsed(f, 0);
      }
    }
  }
  return singles;
}

// In ZONE_MOVABLE there is nothing but user memory: of the processes that ran when the recording was made.
void Layout::MarkUsed(FrameIndex frame, int order) {
  if (zone_.type() != ZoneType::kMovable) {
    store_.SetHead(frame, FrameKind::kAllocated, order);
    store_.owner(frame, order) = FrameOwner{FrameOwner::kKernel, 0, 0, 0};
    return;
  }
  for (FrameIndex f = frame; f < frame + (FrameIndex{1} << order); ++f) {
    store_.SetHead(f, FrameKind::kAllocated, 0);
    store_.owner(f, 0) = FrameOwner{FrameOwner::kAnon, 1, kBootUser, boot_users_++};
  }
}

}  // namespace numasim
