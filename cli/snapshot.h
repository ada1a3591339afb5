// `numasim snapshot`: records the machine it runs on as a scenario's machine section.
#ifndef NUMASIM_CLI_SNAPSHOT_H_
#define NUMASIM_CLI_SNAPSHOT_H_

#include <CLI/App.hpp>

namespace numasim {

// Adds the subcommand to `app`. When it is called it sets *exit_status to 0, or to 1 after one message on
// standard error. `exit_status` must outlive `app`.
void AddSnapshotCommand(CLI::App& app, int* exit_status);

}  // namespace numasim

#endif  // NUMASIM_CLI_SNAPSHOT_H_
