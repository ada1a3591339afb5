#include "models/contig/contig_range.h"

#include <algorithm>
#include <utility>

#include "models/physical/drain_pages.h"
#include "sim/check.h"

namespace numasim {
namespace {

constexpr FrameIndex kBlock = kPageblockPages;
FrameIndex BlockOf(FrameIndex frame) { return frame / kBlock * kBlock; }

bool IsHugetlb(const FrameStore& frames, const FrameStore::Head& head) {
  return OwnedBy(frames, head, FrameOwner::kHugetlb);
}

FrameUser::Kind KindOf(const FrameOwner& owner) {
  using Kind = FrameUser::Kind;
  switch (static_cast<FrameOwner::Kind>(owner.kind)) {
    case FrameOwner::kKernel:
      return Kind::kKernel;
    case FrameOwner::kAnon:
      return Kind::kAnon;
    case FrameOwner::kShmem:
      return Kind::kShmem;
    case FrameOwner::kPageTable:
      return Kind::kPageTable;
    case FrameOwner::kHugetlb:
      return static_cast<HugeSize>(owner.object) == HugeSize::k2M ? Kind::kHugetlb2M : Kind::kHugetlb1G;
    case FrameOwner::kContig:
      return Kind::kContig;
    case FrameOwner::kOffline:
      return Kind::kOffline;
    case FrameOwner::kFile:
      return Kind::kFile;
  }
  return Kind::kUnknown;
}

}  // namespace

ContigResult ContigRanges::Busy(const Zone& zone, FrameIndex frame, const char* function) {
  const Pfn pfn = zone.frames().PfnOf(frame);
  return {Errno::kBusy, pfn, function, ContigRanges::UserOf(zone, pfn)};
}

FrameUser ContigRanges::UserOf(const Zone& zone, Pfn pfn, bool isolated) {
  using Kind = FrameUser::Kind;
  using Held = FrameUser::Held;
  const FrameStore& frames = zone.frames();
  const FrameStore::Head head = frames.Find(frames.Index(pfn));
  if (head.kind == FrameKind::kFree) return {Kind::kFree};
  if (head.kind == FrameKind::kPcp) return {Kind::kPcpList};
  if (head.kind != FrameKind::kAllocated) return {Kind::kReserved};
  const Kind kind = KindOf(frames.owner(head.frame, head.order));
  if (kind == Kind::kHugetlb2M || kind == Kind::kHugetlb1G) return {kind};
  if (!isolated && zone.IsMigrating(head.frame, head.order)) return {kind, Held::kMigrating};
  const int64_t isolations = isolated ? 1 : 0;
  return {kind, zone.RefsOf(head.frame, head.order) > isolations ? Held::kPinned : Held::kNo};
}

FrameUser ContigRanges::InTheWay(const sim::Path& path, const ContigResult& result, bool isolated) const {
  if (result.user.kind != FrameUser::Kind::kUnknown || result.blocker == kNoPfn) return result.user;
  const Zone* const zone = memory_.ZoneOf(result.blocker);
  if (zone == nullptr || !memory_.IsOn(path, zone->node())) return result.user;
  return UserOf(*zone, result.blocker, isolated);
}

void ContigRanges::LogFailure(sim::Path& path, LogKind kind, Pfn start, int64_t pages,
                              const ContigResult& result) const {
  Failure failure = {.kind = kind,
                     .error = result.error,
                     .function = result.function,
                     .reason = result.reason,
                     .nodes = result.nodes,
                     .user = InTheWay(path, result, kind == LogKind::kMigrationFailed),
                     .start = start,
                     .range_pages = pages,
                     .pfn = result.blocker};
  const Zone* const home = memory_.ZoneOf(start);
  if (failure.nodes.empty() && home != nullptr) failure.nodes = NodeMask::Of(home->node());
  memory_.LogFailure(path, std::move(failure));
}

sim::Task<ContigResult> ContigRanges::IsolateBlock(sim::Path& path, Zone& zone, FrameIndex block,
                                                   FrameIndex begin, FrameIndex end, Migratetype type,
                                                   IsolateFor why) {
  co_await zone.lock().Acquire(path);
  FrameIndex blocker = kNilFrame;
  ContigResult result;
  if (!IsolatePageblock(zone, block, begin, end, type, why, blocker)) {
    const bool raced = zone.frames().pageblock_type(block) == Migratetype::kIsolate;
    result = Busy(zone, blocker, raced ? "set_migratetype_isolate" : "has_unmovable_pages");
  }
  co_await path.Take(memory_.costs().isolate_block);
  zone.lock().Release(path);
  co_return result;
}

// The rest of isolate_single_pageblock(): nothing may reach over the range's boundary. It looks at the
// largest buddy block that ends or begins there; the frames of a gigantic page that does do not move for
// this.
sim::Task<ContigResult> ContigRanges::ClearBoundary(sim::Path& path, Zone& zone, FrameIndex boundary,
                                                    bool upper) {
  ContigResult result;
  FrameStore& frames = zone.frames();
  if (boundary >= frames.frames()) co_return result;
  co_await zone.lock().Acquire(path);
  SplitFreeAt(zone, boundary);
  co_await path.Take(memory_.costs().buddy_block);
  zone.lock().Release(path);
  FrameIndex across = AllocatedAcross(zone, boundary);
  const FrameStore::Head head = frames.Find(boundary);
  const bool looked_at = upper || boundary % (FrameIndex{1} << kMaxOrder) != 0;
  if (looked_at && IsHugetlb(frames, head)) {
    const HugeSize size = static_cast<HugeSize>(frames.owner(head.frame, head.order).object);
    if (frames.PfnOf(boundary).value % static_cast<uint64_t>(PagesOf(size)) != 0) across = head.frame;
  }
  if (across == kNilFrame) co_return result;
  result.error = Errno::kBusy;
  result.blocker = frames.PfnOf(across);
  result.function = "isolate_single_pageblock";
  co_return result;
}

sim::Task<ContigResult> ContigRanges::StartIsolate(sim::Path& path, Zone& zone, FrameIndex begin,
                                                   FrameIndex end, Migratetype type, IsolateFor why) {
  const FrameIndex first = BlockOf(begin);
  const FrameIndex last = BlockOf(end - 1);
  ContigResult result = co_await IsolateBlock(path, zone, first, first, first + kBlock, type, why);
  if (result.error != Errno::kOk) co_return result;
  result = co_await ClearBoundary(path, zone, first, false);
  if (result.error == Errno::kOk && last != first) {
    result = co_await IsolateBlock(path, zone, last, last, last + kBlock, type, why);
  }
  if (result.error != Errno::kOk) {
    co_await UndoIsolate(path, zone, first, first + kBlock, type);
    co_return result;
  }
  result = co_await ClearBoundary(path, zone, last + kBlock, true);
  FrameIndex done = first + kBlock;
  for (; result.error == Errno::kOk && done < last; done += kBlock) {
    result = co_await IsolateBlock(path, zone, done, begin, end, type, why);
    if (result.error != Errno::kOk) break;
  }
  if (result.error == Errno::kOk) co_return result;
  co_await UndoIsolate(path, zone, first, done, type);
  if (last != first) co_await UndoIsolate(path, zone, last, last + kBlock, type);
  co_return result;
}

sim::Task<void> ContigRanges::UndoIsolate(sim::Path& path, Zone& zone, FrameIndex begin, FrameIndex end,
                                          Migratetype type) {
  for (FrameIndex block = BlockOf(begin); block < end; block += kBlock) {
    co_await zone.lock().Acquire(path);
    UnisolatePageblock(zone, block, type);
    co_await path.Take(memory_.costs().isolate_block);
    zone.lock().Release(path);
  }
}

sim::Task<ContigResult> ContigRanges::AllocRange(sim::Path& path, CpuId cpu, Pfn start, int64_t pages,
                                                 Migratetype type, FrameOwner owner) {
  Zone& zone = *memory_.ZoneOf(start);
  NUMASIM_CHECK(zone.frames().Contains(start));
  NUMASIM_CHECK(start + pages <= zone.frames().end());
  const sim::LpId home = path.lp();
  Node& node = memory_.node(zone.node());
  co_await path.GoTo(node.lp, memory_.costs().hop);
  const FrameIndex begin = zone.frames().Index(start);
  const auto end = static_cast<FrameIndex>(begin + pages);
  ContigResult result = co_await StartIsolate(path, zone, begin, end, type, IsolateFor::kAllocation);
  if (result.error == Errno::kOk) {
    result = co_await Take(path, cpu, zone, begin, end, owner);
    co_await UndoIsolate(path, zone, begin, end, type);
  }
  if (result.error != Errno::kOk) {
    result.user = InTheWay(path, result);
    LogFailure(path, LogKind::kContigFailed, start, pages, result);
  }
  co_await path.GoTo(home, memory_.costs().hop);
  co_return result;
}

// What alloc_contig_range() does with the range isolated.
sim::Task<ContigResult> ContigRanges::Take(sim::Path& path, CpuId cpu, Zone& zone, FrameIndex begin,
                                           FrameIndex end, FrameOwner owner) {
  co_await DrainAllPages(path, memory_.costs(), zone);
  ContigResult first;
  ContigResult result = co_await MigrateRange(path, cpu, zone, begin, end, first);
  // A busy page may have become free by now: what counts is what is free in the end.
  if (result.error == Errno::kNoMem) co_return result;
  co_await zone.lock().Acquire(path);
  const FrameIndex busy = FirstNotIsolated(zone, begin, end, IsolateFor::kAllocation);
  int64_t blocks = 0;
  if (busy == end) {
    blocks = TakeIsolated(zone, begin, end, owner);
  } else {
    result = Busy(zone, busy, "test_pages_isolated");
  }
  co_await path.Take(memory_.costs().buddy_block * (blocks + 1));
  zone.lock().Release(path);
  if (busy == end) {
    memory_.node(zone.node()).counter(COMPACT_ISOLATED) += static_cast<int64_t>(end - begin);
    co_return ContigResult{};
  }
  if (first.blocker == result.blocker) result.function = first.function;
  co_return result;
}

// pfn_range_valid_contig(): the first aligned range from `from` on that lies in the zone and has nothing
// reserved and no huge page in it; kNilFrame if there is none. `looks` grows by the frames that were looked
// at.
FrameIndex ContigRanges::FindCandidate(const Zone& zone, FrameIndex from, int64_t pages, int64_t& looks) {
  const FrameStore& frames = zone.frames();
  const auto size = static_cast<uint64_t>(pages);
  for (Pfn at = frames.PfnOf(from);; at = at + pages) {
    at = Pfn{(at.value + size - 1) / size * size};
    if (at + pages > frames.end()) return kNilFrame;
    const FrameIndex begin = frames.Index(at);
    const auto end = static_cast<FrameIndex>(begin + size);
    FrameIndex next = begin;
    while (next < end) {
      const FrameStore::Head head = next == begin ? frames.Find(next) : frames.HeadAt(next);
      if (head.kind == FrameKind::kUnmanaged || IsHugetlb(frames, head)) break;
      next = EndOf(head);
    }
    looks += std::min(next, end) - begin + 1;
    if (next >= end) return begin;
  }
}

sim::Task<Pfn> ContigRanges::AllocPages(sim::Path& path, CpuId cpu, int64_t pages, GfpFlags gfp, NodeId node,
                                        NodeMask allowed, FrameOwner owner) {
  const sim::LpId home = path.lp();
  Pfn found = kNoPfn;
  for (Zone* const zone : memory_.Zonelist(node, GfpZone(gfp))) {
    const bool wanted = gfp.Has(kGfpThisNode) ? zone->node() == node : allowed.Has(zone->node());
    if (!wanted || found != kNoPfn) continue;
    const sim::LpId there = memory_.node(zone->node()).lp;
    co_await path.GoTo(there, memory_.costs().hop);
    if (zone->present() == 0) continue;
    const FrameIndex step = static_cast<FrameIndex>(pages);
    for (FrameIndex from = 0; found == kNoPfn;) {
      // zone->lock is held for the search, but not for the attempt: what was seen may have changed by then.
      co_await zone->lock().Acquire(path);
      int64_t looks = 0;
      const FrameIndex begin = FindCandidate(*zone, from, pages, looks);
      co_await path.Take(memory_.costs().scan_page * looks);
      zone->lock().Release(path);
      if (begin == kNilFrame) break;
      const Pfn start = zone->frames().PfnOf(begin);
      const ContigResult result = co_await AllocRange(path, cpu, start, pages, Migratetype::kMovable, owner);
      if (result.error == Errno::kOk) found = start;
      from = begin + step;
    }
  }
  co_await path.GoTo(home, memory_.costs().hop);
  co_return found;
}

sim::Task<void> ContigRanges::FreeRange(sim::Path& path, Pfn start, int64_t pages) {
  Zone& zone = *memory_.ZoneOf(start);
  const sim::LpId home = path.lp();
  Node& node = memory_.node(zone.node());
  co_await path.GoTo(node.lp, memory_.costs().hop);
  const FrameIndex begin = zone.frames().Index(start);
  const auto end = static_cast<FrameIndex>(begin + pages);
  for (FrameIndex at = begin; at < end;) {
    const FrameIndex next = std::min(BlockOf(at) + kBlock, end);
    co_await zone.lock().Acquire(path);
    const int64_t blocks = numasim::FreeRange(zone, at, next);
    node.counter(PGFREE) += static_cast<int64_t>(next - at);
    co_await path.Take(memory_.costs().buddy_block * blocks);
    zone.lock().Release(path);
    at = next;
  }
  co_await path.GoTo(home, memory_.costs().hop);
}

}  // namespace numasim
