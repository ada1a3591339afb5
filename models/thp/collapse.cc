#include "models/thp/collapse.h"

#include <algorithm>
#include <memory>

#include "models/physical/thp_page.h"
#include "sim/check.h"

namespace numasim {

ScanResult Collapser::Revalidate(Process& process, Vpn first, const CollapseLimits& limits) const {
  const Vma* const vma = process.space.FindFrom(first);
  if (vma == nullptr) return ScanResult::kVmaNull;
  if (!CoversThp(*vma, first)) return ScanResult::kAddressRange;
  const ThpSettings& settings = memory_.node(memory_.NodeOfCpu(process.cpu)).thp;
  return MayCollapse(settings, *vma, limits.khugepaged) ? ScanResult::kSucceed : ScanResult::kVmaCheck;
}

// Takes note of the entries of a table that is there, up to one that is none too many, then asks for their
// pages.
sim::Task<void> Collapser::Look(sim::Path& path, Process& process, Vpn first, const CollapseLimits& limits,
                                Range& range) const {
  const PteTable& table = *process.space.page_table().Find(first);
  const int64_t may_be_none = limits.khugepaged ? limits.max_ptes_none : kThpPages;
  int64_t none = 0;
  int64_t seen_entries = 0;
  std::vector<Folio> pages;
  std::vector<size_t> places;  // of these in the range, as the nodes are asked: one after the other
  for (size_t i = 0; i < range.size(); ++i) {
    range[i] = Seen{table.entries[i]};
    ++seen_entries;
    const Entry entry = range[i].entry;
    none += entry.none() || entry.zero_page();
    if (none > may_be_none) break;
    if (!entry.present() || entry.zero_page()) continue;
    pages.push_back(Folio(entry.pfn()));
    places.push_back(i);
  }
  co_await path.Take(memory_.costs().scan_pte * seen_entries);
  const auto node_at = [&](size_t i) { return memory_.ZoneOf(range[i].entry.pfn())->node().value; };
  std::stable_sort(places.begin(), places.end(), [&](size_t a, size_t b) { return node_at(a) < node_at(b); });
  size_t next = 0;
  co_await allocator_.ForEachOnItsNode(path, pages, [&](Zone& zone, FrameIndex frame, Folio page) {
    Seen& seen = range[places[next++]];
    const Folio whole = ThpPage::WholeOf(zone.frames(), page);
    const FrameIndex head = zone.frames().Index(whole.head());
    const int64_t mapcount = whole != page ? ThpPage(zone.frames(), frame).mapcount(frame)
                                           : static_cast<int64_t>(zone.frames().owner(frame, 0).mapcount);
    seen.shared = mapcount > 1;
    seen.locked = zone.IsMigrating(head, whole.order());
    seen.held = zone.RefsOf(head, whole.order()) > 0;
  });
}

// The loop of hpage_collapse_scan_pmd(), and of __collapse_huge_page_isolate().
ScanResult Collapser::Judge(Node& home, const Range& range, const CollapseLimits& limits) const {
  int64_t none = 0;
  int64_t swapped = 0;
  int64_t shared = 0;
  bool writable = false;
  for (const Seen& seen : range) {
    if (seen.entry.none() || seen.entry.zero_page()) {
      if (++none <= limits.max_ptes_none || !limits.khugepaged) continue;
      ++home.counter(THP_SCAN_EXCEED_NONE_PTE);
      return ScanResult::kExceedNonePte;
    }
    if (!seen.entry.present()) {
      if (++swapped <= limits.max_ptes_swap || !limits.khugepaged) continue;
      return ScanResult::kExceedSwapPte;
    }
    writable = writable || seen.entry.writable();
    if (seen.shared && ++shared > limits.max_ptes_shared && limits.khugepaged) {
      ++home.counter(THP_SCAN_EXCEED_SHARED_PTE);
      return ScanResult::kExceedSharedPte;
    }
    if (seen.locked) return ScanResult::kPageLock;
    if (!seen.entry.anon()) return ScanResult::kPageNull;
    if (seen.held) return ScanResult::kPageCount;
  }
  if (!writable) return ScanResult::kPageRo;
  // The kernel waits for what is being moved, and finds it moved or not when it looks again.
  return swapped > 0 ? ScanResult::kPageLock : ScanResult::kSucceed;
}

NodeLoads Collapser::LoadsOf(const Range& range) const {
  NodeLoads loads;
  for (const Seen& seen : range) {
    if (seen.entry.present() && !seen.entry.zero_page()) loads.Add(memory_.ZoneOf(seen.entry.pfn())->node());
  }
  return loads;
}

sim::Task<Collapser::Outcome> Collapser::ScanPmd(sim::Path& path, CpuId cpu, Process& process, Vpn first,
                                                 CollapseLimits limits) {
  ScanResult result = FindPteTable(process, first);
  if (result != ScanResult::kSucceed) {
    co_await path.Take(memory_.costs().scan_pte);  // the PMD
    co_return Outcome{result, true};
  }
  const auto range = std::make_unique<Range>();
  co_await Look(path, process, first, limits, *range);
  result = Judge(memory_.node(memory_.NodeOfCpu(process.cpu)), *range, limits);
  if (result != ScanResult::kSucceed) co_return Outcome{result, true};
  process.space.mmap_lock().ReleaseRead(path);
  co_return Outcome{co_await Collapse(path, cpu, process, first, limits, LoadsOf(*range)), false};
}

// collapse_huge_page()
sim::Task<ScanResult> Collapser::Collapse(sim::Path& path, CpuId cpu, Process& process, Vpn first,
                                          CollapseLimits limits, NodeLoads loads) {
  const sim::SimTime began = path.now();
  const ScanResult result = co_await TryCollapse(path, cpu, process, first, limits, loads);
  RecordCollapse(memory_, path, began, result);
  co_return result;
}

sim::Task<ScanResult> Collapser::TryCollapse(sim::Path& path, CpuId cpu, Process& process, Vpn first,
                                             CollapseLimits limits, NodeLoads loads) {
  Node& home = memory_.node(memory_.NodeOfCpu(process.cpu));
  const FrameOwner owner{FrameOwner::kAnon, 1, process.anon_vma, first.value};
  const Pfn page = co_await loads.AllocHugePage(path, allocator_, memory_, home, cpu, limits.gfp, owner);
  if (page == kNoPfn) co_return ScanResult::kAllocHugePageFail;
  sim::RwSem& mmap_lock = process.space.mmap_lock();
  co_await mmap_lock.AcquireRead(path);
  ScanResult result = Revalidate(process, first, limits);
  if (result == ScanResult::kSucceed) result = FindPteTable(process, first);
  mmap_lock.ReleaseRead(path);
  if (result == ScanResult::kSucceed) {
    co_await mmap_lock.AcquireWrite(path);
    result = Revalidate(process, first, limits);
    if (result == ScanResult::kSucceed) result = FindPteTable(process, first);
    if (result == ScanResult::kSucceed) result = co_await Replace(path, cpu, process, first, limits, page);
    mmap_lock.ReleaseWrite(path);
  }
  if (result == ScanResult::kSucceed) co_return result;
  co_await allocator_.Release(path, cpu, Folio(page, ThpPage::kOrder));
  co_return result;
}

// With the entries held, nobody unmaps a page of them or maps another one. Who has isolated one of the pages
// is seen, and who does so later finds it gone.
sim::Task<ScanResult> Collapser::Replace(sim::Path& path, CpuId cpu, Process& process, Vpn first,
                                         CollapseLimits limits, Pfn page) {
  const Costs& costs = memory_.costs();
  const auto range = std::make_unique<Range>();
  std::vector<Folio> old;
  {
    const EntriesHold hold(process.space);
    co_await Look(path, process, first, limits, *range);
    const ScanResult result = Judge(memory_.node(memory_.NodeOfCpu(process.cpu)), *range, limits);
    if (result != ScanResult::kSucceed) co_return result;
    for (const Seen& seen : *range) {
      if (seen.entry.present() && !seen.entry.zero_page()) old.push_back(Folio(seen.entry.pfn()));
    }
    const auto copied = static_cast<int64_t>(old.size());
    co_await path.Take(costs.copy_page * copied + costs.clear_page * (kThpPages - copied) + costs.map_page);
    PageTable& tables = process.space.page_table();
    const bool writable = process.space.Find(first)->access == Access::kReadWrite;
    const Entry whole(page, Entry::kPresent | Entry::kAnon | Entry::kExclusive);
    tables.SetThp(first, whole.WithWritable(writable), tables.RemoveTable(first));
  }
  co_await allocator_.Release(path, cpu, old);
  co_return ScanResult::kSucceed;
}

}  // namespace numasim
