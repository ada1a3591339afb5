#include "models/physical/buddy.h"

#include "sim/check.h"

namespace numasim {
namespace {

constexpr int kNone = -1;

// fallbacks[][] of Linux 6.1: which types' lists to try, nearest first.
constexpr int kFallbacks = 2;
constexpr Migratetype kFallbackOrder[kPcpMigratetypes][kFallbacks] = {
    {Migratetype::kReclaimable, Migratetype::kMovable},    // Unmovable
    {Migratetype::kReclaimable, Migratetype::kUnmovable},  // Movable
    {Migratetype::kUnmovable, Migratetype::kMovable},      // Reclaimable
};

// migratetype_is_mergeable()
bool Mergeable(Migratetype type) { return static_cast<int>(type) < kPcpMigratetypes; }

// can_steal_fallback(): whether a whole pageblock may change hands for this request.
bool CanStealPageblock(int order, Migratetype type) {
  return order >= kPageblockOrder / 2 || type == Migratetype::kReclaimable || type == Migratetype::kUnmovable;
}

}  // namespace

void Buddy::AddToList(FrameIndex frame, int order, Migratetype type, bool to_tail) {
  FreeList& to = MutableList(order, type);
  const Blocks blocks{store_, order, type};
  // Only now does it become a free head: an entry that it left in the ring must not look alive meanwhile.
  const FreeList::Place place = to_tail ? to.PushBack(frame, blocks) : to.PushFront(frame, blocks);
  store_.SetHead(frame, order, FrameStore::FreeCode(order, type));
  store_.list_place(frame, order) = place;
  nonempty_[type] |= 1u << order;
  ++nr_free_[order];
}

void Buddy::RemoveFromList(FrameIndex frame, int order) {
  const Migratetype type = FrameStore::ListOf(store_.state(frame, order));
  FreeList& from = MutableList(order, type);
  from.Remove(store_.list_place(frame, order));
  // Entries that stay in the ring must not look like blocks of the list.
  store_.ClearHead(frame, order);
  --nr_free_[order];
  if (from.empty()) nonempty_[type] &= ~(1u << order);
}

void Buddy::RotateToFront(FrameIndex frame, int order) {
  const Migratetype type = FrameStore::ListOf(store_.state(frame, order));
  MutableList(order, type).RotateToFront(store_.list_place(frame, order), Blocks{store_, order, type});
}

void Buddy::RotateToBack(FrameIndex frame, int order) {
  const Migratetype type = FrameStore::ListOf(store_.state(frame, order));
  MutableList(order, type).RotateToBack(store_.list_place(frame, order), Blocks{store_, order, type});
}

void Buddy::TakeOut(FrameIndex frame, int order) {
  const Migratetype list = FrameStore::ListOf(store_.state(frame, order));
  RemoveFromList(frame, order);
  CountFree(-(int64_t{1} << order), list);
}

// __rmqueue(): movable memory comes from CMA areas where they have more than half of what is free, and where
// there is none elsewhere.
FrameIndex Buddy::Take(int order, Migratetype type, AllocFlags alloc_flags) {
  const bool cma = alloc_flags.Has(kAllocCma) && cma_pages_ > 0;
  FrameIndex frame = kNilFrame;
  if (cma && cma_pages_ > free_pages_ / 2) frame = TakeSmallest(order, Migratetype::kCma);
  if (frame == kNilFrame) frame = TakeSmallest(order, type);
  if (frame == kNilFrame && cma) frame = TakeSmallest(order, Migratetype::kCma);
  if (frame == kNilFrame && Mergeable(type) && StealFallback(order, type, alloc_flags)) {
    frame = TakeSmallest(order, type);
    if (frame != kNilFrame) ++counters_.fallbacks;
  }
  return frame;
}

// __rmqueue_smallest
FrameIndex Buddy::TakeSmallest(int order, Migratetype type) {
  const uint32_t fitting = nonempty_[type] >> order;
  if (fitting == 0) return kNilFrame;
  const int found = order + __builtin_ctz(fitting);
  const FrameIndex frame = First(found, type);
  RemoveFromList(frame, found);
  CountFree(-(int64_t{1} << order), type);
  if (found > order) Expand(frame, order, found, type);
  return frame;
}

// expand(): the upper halves go back, each to the head of its list, so that the lower addresses are used
// first.
void Buddy::Expand(FrameIndex frame, int low, int high, Migratetype type) {
  while (high > low) {
    --high;
    AddToList(frame + (FrameIndex{1} << high), high, type, false);
  }
}

// __rmqueue_fallback. The whole block moves to the list of `type`; the caller then takes from there.
bool Buddy::StealFallback(int order, Migratetype type, AllocFlags alloc_flags) {
  const int min_order =
      order < kPageblockOrder && alloc_flags.Has(kAllocNoFragment) ? kPageblockOrder : order;
  for (int current = kMaxOrder; current >= min_order; --current) {
    bool can_steal = false;
    int from = FindSuitableFallback(current, type, &can_steal);
    if (from == kNone) continue;
    // A movable request that cannot have the whole pageblock takes the smallest block instead: a movable page
    // in a strange pageblock does no lasting harm.
    if (!can_steal && type == Migratetype::kMovable && current > order) {
      for (current = order; current <= kMaxOrder; ++current) {
        from = FindSuitableFallback(current, type, &can_steal);
        if (from != kNone) break;
      }
      NUMASIM_CHECK(current <= kMaxOrder);
    }
    StealSuitable(First(current, static_cast<Migratetype>(from)), current, static_cast<Migratetype>(from),
                  type, can_steal);
    return true;
  }
  return false;
}

int Buddy::FindSuitableFallback(int order, Migratetype type, bool* can_steal) const {
  *can_steal = false;
  for (Migratetype from : kFallbackOrder[static_cast<int>(type)]) {
    if (lists_[order][from].empty()) continue;
    *can_steal = CanStealPageblock(order, type);
    return static_cast<int>(from);
  }
  return kNone;
}

bool Buddy::MayServe(int order, Migratetype type) const {
  if (!lists_[order][type].empty()) return true;
  if (type == Migratetype::kMovable && !lists_[order][Migratetype::kCma].empty()) return true;
  bool can_steal = false;
  return FindSuitableFallback(order, type, &can_steal) != kNone && can_steal;
}

// steal_suitable_fallback
void Buddy::StealSuitable(FrameIndex frame, int order, Migratetype from, Migratetype type, bool whole_block) {
  const Migratetype old_type = store_.pageblock_type(frame);
  const bool take_pageblock = whole_block && order < kPageblockOrder && old_type != Migratetype::kHighAtomic;
  if (order >= kPageblockOrder && old_type != Migratetype::kHighAtomic) {
    for (FrameIndex f = frame; f < frame + (FrameIndex{1} << order); f += kPageblockPages) {
      store_.set_pageblock_type(f, type);
      ++counters_.pageblock_steals;
    }
  }
  if (order < kPageblockOrder && old_type != Migratetype::kHighAtomic) ++counters_.mixings;
  if (take_pageblock) {
    int64_t movable = 0;
    const int64_t moved = MovePageblock(frame, type, &movable);
    if (moved > 0) {
      int64_t alike = 0;
      if (type == Migratetype::kMovable) {
        alike = movable;
      } else if (old_type == Migratetype::kMovable) {
        alike = kPageblockPages - (moved + movable);
      }
      if (moved + alike >= kPageblockPages / 2) {
        store_.set_pageblock_type(frame, type);
        ++counters_.pageblock_steals;
      }
      return;
    }
  }
  RemoveFromList(frame, order);
  AddToList(frame, order, type, true);  // move_to_free_list
}

int64_t Buddy::MovePageblock(FrameIndex frame, Migratetype type, int64_t* movable) {
  FrameIndex begin = frame >> kPageblockOrder << kPageblockOrder;
  const FrameIndex end = begin + kPageblockPages;
  // Of a pageblock that begins before the zone it takes what is from the frame on; one that ends behind it,
  // not at all.
  if (store_.PfnOf(begin) < store_.start()) begin = frame;
  if (store_.PfnOf(end) > store_.end()) return 0;
  int64_t moved = 0;
  // Where nobody counts the others, what is in use is passed over quickly: a range that is wanted in vain is
  // full.
  const bool only_free = movable == nullptr && store_.IsSplit(begin);
  for (FrameIndex f = begin; f < end;) {
    if (only_free) f = store_.FirstFree(f);
    if (f == end) break;
    // Only the first may begin before: to another list go whole blocks, and no two merge.
    const FrameStore::Head head = f == begin ? store_.Find(f) : store_.HeadAt(f);
    NUMASIM_DCHECK(!only_free || head.frame == f);
    const int64_t pages = int64_t{1} << head.order;
    // One that begins before the pageblock is of the pageblock before.
    if (head.kind == FrameKind::kFree && head.frame >= f) {
      RemoveFromList(head.frame, head.order);
      AddToList(head.frame, head.order, type, true);
      moved += pages;
    } else if (head.kind == FrameKind::kAllocated && movable != nullptr) {
      const auto owner = static_cast<FrameOwner::Kind>(store_.owner(head.frame, head.order).kind);
      if (FrameOwner::OfUser(owner)) *movable += pages;
    }
    // A pageblock that is unmanaged as a whole has no head.
    f = head.kind == FrameKind::kUnmanaged ? f + 1 : head.frame + static_cast<FrameIndex>(pages);
  }
  return moved;
}

bool Buddy::MayMergePageblocks(FrameIndex frame, FrameIndex buddy, Migratetype type) const {
  const Migratetype other = store_.pageblock_type(buddy);
  return type == other || (Mergeable(type) && Mergeable(other));
}

void Buddy::Free(FrameIndex frame, int order, Migratetype type, bool to_tail) {
  CountFree(int64_t{1} << order, type);
  FrameIndex buddy = kNilFrame;
  while (order < kMaxOrder) {
    buddy = frame ^ (FrameIndex{1} << order);
    if (!FrameStore::IsFreeCode(store_.state(buddy, order), order)) break;
    if (order >= kPageblockOrder && !MayMergePageblocks(frame, buddy, type)) break;
    RemoveFromList(buddy, order);
    frame &= buddy;
    ++order;
  }
  // buddy_merge_likely(): where the next larger block is about to become whole, put this one where it is used
  // last.
  if (!to_tail && order < kMaxOrder - 1) {
    const FrameIndex combined = frame & buddy;
    const FrameIndex above = combined ^ (FrameIndex{1} << (order + 1));
    const uint8_t state = store_.state(above, order + 1);
    to_tail = FrameStore::IsFreeCode(state, order + 1);
  }
  AddToList(frame, order, type, to_tail);
}

bool Buddy::HasFree(Migratetype type, int64_t pages) const {
  for (int order = kMaxOrder; order >= 0 && pages > 0; --order)
    pages -= int64_t{list(order, type).count()} << order;
  return pages <= 0;
}

int Buddy::LargestFreeOrder() const {
  uint32_t any = 0;
  for (uint32_t bits : nonempty_) any |= bits;
  return any == 0 ? -1 : 31 - __builtin_clz(any);
}

}  // namespace numasim
