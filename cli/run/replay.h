// `numasim replay`: a quick answer to what a log of jobs, or a trace of allocations, would have done to a
// machine.
#ifndef NUMASIM_CLI_RUN_REPLAY_H_
#define NUMASIM_CLI_RUN_REPLAY_H_

#include <CLI/App.hpp>

namespace numasim {

// Adds the subcommand; it sets *exit_status when it runs.
void AddReplayCommand(CLI::App& app, int* exit_status);

}  // namespace numasim

#endif  // NUMASIM_CLI_RUN_REPLAY_H_
