// Machines from recordings: the machine and step 0 of a truth file, and the same form written.
#ifndef NUMASIM_WORKLOADS_MACHINE_BOOT_STATE_H_
#define NUMASIM_WORKLOADS_MACHINE_BOOT_STATE_H_

#include <string>

#include "absl/status/statusor.h"
#include "nlohmann/json.hpp"
#include "proto/scenario.pb.h"

namespace numasim::workloads {

struct BootState {
  Machine machine;
  nlohmann::json counters;  // step 0's, as recorded
};

// Reads a recorded boot state; steps after the first are ignored. `name` is for messages: "NAME: FIELD: ...".
absl::StatusOr<BootState> ParseBootState(const std::string& name, const std::string& text);

}  // namespace numasim::workloads

#endif  // NUMASIM_WORKLOADS_MACHINE_BOOT_STATE_H_
