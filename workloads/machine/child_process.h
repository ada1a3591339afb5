// Runs code that may die of its input in a process of its own: a library that asserts, crashes or never ends
// on a damaged file then takes only that process with it.
#ifndef NUMASIM_WORKLOADS_MACHINE_CHILD_PROCESS_H_
#define NUMASIM_WORKLOADS_MACHINE_CHILD_PROCESS_H_

#include <functional>
#include <string>

#include "absl/status/status.h"
#include "absl/status/statusor.h"

namespace numasim::workloads {

struct ChildResult {
  // What `make` returned. Aborted if the child died or had to be stopped, ResourceExhausted if the host gives
  // no process; the message says how: "ended by SIGSEGV".
  absl::StatusOr<std::string> made = absl::UnknownError("not run");
  std::string complaints;  // what the child wrote to standard error
};

// The first thing that the child had to say, in brackets behind a blank; "" if it said nothing.
std::string FirstComplaint(const ChildResult& result);

// Runs `make` in a forked child that is stopped after `seconds`. Called while the process has one thread.
// What `make` changes in memory is lost; only the text that it returns comes back.
ChildResult RunInChild(const std::function<absl::StatusOr<std::string>()>& make, unsigned seconds);

}  // namespace numasim::workloads

#endif  // NUMASIM_WORKLOADS_MACHINE_CHILD_PROCESS_H_
