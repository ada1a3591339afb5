// FaultStretch: first writes to private memory, page after page, where each fault takes a page that is at
// hand on the CPU's list (FaultAtOnce), or refills the list first (Fault). As a stretch they cost what they
// do to the entries, the frames and the counters. Belongs to the loop of accesses in AddressSpaceOps, on the
// LP of the process.
//
// A fault with a page at hand has done all when it begins, and one step ends it and begins the next. One that
// refills the list takes five more. Each is done when the time before it has passed:
//
//   kMapped    the fault is over, the next one begins            then its time, or `fault` without a page
//   kEntered   takes zone->lock, refills, takes a page           then what the refill costs
//   kHolding   releases zone->lock                               then pcp_alloc
//   kReleased  counts the allocation                             then nothing
//   kCounted   nothing                                           then clear_page + map_page
//   kCleared   maps the page; the fault is over, the next begins  as kMapped
//
// A step is private as long as the CPU's list in the zone has pages and the zone is above its low watermark,
// nobody waits for mmap_lock or for the CPU, the entries are of one page table, and no VMA or table has come
// or gone. Of a fault that refills the list the first step, those at zone->lock and the last are run in their
// turn. An entry that is none stays so: nobody but the process itself faults pages in.
#ifndef NUMASIM_MODELS_MM_FAULT_STRETCH_H_
#define NUMASIM_MODELS_MM_FAULT_STRETCH_H_

#include <cstdint>

#include "models/base/cost_model.h"
#include "models/mm/page_supply.h"
#include "models/mm/touch_loop.h"
#include "models/physical/page_allocator.h"
#include "sim/stretch.h"

namespace numasim {

class FaultStretch final : public sim::Stretch {
 public:
  enum class Stage : uint8_t { kMapped, kEntered, kHolding, kReleased, kCounted, kCleared };

  FaultStretch(const MemorySystem& memory, PageAllocator& allocator, const TouchLoop& loop)
      : costs_(memory.costs()), loop_(loop), supply_(memory, allocator, loop) {}

  // Begins behind the access at loop.at, whose fault takes `each` of time and had a page by `request`.
  // `entry` is its entry.
  void Follow(const Vma& vma, Entry* entry, const AllocRequest& request, sim::Duration each);
  // Nothing follows.
  void Stop();

  // Where the fault at loop.at is when the path goes on.
  Stage stage() const { return stage_; }
  PageSupply& supply() { return supply_; }

  Ran RunSteps(sim::SimTime next, sim::SimTime until, int64_t most) override;
  sim::SimTime Lands(sim::SimTime next) override;
  sim::SimTime LandsAgain(sim::SimTime next) override;
  bool RunsInTurn(sim::SimTime next) override;
  bool MayStepAt(sim::SimTime next, sim::SimTime time) const override;

 private:
  int64_t ClearAhead(int64_t most);
  void MapPages(Pfn first, uint32_t run);
  void MapRun(int64_t count, sim::SimTime last);
  sim::Duration RunStep(sim::SimTime now);
  sim::Duration BeginNext(sim::SimTime now);

  const Costs& costs_;
  TouchLoop loop_;
  PageSupply supply_;
  sim::Duration each_;
  TouchLoop::Reach reach_;
  int64_t clear_ = 0;  // of the accesses that are to come, so many are known to find nothing
  Stage stage_ = Stage::kMapped;
};

}  // namespace numasim

#endif  // NUMASIM_MODELS_MM_FAULT_STRETCH_H_
