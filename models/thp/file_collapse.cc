#include "models/thp/file_collapse.h"

#include <algorithm>

#include "models/physical/thp_page.h"
#include "sim/check.h"

namespace numasim {
namespace {

constexpr uint64_t kHuge = Mapping::kHugePages;

}  // namespace

// Who unmaps the file comes to its home behind this path, which has then made it stay.
sim::Task<ScanResult> FileCollapser::Scan(sim::Path& path, CpuId cpu, Place place, CollapseLimits limits) {
  co_await path.GoTo(memory_.node(place.file.home).lp, memory_.costs().hop);
  co_await shmem_.ReOpen(path, place.file);
  const ScanResult result = co_await ScanFile(path, cpu, place, limits);
  co_await shmem_.CloseFile(path, place.file, cpu);
  co_return result;
}

std::vector<Mapping::Page> FileCollapser::PagesOf(const Place& place) const {
  const Mapping& mapping = files_.At(place.file);
  std::vector<Mapping::Page> pages;
  for (auto page = mapping.FirstFrom(place.index); page.has_value() && page->index < place.index + kHuge;
       page = mapping.FirstFrom(page->index + 1)) {
    pages.push_back(*page);
  }
  return pages;
}

sim::Task<std::optional<size_t>> FileCollapser::FirstHeld(sim::Path& path,
                                                          const std::vector<Mapping::Page>& pages) const {
  std::vector<Folio> folios;
  folios.reserve(pages.size());
  for (const Mapping::Page& page : pages) folios.emplace_back(page.pfn);
  std::vector<Pfn> held;
  co_await allocator_.ForEachOnItsNode(path, folios, [&held](Zone& zone, FrameIndex frame, Folio page) {
    if (zone.RefsOf(frame, page.order()) > 0) held.push_back(page.head());
  });
  const auto is_held = [&held](const Mapping::Page& page) {
    return std::find(held.begin(), held.end(), page.pfn) != held.end();
  };
  if (held.empty()) co_return std::nullopt;
  co_return static_cast<size_t>(std::find_if(pages.begin(), pages.end(), is_held) - pages.begin());
}

sim::Task<ScanResult> FileCollapser::ScanFile(sim::Path& path, CpuId cpu, const Place& place,
                                              CollapseLimits limits) {
  const Mapping& mapping = files_.At(place.file);
  if (mapping.LookupHuge(place.index) != kNoPfn) co_return ScanResult::kPteMappedHugepage;
  if (mapping.IsCollapsing(place.index)) co_return ScanResult::kPageLock;
  const std::vector<Mapping::Page> pages = PagesOf(place);
  const auto present = static_cast<int64_t>(pages.size());
  co_await path.Take(memory_.costs().scan_pte * present);
  if ((co_await FirstHeld(path, pages)).has_value()) co_return ScanResult::kPageCount;
  Node& home = memory_.node(place.file.home);
  if (limits.khugepaged && present < kThpPages - limits.max_ptes_none) {
    ++home.counter(THP_SCAN_EXCEED_NONE_PTE);
    co_return ScanResult::kExceedNonePte;
  }
  NodeLoads loads;
  for (const Mapping::Page& page : pages) loads.Add(memory_.ZoneOf(page.pfn)->node());
  const FrameOwner owner{FrameOwner::kShmem, 1, static_cast<uint64_t>(place.file.value), place.index};
  const sim::SimTime began = path.now();
  const Pfn huge = co_await loads.AllocHugePage(path, allocator_, memory_, home, cpu, limits.gfp, owner);
  ScanResult result = ScanResult::kAllocHugePageFail;
  if (huge != kNoPfn) result = co_await Collapse(path, cpu, place, limits, huge);
  RecordCollapse(memory_, path, began, result);
  co_return result;
}

// collapse_file(). The kernel goes page by page: locks it, unmaps it, and puts everything back where it meets
// one that somebody holds. So what is unmapped then are the pages up to that one.
sim::Task<ScanResult> FileCollapser::Collapse(sim::Path& path, CpuId cpu, const Place& place,
                                              CollapseLimits limits, Pfn huge) {
  const Costs& costs = memory_.costs();
  const Folio whole(huge, ThpPage::kOrder);
  Mapping& mapping = files_.At(place.file);
  const std::vector<Mapping::Page> pages = PagesOf(place);
  ScanResult result = ScanResult::kSucceed;
  if (mapping.LookupHuge(place.index) != kNoPfn) {
    result = ScanResult::kPteMappedHugepage;
  } else if (pages.empty()) {
    result = ScanResult::kTruncated;
  } else if (!mapping.BeginCollapse(place.index)) {
    result = ScanResult::kPageLock;
  }
  if (result != ScanResult::kSucceed) {
    co_await allocator_.Release(path, cpu, whole);
    co_return result;
  }
  std::optional<size_t> held = co_await FirstHeld(path, pages);
  const uint64_t end = held.has_value() ? pages[*held].index + 1 : place.index + kHuge;
  co_await shmem_.UnmapRange(path, place.file, {place.index, end}, Shmem::Unmapping::kRange, cpu);
  // Who had found an entry before has its hold by now, and there are no others.
  if (!held.has_value()) held = co_await FirstHeld(path, pages);
  if (held.has_value()) {
    mapping.EndCollapse(place.index);
    co_await allocator_.Release(path, cpu, whole);
    co_return ScanResult::kPageCount;
  }
  const auto copied = static_cast<int64_t>(pages.size());
  co_await path.Take(costs.copy_page * copied + costs.clear_page * (kThpPages - copied));
  const std::vector<Folio> old = mapping.TakeRange(place.index, place.index + kHuge);
  NUMASIM_CHECK_EQ(old.size(), pages.size());
  mapping.InsertHuge(place.index, huge);
  co_await allocator_.Release(path, cpu, old);
  result = co_await Retract(path, cpu, place, limits, huge);
  mapping.EndCollapse(place.index);
  co_return result;
}

// retract_page_tables(). The PMD that MADV_COLLAPSE installs is counted before, so that its process may drop
// it at once.
sim::Task<ScanResult> FileCollapser::Retract(sim::Path& path, CpuId cpu, const Place& place,
                                             CollapseLimits limits, Pfn huge) {
  const sim::Duration hop = memory_.costs().hop;
  const sim::LpId home = path.lp();
  if (!limits.khugepaged) co_await CountPmd(path, huge);
  const std::vector<Rmap::Group> mappers = Rmap::MappersOf(place.file, files_.At(place.file));
  Retracted all;
  co_await path.GoTo(memory_.global_lp(), hop);
  co_await rmap_.Walk(path, mappers, [&](Process& process, const Rmap::Group&) {
    if (process.space.entries_held()) return false;
    RetractFrom(path, process, place, limits.khugepaged, huge, all);
    return true;
  });
  for (const Place& missed : all.missed) slots_.NotePteMapped(missed.process, missed.first);
  if (!limits.khugepaged && !all.pmd) all.tables.emplace_back(huge, ThpPage::kOrder);
  co_await allocator_.Release(path, cpu, all.tables);
  co_await path.GoTo(home, hop);
  co_return all.target;
}

// The tables of one process, which map nothing: the pages that they mapped are gone, and faults wait.
void FileCollapser::RetractFrom(sim::Path& path, Process& process, const Place& place, bool khugepaged,
                                Pfn huge, Retracted& all) const {
  sim::RwSem& mmap_lock = process.space.mmap_lock();
  process.space.ForEachOfFile(false, place.file, [&](const Vma& vma) {
    const std::optional<Vpn> first = vma.AddressOf(place.index);
    if (!first.has_value()) return;
    const bool target = process.id == place.process && *first == place.first;
    ScanResult result = SuitsThp(vma, *first) ? FindPteTable(process, *first) : ScanResult::kVmaCheck;
    if (result == ScanResult::kSucceed) {
      // Not for MADV_COLLAPSE to do in other processes: khugepaged does.
      if ((!khugepaged && !target) || !mmap_lock.TryAcquireWrite(path)) {
        if (!target) return all.missed.push_back({place.file, place.index, process.id, *first});
        result = ScanResult::kPteMappedHugepage;
      } else if (process.exiting) {
        result = ScanResult::kAnyProcess;
        mmap_lock.ReleaseWrite(path);
      } else {
        all.tables.emplace_back(process.space.page_table().RemoveTable(*first));
        all.pmd = !khugepaged;
        if (all.pmd) SetPmd(process, vma, *first, huge);
        mmap_lock.ReleaseWrite(path);
      }
    }
    if (target) all.target = result;
  });
}

// Whether a page table maps parts of the huge page only, each at its place.
ScanResult FileCollapser::CheckParts(const PteTable& table, Pfn huge) {
  for (size_t i = 0; i < table.entries.size(); ++i) {
    const Entry entry = table.entries[i];
    if (entry.none()) continue;
    if (!entry.present()) return ScanResult::kPteNonPresent;
    if (entry.pfn() != huge + static_cast<int64_t>(i)) return ScanResult::kFail;
  }
  return ScanResult::kSucceed;
}

// find_lock_page() of a file that the caller keeps mapped; the path ends where it began.
sim::Task<FileCollapser::LockedPage> FileCollapser::LockPage(sim::Path& path, FileId file,
                                                             uint64_t index) const {
  const sim::Duration hop = memory_.costs().hop;
  const sim::LpId here = path.lp();
  co_await path.GoTo(memory_.node(file.home).lp, hop);
  Mapping& mapping = files_.At(file);
  while (mapping.IsLocked(index)) co_await path.Take(hop);
  const LockedPage page{mapping.LookupHuge(index), mapping.Lookup(index) != kNoPfn};
  if (page.huge != kNoPfn) mapping.Lock(index, page.huge);
  co_await path.GoTo(here, hop);
  co_return page;
}

sim::Task<void> FileCollapser::UnlockPage(sim::Path& path, FileId file, uint64_t index, Pfn huge) const {
  const sim::LpId here = path.lp();
  co_await path.GoTo(memory_.node(file.home).lp, memory_.costs().hop);
  files_.At(file).Unlock(index, huge);
  co_await path.GoTo(here, memory_.costs().hop);
}

// set_huge_pmd(). The page's node counts the mapping before it is there.
sim::Task<void> FileCollapser::CountPmd(sim::Path& path, Pfn huge) const {
  const sim::LpId here = path.lp();
  Zone& zone = *memory_.ZoneOf(huge);
  Node& node = memory_.node(zone.node());
  co_await path.GoTo(node.lp, memory_.costs().hop);
  PageAllocator::MapFilePmd(node, zone, zone.frames().Index(huge));
  co_await path.GoTo(here, memory_.costs().hop);
}

void FileCollapser::SetPmd(Process& process, const Vma& vma, Vpn first, Pfn huge) const {
  const Entry entry = Entry(huge, Entry::kPresent).WithWritable(vma.access == Access::kReadWrite);
  process.space.page_table().SetHuge(first, ThpPage::kOrder, entry);
  ++memory_.node(memory_.NodeOfCpu(process.cpu)).counter(THP_FILE_MAPPED);
}

sim::Task<ScanResult> FileCollapser::CollapsePteMapped(sim::Path& path, CpuId cpu, Process& process,
                                                       Vpn first, Install install) {
  PageTable& tables = process.space.page_table();
  ScanResult result = FindPteTable(process, first);
  if (result == ScanResult::kPmdMapped) co_return result;
  const Vma* const there = process.space.Find(first);
  const ThpSettings& settings = memory_.node(memory_.NodeOfCpu(process.cpu)).thp;
  if (there == nullptr || !there->shmem() || !CoversThp(*there, first) ||
      !MayCollapse(settings, *there, false)) {
    co_return ScanResult::kVmaCheck;
  }
  const Vma vma = *there;
  const uint64_t index = vma.IndexOf(first);
  const LockedPage page = co_await LockPage(path, vma.file, index);
  if (page.huge == kNoPfn) co_return page.any ? ScanResult::kFail : ScanResult::kPageNull;
  Pfn table = kNoPfn;
  if (result == ScanResult::kSucceed) {
    co_await path.Take(memory_.costs().scan_pte * kThpPages);
    result = CheckParts(*tables.Find(first), page.huge);
    if (result == ScanResult::kSucceed) table = tables.RemoveTable(first);
  } else if (result == ScanResult::kPmdNone) {
    result = ScanResult::kSucceed;
  }
  if (result == ScanResult::kSucceed && install == Install::kPmd) {
    co_await CountPmd(path, page.huge);
    SetPmd(process, vma, first, page.huge);
  }
  if (table != kNoPfn) co_await allocator_.Release(path, cpu, Folio(table));
  co_await UnlockPage(path, vma.file, index, page.huge);
  co_return result;
}

}  // namespace numasim
