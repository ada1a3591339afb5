#include "cli/help/zsh_completion.h"

#include <string>
#include <vector>

#include "absl/strings/str_cat.h"
#include "absl/strings/str_join.h"
#include "absl/strings/str_replace.h"

namespace numasim {
namespace {

constexpr char kEnd[] = R"(
if [[ $funcstack[1] == _numasim ]]; then
  _numasim "$@"
else
  compdef _numasim numasim
fi
)";

// A word of the script.
std::string Quoted(absl::string_view text) {
  return absl::StrCat("'", absl::StrReplaceAll(text, {{"'", "'\\''"}}), "'");
}

// The part of a specification of _arguments that is read by people.
std::string Explanation(absl::string_view text) {
  return absl::StrReplaceAll(text, {{"\\", "\\\\"}, {"[", "\\["}, {"]", "\\]"}, {":", "\\:"}});
}

// What offers the values, in the language of _arguments.
std::string Action(const Values& values) {
  if (!values.words.empty()) return absl::StrCat("(", absl::StrJoin(values.words, " "), ")");
  if (values.endings.empty()) return values.folders ? "_files -/" : " ";
  if (values.endings.front().empty()) return "_files";
  // Of one ending alone the parentheses would be glob qualifiers.
  if (values.endings.size() == 1) return absl::StrCat("_files -g \"*.", values.endings.front(), "\"");
  return absl::StrCat("_files -g \"*.(", absl::StrJoin(values.endings, "|"), ")\"");
}

// The specification of an option, under all its names.
std::string OptionSpec(const ArgumentOutline& option) {
  std::vector<std::string> names;
  names.reserve(option.names.size());
  for (const std::string& name : option.names) names.push_back(option.takes_value() ? name + "=" : name);
  std::string rest = absl::StrCat("[", Explanation(option.description), "]");
  if (option.takes_value()) absl::StrAppend(&rest, ":", Explanation(option.type), ":", Action(option.values));
  if (names.size() == 1) return Quoted(absl::StrCat(option.repeats ? "*" : "", names.front(), rest));
  return absl::StrCat(Quoted(absl::StrCat("(", absl::StrJoin(option.names, " "), ")")), "{",
                      absl::StrJoin(names, ","), "}", Quoted(rest));
}

std::string PositionalSpec(const ArgumentOutline& argument, size_t place) {
  const std::string where = argument.repeats ? "*" : absl::StrCat(place);
  return Quoted(absl::StrCat(where, argument.required ? ":" : "::", Explanation(argument.names.front()), ":",
                             Action(argument.values)));
}

// "_numasim_help_fields".
std::string FunctionOf(const std::string& above, const CommandOutline& command) {
  return absl::StrCat(above, "_", command.name);
}

// Of a command without subcommands, all of which _arguments does.
void PrintArguments(const CommandOutline& command, std::ostream& out) {
  out << "  _arguments";
  for (const ArgumentOutline& option : command.options) out << " \\\n    " << OptionSpec(option);
  for (size_t i = 0; i < command.positionals.size(); ++i)
    out << " \\\n    " << PositionalSpec(command.positionals[i], i + 1);
  out << "\n";
}

// Of a command with subcommands: the first word is one of them, or a value of the command's own argument.
void PrintDispatch(const CommandOutline& command, const std::string& function, std::ostream& out) {
  out << "  local curcontext=$curcontext state line\n  typeset -A opt_args\n  local -a commands=(\n";
  for (const CommandOutline& below : command.subcommands)
    out << "    " << Quoted(absl::StrCat(below.name, ":", below.description)) << "\n";
  out << "  )\n  _arguments -C";
  for (const ArgumentOutline& option : command.options) out << " \\\n    " << OptionSpec(option);
  out << " \\\n    '1: :->command' \\\n    '*:: :->argument'\n  case $state in\n    command)\n"
      << "      _describe -t commands command commands\n";
  for (const ArgumentOutline& argument : command.positionals)
    out << "      compadd -- " << absl::StrJoin(argument.values.words, " ") << "\n";
  out << "      ;;\n    argument)\n      case $words[1] in\n";
  for (const CommandOutline& below : command.subcommands)
    out << "        " << below.name << ") " << FunctionOf(function, below) << " ;;\n";
  out << "      esac\n      ;;\n  esac\n";
}

void PrintFunction(const CommandOutline& command, const std::string& function, std::ostream& out) {
  for (const CommandOutline& below : command.subcommands)
    PrintFunction(below, FunctionOf(function, below), out);
  out << "\n" << function << "() {\n";
  if (command.subcommands.empty()) {
    PrintArguments(command, out);
  } else {
    PrintDispatch(command, function, out);
  }
  out << "}\n";
}

}  // namespace

void PrintZshCompletion(const CommandOutline& program, std::ostream& out) {
  out << "#compdef numasim\n# Completes command lines of numasim in zsh: source <(numasim completion zsh)\n";
  PrintFunction(program, "_numasim", out);
  out << kEnd;
}

}  // namespace numasim
