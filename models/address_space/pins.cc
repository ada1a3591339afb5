// Pages that are held beyond their mappings (mm/gup.c, Linux 6.1).
#include <algorithm>
#include <utility>

#include "models/address_space/address_space_ops.h"
#include "sim/check.h"

namespace numasim {
namespace {

// Collects the pages of [begin, end). False where one is not there, or not for writing.
bool CollectWritable(Process& process, Vpn begin, Vpn end, std::vector<Pfn>& pages) {
  pages.clear();
  for (Vpn at = begin; at < end;) {
    const Vma* const vma = process.space.Find(at);
    if (vma == nullptr) return false;
    const HugePte* const pte = process.space.huge_pages().Find(at);
    if (pte == nullptr || !pte->writable) return false;
    pages.push_back(pte->pfn);
    at = at + (int64_t{1} << vma->huge.order);
  }
  return true;
}

}  // namespace

sim::Task<PinResult> AddressSpaceOps::Pin(sim::Path& path, Process& process, Vpn begin, Vpn end) {
  co_await path.Take(memory_.costs().syscall);
  if (const Vma* const vma = process.space.Find(begin); vma != nullptr && vma->hugetlb()) {
    begin = Vpn{begin.value >> vma->huge.order << vma->huge.order};
  }
  PinResult result;
  std::vector<Pfn> pages;
  // While a page is faulted in, another one may be taken away: a file is truncated.
  do {
    result.error = co_await FaultInForWrite(path, process, begin, end);
    if (result.error != Errno::kOk) co_return result;
  } while (!CollectWritable(process, begin, end, pages));
  result.pin = process.next_pin++;
  process.pins.push_back({result.pin, pages});
  co_await hugetlb_.Pin(path, pages);
  co_return result;
}

// faultin_page() for each page
sim::Task<Errno> AddressSpaceOps::FaultInForWrite(sim::Path& path, Process& process, Vpn begin, Vpn end) {
  for (Vpn at = begin; at < end;) {
    Vma* const vma = process.space.Find(at);
    if (vma == nullptr || vma->access != Access::kReadWrite) co_return Errno::kFault;
    if (!vma->hugetlb()) throw NotModelled("a pin of base pages is not modelled yet");
    const int64_t size = int64_t{1} << vma->huge.order;
    const HugePte* const pte = process.space.huge_pages().Find(at);
    if (pte == nullptr || !pte->writable) {
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
  const auto found = std::find_if(process.pins.begin(), process.pins.end(),
                                  [pin](const PinnedPages& pinned) { return pinned.id == pin; });
  NUMASIM_CHECK(found != process.pins.end());
  const std::vector<Pfn> pages = std::move(found->pages);
  process.pins.erase(found);
  const CpuId cpu = process.cpu;
  if (!in_interrupt) {
    co_await hugetlb_.Unpin(path, pages, cpu, false);
    co_return;
  }
  path.Start(path.lp(), sim::Duration{0}, "irq", [this, pages, cpu](sim::Path& irq) -> sim::Task<void> {
    co_await hugetlb_.Unpin(irq, pages, cpu, true);
  });
}

}  // namespace numasim
