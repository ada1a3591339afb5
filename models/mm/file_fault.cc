// Faults on shared memory and files of the disk, whose pages a file has (do_fault of mm/memory.c, shmem_fault
// of mm/shmem.c, filemap_fault of mm/filemap.c, Linux 6.1).
#include <algorithm>
#include <array>
#include <span>

#include "models/mm/address_space_ops.h"
#include "models/thp/thp_allowed.h"

namespace numasim {
namespace {

// fault_around_bytes: a read fault maps what the file has of the 64 KiB round it.
constexpr uint64_t kFaultAroundPages = 16;

struct FaultAround {
  Vpn first;
  uint64_t index;  // of the first page in the file
  uint64_t pages;
};

// do_fault_around(): from a multiple of 64 KiB on, or from where the VMA begins; up to the end of the VMA or
// of the page table.
FaultAround WindowAround(const Vma& vma, Vpn vpn) {
  const Vpn aligned{vpn.value / kFaultAroundPages * kFaultAroundPages};
  const Vpn first = std::max(aligned, vma.start);
  const Vpn table_end{(vpn.value / kPtesPerTable + 1) * kPtesPerTable};
  const Vpn end = std::min({first + static_cast<int64_t>(kFaultAroundPages), vma.end, table_end});
  return {first, vma.IndexOf(first), static_cast<uint64_t>(end - first)};
}

// A write maps its own page only.
FaultAround WindowOf(const Vma& vma, Vpn vpn) { return {vpn, vma.IndexOf(vpn), 1}; }

// A page of the disk's files is writable only once it was written to, so that it is known to be dirty
// (vma_wants_writenotify), and by a private mapping never.
Entry FileEntry(const Vma& vma, Pfn pfn, bool write) {
  const bool writable = vma.access == Access::kReadWrite && !vma.cow && (!vma.disk || write);
  return Entry(pfn, Entry::kPresent).WithWritable(writable);
}

}  // namespace

// do_fault(). The PMD table is there. The PTE table that may be needed is allocated before the file is asked,
// and freed where a PMD maps the page, or it is not to be had.
sim::Task<AddressSpaceOps::FaultResult> AddressSpaceOps::FileFault(sim::Path& path, Process& process,
                                                                   const Vma& vma, Vpn vpn, bool write) {
  const PageTable& tables = process.space.page_table();
  const Entry* old = tables.FindHuge(ThpStart(vpn), kPteTableShift);
  if (old == nullptr) old = tables.FindEntry(vpn);
  if (old != nullptr && old->migrating()) {
    co_await WaitForMove(path);
    co_return FaultResult::kRetry;
  }
  // It was a migration entry when the access was made, and is none any more.
  if (old != nullptr && old->present() && (!write || old->writable())) co_return FaultResult::kDone;
  Pfn table = kNoPfn;
  if (tables.Find(vpn) == nullptr) {
    table = co_await AllocTable(path, process);
    if (table == kNoPfn) co_return FaultResult::kOom;
  }
  const FaultResult result = co_await MapFilePages(path, process, vma, vpn, write, table);
  if (table != kNoPfn) {
    co_await allocator_.Release(path, process.cpu, Folio(table));
  }
  co_return result;
}

// do_read_fault() and do_shared_fault(): what the file has is looked up at its home at once. Nothing comes
// between that and the entries but the way back: who takes a page out of the file meanwhile, or puts another
// frame there, visits the process behind this path, and finds the entries.
sim::Task<AddressSpaceOps::FaultResult> AddressSpaceOps::MapFilePages(sim::Path& path, Process& process,
                                                                      const Vma& vma, Vpn vpn, bool write,
                                                                      Pfn& table) {
  const Costs& costs = memory_.costs();
  const sim::LpId here = path.lp();
  const sim::LpId home = memory_.node(vma.file.home).lp;
  const uint64_t index = vma.IndexOf(vpn);
  const bool suits_pmd = table != kNoPfn && SuitsThp(vma, ThpStart(vpn));
  co_await path.GoTo(home, costs.hop);
  ShmemFile& file = files_.FileAt(vma.file);
  if (index < file.EndIndex() && file.mapping.Lookup(index) == kNoPfn && !file.mapping.IsLocked(index)) {
    if (!co_await AddFilePage(path, process, vma, index)) {
      co_await path.GoTo(here, costs.hop);
      co_return FaultResult::kOom;
    }
  }
  const bool beyond = index >= file.EndIndex();
  const bool locked = file.mapping.IsLocked(index);
  const Pfn huge = suits_pmd && !locked ? file.mapping.LookupHuge(index) : kNoPfn;
  if (huge != kNoPfn && !beyond) co_return co_await MapByPmd(path, process, vma, vpn, huge);
  const FaultAround around = write ? WindowOf(vma, vpn) : WindowAround(vma, vpn);
  std::array<Pfn, kFaultAroundPages> found;
  const uint64_t left = file.EndIndex() - std::min(around.index, file.EndIndex());
  const std::span<Pfn> pages = std::span(found).first(std::min(around.pages, left));
  file.mapping.LookupRange(around.index, pages);
  if (vma.disk) file.mapping.NoteMapped(around.index, pages.size());
  co_await path.GoTo(here, costs.hop);
  if (beyond) co_return FaultResult::kSigbus;
  if (locked) {
    co_await WaitForMove(path);
    co_return FaultResult::kRetry;
  }
  PageTable& tables = process.space.page_table();
  if (tables.Find(vpn) == nullptr) {
    if (table == kNoPfn || tables.FindHuge(ThpStart(vpn), kPteTableShift) != nullptr)
      co_return FaultResult::kRetry;
    tables.AddTable(vpn, std::exchange(table, kNoPfn));
  }
  if (vma.cow && write) co_return co_await CopyFilePage(path, process, vma, vpn, pages.front());
  int64_t mapped = 0;
  for (size_t i = 0; i < pages.size(); ++i) {
    const Vpn at = around.first + static_cast<int64_t>(i);
    Entry& entry = EntryOf(process, at);
    // One that is there stays, but that of the access, which did not allow it.
    if (pages[i] == kNoPfn || (!entry.none() && at != vpn)) continue;
    entry = FileEntry(vma, pages[i], write);
    ++mapped;
  }
  if (mapped > 0) co_await path.Take(costs.map_page * mapped);
  // It may have gone again while the page that this path had allocated for it was freed.
  co_return pages[index - around.index] == kNoPfn ? FaultResult::kRetry : FaultResult::kDone;
}

// A page that the file lacks, at its home, where the path is and stays. False where memory has ended.
sim::Task<bool> AddressSpaceOps::AddFilePage(sim::Path& path, Process& process, const Vma& vma,
                                             uint64_t index) {
  if (vma.disk) co_return co_await filemap_.ReadAround(path, process, vma.file, index);
  const MemPolicy& policy = PolicyOf(process, vma);
  const Shmem::Added added =
      co_await shmem_.AddPage(path, vma.file, index, {process.cpu, policy, &vma, process.task});
  co_return added != Shmem::Added::kNoMem;
}

// do_cow_fault(), and wp_page_copy() of what the file's page was mapped by before.
sim::Task<AddressSpaceOps::FaultResult> AddressSpaceOps::CopyFilePage(sim::Path& path, Process& process,
                                                                      const Vma& vma, Vpn vpn, Pfn page) {
  if (page == kNoPfn) co_return FaultResult::kRetry;  // reclaim was faster
  const Entry old = EntryOf(process, vpn);
  const Pfn copy = co_await AllocForVma(path, process, vma, vpn, AnonOwner(process, vpn));
  if (copy == kNoPfn) co_return FaultResult::kOom;
  co_await path.Take(memory_.costs().copy_page + memory_.costs().map_page);
  if (StillIs(process, vpn, old)) {
    EntryOf(process, vpn) = Entry::NewAnon(copy);
    co_return FaultResult::kDone;
  }
  co_await allocator_.Release(path, process.cpu, Folio(copy));
  co_return FaultResult::kRetry;
}

// do_set_pmd(), from the file's home by way of the page's node, which counts the mapping.
sim::Task<AddressSpaceOps::FaultResult> AddressSpaceOps::MapByPmd(sim::Path& path, Process& process,
                                                                  const Vma& vma, Vpn vpn, Pfn head) {
  const sim::Duration hop = memory_.costs().hop;
  Zone& zone = *memory_.ZoneOf(head);
  Node& node = memory_.node(zone.node());
  co_await path.GoTo(node.lp, hop);
  PageAllocator::MapFilePmd(node, zone, zone.frames().Index(head));
  co_await path.GoTo(memory_.node(NodeOf(process)).lp, hop);
  PageTable& tables = process.space.page_table();
  const Vpn first = ThpStart(vpn);
  if (!NothingAt(process, first)) {
    co_await allocator_.Release(path, process.cpu, Folio(head, kPteTableShift));
    co_return FaultResult::kRetry;
  }
  tables.SetHuge(first, kPteTableShift, FileEntry(vma, head, true));
  ++memory_.node(NodeOf(process)).counter(THP_FILE_MAPPED);
  co_await path.Take(memory_.costs().map_page);
  co_return FaultResult::kDone;
}

}  // namespace numasim
