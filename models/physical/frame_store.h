// FrameStore: what is known of each page frame of one zone. Owned by the zone, so it lives on the LP of the
// zone's node.
//
// Storage is by pageblock (2 MiB). Each pageblock has a fixed 16-byte entry. Frames have flat tables, 8 bytes
// of link or owner and one byte of state, in address space that is reserved but takes memory only where it is
// written: a pageblock that is whole (free, or one huge page) is told by its entry alone and its part of the
// tables is never touched, a broken-up one costs 4,608 bytes. So any frame is found in O(1), and cost follows
// fragmentation. A third table has the references that few pages have, beyond their owner's: a bit of the
// state says that there are any, so that nobody else looks there. A transparent huge page whose parts are
// mapped apart has its tables written like a broken-up pageblock: with a mapcount for each part (ThpPage).
//
// A "head" is the first frame of a block of 2^order frames that belong together: a free block, an allocation,
// pages on a PCP list. Only heads carry state; what stands in the tables for the other frames is left over
// and means nothing.
#ifndef NUMASIM_MODELS_PHYSICAL_FRAME_STORE_H_
#define NUMASIM_MODELS_PHYSICAL_FRAME_STORE_H_

#include <bit>
#include <cstddef>
#include <cstdint>
#include <cstring>

#include "models/base/types.h"
#include "sim/check.h"

namespace numasim {

// The number of a frame in its zone's store: pfn - store.base().
using FrameIndex = uint32_t;
inline constexpr FrameIndex kNilFrame = ~FrameIndex{0};

enum class FrameKind : uint8_t {
  kUnmanaged = 0,  // a hole, or reserved since boot: never on a free list
  kAllocated = 1,  // heads an allocation
  kPcp = 2,        // heads a block on a PCP list
  kSplit = 3,      // pageblock entries only: the frames have states of their own
  kFree = 8,       // heads a block on a buddy free list; 8 + migratetype of the list
};

// Who uses an allocated block, for reverse lookups and copy-on-write. Widths follow what they count: mapcount
// and address spaces are bounded by pid_max (32,768), an index of 30 bits is 4 TiB of one mapping.
// The references to a page (page_count) are these and its PageHolds: it is freed with the last of them.
struct FrameOwner {
  enum Kind : uint8_t {
    kKernel = 0,
    kAnon = 1,
    kShmem = 2,
    kPageTable = 3,
    kHugetlb = 4,
    kContig = 5,   // allocated as part of a contiguous range: a CMA area's user
    kOffline = 6,  // PageOffline: the hypervisor has it (virtio-mem)
    kFile = 7,     // page cache of a file of the disk
  };
  // Page cache, that of shared memory too.
  static constexpr bool OfFile(uint64_t kind) { return kind == kShmem || kind == kFile; }
  // What processes use, and migration moves.
  static constexpr bool OfUser(uint64_t kind) { return kind == kAnon || OfFile(kind); }
  uint64_t kind : 3;
  // Page table entries that map it. What is not anonymous has one reference here, its owner's: the page
  // cache's, or the process's whose page table it is.
  uint64_t mapcount : 15;
  // kAnon: the anon_vma of who faulted it in, or kBootUser; kShmem, kFile: the file; kHugetlb: the hstate
  uint64_t object : 16;
  uint64_t index : 30;  // page offset in the object
};
static_assert(sizeof(FrameOwner) == 8);
// The object of anonymous memory of processes that were there before the simulation: it can be migrated, and
// nothing simulated refers to it. No anon_vma has this id.
inline constexpr uint16_t kBootUser = UINT16_MAX;

// What holds a page of a user beyond that.
struct PageHolds {
  uint32_t refs : 31;      // pins, and one of a migration
  uint32_t migrating : 1;  // a migration has it, to move it or as the place to move to; nobody else takes it

  constexpr bool any() const { return refs != 0 || migrating != 0; }
};

class FrameStore {
 public:
  struct Head {
    FrameIndex frame;
    FrameKind kind;
    int order;
  };

  // What its tables take of the host's memory: for a pageblock always, for a frame once it is used by itself.
  static const int64_t kBytesPerPageblock;
  static const int64_t kBytesPerFrame;

  // Covers [start, start + pages); everything begins as kUnmanaged.
  FrameStore(Pfn start, int64_t pages);
  ~FrameStore();
  FrameStore(const FrameStore&) = delete;
  FrameStore& operator=(const FrameStore&) = delete;

  Pfn start() const { return start_; }
  Pfn end() const { return start_ + pages_; }
  Pfn base() const { return base_; }  // start rounded down to a largest block
  FrameIndex Index(Pfn pfn) const { return static_cast<FrameIndex>(pfn - base_); }
  Pfn PfnOf(FrameIndex frame) const { return base_ + frame; }
  bool Contains(Pfn pfn) const { return pfn >= start_ && pfn < end(); }
  // Frames the tables cover, a multiple of the largest block; those outside [start, end) stay kUnmanaged.
  FrameIndex frames() const { return static_cast<FrameIndex>(pageblocks_ << kPageblockOrder); }
  uint32_t pageblocks() const { return pageblocks_; }

  // A state byte: the kind in the upper half (for a free head with the migratetype of its list, for an
  // allocated one with whether it has PageHolds), the order in the lower.
  static constexpr uint8_t Code(FrameKind kind, int order) {
    return static_cast<uint8_t>((static_cast<int>(kind) << 4) | order);
  }
  static constexpr uint8_t FreeCode(int order, Migratetype list) {
    return static_cast<uint8_t>(0x80 | (static_cast<int>(list) << 4) | order);
  }
  static constexpr bool IsFreeCode(uint8_t state, int order) { return (state & 0x8f) == (0x80 | order); }
  static constexpr FrameKind KindOf(uint8_t state) {
    return (state & 0x80) ? FrameKind::kFree : static_cast<FrameKind>((state >> 4) & 3);
  }
  static constexpr Migratetype ListOf(uint8_t state) { return static_cast<Migratetype>((state >> 4) & 7); }
  static constexpr int OrderOf(uint8_t state) { return state & 15; }

  // Makes `frame` the head of a block. For order < 9 its pageblock becomes split.
  void SetHead(FrameIndex frame, int order, uint8_t code) {
    Pageblock& block = blocks_[frame >> kPageblockOrder];
    if (order >= kPageblockOrder) {
      block.state = code;
    } else {
      block.state = Code(FrameKind::kSplit, 0);
      states_[frame] = code;
    }
  }
  void SetHead(FrameIndex frame, FrameKind kind, int order) { SetHead(frame, order, Code(kind, order)); }
  // The same of `count` single frames, one after another.
  void SetSingles(FrameIndex first, uint32_t count, FrameKind kind) {
    for (FrameIndex f = first; f < first + count; f = ((f >> kPageblockOrder) + 1) << kPageblockOrder)
      blocks_[f >> kPageblockOrder].state = Code(FrameKind::kSplit, 0);
    memset(&states_[first], Code(kind, 0), count);
  }
  // `frame` heads nothing for now: it is part of a larger block, or about to become a head again.
  void ClearHead(FrameIndex frame, int order) {
    (order >= kPageblockOrder ? blocks_[frame >> kPageblockOrder].state : states_[frame]) = 0;
  }
  // The state of `frame`, which must be the head of a block of at most / at least a pageblock as `order`
  // says, or be aligned to `order` and not lie inside a larger block.
  uint8_t state(FrameIndex frame, int order) const {
    return order >= kPageblockOrder ? blocks_[frame >> kPageblockOrder].state : states_[frame];
  }
  // Single frames of pageblocks known to be split.
  uint8_t& small_state(FrameIndex frame) { return states_[frame]; }
  bool IsSplit(FrameIndex frame) const {
    return blocks_[frame >> kPageblockOrder].state == Code(FrameKind::kSplit, 0);
  }

  // The block that holds `frame`, found from the largest size down: at most 11 looks.
  Head Find(FrameIndex frame) const;
  // The same in one look where `frame` is known to begin a block, as it does where another ends.
  Head HeadAt(FrameIndex frame) const {
    if (!IsSplit(frame)) return Find(frame);
    const uint8_t code = states_[frame];
    return {frame, KindOf(code), OrderOf(code)};
  }

  // The first free head from `frame` on in its pageblock, which is split; the pageblock's end if there is
  // none.
  FrameIndex FirstFree(FrameIndex frame) const;

  // The place of a free head on its free list. Shares storage with owner().
  uint32_t& list_place(FrameIndex frame, int order) { return word(frame, order).list_place; }
  uint32_t list_place(FrameIndex frame, int order) const {
    return const_cast<FrameStore*>(this)->word(frame, order).list_place;
  }
  // The owner of an allocated head.
  FrameOwner& owner(FrameIndex frame, int order) { return word(frame, order).owner; }
  const FrameOwner& owner(FrameIndex frame, int order) const {
    return const_cast<FrameStore*>(this)->word(frame, order).owner;
  }

  // Of single frames, one after another; the owner's index grows by `step` from one to the next.
  void SetOwners(FrameIndex first, uint32_t count, FrameOwner owner, int64_t step) {
    FrameOwner by{};
    by.index = static_cast<uint64_t>(step);
    // Numbers, since the index is what is highest in one: so the loop is a few instructions for four frames.
    auto bits = std::bit_cast<uint64_t>(owner);
    for (uint32_t i = 0; i < count; ++i, bits += std::bit_cast<uint64_t>(by))
      words_[first + i].owner = std::bit_cast<FrameOwner>(bits);
  }

  // What holds an allocated head beyond its owner.
  bool IsHeld(FrameIndex frame, int order) const {
    NUMASIM_DCHECK(KindOf(state(frame, order)) == FrameKind::kAllocated);
    return state(frame, order) & kHeld;
  }
  PageHolds holds(FrameIndex frame, int order) const {
    if (!IsHeld(frame, order)) return {};
    return order >= kPageblockOrder ? blocks_[frame >> kPageblockOrder].holds : holds_[frame];
  }
  void SetHolds(FrameIndex frame, int order, PageHolds holds) {
    const bool whole = order >= kPageblockOrder;
    Pageblock& block = blocks_[frame >> kPageblockOrder];
    uint8_t& state = whole ? block.state : states_[frame];
    NUMASIM_DCHECK(KindOf(state) == FrameKind::kAllocated);
    (whole ? block.holds : holds_[frame]) = holds;
    state = static_cast<uint8_t>(holds.any() ? state | kHeld : state & ~kHeld);
  }

  Migratetype pageblock_type(FrameIndex frame) const { return blocks_[frame >> kPageblockOrder].type; }
  void set_pageblock_type(FrameIndex frame, Migratetype type) {
    blocks_[frame >> kPageblockOrder].type = type;
  }

  // PB_migrate_skip: compaction need not look into the pageblock.
  bool compact_skip(FrameIndex frame) const { return blocks_[frame >> kPageblockOrder].compact_skip; }
  void set_compact_skip(FrameIndex frame, bool skip) {
    blocks_[frame >> kPageblockOrder].compact_skip = skip;
  }

  // Of an allocated head of a pageblock whose frames are mapped apart (ThpPage); no block has it at first.
  bool has_parts(FrameIndex head) const { return blocks_[head >> kPageblockOrder].has_parts; }
  void set_has_parts(FrameIndex head, bool has) { blocks_[head >> kPageblockOrder].has_parts = has; }
  // The mapcount of one of these frames, and how many mappings of them there are in all.
  int32_t& part_mapcount(FrameIndex frame) { return words_[frame].part.mapcount; }
  int32_t part_mapcount(FrameIndex frame) const { return words_[frame].part.mapcount; }
  int32_t& part_mappings(FrameIndex head) { return words_[head].part.mappings; }
  int32_t part_mappings(FrameIndex head) const { return words_[head].part.mappings; }

  void PrefetchFrame(FrameIndex frame) const {
    __builtin_prefetch(&words_[frame], 1);
    __builtin_prefetch(&states_[frame], 1);
  }
  void PrefetchWord(FrameIndex frame) const { __builtin_prefetch(&words_[frame], 1); }

  // Memory of the simulator that the store holds: what is resident of its tables, in bytes.
  size_t ResidentBytes() const;

 private:
  union Word {
    uint32_t list_place;
    FrameOwner owner;
    struct {
      int32_t mapcount;
      int32_t mappings;  // of the first frame only
    } part;
  };
  struct Pageblock {
    Word word;        // of a block of at least this size
    PageHolds holds;  // the same
    uint8_t state;
    Migratetype type;
    bool has_parts;
    bool compact_skip;
  };
  static_assert(sizeof(Pageblock) == 16);
  static constexpr uint8_t kHeld = 0x40;  // of the state of an allocated head
  Word& word(FrameIndex frame, int order) {
    return order >= kPageblockOrder ? blocks_[frame >> kPageblockOrder].word : words_[frame];
  }

  Pfn start_, base_;
  int64_t pages_;
  uint32_t pageblocks_;
  Pageblock* blocks_;
  Word* words_;
  uint8_t* states_;
  PageHolds* holds_;
};

}  // namespace numasim

#endif  // NUMASIM_MODELS_PHYSICAL_FRAME_STORE_H_
