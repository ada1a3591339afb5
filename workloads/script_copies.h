// Scripts of which several copies run: {copy} in a line is the copy's number, from 0, so that each can have a
// CPU, a node or a file of its own.
#ifndef NUMASIM_WORKLOADS_SCRIPT_COPIES_H_
#define NUMASIM_WORKLOADS_SCRIPT_COPIES_H_

#include <optional>
#include <string>
#include <vector>

#include "absl/status/statusor.h"
#include "workloads/operations.h"
#include "workloads/script.h"

namespace numasim::workloads {

// One script if all copies are alike, else one for each, with the same operations in the same lines. There is
// one at least, so that a script of which no copy runs is checked too. A mistake is as ParseScript tells it,
// and says of which copy it is.
absl::StatusOr<std::vector<Script>> ParseScriptOfCopies(const std::string& text, int copies,
                                                        const LineName& name_of_line,
                                                        const std::optional<MachineLimits>& limits);

}  // namespace numasim::workloads

#endif  // NUMASIM_WORKLOADS_SCRIPT_COPIES_H_
