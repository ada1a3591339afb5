// Huge pages of 1 GiB made into pages of 2 MiB (demote_store and its callees, Linux 6.1).
#include "models/hugetlb/pool.h"

namespace numasim {

sim::Task<Errno> HugetlbPool::Demote(sim::Path& path, int64_t count, NodeId node, CpuId cpu) {
  Hstate& h = hstate(HugeSize::k1G);
  NodeMask allowed = h.with_memory();
  if (node != kNoNode) {
    allowed = NodeMask();
    allowed.Set(node);
  }
  Errno error = Errno::kOk;
  co_await LockResize(path, h);
  co_await lock_->Acquire(path);
  for (; count > 0 && error == Errno::kOk; --count) {
    // More reservations than free pages of the node do not end it: the kernel's figure is unsigned.
    if (h.FreeOn(allowed) == h.counter(RESV_HUGEPAGES)) break;
    // demote_pool_huge_page()
    error = Errno::kBusy;
    for (int left = allowed.count(); left > 0 && error == Errno::kBusy; --left) {
      const NodeId from = h.NextToFree(allowed);
      const Pfn pfn = HugePageStore::First(h.node(from).free);
      if (pfn == kNoPfn) continue;
      co_await DemotePage(path, from, pfn, cpu);
      error = Errno::kOk;
    }
  }
  lock_->Release(path);
  UnlockResize(path, h);
  co_return error;
}

// demote_free_huge_page(). With hugetlb_lock held, which it drops and takes again. The mutex of the smaller
// size is taken inside that of the larger.
sim::Task<void> HugetlbPool::DemotePage(sim::Path& path, NodeId node, Pfn pfn, CpuId cpu) {
  Hstate& large = hstate(HugeSize::k1G);
  Hstate& small = hstate(HugeSize::k2M);
  const int64_t pages = PagesOf(HugeSize::k2M);
  std::vector<Pfn> surplus;
  large.Remove(node, pfn, false);
  co_await path.Take(LockTime(1));
  lock_->Release(path);
  // The frames say whose they are, on their node.
  co_await path.HopTo(memory_.node(node).lp, memory_.costs().hop);
  FrameStore& frames = memory_.ZoneOf(pfn)->frames();
  for (Pfn part = pfn; part < pfn + PagesOf(HugeSize::k1G); part = part + pages) {
    frames.owner(frames.Index(part), kPageblockOrder).object = static_cast<uint64_t>(HugeSize::k2M);
  }
  co_await path.Take(memory_.costs().prep_page * PagesOf(HugeSize::k1G));
  co_await path.HopTo(memory_.global_lp(), memory_.costs().hop);
  co_await LockResize(path, small);
  for (Pfn part = pfn; part < pfn + PagesOf(HugeSize::k1G); part = part + pages) {
    co_await path.Take(memory_.costs().prep_page * pages);
    co_await lock_->Acquire(path);
    small.AddFresh(node, part);
    co_await path.Take(LockTime(1));
    lock_->Release(path);
    co_await lock_->Acquire(path);
    if (FreeUnderLock(small, part, false, false)) surplus.push_back(part);
    co_await path.Take(LockTime(1));
    lock_->Release(path);
  }
  UnlockResize(path, small);
  co_await ToBuddy(path, small, surplus, cpu);
  co_await lock_->Acquire(path);
}

}  // namespace numasim
