// The rules of a scenario's machine section that are about several fields at once.
#ifndef NUMASIM_WORKLOADS_MACHINE_RULES_H_
#define NUMASIM_WORKLOADS_MACHINE_RULES_H_

#include <cstdint>
#include <string>
#include <vector>

#include "absl/status/status.h"
#include "proto/scenario.pb.h"
#include "workloads/script.h"
#include "workloads/text_message.h"

namespace numasim::workloads {

// What is wrong with a node of `memory` bytes, to follow the value in a message; empty if nothing is. Adds it
// to the machine's `total`.
std::string NodeMemoryProblem(int64_t memory, int64_t& total);

// The fields that say what the machine is: exactly one of them may be set.
// Checks that; `view` is of a Machine.
absl::Status CheckMachineSource(const MessageView& view);

// Whether the machine is described by itself (nodes or zones) and not by another file.
bool IsDescribed(const Machine& machine);

// How many nodes and CPUs a described machine has. Recorded zones say it by their node numbers and PCP lists
// where `cpus` does not.
MachineLimits LimitsOf(const Machine& machine);

// Checks what a machine section holds: node and CPU numbers exist, distances are a square with 10 on its
// diagonal, zones and huge pages hold together. `view` is of a Machine, which may take its nodes or zones
// from a file; `whole` has these too.
absl::Status CheckMachine(const MessageView& view, const Machine& whole);

// Checks a kernel section, of a machine with so many nodes (0: not known). `view` is of a KernelKnobs.
absl::Status CheckKernel(const MessageView& view, int nodes);

// The machine that a file describes, as a scenario that names the file changes it: what the scenario sets
// replaces what the file says.
Machine Completed(Machine from_file, const Machine& scenario);

}  // namespace numasim::workloads

#endif  // NUMASIM_WORKLOADS_MACHINE_RULES_H_
