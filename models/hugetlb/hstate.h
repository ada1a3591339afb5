// Hstate: the pool of one huge page size (struct hstate, mm/hugetlb.c of Linux 6.1). Owned by HugetlbPool,
// lives on the global LP. Plain functions: the caller holds hugetlb_lock and pays the time.
#ifndef NUMASIM_MODELS_HUGETLB_HSTATE_H_
#define NUMASIM_MODELS_HUGETLB_HSTATE_H_

#include <array>
#include <cstdint>
#include <memory>
#include <vector>

#include "models/base/huge_size.h"
#include "models/base/types.h"
#include "models/hugetlb/huge_pages.h"
#include "proto/counters.h"
#include "sim/locks.h"

namespace numasim {

using HugetlbCounters = std::array<int64_t, HugetlbCounter_ARRAYSIZE>;

struct HstateNode {
  HugePageStore::List free;  // hugepage_freelists
  HugetlbCounters counters = {};
};

class Hstate {
 public:
  // `pages` must outlive it.
  Hstate(HugeSize size, int nodes, NodeMask with_memory, HugePageStore& pages,
         std::unique_ptr<sim::Mutex> resize_lock);

  HugeSize size() const { return size_; }
  int order() const { return OrderOf(size_); }
  bool gigantic() const { return order() > kMaxOrder; }
  NodeMask with_memory() const { return with_memory_; }
  sim::Mutex& resize_lock() { return *resize_lock_; }
  const sim::Mutex& resize_lock() const { return *resize_lock_; }

  int64_t& counter(HugetlbCounter c) { return counters_[c]; }
  int64_t counter(HugetlbCounter c) const { return counters_[c]; }
  HstateNode& node(NodeId id) { return nodes_[id.value]; }
  const HstateNode& node(NodeId id) const { return nodes_[id.value]; }
  const HugetlbCounters& counters() const { return counters_; }
  int nodes() const { return static_cast<int>(nodes_.size()); }

  // An unsigned long, as all that is compared with it: where more pages are surplus than there are, it has
  // wrapped around and exceeds any count (persistent_huge_pages).
  uint64_t persistent() const {
    return static_cast<uint64_t>(counter(NR_HUGEPAGES) - counter(SURPLUS_HUGEPAGES));
  }
  // Whether that ever happened, as it may in Linux 6.1: a page that is dissolved, demoted or was temporary is
  // never taken for one of the surplus pages, and a page that is allocated as surplus is in the pool for a
  // moment before it counts as surplus, so that a resize meanwhile makes it surplus a second time. The next
  // resize takes all free pages, reserved ones too: from then on the pages bound neither the surplus nor the
  // reservations.
  bool wrapped() const { return wrapped_; }
  // Free pages that no reservation needs (available_huge_pages). May be negative for a moment.
  int64_t available() const { return counter(FREE_HUGEPAGES) - counter(RESV_HUGEPAGES); }
  int64_t FreeOn(NodeMask nodes) const;

  // Changes a counter that is kept for the node and for all.
  void Add(HugetlbCounter c, NodeId id, int64_t delta);

  // A page that was allocated for it counts as surplus from now on (alloc_surplus_huge_page).
  void MakeSurplus(NodeId id);
  // Frames become a page of the pool, on no list yet (prep_new_huge_page).
  void AddFresh(NodeId id, Pfn pfn);
  // A page that nobody holds goes to the head of its node's free list (enqueue_huge_page).
  void Enqueue(NodeId id, Pfn pfn);
  // The first free page of the node is in use from now on (dequeue_huge_page_node_exact); kNoPfn where it has
  // none.
  Pfn Dequeue(NodeId id);
  // A page that nobody holds, free or not, leaves the pool; as a surplus page where `surplus`
  // (remove_hugetlb_page).
  void Remove(NodeId id, Pfn pfn, bool surplus);
  // Undoes that: the page is free (add_hugetlb_page).
  void AddBack(NodeId id, Pfn pfn, bool surplus);

  // The turn for growing and shrinking (hstate_next_node_to_alloc, .._to_free). `allowed` is not empty.
  NodeId NextToAlloc(NodeMask allowed) { return TakeTurn(next_to_alloc_, allowed); }
  void SetNextToAlloc(NodeId id) { next_to_alloc_ = id; }
  NodeId NextToFree(NodeMask allowed) { return TakeTurn(next_to_free_, allowed); }

  // Takes a free page out of the pool, from the next node that has one; of those with surplus pages, and as
  // one of them, where `surplus` (remove_pool_huge_page). kNoPfn if none has.
  Pfn RemoveFree(NodeMask allowed, bool surplus);
  // Makes a persistent page a surplus page (+1) or a surplus page persistent (-1) on the next node where that
  // can be (adjust_pool_surplus). False if it can on none.
  bool AdjustSurplus(NodeMask allowed, int delta);

 private:
  void NoteWrap() { wrapped_ = wrapped_ || counter(SURPLUS_HUGEPAGES) > counter(NR_HUGEPAGES); }
  static NodeId TakeTurn(NodeId& next, NodeMask allowed);

  HugeSize size_;
  NodeMask with_memory_;
  HugePageStore& pages_;
  std::unique_ptr<sim::Mutex> resize_lock_;
  std::vector<HstateNode> nodes_;
  HugetlbCounters counters_ = {};
  bool wrapped_ = false;
  NodeId next_to_alloc_, next_to_free_;
};

}  // namespace numasim

#endif  // NUMASIM_MODELS_HUGETLB_HSTATE_H_
