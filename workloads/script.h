// Operation scripts (.mm): one operation a line, performed one after another, preceded by the machine they
// run on.
//
// What stands between the lines `repeat N` and `end` is performed N times; the operations are there so often.
//
// ParseScript reads one into a Script, which the caller owns; nothing here lives on an LP. Both directions,
// text to Op and Op to text, come from one table of the operations (operation_table.cc).
#ifndef NUMASIM_WORKLOADS_SCRIPT_H_
#define NUMASIM_WORKLOADS_SCRIPT_H_

#include <functional>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "absl/status/statusor.h"
#include "workloads/operations.h"

namespace numasim::workloads {

struct Script {
  std::optional<MachineLine> machine;
  std::vector<Op> ops;
  // From a `# tolerance P%` comment, as a share (0.03 for 3%): how far values may be off at the limit of
  // memory.
  double tolerance = 0;
};

// Parses a whole script. Node and CPU numbers are checked against `limits`, or against the script's own
// machine line where `limits` is not given; without either a node number need only be below kMaxNodes.
// `file_name` is for messages only. On a mistake returns InvalidArgument that reads
// "FILE:LINE: FIELD: 'VALUE' is ...; expected ...", for the first mistake of the script.
// A process must be spawned or forked before it is used and not used after its exit; a mapping's id must have
// been mapped (perhaps in vain) by the process, or by an ancestor before the fork.
absl::StatusOr<Script> ParseScript(std::string_view text, const std::string& file_name,
                                   const std::optional<MachineLimits>& limits = std::nullopt);

// The same for a script whose lines stand somewhere else: `name_of_line` says what to print for "FILE:LINE"
// of line n, from 1.
using LineName = std::function<std::string(int line)>;
absl::StatusOr<Script> ParseScript(std::string_view text, const LineName& name_of_line,
                                   const std::optional<MachineLimits>& limits = std::nullopt);

// The operation as a line that parses back to an equal operation (`text` and `line` play no part). It must
// name a process if and only if the operation is one of a process.
std::string ToString(const Op& op);

// The machine as a line that parses back to an equal one.
std::string ToString(const MachineLine& machine);

// "FILE:LINE: 'OPERATION'", for messages about an operation.
std::string PlaceAndText(const Op& op, const LineName& name_of_line);

// The operation's name in the script language: "touch".
std::string_view OperationName(const OpKind& kind);

}  // namespace numasim::workloads

#endif  // NUMASIM_WORKLOADS_SCRIPT_H_
