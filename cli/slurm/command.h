// Other programs, run to their end.
#ifndef NUMASIM_CLI_SLURM_COMMAND_H_
#define NUMASIM_CLI_SLURM_COMMAND_H_

#include <string>
#include <vector>

#include "absl/status/statusor.h"

namespace numasim::slurm {

// Runs a program of PATH with these arguments, the first of which is its name, and returns what it wrote to
// standard output. NotFound if there is no such program; Unavailable if it fails. Both messages begin with
// its name; that of a failure goes on with what the program wrote to standard error, in one line. The program
// is no part of the terminal's group of processes: Ctrl-C is for the caller, who may have more to do with it.
absl::StatusOr<std::string> RunCommand(const std::vector<std::string>& arguments);

}  // namespace numasim::slurm

#endif  // NUMASIM_CLI_SLURM_COMMAND_H_
