// CompactControl: one compaction of a zone, what it is for and how far it is (struct compact_control,
// mm/compaction.c, Linux 6.1). Made by who compacts, on the LP of the zone's node; the scanners work on it.
#ifndef NUMASIM_MODELS_COMPACTION_COMPACT_CONTROL_H_
#define NUMASIM_MODELS_COMPACTION_COMPACT_CONTROL_H_

#include <algorithm>
#include <cstdint>
#include <optional>
#include <vector>

#include "models/base/folio.h"
#include "models/base/types.h"
#include "models/compaction/suitability.h"
#include "models/compaction/zone_compaction.h"
#include "models/physical/node.h"
#include "models/physical/zone.h"

namespace numasim {

// enum migrate_mode. MIGRATE_SYNC_LIGHT and MIGRATE_SYNC are one: they differ for pages that are being
// written to a disk.
enum class CompactMode : uint8_t { kAsync, kSync };

// What a compaction is told.
struct CompactOrder {
  static constexpr int kWholeZone = -1;  // as a write to compact_memory: not for the sake of a block

  CompactionGoal goal = {kWholeZone, ZoneType::kMovable, {}};
  Migratetype type = Migratetype::kUnmovable;  // of who wants the block
  CompactMode mode = CompactMode::kSync;
  bool direct = false;     // by who wants the block itself
  bool proactive = false;  // for nobody, until enough of the zone is in large blocks
  bool whole_zone = false;
  bool ignore_skip_hints = false;
  bool ignore_block_type = false;  // pages may move to pageblocks of any type
};

struct CompactControl {
  CompactControl(Node& its_node, Zone& its_zone, ZoneCompaction& its_state, const CompactOrder& told)
      : node(its_node), zone(its_zone), state(its_state), order(told), search_order(told.goal.order) {}

  bool async() const { return order.mode == CompactMode::kAsync; }
  // It only looks whether little work is enough.
  bool optimistic() const { return order.direct && async(); }
  int block_order() const { return order.goal.order; }
  // compact_scanners_met()
  bool Met() const { return free / kBlockFrames <= migrate / kBlockFrames; }
  // isolation_suitable(): whether to look into the pageblock of this frame.
  bool MayScan(ScanPosition at) const {
    return order.ignore_skip_hints || !zone.frames().compact_skip(static_cast<FrameIndex>(at));
  }
  void Skip(ScanPosition at) { zone.frames().set_compact_skip(static_cast<FrameIndex>(at), true); }
  // freelist_scan_limit(): the more often a search of the free lists was in vain, the shorter the next one.
  int SearchLimit() const { return (kCluster >> std::min(fast_search_failed, 31)) + 1; }

  // COMPACT_CLUSTER_MAX
  static constexpr int kCluster = 32;

  Node& node;
  Zone& zone;
  ZoneCompaction& state;
  CompactOrder order;

  ScanPosition migrate = 0;  // migrate_pfn: the migrate scanner goes up from here
  ScanPosition free = 0;     // free_pfn: the free scanner goes down from here
  std::vector<Folio> pages;  // isolated to be moved, from the lowest up
  // Isolated to move to; the last is used first. The kernel's list, the other way round.
  std::vector<Pfn> targets;
  int64_t wanted = 0;   // nr_migratepages: so many are to be moved
  bool rescan = false;  // the pageblock is scanned the second time in turn: all of it at once
  bool contended = false;

  // Searches of the free lists: for pageblocks to empty, and for pages to move to.
  int search_order;            // where the next search for pages begins
  int fast_search_failed = 0;  // fast_search_fail: so often in turn
  // fast_start_pfn: the lowest block that a search found, where the scan goes on when searches find no more.
  std::optional<ScanPosition> fast_start;
  bool fast_start_used = false;

  int64_t migrate_scanned = 0, free_scanned = 0;  // frames looked at
};

}  // namespace numasim

#endif  // NUMASIM_MODELS_COMPACTION_COMPACT_CONTROL_H_
