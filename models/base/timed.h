// What takes time without being an operation of its own that somebody asked for: its latencies are recorded
// for the whole machine.
#ifndef NUMASIM_MODELS_BASE_TIMED_H_
#define NUMASIM_MODELS_BASE_TIMED_H_

#include <cstddef>

#include "models/base/enum_array.h"
#include "models/base/operation_stats.h"

namespace numasim {

enum class Timed {
  kFaultBase,     // a page fault that ends with a base page, or for which there was none
  kFaultThp,      // with a transparent huge page
  kFaultHugetlb,  // in a mapping of HugeTLB pages
  kCollapse       // of a range that the scan found suitable, from the huge page's allocation on
};
inline constexpr size_t kTimedKinds = 4;

template <typename T>
using PerTimed = EnumArray<Timed, T, kTimedKinds>;

// As a trace names them.
inline constexpr PerTimed<const char*> kTimedNames = {"fault_base", "fault_thp", "fault_hugetlb", "collapse"};

// Of one LP.
using TimedStats = PerTimed<OperationStats>;

}  // namespace numasim

#endif  // NUMASIM_MODELS_BASE_TIMED_H_
