// The part of the Validator that looks at one zone: its frames, free lists and PCP lists. Read only while
// nothing runs.
#ifndef NUMASIM_MODELS_PHYSICAL_ZONE_CHECK_H_
#define NUMASIM_MODELS_PHYSICAL_ZONE_CHECK_H_

#include <cstdint>

#include "absl/functional/function_ref.h"
#include "models/base/problem_list.h"
#include "models/base/types.h"
#include "models/physical/zone.h"

namespace numasim {

// Pages of a zone by what they are used for; what is missing to its spanned pages is unmanaged.
struct ZoneCensus {
  int64_t free = 0;
  int64_t isolated = 0;  // of these, on lists of isolated pageblocks
  int64_t cma = 0;       // and on those of CMA areas
  int64_t pcp = 0;
  int64_t allocated = 0;
  int64_t kernel = 0;  // of those allocated, the kernel's own (kKernelsOwn)
  int64_t managed() const { return free + pcp + allocated; }
};

// Called for each allocated block, from the lowest address up.
using OnAllocated = absl::FunctionRef<void(Pfn pfn, int order, const FrameOwner& owner)>;

// Checks the zone and counts its pages.
ZoneCensus CheckZone(const Zone& zone, ProblemList& problems, OnAllocated on_allocated);

}  // namespace numasim

#endif  // NUMASIM_MODELS_PHYSICAL_ZONE_CHECK_H_
