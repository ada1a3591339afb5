// The completion script of bash.
#ifndef NUMASIM_CLI_HELP_BASH_COMPLETION_H_
#define NUMASIM_CLI_HELP_BASH_COMPLETION_H_

#include <ostream>

#include "cli/help/command_outline.h"

namespace numasim {

// Needs bash 4 and nothing else.
void PrintBashCompletion(const CommandOutline& program, std::ostream& out);

}  // namespace numasim

#endif  // NUMASIM_CLI_HELP_BASH_COMPLETION_H_
