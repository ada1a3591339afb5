// Conformance: runs a script from a recorded boot state and tells, after each operation, what the simulated
// machine answers and counts, in the form in which real kernels were recorded.
#ifndef NUMASIM_WORKLOADS_CONFORM_H_
#define NUMASIM_WORKLOADS_CONFORM_H_

#include <functional>
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

// `file` and `boot_file` are for messages. `ended` is asked before each step, and about every 100 ms in it:
// where it says true the result is Cancelled, with the operation that it ended in or before as message.
absl::StatusOr<Conformance> Conform(const Script& script, const std::string& file, const BootState& boot,
                                    const std::string& boot_file, const std::function<bool()>& ended);

}  // namespace numasim::workloads

#endif  // NUMASIM_WORKLOADS_CONFORM_H_
