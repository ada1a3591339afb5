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
// They are private as those of FaultStretch are, where besides the old page is on the process's node, nothing
// moves it, and it stays mapped by another process. What others' private steps could change of that are only
// mapcounts: so no two CopyStretches have pages of the same anon_vma (Node::copied_from).
#ifndef NUMASIM_MODELS_MM_COPY_STRETCH_H_
#define NUMASIM_MODELS_MM_COPY_STRETCH_H_

#include <cstdint>

#include "models/base/cost_model.h"
#include "models/mm/touch_loop.h"
#include "models/physical/page_allocator.h"
#include "sim/stretch.h"

namespace numasim {

class CopyStretch final : public sim::Stretch {
 public:
  enum class Stage : uint8_t { kEntered, kTook, kCopied, kDropped };

  CopyStretch(const MemorySystem& memory, PageAllocator& allocator, const TouchLoop& loop)
      : memory_(memory), allocator_(allocator), loop_(loop) {}

  // Whether the access at loop.at, whose entry is `entry`, is one of these. Then its fault is to begin, and
  // `request` is for its copy.
  bool Begins(const Vma& vma, Entry* entry, const AllocRequest& request);
  // The path goes on by itself.
  void End();

  // Where the fault at loop.at is when the path goes on.
  Stage stage() const { return stage_; }
  Entry old() const { return old_; }    // of its page, from kTook on
  Pfn fresh() const { return fresh_; }  // the copy, the same

  Ran RunSteps(sim::SimTime next, sim::SimTime until, int64_t most) override;
  sim::SimTime Lands(sim::SimTime next) override;

 private:
  sim::Duration RunStep(sim::SimTime now);
  void TakePage();
  void MapCopy();
  void BeginNext(sim::SimTime now);
  FrameOwner* OwnerOf(Entry entry) const;
  bool IsShared(Entry entry) const;
  sim::Duration AfterStage(Stage stage) const;

  const MemorySystem& memory_;
  PageAllocator& allocator_;
  TouchLoop loop_;
  AllocRequest request_;  // for the next copy
  uint64_t source_ = 0;   // the anon_vma whose pages they are
  TouchLoop::Reach reach_;
  Stage stage_ = Stage::kEntered;
  Entry old_;
  Pfn fresh_ = kNoPfn;
};

}  // namespace numasim

#endif  // NUMASIM_MODELS_MM_COPY_STRETCH_H_
