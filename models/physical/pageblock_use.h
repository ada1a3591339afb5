// What each pageblock (2 MiB) of a zone is used for: where huge pages are, and where there could be some.
#ifndef NUMASIM_MODELS_PHYSICAL_PAGEBLOCK_USE_H_
#define NUMASIM_MODELS_PHYSICAL_PAGEBLOCK_USE_H_

#include <cstdint>
#include <vector>

#include "models/base/types.h"
#include "models/physical/frame_store.h"

namespace numasim {

// Whether something can be moved is by what uses it, as migration sees it: anonymous, file and HugeTLB pages
// that nobody holds. Pages on PCP lists count as free.
enum class PageblockUse : uint8_t {
  kAbsent,         // no memory of the allocator's: a hole, reserved since boot, offline
  kFree,           // one free block, or part of a larger one
  kPartMovable,    // some of it free; all that is used can be moved
  kPartUnmovable,  // some of it free; something cannot be moved
  kMovable,        // none of it free; all can be moved
  kUnmovable,      // none of it free; something cannot be moved
  kThp,            // a transparent huge page that nobody holds
  kHugetlb,        // a HugeTLB page, or part of one
};

// A stretch of pageblocks of one use.
struct PageblockRun {
  PageblockUse use = PageblockUse::kAbsent;
  int64_t count = 0;
};

// Of all pageblocks of a zone in order, from frames.base() on, neighbours of one use together. What is mapped
// as small pages within a block is looked at frame by frame, all else in one look a block.
std::vector<PageblockRun> PageblockUses(const FrameStore& frames);

}  // namespace numasim

#endif  // NUMASIM_MODELS_PHYSICAL_PAGEBLOCK_USE_H_
