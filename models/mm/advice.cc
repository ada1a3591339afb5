// madvise and mlock (mm/madvise.c, mm/mlock.c, Linux 6.1), and what populates mappings for them.
#include <algorithm>

#include "models/mm/address_space_ops.h"
#include "sim/check.h"

namespace numasim {

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
      if (process.space.Find(begin)->hugetlb()) co_return Errno::kInval;
      throw NotModelled("advise collapse of base pages is not modelled yet");
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
  if (vma.hugetlb()) end = vma.HugePageOf(end);
  if (begin < end) co_await Zap(path, process, begin, end);
  co_return Errno::kOk;
}

// madvise_free_single_vma(): the pages stay until reclaim wants them, which is not modelled.
sim::Task<Errno> AddressSpaceOps::FreeLazily(sim::Path& path, Process& process, Vpn begin, Vpn end) {
  const Vma& vma = *process.space.Find(begin);
  if (vma.locked || !vma.anonymous()) co_return Errno::kInval;
  int64_t entries = 0;
  process.space.page_table().Walk(begin, end, [&](Vpn, const Entry&, int) { ++entries; });
  co_await path.Take(memory_.costs().unmap_page * entries);
  co_return Errno::kOk;
}

// madvise_remove(): a hole in the file, for everybody who maps it. mmap_lock is not held meanwhile.
sim::Task<Errno> AddressSpaceOps::RemoveVma(sim::Path& path, Process& process, Vpn begin, Vpn end) {
  const Vma& vma = *process.space.Find(begin);
  if (vma.locked || vma.anonymous()) co_return Errno::kInval;
  const bool huge = vma.hugetlb();
  if (huge && !vma.huge.shared) co_return Errno::kAcces;
  const auto offset = static_cast<int64_t>(vma.IndexOf(begin) << kPageShift);
  const int64_t length = (end - begin) << kPageShift;
  const FileId file = vma.file;
  process.space.mmap_lock().ReleaseRead(path);
  const Errno error = co_await (huge ? hugetlb_.Punch(path, file, offset, length, process.cpu)
                                     : shmem_.Punch(path, file, offset, length, process.cpu));
  co_await process.space.mmap_lock().AcquireRead(path);
  co_return error;
}

// hugepage_madvise() and madvise_update_vma(). Huge pages of HugeTLB take the advice too, and do nothing with
// it.
sim::Task<Errno> AddressSpaceOps::AdviseThp(sim::Path& path, Process& process, Vpn begin, Vpn end,
                                            Vma::ThpAdvice advice) {
  if (process.space.Find(begin)->thp == advice) co_return Errno::kOk;
  co_await path.Take(memory_.costs().vma);
  const AddressSpace::Changed changed =
      process.space.Change(begin, end, MaxMapCount(process), [&](Vma& vma) { vma.thp = advice; });
  const Errno error = ErrnoOf(changed.refusal);
  co_return error == Errno::kNoMem ? Errno::kAgain : error;
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
  const bool shared = vma.hugetlb() ? vma.huge.shared : !vma.anonymous();
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
