// `numasim run`: the main job. Simulates a scenario or a script, shows progress, prints a summary, writes a
// trace.
#ifndef NUMASIM_CLI_RUN_RUN_H_
#define NUMASIM_CLI_RUN_RUN_H_

#include <CLI/App.hpp>

namespace numasim {

// Adds the subcommand to `app`. When it is called it sets *exit_status to 0, or to 1 after one message on
// standard error. `exit_status` must outlive `app`.
void AddRunCommand(CLI::App& app, int* exit_status);

}  // namespace numasim

#endif  // NUMASIM_CLI_RUN_RUN_H_
