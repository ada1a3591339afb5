// Isolation: taking pageblocks of a zone out of allocation, and the free memory in them out of the buddy
// allocator (mm/page_isolation.c, and the end of alloc_contig_range; Linux 6.1). Functions on a Zone, for its
// node's LP. They take no time: the caller holds zone->lock where it says so, and pays.
//
// Isolated memory is on the free lists of Migratetype::kIsolate: nothing is taken from there, what is freed
// in such a pageblock goes there, and none of it counts as free.
#ifndef NUMASIM_MODELS_PHYSICAL_ISOLATION_H_
#define NUMASIM_MODELS_PHYSICAL_ISOLATION_H_

#include <cstdint>

#include "models/base/types.h"
#include "models/physical/frame_store.h"
#include "models/physical/zone.h"

namespace numasim {

// What for: memory that is going offline may contain pages that the hypervisor has already (MEMORY_OFFLINE).
enum class IsolateFor : uint8_t { kAllocation, kOffline };

// has_unmovable_pages(): the first frame of [begin, end), which lies in one pageblock, that could not be
// moved away; kNilFrame if all could. Pageblocks of a CMA area are isolated for `type` kCma only.
FrameIndex FindUnmovable(const Zone& zone, FrameIndex begin, FrameIndex end, Migratetype type,
                         IsolateFor why);

// set_migratetype_isolate() of the pageblock that begins at `block`, of which [begin, end) is wanted. False,
// and nothing is changed, where it is isolated already or something in it cannot move: `blocker` is then the
// frame that is in the way. Holds zone->lock.
bool IsolatePageblock(Zone& zone, FrameIndex block, FrameIndex begin, FrameIndex end, Migratetype type,
                      IsolateFor why, FrameIndex& blocker);

// unset_migratetype_isolate(): back to `type`; nothing where it is not isolated. Holds zone->lock.
void UnisolatePageblock(Zone& zone, FrameIndex block, Migratetype type);

// split_free_page(): where a free block reaches over `boundary`, a pageblock's beginning, it becomes two,
// each on the list of its own pageblock. Holds zone->lock.
void SplitFreeAt(Zone& zone, FrameIndex boundary);

// The allocated block of more than a pageblock that reaches over `boundary`; kNilFrame if there is none.
FrameIndex AllocatedAcross(const Zone& zone, FrameIndex boundary);

// test_pages_isolated(): the first frame of [begin, end) that is not in a free block of an isolated
// pageblock; `end` if all are. Holds zone->lock.
FrameIndex FirstNotIsolated(const Zone& zone, FrameIndex begin, FrameIndex end, IsolateFor why);

// isolate_freepages_range() and free_contig_range() of what is too much: takes the free memory of [begin,
// end), all of it isolated, and makes it allocated for `owner`, in blocks of at most a pageblock. Returns how
// many blocks were taken off lists.
int64_t TakeIsolated(Zone& zone, FrameIndex begin, FrameIndex end, FrameOwner owner);

// free_contig_range(): frees what TakeIsolated made of [begin, end), or whole blocks of it. Straight to the
// buddy allocator: page by page through a CPU's lists it ends up the same, less what these hold. Returns the
// blocks freed. Holds zone->lock.
int64_t FreeRange(Zone& zone, FrameIndex begin, FrameIndex end);

// set_migratetype_isolate() of pageblocks that are free for certain, from `begin` to `end`.
void IsolateFree(Zone& zone, FrameIndex begin, FrameIndex end);

// Whose an allocated block is; null if it is not allocated.
inline const FrameOwner* OwnerOf(const FrameStore& frames, const FrameStore::Head& head) {
  return head.kind == FrameKind::kAllocated ? &frames.owner(head.frame, head.order) : nullptr;
}

// Whether the block is somebody's of this kind.
inline bool OwnedBy(const FrameStore& frames, const FrameStore::Head& head, FrameOwner::Kind kind) {
  const FrameOwner* const owner = OwnerOf(frames, head);
  return owner != nullptr && owner->kind == kind;
}

// One past the last frame of a block.
inline FrameIndex EndOf(const FrameStore::Head& head) { return head.frame + (FrameIndex{1} << head.order); }

// Calls f(head) for the blocks of [begin, end) in order; the first may begin before. f neither frees nor
// allocates any.
template <typename F>
void ForEachBlock(const FrameStore& frames, FrameIndex begin, FrameIndex end, F f) {
  for (FrameIndex at = begin; at < end;) {
    const FrameStore::Head head = at == begin ? frames.Find(at) : frames.HeadAt(at);
    const FrameIndex next = EndOf(head);
    f(head);
    at = next > at ? next : at + 1;
  }
}

}  // namespace numasim

#endif  // NUMASIM_MODELS_PHYSICAL_ISOLATION_H_
