#include "models/physical/free_ranges.h"

#include <algorithm>
#include <optional>

#include "models/physical/isolation.h"

namespace numasim {
namespace {

uint64_t RoundUp(uint64_t value, uint64_t step) { return (value + step - 1) / step * step; }

// The first block of [start, start + pages) that is in use or an area's.
std::optional<FrameStore::Head> FirstInUse(const FrameStore& frames, Pfn start, int64_t pages) {
  const auto end = static_cast<FrameIndex>(frames.Index(start) + pages);
  for (FrameIndex at = frames.Index(start); at < end;) {
    const FrameStore::Head head = frames.Find(at);
    if (head.kind != FrameKind::kFree || frames.pageblock_type(head.frame) == Migratetype::kCma) return head;
    at = EndOf(head);
  }
  return std::nullopt;
}

}  // namespace

Pfn LowestFree(const Zone& zone, Pfn from, int64_t pages, int64_t align) {
  const auto step = static_cast<uint64_t>(align);
  Pfn at{RoundUp(std::max(from, zone.extent().start).value, step)};
  while (at + pages <= BootEnd(zone)) {
    const std::optional<FrameStore::Head> in_use = FirstInUse(zone.frames(), at, pages);
    if (!in_use.has_value()) return at;
    at = Pfn{RoundUp(zone.frames().PfnOf(EndOf(*in_use)).value, step)};
  }
  return kNoPfn;
}

Pfn HighestFree(const Zone& zone, int64_t pages, int64_t align) {
  const auto step = static_cast<uint64_t>(align);
  const auto size = static_cast<uint64_t>(pages);
  uint64_t top = BootEnd(zone).value;
  while (top >= zone.extent().start.value + size) {
    const Pfn at{(top - size) / step * step};
    if (at < zone.extent().start) break;
    const std::optional<FrameStore::Head> in_use = FirstInUse(zone.frames(), at, pages);
    if (!in_use.has_value()) return at;
    // A lower one ends where this block begins, or before.
    top = std::min(at.value + size - 1, zone.frames().PfnOf(in_use->frame).value);
  }
  return kNoPfn;
}

void TakeFree(Zone& zone, Pfn start, int64_t pages, FrameOwner owner) {
  const FrameIndex begin = zone.frames().Index(start);
  const auto end = static_cast<FrameIndex>(begin + pages);
  IsolateFree(zone, begin, end);
  TakeIsolated(zone, begin, end, owner);
  for (FrameIndex block = begin; block < end; block += kPageblockPages) {
    UnisolatePageblock(zone, block, Migratetype::kMovable);
  }
}

}  // namespace numasim
