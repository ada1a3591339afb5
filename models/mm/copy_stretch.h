// CopyStretch: writes to pages that a fork has shared, page after page, each of which copies its page to one
// that is at hand on the CPU's list (Fault, CopyOnWrite, Install). Belongs to the loop of accesses in
// AddressSpaceOps, on the LP of the process.
//
// A fault takes four steps. Each is done when the time before it has passed:
//
//   kEntered   after `fault`: the page is shared; takes a page        then pcp_alloc
//   kTook      nothing                                                then copy_page + map_page
//   kCopied    maps the copy, gives the old page's mapping up         then nothing, of no page to free
//   kDropped   the fault is over, the next one begins                 then `fault`
//
// Where the list has no page, it is refilled between kEntered and kTook, in steps that are run in their turn:
//
//   kEntered   takes zone->lock, refills, takes a page                then what the refill costs
//   kHolding   releases zone->lock                                    then pcp_alloc
//   kReleased  counts the allocation                                  then nothing
//
// They are private as those of FaultStretch are, where besides the old page is on the process's node, nothing
// moves it, and it stays mapped by another process. What others' private steps could change of that are only
// mapcounts: so no two CopyStretches have pages of the same anon_vma (Node::copied_from).
#ifndef NUMASIM_MODELS_MM_COPY_STRETCH_H_
#define NUMASIM_MODELS_MM_COPY_STRETCH_H_

#include <cstdint>

#include "models/base/cost_model.h"
#include "models/mm/page_supply.h"
#include "models/mm/touch_loop.h"
#include "models/physical/page_allocator.h"
#include "sim/stretch.h"

namespace numasim {

class CopyStretch final : public sim::Stretch {
 public:
  enum class Stage : uint8_t { kEntered, kHolding, kReleased, kTook, kCopied, kDropped };

  CopyStretch(const MemorySystem& memory, PageAllocator& allocator, const TouchLoop& loop)
      : memory_(memory), loop_(loop), supply_(memory, allocator, loop) {}

  // Whether the access at loop.at, whose entry is `entry`, is one of these. Then its fault is to begin, and
  // `request` is for its copy.
  bool Begins(const Vma& vma, Entry* entry, const AllocRequest& request);
  // The path goes on by itself.
  void End();

  // Where the fault at loop.at is when the path goes on.
  Stage stage() const { return stage_; }
  Entry old() const { return old_; }    // of its page, from kTook on
  Pfn fresh() const { return fresh_; }  // the copy, the same
  PageSupply& supply() { return supply_; }

  Ran RunSteps(sim::SimTime next, sim::SimTime until, int64_t most) override;
  sim::SimTime Lands(sim::SimTime next) override;
  sim::SimTime LandsAgain(sim::SimTime next) override;
  bool RunsInTurn(sim::SimTime next) override;
  bool MayStepAt(sim::SimTime next, sim::SimTime time) const override;

 private:
  sim::Duration RunStep(sim::SimTime now);
  int64_t WholeFaults(sim::SimTime now, sim::SimTime until, int64_t most) const;
  void CopyRun(int64_t faults, sim::SimTime now);
  sim::Duration TakePage();
  void MapCopy();
  void BeginNext(sim::SimTime now);
  FrameOwner* OwnerOf(Entry entry) const;
  bool IsShared(Entry entry) const;
  bool IsForTurn() const;
  sim::Duration Until(Stage stage) const;
  sim::Duration Period() const;  // from one fault to the next
  sim::Duration AfterStage(Stage stage) const;

  const MemorySystem& memory_;
  TouchLoop loop_;
  PageSupply supply_;
  uint64_t source_ = 0;           // the anon_vma whose pages they are
  mutable Zone* zone_ = nullptr;  // of the page that was looked at last
  TouchLoop::Reach reach_;
  int64_t sure_ = 0;   // of the accesses that are to come, so many are known to meet pages that are shared
  int64_t ahead_ = 1;  // how many more are looked at the next time
  bool refilled_ = false;  // at kTook: after a refill
  Stage stage_ = Stage::kEntered;
  Entry old_;
  Pfn fresh_ = kNoPfn;
};

}  // namespace numasim

#endif  // NUMASIM_MODELS_MM_COPY_STRETCH_H_
