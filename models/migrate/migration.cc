#include "models/migrate/migration.h"

#include <algorithm>
#include <numeric>
#include <span>
#include <utility>

#include "models/physical/thp_page.h"
#include "sim/check.h"

namespace numasim {
namespace {

bool OnLru(const Zone& zone, FrameIndex frame, int order) {
  const FrameOwner& owner = zone.frames().owner(frame, order);
  if (!FrameOwner::OfUser(owner.kind) || !ThpPage::Mapped(zone.frames(), frame, order) ||
      zone.IsMigrating(frame, order))
    return false;
  // What reclaim has is on no list.
  return owner.kind != FrameOwner::kFile || zone.lru()->IsOn(zone.lru()->NumberOf(zone, frame));
}

// Its processes are not simulated: there are no entries that would have to be changed.
bool OfBootUser(const FrameOwner& owner) {
  return owner.kind == FrameOwner::kAnon && owner.object == kBootUser;
}

int64_t ThpsOf(std::span<const Folio> folios) {
  return std::count_if(folios.begin(), folios.end(), [](Folio folio) { return folio.order() > 0; });
}

// a - b, of counts of parts that may be empty.
std::vector<int32_t> Less(std::span<const int32_t> a, std::span<const int32_t> b) {
  std::vector<int32_t> difference(std::max(a.size(), b.size()));
  for (size_t i = 0; i < a.size(); ++i) difference[i] += a[i];
  for (size_t i = 0; i < b.size(); ++i) difference[i] -= b[i];
  return difference;
}

void AddMappers(const Mapping& mapping, Rmap::Group& group) {
  mapping.ForEachMapper([&](uint16_t process) { group.processes.push_back(process); });
}

}  // namespace

bool Migrator::IsOnLru(const Zone& zone, const FrameStore::Head& head) {
  const bool thp = head.order == ThpPage::kOrder;
  if (head.kind != FrameKind::kAllocated || (head.order != 0 && !thp)) return false;
  return OnLru(zone, head.frame, head.order);
}

bool Migrator::CanIsolate(const Zone& zone, const FrameStore::Head& head) {
  return IsOnLru(zone, head) && !zone.frames().IsHeld(head.frame, head.order);
}

bool Migrator::Isolate(Zone& zone, const FrameStore::Head& head) {
  return CanIsolate(zone, head) && IsolateFromLru(zone, head.frame, head.order);
}

void Migrator::Unisolate(Zone& zone, FrameIndex frame) {
  if (zone.frames().owner(frame, 0).kind == FrameOwner::kFile)
    zone.lru()->PutBack(zone.lru()->NumberOf(zone, frame));
  zone.MarkMigrating(frame, 0, false);
  NUMASIM_CHECK(!zone.DropRef(frame, 0));
}

bool Migrator::IsolateFromLru(Zone& zone, FrameIndex frame, int order) {
  NUMASIM_CHECK(order != 0 || !ThpPage::Holds(zone.frames(), frame));
  if (!OnLru(zone, frame, order)) return false;
  if (zone.frames().owner(frame, order).kind == FrameOwner::kFile)
    zone.lru()->Remove(zone.lru()->NumberOf(zone, frame));
  zone.TakeRef(frame, order);
  zone.MarkMigrating(frame, order, true);
  return true;
}

sim::Task<void> Migrator::PutBack(sim::Path& path, CpuId cpu, const std::vector<Folio>& pages) {
  if (pages.empty()) co_return;
  if (!OfHugetlb(pages.front())) {
    for (const Folio page : pages) co_await LetGo(path, cpu, page);
    co_return;
  }
  const sim::LpId home = path.lp();
  co_await path.GoTo(memory_.global_lp(), memory_.costs().hop);
  for (const Folio page : pages) co_await hugetlb_.pool().PutBack(path, page.head(), cpu);
  co_await path.GoTo(home, memory_.costs().hop);
}

sim::Task<Errno> Migrator::Migrate(sim::Path& path, CpuId cpu, std::vector<Folio>& pages,
                                   const MigrationTarget& target) {
  if (pages.empty()) co_return Errno::kOk;
  Node& node = memory_.node(memory_.ZoneOf(pages.front().head())->node());
  if (OfHugetlb(pages.front())) co_return co_await MigrateHuge(path, cpu, node, pages, target);
  Stats stats;
  std::vector<Folio> held;
  std::vector<Folio> parts;
  co_await MigrateBatch(path, cpu, node, pages, target, held, &parts, stats);
  if (pages.empty() && !parts.empty()) {
    pages = std::exchange(parts, {});
    co_await MigrateBatch(path, cpu, node, pages, target, held, nullptr, stats);
  }
  node.counter(PGMIGRATE_SUCCESS) += stats.succeeded;
  node.counter(PGMIGRATE_FAIL) += stats.failed;
  node.counter(THP_MIGRATION_SUCCESS) += stats.thp_succeeded;
  node.counter(THP_MIGRATION_FAIL) += stats.thp_failed;
  node.counter(THP_MIGRATION_SPLIT) += stats.thp_split;
  const Errno error = !pages.empty() ? Errno::kNoMem : held.empty() ? Errno::kOk : Errno::kAgain;
  pages.insert(pages.end(), held.begin(), held.end());
  pages.insert(pages.end(), parts.begin(), parts.end());
  co_return error;
}

sim::Task<void> Migrator::MigrateBatch(sim::Path& path, CpuId cpu, Node& node, std::vector<Folio>& pages,
                                       const MigrationTarget& target, std::vector<Folio>& held,
                                       std::vector<Folio>* parts, Stats& stats) {
  size_t begun = 0;
  bool room = true;
  while (room && begun < pages.size()) {
    const std::span rest = std::span(pages).subspan(begun);
    const std::span cluster = rest.first(std::min(kCluster, rest.size()));
    std::vector<Folio> stayed;
    const size_t moved = co_await MoveCluster(path, cpu, node, cluster, target, stayed);
    stats.succeeded += PagesOf(cluster.first(moved)) - PagesOf(stayed);
    stats.thp_succeeded += ThpsOf(cluster.first(moved)) - ThpsOf(stayed);
    stats.failed += PagesOf(stayed);
    stats.thp_failed += ThpsOf(stayed);
    held.insert(held.end(), stayed.begin(), stayed.end());
    begun += moved;
    if (moved == cluster.size()) continue;
    const Folio next = pages[begun];
    stats.thp_failed += next.order() > 0 ? 1 : 0;
    room = next.order() > 0 && parts != nullptr && OwnerOf(next).kind == FrameOwner::kAnon &&
           OwnerOf(next).object != kBootUser &&
           co_await splitter_.SplitIsolated(path, cpu, next.head(), *parts);
    if (room) {
      ++stats.thp_split;
      ++begun;
    } else {
      stats.failed += next.pages();
    }
  }
  pages.erase(pages.begin(), pages.begin() + static_cast<std::ptrdiff_t>(begun));
}

// migrate_hugetlbs(): one after the other, in each pass all that are left.
sim::Task<Errno> Migrator::MigrateHuge(sim::Path& path, CpuId cpu, Node& node, std::vector<Folio>& pages,
                                       const MigrationTarget& target) {
  const Placement where{target.preferred, target.allowed};
  const int64_t asked = PagesOf(pages);
  std::vector<Folio> left = std::exchange(pages, {});
  std::vector<Folio> stuck;
  bool room = true;
  co_await path.HopTo(memory_.global_lp(), memory_.costs().hop);
  for (int pass = 0; pass < kPasses && room && !left.empty(); ++pass) {
    std::vector<Folio> again;
    for (auto next = left.begin(); room && next != left.end(); ++next) {
      const Errno error = co_await hugetlb_.Migrate(path, next->head(), where, target.this_node, cpu);
      room = error != Errno::kNoMem;
      if (!room) pages.assign(next, left.end());
      if (error == Errno::kAgain) again.push_back(*next);
      if (error == Errno::kBusy) stuck.push_back(*next);
    }
    left = std::move(again);
  }
  const int64_t untried = room ? 0 : PagesOf(std::span(pages).subspan(1));
  pages.insert(pages.end(), left.begin(), left.end());
  pages.insert(pages.end(), stuck.begin(), stuck.end());
  co_await path.HopTo(node.lp, memory_.costs().hop);
  const int64_t remain = PagesOf(pages);
  node.counter(PGMIGRATE_SUCCESS) += asked - remain;
  node.counter(PGMIGRATE_FAIL) += remain - untried;
  co_return !room ? Errno::kNoMem : pages.empty() ? Errno::kOk : Errno::kAgain;
}

// Returns how many pages got a target; of these, what could not move is appended to `held`.
sim::Task<size_t> Migrator::MoveCluster(sim::Path& path, CpuId cpu, Node& node, std::span<const Folio> pages,
                                        const MigrationTarget& target, std::vector<Folio>& held) {
  Batch batch;
  batch.reserve(pages.size());
  const size_t begun = co_await AllocTargets(path, cpu, pages, target, batch);
  for (int pass = 0; pass < kPasses && !batch.empty(); ++pass) {
    co_await Pass(path, cpu, node, target, batch);
  }
  for (const Moving& page : batch) {
    held.push_back(page.from);
    co_await ReturnUnused(path, cpu, page.to, target);
  }
  co_await path.GoTo(node.lp, memory_.costs().hop);
  co_return begun;
}

FrameOwner& Migrator::OwnerOf(Folio page) const {
  FrameStore& frames = memory_.ZoneOf(page.head())->frames();
  return frames.owner(frames.Index(page.head()), page.order());
}

// Whether nothing but the migration refers to the page, which was freed since it was isolated. On the LP of
// its node.
bool Migrator::Freed(Folio page) const {
  const Zone& zone = *memory_.ZoneOf(page.head());
  const FrameIndex frame = zone.frames().Index(page.head());
  return !ThpPage::Mapped(zone.frames(), frame, page.order()) && zone.RefsOf(frame, page.order()) == 1;
}

// alloc_migration_target(). A page of ZONE_MOVABLE may go to one again.
sim::Task<Pfn> Migrator::AllocTarget(sim::Path& path, CpuId cpu, Folio page, const MigrationTarget& target,
                                     FrameOwner owner) {
  const Zone& from = *memory_.ZoneOf(page.head());
  AllocRequest request;
  request.owner = owner;
  if (owner.kind == FrameOwner::kFile) request.file_home = from.lru()->HomeOf(owner.object);
  request.migration_target = true;
  if (target.source != nullptr) {
    const Pfn to = co_await target.source->Take(path);
    if (to == kNoPfn) co_return kNoPfn;
    Zone& zone = *memory_.ZoneOf(to);
    PageAllocator::Own(memory_.node(zone.node()), zone, zone.frames().Index(to), request);
    co_return to;
  }
  request.gfp = kGfpReclaim | kGfpMovable | kGfpRetryMayfail | kGfpNoWarn;
  if (from.type() == ZoneType::kMovable) request.gfp |= kGfpHighmem;
  if (target.this_node) request.gfp = kGfpHighuserMovable | kGfpThisNode;
  if (page.order() > 0) request.gfp = request.gfp.Without(kGfpReclaim) | kGfpTranshuge;
  request.order = page.order();
  request.preferred = target.preferred;
  request.allowed = target.allowed;
  request.cpu = cpu;
  co_return co_await allocator_.Alloc(path, request);
}

// As many as there is room for.
sim::Task<size_t> Migrator::AllocTargets(sim::Path& path, CpuId cpu, std::span<const Folio> pages,
                                         const MigrationTarget& target, Batch& batch) {
  for (size_t i = 0; i < pages.size(); ++i) {
    const Folio page = pages[i];
    if (Freed(page)) {
      co_await LetGo(path, cpu, page);
      continue;
    }
    FrameOwner owner = OwnerOf(page);
    owner.mapcount = 0;  // nothing maps it yet
    const Pfn to = co_await AllocTarget(path, cpu, page, target, owner);
    if (to == kNoPfn) co_return i;
    co_await path.Take(memory_.costs().migrate_page);
    Moving& moving = batch.emplace_back();
    moving.from = page;
    moving.to = Folio(to, page.order());
    moving.owner = owner;
    moving.place = Rmap::PlaceOf(moving.owner);
    if (owner.kind != FrameOwner::kFile) continue;
    const Zone& zone = *memory_.ZoneOf(page.head());
    moving.lru = zone.lru()->StateOf(zone.lru()->NumberOf(zone, zone.frames().Index(page.head())));
  }
  co_return pages.size();
}

sim::Task<void> Migrator::Pass(sim::Path& path, CpuId cpu, Node& node, const MigrationTarget& target,
                               Batch& batch) {
  std::vector<FrameOwner> owners;
  owners.reserve(batch.size());
  for (Moving& page : batch) {
    page.unmapped = page.restored = page.announced = 0;
    page.unmapped_parts.clear();
    page.restored_parts.clear();
    page.locked = false;
    owners.push_back(page.owner);
  }
  std::vector<Rmap::Group> groups = Rmap::ByOwner(owners);
  co_await path.HopTo(memory_.global_lp(), memory_.costs().hop);
  rmap_.Find(groups);
  co_await Lock(path, groups, batch);
  co_await path.GoTo(memory_.global_lp(), memory_.costs().hop);
  const auto page_at = [&batch](uint32_t i) -> Rmap::Unmapping& { return batch[i]; };
  co_await rmap_.TryToMigrate(path, groups, page_at);
  co_await path.HopTo(node.lp, memory_.costs().hop);
  Judge(batch);
  int64_t copied = 0;
  for (const Moving& page : batch) copied += page.moves ? page.from.pages() : 0;
  co_await path.Take(memory_.costs().copy_page * copied);
  co_await Announce(path, batch);
  co_await ReplaceInCache(path, groups, batch);
  co_await path.GoTo(memory_.global_lp(), memory_.costs().hop);
  co_await rmap_.RemoveMigrationEntries(path, groups, page_at);
  co_await Unlock(path, groups, batch);
  co_await Settle(path, cpu, node, target, batch);
}

sim::Task<void> Migrator::ForEachFile(sim::Path& path, std::vector<Rmap::Group>& groups,
                                      absl::FunctionRef<void(Mapping&, Rmap::Group&)> f) {
  for (Rmap::Group& group : groups) {
    if (group.file == kNoFile) continue;
    const sim::LpId home = memory_.node(group.file.home).lp;
    co_await path.GoTo(home, memory_.costs().hop);
    Mapping* const mapping = files_.Find(group.file);
    if (mapping != nullptr) f(*mapping, group);  // else it is gone
  }
}

sim::Task<std::vector<int64_t>> Migrator::MapcountsOf(sim::Path& path, const std::vector<Folio>& pages,
                                                      const std::vector<FrameOwner>& owners) {
  std::vector<Rmap::Group> groups = Rmap::ByOwner(owners);
  co_await path.GoTo(memory_.global_lp(), memory_.costs().hop);
  rmap_.Find(groups);
  co_await ForEachFile(path, groups,
                       [](Mapping& mapping, Rmap::Group& group) { AddMappers(mapping, group); });
  co_await path.GoTo(memory_.global_lp(), memory_.costs().hop);
  std::vector<int64_t> mapcounts(pages.size());
  co_await rmap_.Walk(path, groups, [&](Process& process, const Rmap::Group& group) {
    for (const uint32_t i : group.pages)
      mapcounts[i] += Rmap::MappingsOf(process, Rmap::PlaceOf(owners[i]), pages[i]);
    return true;
  });
  co_return mapcounts;
}

// folio_trylock() of pages of files. A fault that found the page before is on its way to its process; the
// path gets there behind it. One that somebody else has locked, who may ask the page tables for it, keeps its
// entries.
sim::Task<void> Migrator::Lock(sim::Path& path, std::vector<Rmap::Group>& groups, Batch& batch) {
  co_await ForEachFile(path, groups, [&](Mapping& mapping, Rmap::Group& group) {
    for (const uint32_t i : group.pages)
      batch[i].locked = mapping.Lock(batch[i].owner.index, batch[i].from.head());
    std::erase_if(group.pages, [&](uint32_t i) { return !batch[i].locked; });
    AddMappers(mapping, group);
  });
}

// folio_migrate_mapping(): whether each page can move, on the LP of its node. An anonymous page that does has
// no mapping any more. That of a file keeps the reference of the page cache, which is all that its mapcount
// counts, until it is known whether the file has it still.
void Migrator::Judge(Batch& batch) const {
  for (Moving& page : batch) {
    if (page.thp()) {
      JudgeThp(page);
      continue;
    }
    FrameOwner& owner = OwnerOf(page.from);
    const Zone& zone = *memory_.ZoneOf(page.from.head());
    const auto mapcount = static_cast<int64_t>(owner.mapcount);
    if (OfBootUser(page.owner)) page.unmapped = page.restored = mapcount;
    page.counted = page.owner.kind == FrameOwner::kAnon ? page.unmapped : 1;
    const bool alone = zone.RefsOf(zone.frames().Index(page.from.head()), page.from.order()) == 1;
    page.gone = Freed(page.from);
    const bool reachable = page.locked || page.owner.kind == FrameOwner::kAnon;
    page.moves = alone && mapcount == page.counted && reachable && !page.gone;
    if (page.moves && page.owner.kind == FrameOwner::kAnon) owner.mapcount = 0;
  }
}

// The same of a huge page. Its PMDs are references also where a file has it.
void Migrator::JudgeThp(Moving& page) const {
  Zone& zone = *memory_.ZoneOf(page.from.head());
  const ThpPage thp(zone.frames(), zone.frames().Index(page.from.head()));
  if (OfBootUser(page.owner)) page.unmapped = page.restored = thp.pmds();
  const int64_t parts = std::accumulate(page.unmapped_parts.begin(), page.unmapped_parts.end(), int64_t{0});
  page.counted = page.unmapped + (page.anon() ? parts : 1);
  const bool alone = zone.RefsOf(thp.head(), ThpPage::kOrder) == 1;
  page.gone = Freed(page.from);
  const int64_t mapcount = page.anon() ? thp.total_mapcount() : thp.pmds();
  page.moves = alone && mapcount == page.counted && (page.locked || page.anon()) && !page.gone;
  // As page_remove_rmap() does when a part is unmapped while others are mapped.
  if (page.anon() && !page.unmapped_parts.empty())
    PageAllocator::QueueSplit(memory_.node(zone.node()), zone, thp);
  if (page.moves && page.anon()) ChangeThpMappings(page.from, -page.unmapped, Less({}, page.unmapped_parts));
}

void Migrator::ChangeThpMappings(Folio page, int64_t pmds, std::span<const int32_t> parts) const {
  Zone& zone = *memory_.ZoneOf(page.head());
  Node& node = memory_.node(zone.node());
  PageAllocator::ChangeThpMappings(node, zone, zone.frames().Index(page.head()), pmds, parts);
}

sim::Task<void> Migrator::AnnounceThp(sim::Path& path, Moving& page) {
  if (!page.moves) co_return;
  page.announced = 1;
  co_await GoTo(path, page.to);
  if (!page.anon()) ++OwnerOf(page.to).mapcount;
  ChangeThpMappings(page.to, page.unmapped, page.unmapped_parts);
}

// As many mappings as one page had may come to the other: they are counted there before they come, since the
// process may unmap them at once.
sim::Task<void> Migrator::Announce(sim::Path& path, Batch& batch) {
  for (Moving& page : batch) {
    if (page.thp()) {
      co_await AnnounceThp(path, page);
      continue;
    }
    page.announced = page.moves ? page.counted : 0;
    if (page.announced == 0) continue;
    co_await GoTo(path, page.to);
    OwnerOf(page.to).mapcount += static_cast<uint64_t>(page.announced);
    if (page.owner.kind != FrameOwner::kFile) continue;
    const Zone& zone = *memory_.ZoneOf(page.to.head());  // folio_migrate_flags()
    zone.lru()->SetState(zone.lru()->NumberOf(zone, zone.frames().Index(page.to.head())), page.lru);
  }
}

sim::Task<void> Migrator::ReplaceInCache(sim::Path& path, std::vector<Rmap::Group>& groups, Batch& batch) {
  // What its file does not have any more stays, also where the file itself is gone.
  std::vector<bool> wanted(batch.size());
  for (size_t i = 0; i < batch.size(); ++i) {
    if (!FrameOwner::OfFile(batch[i].owner.kind)) continue;
    wanted[i] = batch[i].moves;
    batch[i].moves = false;
  }
  co_await ForEachFile(path, groups, [&](Mapping& mapping, Rmap::Group& group) {
    for (const uint32_t i : group.pages) {
      Moving& page = batch[i];
      page.moves = wanted[i] && mapping.Replace(page.owner.index, page.from.head(), page.to.head());
    }
  });
}

sim::Task<void> Migrator::Unlock(sim::Path& path, std::vector<Rmap::Group>& groups, const Batch& batch) {
  co_await ForEachFile(path, groups, [&](Mapping& mapping, Rmap::Group& group) {
    for (const uint32_t i : group.pages) mapping.Unlock(batch[i].owner.index, batch[i].from.head());
  });
}

// What the new page was given of mappings that did not come to it.
sim::Task<void> Migrator::CorrectTarget(sim::Path& path, const Moving& page) {
  if (page.thp()) {
    if (page.announced == 0) co_return;
    co_await GoTo(path, page.to);
    if (page.moves) {
      ChangeThpMappings(page.to, page.restored - page.unmapped,
                        Less(page.restored_parts, page.unmapped_parts));
    } else {
      ChangeThpMappings(page.to, -page.unmapped, {});
      --OwnerOf(page.to).mapcount;
    }
    co_return;
  }
  const int64_t come = page.moves ? (page.anon() ? page.restored : page.counted) : 0;
  if (page.announced == come) co_return;
  co_await GoTo(path, page.to);
  OwnerOf(page.to).mapcount -= static_cast<uint64_t>(page.announced - come);
}

// What the old page has lost: all, or what was unmapped meanwhile. On the LP of its node.
void Migrator::CorrectSource(const Moving& page) const {
  if (page.thp()) {
    if (!page.moves) {
      ChangeThpMappings(page.from, page.restored - page.unmapped,
                        Less(page.restored_parts, page.unmapped_parts));
    } else if (!page.anon()) {
      ChangeThpMappings(page.from, -page.unmapped, {});
      --OwnerOf(page.from).mapcount;
    }
    return;
  }
  int64_t gone = 0;
  if (page.moves && !page.anon()) gone = page.counted;
  if (!page.moves && page.anon()) gone = page.unmapped - page.restored;
  OwnerOf(page.from).mapcount -= static_cast<uint64_t>(gone);
}

// Sets the counts to what came about: a process may have unmapped what was a migration entry, and a page may
// have been taken out of its file. Then the old pages are freed, and a new one that nobody wants any more.
sim::Task<void> Migrator::Settle(sim::Path& path, CpuId cpu, Node& node, const MigrationTarget& target,
                                 Batch& batch) {
  for (const Moving& page : batch) co_await CorrectTarget(path, page);
  co_await path.GoTo(node.lp, memory_.costs().hop);
  for (const Moving& page : batch) CorrectSource(page);
  const auto left = std::stable_partition(batch.begin(), batch.end(),
                                          [](const Moving& page) { return !page.moves && !page.gone; });
  const Batch done(left, batch.end());
  batch.erase(left, batch.end());
  for (const Moving& page : done) co_await LetGo(path, cpu, page.from);
  for (const Moving& page : done) {
    if (page.moves) {
      co_await LetGo(path, cpu, page.to);
    } else {
      co_await ReturnUnused(path, cpu, page.to, target);
    }
  }
  co_await path.GoTo(node.lp, memory_.costs().hop);
}

// The mark and the reference go in one moment: a scan that found a page without the mark, but with a
// reference that is no mapping, would take it for pinned. A page of a disk's file is on its LRU list again (
// putback_movable_pages), from which it goes with its last reference. Ends on the LP of the page's node.
sim::Task<void> Migrator::LetGo(sim::Path& path, CpuId cpu, Folio page) {
  co_await GoTo(path, page);
  Zone& zone = *memory_.ZoneOf(page.head());
  const FrameIndex frame = zone.frames().Index(page.head());
  zone.MarkMigrating(frame, page.order(), false);
  if (OwnerOf(page).kind == FrameOwner::kFile) zone.lru()->PutBack(zone.lru()->NumberOf(zone, frame));
  co_await allocator_.DropRefsHere(path, cpu, std::span(&page, 1));
}

// A page that nothing was moved to.
sim::Task<void> Migrator::ReturnUnused(sim::Path& path, CpuId cpu, Folio page,
                                       const MigrationTarget& target) {
  if (target.source == nullptr) co_return co_await LetGo(path, cpu, page);
  co_await GoTo(path, page);
  Zone& zone = *memory_.ZoneOf(page.head());
  PageAllocator::DisownTarget(memory_.node(zone.node()), zone, zone.frames().Index(page.head()));
  target.source->GiveBack(page.head());
}

}  // namespace numasim
