// A 4-ary heap of events, least key first. The bottom of the ladder queue, where it holds a few dozen events,
// and on its own the oracle of that queue's test.
//
// Places without an event hold an endless key. So an empty heap has a top too, at the end of time, and the
// least of four children is found without asking how many there are, which no branch predictor could know.
#ifndef NUMASIM_SIM_EVENT_HEAP_H_
#define NUMASIM_SIM_EVENT_HEAP_H_

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <limits>
#include <memory>
#include <new>
#include <span>
#include <utility>

#include "sim/check.h"
#include "sim/event.h"

namespace numasim::sim::internal {

class EventHeap {
 public:
  EventHeap() : events_(Allocate(capacity_)) {}

  bool empty() const { return size_ == 0; }
  size_t size() const { return size_; }
  // The least; the endless one where the heap is empty.
  const Event& top() const { return events_[0]; }
  std::span<const Event> events() const { return {events_.get(), size_}; }  // in heap order

  void Push(const Event& event) {
    if (size_ == capacity_) [[unlikely]]
      Grow();
    SiftUp(size_++, event);
  }

  // Requires !empty().
  Event Pop() {
    NUMASIM_DCHECK(!empty());
    const Event least = events_[0];
    const Event last = std::exchange(events_[--size_], kEndless);
    if (size_ > 0) SiftDown(0, last);
    return least;
  }

  // The place of the least event but for the top; where there is none, a place of the endless one.
  size_t Second() const { return LeastChild(1); }
  const Event& at(size_t place) const { return events_[place]; }

  // Pop where Second() is known already.
  void PopKnowing(size_t second) {
    Event* const a = events_.get();
    const Event last = std::exchange(a[--size_], kEndless);
    if (second >= size_) {
      // The last was the second, or the only one.
      if (size_ > 0) a[0] = last;
      return;
    }
    a[0] = a[second];
    SiftDown(second, last);
  }

  // Pop and Push in one; requires !empty() and second == Second().
  void ReplaceTop(const Event& event, size_t second) {
    Event* const a = events_.get();
    const Event other = a[second];
    const bool event_first = Before(event, other);
    a[0] = event_first ? event : other;
    const Event later = event_first ? other : event;
    if (second * kArity + 1 >= size_) {
      a[second] = later;
    } else {
      SiftDown(second, later);
    }
  }

  // Adds without keeping the order; Heapify() must follow the last of them.
  void Append(const Event& event) {
    if (size_ == capacity_) [[unlikely]]
      Grow();
    events_[size_++] = event;
  }
  void Heapify() {
    if (size_ < 2) return;
    for (size_t i = (size_ - 2) / kArity + 1; i-- > 0;) SiftDown(i, events_[i]);
  }

  void Clear() {
    std::fill_n(events_.get(), size_, kEndless);
    size_ = 0;
  }

  // Ask the cache for the root with its children, and for where a Push begins.
  void PrefetchTop() const {
    __builtin_prefetch(events_.get());
    __builtin_prefetch(reinterpret_cast<const char*>(events_.get()) + kLine);
  }
  void PrefetchEnd() const { __builtin_prefetch(events_.get() + size_); }

 private:
  static constexpr size_t kArity = 4;
  static constexpr size_t kLine = 64;
  static constexpr Event kEndless{std::numeric_limits<int64_t>::max(), std::numeric_limits<uint64_t>::max(),
                                  nullptr};

  struct Delete {
    void operator()(Event* events) const { ::operator delete(events, std::align_val_t{kLine}); }
  };
  using Events = std::unique_ptr<Event[], Delete>;

  static Events Allocate(size_t capacity) {
    auto* const events =
        static_cast<Event*>(::operator new(capacity * sizeof(Event), std::align_val_t{kLine}));
    std::uninitialized_fill_n(events, capacity, kEndless);
    return Events(events);
  }

  [[gnu::noinline]] void Grow() {
    const uint32_t capacity = capacity_ * 2 + 3;
    Events events = Allocate(capacity);
    std::copy_n(events_.get(), size_, events.get());
    events_ = std::move(events);
    capacity_ = capacity;
  }

  void SiftUp(size_t hole, const Event event) {
    Event* const a = events_.get();
    while (hole > 0) {
      const size_t parent = (hole - 1) / kArity;
      if (!Before(event, a[parent])) break;
      a[hole] = a[parent];
      hole = parent;
    }
    a[hole] = event;
  }

  void SiftDown(size_t hole, const Event event) {
    Event* const a = events_.get();
    for (;;) {
      const size_t child = hole * kArity + 1;
      if (child >= size_) break;
      const size_t least = LeastChild(child);
      if (!Before(a[least], event)) break;
      a[hole] = a[least];
      hole = least;
    }
    a[hole] = event;
  }

  // Of the four children from `child` on, which is less than the capacity.
  size_t LeastChild(size_t child) const {
    const Event* const a = events_.get();
    const size_t left = child + (Before(a[child + 1], a[child]) ? 1 : 0);
    const size_t right = child + (Before(a[child + 3], a[child + 2]) ? 3 : 2);
    return Before(a[right], a[left]) ? right : left;
  }

  uint32_t size_ = 0;
  uint32_t capacity_ = 1 + kArity;  // always one and a multiple of the arity, so that no family is cut
  Events events_;
};

}  // namespace numasim::sim::internal

#endif  // NUMASIM_SIM_EVENT_HEAP_H_
