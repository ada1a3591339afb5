// What must hold of CMA areas and isolated pageblocks while nothing runs: a part of the Validator. Plain
// functions; they read the state of all LPs.
#ifndef NUMASIM_MODELS_CONTIG_CONTIG_CHECK_H_
#define NUMASIM_MODELS_CONTIG_CONTIG_CHECK_H_

#include "models/base/problem_list.h"
#include "models/contig/cma.h"
#include "models/physical/memory_system.h"

namespace numasim {

// The bitmap of each area says who has its frames, and pageblocks are an area's where they say so.
void CheckCma(const MemorySystem& memory, const CmaAreas& areas, ProblemList& problems);

// No pageblock is isolated while nobody takes a range.
void CheckIsolation(const MemorySystem& memory, ProblemList& problems);

}  // namespace numasim

#endif  // NUMASIM_MODELS_CONTIG_CONTIG_CHECK_H_
