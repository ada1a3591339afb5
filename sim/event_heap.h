// A 4-ary heap of events, least key first. The bottom of the ladder queue, where it holds a few dozen events,
// and on its own the oracle of that queue's test.
#ifndef NUMASIM_SIM_EVENT_HEAP_H_
#define NUMASIM_SIM_EVENT_HEAP_H_

#include <cstddef>
#include <vector>

#include "sim/check.h"
#include "sim/event.h"

namespace numasim::sim::internal {

class EventHeap {
 public:
  bool empty() const { return events_.empty(); }
  size_t size() const { return events_.size(); }
  const Event& top() const { return events_[0]; }
  const std::vector<Event>& events() const { return events_; }  // in heap order

  void Push(const Event& event) {
    events_.push_back(event);
    SiftUp(events_.size() - 1, event);
  }

  // Requires !empty().
  Event Pop() {
    NUMASIM_DCHECK(!empty());
    const Event least = events_[0];
    const Event last = events_.back();
    events_.pop_back();
    if (!events_.empty()) SiftDown(0, last);
    return least;
  }

  // Adds without keeping the order; Heapify() must follow the last of them.
  void Append(const Event& event) { events_.push_back(event); }
  void Heapify() {
    if (events_.size() < 2) return;
    for (size_t i = (events_.size() - 2) / kArity + 1; i-- > 0;) SiftDown(i, events_[i]);
  }

  void Clear() { events_.clear(); }

 private:
  static constexpr size_t kArity = 4;

  void SiftUp(size_t hole, const Event& event) {
    Event* const a = events_.data();
    while (hole > 0) {
      const size_t parent = (hole - 1) / kArity;
      if (!Before(event, a[parent])) break;
      a[hole] = a[parent];
      hole = parent;
    }
    a[hole] = event;
  }

  void SiftDown(size_t hole, const Event event) {
    Event* const a = events_.data();
    const size_t size = events_.size();
    for (;;) {
      const size_t child = hole * kArity + 1;
      if (child >= size) break;
      const size_t least = LeastChild(a, child, size);
      if (!Before(a[least], event)) break;
      a[hole] = a[least];
      hole = least;
    }
    a[hole] = event;
  }

  // Of the up to four children from `child` on.
  static size_t LeastChild(const Event* a, size_t child, size_t size) {
    if (child + kArity <= size) [[likely]] {
      const size_t left = child + (Before(a[child + 1], a[child]) ? 1 : 0);
      const size_t right = child + (Before(a[child + 3], a[child + 2]) ? 3 : 2);
      return Before(a[right], a[left]) ? right : left;
    }
    size_t least = child;
    for (size_t i = child + 1; i < size; ++i) least = Before(a[i], a[least]) ? i : least;
    return least;
  }

  std::vector<Event> events_;
};

}  // namespace numasim::sim::internal

#endif  // NUMASIM_SIM_EVENT_HEAP_H_
