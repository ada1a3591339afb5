// Resizing the pool, and pages that come from and go to the buddy allocator.
#include "models/hugetlb/pool.h"

#include <algorithm>
#include <string>
#include <utility>

#include "absl/strings/str_cat.h"
#include "proto/counter_info.h"
#include "sim/check.h"

namespace numasim {
namespace {

// "hugetlb-2M"
std::string PoolName(HugeSize size) { return absl::StrCat("hugetlb-", kHugeSizeNames[size]); }

// Kept for each node, too.
constexpr HugetlbCounter kNodeCounters[] = {NR_HUGEPAGES, FREE_HUGEPAGES, SURPLUS_HUGEPAGES};

Pfn EndOfMemory(const MemorySystem& memory) {
  Pfn end;
  for (const Zone* zone : memory.zones()) end = std::max(end, zone->frames().end());
  return end;
}

}  // namespace

HugetlbPool::HugetlbPool(MemorySystem& memory, PageAllocator& allocator)
    : memory_(memory),
      allocator_(allocator),
      behaviour_(memory.kernel().hugetlb),
      lock_(std::make_unique<sim::SpinLock>(memory.engine(), memory.global_lp(), "hugetlb_lock")),
      pages_(EndOfMemory(memory)) {
  NodeMask with_memory;
  for (const Zone* zone : memory.zones()) with_memory.Set(zone->node());
  for (const HugeSize size : kHugeSizes) {
    hstates_.emplace_back(size, memory.node_count(), with_memory, pages_,
                          std::make_unique<sim::Mutex>(memory.engine(), memory.global_lp(),
                                                       absl::StrCat(PoolName(size), ".resize_lock")));
  }
}

std::vector<MemorySystem::CounterColumn> HugetlbPool::Columns() const {
  std::vector<MemorySystem::CounterColumn> columns;
  const auto add = [&](const std::string& prefix, const CounterName& info, const int64_t& value) {
    columns.push_back({{absl::StrCat(prefix, info.name), info.unit, &value, memory_.global_lp()},
                       info.gauge,
                       info.more_is_worse});
  };
  for (const Hstate& h : hstates_) {
    const std::string name = absl::StrCat(PoolName(h.size()), ".");
    for (int c = 0; c < HugetlbCounter_ARRAYSIZE; ++c) {
      add(name, NameOf(static_cast<HugetlbCounter>(c)), h.counters()[c]);
    }
    for (int n = 0; n < h.nodes(); ++n) {
      for (const HugetlbCounter c : kNodeCounters) {
        add(absl::StrCat("node", n, ".", name), NameOf(c), h.node(NodeId{n}).counters[c]);
      }
    }
  }
  for (int c = 0; c < GlobalCounter_ARRAYSIZE; ++c) {
    add("", NameOf(static_cast<GlobalCounter>(c)), counters_[c]);
  }
  return columns;
}

NodeMask HugetlbPool::NodesOf(const Placement& where, bool this_node) {
  if (this_node) return NodeMask::Of(where.preferred);
  return where.retry_anywhere ? NodeMask::All() : where.allowed;
}

void HugetlbPool::Adopt(HugeSize size, Pfn pfn) {
  hstate(size).AddFresh(NodeOf(pfn), pfn);
  hstate(size).Enqueue(NodeOf(pfn), pfn);
}

bool HugetlbPool::GiveToBootUser(HugeSize size, NodeId node) {
  const Pfn pfn = hstate(size).Dequeue(node);
  if (pfn == kNoPfn) return false;
  pages_.Used(pfn).refs = 1;
  boot_users_.push_back(pfn);
  return true;
}

void HugetlbPool::ReserveForBootUsers(HugeSize size, int64_t pages) {
  hstate(size).counter(RESV_HUGEPAGES) += pages;
  reserved_at_boot_[size] += pages;
}

sim::Task<void> HugetlbPool::LockResize(sim::Path& path, Hstate& h) {
  if (!behaviour_.resizes_race) co_await h.resize_lock().Acquire(path);
}

void HugetlbPool::UnlockResize(sim::Path& path, Hstate& h) {
  if (!behaviour_.resizes_race) h.resize_lock().Release(path);
}

// htlb_alloc_mask(): gigantic pages are not movable.
GfpFlags HugetlbPool::GfpOf(HugeSize size) {
  return size == HugeSize::k2M ? kGfpHighuserMovable : kGfpHighuser;
}

sim::Task<Errno> HugetlbPool::SetOvercommit(sim::Path& path, HugeSize size, int64_t count) {
  Hstate& h = hstate(size);
  if (h.gigantic()) co_return Errno::kInval;
  co_await lock_->Acquire(path);
  h.counter(NR_OVERCOMMIT_HUGEPAGES) = count;
  co_await path.Take(LockTime(1));
  lock_->Release(path);
  co_return Errno::kOk;
}

// set_max_huge_pages()
sim::Task<Errno> HugetlbPool::Resize(sim::Path& path, HugeSize size, int64_t count, NodeId node,
                                     NodeMask allowed, CpuId cpu) {
  Hstate& h = hstate(size);
  NUMASIM_CHECK(count >= 0);
  auto target = static_cast<uint64_t>(count);
  co_await LockResize(path, h);
  co_await lock_->Acquire(path);
  if (node != kNoNode) {
    target += static_cast<uint64_t>(h.counter(NR_HUGEPAGES) - h.node(node).counters[NR_HUGEPAGES]);
  }
  const bool grown = co_await Grow(path, h, target, allowed, cpu);
  if (grown) co_await Shrink(path, h, target, allowed, cpu);
  const HugetlbCounters& counters = node == kNoNode ? h.counters() : h.node(node).counters;
  const int64_t got = counters[NR_HUGEPAGES] - counters[SURPLUS_HUGEPAGES];
  lock_->Release(path);
  UnlockResize(path, h);
  // The writer is not told, as with the kernel.
  if (!grown) {
    memory_.LogFailure(path, {.kind = LogKind::kHugetlbFailed,
                              .error = Errno::kNoMem,
                              .function = "set_max_huge_pages",
                              .nodes = allowed,
                              .size = size,
                              .pages = count,
                              .got = got});
  }
  co_return Errno::kOk;
}

// Brings the persistent pages down to `count`: free pages that no reservation needs leave the pool, the rest
// become surplus. hugetlb_lock is held.
sim::Task<void> HugetlbPool::Shrink(sim::Path& path, Hstate& h, uint64_t count, NodeMask allowed, CpuId cpu) {
  // min_count is an unsigned long: where the kernel has miscounted reservations to less than zero, it is
  // beyond any pool, and no page leaves.
  const auto needed =
      static_cast<uint64_t>(h.counter(RESV_HUGEPAGES) + h.counter(NR_HUGEPAGES) - h.counter(FREE_HUGEPAGES));
  const uint64_t least = std::max(count, needed);
  std::vector<Pfn> removed;
  while (least < h.persistent()) {
    const Pfn pfn = h.RemoveFree(allowed, false);
    if (pfn == kNoPfn) break;
    removed.push_back(pfn);
    co_await path.Take(LockTime(1));
  }
  co_await LetGo(path, h, removed, cpu);
  while (count < h.persistent()) {
    if (!h.AdjustSurplus(allowed, 1)) break;
    co_await path.Take(LockTime(1));
  }
}

// Since 5.13 a list of them is freed without the lock (update_and_free_pages_bulk), the last one first.
// Before that each was freed where it was removed; it makes no difference to anybody else whether the path
// removes them first, as it keeps the lock, but far fewer messages. Freeing a gigantic page may sleep, so for
// that the lock always had to be dropped.
sim::Task<void> HugetlbPool::LetGo(sim::Path& path, Hstate& h, std::vector<Pfn>& removed, CpuId cpu) {
  if (behaviour_.shrinks_locked && !h.gigantic()) {
    co_await ToBuddy(path, h, removed, cpu);
    co_return;
  }
  lock_->Release(path);
  std::reverse(removed.begin(), removed.end());
  co_await ToBuddy(path, h, removed, cpu);
  co_await lock_->Acquire(path);
}

// alloc_buddy_huge_page()
AllocRequest HugetlbPool::MakeRequest(const Hstate& h, GfpFlags gfp, const Placement& where, CpuId cpu) {
  AllocRequest request;
  request.gfp = gfp | kGfpComp | kGfpNoWarn | kGfpRetryMayfail;
  request.order = h.order();
  request.preferred = where.preferred;
  request.allowed = where.allowed;
  request.cpu = cpu;
  request.owner = FrameOwner{FrameOwner::kHugetlb, 1, static_cast<uint64_t>(h.size()), 0};
  return request;
}

// alloc_fresh_huge_page(): counted as the hstate's, but on none of its lists.
sim::Task<Pfn> HugetlbPool::AllocFresh(sim::Path& path, Hstate& h, GfpFlags gfp, const Placement& where,
                                       CpuId cpu) {
  Pfn pfn = kNoPfn;
  if (h.gigantic()) {
    pfn = co_await AllocGigantic(path, gfp, where, cpu);
  } else {
    pfn = co_await allocator_.Alloc(path, MakeRequest(h, gfp, where, cpu));
    ++counters_[pfn != kNoPfn ? HTLB_BUDDY_ALLOC_SUCCESS : HTLB_BUDDY_ALLOC_FAIL];
  }
  if (pfn == kNoPfn) co_return kNoPfn;
  co_await lock_->Acquire(path);
  h.AddFresh(NodeOf(pfn), pfn);
  co_await path.Take(LockTime(1));
  lock_->Release(path);
  co_return pfn;
}

// alloc_gigantic_page()
sim::Task<Pfn> HugetlbPool::AllocGigantic(sim::Path& path, GfpFlags gfp, const Placement& where, CpuId cpu) {
  if (gigantic_source_ == nullptr) co_return kNoPfn;
  NodeMask allowed = where.allowed;
  if (gfp.Has(kGfpThisNode)) {
    allowed = NodeMask();
    allowed.Set(where.preferred);
  }
  co_return co_await gigantic_source_->Alloc(path, where.preferred, allowed, cpu);
}

void HugetlbPool::LogNoSurplus(sim::Path& path, HugeSize size, const Placement& where,
                               const char* reason) const {
  memory_.LogFailure(path, {.kind = LogKind::kHugetlbFailed,
                            .error = Errno::kNoMem,
                            .function = "alloc_surplus_huge_page",
                            .reason = reason,
                            .nodes = NodesOf(where),
                            .size = size});
}

sim::Task<Pfn> HugetlbPool::AllocSurplus(sim::Path& path, Hstate& h, GfpFlags gfp, const Placement& where,
                                         CpuId cpu) {
  if (h.gigantic()) co_return kNoPfn;
  co_await lock_->Acquire(path);
  const bool may = h.counter(SURPLUS_HUGEPAGES) < h.counter(NR_OVERCOMMIT_HUGEPAGES);
  lock_->Release(path);
  if (!may) {
    LogNoSurplus(path, h.size(), where, "nr_overcommit_hugepages");
    co_return kNoPfn;
  }
  const Pfn pfn = co_await AllocFresh(path, h, gfp, where, cpu);
  if (pfn == kNoPfn) {
    LogNoSurplus(path, h.size(), where, "memory");
    co_return kNoPfn;
  }
  co_await lock_->Acquire(path);
  const bool raced = h.counter(SURPLUS_HUGEPAGES) >= h.counter(NR_OVERCOMMIT_HUGEPAGES);
  if (!raced) h.MakeSurplus(NodeOf(pfn));
  co_await path.Take(LockTime(1));
  lock_->Release(path);
  if (!raced) co_return pfn;
  co_await FreeFresh(path, h, pfn, true, cpu);
  co_return kNoPfn;
}

// alloc_buddy_huge_page_with_mpol()
sim::Task<Pfn> HugetlbPool::AllocSurplusFor(sim::Path& path, Hstate& h, const HugeClaim& claim) {
  Placement where = claim.placement;
  const GfpFlags gfp = GfpOf(h.size());
  if (where.retry_anywhere) {
    const Pfn pfn = co_await AllocSurplus(path, h, gfp.Without(kGfpDirectReclaim), where, claim.cpu);
    if (pfn != kNoPfn) co_return pfn;
    where.allowed = NodeMask::All();
  }
  co_return co_await AllocSurplus(path, h, gfp, where, claim.cpu);
}

bool HugetlbPool::FreeUnderLock(Hstate& h, Pfn pfn, bool temporary, bool restore_reserve) {
  const NodeId node = NodeOf(pfn);
  if (restore_reserve) ++h.counter(RESV_HUGEPAGES);
  const bool surplus = !temporary && h.node(node).counters[SURPLUS_HUGEPAGES] > 0;
  if (!temporary && !surplus) {
    h.Enqueue(node, pfn);
    return false;
  }
  h.Remove(node, pfn, surplus);
  return true;
}

sim::Task<void> HugetlbPool::FreeFresh(sim::Path& path, Hstate& h, Pfn pfn, bool temporary, CpuId cpu) {
  co_await lock_->Acquire(path);
  const bool to_buddy = FreeUnderLock(h, pfn, temporary, false);
  co_await path.Take(LockTime(1));
  lock_->Release(path);
  if (!to_buddy) co_return;
  const std::vector<Pfn> pages(1, pfn);
  co_await ToBuddy(path, h, pages, cpu);
}

sim::Task<void> HugetlbPool::Free(sim::Path& path, CpuId cpu, const std::vector<Pfn>& pages) {
  for (const Pfn pfn : pages) pages_.Unuse(pfn);
  co_await FreeUnused(path, cpu, pages);
}

// Before 5.13 hugetlb_lock could not be taken in an interrupt, so free_huge_page() left the page to a worker.
sim::Task<void> HugetlbPool::FreeInInterrupt(sim::Path& path, CpuId cpu, const std::vector<Pfn>& pages) {
  if (!behaviour_.irq_frees_in_workqueue) {
    co_await Free(path, cpu, pages);
    co_return;
  }
  if (pages.empty()) co_return;
  const bool scheduled = !deferred_.empty();
  for (const Pfn pfn : pages) {
    pages_.Unuse(pfn);
    deferred_.push_back(pfn);
  }
  if (scheduled) co_return;
  path.Start(memory_.node(memory_.NodeOfCpu(cpu)).lp, memory_.costs().hop + memory_.costs().hugetlb_work,
             "free_hpage_work", [this, cpu](sim::Path& worker) { return FreeDeferred(worker, cpu); });
}

// free_hpage_workfn()
sim::Task<void> HugetlbPool::FreeDeferred(sim::Path& path, CpuId cpu) {
  const sim::LpId home = path.lp();
  co_await memory_.cpu(cpu).Acquire(path);
  co_await path.HopTo(memory_.global_lp(), memory_.costs().hop);
  std::vector<Pfn> pages;
  pages.swap(deferred_);
  std::reverse(pages.begin(), pages.end());
  co_await FreeUnused(path, cpu, pages);
  co_await path.HopTo(home, memory_.costs().hop);
  memory_.cpu(cpu).Release(path);
}

sim::Task<void> HugetlbPool::FreeUnused(sim::Path& path, CpuId cpu, std::span<const Pfn> pages) {
  PerHugeSize<std::vector<Pfn>> to_buddy;
  for (const Pfn pfn : pages) {
    const HugePage page = pages_.At(pfn);
    Hstate& h = hstate(page.size);
    bool restore = page.restore_reserve;
    if (!restore && page.subpool != nullptr && page.subpool->Put(1) == 0) restore = true;
    co_await lock_->Acquire(path);
    const bool leaves = FreeUnderLock(h, pfn, page.temporary, restore);
    co_await path.Take(LockTime(1));
    lock_->Release(path);
    if (leaves) to_buddy[page.size].push_back(pfn);
    if (page.subpool != nullptr) co_await ReleaseIfUnused(path, *page.subpool, cpu);
  }
  for (const HugeSize size : kHugeSizes) {
    co_await ToBuddy(path, hstate(size), to_buddy[size], cpu);
  }
}

// update_and_free_page() of each, without hugetlb_lock. What lies in an area of gigantic pages goes back
// there whatever its size is: it may be a part of one that was demoted.
sim::Task<void> HugetlbPool::ToBuddy(sim::Path& path, Hstate& h, const std::vector<Pfn>& pages, CpuId cpu) {
  NUMASIM_CHECK(!h.gigantic() || pages.empty() || gigantic_source_ != nullptr);
  const auto to_source = [&](Pfn pfn) {
    return h.gigantic() || (gigantic_source_ != nullptr && gigantic_source_->Owns(pfn));
  };
  if (std::none_of(pages.begin(), pages.end(), to_source)) {
    if (!pages.empty()) co_await allocator_.FreeBlocks(path, cpu, h.order(), pages);
    co_return;
  }
  std::vector<Pfn> to_buddy;
  for (const Pfn pfn : pages) {
    if (to_source(pfn)) {
      co_await gigantic_source_->Free(path, pfn, PagesOf(h.size()), cpu);
    } else {
      to_buddy.push_back(pfn);
    }
  }
  if (!to_buddy.empty()) co_await allocator_.FreeBlocks(path, cpu, h.order(), to_buddy);
}

}  // namespace numasim
