// PageSupply: where the stretches of a loop of accesses have their pages from: the CPU's own list, in the
// zone that serves its node first, and refills of that list. Belongs to a stretch, on the LP of the process.
//
// A refill takes zone->lock, where others may meet it. It is what PageAllocator::Alloc() does, in steps that
// a stretch runs in its turn (sim/stretch.h):
//
//   Refill       takes zone->lock, and a page      then what the refill costs
//   ReleaseLock                                    then pcp_alloc
//   Count        counts the allocation             then nothing
#ifndef NUMASIM_MODELS_MM_PAGE_SUPPLY_H_
#define NUMASIM_MODELS_MM_PAGE_SUPPLY_H_

#include <cstdint>

#include "models/mm/touch_loop.h"
#include "models/physical/page_allocator.h"
#include "sim/time.h"

namespace numasim {

class PageSupply {
 public:
  PageSupply(const MemorySystem& memory, PageAllocator& allocator, const TouchLoop& loop)
      : memory_(memory), allocator_(allocator), path_(loop.path), home_(loop.home) {}

  // `request` is for the next page, whose owner's index grows by `step` from page to page.
  void Start(const AllocRequest& request, int64_t step) {
    request_ = request;
    step_ = step;
    Look();
  }
  // After an event, which may have changed where pages come from.
  void Look() { zone_ = allocator_.LocalZone(home_, request_); }

  // How many pages are on the list.
  int64_t at_hand() const { return zone_ == nullptr ? 0 : PageAllocator::CountAtHand(*zone_, request_); }
  // Takes so many of them: f(first Pfn, count) for those that follow one another.
  template <typename F>
  void Take(int64_t count, F f) {
    allocator_.TakeAtHand(home_, *zone_, request_, count, step_, f);
  }

  // Whether the list can be refilled in a step, as things are, once zone->lock is free.
  bool MayRefill() const { return zone_ != nullptr && PageAllocator::MayRefill(*zone_, request_); }
  // Takes a page of an empty list. Returns how long zone->lock is held.
  sim::Duration Refill() {
    const PageAllocator::Refilled refilled = allocator_.Refill(path_, home_, *zone_, request_);
    held_ = zone_;
    request_.owner.index += static_cast<uint64_t>(step_);
    fresh_ = refilled.page;
    return refilled.held;
  }
  Pfn fresh() const { return fresh_; }  // that page
  bool locked() const { return zone_->lock().held(); }
  bool holds_lock() const { return held_ != nullptr; }  // after Refill(), until ReleaseLock()
  bool someone_waits() const { return held_->lock().has_waiters(); }
  sim::Duration ReleaseLock() {
    held_->lock().Release(path_);
    held_ = nullptr;
    return memory_.costs().pcp_alloc;
  }
  void Count() { allocator_.CountLocal(home_, request_, 1); }

 private:
  const MemorySystem& memory_;
  PageAllocator& allocator_;
  sim::Path& path_;
  Node& home_;
  AllocRequest request_;
  int64_t step_ = 1;
  Zone* zone_ = nullptr;  // null where it is below its low watermark
  Zone* held_ = nullptr;  // whose lock is held: meanwhile an event may change `zone_`
  Pfn fresh_ = kNoPfn;
};

}  // namespace numasim

#endif  // NUMASIM_MODELS_MM_PAGE_SUPPLY_H_
