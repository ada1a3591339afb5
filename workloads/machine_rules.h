// The rules of a scenario's machine section that are about several fields at once.
#ifndef NUMASIM_WORKLOADS_MACHINE_RULES_H_
#define NUMASIM_WORKLOADS_MACHINE_RULES_H_

#include "absl/status/status.h"
#include "proto/scenario.pb.h"
#include "workloads/script.h"
#include "workloads/text_message.h"

namespace numasim::workloads {

// The fields that say what the machine is: exactly one of them may be set.
// Checks that; `view` is of a Machine.
absl::Status CheckMachineSource(const MessageView& view);

// Whether the machine is described by itself (nodes or zones) and not by another file.
bool IsDescribed(const Machine& machine);

// How many nodes and CPUs a described machine has. Recorded zones say it by their node numbers and PCP lists
// where `cpus` does not.
MachineLimits LimitsOf(const Machine& machine);

// Checks a described machine: node and CPU numbers exist, distances are a square with 10 on its diagonal,
// zones and huge pages hold together.
absl::Status CheckMachine(const MessageView& view);

}  // namespace numasim::workloads

#endif  // NUMASIM_WORKLOADS_MACHINE_RULES_H_
