// `numasim completion`: scripts by which shells complete numasim's command lines, made of the declared
// subcommands and arguments.
#ifndef NUMASIM_CLI_HELP_COMPLETION_H_
#define NUMASIM_CLI_HELP_COMPLETION_H_

#include <CLI/App.hpp>

namespace numasim {

// Adds the subcommand to `app`, all of which it completes as it is when the subcommand is called.
void AddCompletionCommand(CLI::App& app);

}  // namespace numasim

#endif  // NUMASIM_CLI_HELP_COMPLETION_H_
