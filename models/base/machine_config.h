// MachineConfig: the machine to simulate, with every size in pages and nothing left to look up. The layer
// above makes it from a scenario, a snapshot, an lstopo file or a recorded boot state.
#ifndef NUMASIM_MODELS_BASE_MACHINE_CONFIG_H_
#define NUMASIM_MODELS_BASE_MACHINE_CONFIG_H_

#include <array>
#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "models/base/huge_size.h"
#include "models/base/kernel_config.h"
#include "models/base/memory_device.h"
#include "models/base/types.h"

namespace numasim {

class RecordedZone;

// The pools of huge pages at boot.
struct HugetlbConfig {
  // Pages that boot makes, in the order in which the kernel does (hugetlb_hstate_alloc_pages). Of a recorded
  // machine they are there already: they only say whose turn it is next.
  struct Request {
    HugeSize size = HugeSize::k2M;
    NodeId node = kNoNode;  // kNoNode: on the nodes in turn
    int64_t pages = 0;
    bool exact = false;  // fewer are an error; else they are a warning, as in the kernel
    std::string where;   // the field or boot argument, for messages
  };
  // What of a node's pool is not as boot makes it; of a recorded machine, all of it.
  struct Share {
    int64_t pages = 0;    // of a recorded machine
    int64_t in_use = 0;   // by processes that were there before the simulation and keep them
    int64_t surplus = 0;  // counted as surplus pages
    std::string where;
  };
  struct Pool {
    std::vector<Share> nodes;  // by node; empty: nothing is said of single nodes
    Share all;                 // to be spread over the nodes in turn
    int64_t reserved = 0;      // by processes that were there before the simulation
    int64_t overcommit = 0;
  };

  std::vector<Request> requests;
  PerHugeSize<Pool> pools;  // by HugeSize
  HugeSize default_size = HugeSize::k2M;
};

struct MachineConfig {
  // Out of line, where RecordedZone is complete.
  MachineConfig();
  MachineConfig(const MachineConfig&);
  MachineConfig(MachineConfig&&) noexcept;
  MachineConfig& operator=(const MachineConfig&);
  MachineConfig& operator=(MachineConfig&&) noexcept;
  ~MachineConfig();

  struct NodeConfig {
    int64_t pages = 0;  // 0: a node without memory
  };
  std::vector<NodeConfig> nodes;    // at least one
  std::vector<NodeId> node_of_cpu;  // by CPU number; at least one CPU
  DistanceMatrix distance;          // empty: 10 to itself, 20 to others
  int64_t movablecore_pages = 0;    // ZONE_MOVABLE, in equal parts at the tops of the nodes
  std::string movablecore_where;    // the field or boot argument that says so, for messages
  std::optional<MemoryDevice> memory_device;
  // Not empty: the machine starts as it was found, and `pages` above only says which nodes exist.
  std::vector<RecordedZone> recorded_zones;
  // With recorded_zones: their watermarks hold, and this is what they were computed from.
  std::optional<int64_t> min_free_kbytes;
  KernelConfig recorded_kernel;  // and the knobs it ran with
  bool thp_recorded = false;     // whether the recording says how THP was set

  // A CMA area to be made at boot.
  struct CmaConfig {
    std::string name;
    NodeId node;
    int64_t pages = 0;
    bool hugetlb = false;
    std::string where;  // the field or boot argument, for messages
  };
  std::vector<CmaConfig> cma;
  HugetlbConfig hugetlb;
  int64_t disk_pages = 0;                        // of the file system on its disk; 0: it has none
  int64_t offline_patience_ns = 10'000'000'000;  // kernel.contig.offline_patience
};

}  // namespace numasim

#endif  // NUMASIM_MODELS_BASE_MACHINE_CONFIG_H_
