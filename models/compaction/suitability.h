// Whether compaction is of use to a zone: enough free pages to work with, and too few in large blocks
// (compaction_suitable, mm/compaction.c; fragmentation_index, mm/vmstat.c; Linux 6.1). Functions of what is
// free in the zone, for its node's LP.
#ifndef NUMASIM_MODELS_COMPACTION_SUITABILITY_H_
#define NUMASIM_MODELS_COMPACTION_SUITABILITY_H_

#include <cstdint>

#include "models/base/types.h"
#include "models/physical/alloc_flags.h"
#include "models/physical/zone.h"

namespace numasim {

enum class Suitability : uint8_t {
  kSkipped,   // too little is free, or fragmentation is not what is wrong
  kContinue,  // may help
  kUnneeded,  // the zone can serve the request as it is (COMPACT_SUCCESS)
};

// What compaction is to make room for: a block of `order`, for a request that looks at the zone like this.
struct CompactionGoal {
  int order;
  ZoneType highest;
  AllocFlags alloc_flags;
};

// __compaction_suitable(), with `available` pages in place of what is free for the question whether there is
// enough.
Suitability EnoughForCompaction(const Zone& zone, const CompactionGoal& goal, int64_t available);
// compaction_suitable(): also looks at vm.extfrag_threshold.
Suitability SuitableForCompaction(const Zone& zone, const CompactionGoal& goal, int extfrag_threshold);

// Of a request that looks at the zone as compaction_suitable() does without flags: there is a block already,
// or compaction could make one. How reclaim asks whether it has done enough for a large block.
inline bool HasBlockOrMayCompact(const Zone& zone, int order, ZoneType highest, int extfrag_threshold) {
  return SuitableForCompaction(zone, {order, highest, {}}, extfrag_threshold) != Suitability::kSkipped;
}

// fragmentation_index(): from 0, an allocation of this order fails for want of memory, to 1000, it fails by
// fragmentation; -1000: it would not fail.
int FragmentationIndex(const Zone& zone, int order);
// unusable_free_index(): which share of the free memory is in blocks that are too small, in parts of 1000;
// all of it where none is free.
int UnusableIndex(const Zone& zone, int order);
// extfrag_for_order(): which share of the free memory is in blocks that are too small, in percent.
int UnusableFreePercent(const Zone& zone, int order);

// compact_gap(): free pages that compaction should have beyond the watermark.
constexpr int64_t CompactionGap(int order) { return int64_t{2} << order; }

}  // namespace numasim

#endif  // NUMASIM_MODELS_COMPACTION_SUITABILITY_H_
