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

}  // namespace numasim::workloads

#endif  // NUMASIM_WORKLOADS_COUNTER_COLUMNS_H_
