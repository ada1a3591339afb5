// Words on the command line that stand for nothing, and what was probably meant.
#ifndef NUMASIM_CLI_UNKNOWN_OPTION_H_
#define NUMASIM_CLI_UNKNOWN_OPTION_H_

#include <CLI/App.hpp>
#include <string>

namespace numasim {

// What is wrong with a name that is no subcommand's, or with none at all, and what it could be.
std::string NoSubcommand(const CLI::App& app, const std::string& given);

// What is wrong with a command line that CLI11 refused, to follow the program's name: " run: '--sede' is no
// option; ...".
std::string WrongUsage(const CLI::App& app, const CLI::ParseError& error, int argc, const char* const* argv);

}  // namespace numasim

#endif  // NUMASIM_CLI_UNKNOWN_OPTION_H_
