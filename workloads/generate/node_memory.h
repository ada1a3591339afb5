// What of a node's memory is free, as a tool on the host would read it.
#ifndef NUMASIM_WORKLOADS_GENERATE_NODE_MEMORY_H_
#define NUMASIM_WORKLOADS_GENERATE_NODE_MEMORY_H_

#include <cstdint>

#include "models/kernel.h"

namespace numasim::workloads {

// Base pages that are free on a node; on the node's LP.
inline int64_t FreePagesOf(const Node& node) {
  int64_t pages = 0;
  for (const auto& zone : node.zones) {
    if (zone != nullptr) pages += zone->unused_pages();
  }
  return pages;
}

// free_hugepages of a node; on the global LP.
inline int64_t FreeHugePagesOf(const Kernel& kernel, NodeId node, HugeSize size) {
  return kernel.pool().hstate(size).node(node).counters[FREE_HUGEPAGES];
}

}  // namespace numasim::workloads

#endif  // NUMASIM_WORKLOADS_GENERATE_NODE_MEMORY_H_
