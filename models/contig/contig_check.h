// What must hold of CMA areas, the virtio-mem device and isolated pageblocks while nothing runs: a part of
// the Validator. Plain functions; they read the state of all LPs.
#ifndef NUMASIM_MODELS_CONTIG_CONTIG_CHECK_H_
#define NUMASIM_MODELS_CONTIG_CONTIG_CHECK_H_

#include "models/contig/contig.h"
#include "models/memory_system.h"
#include "models/problem_list.h"

namespace numasim {

// The bitmap of each area says who has its frames, and pageblocks are an area's where they say so. What the
// device has not plugged of a block that is online is set aside, and nothing else is; its counter is that of
// its sub blocks.
void CheckContig(const MemorySystem& memory, const Contig& contig, ProblemList& problems);

// No pageblock is isolated while nobody takes a range.
void CheckIsolation(const MemorySystem& memory, ProblemList& problems);

}  // namespace numasim

#endif  // NUMASIM_MODELS_CONTIG_CONTIG_CHECK_H_
