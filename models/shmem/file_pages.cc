// What files hold: fallocate, truncation and holes.
#include <algorithm>

#include "models/base/gfp.h"
#include "models/mempolicy/mempolicy.h"
#include "models/shmem/shmem.h"

namespace numasim {

sim::Task<void> Shmem::Lock(sim::Path& path, FileId id) {
  ShmemFile& file = files_.FileAt(id);
  if (file.lock == nullptr)
    file.lock = std::make_unique<sim::Mutex>(memory_.engine(), HomeOf(id), "tmpfs.i_rwsem");
  co_await file.lock->Acquire(path);
}

bool Shmem::WantsHugePage(const ShmemFile& file, const ThpSettings& thp, const Vma* vma, uint64_t index) {
  if (vma != nullptr && vma->thp == Vma::ThpAdvice::kNohugepage) return false;
  if (thp.shmem_override == ThpSettings::ShmemOverride::kDeny) return false;
  if (thp.shmem_override == ThpSettings::ShmemOverride::kForce) return true;
  using Huge = ThpSettings::ShmemHuge;
  const Huge mount = file.mount == ShmemFile::Mount::kTmpfs ? Huge::kAlways : thp.shmem;
  if (mount == Huge::kNever || mount == Huge::kAlways) return mount == Huge::kAlways;
  const bool within = index / kPageblockPages * kPageblockPages + kPageblockPages <= file.EndIndex();
  if (mount == Huge::kWithinSize && within) return true;
  return vma != nullptr && vma->thp == Vma::ThpAdvice::kHugepage;
}

// unmap_mapping_range(): the pages [from, to), which the file has no more, in every process that maps it. A
// fault that found one of them before is on its way to its process; this path gets there behind it.
sim::Task<void> Shmem::UnmapRange(sim::Path& path, FileId file, uint64_t from, uint64_t to) {
  Rmap::Group mappers{FrameOwner::kShmem, static_cast<uint64_t>(file.value), file, {}, {}};
  files_.At(file).ForEachMapper([&](uint16_t process) { mappers.processes.push_back(process); });
  if (mappers.processes.empty()) co_return;
  int64_t unmapped = 0;
  co_await GoToGlobal(path);
  co_await rmap_.Walk(path, std::vector<Rmap::Group>(1, mappers), [&](Process& process, const Rmap::Group&) {
    if (process.space.entries_held()) return false;
    process.space.ForEachOfFile(false, file, [&](const Vma& vma) {
      const std::optional<Vma::Addresses> here = vma.AddressesOf(from, to);
      if (!here.has_value()) return;
      process.space.page_table().Walk(here->begin, here->end, [&](Vpn, Entry& entry, int) {
        entry = Entry();
        ++unmapped;
      });
    });
    return true;
  });
  co_await path.Take(memory_.costs().unmap_page * unmapped);
  co_await GoHome(path, file);
}

// shmem_undo_range(). The kernel unmaps pages before it takes them out of the file, and looks again for each
// whether a fault has mapped it meanwhile. Here the file loses them first, so that no fault can.
sim::Task<void> Shmem::RemovePages(sim::Path& path, FileId file, uint64_t from, uint64_t to, CpuId cpu) {
  const std::vector<Folio> removed = files_.At(file).TakeRange(from, to);
  if (removed.empty()) co_return;
  co_await UnmapRange(path, file, from, to);
  co_await allocator_.Release(path, cpu, removed);
}

// shmem_setattr()
sim::Task<Errno> Shmem::Truncate(sim::Path& path, FileId id, int64_t bytes, CpuId cpu) {
  const sim::LpId here = path.lp();
  co_await path.Take(memory_.costs().syscall);
  co_await GoHome(path, id);
  co_await Lock(path, id);
  ShmemFile& file = files_.FileAt(id);
  const bool shrinks = bytes <= file.bytes;
  file.bytes = bytes;
  if (shrinks) co_await RemovePages(path, id, file.EndIndex(), kEnd, cpu);
  file.lock->Release(path);
  co_await path.GoTo(here, memory_.costs().hop);
  co_return Errno::kOk;
}

// shmem_fallocate(FALLOC_FL_PUNCH_HOLE): only whole pages become a hole.
sim::Task<Errno> Shmem::Punch(sim::Path& path, FileId id, int64_t offset, int64_t length, CpuId cpu) {
  if (length <= 0) co_return Errno::kInval;  // vfs_fallocate()
  const sim::LpId here = path.lp();
  co_await path.Take(memory_.costs().syscall);
  co_await GoHome(path, id);
  ShmemFile& file = files_.FileAt(id);
  ++file.opens;  // madvise() has no mmap_lock meanwhile: its VMA may go
  co_await Lock(path, id);
  const auto from = static_cast<uint64_t>((offset + kPageSize - 1) >> kPageShift);
  const auto to = static_cast<uint64_t>((offset + length) >> kPageShift);
  if (from < to) co_await RemovePages(path, id, from, to, cpu);
  file.lock->Release(path);
  --file.opens;
  co_await DropIfUnused(path, id, cpu);
  co_await path.GoTo(here, memory_.costs().hop);
  co_return Errno::kOk;
}

sim::Task<bool> Shmem::AddPage(sim::Path& path, FileId file, uint64_t index, const MemPolicy& policy,
                               CpuId cpu) {
  const Placement placement = PlaceInVma(policy, memory_.NodeOfCpu(cpu), index);
  AllocRequest request;
  request.gfp = kGfpHighuserMovable;
  request.preferred = placement.preferred;
  request.allowed = placement.allowed;
  request.interleave = placement.interleave;
  request.cpu = cpu;
  request.owner = {FrameOwner::kShmem, 1, static_cast<uint64_t>(file.value), index};
  const Pfn pfn = co_await allocator_.AllocPlaced(path, request, placement.retry_anywhere);
  if (pfn == kNoPfn) co_return false;
  co_await path.Take(memory_.costs().clear_page);
  Mapping& mapping = files_.At(file);
  if (mapping.Lookup(index) == kNoPfn) {
    mapping.Insert(index, pfn);
    co_return true;
  }
  const std::vector<Folio> unused(1, Folio(pfn));  // a fault was faster
  co_await allocator_.Release(path, cpu, unused);
  co_return true;
}

// shmem_fallocate()
sim::Task<Errno> Shmem::Fallocate(sim::Path& path, Process& process, FileId id, int64_t offset,
                                  int64_t length) {
  if (length <= 0) co_return Errno::kInval;  // vfs_fallocate()
  const sim::LpId here = path.lp();
  const CpuId cpu = process.cpu;
  const MemPolicy policy = process.policy;
  const int64_t max_blocks = memory_.node(memory_.NodeOfCpu(cpu)).total_pages;  // size=100%
  co_await path.Take(memory_.costs().syscall);
  const auto start = static_cast<uint64_t>(offset >> kPageShift);
  const auto end = static_cast<uint64_t>((offset + length + kPageSize - 1) >> kPageShift);
  if (static_cast<int64_t>(end - start) > max_blocks) co_return Errno::kNoSpc;
  co_await GoHome(path, id);
  co_await Lock(path, id);
  ShmemFile& file = files_.FileAt(id);
  std::vector<uint64_t> added;
  Errno error = Errno::kOk;
  for (uint64_t index = start; index < end && error == Errno::kOk; ++index) {
    if (file.mapping.Lookup(index) != kNoPfn) continue;
    if (WantsHugePage(file, memory_.node(id.home).thp, nullptr, index)) throw NotModelled(kHugeShmem);
    if (co_await AddPage(path, id, index, policy, cpu)) {
      added.push_back(index);
    } else {
      error = Errno::kNoMem;
    }
  }
  if (error != Errno::kOk) {
    for (const uint64_t index : added) co_await RemovePages(path, id, index, index + 1, cpu);
  } else {
    file.bytes = std::max(file.bytes, offset + length);
  }
  file.lock->Release(path);
  co_await path.GoTo(here, memory_.costs().hop);
  co_return error;
}

}  // namespace numasim
