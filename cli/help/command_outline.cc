#include "cli/help/command_outline.h"

#include <algorithm>
#include <string_view>

#include "absl/strings/ascii.h"
#include "absl/strings/str_join.h"
#include "absl/strings/str_split.h"
#include "absl/strings/strip.h"
#include "cli/help/field_reference.h"
#include "cli/help/operation_reference.h"

namespace numasim {
namespace {

// Lines as one: where they end was for the help of a terminal.
std::string OneLine(const std::string& text) {
  return absl::StrJoin(absl::StrSplit(text, absl::ByAnyChar(" \n"), absl::SkipEmpty()), " ");
}

// "TEXT:{text,json}", as CLI11 writes a type and what is checked of it, as "text|json".
std::string TypeOf(const CLI::Option& option) {
  std::string type = option.get_type_name();
  type.erase(0, type.find(':') + 1);
  if (!type.starts_with('{')) return type;
  type = type.substr(1, type.size() - 2);
  std::ranges::replace(type, ',', '|');
  return type;
}

std::vector<const CLI::App*> SubcommandsOf(const CLI::App& app) {
  // One without a group is the program's own business, as sweep-task.
  return app.get_subcommands([](const CLI::App* command) { return !command->get_group().empty(); });
}

const CLI::App& Root(const CLI::App& app) {
  const CLI::App* root = &app;
  while (root->get_parent() != nullptr) root = root->get_parent();
  return *root;
}

// The words that a type's name stands for; none if it stands for none.
std::vector<std::string> WordsOf(const CLI::App& command, const std::string& type) {
  if (type == "OPERATION") return OperationNames();
  if (type == "FIELD") return FieldPaths();
  std::vector<std::string> words;
  if (type != "COMMAND") return words;
  for (const CLI::App* known : SubcommandsOf(Root(command))) words.push_back(known->get_name());
  return words;
}

void AddPart(absl::string_view part, Values& values) {
  const bool is_capital = !part.empty() && absl::ascii_isupper(part.front());
  const size_t dot = part.find('.');
  if (part == "DIR") {
    values.folders = true;
  } else if (part == "FILE") {
    values.endings.emplace_back();
  } else if (is_capital && dot != absl::string_view::npos) {
    values.endings.emplace_back(part.substr(dot + 1));
  } else if (!is_capital) {
    values.words.emplace_back(part);
  }
}

Values ValuesOf(const CLI::App& command, const std::string& type) {
  Values values;
  values.words = WordsOf(command, type);
  for (const absl::string_view part : absl::StrSplit(type, '|', absl::SkipEmpty())) AddPart(part, values);
  return values;
}

ArgumentOutline OutlineOf(const CLI::App& command, const CLI::Option& option) {
  ArgumentOutline outline;
  if (option.get_positional()) {
    outline.names = {option.get_name(/*positional=*/true)};
  } else {
    for (const std::string& name : option.get_snames()) outline.names.push_back("-" + name);
    for (const std::string& name : option.get_lnames()) outline.names.push_back("--" + name);
  }
  if (option.get_items_expected_max() > 0) outline.type = TypeOf(option);
  outline.description = OneLine(option.get_description());
  outline.required = option.get_required();
  outline.repeats = option.get_expected_max() > 1;
  outline.values = ValuesOf(command, outline.type);
  return outline;
}

}  // namespace

CommandOutline OutlineOf(const CLI::App& app) {
  CommandOutline outline{
      app.get_name(), OneLine(app.get_description()), OneLine(app.get_footer()), {}, {}, {}};
  for (const CLI::Option* option : app.get_options()) {
    if (option->get_group().empty()) continue;  // as for subcommands
    (option->get_positional() ? outline.positionals : outline.options).push_back(OutlineOf(app, *option));
  }
  for (const CLI::App* subcommand : SubcommandsOf(app)) outline.subcommands.push_back(OutlineOf(*subcommand));
  return outline;
}

}  // namespace numasim
