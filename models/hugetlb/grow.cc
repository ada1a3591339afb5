// Growth of the pool (set_max_huge_pages, alloc_pool_huge_page). The kernel allocates page by page, each on
// the next node in turn. Frames are on their nodes' LPs, so page by page would be two messages for each; here
// the next attempts are planned, and as long as a node has memory at hand they are made node by node. Then
// they are taken in one after another as the kernel would have: which nodes get pages, what is counted and
// how long hugetlb_lock is held come out the same. An attempt that takes more than that (reclaim, compaction)
// is made when its turn has come.
#include <algorithm>
#include <span>
#include <utility>

#include "models/hugetlb/pool.h"
#include "sim/check.h"

namespace numasim {

struct HugetlbPool::Growth {
  // How many attempts a node gets at a time: much fewer messages than pages, and few enough pages that are
  // gone from the buddy allocator but not in the pool yet.
  static constexpr uint64_t kPerNode = 64;
  // And this many where one takes long: these pages wait for it.
  static constexpr uint64_t kPerNodeUnderPressure = 1;

  struct Attempt {
    NodeId node;
    Pfn pfn = kNoPfn;
  };

  Hstate& h;
  uint64_t count;  // persistent pages wanted
  NodeMask allowed;
  CpuId cpu;
  NodeMask no_retry =
      {};  // node_alloc_noretry: nodes that are not tried hard, for that was in vain the last time
  std::vector<Attempt> attempts = {};
  std::vector<Pfn> run = {};  // of the node that is visited
  int failed = 0;             // nodes tried in vain by the alloc_pool_huge_page() that goes on
  std::vector<Pfn> unneeded = {};
  bool pressure = false;  // an attempt of the last plan was not easy
};

// Brings the persistent pages up to `count`: first those that are surplus, then fresh ones. hugetlb_lock is
// held. False where memory has ended.
sim::Task<bool> HugetlbPool::Grow(sim::Path& path, Hstate& h, uint64_t count, NodeMask allowed, CpuId cpu) {
  while (h.counter(SURPLUS_HUGEPAGES) > 0 && count > h.persistent()) {
    if (!h.AdjustSurplus(allowed, -1)) break;
    co_await path.Take(LockTime(1));
  }
  Growth growth{.h = h, .count = count, .allowed = allowed, .cpu = cpu};
  while (count > h.persistent()) {
    PlanAttempts(growth);
    lock_->Release(path);
    if (!h.gigantic()) co_await MakeEasyAttempts(path, growth);
    const bool goes_on = co_await TakeIn(path, growth);
    co_await lock_->Acquire(path);
    if (!goes_on) co_return false;
  }
  co_return true;
}

// No more attempts than pages are missing: each brings one at most, so the kernel makes all of them, unless
// one call finds memory on no node.
void HugetlbPool::PlanAttempts(Growth& growth) const {
  // Where resizes race, each page is a step of the race.
  const bool single = behaviour_.resizes_race || growth.h.gigantic();
  const uint64_t per_node =
      std::exchange(growth.pressure, false) ? Growth::kPerNodeUnderPressure : Growth::kPerNode;
  const uint64_t most = single ? 1 : per_node * static_cast<uint64_t>(growth.allowed.count());
  const uint64_t missing = growth.count - growth.h.persistent();
  growth.attempts.clear();
  for (uint64_t i = 0; i < std::min(missing, most); ++i) {
    growth.attempts.push_back({growth.h.NextToAlloc(growth.allowed)});
  }
}

// Those for which nothing has to be done but to take a block.
sim::Task<void> HugetlbPool::MakeEasyAttempts(sim::Path& path, Growth& growth) {
  const GfpFlags gfp = GfpOf(growth.h.size()) | kGfpThisNode;
  NodeMask nodes;
  for (const Growth::Attempt& attempt : growth.attempts) nodes.Set(attempt.node);
  for (; !nodes.empty(); nodes.Clear(nodes.First())) {
    const NodeId node = nodes.First();
    const auto here = [node](const Growth::Attempt& attempt) { return attempt.node == node; };
    growth.run.resize(
        static_cast<size_t>(std::count_if(growth.attempts.begin(), growth.attempts.end(), here)));
    co_await path.HopTo(memory_.node(node).lp, memory_.costs().hop);
    const AllocRequest request = MakeRequest(growth.h, gfp, Placement{node}, growth.cpu);
    const size_t got = co_await allocator_.AllocRun(path, request, std::span(growth.run));
    if (got > 0) growth.no_retry.Clear(node);
    size_t next = 0;
    for (Growth::Attempt& attempt : growth.attempts) {
      if (attempt.node == node && next < got) attempt.pfn = growth.run[next++];
    }
  }
  co_await path.HopTo(memory_.global_lp(), memory_.costs().hop);
}

// alloc_buddy_huge_page(): a node that was tried hard in vain is not, until it has given a page. From and to
// the global LP.
sim::Task<Pfn> HugetlbPool::MakeAttempt(sim::Path& path, Growth& growth, NodeId node) {
  const GfpFlags gfp = GfpOf(growth.h.size()) | kGfpThisNode;
  if (growth.h.gigantic()) co_return co_await AllocGigantic(path, gfp, Placement{node}, growth.cpu);
  AllocRequest request = MakeRequest(growth.h, gfp, Placement{node}, growth.cpu);
  if (growth.no_retry.Has(node)) request.gfp = request.gfp.Without(kGfpRetryMayfail);
  co_await path.HopTo(memory_.node(node).lp, memory_.costs().hop);
  const Pfn pfn = co_await allocator_.Alloc(path, request);
  co_await path.HopTo(memory_.global_lp(), memory_.costs().hop);
  if (pfn == kNoPfn) {
    growth.no_retry.Set(node);
  } else {
    growth.no_retry.Clear(node);
  }
  co_return pfn;
}

// What the kernel does after each attempt. False where one call has found memory on no node.
sim::Task<bool> HugetlbPool::TakeIn(sim::Path& path, Growth& growth) {
  Hstate& h = growth.h;
  for (size_t i = 0; i < growth.attempts.size(); ++i) {
    const NodeId node = growth.attempts[i].node;
    if (growth.attempts[i].pfn == kNoPfn) {
      growth.pressure = true;
      growth.attempts[i].pfn = co_await MakeAttempt(path, growth, node);
    }
    const Pfn pfn = growth.attempts[i].pfn;
    if (pfn == kNoPfn) {
      if (!h.gigantic()) ++counters_[HTLB_BUDDY_ALLOC_FAIL];
      if (++growth.failed < growth.allowed.count()) continue;
      co_await GiveBackRest(path, growth, i + 1);
      co_return false;
    }
    if (!h.gigantic()) ++counters_[HTLB_BUDDY_ALLOC_SUCCESS];
    growth.failed = 0;
    co_await lock_->Acquire(path);
    h.AddFresh(node, pfn);
    co_await path.Take(LockTime(1));
    lock_->Release(path);
    co_await lock_->Acquire(path);
    if (FreeUnderLock(h, pfn, false, false)) growth.unneeded.push_back(pfn);
    co_await path.Take(LockTime(1));
    lock_->Release(path);
    if (i + 1 == growth.attempts.size()) break;
    co_await lock_->Acquire(path);
    const bool enough = growth.count <= h.persistent();
    lock_->Release(path);
    if (!enough) continue;
    // Somebody else has added to the pool meanwhile.
    co_await GiveBackRest(path, growth, i + 1);
    break;
  }
  if (!growth.unneeded.empty()) co_await ToBuddy(path, h, growth.unneeded, growth.cpu);
  growth.unneeded.clear();
  co_return true;
}

// The kernel would not have made the attempts from `first` on.
sim::Task<void> HugetlbPool::GiveBackRest(sim::Path& path, Growth& growth, size_t first) {
  if (first < growth.attempts.size()) growth.h.SetNextToAlloc(growth.attempts[first].node);
  for (size_t i = first; i < growth.attempts.size(); ++i) {
    if (growth.attempts[i].pfn != kNoPfn) growth.unneeded.push_back(growth.attempts[i].pfn);
  }
  co_await ToBuddy(path, growth.h, growth.unneeded, growth.cpu);
  growth.unneeded.clear();
}

}  // namespace numasim
