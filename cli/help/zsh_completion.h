// The completion script of zsh.
#ifndef NUMASIM_CLI_HELP_ZSH_COMPLETION_H_
#define NUMASIM_CLI_HELP_ZSH_COMPLETION_H_

#include <ostream>

#include "cli/help/command_outline.h"

namespace numasim {

// To be sourced after compinit, or to be the file _numasim in a folder of $fpath.
void PrintZshCompletion(const CommandOutline& program, std::ostream& out);

}  // namespace numasim

#endif  // NUMASIM_CLI_HELP_ZSH_COMPLETION_H_
