// SlabPlan: a cache of the kernel's objects that a scenario has grow, read and checked. A value: part of the
// LoadedScenario, read from everywhere.
#ifndef NUMASIM_WORKLOADS_GENERATE_SLAB_PLAN_H_
#define NUMASIM_WORKLOADS_GENERATE_SLAB_PLAN_H_

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "models/base/types.h"
#include "workloads/generate/distribution.h"

namespace numasim::workloads {

struct SlabPlan {
  std::string name;
  std::string place;  // "FILE:LINE: slab 'NAME'", for messages
  int64_t start_ns = 0;
  std::optional<int64_t> until_ns;  // none: as long as the run
  std::vector<NodeId> nodes;        // as given; none: all with CPUs
  int order = 0;                    // of a slab
  int objects = 1;                  // in a slab
  Distribution pause;               // before each growth, in nanoseconds
  int64_t grow = 1;                 // objects made by it
  int64_t in_use = 0;               // of what a shrinker looks at; in parts of kWholeShare
};

}  // namespace numasim::workloads

#endif  // NUMASIM_WORKLOADS_GENERATE_SLAB_PLAN_H_
