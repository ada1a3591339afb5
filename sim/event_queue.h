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
  bool empty() const { return bottom_.empty(); }
  size_t size() const { return bottom_.size() + (ladder_ ? ladder_->size() : 0); }

  // The earliest event's time; the end of time when empty.
  int64_t NextTime() const { return bottom_.empty() ? kEndOfTime : bottom_.top().time; }

  // event.time is before the end of time.
  void Push(const Event& event) {
    if (event.time >= bound_) {
      ladder_->Push(event);
      return;
    }
    bottom_.Push(event);
    if (bottom_.size() > split_above_) [[unlikely]]
      Split();
  }

  // Requires !empty().
  Event Pop() {
    const Event event = bottom_.Pop();
    if (bottom_.empty() && bound_ != kEndOfTime) [[unlikely]]
      Refill();
    return event;
  }

 private:
  static constexpr int64_t kEndOfTime = std::numeric_limits<int64_t>::max();
  static constexpr size_t kSplitAbove = 128;

  void Split();
  void Refill();

  // While anything is pending, the bottom is not empty and holds exactly what is due before bound_.
  EventHeap bottom_;
  int64_t bound_ = kEndOfTime;
  size_t split_above_ = kSplitAbove;
  std::unique_ptr<EventLadder> ladder_;  // none until the bottom is first too large
};

}  // namespace numasim::sim::internal

#endif  // NUMASIM_SIM_EVENT_QUEUE_H_
