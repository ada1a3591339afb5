// The pending events of one LP, in exact order of key. A few dozen events that are due soonest lie in a 4-ary
// heap, the others in a ladder by time; a queue that stays small is only the heap. Owned by its LP and
// touched only by the thread that runs it.
//
// An event may be pushed with any key, also one before what was popped last: it comes out next.
#ifndef NUMASIM_SIM_EVENT_QUEUE_H_
#define NUMASIM_SIM_EVENT_QUEUE_H_

#include <cstddef>
#include <cstdint>
#include <limits>
#include <memory>

#include "sim/event.h"
#include "sim/event_heap.h"
#include "sim/event_ladder.h"

namespace numasim::sim::internal {

class EventQueue {
 public:
  bool empty() const { return size() == 0; }
  size_t size() const { return bottom_.size() - (first_ != 0 ? 1 : 0) + (ladder_ ? ladder_->size() : 0); }

  // The earliest event's time; the end of time when empty.
  int64_t NextTime() const { return bottom_.at(first_).time; }
  // All of it; of the end of time when empty.
  const Event& Next() const { return bottom_.at(first_); }
  // Its path; null when empty.
  Path* NextPath() const { return bottom_.at(first_).path; }
  // The path of the one after it, where the queue is settled; null where there is none.
  Path* SecondPath() const { return bottom_.at(bottom_.Second()).path; }

  // event.time is before the end of time.
  void Push(const Event& event) {
    if (event.time >= bound_) {
      ladder_->Push(event);
    } else if (first_ != 0) {
      bottom_.ReplaceTop(event, first_);
      first_ = 0;
    } else {
      bottom_.Push(event);
      if (bottom_.size() > split_above_) [[unlikely]]
        Split();
    }
  }

  // Requires !empty(). Most events lead to one push: so, where that goes to the bottom, the popped one keeps
  // its place for it to take without a detour over the heap's end.
  Event Pop() {
    if (bound_ != kEndOfTime) return PopBeforeBound();
    if (first_ != 0) bottom_.PopKnowing(first_);
    first_ = static_cast<uint32_t>(bottom_.Second());
    return bottom_.top();
  }

  // Finishes what Pop left for a Push to do.
  void Settle() {
    if (first_ != 0) bottom_.PopKnowing(first_);
    first_ = 0;
  }

  // Ask the cache for what Pop or Push will read.
  void PrefetchTop() const { bottom_.PrefetchTop(); }
  void PrefetchForPush() const {
    bottom_.PrefetchTop();
    bottom_.PrefetchEnd();
  }

 private:
  static constexpr int64_t kEndOfTime = std::numeric_limits<int64_t>::max();
  static constexpr uint32_t kSplitAbove = 128;

  Event PopBeforeBound() {
    const Event event = bottom_.Pop();
    if (bottom_.empty()) [[unlikely]]
      Refill();
    return event;
  }
  void Split();
  void Refill();

  // While anything is pending, the bottom holds exactly what is due before bound_.
  EventHeap bottom_;
  // The place in the bottom of what comes next: the root, or, where the root is popped already, a child of
  // it. Only without a ladder in use does a popped root stay.
  uint32_t first_ = 0;
  uint32_t split_above_ = kSplitAbove;
  int64_t bound_ = kEndOfTime;
  std::unique_ptr<EventLadder> ladder_;  // none until the bottom is first too large
};

}  // namespace numasim::sim::internal

#endif  // NUMASIM_SIM_EVENT_QUEUE_H_
