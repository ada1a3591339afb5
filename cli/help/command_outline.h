// The program's subcommands and their arguments as plain data, read from CLI11's declarations: what the
// manual page and shell completion are made of.
#ifndef NUMASIM_CLI_HELP_COMMAND_OUTLINE_H_
#define NUMASIM_CLI_HELP_COMMAND_OUTLINE_H_

#include <CLI/App.hpp>
#include <string>
#include <vector>

namespace numasim {

// What a shell can offer in the place of a value.
struct Values {
  std::vector<std::string> words;    // "text", "json"
  std::vector<std::string> endings;  // of files: "textproto"; "" is any file
  bool folders = false;
};

struct ArgumentOutline {
  std::vector<std::string> names;  // "--format" and others of the same option; of a positional one, its name
  std::string type;                // "text|csv|json"; empty: a flag
  std::string description;         // on one line
  bool required = false;
  bool repeats = false;  // positional: may be given several times, one after another
  Values values;

  bool takes_value() const { return !type.empty(); }
};

struct CommandOutline {
  std::string name;  // "numasim", "run"
  std::string description;
  std::string footer;
  std::vector<ArgumentOutline> options;
  std::vector<ArgumentOutline> positionals;
  std::vector<CommandOutline> subcommands;
};

// Values are told by an argument's type name: words by '|' are what it may be, as "text|csv|json";
// NAME.ending is a file, FILE any file and DIR a folder, as in "TRACE.pb|DIR"; COMMAND, OPERATION and FIELD
// are what `numasim help` knows. Other types say nothing.
CommandOutline OutlineOf(const CLI::App& app);

}  // namespace numasim

#endif  // NUMASIM_CLI_HELP_COMMAND_OUTLINE_H_
