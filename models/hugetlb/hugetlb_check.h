// The part of the Validator that looks at HugeTLB: pools, pages in use, files, and the mappings of processes.
// Read only while nothing runs.
#ifndef NUMASIM_MODELS_HUGETLB_HUGETLB_CHECK_H_
#define NUMASIM_MODELS_HUGETLB_HUGETLB_CHECK_H_

#include <vector>

#include "models/address_space/process.h"
#include "models/base/problem_list.h"
#include "models/hugetlb/hugetlb.h"
#include "models/physical/memory_system.h"

namespace numasim {

// Counters are what they count, every page in use has exactly the mappings it says, reservations are those of
// mappings, files and mounts, and no more than free pages can back.
void CheckHugetlb(const MemorySystem& memory, const Hugetlb& hugetlb,
                  const std::vector<const Process*>& processes, ProblemList& problems);

}  // namespace numasim

#endif  // NUMASIM_MODELS_HUGETLB_HUGETLB_CHECK_H_
