// Spawning, forking and ending processes.
#include <algorithm>
#include <array>
#include <optional>
#include <utility>

#include "models/mm/address_space_ops.h"
#include "models/mm/local_pledge.h"
#include "models/physical/kernel_pages.h"
#include "models/physical/thp_page.h"
#include "sim/check.h"

namespace numasim {
namespace {

// What nr_page_table_pages grows by for a small static program: PMD and PTE tables of text and stack.
constexpr int kBaseTables = 5;
// PGD_ALLOCATION_ORDER with CONFIG_PAGE_TABLE_ISOLATION
constexpr int kPgdOrder = 1;
// Counted in nr_page_table_pages by no kernel, hence no page table here.
constexpr FrameOwner kPgdOwner{FrameOwner::kKernel, 1, kPgd, 0};

// copy_pte_range(): both sides are read-only from now on. The child has the table for [begin, end), which is
// one. Puts the anonymous pages into `shared`, and returns how many entries were copied.
int64_t CopyEntries(AddressSpace& parent, AddressSpace& child, Vpn begin, Vpn end,
                    std::vector<FolioRun>& shared) {
  shared.clear();
  int64_t copied = 0;
  std::array<Entry, kPtesPerTable>& to = child.page_table().Find(begin)->entries;
  parent.page_table().WalkRuns(begin, end, [&](Vpn vpn, std::span<Entry> run, int) {
    const Entry both = run.front().Shared();
    if (!both.anon() && !both.zero_page()) return run.size();
    Entry* const copy = &to[vpn.value % kPtesPerTable];
    for (size_t i = 0; i < run.size(); ++i) run[i] = copy[i] = both.Next(static_cast<int64_t>(i));
    copied += std::ssize(run);
    if (both.anon()) shared.push_back({Folio(both.pfn()), static_cast<uint32_t>(run.size())});
    return run.size();
  });
  return copied;
}

// Of pages that follow one another.
void AddMappingEach(FrameOwner* owners, size_t count) {
  for (size_t i = 0; i < count; ++i) {
    NUMASIM_CHECK_LT(static_cast<int>(owners[i].mapcount), ProcessTable::kIds - 1);
    ++owners[i].mapcount;
  }
}

bool AnyMigrating(const PageTable& tables, Vpn begin, Vpn end) {
  return tables.Walk(begin, end, [](Vpn, const Entry& entry, int) { return !entry.migrating(); }) != end;
}

}  // namespace

sim::Task<Errno> AddressSpaceOps::TakeId(sim::Path& path, Process& process, const Process* parent) {
  const sim::LpId home = path.lp();
  co_await path.HopTo(memory_.global_lp(), memory_.costs().hop);
  const std::optional<ProcessTable::Ids> ids = processes_.Add(process, home, parent);
  co_await path.HopTo(home, memory_.costs().hop);
  if (!ids.has_value()) co_return Errno::kAgain;
  process.id = ids->process;
  process.task = parent == nullptr ? kNoTask : parent->id;
  process.anon_vma = ids->anon_vma;
  co_return Errno::kOk;
}

sim::Task<void> AddressSpaceOps::ReturnId(sim::Path& path, Process& process) {
  const sim::LpId home = path.lp();
  co_await path.HopTo(memory_.global_lp(), memory_.costs().hop);
  processes_.Remove(process.id);
  co_await path.HopTo(home, memory_.costs().hop);
}

// _pgd_alloc(): for the child of a fork by its parent, before all else.
sim::Task<Errno> AddressSpaceOps::AllocPgd(sim::Path& path, Process& process) {
  const Pfn pfn = co_await AllocCleared(path, process, kPgdOwner, kPgdOrder);
  if (pfn == kNoPfn) co_return Errno::kNoMem;
  process.pgd = Folio(pfn, kPgdOrder);
  co_return Errno::kOk;
}

// mmdrop(): after all else that the process had. A block of more than one page right after many single ones
// makes the CPU's lists give back all they have (free_high of free_unref_page_commit).
sim::Task<void> AddressSpaceOps::FreePgd(sim::Path& path, Process& process) {
  if (!process.pgd.has_value()) co_return;
  const Folio pgd = *std::exchange(process.pgd, std::nullopt);
  co_await allocator_.Release(path, process.cpu, pgd);
}

sim::Task<Errno> AddressSpaceOps::AllocBaseTables(sim::Path& path, Process& process) {
  for (int i = 0; i < kBaseTables; ++i) {
    const Pfn pfn = co_await AllocTable(path, process);
    if (pfn == kNoPfn) {
      std::vector<Folio> tables = std::exchange(process.base_tables, {});
      co_await allocator_.Release(path, process.cpu, tables);
      co_return Errno::kNoMem;
    }
    process.base_tables.emplace_back(pfn);
  }
  co_return Errno::kOk;
}

sim::Task<Errno> AddressSpaceOps::Spawn(sim::Path& path, Process& process) {
  const Errno error = co_await Begin(path, process, nullptr);
  process.task = process.id;
  co_return error;
}

sim::Task<Errno> AddressSpaceOps::Begin(sim::Path& path, Process& process, const Process* parent) {
  co_await path.Take(memory_.costs().process);
  Errno error = co_await TakeId(path, process, parent);
  if (error != Errno::kOk) co_return error;
  error = co_await AllocPgd(path, process);
  if (error == Errno::kOk) error = co_await AllocBaseTables(path, process);
  if (error != Errno::kOk) {
    co_await FreePgd(path, process);
    co_await ReturnId(path, process);
    co_return error;
  }
  process.space.MakeLock(memory_.engine(), path.lp());
  process.alive = true;
  co_return Errno::kOk;
}

sim::Task<Errno> AddressSpaceOps::Fork(sim::Path& path, Process& parent, Process& child) {
  child.cpu = parent.cpu;
  child.policy = parent.policy;
  child.oom_score_adj = parent.oom_score_adj;
  child.il_prev = parent.il_prev;
  const Errno error = co_await Begin(path, child, &parent);
  if (error != Errno::kOk) co_return error;
  sim::RwSem& parents = parent.space.mmap_lock();
  sim::RwSem& childs = child.space.mmap_lock();
  co_await parents.AcquireWrite(path);
  co_await childs.AcquireWrite(path);
  const bool all = co_await CopyMemory(path, parent, child);
  childs.ReleaseWrite(path);
  parents.ReleaseWrite(path);
  child.task = child.id;
  if (all) co_return Errno::kOk;
  co_await Exit(path, child);
  co_return Errno::kNoMem;
}

// dup_mmap(). False where memory for page tables has ended.
sim::Task<bool> AddressSpaceOps::CopyMemory(sim::Path& path, Process& parent, Process& child) {
  child.space.CopyVmasFrom(parent.space);
  co_await AddFileMappings(path, child);
  const bool tables = co_await AddHugeTables(path, parent, child);
  co_await CopyHugePages(path, parent, child, tables);
  const bool all = tables && co_await CopyPageTables(path, parent, child);
  // The tables were allocated by the parent, under its policy.
  std::swap(parent.il_prev, child.il_prev);
  if (all && parent.in_khugepaged) co_await thp_.khugepaged().Enter(path, child);
  co_return all;
}

// The child maps the files that its parent does: it is told at the home of each.
sim::Task<void> AddressSpaceOps::AddFileMappings(sim::Path& path, const Process& child) {
  std::vector<FileId> files;
  for (const auto& [start, vma] : child.space.vmas()) {
    if (vma.page_cache()) files.push_back(vma.file);
  }
  std::stable_sort(files.begin(), files.end(), [](FileId a, FileId b) { return a.home < b.home; });
  const sim::LpId here = path.lp();
  const uint16_t id = child.id;
  for (const FileId file : files) {
    const sim::LpId home = memory_.node(file.home).lp;
    co_await path.GoTo(home, memory_.costs().hop);
    files_.At(file).AddMapper(id);
  }
  co_await path.GoTo(here, memory_.costs().hop);
}

// The page tables for the huge pages that the child is to get.
sim::Task<bool> AddressSpaceOps::AddHugeTables(sim::Path& path, const Process& parent, Process& child) {
  std::vector<Vpn> tables;
  for (const auto& [start, vma] : parent.space.vmas()) {
    if (!Hugetlb::ForkCopies(vma)) continue;
    parent.space.page_table().Walk(vma.start, vma.end, [&](Vpn first, const Entry&, int order) {
      const uint64_t table = first.value >> kPmdTableShift;
      const bool again = !tables.empty() && tables.back().value >> kPmdTableShift == table;
      if (order < kPmdTableShift && !again) tables.push_back(first);
    });
  }
  for (const Vpn first : tables) {
    if (!co_await EnsurePmd(path, child, first)) co_return false;
  }
  co_return true;
}

// copy_hugetlb_page_range() of all VMAs. As CopyPageTables for who moves a page.
sim::Task<void> AddressSpaceOps::CopyHugePages(sim::Path& path, Process& parent, Process& child,
                                               bool entries) {
  const auto migrating = [&parent] {
    const auto& vmas = parent.space.vmas();
    return std::any_of(vmas.begin(), vmas.end(), [&parent](const auto& vma) {
      return Hugetlb::ForkCopies(vma.second) &&
             AnyMigrating(parent.space.page_table(), vma.second.start, vma.second.end);
    });
  };
  while (entries && migrating()) co_await WaitForMove(path);
  const EntriesHold of_parent(parent.space), of_child(child.space);
  co_await hugetlb_.Fork(path, parent, child, entries);
}

// copy_page_range(): anonymous pages are shared read-only from now on; shared memory is left to be faulted in
// again.
sim::Task<bool> AddressSpaceOps::CopyPageTables(sim::Path& path, Process& parent, Process& child) {
  struct Part {  // of a PTE table, or a huge page
    Vpn begin, end;
    bool huge;
  };
  std::vector<Part> parts;
  for (const auto& [start, vma] : parent.space.vmas()) {
    if (vma.hugetlb() || vma.anon_vma == 0) continue;
    parent.space.page_table().ForEachUpper(vma.start, vma.end, [&](Vpn first, const Entry& entry, int) {
      const Vpn end = first + static_cast<int64_t>(kPtesPerTable);
      parts.push_back({std::max(first, vma.start), std::min(end, vma.end), entry.is_leaf()});
      return true;
    });
  }
  WalkPledge pledge(memory_, memory_.node(NodeOf(parent)), parent, memory_.costs().fork_page, /*draws=*/true);
  for (const Part& part : parts) pledge.Add(part.begin, part.end);
  std::optional<sim::PledgeScope> scope;
  if (pledge.IsWorthIt()) scope.emplace(path, pledge);
  std::vector<FolioRun> shared;
  for (const Part& part : parts) {
    if (scope.has_value()) scope->Renew();
    bool table = false;
    if (part.huge) {
      table = co_await CopyThp(path, parent, child, part.begin);
    } else {
      table = co_await EnsureTable(path, child, part.begin);
    }
    if (!table) co_return false;
    if (child.space.page_table().Find(part.begin) == nullptr) continue;  // a huge page was copied
    // The kernel copies migration entries. Here a fork waits, so that who moves a page knows all entries of
    // it.
    while (AnyMigrating(parent.space.page_table(), part.begin, part.end)) co_await WaitForMove(path);
    {
      // Until the references are counted, no page may be moved from under the entries.
      const EntriesHold of_parent(parent.space), of_child(child.space);
      const int64_t copied = CopyEntries(parent.space, child.space, part.begin, part.end, shared);
      pledge.Done(copied);
      co_await path.Take(memory_.costs().fork_page * copied);
      co_await AddReferences(path, shared);
    }
    co_await memory_.cpu(parent.cpu).MaybeYield(path);
  }
  co_return true;
}

// copy_huge_pmd(). False where memory has ended. A huge page whose mapping was split meanwhile leaves the
// child with an empty table for its parts.
sim::Task<bool> AddressSpaceOps::CopyThp(sim::Path& path, Process& parent, Process& child, Vpn first) {
  if (!co_await EnsurePmd(path, child, first)) co_return false;
  const Pfn table = co_await AllocTable(path, child);
  if (table == kNoPfn) co_return false;
  PageTable& to = child.space.page_table();
  while (AnyMigrating(parent.space.page_table(), first, first + 1)) co_await WaitForMove(path);
  Entry* const leaf = parent.space.page_table().FindHuge(first, kPteTableShift);
  if (leaf == nullptr) {
    to.AddTable(first, table);
    co_return true;
  }
  const Entry shared = leaf->Shared();
  *leaf = shared;
  to.SetThp(first, shared, table);
  if (shared.zero_page()) {
    co_await thp_.GetZeroPage(path, child);  // it is there: the parent has a reference
    co_return true;
  }
  const EntriesHold of_parent(parent.space), of_child(child.space);
  co_await path.Take(memory_.costs().fork_page);
  co_await AddReferences(path, std::vector<FolioRun>(1, {Folio(shared.pfn(), kPteTableShift)}));
  co_return true;
}

// One more mapping of each.
sim::Task<void> AddressSpaceOps::AddReferences(sim::Path& path, const std::vector<FolioRun>& runs) {
  co_await allocator_.ForEachRun(path, runs, AddMappings);
}

// The pages are of the zone, whose node's LP this is.
void AddressSpaceOps::AddMappings(Zone& zone, FolioRun run) {
  FrameStore& frames = zone.frames();
  const FrameIndex end = frames.Index(run.end());
  const int order = run.first.order();
  for (FrameIndex frame = frames.Index(run.first.head()); frame < end;) {
    const FrameIndex block_end = order > 0 ? end : (frame / kPageblockPages + 1) * kPageblockPages;
    const FrameIndex next = std::min(end, block_end);
    if (order > 0) {
      NUMASIM_CHECK_EQ(run.count, 1u);
      AddMappingEach(&frames.owner(frame, order), 1);
    } else if (ThpPage::Holds(frames, frame)) {
      for (FrameIndex part = frame; part < next; ++part) ThpPage(frames, part).DupPart(part);
    } else {
      AddMappingEach(&frames.owner(frame, 0), next - frame);
    }
    frame = next;
  }
}

sim::Task<void> AddressSpaceOps::Exit(sim::Path& path, Process& process) {
  NUMASIM_CHECK(process.alive);
  process.exiting = true;
  // The mm of a victim of the OOM killer lives on until its task is reaped (oom_mm of its signals). By then
  // the CPU has allocated so much else that its lists keep what they have, as they do where it is freed
  // first.
  if (process.killed) co_await FreePgd(path, process);
  co_await thp_.khugepaged().Exit(path, process);
  sim::RwSem& mmap_lock = process.space.mmap_lock();
  // exit_mmap(): nobody looks for the VMAs any more, but at the pages others may.
  co_await mmap_lock.AcquireRead(path);
  const std::vector<Vma> removed = process.space.Remove(Vpn{0}, AddressSpace::kNoRoom);
  co_await SettlePmdSplits(path, process);
  for (const Vma& vma : removed) co_await Zap(path, process, vma);
  mmap_lock.ReleaseRead(path);
  co_await mmap_lock.AcquireWrite(path);
  std::vector<Folio> tables = process.space.page_table().FreeRange(Vpn{0}, AddressSpace::kNoRoom);
  tables.insert(tables.end(), process.base_tables.begin(), process.base_tables.end());
  process.base_tables.clear();
  co_await allocator_.Release(path, process.cpu, tables);
  mmap_lock.ReleaseWrite(path);
  process.huge_zero_page = false;
  co_await thp_.PutZeroPage(path, process, process.zero_page_refs);
  co_await DropFileMappings(path, process, removed);
  while (!process.pins.empty()) co_await Unpin(path, process, process.pins.front().id, false);
  co_await FreePgd(path, process);
  co_await ReturnId(path, process);
  process.alive = false;
}

sim::Task<void> AddressSpaceOps::ExitKilled(sim::Path& path, Process& process) {
  if (!process.exiting) {
    co_await Exit(path, process);
    co_return;
  }
  sim::Cpu& cpu = memory_.cpu(process.cpu);
  cpu.Release(path);
  while (process.alive) co_await path.Take(memory_.costs().timeslice);
  co_await cpu.Acquire(path);
}

// Ends on the global LP, with nobody at the process any more. A visitor may wait for a page that somebody has
// locked who in turn looks for this process: as long as there is one, the process is still at home.
sim::Task<void> AddressSpaceOps::LeaveHome(sim::Path& path, Process& process) {
  const sim::LpId home = path.lp();
  const sim::Duration hop = memory_.costs().hop;
  for (;;) {
    co_await path.HopTo(memory_.global_lp(), hop);
    processes_.LeaveHome(process.id);
    // By the old home, where visits that were on their way when the table changed are over now.
    co_await path.HopTo(home, hop);
    const bool visited = process.visitors > 0;
    co_await path.HopTo(memory_.global_lp(), hop);
    if (!visited) co_return;
    processes_.SetHome(process.id, home);
    co_await path.HopTo(home, hop);
    while (process.visitors > 0) co_await path.Take(hop);
  }
}

sim::Task<void> AddressSpaceOps::MoveToCpu(sim::Path& path, Process& process, CpuId cpu) {
  const sim::LpId home = path.lp();
  const sim::LpId to = memory_.node(memory_.NodeOfCpu(cpu)).lp;
  memory_.cpu(process.cpu).Release(path);
  if (home != to) {
    co_await LeaveHome(path, process);
    processes_.SetHome(process.id, to);
    co_await path.HopTo(to, memory_.costs().hop);
    process.space.mmap_lock().MoveTo(memory_.engine(), path);
  }
  process.cpu = cpu;
  co_await memory_.cpu(cpu).Acquire(path);
}

}  // namespace numasim
