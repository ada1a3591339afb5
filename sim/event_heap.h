// A 4-ary heap of events, least key first. The bottom of the ladder queue, where it holds a few dozen events,
// and on its own the oracle of that queue's test.
#ifndef NUMASIM_SIM_EVENT_HEAP_H_
#define NUMASIM_SIM_EVENT_HEAP_H_

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <memory>
#include <span>
#include <utility>

#include "sim/check.h"
#include "sim/event.h"

namespace numasim::sim::internal {

class EventHeap {
 public:
  bool empty() const { return size_ == 0; }
  size_t size() const { return size_; }
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
    --size_;
    if (size_ > 0) SiftDown(0, events_[size_]);
    return least;
  }

  // The place of the second least event, where there are at least two: a child of the root.
  size_t Second() const { return LeastChild(1); }
  const Event& at(size_t place) const { return events_[place]; }

  // Pop and Push in one: requires second == Second(), or no such place.
  void ReplaceTop(const Event& event, size_t second) {
    if (size_ == 1 || Before(event, events_[second])) {
      events_[0] = event;
    } else {
      events_[0] = events_[second];
      SiftDown(second, event);
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

  void Clear() { size_ = 0; }

  void PrefetchTop() const {
    // The root and its children.
    __builtin_prefetch(events_.get());
    if (size_ > 2) __builtin_prefetch(reinterpret_cast<const char*>(events_.get()) + 64);
  }
  void PrefetchEnd() const {
    if (size_ > 4) __builtin_prefetch(events_.get() + size_);
  }

 private:
  static constexpr size_t kArity = 4;

  void Grow() {
    const uint32_t capacity = capacity_ == 0 ? 8 : capacity_ * 2;
    std::unique_ptr<Event[]> events(new Event[capacity]);
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

  // Of the up to four children from `child` on; requires child < size.
  size_t LeastChild(size_t child) const {
    const Event* const a = events_.get();
    if (child + kArity <= size_) {
      const size_t left = child + (Before(a[child + 1], a[child]) ? 1 : 0);
      const size_t right = child + (Before(a[child + 3], a[child + 2]) ? 3 : 2);
      return Before(a[right], a[left]) ? right : left;
    }
    size_t least = child;
    for (size_t i = child + 1; i < size_; ++i) least = Before(a[i], a[least]) ? i : least;
    return least;
  }

  std::unique_ptr<Event[]> events_;
  uint32_t size_ = 0;
  uint32_t capacity_ = 0;
};

}  // namespace numasim::sim::internal

#endif  // NUMASIM_SIM_EVENT_HEAP_H_
