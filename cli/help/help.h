// `numasim help`: what subcommands, operations of scripts and fields of scenarios are, made of their
// declarations.
#ifndef NUMASIM_CLI_HELP_HELP_H_
#define NUMASIM_CLI_HELP_HELP_H_

#include <CLI/App.hpp>

namespace numasim {

// Adds the subcommand to `app`, which it shows with all subcommands that `app` has when it is called. It sets
// *exit_status to 1 after one message on standard error. `exit_status` must outlive `app`.
void AddHelpCommand(CLI::App& app, int* exit_status);

}  // namespace numasim

#endif  // NUMASIM_CLI_HELP_HELP_H_
