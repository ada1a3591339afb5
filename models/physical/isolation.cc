#include "models/physical/isolation.h"

#include <algorithm>

#include "sim/check.h"

namespace numasim {
namespace {

constexpr FrameIndex kBlock = kPageblockPages;

bool Movable(const FrameOwner& owner, IsolateFor why) {
  switch (static_cast<FrameOwner::Kind>(owner.kind)) {
    case FrameOwner::kAnon:
    case FrameOwner::kShmem:
    case FrameOwner::kFile:
    case FrameOwner::kHugetlb:  // hugepage_migration_supported(): both sizes of x86-64
      return true;
    case FrameOwner::kOffline:
      return why == IsolateFor::kOffline;
    default:
      return false;
  }
}

// The largest order of a block that begins at `frame` and ends within `end`.
int OrderAt(FrameIndex frame, FrameIndex end, int most) {
  int order = frame == 0 ? most : std::min(__builtin_ctz(frame), most);
  while (frame + (FrameIndex{1} << order) > end) --order;
  return order;
}

}  // namespace

FrameIndex FindUnmovable(const Zone& zone, FrameIndex begin, FrameIndex end, Migratetype type,
                         IsolateFor why) {
  const FrameStore& frames = zone.frames();
  if (frames.pageblock_type(begin) == Migratetype::kCma) {
    return type == Migratetype::kCma ? kNilFrame : begin;
  }
  for (FrameIndex at = begin; at < end;) {
    const FrameStore::Head head = at == begin ? frames.Find(at) : frames.HeadAt(at);
    if (head.kind == FrameKind::kUnmanaged) return at;
    // In ZONE_MOVABLE what is not reserved can be moved, or that is at least tried. Elsewhere a frame that a
    // migration has, from or to, is on no LRU list, and by that the kernel tells what can move.
    if (head.kind == FrameKind::kAllocated && zone.type() != ZoneType::kMovable &&
        (!Movable(frames.owner(head.frame, head.order), why) || zone.IsMigrating(head.frame, head.order))) {
      return std::max(at, head.frame);
    }
    at = EndOf(head);
  }
  return kNilFrame;
}

bool IsolatePageblock(Zone& zone, FrameIndex block, FrameIndex begin, FrameIndex end, Migratetype type,
                      IsolateFor why, FrameIndex& blocker) {
  FrameStore& frames = zone.frames();
  blocker = block;
  const Migratetype old_type = frames.pageblock_type(block);
  if (old_type == Migratetype::kIsolate) return false;
  blocker = FindUnmovable(zone, std::max(block, begin), std::min(block + kBlock, end), type, why);
  if (blocker != kNilFrame) return false;
  frames.set_pageblock_type(block, Migratetype::kIsolate);
  const int64_t moved = zone.buddy().MovePageblock(block, Migratetype::kIsolate, nullptr);
  zone.buddy().CountFree(-moved, old_type);
  // A free block that begins before it would stay where it can be allocated from, and what was left of it
  // then be counted twice when this pageblock is given back. (Until Linux 6.10 it does, for a moment, and
  // is.)
  const bool alone = block == 0 || frames.pageblock_type(block - 1) != Migratetype::kIsolate;
  if (alone) SplitFreeAt(zone, block);
  return true;
}

void IsolateFree(Zone& zone, FrameIndex begin, FrameIndex end) {
  FrameIndex blocker = kNilFrame;
  for (FrameIndex block = begin; block < end; block += kBlock) {
    NUMASIM_CHECK(IsolatePageblock(zone, block, block, block + kBlock, Migratetype::kMovable,
                                   IsolateFor::kAllocation, blocker));
  }
}

void UnisolatePageblock(Zone& zone, FrameIndex block, Migratetype type) {
  FrameStore& frames = zone.frames();
  Buddy& buddy = zone.buddy();
  if (frames.pageblock_type(block) != Migratetype::kIsolate) return;
  const FrameStore::Head head = frames.Find(block);
  // A whole free pageblock may merge with its neighbour now, which moving it to another list would not do.
  const bool whole = head.kind == FrameKind::kFree && head.frame == block && head.order >= kPageblockOrder &&
                     head.order < kMaxOrder;
  if (whole) {
    const FrameIndex other = block ^ (FrameIndex{1} << head.order);
    if (FrameStore::IsFreeCode(frames.state(other, head.order), head.order) &&
        frames.pageblock_type(other) != Migratetype::kIsolate) {
      buddy.RemoveFromList(block, head.order);
      frames.set_pageblock_type(block, type);
      buddy.Free(block, head.order, type, /*to_tail=*/true);
      return;
    }
  }
  const FrameIndex other = block ^ kBlock;
  const bool shared = head.kind == FrameKind::kFree && head.order > kPageblockOrder &&
                      frames.pageblock_type(other) == Migratetype::kIsolate;
  if (shared) {
    // The other pageblock is somebody else's, or comes next: it must not be allocated from yet.
    buddy.RemoveFromList(head.frame, head.order);
    buddy.AddToList(other, kPageblockOrder, Migratetype::kIsolate, true);
    frames.set_pageblock_type(block, type);
    buddy.Free(block, kPageblockOrder, type, /*to_tail=*/true);
    return;
  }
  const int64_t moved = buddy.MovePageblock(block, type, nullptr);
  buddy.CountFree(moved, type);
  frames.set_pageblock_type(block, type);
}

void SplitFreeAt(Zone& zone, FrameIndex boundary) {
  FrameStore& frames = zone.frames();
  if (boundary == 0 || boundary >= frames.frames()) return;
  const FrameStore::Head head = frames.Find(boundary - 1);
  if (head.kind != FrameKind::kFree || EndOf(head) <= boundary) return;
  NUMASIM_CHECK(boundary % kBlock == 0);
  const Migratetype list = FrameStore::ListOf(frames.state(head.frame, head.order));
  zone.buddy().RemoveFromList(head.frame, head.order);
  zone.buddy().CountFree(-(int64_t{1} << head.order), list);
  for (FrameIndex at = head.frame; at < EndOf(head);) {
    const FrameIndex end = at < boundary ? boundary : EndOf(head);
    const int order = OrderAt(at, end, head.order);
    zone.buddy().Free(at, order, frames.pageblock_type(at));
    at += FrameIndex{1} << order;
  }
}

FrameIndex AllocatedAcross(const Zone& zone, FrameIndex boundary) {
  const FrameStore& frames = zone.frames();
  if (boundary == 0 || boundary >= frames.frames()) return kNilFrame;
  const FrameStore::Head head = frames.Find(boundary - 1);
  return head.kind == FrameKind::kAllocated && EndOf(head) > boundary ? head.frame : kNilFrame;
}

FrameIndex FirstNotIsolated(const Zone& zone, FrameIndex begin, FrameIndex end, IsolateFor why) {
  const FrameStore& frames = zone.frames();
  for (FrameIndex block = begin / kBlock * kBlock; block < end; block += kBlock) {
    if (frames.pageblock_type(block) != Migratetype::kIsolate) return std::max(block, begin);
  }
  for (FrameIndex at = begin; at < end;) {
    const FrameStore::Head head = at == begin ? frames.Find(at) : frames.HeadAt(at);
    const bool offline = why == IsolateFor::kOffline && OwnedBy(frames, head, FrameOwner::kOffline);
    if (head.kind != FrameKind::kFree && !offline) return at;
    at = EndOf(head);
  }
  return end;
}

int64_t TakeIsolated(Zone& zone, FrameIndex begin, FrameIndex end, FrameOwner owner) {
  FrameStore& frames = zone.frames();
  int64_t blocks = 0;
  for (FrameIndex at = begin; at < end;) {
    const FrameStore::Head head = frames.Find(at);
    NUMASIM_CHECK(head.kind == FrameKind::kFree);
    NUMASIM_CHECK(frames.pageblock_type(head.frame) == Migratetype::kIsolate);
    zone.buddy().RemoveFromList(head.frame, head.order);
    ++blocks;
    // What sticks out goes back.
    for (FrameIndex f = head.frame; f < at;) {
      const int order = OrderAt(f, at, kPageblockOrder);
      zone.buddy().Free(f, order, Migratetype::kIsolate);
      f += FrameIndex{1} << order;
    }
    const FrameIndex stop = std::min(EndOf(head), end);
    while (at < stop) {
      const int order = OrderAt(at, stop, kPageblockOrder);
      frames.SetHead(at, FrameKind::kAllocated, order);
      frames.owner(at, order) = owner;
      at += FrameIndex{1} << order;
    }
    for (FrameIndex f = stop; f < EndOf(head);) {
      const int order = OrderAt(f, EndOf(head), kPageblockOrder);
      zone.buddy().Free(f, order, Migratetype::kIsolate);
      f += FrameIndex{1} << order;
    }
  }
  return blocks;
}

int64_t FreeRange(Zone& zone, FrameIndex begin, FrameIndex end) {
  FrameStore& frames = zone.frames();
  int64_t blocks = 0;
  for (FrameIndex at = begin; at < end;) {
    const FrameStore::Head head = frames.Find(at);
    NUMASIM_CHECK_EQ(head.frame, at);
    NUMASIM_CHECK(EndOf(head) <= end);
    zone.FreeBuddy(at, head.order);
    at = EndOf(head);
    ++blocks;
  }
  return blocks;
}

}  // namespace numasim
