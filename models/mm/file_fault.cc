// Faults on shared memory, whose pages a file has (shmem_fault, mm/shmem.c, Linux 6.1).
#include <algorithm>
#include <array>
#include <span>

#include "models/mm/address_space_ops.h"

namespace numasim {
namespace {

// fault_around_bytes: a read fault maps what the file has of the aligned 64 KiB round it.
constexpr uint64_t kFaultAroundPages = 16;

struct FaultAround {
  uint64_t index;      // of the first page in the file
  uint64_t first_pte;  // its entry in the page table
  uint64_t pages;
};

// do_fault_around(): the window, cut off at the VMA. It never leaves the page table, which is aligned too.
FaultAround WindowAround(const Vma& vma, Vpn vpn) {
  const Vpn aligned{vpn.value / kFaultAroundPages * kFaultAroundPages};
  const Vpn first = std::max(aligned, vma.start);
  const Vpn end = std::min(aligned + static_cast<int64_t>(kFaultAroundPages), vma.end);
  return {vma.IndexOf(first), first.value % kPtesPerTable, static_cast<uint64_t>(end - first)};
}

// A write maps its own page only.
FaultAround WindowOf(const Vma& vma, Vpn vpn) { return {vma.IndexOf(vpn), vpn.value % kPtesPerTable, 1}; }

Entry FileEntry(const Vma& vma, Pfn pfn) {
  return Entry(pfn, Entry::kPresent).WithWritable(vma.access == Access::kReadWrite);
}

}  // namespace

// do_read_fault() and do_shared_fault(): what the file has is looked up at its home at once. Nothing comes
// between that and the entries but the way back: who puts another frame into the file meanwhile visits the
// process behind this path, and finds the entries.
sim::Task<AddressSpaceOps::FaultResult> AddressSpaceOps::ShmemFault(sim::Path& path, Process& process,
                                                                    const Vma& vma, Vpn vpn, bool write) {
  const Costs& costs = memory_.costs();
  const sim::LpId here = path.lp();
  const sim::LpId home = memory_.node(vma.file.home).lp;
  const FaultAround around = write ? WindowOf(vma, vpn) : WindowAround(vma, vpn);
  std::array<Pfn, kFaultAroundPages> found;
  const std::span<Pfn> pages = std::span(found).first(around.pages);
  co_await path.GoTo(home, costs.hop);
  const ShmemFile& file = files_.FileAt(vma.file);
  file.mapping.LookupRange(around.index, pages);
  const bool locked = file.mapping.IsLocked(vma.IndexOf(vpn));
  const bool beyond = vma.IndexOf(vpn) >= file.EndIndex();
  const bool there_now = file.mapping.Lookup(vma.IndexOf(vpn)) != kNoPfn;
  const bool huge =
      !there_now && Shmem::WantsHugePage(file, memory_.node(vma.file.home).thp, &vma, vma.IndexOf(vpn));
  co_await path.GoTo(here, costs.hop);
  if (beyond) co_return FaultResult::kSigbus;
  if (huge) throw NotModelled(kHugeShmem);
  if (locked) {
    co_await WaitForMove(path);
    co_return FaultResult::kRetry;
  }
  PteTable& table = *process.space.page_table().Find(vpn);
  int64_t mapped = 0;
  for (size_t i = 0; i < pages.size(); ++i) {
    const uint64_t pte = around.first_pte + i;
    // One that is there stays, but that of the access, which did not allow it.
    if (pages[i] == kNoPfn || (!table.entries[pte].none() && pte != vpn.value % kPtesPerTable)) continue;
    table.entries[pte] = FileEntry(vma, pages[i]);
    ++mapped;
  }
  if (mapped > 0) co_await path.Take(costs.map_page * mapped);
  // Its neighbours are mapped also where the page itself is not there yet.
  const bool there = pages[vma.IndexOf(vpn) - around.index] != kNoPfn;
  co_return there ? FaultResult::kDone : co_await AddShmemPage(path, process, vma, vpn);
}

// shmem_get_folio_gfp() of a page that the file did not have.
sim::Task<AddressSpaceOps::FaultResult> AddressSpaceOps::AddShmemPage(sim::Path& path, Process& process,
                                                                      const Vma& vma, Vpn vpn) {
  const Costs& costs = memory_.costs();
  const sim::LpId here = path.lp();
  const sim::LpId home = memory_.node(vma.file.home).lp;
  const uint64_t index = vma.IndexOf(vpn);
  const FrameOwner owner{FrameOwner::kShmem, 1, static_cast<uint64_t>(vma.file.value), index};
  const Pfn fresh = co_await AllocForVma(path, process, vma, vpn, owner);
  if (fresh == kNoPfn) co_return FaultResult::kOom;
  co_await path.Take(costs.clear_page);
  co_await path.GoTo(home, costs.hop);
  ShmemFile& file = files_.FileAt(vma.file);
  const bool beyond = index >= file.EndIndex();  // truncated meanwhile
  Pfn pfn = file.mapping.Lookup(index);
  const bool another = pfn != kNoPfn;  // process was faster
  const bool inserted = !another && !beyond;
  if (inserted) file.mapping.Insert(index, pfn = fresh);
  const bool locked = another && file.mapping.IsLocked(index);
  co_await path.GoTo(here, costs.hop);
  if (!locked && !beyond) {
    EntryOf(process, vpn) = FileEntry(vma, pfn);
    co_await path.Take(costs.map_page);
  }
  if (!inserted) {
    const std::vector<Folio> unused(1, Folio(fresh));
    co_await allocator_.Release(path, process.cpu, unused);
  }
  if (beyond) co_return FaultResult::kSigbus;
  if (locked) co_await WaitForMove(path);
  co_return locked ? FaultResult::kRetry : FaultResult::kDone;
}

}  // namespace numasim
