#include "models/contig/contig_check.h"

#include <cstdint>

#include "models/physical/isolation.h"

namespace numasim {
namespace {

constexpr FrameIndex kBlock = kPageblockPages;

// The bitmap by itself. Returns how many pages are handed out.
int64_t CheckBitmap(const CmaArea& area, ProblemList& problems) {
  int64_t used = 0;
  int64_t last = 0;
  for (const auto& [begin, end] : area.used) {
    if (begin < last || end <= begin || end > area.pages) {
      problems.Add("cma ", area.name, ": the range ", begin, "-", end, " is handed out after one up to ",
                   last, " of ", area.pages, " pages");
    }
    used += end - begin;
    last = end;
  }
  problems.Expect(area.counters[CMA_FREE_PAGES], area.pages - used, "cma ", area.name,
                  ": the count of free pages");
  problems.Expect(area.taking.size(), size_t{0}, "cma ", area.name,
                  ": the count of ranges that are being taken");
  const bool held = area.mutex != nullptr ? area.mutex->held() : area.spinlock->held();
  if (held) problems.Add("cma ", area.name, ": the lock is held though nothing runs");
  return used;
}

// What is handed out is a driver's or a huge page, what is not is free or movable, and no gigantic page, as
// these all come from the bitmap.
void CheckFramesOfArea(const Zone& zone, const CmaArea& area, FrameIndex begin, FrameIndex end, bool used,
                       ProblemList& problems) {
  const FrameStore& frames = zone.frames();
  ForEachBlock(frames, begin, end, [&](const FrameStore::Head& head) {
    const FrameOwner* const owner = OwnerOf(frames, head);
    const auto kind = owner == nullptr ? FrameOwner::kKernel : static_cast<FrameOwner::Kind>(owner->kind);
    const bool huge = owner != nullptr && kind == FrameOwner::kHugetlb;
    const bool driver = owner != nullptr && kind == FrameOwner::kContig;
    const bool movable =
        FrameOwner::OfUser(kind) || (huge && owner->object == static_cast<uint64_t>(HugeSize::k2M));
    // The huge zero page is unmovable, but a CPU's list of huge pages does not tell migratetypes apart (6.1),
    // so it may come from an area.
    const bool zero_page = kind == FrameOwner::kKernel && head.order == kPageblockOrder;
    const bool free_or_movable = owner == nullptr || movable || zero_page;
    const bool right = used ? (area.hugetlb ? huge : driver) : free_or_movable;
    if (right) return;
    problems.Add("cma ", area.name, ": pfn ", frames.PfnOf(head.frame).value, " is ",
                 used ? "handed out" : "not handed out", ", but its owner is ",
                 ContigRanges::UserOf(zone, frames.PfnOf(head.frame)).Text());
  });
}

void CheckArea(const MemorySystem& memory, const CmaArea& area, ProblemList& problems) {
  CheckBitmap(area, problems);
  const Zone& zone = *memory.ZoneOf(area.base);
  const FrameIndex base = zone.frames().Index(area.base);
  const auto end = static_cast<FrameIndex>(base + area.pages);
  for (FrameIndex block = base; block < end; block += kBlock) {
    if (zone.frames().pageblock_type(block) == Migratetype::kCma) continue;
    problems.Add("cma ", area.name, ": the pageblock at pfn ", zone.frames().PfnOf(block).value, " is ",
                 kMigratetypeNames[zone.frames().pageblock_type(block)]);
  }
  FrameIndex at = base;
  for (const auto& [first, last] : area.used) {
    const auto from = static_cast<FrameIndex>(base + first);
    const auto to = static_cast<FrameIndex>(base + last);
    if (from < at || to > end) return;  // said already
    CheckFramesOfArea(zone, area, at, from, false, problems);
    CheckFramesOfArea(zone, area, from, to, true, problems);
    at = to;
  }
  CheckFramesOfArea(zone, area, at, end, false, problems);
}

// Pageblocks outside of all areas are no area's.
void CheckCmaBlocks(const MemorySystem& memory, const CmaAreas& areas, ProblemList& problems) {
  for (const Zone* zone : memory.zones()) {
    int64_t expected = 0;
    for (const auto& area : areas.areas()) {
      if (memory.ZoneOf(area->base) == zone) expected += area->pages / kPageblockPages;
    }
    int64_t blocks = 0;
    for (FrameIndex block = 0; block < zone->frames().frames(); block += kBlock) {
      blocks += zone->frames().pageblock_type(block) == Migratetype::kCma ? 1 : 0;
    }
    problems.Expect(blocks, expected, zone->Name(), ": the count of pageblocks of CMA areas");
  }
}

}  // namespace

void CheckCma(const MemorySystem& memory, const CmaAreas& areas, ProblemList& problems) {
  for (const auto& area : areas.areas()) CheckArea(memory, *area, problems);
  CheckCmaBlocks(memory, areas, problems);
}

void CheckIsolation(const MemorySystem& memory, ProblemList& problems) {
  for (const Zone* zone : memory.zones()) {
    const FrameStore& frames = zone->frames();
    for (FrameIndex block = 0; block < frames.frames(); block += kBlock) {
      if (frames.pageblock_type(block) != Migratetype::kIsolate) continue;
      if (frames.Find(block).kind == FrameKind::kUnmanaged) continue;  // it went offline so
      problems.Add(zone->Name(), ": the pageblock at pfn ", frames.PfnOf(block).value,
                   " is isolated though nothing runs");
    }
  }
}

}  // namespace numasim
