#include "models/migrate/migration.h"

#include <algorithm>
#include <optional>
#include <span>
#include <utility>

#include "sim/check.h"

namespace numasim {
namespace {

bool Base(const FrameStore::Head& head) { return head.kind == FrameKind::kAllocated && head.order == 0; }

}  // namespace

bool Migrator::Isolate(Zone& zone, const FrameStore::Head& head) {
  if (!Base(head)) return false;
  FrameStore& frames = zone.frames();
  const FrameIndex frame = head.frame;
  const auto kind = static_cast<FrameOwner::Kind>(frames.owner(frame, 0).kind);
  if (kind != FrameOwner::kAnon && kind != FrameOwner::kShmem) return false;
  if (frames.owner(frame, 0).mapcount == 0) return false;
  if (zone.RefsOf(frame) != 0 || !zone.HasRoomForRef(frame)) return false;
  zone.TakeRef(frame);
  zone.MarkMigrating(frame, true);
  return true;
}

sim::Task<void> Migrator::PutBack(sim::Path& path, CpuId cpu, const std::vector<Pfn>& pages) {
  for (const Pfn pfn : pages) co_await LetGo(path, cpu, *memory_.ZoneOf(pfn), pfn);
}

sim::Task<Errno> Migrator::Migrate(sim::Path& path, CpuId cpu, std::vector<Pfn>& pages,
                                   const MigrationTarget& target) {
  if (pages.empty()) co_return Errno::kOk;
  Node& node = memory_.node(memory_.ZoneOf(pages.front())->node());
  Batch batch;
  const bool room = co_await AllocTargets(path, cpu, pages, target, batch);
  pages.erase(pages.begin(), pages.begin() + static_cast<std::ptrdiff_t>(batch.size()));
  int round = 0;
  while (!co_await Round(path, cpu, node, batch, round)) ++round;
  node.counter(PGMIGRATE_SUCCESS) += static_cast<int64_t>(batch.size());
  if (!room) ++node.counter(PGMIGRATE_FAIL);
  co_return room ? Errno::kOk : Errno::kNoMem;
}

sim::Task<Zone*> Migrator::GoTo(sim::Path& path, Pfn pfn) const {
  Zone* const zone = memory_.ZoneOf(pfn);
  const sim::LpId there = memory_.node(zone->node()).lp;
  if (path.lp() != there) co_await path.HopTo(there, memory_.costs().hop);
  co_return zone;
}

// alloc_migration_target(): as many as there is room for. A page of ZONE_MOVABLE may go to one again.
sim::Task<bool> Migrator::AllocTargets(sim::Path& path, CpuId cpu, const std::vector<Pfn>& pages,
                                       const MigrationTarget& target, Batch& batch) {
  for (const Pfn pfn : pages) {
    const Zone& zone = *memory_.ZoneOf(pfn);
    AllocRequest request;
    request.gfp = kGfpReclaim | kGfpMovable | kGfpRetryMayfail | kGfpNoWarn;
    if (zone.type() == ZoneType::kMovable) request.gfp |= kGfpHighmem;
    request.preferred = target.preferred;
    request.allowed = target.allowed;
    request.cpu = cpu;
    request.owner = zone.frames().owner(zone.frames().Index(pfn), 0);
    request.owner.mapcount = 0;  // nothing maps it yet
    request.migration_target = true;
    Moving page;
    page.from = pfn;
    page.owner = request.owner;
    page.to = co_await allocator_.Alloc(path, request);
    if (page.to == kNoPfn) co_return false;
    co_await path.Take(memory_.costs().migrate_page + memory_.costs().copy_page);
    batch.push_back(page);
  }
  co_return true;
}

sim::Task<bool> Migrator::Round(sim::Path& path, CpuId cpu, Node& node, Batch& batch, int round) {
  co_await Expect(path, node, batch);
  co_await path.HopTo(memory_.global_lp(), memory_.costs().hop);
  const MappersOfFiles mappers = co_await SwapInCache(path, batch);
  const bool all_visited = co_await VisitAll(path, batch, WhomToVisit(batch, round, mappers));
  co_await path.HopTo(node.lp, memory_.costs().hop);
  co_await Account(path, cpu, node, batch, all_visited);
  co_return std::all_of(batch.begin(), batch.end(), [](const Moving& page) { return page.settled; });
}

// As many mappings as one frame has may come to the other: they are counted there before they come, since the
// process may unmap them at once.
sim::Task<void> Migrator::Expect(sim::Path& path, Node& node, Batch& batch) {
  for (Moving& page : batch) {
    page.swapped = 0;
    page.mappings = 0;
    if (page.settled) continue;
    const Zone* const zone = memory_.ZoneOf(page.from);
    const FrameIndex frame = zone->frames().Index(page.from);
    page.mappings = static_cast<int64_t>(zone->frames().owner(frame, 0).mapcount) - zone->RefsOf(frame);
  }
  for (Moving& page : batch) {
    if (page.settled || page.mappings == 0) continue;
    Zone& zone = *co_await GoTo(path, page.to);
    const FrameIndex frame = zone.frames().Index(page.to);
    zone.frames().owner(frame, 0).mapcount += static_cast<uint64_t>(page.mappings);
  }
  if (path.lp() != node.lp) co_await path.HopTo(node.lp, memory_.costs().hop);
}

// From the global LP and back to it. Returns who maps the files in the moment when their pages are replaced:
// who comes later finds the new ones.
sim::Task<Migrator::MappersOfFiles> Migrator::SwapInCache(sim::Path& path, Batch& batch) {
  std::vector<std::pair<FileId, Moving*>> of_files;
  for (Moving& page : batch) {
    if (page.settled) continue;
    // What was in use at boot has no process here whose entries would have to be changed.
    if (page.owner.object >= ProcessTable::kIds && page.owner.kind == FrameOwner::kAnon) {
      page.swapped = page.mappings;
    }
    if (page.owner.kind != FrameOwner::kShmem) continue;
    const FileId file = files_.IdOf(page.owner.object);
    if (file != kNoFile) of_files.emplace_back(file, &page);
  }
  std::stable_sort(of_files.begin(), of_files.end(),
                   [](const auto& a, const auto& b) { return a.first.home < b.first.home; });
  MappersOfFiles mappers;
  for (const auto& [file, page] : of_files) {
    const sim::LpId home = memory_.node(file.home).lp;
    if (path.lp() != home) co_await path.HopTo(home, memory_.costs().hop);
    Mapping* const mapping = files_.Find(file);
    if (mapping == nullptr) continue;  // it has gone meanwhile
    if (mapping->Replace(page->owner.index, page->from, page->to)) ++page->swapped;
    const auto [found, fresh] = mappers.try_emplace(page->owner.object);
    if (!fresh) continue;
    mapping->ForEachMapper([&ids = found->second](uint64_t id) { ids.push_back(id); });
  }
  if (!of_files.empty()) co_await path.HopTo(memory_.global_lp(), memory_.costs().hop);
  co_return mappers;
}

// Whom to visit for which pages: for a file's pages those that map the file, for anonymous pages the one that
// faulted them in, in the second round those that can have them by fork. When that one is gone its id may
// have gone to another family: then everybody. Pages of one owner stand together, so that a process is asked
// about the pages that it can have and not about the whole batch.
Migrator::Visits Migrator::WhomToVisit(const Batch& batch, int round, const MappersOfFiles& mappers) const {
  Visits visits;
  std::vector<uint32_t>& pages = visits.pages;
  for (uint32_t i = 0; i < batch.size(); ++i) {
    if (!batch[i].settled) pages.push_back(i);
  }
  const auto owner_of = [&](uint32_t i) { return std::pair(batch[i].owner.kind, batch[i].owner.object); };
  std::stable_sort(pages.begin(), pages.end(),
                   [&](uint32_t a, uint32_t b) { return owner_of(a) < owner_of(b); });
  uint32_t first_of_all = 0,
           last_of_all = 0;  // of the pages that everybody is asked about: they stand together
  for (uint32_t first = 0, last; first < pages.size(); first = last) {
    const auto [kind, object] = owner_of(pages[first]);
    for (last = first + 1; last < pages.size() && owner_of(pages[last]) == std::pair(kind, object);) ++last;
    if (kind == FrameOwner::kShmem) {
      const auto found = mappers.find(object);
      if (found == mappers.end()) continue;
      for (const uint64_t id : found->second) visits.all.push_back({id, first, last});
    } else if (round == 0) {
      visits.all.push_back({object, first, last});
    } else if (round == 1) {
      for (const uint64_t id : processes_.FamilyOf(object)) visits.all.push_back({id, first, last});
    } else {
      if (first_of_all == last_of_all) first_of_all = first;
      last_of_all = last;
    }
  }
  for (uint64_t id = 0; first_of_all < last_of_all && id < processes_.end(); ++id)
    visits.all.push_back({id, first_of_all, last_of_all});
  std::sort(visits.all.begin(), visits.all.end());
  return visits;
}

// From the global LP and back to it: the processes of one home after the other, looked up just before each.
// False where a process could not be visited now, or moved behind the path.
sim::Task<bool> Migrator::VisitAll(sim::Path& path, Batch& batch, Visits visits) {
  bool all = true;
  for (int n = 0; n < memory_.node_count() && !visits.all.empty(); ++n) {
    const sim::LpId lp = memory_.node(NodeId{n}).lp;
    std::vector<std::pair<Process*, Visit>> here;
    std::erase_if(visits.all, [&](const Visit& visit) {
      const ProcessTable::Entry entry = processes_.Find(visit.process);
      const bool now = entry.process != nullptr && !entry.moving && entry.home == lp;
      if (now) here.emplace_back(entry.process, visit);
      return now || entry.process == nullptr;
    });
    if (here.empty()) continue;
    co_await path.HopTo(lp, memory_.costs().hop);
    for (const auto& [process, visit] : here) {
      const std::span pages = std::span(visits.pages).subspan(visit.first, visit.last - visit.first);
      all = SwapIn(*process, batch, pages) && all;
    }
    co_await path.HopTo(memory_.global_lp(), memory_.costs().hop);
  }
  co_return all&& visits.all.empty();
}

bool Migrator::SwapIn(Process& process, Batch& batch, std::span<const uint32_t> pages) {
  if (process.space.entries_held()) return false;
  for (const uint32_t i : pages) {
    Moving& page = batch[i];
    if (page.owner.kind == FrameOwner::kShmem) {
      SwapShmem(process, page);
    } else {
      SwapAnon(process, page);
    }
  }
  return true;
}

void Migrator::SwapAnon(Process& process, Moving& page) {
  if (page.swapped == page.mappings) return;
  const Vpn vpn{page.owner.index};
  Entry* const entry = process.space.page_table().FindEntry(vpn);
  if (entry == nullptr || !entry->anon() || entry->pfn() != page.from) return;
  *entry = entry->WithPfn(page.to);
  ++page.swapped;
}

// All mappings of a file's page count as one, the file's.
void Migrator::SwapShmem(Process& process, Moving& page) {
  const FileId file{static_cast<int32_t>(page.owner.object)};
  process.space.ForEachOfFile(false, file, [&](Vma& vma) {
    const std::optional<Vpn> vpn = vma.AddressOf(page.owner.index);
    if (!vpn.has_value()) return;
    Entry* const entry = process.space.page_table().FindEntry(*vpn);
    if (entry == nullptr || entry->none() || entry->pfn() != page.from) return;
    *entry = entry->WithPfn(page.to);
  });
}

// Sets the counts to what came about. A page is settled when nothing refers to the old frame but the
// migration. Entries of a file's page are not counted: they have come over when all processes were visited.
sim::Task<void> Migrator::Account(sim::Path& path, CpuId cpu, Node& node, Batch& batch, bool all_visited) {
  for (const Moving& page : batch) {
    if (page.settled || page.mappings == page.swapped) continue;
    Zone& zone = *co_await GoTo(path, page.to);
    // Too much was expected there, where the migration itself still holds the frame.
    zone.frames().owner(zone.frames().Index(page.to), 0).mapcount -=
        static_cast<uint64_t>(page.mappings - page.swapped);
  }
  if (path.lp() != node.lp) co_await path.HopTo(node.lp, memory_.costs().hop);
  std::vector<size_t> done;
  for (size_t i = 0; i < batch.size(); ++i) {
    Moving& page = batch[i];
    if (page.settled) continue;
    FrameStore& frames = memory_.ZoneOf(page.from)->frames();
    FrameOwner& owner = frames.owner(frames.Index(page.from), 0);
    owner.mapcount -= static_cast<uint64_t>(page.swapped);
    page.settled = owner.mapcount == 1 && (all_visited || page.owner.kind != FrameOwner::kShmem);
    if (page.settled) done.push_back(i);
  }
  co_await Settle(path, cpu, node, batch, done);
}

// The old frame is freed, the new one too if nobody wants it any more.
sim::Task<void> Migrator::Settle(sim::Path& path, CpuId cpu, Node& node, const Batch& batch,
                                 const std::vector<size_t>& done) {
  for (const size_t i : done) co_await LetGo(path, cpu, *memory_.ZoneOf(batch[i].from), batch[i].from);
  for (const size_t i : done) {
    Zone& zone = *co_await GoTo(path, batch[i].to);
    co_await LetGo(path, cpu, zone, batch[i].to);
  }
  if (path.lp() != node.lp) co_await path.HopTo(node.lp, memory_.costs().hop);
}

// The mark and the reference go in one moment: a scan that found a frame without the mark, but with a
// reference that is no mapping, would wait for a mapping that never comes. On the LP of the frame's node.
sim::Task<void> Migrator::LetGo(sim::Path& path, CpuId cpu, Zone& zone, Pfn pfn) {
  const FrameIndex frame = zone.frames().Index(pfn);
  zone.MarkMigrating(frame, false);
  zone.ForgetRef(frame);
  co_await allocator_.Release(path, cpu, std::span(&pfn, 1));
}

}  // namespace numasim
