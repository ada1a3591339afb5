#include "models/contig/migration.h"

#include <algorithm>
#include <utility>

#include "sim/check.h"

namespace numasim {
namespace {

bool Base(const FrameStore::Head& head) { return head.kind == FrameKind::kAllocated && head.order == 0; }

}  // namespace

bool Migrator::Isolate(Zone& zone, FrameIndex frame) {
  FrameStore& frames = zone.frames();
  if (!Base(frames.Find(frame))) return false;
  const auto kind = static_cast<FrameOwner::Kind>(frames.owner(frame, 0).kind);
  if (kind != FrameOwner::kAnon && kind != FrameOwner::kShmem) return false;
  if (zone.RefsOf(frame) != 0 || frames.owner(frame, 0).mapcount == 0) return false;
  zone.TakeRef(frame);
  return true;
}

sim::Task<void> Migrator::PutBack(sim::Path& path, CpuId cpu, const std::vector<Pfn>& pages) {
  for (const Pfn pfn : pages) {
    Zone& zone = *memory_.ZoneOf(pfn);
    zone.ForgetRef(zone.frames().Index(pfn));
  }
  co_await ops_.allocator().Release(path, cpu, pages);
}

sim::Task<Errno> Migrator::Migrate(sim::Path& path, CpuId cpu, std::vector<Pfn>& pages,
                                   const MigrationTarget& target) {
  if (pages.empty()) co_return Errno::kOk;
  Node& node = memory_.node(memory_.ZoneOf(pages.front())->node());
  Batch batch;
  const bool room = co_await AllocTargets(path, cpu, pages, target, batch);
  pages.erase(pages.begin(), pages.begin() + static_cast<std::ptrdiff_t>(batch.size()));
  bool everybody = false;
  while (!co_await Round(path, cpu, node, batch, everybody)) everybody = true;
  const bool pinned = std::any_of(batch.begin(), batch.end(), [](const Moving& page) { return page.back; });
  for (const Moving& page : batch) {
    ++node.counter(page.back ? PGMIGRATE_FAIL : PGMIGRATE_SUCCESS);
  }
  if (!room) co_return Errno::kNoMem;
  co_return pinned ? Errno::kAgain : Errno::kOk;
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
    request.owner.mapcount = 1;  // the migration's own, until it is settled
    Moving page;
    page.from = pfn;
    page.owner = request.owner;
    page.to = co_await ops_.allocator().Alloc(path, request);
    if (page.to == kNoPfn) co_return false;
    co_await path.Take(memory_.costs().migrate_page + memory_.costs().copy_page);
    batch.push_back(page);
  }
  co_return true;
}

sim::Task<bool> Migrator::Round(sim::Path& path, CpuId cpu, Node& node, Batch& batch, bool everybody) {
  co_await Expect(path, node, batch);
  co_await path.HopTo(memory_.global_lp(), memory_.costs().hop);
  SwapInCache(batch);
  const bool all_visited = co_await VisitAll(path, batch, everybody);
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
    const Pfn source = page.back ? page.to : page.from;
    const Zone& zone = *memory_.ZoneOf(source);
    Node& at = memory_.node(zone.node());
    if (path.lp() != at.lp) co_await path.HopTo(at.lp, memory_.costs().hop);
    const FrameIndex frame = zone.frames().Index(source);
    const auto references = static_cast<int64_t>(zone.frames().owner(frame, 0).mapcount);
    // Without the migration's own, and those of who pinned it.
    page.mappings = references - (page.back ? 1 : zone.RefsOf(frame));
  }
  for (const Moving& page : batch) {
    if (page.mappings == 0) continue;
    const Pfn destination = page.back ? page.from : page.to;
    const Zone& zone = *memory_.ZoneOf(destination);
    Node& at = memory_.node(zone.node());
    if (path.lp() != at.lp) co_await path.HopTo(at.lp, memory_.costs().hop);
    FrameOwner& owner = memory_.ZoneOf(destination)->frames().owner(zone.frames().Index(destination), 0);
    owner.mapcount += static_cast<uint64_t>(page.mappings);
  }
  if (path.lp() != node.lp) co_await path.HopTo(node.lp, memory_.costs().hop);
}

void Migrator::SwapInCache(Batch& batch) {
  for (Moving& page : batch) {
    if (page.settled) continue;
    // What was in use at boot has no process here whose entries would have to be changed.
    if (page.owner.object >= ProcessTable::kIds && page.owner.kind == FrameOwner::kAnon) {
      page.swapped = page.mappings;
    }
    if (page.owner.kind != FrameOwner::kShmem) continue;
    const FileId file{static_cast<int32_t>(page.owner.object)};
    const Pfn source = page.back ? page.to : page.from;
    const Pfn destination = page.back ? page.from : page.to;
    if (ops_.files().Replace(file, page.owner.index, source, destination)) ++page.swapped;
  }
}

// From the global LP and back to it: the processes of one home after the other. In the first round only the
// one that faulted a page in, for anonymous pages; it is seldom that others have them too.
// False where a process could not be visited now.
sim::Task<bool> Migrator::VisitAll(sim::Path& path, Batch& batch, bool everybody) {
  const bool files = std::any_of(batch.begin(), batch.end(),
                                 [](const Moving& p) { return p.owner.kind == FrameOwner::kShmem; });
  std::vector<std::vector<Process*>> by_node(static_cast<size_t>(memory_.node_count()));
  bool all = true;
  const auto add = [&](uint64_t id) {
    const ProcessTable::Entry entry = ops_.processes().Find(id);
    if (entry.process == nullptr) return;
    all = all && !entry.moving;
    if (entry.moving) return;
    auto& at = by_node[static_cast<size_t>(entry.home.value)];
    if (at.empty() || at.back() != entry.process) at.push_back(entry.process);
  };
  if (everybody || files) {
    for (uint64_t id = 0; id < ops_.processes().end(); ++id) add(id);
  } else {
    for (const Moving& page : batch) {
      if (!page.settled) add(page.owner.object);
    }
  }
  for (size_t n = 0; n < by_node.size(); ++n) {
    if (by_node[n].empty()) continue;
    co_await path.HopTo(memory_.node(NodeId{static_cast<int32_t>(n)}).lp, memory_.costs().hop);
    for (Process* const process : by_node[n]) all = SwapIn(*process, batch) && all;
    co_await path.HopTo(memory_.global_lp(), memory_.costs().hop);
  }
  co_return all;
}

bool Migrator::SwapIn(Process& process, Batch& batch) {
  if (process.space.held > 0) return false;
  for (Moving& page : batch) {
    if (page.settled) continue;
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
  PteTable* const table = process.space.page_table().Find(vpn);
  if (table == nullptr) return;
  Pte& pte = table->pte[vpn.value % kPtesPerTable];
  if (!pte.anon() || pte.pfn() != (page.back ? page.to : page.from)) return;
  pte = pte.WithPfn(page.back ? page.from : page.to);
  ++page.swapped;
}

// All mappings of a file's page count as one, the file's.
void Migrator::SwapShmem(Process& process, Moving& page) {
  const FileId file{static_cast<int32_t>(page.owner.object)};
  process.space.ForEach([&](Vma& vma) {
    if (!vma.shmem() || vma.file != file) return;
    const uint64_t index = page.owner.index;
    if (index < vma.pgoff || index >= vma.IndexOf(vma.end)) return;
    const Vpn vpn = vma.start + static_cast<int64_t>(index - vma.pgoff);
    PteTable* const table = process.space.page_table().Find(vpn);
    if (table == nullptr) return;
    Pte& pte = table->pte[vpn.value % kPtesPerTable];
    if (pte.none() || pte.pfn() != (page.back ? page.to : page.from)) return;
    pte = pte.WithPfn(page.back ? page.from : page.to);
  });
}

// Sets the counts to what came about. A page is settled when nothing refers to the old frame but the
// migration, which then lets go of both. Entries of a file's page are not counted: they have come over when
// all processes were visited.
sim::Task<void> Migrator::Account(sim::Path& path, CpuId cpu, Node& node, Batch& batch, bool all_visited) {
  std::vector<Pfn> released;
  for (Moving& page : batch) {
    if (page.settled) continue;
    const Pfn source = page.back ? page.to : page.from;
    const Pfn destination = page.back ? page.from : page.to;
    // Too much was expected at the destination, which the migration itself still holds.
    Zone& there = *memory_.ZoneOf(destination);
    Node& at = memory_.node(there.node());
    if (path.lp() != at.lp) co_await path.HopTo(at.lp, memory_.costs().hop);
    there.frames().owner(there.frames().Index(destination), 0).mapcount -=
        static_cast<uint64_t>(page.mappings - page.swapped);
    Zone& here = *memory_.ZoneOf(source);
    Node& from = memory_.node(here.node());
    if (path.lp() != from.lp) co_await path.HopTo(from.lp, memory_.costs().hop);
    const FrameIndex frame = here.frames().Index(source);
    FrameOwner& owner = here.frames().owner(frame, 0);
    owner.mapcount -= static_cast<uint64_t>(page.swapped);
    if (!page.back && here.RefsOf(frame) > 1) {
      page.back = true;  // pinned meanwhile: its data must stay where they are
      continue;
    }
    page.settled = owner.mapcount == 1 && (all_visited || page.owner.kind != FrameOwner::kShmem);
    if (!page.settled) continue;
    if (path.lp() != node.lp) co_await path.HopTo(node.lp, memory_.costs().hop);
    Zone& original = *memory_.ZoneOf(page.from);
    original.ForgetRef(original.frames().Index(page.from));
    released.push_back(page.from);
    released.push_back(page.to);
  }
  if (path.lp() != node.lp) co_await path.HopTo(node.lp, memory_.costs().hop);
  co_await ops_.allocator().Release(path, cpu, released);
}

}  // namespace numasim
