#include "models/compaction/skip_hints.h"

#include <algorithm>

#include "models/migrate/migration.h"

namespace numasim {
namespace {

// What of a pageblock decides that it is of use again.
struct Wanted {
  bool source = false;  // a page that can move
  bool target = false;  // a free block
};

bool HasWanted(const Zone& zone, ScanPosition begin, ScanPosition end, Wanted wanted, int64_t& looks) {
  const FrameStore& frames = zone.frames();
  for (ScanPosition at = begin; at < end; at += ScanPosition{1} << kCostlyOrder) {  // a sample
    const auto frame = static_cast<FrameIndex>(at);
    const FrameStore::Head head = frames.Find(frame);
    ++looks;
    if (head.frame != frame) continue;
    if (wanted.source && Migrator::IsOnLru(zone, head)) return true;
    if (wanted.target && head.kind == FrameKind::kFree) return true;
  }
  return false;
}

// __reset_isolation_pfn(): whether the pageblock of `at` may be where a scanner begins.
bool ResetBlock(Zone& zone, ScanPosition at, Wanted wanted, int64_t& looks) {
  FrameStore& frames = zone.frames();
  const auto frame = static_cast<FrameIndex>(at);
  const ScanPosition begin = std::max(BlockStart(at), ScanBegin(zone));
  if (IsAbsent(zone, begin)) return false;
  const FrameStore::Head head = frames.Find(frame);
  ++looks;
  if (head.kind == FrameKind::kAllocated && head.order >= kPageblockOrder) return false;
  if (wanted.source && wanted.target && !frames.compact_skip(frame)) return true;
  if (!wanted.source && frames.pageblock_type(frame) != Migratetype::kMovable) return false;
  const ScanPosition end = std::min(BlockEnd(at), ScanEnd(zone));
  if (!HasWanted(zone, begin, end, wanted, looks)) return false;
  frames.set_compact_skip(frame, false);
  return true;
}

}  // namespace

int64_t ResetSkipHints(Zone& zone, ZoneCompaction& state) {
  if (!state.flush_hints) return 0;
  int64_t looks = 0;
  state.flush_hints = false;
  ScanPosition low = ScanBegin(zone);
  ScanPosition high = ScanEnd(zone) - 1;
  ScanPosition first_source = high;
  ScanPosition last_target = low;
  bool has_source = false;
  bool has_target = false;
  // From both ends: what one scanner has found is of use to the other one as well.
  for (; low < high; low += kBlockFrames, high -= kBlockFrames) {
    if (ResetBlock(zone, low, {.source = true, .target = has_source}, looks) && low < first_source) {
      has_source = true;
      first_source = state.init_migrate = low;
      state.cached_migrate.fill(low);
    }
    if (ResetBlock(zone, high, {.source = has_target, .target = true}, looks) && high > last_target) {
      has_target = true;
      last_target = state.init_free = state.cached_free = high;
    }
  }
  if (first_source < last_target) return looks;
  state.cached_migrate.fill(low);
  state.cached_free = high;
  return looks;
}

}  // namespace numasim
