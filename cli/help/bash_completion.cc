#include "cli/help/bash_completion.h"

#include <string>
#include <vector>

#include "absl/strings/str_cat.h"
#include "absl/strings/str_join.h"

namespace numasim {
namespace {

// What does not depend on the program's arguments. A command is written as its words, such as "help fields",
// and its argument as "help fields:--format" or, by place, "help fields:1".
constexpr char kFunctions[] = R"(
# Offers those of the words that begin with what is written.
_numasim_words() {
  local IFS=$' \t\n'
  COMPREPLY+=($(compgen -W "$*" -- "$word"))
}

# Offers folders, and files whose names end with one of these.
_numasim_files() {
  local name ending
  compopt -o filenames 2>/dev/null
  while IFS= read -r name; do
    if [[ -d $name ]]; then
      COMPREPLY+=("$name")
      continue
    fi
    for ending in "$@"; do
      if [[ $name == *"$ending" ]]; then
        COMPREPLY+=("$name")
        break
      fi
    done
  done < <(compgen -f -- "$word")
}

_numasim() {
  local word=${COMP_WORDS[COMP_CWORD]} command= option= place=1 given i
  COMPREPLY=()
  # bash makes three words of --format=json.
  if [[ $word == = ]]; then word=; fi
  for ((i = 1; i < COMP_CWORD; i++)); do
    given=${COMP_WORDS[i]}
    if [[ $given == = ]]; then
      continue
    elif [[ -n $option ]]; then
      option=
    elif [[ $given == -* ]]; then
      if _numasim_takes_value "$command:$given"; then option=$given; fi
    elif [[ " $(_numasim_subcommands "$command") " == *" $given "* ]]; then
      command=${command:+$command }$given
      place=1
    else
      ((place++))
    fi
  done
  if [[ -n $option ]]; then
    _numasim_value "$command:$option"
  elif [[ $word == -* ]]; then
    _numasim_words $(_numasim_options "$command")
  else
    if ((place == 1)); then _numasim_words $(_numasim_subcommands "$command"); fi
    _numasim_value "$command:$place"
  fi
}

complete -F _numasim numasim
)";

// What offers the values; empty if nothing can be offered.
std::string Offer(const Values& values) {
  std::vector<std::string> offers;
  if (!values.words.empty()) offers.push_back("_numasim_words " + absl::StrJoin(values.words, " "));
  std::string files = "_numasim_files";
  for (const std::string& ending : values.endings)
    absl::StrAppend(&files, " ", ending.empty() ? "''" : absl::StrCat(".", ending));
  if (values.folders || !values.endings.empty()) offers.push_back(files);
  return absl::StrJoin(offers, "; ");
}

void PrintValue(const std::string& pattern, const Values& values, std::ostream& out) {
  const std::string offer = Offer(values);
  if (!offer.empty()) out << "    " << pattern << ") " << offer << " ;;\n";
}

// The branches of one command in each function. `name` are its words; empty for the program.

void PrintWords(const std::string& name, const std::vector<std::string>& words, std::ostream& out) {
  if (!words.empty()) out << "    '" << name << "') echo " << absl::StrJoin(words, " ") << " ;;\n";
}

void PrintSubcommands(const CommandOutline& command, const std::string& name, std::ostream& out) {
  std::vector<std::string> words;
  words.reserve(command.subcommands.size());
  for (const CommandOutline& below : command.subcommands) words.push_back(below.name);
  PrintWords(name, words, out);
}

void PrintOptions(const CommandOutline& command, const std::string& name, std::ostream& out) {
  std::vector<std::string> words;
  for (const ArgumentOutline& option : command.options)
    words.insert(words.end(), option.names.begin(), option.names.end());
  PrintWords(name, words, out);
}

// "'run:-o'|'run:--out'".
std::string Pattern(const ArgumentOutline& option, const std::string& name) {
  std::vector<std::string> patterns;
  patterns.reserve(option.names.size());
  for (const std::string& spelling : option.names)
    patterns.push_back(absl::StrCat("'", name, ":", spelling, "'"));
  return absl::StrJoin(patterns, "|");
}

void PrintTakesValue(const CommandOutline& command, const std::string& name, std::ostream& out) {
  for (const ArgumentOutline& option : command.options)
    if (option.takes_value()) out << "    " << Pattern(option, name) << ") return 0 ;;\n";
}

void PrintValues(const CommandOutline& command, const std::string& name, std::ostream& out) {
  for (const ArgumentOutline& option : command.options) PrintValue(Pattern(option, name), option.values, out);
  for (size_t i = 0; i < command.positionals.size(); ++i) {
    const ArgumentOutline& argument = command.positionals[i];
    // The places before it have patterns of their own, which come first.
    const std::string pattern =
        argument.repeats ? absl::StrCat("'", name, ":'[0-9]*") : absl::StrCat("'", name, ":", i + 1, "'");
    PrintValue(pattern, argument.values, out);
  }
}

using PrintBranches = void (*)(const CommandOutline&, const std::string& name, std::ostream&);

void PrintAllBranches(const CommandOutline& command, const std::string& name, PrintBranches print,
                      std::ostream& out) {
  print(command, name, out);
  for (const CommandOutline& below : command.subcommands)
    PrintAllBranches(below, name.empty() ? below.name : absl::StrCat(name, " ", below.name), print, out);
}

// A function that looks its argument up among the branches of all commands.
void PrintCase(const char* function, const CommandOutline& program, PrintBranches print, std::ostream& out) {
  out << "\n" << function << "() {\n  case $1 in\n";
  PrintAllBranches(program, "", print, out);
  out << "    *) return 1 ;;\n  esac\n}\n";
}

}  // namespace

void PrintBashCompletion(const CommandOutline& program, std::ostream& out) {
  out << "# Completes command lines of numasim in bash: source <(numasim completion bash)\n";
  PrintCase("_numasim_subcommands", program, PrintSubcommands, out);
  PrintCase("_numasim_options", program, PrintOptions, out);
  PrintCase("_numasim_takes_value", program, PrintTakesValue, out);
  PrintCase("_numasim_value", program, PrintValues, out);
  out << kFunctions;
}

}  // namespace numasim
