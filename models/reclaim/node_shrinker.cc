#include "models/reclaim/node_shrinker.h"

#include <algorithm>
#include <cmath>

#include "models/compaction/suitability.h"
#include "models/physical/without_cpu.h"
#include "models/reclaim/zone_balance.h"

namespace numasim {
namespace {

using List = Lru::List;

// inactive_is_low(): the larger the node, the smaller the part of it that the inactive list needs.
bool InactiveIsLow(const Lru& lru) {
  constexpr int64_t kGigabyte = (int64_t{1} << 30) >> kPageShift;
  const int64_t inactive = lru.size(List::kInactive);
  const int64_t active = lru.size(List::kActive);
  const int64_t gigabytes = (inactive + active) / kGigabyte;
  const auto ratio =
      gigabytes == 0 ? 1 : static_cast<int64_t>(std::sqrt(10.0 * static_cast<double>(gigabytes)));
  return inactive * ratio < active;
}

}  // namespace

// prepare_scan_count(): the active list may be shortened where pages that went come back to be active, or
// where it is too long.
void NodeShrinker::Prepare(const Node& node, ScanControl& sc) {
  const bool come_back = node.counters[WORKINGSET_ACTIVATE_FILE] != StateOf(node).activations;
  sc.may_deactivate = sc.force_deactivate || come_back || InactiveIsLow(*node.lru);
}

sim::Task<void> NodeShrinker::Shrink(sim::Path& path, Node& node, ScanControl& sc) {
  for (bool again = true; again;) {
    const int64_t before = sc.reclaimed;
    if (node.lru != nullptr) {
      Prepare(node, sc);
      co_await ShrinkLists(path, node, sc);
    }
    const Shrinker::Freed freed = co_await shrinkers_.Shrink(path, node, sc.priority, sc.cpu);
    sc.reclaimed += freed.slab_pages;
    const int64_t reclaimed = sc.reclaimed - before;
    if (reclaimed > 0) FailuresOf(node) = 0;
    again = ShouldGoOn(node, reclaimed, sc);
  }
}

// should_continue_reclaim(): reclaim for a large block goes on until compaction has enough to work with.
bool NodeShrinker::ShouldGoOn(const Node& node, int64_t reclaimed, const ScanControl& sc) const {
  const bool for_compaction =
      sc.order > 0 && (sc.order > kCostlyOrder || sc.priority < ScanControl::kFirstPriority - 2);
  if (!for_compaction || reclaimed == 0 || node.lru == nullptr) return false;
  for (const Zone& zone : ManagedZones(node, sc.highest)) {
    if (HasBlockOrMayCompact(zone, sc.order, sc.highest, node.vm.extfrag_threshold)) return false;
  }
  return node.lru->size(List::kInactive) > CompactionGap(sc.order);
}

// shrink_lruvec(), with the counts of get_scan_count() where nothing can be swapped. The two lists take turns
// until there is enough, or until each was looked at as far as the priority says.
sim::Task<void> NodeShrinker::ShrinkLists(sim::Path& path, Node& node, ScanControl& sc) {
  const Lru& lru = *node.lru;
  int64_t inactive = lru.size(List::kInactive, sc.highest) >> sc.priority;
  int64_t active = lru.size(List::kActive, sc.highest) >> sc.priority;
  const bool in_proportion = !sc.kswapd && sc.priority == ScanControl::kFirstPriority;
  int64_t reclaimed = 0;
  while (inactive > 0 || active > 0) {
    if (inactive > 0) {
      const int64_t part = std::min(inactive, ScanControl::kCluster);
      inactive -= part;
      reclaimed += co_await ShrinkInactive(path, node, part, sc);
    }
    if (active > 0) {
      const int64_t part = std::min(active, ScanControl::kCluster);
      active -= part;
      if (sc.may_deactivate) {
        co_await ShrinkActive(path, node, part, sc);
      } else {
        sc.skipped_deactivate = true;
      }
    }
    co_await CondResched(path);
    if (reclaimed >= sc.to_reclaim && !in_proportion) break;
  }
  sc.reclaimed += reclaimed;
}

// shrink_inactive_list()
sim::Task<int64_t> NodeShrinker::ShrinkInactive(sim::Path& path, Node& node, int64_t pages, ScanControl& sc) {
  const Costs& costs = memory_.costs();
  co_await node.lru_lock->Acquire(path);
  Batch batch = TakeInactive(node, pages, sc);
  co_await node.lru_lock->Release(path, sc.cpu, batch.scanned);
  if (batch.scanned == 0) co_return 0;
  sc.scanned += batch.scanned;
  node.counter(sc.kswapd ? PGSCAN_KSWAPD : PGSCAN_DIRECT) += batch.scanned;
  std::vector<Folio> released;
  if (!batch.elsewhere.empty()) {
    co_await evictor_.Evict(path, node, batch.elsewhere, Evictor::References::kAsk);
    Settle(node, batch, released);
  }
  const auto evicted = static_cast<int64_t>(batch.evicted.size());
  co_await path.Take(costs.reclaim_scan * batch.scanned + costs.reclaim_page * evicted);
  co_await node.lru_lock->Hold(path, sc.cpu, batch.scanned - evicted);  // move_pages_to_lru()
  co_await allocator_.ReleaseHere(path, sc.cpu, batch.evicted);
  if (!released.empty()) co_await allocator_.DropRefsHere(path, sc.cpu, released);
  node.counter(sc.kswapd ? PGSTEAL_KSWAPD : PGSTEAL_DIRECT) += evicted;
  co_return evicted;
}

// isolate_lru_folios(), and shrink_folio_list() of what can be judged here. Pages of zones that would not
// help are passed over, and come to where the most recent are.
NodeShrinker::Batch NodeShrinker::TakeInactive(Node& node, int64_t pages, const ScanControl& sc) {
  Lru& lru = *node.lru;
  Batch batch;
  batch.evicted.reserve(static_cast<size_t>(pages));
  std::vector<Lru::Number> skipped;
  while (batch.scanned < pages) {
    const Lru::Number number = lru.Oldest(List::kInactive);
    if (number == Lru::kNone) break;
    const Lru::Page page = lru.PageOf(number);
    lru.Remove(number);
    if (page.zone->type() > sc.highest) {
      skipped.push_back(number);
      continue;
    }
    ++batch.scanned;
    JudgeHere(node, number, page, batch);
  }
  for (const Lru::Number number : skipped) lru.PutBack(number);
  return batch;
}

// A page that somebody else holds is put back, and one that its file does not have: who allocated it is on
// the way there.
void NodeShrinker::JudgeHere(Node& node, Lru::Number number, const Lru::Page& page, Batch& batch) {
  Lru& lru = *node.lru;
  const FrameOwner owner = page.owner();
  const NodeId home = lru.HomeOf(owner.object);
  Mapping* const mapping =
      home == node.id ? files_.Find({static_cast<int32_t>(owner.object), home}) : nullptr;
  const bool lacks = home == node.id && (mapping == nullptr || mapping->Lookup(owner.index) != page.pfn());
  if (lacks || page.zone->frames().IsHeld(page.frame, 0)) {
    lru.PutBack(number);
    return;
  }
  const bool referenced = lru.IsReferenced(number);
  lru.SetReferenced(number, false);
  const bool in_workingset = lru.InWorkingset(number);
  if (mapping == nullptr || mapping->IsLocked(owner.index) || mapping->MaybeMapped(owner.index)) {
    page.zone->TakeRef(page.frame, 0);
    batch.elsewhere.push_back({page.pfn(), owner.object, owner.index, referenced, in_workingset});
    return;
  }
  mapping->Evict(owner.index, {node.id, lru.nonresident_age(), in_workingset});
  lru.Age();  // workingset_eviction()
  batch.evicted.emplace_back(page.pfn());
}

// Back on the node: what became of the pages that were judged elsewhere. All lose the reference of isolation.
void NodeShrinker::Settle(Node& node, Batch& batch, std::vector<Folio>& released) const {
  using Fate = IsolatedPage::Fate;
  Lru& lru = *node.lru;
  for (const IsolatedPage& page : batch.elsewhere) {
    const Zone& zone = *memory_.ZoneOf(page.pfn);
    const Lru::Number number = lru.NumberOf(zone, zone.frames().Index(page.pfn));
    released.emplace_back(page.pfn);
    if (page.fate == Fate::kEvicted) {
      lru.Age();
      batch.evicted.emplace_back(page.pfn);
      continue;
    }
    if (page.fate == Fate::kReferenced) lru.SetReferenced(number, true);
    if (page.fate == Fate::kActivated) lru.Activate(number);
    lru.PutBack(number);
  }
}

// shrink_active_list(). Whether processes use the pages that they map is not asked: only of programs' text
// would that keep them.
sim::Task<void> NodeShrinker::ShrinkActive(sim::Path& path, Node& node, int64_t pages,
                                           const ScanControl& sc) {
  Lru& lru = *node.lru;
  std::vector<Lru::Number> skipped;
  int64_t taken = 0;
  co_await node.lru_lock->Acquire(path);
  while (taken < pages) {
    const Lru::Number number = lru.Oldest(List::kActive);
    if (number == Lru::kNone) break;
    lru.Remove(number);
    if (lru.PageOf(number).zone->type() > sc.highest) {
      skipped.push_back(number);
      continue;
    }
    lru.Add(number, List::kInactive);
    lru.SetInWorkingset(number, true);
    ++taken;
  }
  for (const Lru::Number number : skipped) lru.PutBack(number);
  node.counter(PGREFILL) += taken;
  node.counter(PGDEACTIVATE) += taken;
  co_await node.lru_lock->Release(path, sc.cpu, taken);
  co_await path.Take(memory_.costs().reclaim_scan * taken);
  co_await node.lru_lock->Hold(path, sc.cpu, taken);
}

}  // namespace numasim
