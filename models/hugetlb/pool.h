// HugetlbPool: the hstates of the machine with hugetlb_lock and the paths that change them (mm/hugetlb.c,
// Linux 6.1). Owned by Hugetlb, lives on the global LP: every path must be called there, and ends there.
#ifndef NUMASIM_MODELS_HUGETLB_POOL_H_
#define NUMASIM_MODELS_HUGETLB_POOL_H_

#include <array>
#include <cstdint>
#include <memory>
#include <span>
#include <vector>

#include "models/base/errno.h"
#include "models/base/gfp.h"
#include "models/hugetlb/gigantic_source.h"
#include "models/hugetlb/hstate.h"
#include "models/hugetlb/huge_pages.h"
#include "models/hugetlb/resv_map.h"
#include "models/hugetlb/subpool.h"
#include "models/mempolicy/mempolicy.h"
#include "models/physical/memory_system.h"
#include "models/physical/page_allocator.h"
#include "sim/locks.h"
#include "sim/path.h"
#include "sim/task.h"

namespace numasim {

// Who asks: a CPU, whose PCP lists and node serve, and the task's memory policy.
struct HugeRequester {
  CpuId cpu;
  MemPolicy policy;
};

// A mapping's claim to one huge page, as alloc_huge_page() is told by the VMA.
struct HugeClaim {
  HugeSize size = HugeSize::k2M;
  CpuId cpu;
  Placement placement;
  bool shared = false;      // VM_MAYSHARE
  bool noreserve = false;   // VM_NORESERVE
  bool owner = false;       // HPAGE_RESV_OWNER
  ResvMap* resv = nullptr;  // of the file or the private mapping; null: none
  uint64_t index = 0;       // huge page offset in the file
  Subpool* subpool = nullptr;
};

class HugetlbPool {
 public:
  HugetlbPool(MemorySystem& memory, PageAllocator& allocator);

  Hstate& hstate(HugeSize size) { return hstates_[static_cast<size_t>(size)]; }
  const Hstate& hstate(HugeSize size) const { return hstates_[static_cast<size_t>(size)]; }
  HugePageStore& pages() { return pages_; }
  const HugePageStore& pages() const { return pages_; }
  int64_t counter(GlobalCounter c) const { return counters_[c]; }
  sim::SpinLock& lock() { return *lock_; }
  const sim::SpinLock& lock() const { return *lock_; }
  // Null, as at first: there are no gigantic pages. It must outlive the pool, or the pool's last gigantic
  // page.
  void set_gigantic_source(GiganticSource* source) { gigantic_source_ = source; }

  // Every counter of the pools as a column of a trace: "hugetlb-2M.nr_hugepages",
  // "node0.hugetlb-2M.free_hugepages".
  std::vector<MemorySystem::CounterColumn> Columns() const;

  // --- at boot, before the engine runs (boot_pools.h) ---
  // Frames that boot has allocated for HugeTLB become a free page of the pool.
  void Adopt(HugeSize size, Pfn pfn);
  // An attempt to have a page from the buddy allocator.
  void CountBuddyAlloc(bool success) {
    ++counters_[success ? HTLB_BUDDY_ALLOC_SUCCESS : HTLB_BUDDY_ALLOC_FAIL];
  }
  // Processes that were there before the simulation keep a free page of the node, or so many reservations,
  // for good. The page cannot move. False: the node has no free page.
  bool GiveToBootUser(HugeSize size, NodeId node);
  void ReserveForBootUsers(HugeSize size, int64_t pages);
  const std::vector<Pfn>& boot_users() const { return boot_users_; }
  int64_t reserved_at_boot(HugeSize size) const { return reserved_at_boot_[size]; }

  // A write to nr_hugepages: `count` huge pages on `node`, or (kNoNode) on all nodes together, added and
  // removed on `allowed` (set_max_huge_pages). Succeeds also where memory does not suffice.
  sim::Task<Errno> Resize(sim::Path& path, HugeSize size, int64_t count, NodeId node, NodeMask allowed,
                          CpuId cpu);
  // A write to the `demote` file of 1 GiB pages: makes up to `count` free ones of `node`, or (kNoNode) of
  // any, 512 of 2 MiB each. kBusy where fewer are on its free lists than their counters say are available.
  sim::Task<Errno> Demote(sim::Path& path, int64_t count, NodeId node, CpuId cpu);
  // A write to nr_overcommit_hugepages: kInval for gigantic pages.
  sim::Task<Errno> SetOvercommit(sim::Path& path, HugeSize size, int64_t count);

  // Reserves (delta > 0) or gives up reservations of as many pages (hugetlb_acct_memory). False: not enough
  // pages.
  sim::Task<bool> Account(sim::Path& path, HugeSize size, int64_t delta, const HugeRequester& who);

  // A page in use for a claim, with no mapping yet; kNoPfn if there is none for it (alloc_huge_page).
  sim::Task<Pfn> Alloc(sim::Path& path, const HugeClaim& claim, bool avoid_reserve);
  // A page in use for one that moves to where it says, `this_node` to the preferred node only; kNoPfn if
  // there is none (alloc_huge_page_nodemask).
  sim::Task<Pfn> AllocForMove(sim::Path& path, HugeSize size, const Placement& where, bool this_node,
                              CpuId cpu);
  // Carries what the pool knows of a page over to the one that takes its place (move_hugetlb_state).
  sim::Task<void> MoveState(sim::Path& path, Pfn from, Pfn to);

  // Frees pages in use that nothing refers to any more, in this order (free_huge_page).
  sim::Task<void> Free(sim::Path& path, CpuId cpu, const std::vector<Pfn>& pages);
  // --- contiguous ranges (dissolve.cc) ---
  // What became of a huge page that is in the way.
  enum class Dissolved : uint8_t {
    kGone,      // it is none any more: a page of its node took its place, or somebody else was faster
    kIsolated,  // in use, and taken for migration
    kBusy,      // in use, and cannot be taken now
    kNoMem,     // nothing to take its place; also any gigantic page
  };
  // isolate_or_dissolve_huge_page(), since 5.13: of the huge page that covers `pfn`, if there is one.
  sim::Task<Dissolved> IsolateOrDissolve(sim::Path& path, Pfn pfn, CpuId cpu);
  // dissolve_free_huge_page(): a free page that covers `pfn` leaves the pool and is not replaced. kBusy: it
  // is in use, or a reservation needs it.
  sim::Task<Errno> DissolveFree(sim::Path& path, Pfn pfn, CpuId cpu);
  // folio_isolate_hugetlb(): takes a page in use, by its head, for migration. Takes hugetlb_lock.
  sim::Task<bool> Isolate(sim::Path& path, Pfn head);
  // folio_putback_hugetlb(): gives it back; frees it if nobody else holds it any more.
  sim::Task<void> PutBack(sim::Path& path, Pfn head, CpuId cpu);

  // The same in interrupt context, with `cpu` interrupted: at once, or in a worker on that CPU later.
  sim::Task<void> FreeInInterrupt(sim::Path& path, CpuId cpu, const std::vector<Pfn>& pages);
  // Gives up what a subpool still reserves once its mount is gone and nothing uses it.
  sim::Task<void> ReleaseIfUnused(sim::Path& path, Subpool& subpool, CpuId cpu);

 private:
  NodeId NodeOf(Pfn pfn) const { return memory_.ZoneOf(pfn)->node(); }
  // Where a page for the placement may be from.
  static NodeMask NodesOf(const Placement& where, bool this_node = false);
  sim::Duration LockTime(int64_t pages) const { return memory_.costs().hugetlb_lock * pages; }
  static GfpFlags GfpOf(HugeSize size);
  sim::Task<void> LockResize(sim::Path& path, Hstate& h);
  void UnlockResize(sim::Path& path, Hstate& h);
  static AllocRequest MakeRequest(const Hstate& h, GfpFlags gfp, const Placement& where, CpuId cpu);

  // Growth of the pool by set_max_huge_pages() (grow.cc).
  struct Growth;
  sim::Task<bool> Grow(sim::Path& path, Hstate& h, uint64_t count, NodeMask allowed, CpuId cpu);
  void PlanAttempts(Growth& growth) const;
  sim::Task<void> MakeEasyAttempts(sim::Path& path, Growth& growth);
  sim::Task<Pfn> MakeAttempt(sim::Path& path, Growth& growth, NodeId node);
  sim::Task<bool> TakeIn(sim::Path& path, Growth& growth);
  sim::Task<void> GiveBackRest(sim::Path& path, Growth& growth, size_t first);
  sim::Task<void> Shrink(sim::Path& path, Hstate& h, uint64_t count, NodeMask allowed, CpuId cpu);
  sim::Task<Pfn> AllocFresh(sim::Path& path, Hstate& h, GfpFlags gfp, const Placement& where, CpuId cpu);
  sim::Task<Pfn> AllocGigantic(sim::Path& path, GfpFlags gfp, const Placement& where, CpuId cpu);
  sim::Task<void> DemotePage(sim::Path& path, NodeId node, Pfn pfn, CpuId cpu);
  void LogNoSurplus(sim::Path& path, HugeSize size, const Placement& where, const char* reason) const;
  sim::Task<Pfn> AllocSurplus(sim::Path& path, Hstate& h, GfpFlags gfp, const Placement& where, CpuId cpu);
  sim::Task<Pfn> AllocSurplusFor(sim::Path& path, Hstate& h, const HugeClaim& claim);
  // With hugetlb_lock held, which they drop and take again.
  sim::Task<bool> GatherSurplus(sim::Path& path, Hstate& h, int64_t delta, CpuId cpu);
  sim::Task<void> ReturnUnusedSurplus(sim::Path& path, Hstate& h, int64_t unused, CpuId cpu);

  // A free page for a placement, by the zonelist of its preferred node (dequeue_huge_page_nodemask).
  Pfn DequeueNear(Hstate& h, const Placement& where, bool this_node);
  Pfn DequeueFor(Hstate& h, const HugeClaim& claim, int64_t missing);
  // free_huge_page() of one page that is in no map: to its free list, or, as the result says, to the buddy.
  bool FreeUnderLock(Hstate& h, Pfn pfn, bool temporary, bool restore_reserve);
  sim::Task<Dissolved> AllocAndDissolve(sim::Path& path, Hstate& h, Pfn head, CpuId cpu);
  // Of pages that are kFreeing already.
  sim::Task<void> FreeUnused(sim::Path& path, CpuId cpu, std::span<const Pfn> pages);
  sim::Task<void> FreeDeferred(sim::Path& path, CpuId cpu);
  // Pages taken out of the pool, in this order, go to the buddy. With hugetlb_lock held, which it may drop
  // and take again.
  sim::Task<void> LetGo(sim::Path& path, Hstate& h, std::vector<Pfn>& removed, CpuId cpu);
  sim::Task<void> FreeFresh(sim::Path& path, Hstate& h, Pfn pfn, bool temporary, CpuId cpu);
  sim::Task<void> ToBuddy(sim::Path& path, Hstate& h, const std::vector<Pfn>& pages, CpuId cpu);

  MemorySystem& memory_;
  PageAllocator& allocator_;
  const HugetlbBehaviour behaviour_;
  GiganticSource* gigantic_source_ = nullptr;
  std::unique_ptr<sim::SpinLock> lock_;  // hugetlb_lock
  HugePageStore pages_;
  std::vector<Hstate> hstates_;
  std::array<int64_t, GlobalCounter_ARRAYSIZE> counters_ = {};
  std::vector<Pfn> boot_users_;  // pages that they keep
  PerHugeSize<int64_t> reserved_at_boot_ = {};
  std::vector<Pfn> deferred_;  // hpage_freelist: left by interrupts for a worker, the last one to go first
};

}  // namespace numasim

#endif  // NUMASIM_MODELS_HUGETLB_POOL_H_
