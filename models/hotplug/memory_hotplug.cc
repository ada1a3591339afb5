#include "models/hotplug/memory_hotplug.h"

#include <algorithm>
#include <utility>

#include "absl/strings/str_cat.h"
#include "models/physical/drain_pages.h"
#include "models/physical/isolation.h"
#include "models/physical/thp_page.h"
#include "proto/counter_info.h"
#include "sim/check.h"

namespace numasim {
MemoryHotplug::MemoryHotplug(MemorySystem& memory, HugetlbPool& pool, ContigRanges& ranges,
                             Migrator& migrator, sim::Duration patience)
    : memory_(memory),
      pool_(pool),
      ranges_(ranges),
      migrator_(migrator),
      patience_(patience),
      lock_(std::make_unique<sim::Mutex>(memory.engine(), memory.global_lp(), "mem_hotplug_lock")),
      outcomes_(static_cast<size_t>(memory.node_count())) {}

sim::Task<Errno> MemoryHotplug::Offline(sim::Path& path, CpuId cpu, MemoryBlockId id) {
  const sim::LpId home = path.lp();
  co_await path.HopTo(memory_.global_lp(), memory_.costs().hop);
  co_await lock_->Acquire(path);
  // A block that does not exist is no node's, and not counted.
  const MemoryBlock* const block = memory_.blocks().Find(id);
  const NodeId node = block == nullptr ? kNoNode : block->nodes.First();
  const sim::SimTime began = path.now();
  if (node != kNoNode) ++counter(node, OFFLINE_TRIED);
  const ContigResult result = co_await OfflineLocked(path, cpu, id);
  if (node != kNoNode) Count(node, result, path.now() - began);
  lock_->Release(path);
  co_await path.HopTo(home, memory_.costs().hop);
  co_return result.error;
}

void MemoryHotplug::Count(NodeId node, const ContigResult& result, sim::Duration took) {
  counter(node, OFFLINE_NS) += took.ns;
  const bool gone = result.error == Errno::kOk;
  ++counter(node, gone ? BLOCKS_OFFLINED : OFFLINE_FAILED);
  if (!gone) ++outcomes_[static_cast<size_t>(node.value)].stayed[Obstacle::Of(result.user, result.error)];
}

sim::Task<ContigResult> MemoryHotplug::OfflineLocked(sim::Path& path, CpuId cpu, MemoryBlockId id) {
  const Costs& costs = memory_.costs();
  MemoryBlocks& blocks = memory_.blocks();
  ContigResult result;
  if (const char* const stays = blocks.ReasonToStay(id); stays != nullptr) {
    result.error = Errno::kInval;
    result.function = "offline_pages";
    result.reason = stays;
    ranges_.LogFailure(path, LogKind::kOfflineFailed, id.start(), kMemoryBlockPages, result);
    co_return result;
  }
  Zone& zone = *blocks.Find(id)->zone;
  sim::Mutex* const driver = IsOfDriver(zone, id) ? driver_lock_ : nullptr;
  if (driver != nullptr) co_await driver->Acquire(path);
  co_await path.HopTo(memory_.node(zone.node()).lp, costs.hop);
  const FrameIndex begin = zone.frames().Index(id.start());
  const auto end = static_cast<FrameIndex>(begin + kMemoryBlockPages);
  int64_t managed = 0;
  result = co_await OfflinePages(path, cpu, zone, begin, end, managed);
  if (result.error != Errno::kOk) {
    result.user = ranges_.InTheWay(path, result);
    ranges_.LogFailure(path, LogKind::kOfflineFailed, id.start(), kMemoryBlockPages, result);
  }
  co_await path.HopTo(memory_.global_lp(), costs.hop);
  if (result.error == Errno::kOk) {
    blocks.SetOnline(id, false);
    co_await memory_.SizeChanged(path, zone, -managed, -kMemoryBlockPages);
  }
  if (driver != nullptr) driver->Release(path);
  co_return result;
}

// On the LP of the zone's node.
sim::Task<ContigResult> MemoryHotplug::OfflinePages(sim::Path& path, CpuId cpu, Zone& zone, FrameIndex begin,
                                                    FrameIndex end, int64_t& managed) {
  // What is freed in the range meanwhile must not stay on a CPU's list.
  zone.DisablePcp();
  co_await DrainAllPages(path, memory_.costs(), zone);
  co_await path.Take(memory_.costs().lru_drain);
  ContigResult result =
      co_await ranges_.StartIsolate(path, zone, begin, end, Migratetype::kMovable, IsolateFor::kOffline);
  if (result.error == Errno::kOk) {
    result = co_await EmptyRange(path, cpu, zone, begin, end);
    if (result.error == Errno::kOk) {
      co_await zone.lock().Acquire(path);
      // The driver lets go of what the hypervisor has already (MEM_GOING_OFFLINE).
      int64_t with_hypervisor = 0;
      for (FrameIndex at = begin; at < end;) {
        const FrameStore::Head head = zone.frames().Find(at);  // what was freed before it may reach to here
        at = EndOf(head);
        if (head.kind != FrameKind::kAllocated) continue;
        FreeRange(zone, head.frame, EndOf(head));
        with_hypervisor += int64_t{1} << head.order;
      }
      zone.AdjustManaged(with_hypervisor);
      zone.OfflineRange(zone.frames().PfnOf(begin), static_cast<int64_t>(end - begin));
      managed = static_cast<int64_t>(end - begin) - with_hypervisor;
      co_await path.Take(memory_.costs().isolate_block * ((end - begin) >> kPageblockOrder));
      zone.lock().Release(path);
    } else {
      co_await ranges_.UndoIsolate(path, zone, begin, end, Migratetype::kMovable);
    }
  }
  zone.EnablePcp();
  co_return result;
}

// Until nothing in the isolated range is in use: moves what can move, again and again, then dissolves free
// huge pages. Only a signal ends it where a page never moves.
sim::Task<ContigResult> MemoryHotplug::EmptyRange(sim::Path& path, CpuId cpu, Zone& zone, FrameIndex begin,
                                                  FrameIndex end) {
  constexpr sim::Duration kLongestWait = sim::Milliseconds(10);
  const sim::SimTime began = path.now();
  // The kernel tries again at once. What changes between two attempts is seen a little later here, so that a
  // page that stays pinned does not cost a million of them.
  sim::Duration wait = memory_.costs().hop;
  Held held;
  for (bool first = true;; first = false) {
    while (co_await MigrateRange(path, cpu, zone, begin, end, first, held)) {
      first = false;
      co_await memory_.CondResched(path);
      co_await path.Take(wait);
      wait = std::min(wait * 2, kLongestWait);
      if (path.now() - began < patience_) continue;
      const FrameIndex busy = FirstNotIsolated(zone, begin, end, IsolateFor::kOffline);
      co_return ContigResult{Errno::kIntr, busy == end ? kNoPfn : zone.frames().PfnOf(busy), "offline_pages"};
    }
    ContigResult result = co_await DissolveRange(path, cpu, zone, begin, end);
    if (result.error != Errno::kOk) co_return result;
    const FrameIndex busy = FirstNotIsolated(zone, begin, end, IsolateFor::kOffline);
    if (busy == end) co_return ContigResult{};
    co_await memory_.CondResched(path);
    co_await path.Take(wait);
    wait = std::min(wait * 2, kLongestWait);
    if (path.now() - began < patience_) continue;
    co_return ContigResult{Errno::kIntr, zone.frames().PfnOf(busy), "offline_pages"};
  }
}

// scan_movable_pages(): what of the range can move, with base pages isolated.
MemoryHotplug::Movable MemoryHotplug::ScanMovable(Zone& zone, FrameIndex begin, FrameIndex end, Held& held) {
  const FrameStore& frames = zone.frames();
  Movable found;
  held = {true, zone.refs_dropped()};
  ForEachBlock(frames, begin, end, [&](const FrameStore::Head& head) {
    if (head.kind != FrameKind::kAllocated) return;
    const auto kind = static_cast<FrameOwner::Kind>(frames.owner(head.frame, head.order).kind);
    if (kind == FrameOwner::kHugetlb) found.maybe_huge.push_back(frames.PfnOf(head.frame));
    if (!FrameOwner::OfUser(kind)) return;
    const bool referred = frames.IsHeld(head.frame, head.order);
    // On its way to the buddy allocator.
    if (!ThpPage::Mapped(frames, head.frame, head.order) && !referred) return;
    found.any = true;
    if (Migrator::Isolate(zone, head)) {
      found.base.emplace_back(frames.PfnOf(head.frame), head.order);
    } else {
      held.all = held.all && referred;
    }
  });
  held.all = held.all && found.any && found.base.empty() && found.maybe_huge.empty();
  return found;
}

// isolate_hugetlb() of those that are in use.
sim::Task<void> MemoryHotplug::IsolateHuge(sim::Path& path, Movable& found) {
  if (found.maybe_huge.empty()) co_return;
  const sim::LpId home = path.lp();
  co_await path.HopTo(memory_.global_lp(), memory_.costs().hop);
  for (const Pfn pfn : found.maybe_huge) {
    const HugePage* const page = pool_.pages().Find(pfn);
    const bool in_use = page != nullptr && page->state == HugePageState::kUsed && page->Migratable();
    if (!in_use) continue;
    found.any = true;
    const int order = OrderOf(page->size);
    if (co_await pool_.Isolate(path, pfn)) found.huge.emplace_back(pfn, order);
  }
  co_await path.HopTo(home, memory_.costs().hop);
}

// do_migrate_range(): false where the range has nothing in use that could move. Pages go to other nodes where
// there are any.
sim::Task<bool> MemoryHotplug::MigrateRange(sim::Path& path, CpuId cpu, Zone& zone, FrameIndex begin,
                                            FrameIndex end, bool log, Held& held) {
  const sim::Duration scan = memory_.costs().scan_page * static_cast<int64_t>(end - begin);
  if (held.all && held.refs_dropped == zone.refs_dropped()) {
    co_await path.Take(scan);
    co_return true;
  }
  Movable found = ScanMovable(zone, begin, end, held);
  co_await path.Take(scan);
  NodeMask others = memory_.nodes_with_memory();
  others.Clear(zone.node());
  if (others.empty()) others.Set(zone.node());
  co_await IsolateHuge(path, found);
  const MigrationTarget target{zone.node(), others};
  ContigResult result = co_await ranges_.MigratePages(path, cpu, found.huge, target, 1);
  for (const Folio page : found.huge) {
    result.blocker = page.head();
    if (log) ranges_.LogFailure(path, LogKind::kMigrationFailed, page.head(), page.pages(), result);
  }
  co_await migrator_.PutBack(path, cpu, found.huge);
  result = co_await ranges_.MigratePages(path, cpu, found.base, target, 1);
  if (log && result.error != Errno::kOk) {
    ranges_.LogFailure(path, LogKind::kMigrationFailed, zone.frames().PfnOf(begin),
                       static_cast<int64_t>(end - begin), result);
  }
  co_await migrator_.PutBack(path, cpu, found.base);
  co_return found.any;
}

// dissolve_free_huge_pages(): what was dissolved before an error is lost to the pool.
sim::Task<ContigResult> MemoryHotplug::DissolveRange(sim::Path& path, CpuId cpu, Zone& zone, FrameIndex begin,
                                                     FrameIndex end) {
  std::vector<Pfn> heads;
  ForEachBlock(zone.frames(), begin, end, [&](const FrameStore::Head& head) {
    if (OwnedBy(zone.frames(), head, FrameOwner::kHugetlb)) heads.push_back(zone.frames().PfnOf(head.frame));
  });
  ContigResult result;
  if (heads.empty()) co_return result;
  const sim::LpId home = path.lp();
  co_await path.HopTo(memory_.global_lp(), memory_.costs().hop);
  for (const Pfn head : heads) {
    const Errno error = co_await pool_.DissolveFree(path, head, cpu);
    if (error == Errno::kOk) continue;
    result = ContigResult{error, head, "dissolve_free_huge_page"};
    break;
  }
  co_await path.HopTo(home, memory_.costs().hop);
  if (result.error != Errno::kOk) {
    ranges_.LogFailure(path, LogKind::kDissolveFailed, result.blocker, kPageblockPages, result);
  }
  co_return result;
}

std::vector<MemorySystem::CounterColumn> MemoryHotplug::Columns() const {
  std::vector<MemorySystem::CounterColumn> columns;
  for (size_t n = 0; n < outcomes_.size(); ++n) {
    for (int c = 0; c < HotplugCounter_ARRAYSIZE; ++c) {
      const CounterName info = NameOf(static_cast<HotplugCounter>(c));
      columns.push_back({{absl::StrCat("node", n, ".", info.name), info.unit, &outcomes_[n].counters[c],
                          memory_.global_lp()},
                         info.gauge,
                         info.more_is_worse});
    }
  }
  return columns;
}

}  // namespace numasim
