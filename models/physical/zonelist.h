// The order in which an allocation that prefers a node looks at zones (build_zonelists of Linux 6.1). Fixed
// after construction, read from every LP.
#ifndef NUMASIM_MODELS_PHYSICAL_ZONELIST_H_
#define NUMASIM_MODELS_PHYSICAL_ZONELIST_H_

#include <vector>

#include "models/base/types.h"

namespace numasim {

struct NodeShape {
  bool has_memory = true;
  bool has_cpus = true;
};

// For each node, all nodes with memory in the order in which its allocations fall back: itself, then by
// distance, where nodes at the same distance take turns at being next (find_next_best_node).
std::vector<std::vector<NodeId>> FallbackOrder(const DistanceMatrix& distance,
                                               const std::vector<NodeShape>& nodes);

}  // namespace numasim

#endif  // NUMASIM_MODELS_PHYSICAL_ZONELIST_H_
