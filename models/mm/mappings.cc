// mmap, munmap, mprotect and memory policies.
#include <algorithm>
#include <optional>
#include <span>
#include <utility>

#include "absl/container/flat_hash_map.h"
#include "models/mm/address_space_ops.h"
#include "models/mm/local_pledge.h"
#include "sim/check.h"

namespace numasim {
namespace {

// MAX_GATHER_BATCH: how many pages munmap collects before it frees them, last one first (release_pages).
constexpr int64_t kGatherBatch = 510;

// Becoming writable again is left to the next write fault where that may have to copy.
void WriteProtect(AddressSpace& space, Vpn begin, Vpn end) {
  space.page_table().Walk(begin, end, [](Vpn, Entry& entry, int) { entry = entry.WithWritable(false); });
}

// Pages of shared memory become writable at once: their vm_page_prot has it so.
void AllowWrites(AddressSpace& space, Vpn begin, Vpn end) {
  VmaCursor vmas(space);
  space.page_table().Walk(begin, end, [&](Vpn vpn, Entry& entry, int) {
    const Vma* const vma = vmas.Find(vpn);
    if (vma != nullptr && vma->shmem()) entry = entry.WithWritable(true);
  });
}

// Whether removing [begin, end) would leave a VMA on both sides of it where one was.
bool MakesHole(const AddressSpace& space, Vpn begin, Vpn end) {
  const Vma* const vma = space.Find(begin);
  return vma != nullptr && vma->start < begin && end < vma->end;
}

// The files that have no VMA any more, of those that were removed. A VMA that was cut in two
// is still one mapping of its file as long as a part is left.
std::vector<FileId> FilesNoMoreMapped(const AddressSpace& space, const std::vector<Vma>& removed) {
  absl::flat_hash_map<int32_t, int> parts;
  for (const Vma& vma : removed) {
    if (vma.page_cache()) ++parts[vma.file.value];
  }
  std::vector<FileId> files;
  for (const Vma& vma : removed) {
    if (vma.page_cache() && --parts[vma.file.value] == 0 && !space.MapsFile(false, vma.file))
      files.push_back(vma.file);
  }
  return files;
}

// What zap_pte_range() tells of pages of a disk's file: which of them were used through the mapping
// (mark_page_accessed).
sim::Task<void> MarkUsed(sim::Path& path, const PageAllocator& allocator, AddressSpace& space,
                         const Vma& part) {
  std::vector<Folio> used;
  space.page_table().Walk(part.start, part.end, [&](Vpn, const Entry& entry, int) {
    if (entry.present() && !entry.anon() && !entry.zero_page() && !entry.old())
      used.emplace_back(entry.pfn());
  });
  const auto file = static_cast<uint64_t>(part.file.value);
  co_await allocator.ForEachOnItsNode(path, used, [file](Zone& zone, FrameIndex frame, Folio) {
    if (Lru::IsPageOf(zone, frame, file)) zone.lru()->MarkAccessed(zone.lru()->NumberOf(zone, frame));
  });
}

}  // namespace

Errno AddressSpaceOps::ErrnoOf(AddressSpace::Refusal refusal) {
  switch (refusal) {
    case AddressSpace::Refusal::kTooMany:
      return Errno::kNoMem;
    case AddressSpace::Refusal::kCutsHugePage:
      return Errno::kInval;
    case AddressSpace::Refusal::kNone:
      break;
  }
  return Errno::kOk;
}

// mmap() of huge pages, then mbind(): the reservation is made under the task's policy.
sim::Task<MapResult> AddressSpaceOps::MapHuge(sim::Path& path, Process& process, MapRequest request) {
  const int64_t size = PagesOf(*request.huge);
  Vma wanted;
  wanted.file = request.file;
  wanted.policy = request.policy;
  wanted.huge.order = static_cast<uint8_t>(OrderOf(*request.huge));
  wanted.huge.shared = request.shared;
  wanted.huge.noreserve = request.noreserve;
  const int64_t pages = (request.pages + size - 1) / size * size;
  const Vpn start = process.space.Map(wanted, pages);
  if (start == AddressSpace::kNoRoom) co_return MapResult{Errno::kNoMem, Vpn{}};
  process.space.Find(start)->pgoff = 0;
  const Errno error = co_await hugetlb_.Map(path, process, start);
  if (error == Errno::kOk) co_return MapResult{error, start};
  process.space.Remove(start, start + pages);
  co_return MapResult{error, Vpn{}};
}

sim::Task<MapResult> AddressSpaceOps::Map(sim::Path& path, Process& process, MapRequest request) {
  co_await path.Take(memory_.costs().syscall);
  co_await process.space.mmap_lock().AcquireWrite(path);
  const MapResult result = co_await MapLocked(path, process, request);
  process.space.mmap_lock().ReleaseWrite(path);
  co_return result;
}

// do_mmap()
sim::Task<MapResult> AddressSpaceOps::MapLocked(sim::Path& path, Process& process, MapRequest request) {
  const Costs& costs = memory_.costs();
  co_await path.Take(costs.vma);
  // One more than the limit may come about.
  if (process.space.map_count() > MaxMapCount(process)) co_return MapResult{Errno::kNoMem, Vpn{}};
  if (!JudgePolicy(request.policy)) co_return MapResult{Errno::kInval, Vpn{}};
  if (request.huge.has_value()) co_return co_await MapHuge(path, process, request);
  // __vm_enough_memory() with OVERCOMMIT_GUESS: refused is only what could never fit. A shared mapping of a
  // file is not accounted.
  const Node& home = memory_.node(memory_.NodeOfCpu(process.cpu));
  const bool accounted =
      !request.noreserve && (request.file == kNoFile || !request.shared) && home.vm.overcommit_memory == 0;
  if (accounted && request.pages > home.total_pages) co_return MapResult{Errno::kNoMem, Vpn{}};
  Vma vma;
  vma.policy = request.policy;
  vma.thp = request.thp;
  const bool of_file = request.shared || request.file != kNoFile;
  vma.disk = request.disk;
  vma.cow = of_file && !request.shared;
  if (of_file && !co_await MapFile(path, process, request, vma)) co_return MapResult{Errno::kNoMem, Vpn{}};
  const Vpn start = process.space.Map(vma, request.pages);
  if (start != AddressSpace::kNoRoom) {
    if (vma.shmem()) co_await thp_.khugepaged().EnterVma(path, process, *process.space.Find(start));
    co_return MapResult{Errno::kOk, start};
  }
  if (!vma.anonymous()) {
    std::vector<Vma> unused(1, vma);
    co_await DropFileMappings(path, process, unused);
  }
  co_return MapResult{Errno::kNoMem, Vpn{}};
}

// Gives the VMA its file, which is told that the process maps it; without one, one of its own
// (shmem_zero_setup). False where there are too many files.
sim::Task<bool> AddressSpaceOps::MapFile(sim::Path& path, const Process& process, const MapRequest& request,
                                         Vma& vma) {
  const sim::LpId here = path.lp();
  const sim::Duration hop = memory_.costs().hop;
  vma.file = request.file;
  if (vma.file == kNoFile) {
    co_await path.HopTo(memory_.global_lp(), hop);
    vma.file = files_.TakeId(NodeOf(process));
    co_await path.HopTo(here, hop);
    if (vma.file == kNoFile) co_return false;
    files_.Make(vma.file).bytes = request.pages << kPageShift;
    vma.file_pages = static_cast<uint64_t>(request.pages);
  }
  co_await path.GoTo(memory_.node(vma.file.home).lp, hop);
  files_.At(vma.file).AddMapper(process.id);
  co_await path.GoTo(here, hop);
  co_return true;
}

sim::Task<Errno> AddressSpaceOps::Unmap(sim::Path& path, Process& process, Vpn begin, Vpn end) {
  co_await path.Take(memory_.costs().syscall);
  sim::RwSem& mmap_lock = process.space.mmap_lock();
  co_await mmap_lock.AcquireWrite(path);
  co_await path.Take(memory_.costs().vma);
  const Errno error = MayUnmap(process, begin, end);
  if (error != Errno::kOk) {
    mmap_lock.ReleaseWrite(path);
    co_return error;
  }
  const std::vector<Vma> removed = process.space.Remove(begin, end);
  co_await SettlePmdSplits(path, process);
  // What is mapped there no more is taken away beside faults elsewhere.
  mmap_lock.Downgrade(path);
  co_await UnmapRegion(path, process, removed, begin, end);
  mmap_lock.ReleaseRead(path);
  co_return Errno::kOk;
}

// do_mas_align_munmap()
Errno AddressSpaceOps::MayUnmap(const Process& process, Vpn begin, Vpn end) const {
  const bool full = process.space.map_count() >= MaxMapCount(process);
  if (full && MakesHole(process.space, begin, end)) return Errno::kNoMem;
  if (process.space.CutsHugePage(begin) || process.space.CutsHugePage(end)) return Errno::kInval;
  return Errno::kOk;
}

// unmap_region() for the VMAs that were in [begin, end), and what fput() does.
sim::Task<void> AddressSpaceOps::UnmapRegion(sim::Path& path, Process& process,
                                             const std::vector<Vma>& removed, Vpn begin, Vpn end) {
  for (const Vma& vma : removed) co_await Zap(path, process, vma);
  const AddressSpace::Gap gap = process.space.GapAround(begin, end);
  const std::vector<Folio> tables = process.space.page_table().FreeRange(gap.floor, gap.ceiling);
  co_await allocator_.Release(path, process.cpu, tables);
  co_await DropFileMappings(path, process, removed);
}

// zap_page_range() of a VMA, or a part of one: its entries become none, and what they mapped loses a
// reference, a gathered batch at a time: what is not there yet is still mapped while others have the CPU. No
// transparent huge page sticks out of it.
sim::Task<void> AddressSpaceOps::Zap(sim::Path& path, Process& process, Vma part) {
  if (part.hugetlb()) {
    co_await hugetlb_.Zap(path, process, part.start, part.end);
    co_return;
  }
  if (part.disk) co_await MarkUsed(path, allocator_, process.space, part);
  WalkPledge pledge(memory_, memory_.node(NodeOf(process)), process, memory_.costs().unmap_page,
                    /*draws=*/false);
  std::optional<sim::PledgeScope> scope;
  if (path.cpu() == &memory_.cpu(process.cpu)) pledge.Add(part.start, part.end);
  if (pledge.IsWorthIt()) scope.emplace(path, pledge);
  Gathered gathered;
  for (Vpn begin = part.start; begin < part.end;) {
    gathered.tables.clear();
    begin = Gather(process, begin, part.end, gathered);
    pledge.Done(gathered.entries);
    if (gathered.entries > 0) co_await path.Take(memory_.costs().unmap_page * gathered.entries);
    // zap_deposited_table() frees at once.
    if (!gathered.tables.empty()) co_await allocator_.Release(path, process.cpu, gathered.tables);
    if (gathered.pages.empty()) continue;
    co_await allocator_.ReleaseFromEnd(path, process.cpu, gathered.pages);
    sim::Cpu& cpu = memory_.cpu(process.cpu);
    if (path.cpu() == &cpu) co_await cpu.MaybeYield(path);  // the OOM killer's reaper has none
  }
  scope.reset();
  const int64_t zero_pages = thp_.StaleZeroPageRefs(process);
  if (zero_pages > 0) co_await thp_.PutZeroPage(path, process, zero_pages);
}

// Clears entries of [begin, end) until there is a batch of anonymous pages. Returns where to go on.
Vpn AddressSpaceOps::Gather(Process& process, Vpn begin, Vpn end, Gathered& gathered) {
  PageTable& tables = process.space.page_table();
  gathered.pages.clear();
  gathered.entries = 0;
  int64_t room = kGatherBatch;
  return tables.WalkRuns(begin, end, [&](Vpn vpn, std::span<Entry> run, int order) {
    if (room == 0) return size_t{0};
    const Entry first = run.front();
    // A PMD has a reference to the huge page of a file, too.
    const bool counted = first.present() && (first.anon() || (order > 0 && !first.zero_page()));
    const size_t count = counted ? std::min(run.size(), static_cast<size_t>(room)) : run.size();
    if (counted) {
      gathered.pages.push_back({Folio(first.pfn(), order), static_cast<uint32_t>(count)});
      room -= static_cast<int64_t>(count);
    }
    gathered.entries += static_cast<int64_t>(count);
    if (order == 0) {
      std::fill_n(run.begin(), count, Entry());
    } else if (first.anon() || first.zero_page()) {
      gathered.tables.push_back(Folio(tables.TakeThp(vpn)));
    } else {
      tables.SetHuge(vpn, order, Entry());
    }
    return count;
  });
}

sim::Task<void> AddressSpaceOps::DropFileMappings(sim::Path& path, Process& process,
                                                  const std::vector<Vma>& removed) {
  co_await hugetlb_.Close(path, process, removed);
  const std::vector<FileId> files = FilesNoMoreMapped(process.space, removed);
  co_await shmem_.DropMapper(path, process.id, process.cpu, files);
}

// mprotect_fixup() of each VMA: one that allows the access already is not even split.
sim::Task<Errno> AddressSpaceOps::Protect(sim::Path& path, Process& process, Vpn begin, Vpn end,
                                          Access access) {
  co_await path.Take(memory_.costs().syscall);
  sim::RwSem& mmap_lock = process.space.mmap_lock();
  co_await mmap_lock.AcquireWrite(path);
  co_await path.Take(memory_.costs().vma);
  const Vpn reach = process.space.MappedUntil(begin, end);
  const AddressSpace::Changed changed =
      process.space.Change(begin, reach, MaxMapCount(process), [&](Vma& vma) { vma.access = access; });
  co_await SettlePmdSplits(path, process);
  if (access == Access::kReadWrite) {
    AllowWrites(process.space, begin, changed.until);
  } else {
    WriteProtect(process.space, begin, changed.until);
  }
  mmap_lock.ReleaseWrite(path);
  const Errno error = ErrnoOf(changed.refusal);
  co_return error == Errno::kOk&& reach < end ? Errno::kNoMem : error;
}

sim::Task<Errno> AddressSpaceOps::Bind(sim::Path& path, Process& process, Vpn begin, Vpn end,
                                       MemPolicy policy) {
  co_await path.Take(memory_.costs().syscall);
  sim::RwSem& mmap_lock = process.space.mmap_lock();
  co_await mmap_lock.AcquireWrite(path);
  co_await path.Take(memory_.costs().vma);
  const Errno error = BindLocked(process, begin, end, policy);
  co_await SettlePmdSplits(path, process);
  mmap_lock.ReleaseWrite(path);
  co_return error;
}

Errno AddressSpaceOps::BindLocked(Process& process, Vpn begin, Vpn end, MemPolicy policy) const {
  if (!JudgePolicy(policy)) return Errno::kInval;
  if (begin == end) return Errno::kOk;
  // queue_pages_range()
  const Vma* const first = process.space.FindFrom(begin);
  if (first == nullptr || first->start >= end) return Errno::kFault;
  if (!policy.IsDefault() && process.space.MappedUntil(begin, end) != end) return Errno::kFault;
  const AddressSpace::Changed changed =
      process.space.Change(begin, end, MaxMapCount(process), [&](Vma& vma) { vma.policy = policy; });
  return ErrnoOf(changed.refusal);
}

bool AddressSpaceOps::JudgePolicy(MemPolicy& policy) const {
  using Mode = MemPolicy::Mode;
  const bool wants_none = policy.mode == Mode::kDefault || policy.mode == Mode::kLocal;
  if (wants_none) return policy.nodes.empty();
  if (policy.nodes.empty()) {
    if (policy.mode != Mode::kPreferred) return false;
    policy.mode = Mode::kLocal;
    return true;
  }
  policy.nodes = NodeMask(policy.nodes.bits() & memory_.nodes_with_memory().bits());
  if (policy.nodes.empty()) return false;
  if (policy.mode == Mode::kPreferred) {
    const NodeId first = policy.nodes.First();
    policy.nodes = NodeMask();
    policy.nodes.Set(first);
  }
  return true;
}

sim::Task<Errno> AddressSpaceOps::SetPolicy(sim::Path& path, Process& process, MemPolicy policy) {
  co_await path.Take(memory_.costs().syscall);
  if (!JudgePolicy(policy)) co_return Errno::kInval;
  process.policy = policy;
  if (policy.mode == MemPolicy::Mode::kInterleave) process.il_prev = NodeId{kMaxNodes - 1};
  co_return Errno::kOk;
}

}  // namespace numasim
