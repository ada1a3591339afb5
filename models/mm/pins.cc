// Pages that are held beyond their mappings (mm/gup.c, Linux 6.1).
#include <algorithm>
#include <utility>

#include "models/mm/address_space_ops.h"
#include "models/physical/thp_page.h"
#include "models/thp/thp_allowed.h"
#include "sim/check.h"

namespace numasim {
namespace {

// Collects the pages of [begin, end). False where one is not there, or not for writing.
bool CollectWritable(Process& process, Vpn begin, Vpn end, PinnedPages& pages) {
  pages.pages.clear();
  pages.huge.clear();
  for (Vpn at = begin; at < end;) {
    const Vma* const vma = process.space.Find(at);
    if (vma == nullptr) return false;
    if (!vma->hugetlb()) {
      const Entry* const entry = process.space.page_table().FindEntry(at);
      const Entry* const leaf = process.space.page_table().FindHuge(ThpStart(at), ThpPage::kOrder);
      const Entry* const found = entry != nullptr ? entry : leaf;
      if (found == nullptr || !found->writable()) return false;
      // A huge page is held as often as pages of it are.
      const int64_t part = entry != nullptr ? 0 : at - ThpStart(at);
      pages.pages.push_back(Folio(found->pfn() + part));
      at = at + 1;
      continue;
    }
    const Entry* const entry = process.space.page_table().FindHuge(at, vma->huge.order);
    if (entry == nullptr || !entry->writable()) return false;
    pages.huge.push_back(entry->pfn());
    at = at + (int64_t{1} << vma->huge.order);
  }
  return true;
}

}  // namespace

sim::Task<PinResult> AddressSpaceOps::Pin(sim::Path& path, Process& process, Vpn begin, Vpn end) {
  co_await path.Take(memory_.costs().syscall);
  co_await process.space.mmap_lock().AcquireRead(path);
  const PinResult result = co_await PinLocked(path, process, begin, end);
  process.space.mmap_lock().ReleaseRead(path);
  co_return result;
}

sim::Task<PinResult> AddressSpaceOps::PinLocked(sim::Path& path, Process& process, Vpn begin, Vpn end) {
  if (const Vma* const vma = process.space.Find(begin); vma != nullptr && vma->hugetlb()) {
    begin = vma->HugePageOf(begin);
  }
  PinResult result;
  PinnedPages pages;
  // While a page is faulted in, another one may be taken away: a file is truncated.
  do {
    result.error = co_await FaultInForWrite(path, process, begin, end);
    if (result.error != Errno::kOk) co_return result;
  } while (!CollectWritable(process, begin, end, pages));
  {
    // A migration may have isolated one, but its entries stay until all references are taken, and then it
    // finds the page held.
    const EntriesHold hold(process.space);
    if (!pages.huge.empty()) co_await hugetlb_.Pin(path, pages.huge);
    if (!pages.pages.empty()) co_await TakeReferences(path, pages.pages);
  }
  result.pin = pages.id = process.next_pin++;
  process.pins.push_back(pages);
  co_return result;
}

// get_page() of pages that the process maps.
sim::Task<void> AddressSpaceOps::TakeReferences(sim::Path& path, const std::vector<Folio>& pages) {
  co_await allocator_.ForEachOnItsNode(path, pages, [](Zone& zone, FrameIndex, Folio page) {
    const Folio whole = ThpPage::WholeOf(zone.frames(), page);
    zone.TakeRef(zone.frames().Index(whole.head()), whole.order());
  });
  co_await path.Take(memory_.costs().pin * std::ssize(pages));
}

sim::Task<void> AddressSpaceOps::DropPins(sim::Path& path, const PinnedPages& pages, CpuId cpu,
                                          bool in_interrupt) {
  if (!pages.huge.empty()) co_await hugetlb_.Unpin(path, pages.huge, cpu, in_interrupt);
  if (!pages.pages.empty()) co_await allocator_.DropRefs(path, cpu, pages.pages);
}

// faultin_page() for each page
sim::Task<Errno> AddressSpaceOps::FaultInForWrite(sim::Path& path, Process& process, Vpn begin, Vpn end) {
  for (Vpn at = begin; at < end;) {
    Vma* const vma = process.space.Find(at);
    if (vma == nullptr || vma->access != Access::kReadWrite) co_return Errno::kFault;
    if (!vma->hugetlb()) {
      const Vpn until = std::min(vma->end, end);
      const TouchRequest touch{at.value << kPageShift, until.value << kPageShift, kPageSize, true};
      const TouchCounts touched = co_await TouchPages(path, process, touch, Locking::kHeld);
      if (touched.oom > 0) co_return Errno::kNoMem;
      if (touched.sigbus > 0) co_return Errno::kFault;
      at = until;
      continue;
    }
    const int64_t size = int64_t{1} << vma->huge.order;
    const Entry* const entry = process.space.page_table().FindHuge(at, vma->huge.order);
    if (entry == nullptr || !entry->writable()) {
      ++memory_.node(NodeOf(process)).counter(PGFAULT);
      const FaultResult fault = co_await HugeFault(path, process, *vma, at, true);
      if (fault == FaultResult::kOom) co_return Errno::kNoMem;
      if (fault == FaultResult::kSigbus) co_return Errno::kFault;
      co_await memory_.cpu(process.cpu).MaybeYield(path);
      // Whether it is there now is for the caller to see.
    }
    at = at + size;
  }
  co_return Errno::kOk;
}

sim::Task<void> AddressSpaceOps::Unpin(sim::Path& path, Process& process, uint64_t pin, bool in_interrupt) {
  const auto found = std::lower_bound(process.pins.begin(), process.pins.end(), pin,
                                      [](const PinnedPages& pinned, uint64_t id) { return pinned.id < id; });
  NUMASIM_CHECK(found != process.pins.end() && found->id == pin);
  const PinnedPages pages = std::move(*found);
  process.pins.erase(found);
  const CpuId cpu = process.cpu;
  if (!in_interrupt) {
    co_await DropPins(path, pages, cpu, false);
    co_return;
  }
  path.Start(path.lp(), sim::Duration{0}, "irq", [this, pages, cpu](sim::Path& irq) -> sim::Task<void> {
    co_await DropPins(irq, pages, cpu, true);
  });
}

}  // namespace numasim
