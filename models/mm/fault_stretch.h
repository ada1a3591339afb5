// FaultStretch: first writes to private memory, page after page, where each fault takes a page that is at
// hand on the CPU's list (FaultAtOnce). As a stretch they cost what they do to the entries, the frames and
// the counters. Belongs to the loop of accesses in AddressSpaceOps, on the LP of the process.
//
// A step ends one fault and begins the next. It is private as long as the CPU's list in the zone has pages
// and the zone is above its low watermark, nobody waits for mmap_lock or for the CPU, the entries are of one
// page table, and no VMA or table has come or gone. A refill of the list is none of it, nor a page table. An
// entry that is none stays so: nobody but the process itself faults pages in.
#ifndef NUMASIM_MODELS_MM_FAULT_STRETCH_H_
#define NUMASIM_MODELS_MM_FAULT_STRETCH_H_

#include <cstdint>

#include "models/mm/touch_loop.h"
#include "models/physical/page_allocator.h"
#include "sim/stretch.h"

namespace numasim {

class FaultStretch final : public sim::Stretch {
 public:
  FaultStretch(PageAllocator& allocator, const TouchLoop& loop) : allocator_(allocator), loop_(loop) {}

  // Begins behind the access at loop.at, whose fault takes `each` of time and had a page by `request`.
  // `entry` is its entry.
  void Follow(const Vma& vma, Entry* entry, const AllocRequest& request, sim::Duration each);
  // Nothing follows.
  void Stop() { reach_.left = 0; }

  Ran RunSteps(sim::SimTime next, sim::SimTime until, int64_t most) override;
  sim::SimTime Lands(sim::SimTime next) override;

 private:
  PageAllocator& allocator_;
  TouchLoop loop_;
  AllocRequest request_;  // for the next page
  sim::Duration each_;
  TouchLoop::Reach reach_;  // of accesses that find nothing
};

}  // namespace numasim

#endif  // NUMASIM_MODELS_MM_FAULT_STRETCH_H_
