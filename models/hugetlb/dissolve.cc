// Huge pages in the way of a contiguous range or of memory that goes offline (Linux 6.1).
#include <vector>

#include "models/hugetlb/pool.h"
#include "sim/check.h"

namespace numasim {

sim::Task<bool> HugetlbPool::Isolate(sim::Path& path, Pfn head) {
  co_await lock_->Acquire(path);
  HugePage* const page = pages_.Find(head);
  const bool can = page != nullptr && page->state == HugePageState::kUsed && page->Migratable();
  if (can) {
    page->isolated = true;
    ++page->refs;
  }
  co_await path.Take(LockTime(1));
  lock_->Release(path);
  co_return can;
}

sim::Task<void> HugetlbPool::PutBack(sim::Path& path, Pfn head, CpuId cpu) {
  co_await lock_->Acquire(path);
  HugePage& page = pages_.Used(head);
  NUMASIM_CHECK(page.isolated && page.refs > 0);
  page.isolated = false;
  co_await path.Take(LockTime(1));
  lock_->Release(path);
  // put_page()
  --page.refs;
  if (page.Held()) co_return;
  const std::vector<Pfn> unused(1, head);
  co_await Free(path, cpu, unused);
}

sim::Task<HugetlbPool::Dissolved> HugetlbPool::IsolateOrDissolve(sim::Path& path, Pfn pfn, CpuId cpu) {
  co_await lock_->Acquire(path);
  const Pfn head = pages_.HeadOf(pfn);
  co_await path.Take(LockTime(1));
  lock_->Release(path);
  if (head == kNoPfn) co_return Dissolved::kGone;
  // Contiguous ranges are what gigantic pages are made of: replacing one by another would go round in
  // circles.
  Hstate& h = hstate(pages_.At(head).size);
  if (h.gigantic()) co_return Dissolved::kNoMem;
  if (pages_.At(head).state == HugePageState::kUsed) {
    const bool isolated = co_await Isolate(path, head);
    if (isolated) co_return Dissolved::kIsolated;
    const HugePage* const page = pages_.Find(head);
    const bool in_use = page != nullptr && page->state == HugePageState::kUsed;
    if (in_use) co_return Dissolved::kBusy;
  }
  co_return co_await AllocAndDissolve(path, h, head, cpu);
}

// alloc_and_dissolve_huge_page(): the page that takes the place comes first, since the counters must never
// move; then, under hugetlb_lock, the old one is looked at again.
sim::Task<HugetlbPool::Dissolved> HugetlbPool::AllocAndDissolve(sim::Path& path, Hstate& h, Pfn head,
                                                                CpuId cpu) {
  const NodeId node = NodeOf(head);
  const Placement here{node};
  const AllocRequest request = MakeRequest(h, GfpOf(h.size()) | kGfpThisNode, here, cpu);
  const Pfn fresh = co_await allocator_.Alloc(path, request);
  ++counters_[fresh != kNoPfn ? HTLB_BUDDY_ALLOC_SUCCESS : HTLB_BUDDY_ALLOC_FAIL];
  if (fresh == kNoPfn) co_return Dissolved::kNoMem;
  std::vector<Pfn> unused(1, fresh);
  Dissolved result = Dissolved::kGone;
  for (;;) {
    co_await lock_->Acquire(path);
    const HugePage* const old = pages_.Find(head);
    if (old == nullptr) break;  // freed from under us
    if (old->state == HugePageState::kUsed) {
      lock_->Release(path);
      result = co_await Isolate(path, head) ? Dissolved::kIsolated : Dissolved::kBusy;
      co_await lock_->Acquire(path);
      break;
    }
    if (old->state == HugePageState::kFree) {
      h.AddFresh(node, unused[0]);  // first, so that the pool is never one page short
      h.Remove(node, head, false);
      h.Enqueue(node, unused[0]);
      unused[0] = head;
      ++counters_[HTLB_REPLACED];
      co_await path.Take(LockTime(2));
      break;
    }
    // Nobody holds it, but it is not on the free list yet: it will be in a moment.
    ++counters_[HTLB_DISSOLVE_RETRY];
    co_await path.Take(LockTime(1));
    lock_->Release(path);
    co_await memory_.CondResched(path);
  }
  lock_->Release(path);
  co_await ToBuddy(path, h, unused, cpu);
  co_return result;
}

sim::Task<Errno> HugetlbPool::DissolveFree(sim::Path& path, Pfn pfn, CpuId cpu) {
  for (;;) {
    co_await lock_->Acquire(path);
    co_await path.Take(LockTime(1));
    const Pfn head = pages_.HeadOf(pfn);
    const HugePageState state = head == kNoPfn ? HugePageState::kNone : pages_.At(head).state;
    if (state == HugePageState::kFree) {
      Hstate& h = hstate(pages_.At(head).size);
      const bool spare = h.available() != 0;
      if (spare) h.Remove(NodeOf(head), head, false);
      lock_->Release(path);
      if (!spare) co_return Errno::kBusy;
      ++counters_[HTLB_DISSOLVED];
      const std::vector<Pfn> dissolved(1, head);
      co_await ToBuddy(path, h, dissolved, cpu);
      co_return Errno::kOk;
    }
    const bool spare = state == HugePageState::kFreeing && hstate(pages_.At(head).size).available() != 0;
    lock_->Release(path);
    if (state == HugePageState::kNone) co_return Errno::kOk;
    if (!spare) co_return Errno::kBusy;
    ++counters_[HTLB_DISSOLVE_RETRY];
    co_await memory_.CondResched(path);  // until it is on its free list
  }
}

}  // namespace numasim
