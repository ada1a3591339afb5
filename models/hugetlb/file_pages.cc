// What files hold: fallocate, truncation and holes (fs/hugetlbfs/inode.c).
#include <algorithm>
#include <optional>
#include <utility>

#include "models/hugetlb/hugetlb.h"
#include "sim/check.h"

namespace numasim {
namespace {

// PAGEVEC_SIZE: how many pages truncation looks up, and then frees, at a time.
constexpr size_t kBatch = 15;

}  // namespace

// Unmaps the pages [from, to) of the file, also copies that private mappings have of them
// (hugetlb_vmdelete_list).
sim::Task<void> Hugetlb::UnmapRange(sim::Path& path, HugeFile& file, uint64_t from, uint64_t to, CpuId cpu) {
  std::vector<Pfn> unmapped;
  const Visitor visit = [&](Process& process) {
    process.space.ForEachOfFile(true, file.id, [&](Vma& vma) {
      const std::optional<Vma::Addresses> here = vma.AddressesOf(from, to);
      if (here.has_value()) process.space.page_table().TakeHuge(here->begin, here->end, unmapped);
    });
  };
  co_await VisitMappers(path, file, visit);
  co_await path.Take(memory_.costs().unmap_page * std::ssize(unmapped));
  co_await Unreference(path, cpu, unmapped);
}

// filemap_lock_folio(), with the fault mutex: who moves the page is waited for. kNoPfn where there is none.
sim::Task<Pfn> Hugetlb::LockCached(sim::Path& path, HugeFile& file, uint64_t index) {
  for (;;) {
    const Pfn pfn = file.mapping.Lookup(index);
    if (pfn == kNoPfn) co_return kNoPfn;
    HugePage& page = pool_.pages().Used(pfn);
    if (!page.locked) {
      page.locked = true;
      co_return pfn;
    }
    co_await path.Take(memory_.costs().hop);
  }
}

// remove_inode_hugepages(): a truncation gives up the reservations to the file's end, a hole only those of
// the pages that it had.
sim::Task<void> Hugetlb::RemovePages(sim::Path& path, HugeFile& file, uint64_t from, uint64_t to,
                                     bool truncate, CpuId cpu) {
  int64_t freed = 0;
  std::vector<Pfn> batch;
  for (uint64_t next = from;;) {
    std::optional<Mapping::Page> page = file.mapping.FirstFrom(next);
    const bool end = !page.has_value() || page->index >= to;
    if (end || batch.size() == kBatch) {
      std::vector<Pfn> unused;
      DropReferences(batch, unused);
      batch.clear();
      co_await pool_.Free(path, cpu, unused);
      if (end) break;
      page = file.mapping.FirstFrom(next);
      if (!page.has_value()) continue;
    }
    const uint64_t index = page->index;
    next = index + 1;
    sim::Mutex& mutex = FaultMutex(file.id, index);
    co_await mutex.Acquire(path);
    const Pfn pfn = co_await LockCached(path, file, index);
    if (pfn != kNoPfn) {
      HugePage& removed = pool_.pages().Used(pfn);
      // Faulted in again after it was unmapped.
      if (removed.mapcount > 0) co_await UnmapRange(path, file, index, index + 1, cpu);
      removed.cached = false;
      removed.locked = false;
      if (removed.mapcount == 0) removed.file = nullptr;
      ++removed.refs;  // the batch's
      file.mapping.Erase(index);
      batch.push_back(pfn);
      ++freed;
      if (!truncate) co_await Unreserve(path, file, index, index + 1, 1, cpu);
    }
    mutex.Release(path);
  }
  if (truncate) co_await Unreserve(path, file, from, ResvMap::kEnd, freed, cpu);
}

// hugetlb_unreserve_pages()
sim::Task<void> Hugetlb::Unreserve(sim::Path& path, HugeFile& file, uint64_t from, uint64_t to, int64_t freed,
                                   CpuId cpu) {
  co_await path.Take(memory_.costs().hugetlb_resv);
  const int64_t unused = file.resv.Delete(from, to) - freed;
  const int64_t global = file.subpool != nullptr ? file.subpool->Put(unused) : unused;
  const HugeRequester who{cpu, MemPolicy{}};
  co_await pool_.Account(path, file.page_size, -global, who);
  if (file.subpool != nullptr) co_await pool_.ReleaseIfUnused(path, *file.subpool, cpu);
}

// hugetlbfs_evict_inode(), when nothing refers to the file any more.
sim::Task<void> Hugetlb::DropIfUnused(sim::Path& path, HugeFile& file, CpuId cpu) {
  if (file.InUse()) co_return;
  ++file.opens;
  co_await RemovePages(path, file, 0, ResvMap::kEnd, true, cpu);
  --file.opens;
  if (file.InUse()) co_return;  // by who moves one of the pages, and drops the file afterwards
  files_.Remove(file.id);
}

// hugetlb_vmtruncate(); the file is locked.
sim::Task<void> Hugetlb::TruncateTo(sim::Path& path, HugeFile& file, int64_t bytes, CpuId cpu) {
  const auto from = static_cast<uint64_t>(bytes >> kPageShift) >> OrderOf(file.page_size);
  file.bytes = bytes;
  co_await file.vma_lock->AcquireWrite(path);
  co_await UnmapRange(path, file, from, ResvMap::kEnd, cpu);
  file.vma_lock->ReleaseWrite(path);
  co_await RemovePages(path, file, from, ResvMap::kEnd, true, cpu);
}

sim::Task<Errno> Hugetlb::Truncate(sim::Path& path, FileId id, int64_t bytes, CpuId cpu) {
  const sim::LpId home = path.lp();
  co_await path.Take(memory_.costs().syscall);
  co_await ToGlobal(path);
  HugeFile& file = files_.At(id);
  const bool aligned = bytes % (PagesOf(file.page_size) << kPageShift) == 0;
  if (aligned) {
    co_await file.lock->Acquire(path);
    co_await TruncateTo(path, file, bytes, cpu);
    file.lock->Release(path);
  }
  co_await GoHome(path, home);
  co_return aligned ? Errno::kOk : Errno::kInval;
}

// hugetlbfs_punch_hole(): only whole pages become a hole.
sim::Task<Errno> Hugetlb::Punch(sim::Path& path, FileId id, int64_t offset, int64_t length, CpuId cpu) {
  if (length <= 0) co_return Errno::kInval;  // vfs_fallocate()
  const sim::LpId home = path.lp();
  co_await path.Take(memory_.costs().syscall);
  co_await ToGlobal(path);
  HugeFile& file = files_.At(id);
  const int64_t size = PagesOf(file.page_size) << kPageShift;
  const auto from = static_cast<uint64_t>((offset + size - 1) / size);
  const auto to = static_cast<uint64_t>((offset + length) / size);
  if (from < to) {
    co_await file.lock->Acquire(path);
    co_await file.vma_lock->AcquireWrite(path);
    co_await UnmapRange(path, file, from, to, cpu);
    file.vma_lock->ReleaseWrite(path);
    co_await RemovePages(path, file, from, to, false, cpu);
    file.lock->Release(path);
  }
  co_await GoHome(path, home);
  co_return Errno::kOk;
}

// hugetlbfs_fallocate()
sim::Task<Errno> Hugetlb::Fallocate(sim::Path& path, Process& process, FileId id, int64_t offset,
                                    int64_t length) {
  if (length <= 0) co_return Errno::kInval;  // vfs_fallocate()
  const sim::LpId home = path.lp();
  const CpuId cpu = process.cpu;
  const MemPolicy policy = process.policy;
  co_await path.Take(memory_.costs().syscall);
  co_await ToGlobal(path);
  HugeFile& file = files_.At(id);
  const int64_t size = PagesOf(file.page_size) << kPageShift;
  const auto end = static_cast<uint64_t>((offset + length + size - 1) / size);
  co_await file.lock->Acquire(path);
  Errno error = Errno::kOk;
  for (auto index = static_cast<uint64_t>(offset / size); index < end && error == Errno::kOk; ++index) {
    HugeClaim claim;
    claim.size = file.page_size;
    claim.cpu = cpu;
    claim.placement = PlaceHuge(policy, cpu, index);
    claim.shared = true;
    claim.resv = &file.resv;
    claim.index = index;
    claim.subpool = file.subpool;
    sim::Mutex& mutex = FaultMutex(id, index);
    co_await mutex.Acquire(path);
    if (file.mapping.Lookup(index) == kNoPfn && !co_await AddToCache(path, file, claim))
      error = Errno::kNoSpc;
    mutex.Release(path);
  }
  if (error == Errno::kOk) file.bytes = std::max(file.bytes, offset + length);
  file.lock->Release(path);
  co_await GoHome(path, home);
  co_return error;
}

sim::Task<bool> Hugetlb::AddToCache(sim::Path& path, HugeFile& file, const HugeClaim& claim) {
  const Pfn pfn = co_await pool_.Alloc(path, claim, false);
  if (pfn == kNoPfn) co_return false;
  co_await path.Take(memory_.costs().clear_page * PagesOf(file.page_size));
  HugePage& page = pool_.pages().Used(pfn);
  page.restore_reserve = false;
  page.file = &file;
  page.cached = true;
  page.index = claim.index;
  file.mapping.Insert(claim.index, pfn);
  co_return true;
}

}  // namespace numasim
