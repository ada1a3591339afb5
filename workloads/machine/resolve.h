// Turns a scenario's machine into what the models build.
#ifndef NUMASIM_WORKLOADS_MACHINE_RESOLVE_H_
#define NUMASIM_WORKLOADS_MACHINE_RESOLVE_H_

#include <string>
#include <vector>

#include "absl/status/statusor.h"
#include "models/base/machine_config.h"
#include "proto/scenario.pb.h"

namespace numasim::workloads {

// `machine` has nodes or recorded zones; files it names have been read. `kernel` says how memory is divided.
// An error names the field, and so does each of the `warnings`, which are added to those there are.
absl::StatusOr<MachineConfig> ResolveMachine(const Machine& machine, const KernelKnobs& kernel,
                                             std::vector<std::string>& warnings);

}  // namespace numasim::workloads

#endif  // NUMASIM_WORKLOADS_MACHINE_RESOLVE_H_
