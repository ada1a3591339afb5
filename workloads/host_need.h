// What a run needs of the machine that it runs on, estimated before anything is built.
#ifndef NUMASIM_WORKLOADS_HOST_NEED_H_
#define NUMASIM_WORKLOADS_HOST_NEED_H_

#include <cstdint>
#include <string>

#include "absl/status/status.h"
#include "models/base/machine_config.h"
#include "sim/host_memory.h"
#include "workloads/scenario.h"

namespace numasim::workloads {

struct HostNeed {
  int64_t at_start = 0;  // bytes in memory when the machine has booted and all streams wait for their start
  int64_t address_space = 0;  // bytes mapped then
  int64_t broken_up =
      0;  // bytes in memory, at most, of the tables of frames when all memory is in single pages
};
HostNeed EstimateHostNeed(const MachineConfig& machine, const LoadedScenario& scenario);

// ResourceExhausted if the host cannot give what the run needs to start; the message says how much that is
// and what there is, and begins with the field "machine".
absl::Status CheckHostNeed(const HostNeed& need, const sim::HostMemory& host);

// What to tell where a run may come to need more than there is.
std::string BrokenUpWarning(const HostNeed& need, const sim::HostMemory& host);

}  // namespace numasim::workloads

#endif  // NUMASIM_WORKLOADS_HOST_NEED_H_
