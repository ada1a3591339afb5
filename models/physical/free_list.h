// FreeList: one free list of the buddy allocator, in the kernel's order. Owned by Buddy.
//
// The kernel links blocks to each other, so taking one out of the middle writes to two others anywhere in
// memory. Here a list is a ring of frame numbers, and a block knows its place in it: taking one out only
// forgets it. What is left in the ring is skipped when the list gets there, and swept out when the ring is
// full. With 64 GiB freed in random order this is 1.7 times as fast as links; what the list's user sees is
// the same.
#ifndef NUMASIM_MODELS_PHYSICAL_FREE_LIST_H_
#define NUMASIM_MODELS_PHYSICAL_FREE_LIST_H_

#include <cstddef>
#include <cstdint>
#include <vector>

#include "models/physical/frame_store.h"
#include "sim/check.h"

namespace numasim {

class FreeList {
 public:
  // A position in the ring; distinct for all entries that are in it.
  using Place = uint32_t;

  uint32_t count() const { return live_; }
  bool empty() const { return live_ == 0; }

  // Adds a block at an end and returns its place, for the block to remember. `blocks` knows the blocks
  // themselves:
  //   bool IsLive(frame, place)  whether an entry is a block of the list still
  //   void Moved(frame, place)   the block has a new place
  //   void WillLook(frame)       IsLive will be asked about it soon
  template <typename Blocks>
  Place PushFront(FrameIndex frame, Blocks blocks) {
    if (size_ == ring_.size()) MakeRoom(blocks);
    --front_;
    ++size_;
    ++live_;
    Slot(front_) = frame;
    return front_;
  }
  template <typename Blocks>
  Place PushBack(FrameIndex frame, Blocks blocks) {
    if (size_ == ring_.size()) MakeRoom(blocks);
    const Place place = front_ + size_++;
    ++live_;
    Slot(place) = frame;
    return place;
  }

  // The block with this place is on the list no longer.
  void Remove(Place place) {
    if (--live_ == 0) {
      size_ = 0;
    } else if (place == front_) {
      ++front_;
      --size_;
    } else if (place == front_ + size_ - 1) {
      --size_;
    }
  }

  // The first block. The list must not be empty.
  template <typename Blocks>
  FrameIndex First(Blocks blocks) {
    while (!blocks.IsLive(Slot(front_), front_)) {
      ++front_;
      NUMASIM_CHECK(--size_ > 0);
    }
    return Slot(front_);
  }

  // Calls f(frame) for the blocks from the first on, or from the last back, until it returns true.
  template <typename Blocks, typename F>
  void Search(bool from_back, Blocks blocks, F f) const {
    for (uint32_t i = 0; i < size_; ++i) {
      const Place place = front_ + (from_back ? size_ - 1 - i : i);
      const FrameIndex frame = ring_[place & (ring_.size() - 1)];
      if (blocks.IsLive(frame, place) && f(frame)) return;
    }
  }

  // The block with this place becomes the first: it and those behind it come before all others.
  template <typename Blocks>
  void RotateToFront(Place place, Blocks blocks) {
    for (uint32_t left = front_ + size_ - place; left > 0; --left) {
      const Place from = front_ + --size_;
      const FrameIndex frame = Slot(from);
      if (!blocks.IsLive(frame, from)) continue;
      Slot(--front_) = frame;
      ++size_;
      blocks.Moved(frame, front_);
    }
  }
  // The block with this place becomes the last: it and those before it go behind all others.
  template <typename Blocks>
  void RotateToBack(Place place, Blocks blocks) {
    for (uint32_t left = place - front_ + 1; left > 0; --left) {
      const FrameIndex frame = Slot(front_);
      const bool live = blocks.IsLive(frame, front_);
      ++front_;
      --size_;
      if (!live) continue;
      const Place to = front_ + size_++;
      Slot(to) = frame;
      blocks.Moved(frame, to);
    }
  }

  // Calls f(frame, place) for every entry from first to last, also for those that are blocks of the list no
  // longer.
  template <typename F>
  void ForEachEntry(F f) const {
    for (uint32_t i = 0; i < size_; ++i) f(ring_[(front_ + i) & (ring_.size() - 1)], front_ + i);
  }

  size_t bytes() const { return ring_.capacity() * sizeof(FrameIndex); }

 private:
  friend class FreeListPeer;  // plants damage in tests

  FrameIndex& Slot(Place place) { return ring_[place & (ring_.size() - 1)]; }

  template <typename Blocks>
  void MakeRoom(Blocks blocks) {
    constexpr uint32_t kAhead = 16;
    // Sweeping pays off where it frees half of the ring; else the ring doubles.
    std::vector<FrameIndex> larger;
    if (live_ > ring_.size() / 2 || ring_.empty()) larger.resize(ring_.empty() ? 16 : ring_.size() * 2);
    std::vector<FrameIndex>& to = larger.empty() ? ring_ : larger;
    uint32_t kept = 0;
    for (uint32_t i = 0; i < size_; ++i) {
      const FrameIndex frame = Slot(front_ + i);
      if (i + kAhead < size_) blocks.WillLook(Slot(front_ + i + kAhead));
      if (!blocks.IsLive(frame, front_ + i)) continue;
      const Place place = front_ + kept++;
      to[place & (to.size() - 1)] = frame;
      if (kept != i + 1) blocks.Moved(frame, place);
    }
    NUMASIM_CHECK_EQ(kept, live_);
    size_ = kept;
    if (!larger.empty()) ring_.swap(larger);
  }

  std::vector<FrameIndex> ring_;  // a power of two of entries, or none
  Place front_ = 0;
  uint32_t size_ = 0;  // entries, from front_ on
  uint32_t live_ = 0;  // of these, blocks of the list
};

}  // namespace numasim

#endif  // NUMASIM_MODELS_PHYSICAL_FREE_LIST_H_
