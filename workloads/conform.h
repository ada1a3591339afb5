// Conformance: runs a script from a recorded boot state and tells, after each operation, what the simulated
// machine answers and counts, in the form in which real kernels were recorded.
#ifndef NUMASIM_WORKLOADS_CONFORM_H_
#define NUMASIM_WORKLOADS_CONFORM_H_

#include <string>
#include <vector>

#include "absl/status/statusor.h"
#include "nlohmann/json.hpp"
#include "workloads/machine/boot_state.h"
#include "workloads/script.h"

namespace numasim::workloads {

struct Conformance {
  // {"kernel", "machine", "steps": [...]}; step 0 is the boot state as the simulator holds it. Values that
  // are not modelled stay as recorded.
  nlohmann::json steps;
  std::vector<std::string> warnings;  // what of the boot state has no effect
};

// `file` and `boot_file` are for messages.
absl::StatusOr<Conformance> Conform(const Script& script, const std::string& file, const BootState& boot,
                                    const std::string& boot_file);

}  // namespace numasim::workloads

#endif  // NUMASIM_WORKLOADS_CONFORM_H_
