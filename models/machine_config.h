// MachineConfig: the machine to simulate, with every size in pages and nothing left to look up. The layer
// above makes it from a scenario, a snapshot, an lstopo file or a recorded boot state.
#ifndef NUMASIM_MODELS_MACHINE_CONFIG_H_
#define NUMASIM_MODELS_MACHINE_CONFIG_H_

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "models/physical/memory_device.h"
#include "models/physical/zonelist.h"
#include "models/types.h"
#include "proto/scenario.pb.h"

namespace numasim {

struct MachineConfig {
  struct NodeConfig {
    int64_t pages = 0;  // 0: a node without memory
  };
  std::vector<NodeConfig> nodes;    // at least one
  std::vector<NodeId> node_of_cpu;  // by CPU number; at least one CPU
  DistanceMatrix distance;          // empty: 10 to itself, 20 to others
  int64_t movablecore_pages = 0;    // ZONE_MOVABLE, in equal parts at the tops of the nodes
  std::optional<MemoryDevice> memory_device;
  // Not empty: the machine starts as it was found, and `pages` above only says which nodes exist.
  std::vector<RecordedZone> recorded_zones;
  // With recorded_zones: their watermarks hold, and this is what they were computed from.
  std::optional<int64_t> min_free_kbytes;
  Kernel recorded_kernel;  // and the knobs it ran with

  // A CMA area to be made at boot.
  struct CmaConfig {
    std::string name;
    NodeId node;
    int64_t pages = 0;
    bool hugetlb = false;
    std::string where;  // the field or boot argument, for messages
  };
  std::vector<CmaConfig> cma;
  int64_t offline_patience_ns = 10'000'000'000;  // kernel.contig.offline_patience
};

}  // namespace numasim

#endif  // NUMASIM_MODELS_MACHINE_CONFIG_H_
