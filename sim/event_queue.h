// The pending events of one LP, in exact order of key. A few dozen events that are due soonest lie in a 4-ary
// heap, the others in a ladder by time; a queue that stays small is only the heap. Owned by its LP and
// touched only by the thread that runs it.
//
// An event may be pushed with any key, also one before what was popped last: it comes out next.
#ifndef NUMASIM_SIM_EVENT_QUEUE_H_
#define NUMASIM_SIM_EVENT_QUEUE_H_

#include <algorithm>
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
  size_t size() const { return bottom_.size() - (popped_ ? 1 : 0) + (ladder_ ? ladder_->size() : 0); }

  // The earliest event's time; the end of time when empty.
  int64_t NextTime() const {
    if (popped_) return bottom_.at(second_).time;
    return bottom_.empty() ? kEndOfTime : bottom_.top().time;
  }

  // event.time is before the end of time.
  void Push(const Event& event) {
    if (event.time >= bound_) {
      ladder_->Push(event);
    } else if (popped_) {
      bottom_.ReplaceTop(event, second_);
      popped_ = false;
    } else {
      bottom_.Push(event);
      if (bottom_.size() > split_above_) [[unlikely]]
        Split();
    }
  }

  // Requires !empty(). Most events lead to one push: so the popped one keeps its place for now, for that push
  // to take without a detour over the heap's end.
  Event Pop() {
    if (popped_) bottom_.Pop();
    const Event event = bottom_.top();
    popped_ = bottom_.size() > 1;
    if (popped_) {
      second_ = static_cast<uint32_t>(bottom_.Second());
    } else {
      bottom_.Clear();
      if (bound_ != kEndOfTime) [[unlikely]]
        Refill();
    }
    return event;
  }

  // Ask the cache for what Pop or Push will read.
  void PrefetchTop() const { bottom_.PrefetchTop(); }
  void PrefetchForPush() const {
    bottom_.PrefetchTop();
    bottom_.PrefetchEnd();
  }

  // Calls f with the path of some events that are due before `bound`: those that come next, as far as they
  // are easy to find.
  template <class F>
  void ForSoonest(int64_t bound, F&& f) const {
    for (const Event& event : bottom_.events().first(std::min<size_t>(5, bottom_.size()))) {
      if (event.time < bound) f(event.path);
    }
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

  // While anything is pending, the bottom is not empty and holds exactly what is due before bound_.
  EventHeap bottom_;
  uint32_t second_ = 0;  // the place of the least event but for the popped one
  bool popped_ = false;  // the root of the bottom is popped already, and others are left
  int64_t bound_ = kEndOfTime;
  uint32_t split_above_ = kSplitAbove;
  std::unique_ptr<EventLadder> ladder_;  // none until the bottom is first too large
};

}  // namespace numasim::sim::internal

#endif  // NUMASIM_SIM_EVENT_QUEUE_H_
