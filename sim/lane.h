// What a thread has to hand on from the LPs it runs in a window: messages to other LPs, when they next have
// an event, and paths that belong elsewhere. Owned by the run loop, one for each thread, and written by that
// thread only.
//
// A line of memory that one CPU has written takes another some 100 ns to read, and in a window of a few
// microseconds that counts. So what one thread reads of another's lies together, and who reads it leaves no
// marks in it: each part carries the number of the window it was written in, and an older one counts as
// empty.
#ifndef NUMASIM_SIM_LANE_H_
#define NUMASIM_SIM_LANE_H_

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <limits>
#include <span>
#include <vector>

#include "sim/event.h"

namespace numasim::sim::internal {

struct Lp;

struct Message {
  Lp* to;
  Event event;
};

// The messages of one window from the LPs that one thread runs to the LPs that live with another.
class alignas(64) Mailbox {
 public:
  void Add(uint64_t window, const Message& message) {
    if (window_ != window) {
      window_ = window;
      near_count_ = 0;
      far_.clear();
    }
    if (near_count_ < kNear) {
      near_[near_count_++] = message;
    } else {
      far_.push_back(message);
    }
  }

  template <class F>
  void ForEach(uint64_t window, F&& f) const {
    if (window_ != window) return;
    for (uint32_t i = 0; i < near_count_; ++i) f(near_[i]);
    for (const Message& message : far_) f(message);
  }

 private:
  static constexpr uint32_t kNear = 13;

  uint64_t window_ = 0;
  uint32_t near_count_ = 0;
  std::vector<Message> far_;
  Message near_[kNear];
};

struct alignas(64) Lane {
  // The window in which a team ran that this is of; counted from 1.
  uint64_t window = 0;
  // Where messages go in such a window, by the thread that the destination lives with; none in a window that
  // one thread runs.
  Mailbox* mail = nullptr;
  const uint32_t* home = nullptr;  // by LP
  uint64_t events = 0;             // run in the window
  uint64_t mail_for = 0;           // a bit for each thread that has mail, the last for all from 63 on
  bool failed = false;             // one of the LPs
  bool pledges = false;            // one of the LPs has some
  int64_t cpu_ns = 0;              // CPU time that they took, where it is wanted
  // By LP: a bound for its next event, and for the first that may send, of those run here and those that
  // messages went to.
  std::vector<int64_t> next, out;

  // Paths that ended on another LP than the one whose store they are from.
  std::vector<Path*> ended;
  // Of a window that one thread runs: for all LPs, in the order they were sent.
  std::vector<Message> messages;

  void Send(Lp* to, const Event& event) {
    if (mail == nullptr) [[likely]] {
      messages.push_back(Message{to, event});
    } else {
      Mail(to, event);
    }
  }

 private:
  void Mail(Lp* to, const Event& event);
};

}  // namespace numasim::sim::internal

#endif  // NUMASIM_SIM_LANE_H_
