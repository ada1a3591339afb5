// The manual page numasim(1), made of the declared subcommands and arguments.
#ifndef NUMASIM_CLI_HELP_MAN_PAGE_H_
#define NUMASIM_CLI_HELP_MAN_PAGE_H_

#include <ostream>
#include <string>

#include "cli/help/command_outline.h"

namespace numasim {

// In the language of man(7).
void PrintManPage(const CommandOutline& program, const std::string& version, std::ostream& out);

}  // namespace numasim

#endif  // NUMASIM_CLI_HELP_MAN_PAGE_H_
