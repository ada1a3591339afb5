// What files hold: fallocate, truncation and holes.
#include <algorithm>

#include "models/base/gfp.h"
#include "models/base/thp_gfp.h"
#include "models/mempolicy/placed_alloc.h"
#include "models/shmem/shmem.h"
#include "models/thp/thp_allowed.h"

namespace numasim {

sim::Task<void> Shmem::Lock(sim::Path& path, FileId id) {
  ShmemFile& file = files_.FileAt(id);
  if (file.lock == nullptr)
    file.lock = std::make_unique<sim::Mutex>(memory_.engine(), HomeOf(id), "tmpfs.i_rwsem");
  co_await file.lock->Acquire(path);
}

bool Shmem::WantsHugePage(const ShmemFile& file, const ThpSettings& thp, const Vma* vma, uint64_t index) {
  const auto advice = vma == nullptr ? Vma::ThpAdvice::kNone : vma->thp;
  return ShmemIsHuge(thp, file.mount == ShmemFile::Mount::kTmpfs, advice, index, file.EndIndex());
}

// unmap_mapping_range(): the pages of the range in every process that maps them. The mapping of a huge page
// of which they are a part goes whole, and is counted as split; so is that of any where the page itself is
// split.
//
// The file has them no more, or has locked them. A fault that found one before is on its way to its process,
// by way of the node of a huge page that a PMD is to map. This path gets there behind it, by the global LP
// and one hop more.
sim::Task<void> Shmem::UnmapRange(sim::Path& path, FileId file, Range range, Unmapping why, CpuId cpu) {
  const std::vector<Rmap::Group> mappers = Rmap::MappersOf(file, files_.At(file));
  if (mappers.front().processes.empty() || range.from >= range.to) co_return;
  int64_t entries = 0;
  int64_t splits = 0;
  std::vector<Folio> pmds;  // huge pages that lose a mapping
  const auto unmap = [&](AddressSpace& space, Vpn begin, Vpn end) {
    space.CutPmd(begin);
    space.CutPmd(end);
    PageTable& tables = space.page_table();
    tables.Walk(begin, end, [&](Vpn vpn, Entry& entry, int order) {
      ++entries;
      if (order == 0) {
        if (!entry.anon()) entry = Entry();  // a private copy stays
        return;
      }
      if (entry.present()) pmds.emplace_back(entry.pfn(), order);  // else who moves it finds it gone
      if (why == Unmapping::kToSplit) ++splits;
      tables.SetHuge(vpn, order, Entry());
    });
    const AddressSpace::PmdSplits cut = space.TakePmdSplits();
    splits += cut.count;
    pmds.insert(pmds.end(), cut.file.begin(), cut.file.end());
  };
  co_await GoToGlobal(path);
  co_await path.Take(memory_.costs().hop);
  co_await rmap_.Walk(path, mappers, [&](Process& process, const Rmap::Group&) {
    if (process.space.entries_held()) return false;
    process.space.ForEachOfFile(false, file, [&](const Vma& vma) {
      const std::optional<Vma::Addresses> here = vma.AddressesOf(range.from, range.to);
      if (here.has_value()) unmap(process.space, here->begin, here->end);
    });
    return true;
  });
  co_await path.Take(memory_.costs().unmap_page * entries);
  co_await allocator_.Release(path, cpu, pmds);
  co_await GoHome(path, file);
  memory_.node(file.home).counter(THP_SPLIT_PMD) += splits;
}

// folio_lock() of what is being collapsed in the range.
sim::Task<void> Shmem::WaitForCollapse(sim::Path& path, FileId file, Range range) {
  const Mapping& mapping = files_.At(file);
  while (mapping.AnyCollapsing(range.from, range.to)) co_await path.Take(memory_.costs().hop);
}

// The pages that lie wholly in the range. The kernel unmaps pages before it takes them out of the file, and
// looks again for each whether a fault has mapped it meanwhile. Here the file loses them first, so that no
// fault can.
sim::Task<void> Shmem::RemoveWhole(sim::Path& path, FileId file, Range range, CpuId cpu) {
  if (range.from >= range.to) co_return;
  co_await WaitForCollapse(path, file, range);
  const std::vector<Folio> removed = files_.At(file).TakeRange(range.from, range.to);
  if (removed.empty()) co_return;
  co_await UnmapRange(path, file, range, Unmapping::kRange, cpu);
  co_await allocator_.Release(path, cpu, removed);
}

// shmem_undo_range() of the bytes [begin, end). A huge page that sticks out at one end is split, also where
// no whole page of it is to go. Where it cannot be, as something holds it, it stays: what the range has of it
// is zeroed, and only its mappings go.
sim::Task<void> Shmem::RemovePages(sim::Path& path, FileId id, int64_t begin, int64_t end, CpuId cpu) {
  constexpr uint64_t kHuge = Mapping::kHugePages;
  const Mapping& mapping = files_.At(id);
  Range range{static_cast<uint64_t>((begin + kPageSize - 1) >> kPageShift),
              static_cast<uint64_t>(end >> kPageShift)};
  co_await RemoveWhole(path, id, range, cpu);
  const auto first = static_cast<uint64_t>(begin >> kPageShift);
  const auto last = static_cast<uint64_t>((end - 1) >> kPageShift);
  co_await WaitForCollapse(path, id, {first, first + 1});
  if (mapping.LookupHuge(first) != kNoPfn && !co_await SplitAt(path, id, first, range, cpu)) {
    if (first / kHuge == last / kHuge) co_return;
    range.from = (first / kHuge + 1) * kHuge;
  }
  co_await WaitForCollapse(path, id, {last, last + 1});
  if (mapping.LookupHuge(last) != kNoPfn && !co_await SplitAt(path, id, last, range, cpu))
    range.to = last / kHuge * kHuge;
  co_await RemoveWhole(path, id, range, cpu);
}

// split_huge_page() of the huge page that `index` is in, of which `range` is to go. Nothing maps it
// afterwards; what lies behind the file's end is given up.
sim::Task<bool> Shmem::SplitAt(sim::Path& path, FileId id, uint64_t index, Range range, CpuId cpu) {
  const uint64_t first = index / Mapping::kHugePages * Mapping::kHugePages;
  const Range all{first, first + Mapping::kHugePages};
  Mapping& mapping = files_.At(id);
  const Pfn head = mapping.LookupHuge(first);
  Zone& zone = *memory_.ZoneOf(head);
  Node& node = memory_.node(zone.node());
  const FrameIndex frame = zone.frames().Index(head);
  if (mapping.IsLocked(first) || !mapping.Lock(first, head)) co_return false;  // it moves just now
  co_await path.GoTo(node.lp, memory_.costs().hop);
  const bool held = zone.frames().IsHeld(frame, kPageblockOrder);  // can_split_folio()
  co_await GoHome(path, id);
  if (held) {
    co_await UnmapRange(path, id, {std::max(range.from, all.from), std::min(range.to, all.to)},
                        Unmapping::kRange, cpu);
  } else {
    co_await UnmapRange(path, id, all, Unmapping::kToSplit, cpu);
  }
  co_await path.GoTo(node.lp, memory_.costs().hop);
  const bool split = PageAllocator::SplitFilePage(node, zone, frame);
  co_await GoHome(path, id);
  mapping.Unlock(first, head);
  if (!split) co_return false;
  mapping.SplitHuge(first);
  const uint64_t end = files_.FileAt(id).EndIndex();
  const std::vector<Folio> trimmed = mapping.TakeRange(std::max(first, end), all.to);
  co_await allocator_.Release(path, cpu, trimmed);
  co_return true;
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
  if (shrinks) co_await RemovePages(path, id, bytes, kEndOfFiles, cpu);
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
  co_await RemovePages(path, id, offset, offset + length, cpu);
  file.lock->Release(path);
  --file.opens;
  co_await DropIfUnused(path, id, cpu);
  co_await path.GoTo(here, memory_.costs().hop);
  co_return Errno::kOk;
}

// shmem_alloc_hugefolio()
sim::Task<Pfn> Shmem::AllocHuge(sim::Path& path, FileId file, uint64_t first, const Claim& claim) {
  const bool advised = claim.vma != nullptr && claim.vma->thp == Vma::ThpAdvice::kHugepage;
  const FrameOwner owner{FrameOwner::kShmem, 1, static_cast<uint64_t>(file.value), first};
  return AllocThp(path, allocator_, ThpGfp(memory_.node(file.home).thp, advised), claim.policy,
                  memory_.NodeOfCpu(claim.cpu), first / Mapping::kHugePages, claim.cpu, owner);
}

// False where base pages are to do: no huge page is to be had, or the file has a page there.
sim::Task<bool> Shmem::AddHugePage(sim::Path& path, FileId id, uint64_t first, const Claim& claim) {
  ShmemFile& file = files_.FileAt(id);
  Node& home = memory_.node(id.home);
  const uint64_t end = first + Mapping::kHugePages;
  if (file.mapping.AnyIn(first, end)) co_return false;
  const Pfn head = co_await AllocHuge(path, id, first, claim);
  if (head == kNoPfn) {
    ++home.counter(THP_FILE_FALLBACK);
    co_return false;
  }
  co_await path.Take(memory_.costs().clear_page * kPageblockPages);
  const bool beyond = claim.vma != nullptr && first >= file.EndIndex();  // truncated meanwhile
  const bool fits = !file.mapping.AnyIn(first, end) && !file.mapping.IsCollapsing(first) && !beyond;
  if (fits) {
    file.mapping.InsertHuge(first, head);
    ++home.counter(THP_FILE_ALLOC);
    co_return true;
  }
  co_await allocator_.Release(path, claim.cpu, Folio(head, kPageblockOrder));
  co_return false;
}

sim::Task<Shmem::Added> Shmem::AddPage(sim::Path& path, FileId id, uint64_t index, Claim claim) {
  ShmemFile& file = files_.FileAt(id);
  if (WantsHugePage(file, memory_.node(id.home).thp, claim.vma, index)) {
    const uint64_t first = index / Mapping::kHugePages * Mapping::kHugePages;
    if (co_await AddHugePage(path, id, first, claim)) co_return Added::kAdded;
  }
  const Placement placement = PlaceInVma(claim.policy, memory_.NodeOfCpu(claim.cpu), index);
  const FrameOwner owner{FrameOwner::kShmem, 1, static_cast<uint64_t>(id.value), index};
  AllocRequest request = RequestFor(kGfpHighuserMovable, placement, claim.cpu, owner);
  request.task = claim.task;
  const Pfn pfn = co_await allocator_.AllocPlaced(path, request, placement.retry_anywhere);
  if (pfn == kNoPfn) co_return Added::kNoMem;
  co_await path.Take(memory_.costs().clear_page);
  const bool beyond = claim.vma != nullptr && index >= file.EndIndex();  // truncated meanwhile
  if (!beyond && file.mapping.Lookup(index) == kNoPfn && !file.mapping.IsCollapsing(index)) {
    file.mapping.Insert(index, pfn);
    co_return Added::kAdded;
  }
  co_await allocator_.Release(path, claim.cpu, Folio(pfn));
  co_return beyond ? Added::kBeyondEnd : Added::kRaced;
}

// shmem_fallocate()
sim::Task<Errno> Shmem::Fallocate(sim::Path& path, Process& process, FileId id, int64_t offset,
                                  int64_t length) {
  if (length <= 0) co_return Errno::kInval;  // vfs_fallocate()
  const sim::LpId here = path.lp();
  const Claim claim{process.cpu, process.policy, nullptr, process.task};
  int64_t max_blocks = memory_.node(memory_.NodeOfCpu(process.cpu)).total_pages;  // size=100%
  co_await path.Take(memory_.costs().syscall);
  const auto start = static_cast<uint64_t>(offset >> kPageShift);
  const auto end = static_cast<uint64_t>((offset + length + kPageSize - 1) >> kPageShift);
  co_await GoHome(path, id);
  if (files_.FileAt(id).of_disk()) max_blocks = memory_.disk_pages();
  if (static_cast<int64_t>(end - start) > max_blocks) {
    co_await path.GoTo(here, memory_.costs().hop);
    co_return Errno::kNoSpc;
  }
  co_await Lock(path, id);
  ShmemFile& file = files_.FileAt(id);
  const int64_t bytes = file.bytes;
  if (file.of_disk()) {  // ext4 takes blocks of the disk, and no memory
    file.bytes = std::max(bytes, offset + length);
    file.lock->Release(path);
    co_await path.GoTo(here, memory_.costs().hop);
    co_return Errno::kOk;
  }
  std::vector<uint64_t> added;
  Errno error = Errno::kOk;
  for (uint64_t index = start; index < end && error == Errno::kOk; ++index) {
    while (error == Errno::kOk && file.mapping.Lookup(index) == kNoPfn) {
      co_await WaitForCollapse(path, id, {index, index + 1});
      const Added result = co_await AddPage(path, id, index, claim);
      if (result == Added::kAdded) added.push_back(index);
      if (result == Added::kNoMem) error = Errno::kNoMem;
    }
  }
  if (error != Errno::kOk) {
    for (const uint64_t index : added) co_await RemoveAdded(path, id, index, claim.cpu);
  } else {
    file.bytes = std::max(bytes, offset + length);
  }
  file.lock->Release(path);
  co_await path.GoTo(here, memory_.costs().hop);
  co_return error;
}

// shmem_undo_range() of a fallocate() that failed: what it added goes whole.
sim::Task<void> Shmem::RemoveAdded(sim::Path& path, FileId id, uint64_t index, CpuId cpu) {
  const bool huge = files_.At(id).LookupHuge(index) != kNoPfn;
  const uint64_t pages = huge ? Mapping::kHugePages : 1;
  const uint64_t first = index / pages * pages;
  co_await RemoveWhole(path, id, {first, first + pages}, cpu);
}

}  // namespace numasim
