#include "models/compaction/migrate_scanner.h"

#include <algorithm>
#include <iterator>

#include "models/migrate/migration.h"
#include "models/physical/isolation.h"
#include "sim/check.h"

namespace numasim {
namespace {

FrameIndex Frame(ScanPosition at) { return static_cast<FrameIndex>(at); }

// update_cached_migrate(): the next compaction begins behind the pageblock that `at` is in. For the end of
// the pageblock that was scanned that is one pageblock more.
void AdvanceCached(CompactControl& control, ScanPosition at) {
  auto& cached = control.state.cached_migrate;
  const ScanPosition next = BlockEnd(at);
  cached[0] = std::max(cached[0], next);
  if (!control.async()) cached[1] = std::max(cached[1], next);
}

// pageblock_skip_persistent(): a huge page has the pageblock, which cannot have anything free.
bool IsHugePage(const FrameStore::Head& head) {
  return head.kind == FrameKind::kAllocated && head.order >= kPageblockOrder;
}

// suitable_migration_source(): one that only looks whether little work is enough empties pageblocks of its
// own type alone.
bool SuitableSource(const CompactControl& control, ScanPosition block) {
  const FrameStore& frames = control.zone.frames();
  if (IsHugePage(frames.Find(Frame(block)))) return false;
  if (!control.optimistic()) return true;
  const Migratetype type = frames.pageblock_type(Frame(block));
  const bool cma = control.order.type == Migratetype::kMovable && type == Migratetype::kCma;
  return type == control.order.type || cma;
}

// ---- one pageblock ----

// The scan of a part of a pageblock (isolate_migratepages_block).
class BlockScan {
 public:
  BlockScan(CompactControl& control, ScanPosition begin, ScanPosition end)
      : control_(control), frames_(control.zone.frames()), begin_(begin), at_(begin), end_(end) {}

  void Run();

 private:
  bool Enter();
  bool Look();
  void Fail();
  bool TakeHead(const FrameStore::Head& head);
  void Finish();

  // An optimistic compaction wants an aligned block of its order as a whole, or leaves it.
  bool all_or_nothing() const { return control_.optimistic(); }

  CompactControl& control_;
  const FrameStore& frames_;
  const ScanPosition begin_;
  ScanPosition at_;
  const ScanPosition end_;
  ScanPosition next_whole_ = 0;  // next_skip_pfn: where the aligned block that is scanned ends
  bool begins_ = false;          // a block is known to begin at `at_`
  bool locked_once_ = false;     // skip_updated: lru_lock was taken, and the skip hint set or seen
};

// The skip hint is looked at only where the scan begins with the pageblock: later parts of it come here as
// well.
bool BlockScan::Enter() {
  if (begin_ % kBlockFrames != 0 || control_.MayScan(begin_)) return true;
  ++control_.migrate_scanned;
  at_ = end_;
  return false;
}

void BlockScan::Run() {
  if (all_or_nothing()) next_whole_ = EndOfOrder(at_, control_.block_order());
  if (Enter()) {
    while (at_ < end_ && Look()) {
    }
  }
  at_ = std::min(at_, end_);
  Finish();
}

// Looks at what begins at `at_` and goes behind it. False: the scan ends there.
bool BlockScan::Look() {
  if (all_or_nothing() && at_ >= next_whole_) {
    if (!control_.pages.empty()) return false;
    next_whole_ = EndOfOrder(at_, control_.block_order());
  }
  const FrameStore::Head head = begins_ ? frames_.HeadAt(Frame(at_)) : frames_.Find(Frame(at_));
  ++control_.migrate_scanned;
  // Inside of a block every frame is looked at by itself, and none tells what it is.
  const bool inside = head.frame < Frame(at_) || (head.kind == FrameKind::kPcp && head.order > 0);
  begins_ = true;
  if (inside && !all_or_nothing()) {
    const ScanPosition stop = std::min<ScanPosition>(EndOf(head), end_);
    control_.migrate_scanned += stop - at_ - 1;
    at_ = stop;
    return true;
  }
  if (!inside && head.kind == FrameKind::kFree) {
    at_ = EndOf(head);
    return true;
  }
  if (!inside && head.kind == FrameKind::kAllocated && head.order == 0 &&
      Migrator::CanIsolate(control_.zone, head))
    return TakeHead(head);
  at_ = inside ? at_ + 1 : EndOf(head);
  Fail();
  return true;
}

// The hint is set by the first page of the pageblock alone, and only if that is movable.
bool BlockScan::TakeHead(const FrameStore::Head& head) {
  if (!locked_once_) {
    locked_once_ = true;
    if (!control_.order.ignore_skip_hints && at_ % kBlockFrames == 0) {
      const bool was_set = frames_.compact_skip(head.frame);
      control_.Skip(at_);
      if (was_set) return false;
    }
  }
  NUMASIM_CHECK(Migrator::Isolate(control_.zone, head));
  control_.pages.emplace_back(frames_.PfnOf(head.frame), 0);
  ++at_;
  const bool enough = std::ssize(control_.pages) >= CompactControl::kCluster;
  return !enough || control_.rescan || control_.contended;
}

// Something stays where it is: the aligned block will not come free.
void BlockScan::Fail() {
  if (!all_or_nothing()) return;
  for (const Folio page : control_.pages) Migrator::Unisolate(control_.zone, frames_.Index(page.head()));
  control_.pages.clear();
  if (at_ > next_whole_) return;
  at_ = next_whole_;
  next_whole_ += ScanPosition{1} << control_.block_order();
  begins_ = false;
}

void BlockScan::Finish() {
  const bool in_vain = control_.pages.empty() || control_.rescan;
  if (at_ == end_ && in_vain) {
    const bool entered = begin_ % kBlockFrames == 0 && control_.MayScan(begin_);
    if (entered && !locked_once_) control_.Skip(begin_);
    AdvanceCached(control_, at_);
  }
  control_.node.counter(COMPACT_ISOLATED) += std::ssize(control_.pages);
  control_.migrate = at_;
}

// ---- the search for a pageblock that has free memory already ----

// What a search of one free list found.
struct Found {
  FrameIndex frame = kNilFrame;  // a block in a pageblock to be emptied
  FrameIndex last = kNilFrame;   // where the search ended for its length
};

Found SearchList(const CompactControl& control, int order, ScanPosition below, int limit, int& scanned) {
  Found found;
  control.zone.buddy().Search(order, Migratetype::kMovable, /*from_back=*/false, [&](FrameIndex frame) {
    if (scanned++ >= limit) {
      found.last = frame;
      return true;
    }
    if (frame >= below || control.zone.frames().compact_skip(frame)) return false;
    found.frame = frame;
    return true;
  });
  return found;
}

// reinit_migrate_pfn(): searches find no more, so the scan goes on from the lowest block that they found.
ScanPosition GoOnLinearly(CompactControl& control) {
  if (control.fast_start.has_value() && !control.fast_start_used) {
    control.migrate = *control.fast_start;
    control.fast_start_used = true;
  }
  return control.migrate;
}

void NoteFastStart(CompactControl& control, ScanPosition at) {
  if (control.fast_start_used) return;
  control.fast_start = std::min(control.fast_start.value_or(at), at);
}

bool MaySearch(const CompactControl& control) {
  if (control.order.ignore_skip_hints) return false;  // they keep it from finding the same again and again
  const bool inside = control.migrate != ScanBegin(control.zone) && control.migrate % kBlockFrames != 0;
  if (inside || control.block_order() <= kCostlyOrder) return false;
  return !control.order.direct || control.order.type == Migratetype::kMovable;
}

// fast_find_migrateblock(): where to scan next. It marks the pageblock that it found to be skipped, and the
// scan of the pageblock looks at that: so in Linux 6.1 what it finds is passed over.
ScanPosition FindBlock(CompactControl& control) {
  if (!MaySearch(control)) return control.migrate;
  ScanPosition distance = (control.free - control.migrate) / 2;
  if (control.migrate != ScanBegin(control.zone)) distance /= 4;
  const ScanPosition below = BlockStart(control.migrate + distance);
  const int limit = control.SearchLimit();
  int scanned = 0;
  ScanPosition found_at = ZoneCompaction::kUnknown;
  Buddy& buddy = control.zone.buddy();
  for (int order = control.block_order() - 1; order >= kCostlyOrder && scanned < limit; --order) {
    const Found found = SearchList(control, order, below, limit, scanned);
    // The next search sees others first.
    if (found.last != kNilFrame) buddy.RotateToBack(found.last, order);
    if (found.frame == kNilFrame) continue;
    buddy.RotateToBack(found.frame, order);
    NoteFastStart(control, found.frame);
    found_at = std::max(BlockStart(found.frame), ScanBegin(control.zone));
    control.fast_search_failed = 0;
    control.Skip(found.frame);
    break;
  }
  control.migrate_scanned += scanned;
  if (found_at != ZoneCompaction::kUnknown) return found_at;
  ++control.fast_search_failed;
  return GoOnLinearly(control);
}

}  // namespace

bool IsolateForMigration(CompactControl& control) {
  ScanPosition at = FindBlock(control);
  bool found = at != control.migrate && control.fast_search_failed == 0;
  ScanPosition begin = std::max(BlockStart(at), ScanBegin(control.zone));
  // Not across the free scanner.
  for (ScanPosition end = BlockEnd(at); end <= control.free; end += kBlockFrames) {
    const bool looked_at_before = at % kBlockFrames != 0 || found;
    if (!IsAbsent(control.zone, begin) && (looked_at_before || control.MayScan(begin))) {
      if (SuitableSource(control, begin)) {
        BlockScan(control, at, end).Run();
        break;
      }
      AdvanceCached(control, end);
    }
    found = false;
    control.migrate = at = begin = end;
  }
  return !control.pages.empty();
}

}  // namespace numasim
