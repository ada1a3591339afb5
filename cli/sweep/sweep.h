// `numasim sweep`: runs a scenario with many values of its parameters and many seeds, and keeps the metrics
// of each run in a database.
#ifndef NUMASIM_CLI_SWEEP_SWEEP_H_
#define NUMASIM_CLI_SWEEP_SWEEP_H_

#include <CLI/App.hpp>

namespace numasim {

// Adds the subcommand to `app`. When it is called it sets *exit_status to 0; to 2 if runs have failed; to 128
// and the number of the signal that ended it; or to 1 after one message on standard error. `exit_status` must
// outlive `app`.
void AddSweepCommand(CLI::App& app, int* exit_status);

}  // namespace numasim

#endif  // NUMASIM_CLI_SWEEP_SWEEP_H_
