// `numasim conform`: runs a script from a recorded boot state and writes each step's result and counters as
// JSON.
#ifndef NUMASIM_CLI_CONFORM_H_
#define NUMASIM_CLI_CONFORM_H_

#include <CLI/App.hpp>

namespace numasim {

// Adds the subcommand to `app`. When it is called it sets *exit_status to 0, or to 1 after one message on
// standard error. `exit_status` must outlive `app`.
void AddConformCommand(CLI::App& app, int* exit_status);

}  // namespace numasim

#endif  // NUMASIM_CLI_CONFORM_H_
