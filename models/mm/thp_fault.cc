// Faults on transparent huge pages of anonymous memory (mm/huge_memory.c, Linux 6.1), and what their mappings
// take when VMAs are cut.
#include "models/base/thp_gfp.h"
#include "models/mm/address_space_ops.h"
#include "models/physical/thp_page.h"
#include "models/thp/thp_allowed.h"

namespace numasim {

// The part of __handle_mm_fault() above base entries: the PMD table is there, a PTE table is not.
sim::Task<AddressSpaceOps::FaultResult> AddressSpaceOps::ThpFault(sim::Path& path, Process& process,
                                                                  const Vma& vma, Vpn vpn, bool write) {
  if (!vma.anonymous()) co_return FaultResult::kFallback;
  const Vpn first = ThpStart(vpn);
  const Entry* const leaf = process.space.page_table().FindHuge(first, ThpPage::kOrder);
  if (leaf == nullptr) {
    if (!ThpEnabled(memory_.node(NodeOf(process)).thp, vma) || !CoversThp(vma, first))
      co_return FaultResult::kFallback;
    path.VoidPledge();
    Vma& now = *process.space.Find(vpn);  // mmap_lock keeps it
    process.space.PrepareAnonVma(now);
    if (!process.in_khugepaged) co_await thp_.khugepaged().EnterVma(path, process, now);
    co_return co_await AnonThpFault(path, process, vma, first, write);
  }
  if (leaf->migrating()) {
    co_await WaitForMove(path);
    co_return FaultResult::kRetry;
  }
  if (!write || leaf->writable()) co_return FaultResult::kDone;
  path.VoidPledge();
  co_return co_await ThpCopyOnWrite(path, process, first);
}

bool AddressSpaceOps::NothingAt(const Process& process, Vpn first) {
  const PageTable& tables = process.space.page_table();
  return tables.Find(first) == nullptr && tables.FindHuge(first, ThpPage::kOrder) == nullptr;
}

// do_huge_pmd_anonymous_page()
sim::Task<AddressSpaceOps::FaultResult> AddressSpaceOps::AnonThpFault(sim::Path& path, Process& process,
                                                                      const Vma& vma, Vpn first, bool write) {
  const Costs& costs = memory_.costs();
  Node& home = memory_.node(NodeOf(process));
  if (!write && home.thp.use_zero_page) co_return co_await ZeroPageFault(path, process, first);
  const Pfn page = co_await AllocThpForVma(path, process, vma, first,
                                           ThpGfp(home.thp, vma.thp == Vma::ThpAdvice::kHugepage));
  if (page == kNoPfn) {
    ++home.counter(THP_FAULT_FALLBACK);
    co_return FaultResult::kFallback;
  }
  // As a rule there is a page for the table at hand, and it takes no coroutine to have it.
  sim::Duration takes = costs.clear_page * kThpPages + costs.map_page;
  Pfn table = TryAllocTable(process);
  if (table != kNoPfn) {
    takes += costs.pcp_alloc + costs.clear_page;
  } else {
    table = co_await AllocTable(path, process);
  }
  if (table == kNoPfn) {
    co_await allocator_.Release(path, process.cpu, Folio(page, ThpPage::kOrder));
    co_return FaultResult::kOom;
  }
  co_await path.Take(takes);
  if (!NothingAt(process, first)) {
    co_await allocator_.Release(path, process.cpu, Folio(table));
    co_await allocator_.Release(path, process.cpu, Folio(page, ThpPage::kOrder));
    co_return FaultResult::kRetry;
  }
  const Entry entry(page, Entry::kPresent | Entry::kAnon | Entry::kExclusive);
  process.space.page_table().SetThp(first, entry.WithWritable(vma.access == Access::kReadWrite), table);
  ++home.counter(THP_FAULT_ALLOC);
  co_return FaultResult::kDone;
}

// The read of it: the huge zero page.
sim::Task<AddressSpaceOps::FaultResult> AddressSpaceOps::ZeroPageFault(sim::Path& path, Process& process,
                                                                       Vpn first) {
  Node& home = memory_.node(NodeOf(process));
  const Pfn table = co_await AllocTable(path, process);
  if (table == kNoPfn) co_return FaultResult::kOom;
  if (!co_await thp_.GetZeroPage(path, process)) {
    const Pfn page = co_await AllocZeroPage(path, process);
    if (page == kNoPfn) {
      ++home.counter(THP_ZERO_PAGE_ALLOC_FAILED);
      co_await allocator_.Release(path, process.cpu, Folio(table));
      ++home.counter(THP_FAULT_FALLBACK);
      co_return FaultResult::kFallback;
    }
    co_await path.Take(memory_.costs().clear_page * kThpPages);
    co_await thp_.InstallZeroPage(path, process, page);
  }
  if (NothingAt(process, first)) {
    process.space.page_table().SetThp(first, Entry::ZeroPage(), table);
  } else {
    co_await thp_.PutZeroPage(path, process, thp_.StaleZeroPageRefs(process));
    co_await allocator_.Release(path, process.cpu, Folio(table));
  }
  co_return FaultResult::kDone;
}

// do_huge_pmd_wp_page(): a page that other processes map is not copied whole. Its mapping is split, and base
// pages are copied one at a time.
sim::Task<AddressSpaceOps::FaultResult> AddressSpaceOps::ThpCopyOnWrite(sim::Path& path, Process& process,
                                                                        Vpn first) {
  PageTable& tables = process.space.page_table();
  const Entry old = *tables.FindHuge(first, ThpPage::kOrder);
  Sharing sharing = Sharing::kShared;
  if (!old.zero_page()) {
    sharing = Sharing::kAlone;
    if (!old.exclusive()) sharing = co_await SharingOf(path, old.pfn());
  }
  if (sharing == Sharing::kSettling) co_await WaitForMove(path);
  Entry* const leaf = tables.FindHuge(first, ThpPage::kOrder);
  if (sharing == Sharing::kSettling || leaf == nullptr || *leaf != old) co_return FaultResult::kRetry;
  if (sharing == Sharing::kAlone) {
    *leaf = Entry(old.pfn(), Entry::kPresent | Entry::kAnon | Entry::kExclusive | Entry::kWritable);
    co_return FaultResult::kDone;
  }
  process.space.SplitPmd(first);
  co_await SettlePmdSplits(path, process);
  co_return FaultResult::kFallback;
}

// The counts of pages whose mappings were split, or taken away, when VMAs were cut.
sim::Task<void> AddressSpaceOps::SettlePmdSplits(sim::Path& path, Process& process) {
  const AddressSpace::PmdSplits splits = process.space.TakePmdSplits();
  if (splits.count == 0) co_return;
  memory_.node(NodeOf(process)).counter(THP_SPLIT_PMD) += splits.count;
  co_await path.Take(memory_.costs().split_pmd * splits.count);
  const EntriesHold hold(process.space);
  co_await allocator_.ForEachOnItsNode(path, splits.anon, [this](Zone& zone, FrameIndex frame, Folio) {
    PageAllocator::SplitPmd(memory_.node(zone.node()), zone, frame);
  });
  co_await allocator_.Release(path, process.cpu, splits.file);
  co_await thp_.PutZeroPage(path, process, thp_.StaleZeroPageRefs(process));
}

// Transparent huge pages that lie on the edge of the range are mapped by base entries from now on.
sim::Task<void> AddressSpaceOps::SplitPmdsAround(sim::Path& path, Process& process, Vpn begin, Vpn end) {
  process.space.CutPmd(begin);
  process.space.CutPmd(end);
  co_await SettlePmdSplits(path, process);
}

}  // namespace numasim
