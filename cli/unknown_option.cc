#include "cli/unknown_option.h"

#include <CLI/Config.hpp>
#include <CLI/Formatter.hpp>
#include <algorithm>
#include <string_view>
#include <vector>

#include "workloads/nearest_name.h"
#include "workloads/text.h"
#include "workloads/units.h"

namespace numasim {
namespace {

using workloads::Cat;

std::string OneOf(std::string_view given, const std::vector<std::string>& known) {
  const std::vector<std::string_view> names(known.begin(), known.end());
  return Cat("; expected one of ", workloads::Join(names, ", "), workloads::DidYouMean(given, names));
}

std::vector<std::string> OptionsOf(const CLI::App& command) {
  std::vector<std::string> names;
  for (const CLI::Option* option : command.get_options()) {
    for (const std::string& name : option->get_lnames()) names.push_back("--" + name);
    for (const std::string& name : option->get_snames()) names.push_back("-" + name);
  }
  return names;
}

// The first argument that looks like an option and is none of the command's; empty if there is none.
std::string UnknownOption(const CLI::App& command, int argc, const char* const* argv) {
  const std::vector<std::string> known = OptionsOf(command);
  for (int i = 1; i < argc; ++i) {
    const std::string_view argument = argv[i];
    if (argument == "--") return {};
    if (argument.size() < 2 || argument.front() != '-') continue;
    const std::string_view name = argument.substr(0, argument.find('='));
    if (std::find(known.begin(), known.end(), name) != known.end()) continue;
    return Cat(workloads::Quoted(name), " is no option", OneOf(name, known));
  }
  return {};
}

}  // namespace

std::string NoSubcommand(const CLI::App& app, const std::string& given) {
  if (given.starts_with('-'))
    return Cat(workloads::Quoted(given), " is no option", OneOf(given, OptionsOf(app)));
  std::vector<std::string> names;
  // Those that --help shows.
  for (const CLI::App* known :
       app.get_subcommands([](const CLI::App* one) { return !one->get_group().empty(); }))
    names.push_back(known->get_name());
  const std::string what =
      given.empty() ? "a subcommand is missing" : workloads::Quoted(given) + " is no subcommand";
  return Cat(what, OneOf(given, names));
}

std::string WrongUsage(const CLI::App& app, const CLI::ParseError& error, int argc, const char* const* argv) {
  if (app.get_subcommands().empty()) return Cat(": ", NoSubcommand(app, argc > 1 ? argv[1] : ""));
  const CLI::App* command = &app;
  std::string names;
  while (!command->get_subcommands().empty()) {
    command = command->get_subcommands().front();
    names += " " + command->get_name();
  }
  std::string what;
  if (dynamic_cast<const CLI::ExtrasError*>(&error) != nullptr) what = UnknownOption(*command, argc, argv);
  if (what.empty()) what = Cat(std::string(error.what()), "; see numasim", names, " --help");
  return Cat(names, ": ", what);
}

}  // namespace numasim
