// What a group, a batch system or another part of the workload counts, as columns of a trace.
#ifndef NUMASIM_WORKLOADS_COUNTER_COLUMNS_H_
#define NUMASIM_WORKLOADS_COUNTER_COLUMNS_H_

#include <array>
#include <cstddef>
#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "models/physical/memory_system.h"
#include "proto/counter_info.h"
#include "sim/lock_stats.h"
#include "workloads/text.h"

namespace numasim::workloads {

// Appends a column for each of the counters, which are kept by `lp` and outlive the run: what its declaration
// in proto/counters.proto is called, less the enum's `prefix` ("guests_"), behind `owner` ("guests.vms.").
template <typename Counter, size_t kCount>
void AppendColumns(const std::string& owner, std::string_view prefix,
                   const std::array<int64_t, kCount>& counters, sim::LpId lp,
                   std::vector<MemorySystem::CounterColumn>& columns) {
  for (size_t c = 0; c < kCount; ++c) {
    const CounterName info = NameOf(static_cast<Counter>(c));
    columns.push_back({{Cat(owner, info.name.substr(prefix.size())), info.unit, &counters[c], lp},
                       info.gauge,
                       info.more_is_worse});
  }
}

// The same where each node counts for itself, behind "OWNERnodeN.", for the nodes of which counts(node) is
// true.
template <typename Counter, size_t kCount, typename Counts>
void AppendNodeColumns(const std::string& owner, std::string_view prefix,
                       const std::vector<std::array<int64_t, kCount>>& by_node, const MemorySystem& memory,
                       Counts counts, std::vector<MemorySystem::CounterColumn>& columns) {
  for (size_t n = 0; n < by_node.size(); ++n) {
    const Node& node = memory.node(NodeId{static_cast<int32_t>(n)});
    if (counts(node))
      AppendColumns<Counter>(Cat(owner, "node", n, "."), prefix, by_node[n], node.lp, columns);
  }
}

// Of one counter, over all nodes.
template <typename Counter, size_t kCount>
int64_t SumOverNodes(const std::vector<std::array<int64_t, kCount>>& by_node, Counter c) {
  int64_t sum = 0;
  for (const auto& of_node : by_node) sum += of_node[static_cast<size_t>(c)];
  return sum;
}

}  // namespace numasim::workloads

#endif  // NUMASIM_WORKLOADS_COUNTER_COLUMNS_H_
