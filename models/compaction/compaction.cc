#include "models/compaction/compaction.h"

#include <algorithm>
#include <iterator>

#include "models/compaction/free_scanner.h"
#include "models/compaction/migrate_scanner.h"
#include "models/compaction/proactive.h"
#include "models/compaction/skip_hints.h"
#include "models/physical/drain_pages.h"
#include "models/physical/node_zones.h"
#include "models/physical/without_cpu.h"
#include "sim/check.h"

namespace numasim {
namespace {

CompactOrder OrderFor(const AllocRequest& request, CompactPriority priority) {
  const bool hardest = priority == CompactPriority::kSyncFull;
  CompactOrder order;
  order.goal = {request.order, GfpZone(request.gfp), SlowPathFlags(request.gfp)};
  order.type = GfpMigratetype(request.gfp);
  order.mode = priority == CompactPriority::kAsync ? CompactMode::kAsync : CompactMode::kSync;
  order.direct = true;
  order.whole_zone = order.ignore_skip_hints = order.ignore_block_type = hardest;
  return order;
}

// From one end to the other, whatever was found before.
constexpr CompactOrder kWholeZones{.whole_zone = true, .ignore_skip_hints = true};

// What compaction_capture() takes where it comes free: the aligned block that pages were moved out of. It may
// not be a small one of a movable pageblock, nor one that is for others.
bool MadeBlock(const CompactControl& control, ScanPosition emptied) {
  const int order = control.block_order();
  const FrameStore& frames = control.zone.frames();
  const auto frame = static_cast<FrameIndex>(StartOfOrder(emptied, order));
  const Migratetype type = frames.pageblock_type(frame);
  if (type == Migratetype::kCma || type == Migratetype::kIsolate) return false;
  if (order < kPageblockOrder && type == Migratetype::kMovable) return false;
  const FrameStore::Head head = frames.Find(frame);
  return head.kind == FrameKind::kFree && head.order >= order;
}

}  // namespace

Compactor::Compactor(MemorySystem& memory, PageAllocator& allocator, Migrator& migrator)
    : memory_(memory), allocator_(allocator), migrator_(migrator), states_(memory.zones().size()) {}

ZoneCompaction& Compactor::StateOf(const Zone& zone) {
  const auto found = std::ranges::find(memory_.zones(), &zone);
  return states_[static_cast<size_t>(found - memory_.zones().begin())];
}

// ---- one zone ----

// The start of compact_zone(): where the scanners begin.
void Compactor::Begin(CompactControl& control) {
  ZoneCompaction& state = control.state;
  const ScanPosition first = ScanBegin(control.zone);
  const ScanPosition end = ScanEnd(control.zone);
  if (control.order.whole_zone) {
    control.migrate = first;
    control.free = BlockStart(end - 1);
    return;
  }
  control.migrate = state.cached_migrate[control.async() ? 0 : 1];
  control.free = state.cached_free;
  if (control.free < first || control.free >= end) {
    control.free = state.cached_free = BlockStart(end - 1);
  }
  if (control.migrate < first || control.migrate >= end) {
    control.migrate = first;
    state.cached_migrate.fill(first);
  }
  if (control.migrate <= state.init_migrate) control.order.whole_zone = true;
}

// compact_finished(). The end is looked for where a pageblock was scanned as a whole, so that what is left of
// it for others is as free as can be.
Compactor::Outcome Compactor::Finished(CompactControl& control) {
  if (control.Met()) {
    control.state.Restart(control.zone);
    if (control.order.direct) control.state.flush_hints = true;
    return control.order.whole_zone ? Outcome::kComplete : Outcome::kPartialSkipped;
  }
  if (control.order.proactive) {
    if (control.node.kswapd_runs) return Outcome::kPartialSkipped;
    return CompactedEnough(control.node, control.zone) ? Outcome::kSuccess : Outcome::kContinue;
  }
  if (control.block_order() == CompactOrder::kWholeZone) return Outcome::kContinue;
  if (control.migrate % kBlockFrames != 0) return Outcome::kContinue;
  for (int order = control.block_order(); order <= kMaxOrder; ++order) {
    if (control.zone.buddy().MayServe(order, control.order.type)) return Outcome::kSuccess;
  }
  return control.contended ? Outcome::kContended : Outcome::kContinue;
}

sim::Task<Errno> Compactor::MoveIsolated(sim::Path& path, CpuId cpu, CompactControl& control,
                                         TargetSource& targets) {
  std::vector<Folio> pages(control.pages.rbegin(), control.pages.rend());  // the last isolated moves first
  control.pages.clear();
  control.wanted = std::ssize(pages);
  const MigrationTarget target{.preferred = control.node.id, .source = &targets};
  const Errno error = co_await migrator_.Migrate(path, cpu, pages, target);
  co_await migrator_.PutBack(path, cpu, pages);
  co_return error;
}

// release_freepages()
sim::Task<void> Compactor::ReleaseTargets(sim::Path& path, CpuId cpu, CompactControl& control) {
  if (control.targets.empty()) co_return;
  const Pfn highest = *std::ranges::max_element(control.targets);
  std::vector<Folio> pages;
  for (auto pfn = control.targets.rbegin(); pfn != control.targets.rend(); ++pfn) pages.emplace_back(*pfn);
  control.targets.clear();
  co_await allocator_.Release(path, cpu, pages);
  const ScanPosition block = BlockStart(control.zone.frames().Index(highest));
  control.state.cached_free = std::max(control.state.cached_free, block);
}

// Why not to begin; kContinue: it is to be tried.
Compactor::Outcome Compactor::Judge(const CompactControl& control) {
  const int order = control.block_order();
  if (order == CompactOrder::kWholeZone) return Outcome::kContinue;
  switch (SuitableForCompaction(control.zone, control.order.goal, control.node.vm.extfrag_threshold)) {
    case Suitability::kUnneeded:
      return Outcome::kSuccess;
    case Suitability::kSkipped:
      return Outcome::kSkipped;
    case Suitability::kContinue:
      break;
  }
  return Outcome::kContinue;
}

// A round: isolates pages and moves them.
sim::Task<Compactor::Outcome> Compactor::Step(sim::Path& path, CpuId cpu, CompactControl& control,
                                              TargetSource& targets, Progress& progress) {
  const ScanPosition began = control.migrate;
  // A pageblock that was not emptied in one go gets a second one, of all of it.
  control.rescan = progress.emptied.has_value() && BlockStart(*progress.emptied) == BlockStart(began);
  const int64_t before = control.migrate_scanned;
  const bool isolated = IsolateForMigration(control);
  co_await path.Take(memory_.costs().scan_page * (control.migrate_scanned - before));
  auto& cached = control.state.cached_migrate;
  if (!isolated && progress.nothing_yet) cached[1] = cached[0];
  if (isolated) {
    progress.nothing_yet = false;
    progress.emptied = began;
    const Errno error = co_await MoveIsolated(path, cpu, control, targets);
    if (error == Errno::kNoMem && !control.Met()) co_return Outcome::kContended;
    if (error != Errno::kOk && control.optimistic()) {
      control.migrate = EndOfOrder(control.migrate - 1, control.block_order());
      progress.emptied.reset();
    }
  }
  co_return co_await DrainBehind(path, cpu, control, progress);
}

// Where the scanner has left the aligned block that pages were moved out of, these go to the free lists, so
// that they merge.
sim::Task<Compactor::Outcome> Compactor::DrainBehind(sim::Path& path, CpuId cpu, CompactControl& control,
                                                     Progress& progress) {
  if (control.block_order() <= 0 || !progress.emptied.has_value()) co_return Outcome::kContinue;
  const ScanPosition emptied = *progress.emptied;
  if (emptied >= StartOfOrder(control.migrate, control.block_order())) co_return Outcome::kContinue;
  co_await DrainPages(path, memory_.costs(), control.zone, cpu);
  progress.emptied.reset();
  co_return control.order.direct&& MadeBlock(control, emptied) ? Outcome::kSuccess : Outcome::kContinue;
}

// compact_zone()
sim::Task<Compactor::Outcome> Compactor::CompactZone(sim::Path& path, CpuId cpu, CompactControl& control) {
  Outcome outcome = Judge(control);
  if (outcome != Outcome::kContinue) co_return outcome;
  if (control.block_order() > 0 && control.state.Restarting(control.block_order())) {
    co_await path.Take(memory_.costs().scan_page * ResetSkipHints(control.zone, control.state));
  }
  Begin(control);
  FreeScanner targets(control, memory_.costs());
  const auto& cached = control.state.cached_migrate;
  Progress progress{.emptied = {}, .nothing_yet = control.async() && cached[0] == cached[1]};
  for (;;) {
    outcome = Finished(control);
    if (outcome != Outcome::kContinue) break;
    outcome = co_await Step(path, cpu, control, targets, progress);
    if (outcome != Outcome::kContinue) break;
    if (control.order.proactive) co_await CondResched(path);
  }
  co_await ReleaseTargets(path, cpu, control);
  control.node.counter(COMPACT_MIGRATE_SCANNED) += control.migrate_scanned;
  control.node.counter(COMPACT_FREE_SCANNED) += control.free_scanned;
  co_return outcome;
}

// ---- who compacts ----

CompactResult Compactor::ResultOf(Outcome outcome) {
  switch (outcome) {
    case Outcome::kSkipped:
      return CompactResult::kSkipped;
    case Outcome::kDeferred:
      return CompactResult::kDeferred;
    case Outcome::kContinue:
    case Outcome::kPartialSkipped:
    case Outcome::kContended:
      return CompactResult::kWithdrawn;
    case Outcome::kComplete:
      return CompactResult::kComplete;
    case Outcome::kSuccess:
      return CompactResult::kSuccess;
  }
  return CompactResult::kSkipped;
}

sim::Task<Compactor::Outcome> Compactor::TryZone(sim::Path& path, const AllocRequest& request,
                                                 CompactPriority priority, Zone& zone) {
  ZoneCompaction& state = StateOf(zone);
  if (priority != CompactPriority::kSyncFull && state.Deferred(request.order)) co_return Outcome::kDeferred;
  CompactControl control(memory_.node(zone.node()), zone, state, OrderFor(request, priority));
  const Outcome outcome = co_await CompactZone(path, request.cpu, control);
  if (outcome == Outcome::kSuccess) {
    state.Helped(request.order, /*served=*/false);
  } else if (InVain(outcome) && priority != CompactPriority::kAsync) {
    state.Defer(request.order);
  }
  co_return outcome;
}

sim::Task<CompactResult> Compactor::CompactFor(sim::Path& path, const AllocRequest& request,
                                               CompactPriority priority) {
  Outcome best = Outcome::kSkipped;
  for (Zone* const zone : memory_.Zonelist(request.preferred, GfpZone(request.gfp))) {
    if (!request.Allows(zone->node())) continue;
    co_await path.GoTo(memory_.node(zone->node()).lp, memory_.costs().hop);
    if (zone->present() == 0) continue;
    best = std::max(best, co_await TryZone(path, request, priority, *zone));
    if (best == Outcome::kSuccess) break;
  }
  co_return ResultOf(best);
}

void Compactor::Helped(const Zone& zone, int order) {
  ZoneCompaction& state = StateOf(zone);
  state.flush_hints = false;
  state.Helped(order, /*served=*/true);
}

sim::Task<bool> Compactor::EnoughIfReclaimed(sim::Path& path, const AllocRequest& request,
                                             absl::FunctionRef<int64_t(const Zone&)> reclaimable) {
  const CompactionGoal goal{request.order, GfpZone(request.gfp), SlowPathFlags(request.gfp)};
  for (Zone* const zone : memory_.Zonelist(request.preferred, goal.highest)) {
    if (!request.Allows(zone->node())) continue;
    co_await path.GoTo(memory_.node(zone->node()).lp, memory_.costs().hop);
    if (zone->present() == 0) continue;
    // Not all of it: one block is not worth it.
    const int64_t available = reclaimable(*zone) / request.order + zone->buddy().free_pages();
    if (EnoughForCompaction(*zone, goal, available) == Suitability::kContinue) co_return true;
  }
  co_return false;
}

sim::Task<void> Compactor::ResetHints(sim::Path& path, const Node& node) {
  for (Zone& zone : PopulatedZones(node, ZoneType::kMovable)) {
    co_await path.Take(memory_.costs().scan_page * ResetSkipHints(zone, StateOf(zone)));
  }
}

// It asks for pages of the kernel's own, and looks at zones as nobody in need does.
sim::Task<void> Compactor::CompactInBackground(sim::Path& path, CpuId cpu, Node& node, int order,
                                               ZoneType highest) {
  for (Zone& zone : PopulatedZones(node, highest)) {
    ZoneCompaction& state = StateOf(zone);
    CompactOrder told;
    told.goal = {order, zone.type(), {}};
    if (state.Deferred(order) ||
        SuitableForCompaction(zone, told.goal, node.vm.extfrag_threshold) != Suitability::kContinue)
      continue;
    told.goal.highest = highest;
    CompactControl control(node, zone, state, told);
    const Outcome outcome = co_await CompactZone(path, cpu, control);
    if (outcome == Outcome::kSuccess) state.Helped(order, /*served=*/false);
    if (InVain(outcome)) {
      // Free pages may be stranded on the CPUs' lists, which would merge to such a block.
      co_await DrainAllPages(path, memory_.costs(), zone);
      state.Defer(order);
    }
    node.counter(COMPACT_DAEMON_MIGRATE_SCANNED) += control.migrate_scanned;
    node.counter(COMPACT_DAEMON_FREE_SCANNED) += control.free_scanned;
  }
}

sim::Task<void> Compactor::CompactProactively(sim::Path& path, CpuId cpu, Node& node) {
  CompactOrder order = kWholeZones;
  order.proactive = true;
  for (Zone& zone : PopulatedZones(node, ZoneType::kMovable)) {
    CompactControl control(node, zone, StateOf(zone), order);
    co_await CompactZone(path, cpu, control);
  }
}

sim::Task<void> Compactor::CompactAll(sim::Path& path, CpuId cpu) {
  const sim::LpId home = path.lp();
  co_await path.Take(memory_.costs().lru_drain);
  for (Zone* const zone : memory_.zones()) {
    Node& node = memory_.node(zone->node());
    co_await path.GoTo(node.lp, memory_.costs().hop);
    if (zone->present() == 0) continue;
    CompactControl control(node, *zone, StateOf(*zone), kWholeZones);
    co_await CompactZone(path, cpu, control);
  }
  co_await path.GoTo(home, memory_.costs().hop);
}

}  // namespace numasim
