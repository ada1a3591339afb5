#include "sim/event_queue.h"

#include <algorithm>

namespace numasim::sim::internal {

void EventQueue::Split() {
  if (ladder_ == nullptr) ladder_ = std::make_unique<EventLadder>();
  if (ladder_->Split(bottom_, bound_)) {
    Refill();
  } else {
    // All due at one time: a heap is the best there is. Do not try again at every push.
    split_above_ = static_cast<uint32_t>(bottom_.size() * 2);
  }
}

void EventQueue::Refill() {
  bound_ = ladder_->Refill(bottom_);
  split_above_ = std::max(kSplitAbove, static_cast<uint32_t>(bottom_.size() * 2));
}

}  // namespace numasim::sim::internal
