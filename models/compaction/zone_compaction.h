// ZoneCompaction: what a zone remembers from one compaction to the next (the compact_ fields of struct zone,
// Linux 6.1): where the scanners were, and whether to leave it for a while. Lives on the LP of the zone's
// node.
#ifndef NUMASIM_MODELS_COMPACTION_ZONE_COMPACTION_H_
#define NUMASIM_MODELS_COMPACTION_ZONE_COMPACTION_H_

#include <array>
#include <cstdint>

#include "models/base/types.h"
#include "models/physical/zone.h"

namespace numasim {

// A place in a zone as a scanner counts it: the index of a frame, or one before or behind all of them.
using ScanPosition = int64_t;

inline constexpr ScanPosition kBlockFrames = kPageblockPages;

// pageblock_start_pfn(), pageblock_end_pfn(); the end of a block is the start of the next.
constexpr ScanPosition BlockStart(ScanPosition at) { return at / kBlockFrames * kBlockFrames; }
constexpr ScanPosition BlockEnd(ScanPosition at) { return BlockStart(at) + kBlockFrames; }
// block_start_pfn(), block_end_pfn()
constexpr ScanPosition StartOfOrder(ScanPosition at, int order) { return at >> order << order; }
constexpr ScanPosition EndOfOrder(ScanPosition at, int order) { return ((at >> order) + 1) << order; }

// zone_start_pfn, zone_end_pfn().
inline ScanPosition ScanBegin(const Zone& zone) { return zone.frames().Index(zone.frames().start()); }
inline ScanPosition ScanEnd(const Zone& zone) { return zone.frames().Index(zone.frames().end()); }

// Whether the zone has no memory in the pageblock (pageblock_pfn_to_page has nothing).
inline bool IsAbsent(const Zone& zone, ScanPosition block) {
  const auto frame = static_cast<FrameIndex>(block);
  return !zone.frames().IsSplit(frame) && zone.frames().Find(frame).kind == FrameKind::kUnmanaged;
}

class ZoneCompaction {
 public:
  static constexpr ScanPosition kUnknown = -1;

  // Where the scanners of the next compaction begin; kUnknown: at the zone's ends. The migrate scanner has a
  // place for asynchronous compaction and one for the others.
  std::array<ScanPosition, 2> cached_migrate = {kUnknown, kUnknown};  // by whether it is not asynchronous
  ScanPosition cached_free = kUnknown;
  // Where they began when the skip hints were cleared the last time.
  ScanPosition init_migrate = kUnknown;
  ScanPosition init_free = kUnknown;
  // compact_blockskip_flush: a direct compaction went through the zone, so the hints are to be cleared.
  bool flush_hints = false;

  // reset_cached_positions()
  void Restart(const Zone& zone) {
    cached_migrate.fill(ScanBegin(zone));
    cached_free = BlockStart(ScanEnd(zone) - 1);
  }

  // defer_compaction(): one for a block of this order was in vain, so twice as many as the last time are
  // left out, at most 64.
  void Defer(int order);
  // compaction_deferred(): whether this one is to be left out. It counts.
  bool Deferred(int order);
  // compaction_defer_reset(): there should be a block of this order, or (`served`) it was allocated.
  void Helped(int order, bool served);
  // compaction_restarting(): as many as can be were left out before this one.
  bool Restarting(int order) const;

 private:
  static constexpr int kMostShift = 6;  // COMPACT_MAX_DEFER_SHIFT

  int considered_ = 0;
  int shift_ = 0;
  int failed_order_ = 0;  // from this order on; all at first, though nothing is deferred by that
};

}  // namespace numasim

#endif  // NUMASIM_MODELS_COMPACTION_ZONE_COMPACTION_H_
