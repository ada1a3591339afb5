// Reservations, and pages for those who hold them or not.
#include <algorithm>

#include "models/hugetlb/pool.h"
#include "sim/check.h"

namespace numasim {
namespace {

// vma_needs_reservation(): 0 where a reservation is there for the page. A private mapping's map holds those
// that are used up.
int64_t MissingReservation(const HugeClaim& claim) {
  if (claim.resv == nullptr) return 1;
  const int64_t absent = claim.resv->Missing(claim.index, claim.index + 1);
  return claim.shared ? absent : 1 - absent;
}

// vma_commit_reservation()
int64_t CommitReservation(const HugeClaim& claim) {
  if (claim.resv == nullptr) return 1;
  const int64_t added = claim.resv->Add(claim.index, claim.index + 1);
  return claim.shared ? added : 1 - added;
}

// vma_has_reserves()
bool HasReserves(const HugeClaim& claim, int64_t missing) {
  if (missing != 0) return false;
  if (claim.noreserve) return claim.shared;
  return claim.shared || claim.owner;
}

}  // namespace

Pfn HugetlbPool::DequeueNear(Hstate& h, const Placement& where, bool this_node) {
  if (this_node) return h.Dequeue(where.preferred);
  NodeId last = kNoNode;
  for (const Zone* zone : memory_.Zonelist(where.preferred, GfpZone(GfpOf(h.size())))) {
    if (!where.allowed.Has(zone->node()) || zone->node() == last) continue;
    last = zone->node();
    const Pfn pfn = h.Dequeue(last);
    if (pfn != kNoPfn) return pfn;
  }
  return kNoPfn;
}

// dequeue_huge_page_vma(): those without a reservation get what no reservation needs.
Pfn HugetlbPool::DequeueFor(Hstate& h, const HugeClaim& claim, int64_t missing) {
  const bool reserved = HasReserves(claim, missing);
  if (!reserved && h.available() == 0) return kNoPfn;
  Placement where = claim.placement;
  Pfn pfn = kNoPfn;
  if (where.retry_anywhere) {
    pfn = DequeueNear(h, where, false);
    where.allowed = NodeMask::All();
  }
  if (pfn == kNoPfn) pfn = DequeueNear(h, where, false);
  if (pfn == kNoPfn) return kNoPfn;
  pages_.Used(pfn).restore_reserve = reserved;
  if (reserved) --h.counter(RESV_HUGEPAGES);
  return pfn;
}

sim::Task<Pfn> HugetlbPool::Alloc(sim::Path& path, const HugeClaim& claim, bool avoid_reserve) {
  Hstate& h = hstate(claim.size);
  co_await path.Take(memory_.costs().hugetlb_resv);
  const int64_t map_missing = MissingReservation(claim);
  int64_t missing = map_missing;
  const bool charges = map_missing != 0 || avoid_reserve;
  if (charges && claim.subpool != nullptr) {
    const std::optional<int64_t> got = claim.subpool->Get(1);
    if (!got.has_value()) {
      memory_.LogFailure(path, {.kind = LogKind::kHugetlbFailed,
                                .error = Errno::kNoSpc,
                                .function = "hugepage_subpool_get_pages",
                                .size = claim.size});
      co_return kNoPfn;
    }
    missing = *got;
  } else if (charges) {
    missing = 1;
  }
  co_await lock_->Acquire(path);
  Pfn pfn = DequeueFor(h, claim, missing);
  co_await path.Take(LockTime(1));
  if (pfn == kNoPfn) {
    lock_->Release(path);
    pfn = co_await AllocSurplusFor(path, h, claim);
    if (pfn == kNoPfn) {
      if (charges && claim.subpool != nullptr) claim.subpool->Put(1);
      // Who avoids reserves has another way: it takes the page back from its children.
      if (!avoid_reserve) {
        memory_.LogFailure(path, {.kind = LogKind::kHugetlbFailed,
                                  .error = Errno::kNoSpc,
                                  .function = "alloc_huge_page",
                                  .nodes = NodesOf(claim.placement),
                                  .size = claim.size});
      }
      co_return kNoPfn;
    }
    co_await lock_->Acquire(path);
    const bool reserved = !avoid_reserve && HasReserves(claim, missing);
    pages_.Use(pfn).restore_reserve = reserved;
    if (reserved) --h.counter(RESV_HUGEPAGES);
    co_await path.Take(LockTime(1));
  }
  lock_->Release(path);
  pages_.Used(pfn).subpool = claim.subpool;
  if (map_missing > CommitReservation(claim)) {
    // A reservation was made for the page meanwhile, and is not needed any more.
    const int64_t unneeded = claim.subpool != nullptr ? claim.subpool->Put(1) : 1;
    const HugeRequester who{claim.cpu, MemPolicy{}};
    co_await Account(path, h.size(), -unneeded, who);
  }
  co_return pfn;
}

sim::Task<bool> HugetlbPool::Account(sim::Path& path, HugeSize size, int64_t delta,
                                     const HugeRequester& who) {
  if (delta == 0) co_return true;
  Hstate& h = hstate(size);
  co_await lock_->Acquire(path);
  co_await path.Take(LockTime(1));
  bool enough = true;
  const bool bound = who.policy.mode == MemPolicy::Mode::kBind;
  const NodeMask nodes = bound ? who.policy.nodes : NodeMask::All();
  if (delta < 0) {
    co_await ReturnUnusedSurplus(path, h, -delta, who.cpu);
  } else if (!co_await GatherSurplus(path, h, delta, who.cpu)) {
    enough = false;
  } else {
    // allowed_mems_nr(): a task bound to some nodes may not reserve more than is free there.
    if (delta > h.FreeOn(nodes)) {
      co_await ReturnUnusedSurplus(path, h, delta, who.cpu);
      enough = false;
    }
  }
  lock_->Release(path);
  if (!enough) {
    memory_.LogFailure(path, {.kind = LogKind::kHugetlbFailed,
                              .error = Errno::kNoMem,
                              .function = "hugetlb_acct_memory",
                              .nodes = nodes,
                              .size = size,
                              .pages = delta});
  }
  co_return enough;
}

// gather_surplus_pages(): makes the pages that are missing for `delta` more reservations.
sim::Task<bool> HugetlbPool::GatherSurplus(sim::Path& path, Hstate& h, int64_t delta, CpuId cpu) {
  std::vector<Pfn> fresh;
  int64_t needed = h.counter(RESV_HUGEPAGES) + delta - h.counter(FREE_HUGEPAGES);
  bool memory_left = true;
  const Placement where{memory_.NodeOfCpu(cpu)};
  while (needed > 0 && memory_left) {
    lock_->Release(path);
    for (int64_t i = 0; i < needed && memory_left; ++i) {
      const Pfn pfn = co_await AllocSurplus(path, h, GfpOf(h.size()), where, cpu);
      memory_left = pfn != kNoPfn;
      if (memory_left) fresh.push_back(pfn);
    }
    co_await lock_->Acquire(path);
    needed = h.counter(RESV_HUGEPAGES) + delta - h.counter(FREE_HUGEPAGES) - std::ssize(fresh);
  }
  const bool enough = needed <= 0;
  if (enough) {
    h.counter(RESV_HUGEPAGES) += delta;
    const int64_t wanted = needed + std::ssize(fresh);
    for (int64_t i = 0; i < wanted; ++i) {
      h.Enqueue(NodeOf(fresh.back()), fresh.back());
      fresh.pop_back();
    }
    co_await path.Take(LockTime(std::max<int64_t>(wanted, 0)));
  }
  if (fresh.empty()) co_return enough;
  lock_->Release(path);
  std::reverse(fresh.begin(), fresh.end());
  for (const Pfn pfn : fresh) co_await FreeFresh(path, h, pfn, false, cpu);
  co_await lock_->Acquire(path);
  co_return enough;
}

// return_unused_surplus_pages(): gives up reservations, and as many surplus pages as are free.
sim::Task<void> HugetlbPool::ReturnUnusedSurplus(sim::Path& path, Hstate& h, int64_t unused, CpuId cpu) {
  h.counter(RESV_HUGEPAGES) -= unused;
  const int64_t most = std::min(unused, h.counter(SURPLUS_HUGEPAGES));
  std::vector<Pfn> removed;
  for (int64_t i = 0; i < most; ++i) {
    const Pfn pfn = h.RemoveFree(h.with_memory(), true);
    if (pfn == kNoPfn) break;
    removed.push_back(pfn);
    co_await path.Take(LockTime(1));
  }
  if (!removed.empty()) co_await LetGo(path, h, removed, cpu);
}

sim::Task<void> HugetlbPool::ReleaseIfUnused(sim::Path& path, Subpool& subpool, CpuId cpu) {
  if (subpool.mounted || subpool.min == Subpool::kNone) co_return;
  const bool unused = subpool.max != Subpool::kNone ? subpool.used == 0 : subpool.reserved == subpool.min;
  if (!unused) co_return;
  const int64_t reserved = subpool.min;
  subpool.min = Subpool::kNone;
  const HugeRequester who{cpu, MemPolicy{}};
  co_await Account(path, subpool.size, -reserved, who);
}

sim::Task<Pfn> HugetlbPool::AllocForMove(sim::Path& path, HugeSize size, const Placement& where,
                                         bool this_node, CpuId cpu) {
  Hstate& h = hstate(size);
  co_await lock_->Acquire(path);
  Pfn pfn = h.available() != 0 ? DequeueNear(h, where, this_node) : kNoPfn;
  co_await path.Take(LockTime(1));
  lock_->Release(path);
  if (pfn != kNoPfn) co_return pfn;
  const GfpFlags gfp = GfpOf(size) | kGfpThisNode.If(this_node);
  if (!h.gigantic()) pfn = co_await AllocFresh(path, h, gfp, where, cpu);  // alloc_migrate_huge_page()
  if (pfn != kNoPfn) {
    pages_.Use(pfn).temporary = true;
  } else {
    memory_.LogFailure(path, {.kind = LogKind::kHugetlbFailed,
                              .error = Errno::kNoMem,
                              .function = "alloc_huge_page_nodemask",
                              .nodes = NodesOf(where, this_node),
                              .size = size});
  }
  co_return pfn;
}

sim::Task<void> HugetlbPool::MoveState(sim::Path& path, Pfn from, Pfn to) {
  HugePage& source = pages_.Used(from);
  HugePage& target = pages_.Used(to);
  Hstate& h = hstate(source.size);
  if (target.temporary) {
    // The page that stays is the pool's from now on, the other leaves it when freed.
    source.temporary = true;
    target.temporary = false;
  }
  const bool crosses = source.temporary && NodeOf(from) != NodeOf(to);
  co_await lock_->Acquire(path);
  if (crosses && h.node(NodeOf(from)).counters[SURPLUS_HUGEPAGES] > 0) {
    h.Add(SURPLUS_HUGEPAGES, NodeOf(from), -1);
    h.Add(SURPLUS_HUGEPAGES, NodeOf(to), 1);
  }
  co_await path.Take(LockTime(1));
  lock_->Release(path);
}

}  // namespace numasim
