// madvise and mlock (mm/madvise.c, mm/mlock.c, Linux 6.1), and what populates mappings for them.
#include <algorithm>

#include "models/mm/address_space_ops.h"
#include "models/physical/thp_page.h"
#include "models/thp/thp_allowed.h"
#include "sim/check.h"

namespace numasim {
namespace {

// Whether MADV_COLLAPSE goes on behind a range that it could not collapse.
bool MayGoOn(ScanResult result) {
  switch (result) {
    case ScanResult::kPmdNull:
    case ScanResult::kPteNonPresent:
    case ScanResult::kPageRo:
    case ScanResult::kPageNull:
    case ScanResult::kPageCount:
    case ScanResult::kPageLock:
      return true;
    default:
      return false;
  }
}

// madvise_collapse_errno()
Errno CollapseErrno(ScanResult result) {
  switch (result) {
    case ScanResult::kAllocHugePageFail:
      return Errno::kNoMem;
    case ScanResult::kPageCount:
    case ScanResult::kPageLock:
      return Errno::kAgain;
    default:
      return Errno::kInval;
  }
}

}  // namespace

sim::Task<Errno> AddressSpaceOps::Advise(sim::Path& path, Process& process, Vpn begin, Vpn end,
                                         Advice advice) {
  co_await path.Take(memory_.costs().syscall);
  sim::RwSem& mmap_lock = process.space.mmap_lock();
  // madvise_need_mmap_write(): what changes VMAs.
  if (advice == Advice::kHugepage || advice == Advice::kNohugepage) {
    co_await mmap_lock.AcquireWrite(path);
    const Errno error = co_await AdviseVmas(path, process, begin, end, advice);
    mmap_lock.ReleaseWrite(path);
    co_return error;
  }
  co_await mmap_lock.AcquireRead(path);
  const Errno error = co_await AdviseVmas(path, process, begin, end, advice);
  mmap_lock.ReleaseRead(path);
  co_return error;
}

// madvise_walk_vmas()
sim::Task<Errno> AddressSpaceOps::AdviseVmas(sim::Path& path, Process& process, Vpn begin, Vpn end,
                                             Advice advice) {
  Errno result = Errno::kOk;
  while (begin < end) {
    const Vma* const vma = process.space.FindFrom(begin);
    if (vma == nullptr || vma->start > begin) result = Errno::kNoMem;
    if (vma == nullptr || vma->start >= end) break;
    begin = std::max(begin, vma->start);
    const Vpn part_end = std::min(vma->end, end);
    const Errno error = co_await AdviseVma(path, process, begin, part_end, advice);
    if (error != Errno::kOk) co_return error;
    begin = part_end;
  }
  co_return result;
}

sim::Task<Errno> AddressSpaceOps::AdviseVma(sim::Path& path, Process& process, Vpn begin, Vpn end,
                                            Advice advice) {
  switch (advice) {
    case Advice::kDontneed:
      co_return co_await DontneedVma(path, process, begin, end);
    case Advice::kFree:
      co_return co_await FreeLazily(path, process, begin, end);
    case Advice::kRemove:
      co_return co_await RemoveVma(path, process, begin, end);
    case Advice::kHugepage:
      co_return co_await AdviseThp(path, process, begin, end, Vma::ThpAdvice::kHugepage);
    case Advice::kNohugepage:
      co_return co_await AdviseThp(path, process, begin, end, Vma::ThpAdvice::kNohugepage);
    case Advice::kCollapse:
      co_return co_await CollapseVma(path, process, begin, end);
    case Advice::kPopulateRead:
    case Advice::kPopulateWrite:
      break;
  }
  const Vma& vma = *process.space.Find(begin);
  const bool write = advice == Advice::kPopulateWrite;
  const bool allowed = write ? vma.access == Access::kReadWrite : vma.access != Access::kNone;
  if (!allowed) co_return Errno::kInval;
  co_return co_await FaultIn(path, process, begin, end, write);
}

// madvise_dontneed_free(): of huge pages only those that the range covers whole.
sim::Task<Errno> AddressSpaceOps::DontneedVma(sim::Path& path, Process& process, Vpn begin, Vpn end) {
  const Vma& vma = *process.space.Find(begin);
  if (vma.locked || process.space.CutsHugePage(begin)) co_return Errno::kInval;
  Vma part = vma;
  part.start = begin;
  part.end = vma.hugetlb() ? vma.HugePageOf(end) : end;
  if (part.start >= part.end) co_return Errno::kOk;
  if (!part.hugetlb()) co_await SplitPmdsAround(path, process, part.start, part.end);
  co_await Zap(path, process, part);
  co_return Errno::kOk;
}

// madvise_free_single_vma(): the pages stay until reclaim wants them, which is not modelled. But huge pages
// of which a part is given up are split.
sim::Task<Errno> AddressSpaceOps::FreeLazily(sim::Path& path, Process& process, Vpn begin, Vpn end) {
  const Vma& vma = *process.space.Find(begin);
  if (vma.locked || !vma.anonymous()) co_return Errno::kInval;
  for (Vpn at = begin; at < end;) {
    const Vpn next = std::min(end, ThpStart(at) + kThpPages);
    if (co_await FreePartLazily(path, process, at, next)) at = next;
  }
  co_return Errno::kOk;
}

// madvise_free_pte_range() for part of a PTE table, or madvise_free_huge_pmd(). False where a huge page was
// split, and it is to be looked at again.
sim::Task<bool> AddressSpaceOps::FreePartLazily(sim::Path& path, Process& process, Vpn begin, Vpn end) {
  PageTable& tables = process.space.page_table();
  const Entry* const leaf = tables.FindHuge(ThpStart(begin), ThpPage::kOrder);
  if (leaf != nullptr && (leaf->zero_page() || leaf->migrating() || end - begin == kThpPages)) {
    co_await path.Take(memory_.costs().unmap_page);
    co_return true;
  }
  int64_t entries = 0;
  std::vector<Folio> pages;
  if (leaf != nullptr) {
    pages.push_back(Folio(leaf->pfn()));
  } else {
    tables.Walk(begin, end, [&](Vpn, const Entry& entry, int) {
      ++entries;
      if (entry.present() && entry.anon()) pages.push_back(Folio(entry.pfn()));
    });
  }
  co_await path.Take(memory_.costs().unmap_page * (entries + 1));
  // The first that is part of a huge page decides: of one that others map too, nothing is given up.
  for (const Folio page : pages) {
    const Part part = co_await SplitForPart(path, process, page, leaf != nullptr);
    if (part != Part::kNone) co_return part == Part::kStays;
  }
  co_return true;
}

sim::Task<AddressSpaceOps::Part> AddressSpaceOps::SplitForPart(sim::Path& path, Process& process, Folio part,
                                                               bool by_pmd) {
  const sim::LpId home = path.lp();
  Zone& zone = *memory_.ZoneOf(part.head());
  const FrameIndex frame = zone.frames().Index(part.head());
  co_await path.GoTo(memory_.node(zone.node()).lp, memory_.costs().hop);
  Part became = Part::kNone;
  if (ThpPage::Holds(zone.frames(), frame)) {
    const ThpPage page(zone.frames(), frame);
    const Pfn head = zone.frames().PfnOf(page.head());
    became = Part::kStays;
    // total_mapcount(), or folio_estimated_sharers()
    const bool alone = by_pmd ? page.total_mapcount() == 1 : page.mapcount(page.head()) == 1;
    if (alone) {
      zone.TakeRef(page.head(), ThpPage::kOrder);
      if (co_await thp_.splitter().Split(path, process.cpu, head)) {
        became = Part::kSplit;
      } else {
        co_await allocator_.DropRefs(path, process.cpu, Folio(head, ThpPage::kOrder));
      }
    }
  }
  co_await path.GoTo(home, memory_.costs().hop);
  co_return became;
}

// madvise_remove(): a hole in the file, for everybody who maps it. mmap_lock is not held meanwhile.
sim::Task<Errno> AddressSpaceOps::RemoveVma(sim::Path& path, Process& process, Vpn begin, Vpn end) {
  const Vma& vma = *process.space.Find(begin);
  if (vma.locked || vma.anonymous()) co_return Errno::kInval;
  const bool huge = vma.hugetlb();
  if ((huge && !vma.huge.shared) || vma.cow) co_return Errno::kAcces;
  const auto offset = static_cast<int64_t>(vma.IndexOf(begin) << kPageShift);
  const int64_t length = (end - begin) << kPageShift;
  const FileId file = vma.file;
  process.space.mmap_lock().ReleaseRead(path);
  Errno error = Errno::kOk;
  if (huge) {
    error = co_await hugetlb_.Punch(path, file, offset, length, process.cpu);
  } else {
    error = co_await shmem_.Punch(path, file, offset, length, process.cpu);
  }
  co_await process.space.mmap_lock().AcquireRead(path);
  co_return error;
}

// hugepage_madvise() and madvise_update_vma(). Huge pages of HugeTLB take the advice too, and do nothing with
// it.
sim::Task<Errno> AddressSpaceOps::AdviseThp(sim::Path& path, Process& process, Vpn begin, Vpn end,
                                            Vma::ThpAdvice advice) {
  if (advice == Vma::ThpAdvice::kHugepage && !process.in_khugepaged) {
    Vma advised = *process.space.Find(begin);
    advised.thp = advice;
    co_await thp_.khugepaged().EnterVma(path, process, advised);
  }
  if (process.space.Find(begin)->thp == advice) co_return Errno::kOk;
  co_await path.Take(memory_.costs().vma);
  const AddressSpace::Changed changed =
      process.space.Change(begin, end, MaxMapCount(process), [&](Vma& vma) { vma.thp = advice; });
  co_await SettlePmdSplits(path, process);
  const Errno error = ErrnoOf(changed.refusal);
  co_return error == Errno::kNoMem ? Errno::kAgain : error;
}

// madvise_collapse()
sim::Task<Errno> AddressSpaceOps::CollapseVma(sim::Path& path, Process& process, Vpn begin, Vpn end) {
  CollapseLimits limits;
  limits.khugepaged = false;
  const ThpSettings& settings = memory_.node(NodeOf(process)).thp;
  if (!MayCollapse(settings, *process.space.Find(begin), false)) co_return Errno::kInval;
  const Vpn first = ThpStart(begin + (kThpPages - 1));
  Vpn last = ThpStart(end);
  sim::RwSem& mmap_lock = process.space.mmap_lock();
  bool locked = true;
  int64_t thps = 0;
  ScanResult failed = ScanResult::kFail;
  for (Vpn at = first; at < last; at = at + kThpPages) {
    if (!locked) {
      co_await mmap_lock.AcquireRead(path);
      locked = true;
      if (const ScanResult found = thp_.collapser().Revalidate(process, at, limits);
          found != ScanResult::kSucceed) {
        failed = found;
        break;
      }
      last = std::min(last, ThpStart(process.space.Find(at)->end));
    }
    const Vma& vma = *process.space.Find(at);
    Collapser::Outcome outcome{ScanResult::kFail, false};
    if (vma.shmem()) {
      outcome.result = co_await CollapseFile(path, process, vma, at, limits);
    } else {
      outcome = co_await thp_.collapser().ScanPmd(path, process.cpu, process, at, limits);
    }
    locked = outcome.mmap_locked;
    if (outcome.result == ScanResult::kSucceed || outcome.result == ScanResult::kPmdMapped) {
      ++thps;
      continue;
    }
    failed = outcome.result;
    if (!MayGoOn(failed)) break;
  }
  if (!locked) co_await mmap_lock.AcquireRead(path);
  co_return thps == (last - first) / kThpPages ? Errno::kOk : CollapseErrno(failed);
}

// hpage_collapse_scan_file() for madvise_collapse(): begins with mmap_lock held and ends without.
sim::Task<ScanResult> AddressSpaceOps::CollapseFile(sim::Path& path, Process& process, const Vma& vma,
                                                    Vpn first, CollapseLimits limits) {
  const sim::LpId home = path.lp();
  FileCollapser& collapser = thp_.file_collapser();
  const FileCollapser::Place place{vma.file, vma.IndexOf(first), process.id, first};
  sim::RwSem& mmap_lock = process.space.mmap_lock();
  mmap_lock.ReleaseRead(path);
  ScanResult result = co_await collapser.Scan(path, process.cpu, place, limits);
  co_await path.GoTo(home, memory_.costs().hop);
  if (result != ScanResult::kPteMappedHugepage) co_return result;
  co_await mmap_lock.AcquireWrite(path);
  result =
      co_await collapser.CollapsePteMapped(path, process.cpu, process, first, FileCollapser::Install::kPmd);
  mmap_lock.ReleaseWrite(path);
  co_return result;
}

// __get_user_pages() of a part of a VMA that allows it, with mmap_lock held: kFault for SIGBUS.
sim::Task<Errno> AddressSpaceOps::FaultIn(sim::Path& path, Process& process, Vpn begin, Vpn end, bool write) {
  const Vma& vma = *process.space.Find(begin);
  const Vpn first = vma.HugePageOf(begin);
  const uint64_t stride = uint64_t{kPageSize} << vma.huge.order;
  const TouchRequest touch{first.value << kPageShift, end.value << kPageShift, stride, write, true};
  const TouchCounts counts = co_await TouchPages(path, process, touch, Locking::kHeld);
  if (counts.oom > 0) co_return Errno::kNoMem;
  co_return counts.sigbus > 0 ? Errno::kFault : Errno::kOk;
}

// populate_vma_page_range(): private memory is written to, so that it is not copied later.
sim::Task<Errno> AddressSpaceOps::PopulateVma(sim::Path& path, Process& process, Vpn begin, Vpn end) {
  const Vma& vma = *process.space.Find(begin);
  if (vma.access == Access::kNone) co_return Errno::kFault;
  const bool shared = vma.hugetlb() ? vma.huge.shared : !vma.anonymous() && !vma.cow;
  co_return co_await FaultIn(path, process, begin, end, vma.access == Access::kReadWrite && !shared);
}

// do_mlock(). VMAs of huge pages are never marked, nor split (mlock_fixup).
sim::Task<Errno> AddressSpaceOps::Lock(sim::Path& path, Process& process, Vpn begin, Vpn end) {
  co_await path.Take(memory_.costs().syscall);
  sim::RwSem& mmap_lock = process.space.mmap_lock();
  co_await mmap_lock.AcquireWrite(path);
  const Errno marked = co_await MarkLocked(path, process, begin, end);
  mmap_lock.ReleaseWrite(path);
  if (marked != Errno::kOk) co_return marked;
  co_await mmap_lock.AcquireRead(path);
  const Errno populated = co_await PopulateLocked(path, process, begin, end);
  mmap_lock.ReleaseRead(path);
  co_return populated;
}

// apply_vma_lock_flags()
sim::Task<Errno> AddressSpaceOps::MarkLocked(sim::Path& path, Process& process, Vpn begin, Vpn end) {
  const Vpn reach = process.space.MappedUntil(begin, end);
  for (Vpn at = begin; at < reach;) {
    const Vma* const vma = process.space.Find(at);
    const Vpn part_end = std::min(vma->end, reach);
    if (!vma->hugetlb()) {
      const AddressSpace::Changed changed =
          process.space.Change(at, part_end, MaxMapCount(process), [](Vma& part) { part.locked = true; });
      co_await SettlePmdSplits(path, process);
      if (changed.refusal != AddressSpace::Refusal::kNone) co_return Errno::kNoMem;
    }
    co_await path.Take(memory_.costs().vma);
    at = part_end;
  }
  co_return reach < end ? Errno::kNoMem : Errno::kOk;
}

// __mm_populate() of what mlock() has marked.
sim::Task<Errno> AddressSpaceOps::PopulateLocked(sim::Path& path, Process& process, Vpn begin, Vpn end) {
  while (begin < end) {
    const Vpn part_end = std::min(process.space.Find(begin)->end, end);
    // __mlock_posix_error_return()
    const Errno error = co_await PopulateVma(path, process, begin, part_end);
    if (error == Errno::kFault) co_return Errno::kNoMem;
    if (error == Errno::kNoMem) co_return Errno::kAgain;
    begin = part_end;
  }
  co_return Errno::kOk;
}

sim::Task<void> AddressSpaceOps::PopulateMapping(sim::Path& path, Process& process, Vpn begin, Vpn end) {
  sim::RwSem& mmap_lock = process.space.mmap_lock();
  co_await mmap_lock.AcquireRead(path);
  while (begin < end) {
    const Vma* const vma = process.space.FindFrom(begin);
    if (vma == nullptr || vma->start >= end) break;
    begin = std::max(begin, vma->start);
    const Vpn part_end = std::min(vma->end, end);
    co_await PopulateVma(path, process, begin, part_end);
    begin = part_end;
  }
  mmap_lock.ReleaseRead(path);
}

}  // namespace numasim
