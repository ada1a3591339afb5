// The far part of an event queue: events that are not due soon, in buckets by time that are sorted only when
// their turn comes. The ladder queue of Tang, Goh and Thng (2005): an unsorted top, and rungs of buckets,
// each rung covering one bucket of the rung above it in finer steps. Widths are powers of two, so finding a
// bucket is a shift. Owned by an EventQueue.
#ifndef NUMASIM_SIM_EVENT_LADDER_H_
#define NUMASIM_SIM_EVENT_LADDER_H_

#include <cstdint>
#include <memory>
#include <vector>

#include "sim/event.h"
#include "sim/event_heap.h"

namespace numasim::sim::internal {

class EventLadder {
 public:
  bool empty() const { return size_ == 0; }
  size_t size() const { return size_; }

  // An event at or after the bound that the last Refill or Split returned.
  void Push(const Event& event);

  // Moves the earliest bucket's events into `bottom`, which is empty, and returns the bound: every event
  // before it is in `bottom` now, none that stays here is. With nothing left here the bound is the end of
  // time.
  int64_t Refill(EventHeap& bottom);

  // Takes over all events of `bottom`, which holds everything before `bound`, as a new finest rung. Followed
  // by Refill. False, and nothing changes, where they are all of one time or too many rungs deep.
  bool Split(EventHeap& bottom, int64_t bound);

 private:
  static constexpr int kMaxRungs = 10;
  // Aim at this many events in a bucket; one with more than kSplitAbove becomes a rung of its own.
  static constexpr size_t kBucketTarget = 8;
  static constexpr size_t kSplitAbove = 48;
  // So few are left that they may as well all lie in the bottom.
  static constexpr size_t kAllToBottom = 48;

  struct Chunk {
    static constexpr uint32_t kEvents = 10;
    Chunk* next;
    uint32_t used;
    Event events[kEvents];
  };

  struct Bucket {
    Chunk* chunks = nullptr;
    size_t count = 0;
  };

  struct Rung {
    int64_t start = 0;
    int64_t end = 0;  // exclusive
    int shift = 0;    // a bucket is 2^shift ns wide
    size_t current = 0;
    std::vector<Bucket> buckets;

    // In unsigned arithmetic: a rung may span nearly all of time, and start before it.
    int64_t BucketStart(size_t bucket) const {
      return static_cast<int64_t>(static_cast<uint64_t>(start) + (static_cast<uint64_t>(bucket) << shift));
    }
    size_t IndexOf(int64_t time) const {
      return (static_cast<uint64_t>(time) - static_cast<uint64_t>(start)) >> shift;
    }
  };

  // Makes a rung for `count` events in [start, end), the end kept exactly, and returns it.
  Rung& AddRung(int64_t start, int64_t end, size_t count);
  void PushInto(Bucket& bucket, const Event& event);
  void Spread(const Bucket& bucket, Rung& rung);  // moves its events into the rung
  void Drain(Bucket& bucket, EventHeap& heap);    // empties the bucket into the heap
  void MakeRungFromTop();
  void AddToTop(const Event& event);

  Chunk* NewChunk();
  void FreeChunk(Chunk* chunk);

  size_t size_ = 0;
  int depth_ = 0;            // rungs in use, the coarsest first
  std::vector<Rung> rungs_;  // those beyond depth_ keep their memory for the next use
  std::vector<Event> top_;
  int64_t top_start_ = 0;  // events from here on go to the top
  int64_t top_least_ = 0;
  int64_t top_greatest_ = 0;
  Chunk* free_chunks_ = nullptr;
  std::vector<std::unique_ptr<Chunk[]>> slabs_;
};

}  // namespace numasim::sim::internal

#endif  // NUMASIM_SIM_EVENT_LADDER_H_
