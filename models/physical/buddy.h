// Buddy: the free lists of one zone (struct free_area of Linux 6.1), by order and migratetype, with their
// order kept as the kernel keeps it: what is taken next depends on it. Owned by the zone, lives on the LP of
// the zone's node. Plain functions: the caller holds the zone's simulated lock and pays the time.
#ifndef NUMASIM_MODELS_PHYSICAL_BUDDY_H_
#define NUMASIM_MODELS_PHYSICAL_BUDDY_H_

#include <array>
#include <cstdint>

#include "models/base/types.h"
#include "models/physical/alloc_flags.h"
#include "models/physical/frame_store.h"
#include "models/physical/free_list.h"

namespace numasim {

class Buddy {
 public:
  struct Counters {
    int64_t pageblock_steals = 0;  // pageblocks that changed type
    int64_t fallbacks = 0;         // allocations served from another type's list
    int64_t mixings = 0;           // of these, by a block that is less than a pageblock
  };

  explicit Buddy(FrameStore& store) : store_(store) {}

  // Takes a block of 2^order frames for `type`, the first of the smallest fitting list, else one stolen from
  // another type (__rmqueue, Linux 6.1). The block is out of the lists but not marked: the caller sets its
  // head. Returns kNilFrame if there is none.
  FrameIndex Take(int order, Migratetype type, AllocFlags alloc_flags);

  // Takes up to `count` single frames and hands each to sink(frame), in the order in which as many calls of
  // Take(0, ...) would return them; the lists are left the same. Returns how many there were. Cheaper, since
  // a block is cut up at once.
  template <typename Sink>
  int TakeSingles(int count, Migratetype type, AllocFlags alloc_flags, Sink sink);

  // Gives a block back and merges it with its buddies (__free_one_page). `type` chooses the list; what goes
  // to an isolated one does not count as free. `to_tail` is FPI_TO_TAIL: freed memory that should be used
  // last.
  void Free(FrameIndex frame, int order, Migratetype type, bool to_tail = false);

  // Puts a block on a list as it is, without merging: boot, and moves between lists.
  void AddToList(FrameIndex frame, int order, Migratetype type, bool to_tail);
  // Takes a free head off the list it is on.
  void RemoveFromList(FrameIndex frame, int order);

  // Takes a free block out of the allocator: its memory goes offline, or compaction has it.
  void TakeOut(FrameIndex frame, int order);

  // Whether a block of just this order would serve a request of that type: one of its own, of CMA, or one
  // that it may steal with its whole pageblock (find_suitable_fallback).
  bool MayServe(int order, Migratetype type) const;

  // Calls f(frame) for the blocks of a list from the first on, or from the last back, until it returns true.
  template <typename F>
  void Search(int order, Migratetype type, bool from_back, F f) {
    MutableList(order, type).Search(from_back, Blocks{store_, order, type}, f);
  }
  // A block of a list becomes its first, with those behind it next (move_freelist_head), or its last, with
  // those before it ahead (move_freelist_tail): a search that begins there comes to the others first.
  void RotateToFront(FrameIndex frame, int order);
  void RotateToBack(FrameIndex frame, int order);

  // Counts blocks that AddToList() put there at boot as free.
  void AdoptFreePages(int64_t pages) { free_pages_ += pages; }

  // Moves every free block that begins in the pageblock of `frame` to the lists of `type`
  // (move_freepages_block). Returns the pages moved; where `movable` is given, counts there the allocated
  // pages that an LRU would hold as movable. The counts of free pages stay as they are.
  int64_t MovePageblock(FrameIndex frame, Migratetype type, int64_t* movable);
  // Pages on the lists of `type` become free, or (negative) cease to be: of a block that was taken off them,
  // or that isolation moved (__mod_zone_freepage_state). Isolated pages are never counted.
  void CountFree(int64_t pages, Migratetype type) {
    if (type == Migratetype::kIsolate) return;
    free_pages_ += pages;
    if (type == Migratetype::kCma) cma_pages_ += pages;
  }

  int64_t free_pages() const { return free_pages_; }
  int64_t cma_pages() const { return cma_pages_; }  // of the free ones, those in CMA areas
  const int64_t& free_pages_ref() const { return free_pages_; }
  // Calls f(frame) for the blocks of a list from first to last.
  template <typename F>
  void ForEachFree(int order, Migratetype type, F f) const {
    const Blocks blocks{store_, order, type};
    list(order, type).ForEachEntry([&](FrameIndex frame, FreeList::Place place) {
      if (blocks.IsLive(frame, place)) f(frame);
    });
  }
  const FreeList& list(int order, Migratetype type) const { return lists_[order][static_cast<int>(type)]; }
  // Bit o is set where the list of order o has a block.
  uint32_t nonempty(Migratetype type) const { return nonempty_[type]; }
  // Free blocks of an order over all types (nr_free).
  const int64_t& blocks(int order) const { return nr_free_[order]; }
  // Whether the lists of this type have so many pages, for which no other type's are needed.
  bool HasFree(Migratetype type, int64_t pages) const;
  // The largest order with a free block; -1 if nothing is free.
  int LargestFreeOrder() const;
  const Counters& counters() const { return counters_; }
  FrameStore& store() { return store_; }
  const FrameStore& store() const { return store_; }

 private:
  friend class BuddyPeer;  // tests plant damage

  // What the free list of an order and type must know of its blocks.
  struct Blocks {
    FrameStore& store;
    int order;
    Migratetype type;
    bool IsLive(FrameIndex frame, FreeList::Place place) const {
      return store.state(frame, order) == FrameStore::FreeCode(order, type) &&
             store.list_place(frame, order) == place;
    }
    void Moved(FrameIndex frame, FreeList::Place place) const { store.list_place(frame, order) = place; }
    void WillLook(FrameIndex frame) const { store.PrefetchFrame(frame); }
  };
  FrameIndex First(int order, Migratetype type) {
    return MutableList(order, type).First(Blocks{store_, order, type});
  }
  FreeList& MutableList(int order, Migratetype type) { return lists_[order][type]; }
  FrameIndex TakeSmallest(int order, Migratetype type);
  void Expand(FrameIndex frame, int low, int high, Migratetype type);
  bool StealFallback(int order, Migratetype type, AllocFlags alloc_flags);
  void StealSuitable(FrameIndex frame, int order, Migratetype from, Migratetype type, bool whole_block);
  int FindSuitableFallback(int order, Migratetype type, bool* can_steal) const;
  bool MayMergePageblocks(FrameIndex frame, FrameIndex buddy, Migratetype type) const;

  FrameStore& store_;
  std::array<PerMigratetype<FreeList>, kOrders> lists_;
  std::array<int64_t, kOrders> nr_free_ = {};
  int64_t free_pages_ = 0;
  int64_t cma_pages_ = 0;
  PerMigratetype<uint32_t> nonempty_ = {};
  Counters counters_;
};

template <typename Sink>
int Buddy::TakeSingles(int count, Migratetype type, AllocFlags alloc_flags, Sink sink) {
  int taken = 0;
  while (taken < count) {
    const uint32_t nonempty = nonempty_[type];
    if (nonempty == 0 || (cma_pages_ > 0 && alloc_flags.Has(kAllocCma))) {
      const FrameIndex frame = Take(0, type, alloc_flags);
      if (frame == kNilFrame) break;
      sink(frame, 1);
      ++taken;
      continue;
    }
    // Take(0) would split the first block of the smallest order again and again, from its low end.
    const int order = __builtin_ctz(nonempty);
    const FrameIndex block = First(order, type);
    RemoveFromList(block, order);
    const int size = 1 << order;
    const int cut = size < count - taken ? size : count - taken;
    free_pages_ -= cut;
    sink(block, static_cast<uint32_t>(cut));
    taken += cut;
    // What is left, from the low end: blocks as large as their alignment allows.
    for (int at = cut; at < size; at += at & -at) {
      AddToList(block + static_cast<FrameIndex>(at), __builtin_ctz(static_cast<unsigned>(at)), type, false);
    }
  }
  return taken;
}

}  // namespace numasim

#endif  // NUMASIM_MODELS_PHYSICAL_BUDDY_H_
