#include "cli/help/help.h"

#include <CLI/Config.hpp>
#include <CLI/Formatter.hpp>
#include <iostream>
#include <memory>
#include <string>
#include <vector>

#include "absl/status/status.h"
#include "cli/help/command_outline.h"
#include "cli/help/field_reference.h"
#include "cli/help/man_page.h"
#include "cli/help/operation_reference.h"
#include "cli/standard_output.h"
#include "cli/unknown_option.h"
#include "cli/version.h"

namespace numasim {
namespace {

struct ReferenceOptions {
  std::string what;             // an operation's name or a field's path
  bool all = true;              // no such name or path is given
  std::string format = "text";  // or "markdown"
};

bool IsMarkdown(const ReferenceOptions& options) { return options.format == "markdown"; }

// The first lines of docs/operations.md and docs/fields.md, which this is.
constexpr char kOperationsHead[] = R"(# Operations of scripts

`numasim help operations` shows this, and `numasim help operations map` one of them. It is made of the declarations in
`workloads/operation_table.cc`; [development.md](development.md) says how this file is written anew.

A script is a file of operations, one on a line, that begins with the machine (`numasim run script.mm`), or a `script` of a
scenario's workload. `#` begins a comment. `@P` before an operation is the process that does it. Sizes take K, M, G or T.
What stands in `[ ]` may be left out; of words with `|` between one is chosen.
)";
constexpr char kFieldsHead[] = R"(# Fields of scenarios and studies

`numasim help fields` shows this, and `numasim help fields kernel.thp` a part of it. It is made of `proto/scenario.proto` and
`proto/study.proto`; [development.md](development.md) says how this file is written anew.

A path such as `kernel.thp.enabled` is that of `numasim run --set`; where there may be several of a message, `--set` says which, as in
`workload.script[0].copies`. Paths of a study begin with `study` here. Texts, sizes and times are in quotes in a file. A
message type that is held by several fields has one section, at the first of them.
)";

absl::Status ShowOperations(const ReferenceOptions& options, std::ostream& out) {
  if (options.all) {
    if (IsMarkdown(options)) {
      out << kOperationsHead;
      PrintOperationsMarkdown(AllOperations(), out);
    } else {
      ListOperations(AllOperations(), OutputWidth(), out);
      out << "\nnumasim help operations touch tells all of touch.\n";
    }
    return absl::OkStatus();
  }
  const absl::StatusOr<std::vector<OperationEntry>> entries = OperationsNamed(options.what);
  if (!entries.ok()) return entries.status();
  if (IsMarkdown(options)) {
    PrintOperationsMarkdown(*entries, out);
  } else {
    PrintOperations(*entries, OutputWidth(), out);
  }
  return absl::OkStatus();
}

absl::Status ShowFields(const ReferenceOptions& options, std::ostream& out) {
  if (!options.all && options.what.empty())
    return absl::InvalidArgumentError("PATH: is empty; expected a path such as kernel.thp");
  const absl::StatusOr<std::vector<FieldSection>> sections = FieldsAt(options.what);
  if (!sections.ok()) return sections.status();
  if (IsMarkdown(options)) {
    if (options.all) out << kFieldsHead;
    PrintFieldsMarkdown(*sections, out);
  } else {
    PrintFields(*sections, OutputWidth(), out);
  }
  return absl::OkStatus();
}

// A subcommand of `help` that shows a reference.
void AddReference(CLI::App& help, const char* name, const char* description, CLI::Option* excluded,
                  absl::Status (*show)(const ReferenceOptions&, std::ostream&), int* exit_status,
                  const char* what, const char* what_description, const char* type) {
  CLI::App* command = help.add_subcommand(name, description);
  command->excludes(excluded);
  auto options = std::make_shared<ReferenceOptions>();
  const CLI::Option* const given =
      command->add_option(what, options->what, what_description)->type_name(type);
  command->add_option("--format", options->format, "text, or markdown as in the documentation")
      ->check(CLI::IsMember({"text", "markdown"}));
  command->callback([name, options, given, show, exit_status] {
    options->all = given->count() == 0;
    const absl::Status status = show(*options, std::cout);
    if (status.ok()) return;
    std::cerr << "numasim help " << name << ": " << status.message() << "\n";
    *exit_status = 1;
  });
}

// Null if there is none.
const CLI::App* Find(const CLI::App& app, const std::string& name) {
  for (const CLI::App* known : app.get_subcommands([](const CLI::App*) { return true; })) {
    if (known->get_name() == name) return known;
  }
  return nullptr;
}

void ShowSubcommand(const CLI::App& app, const std::string& name, int* exit_status) {
  const CLI::App* const known = name.empty() ? &app : Find(app, name);
  if (known != nullptr) {
    const std::string usage = name.empty() ? "numasim" : "numasim " + name;
    std::cout << known->get_formatter()->make_help(known, usage, CLI::AppFormatMode::Normal);
    return;
  }
  std::cerr << "numasim: " << NoSubcommand(app, name) << "\n";
  *exit_status = 1;
}

}  // namespace

void AddHelpCommand(CLI::App& app, int* exit_status) {
  CLI::App* command = app.add_subcommand("help", "Show what a subcommand, an operation or a field is");
  command->require_subcommand(0, 1);
  auto name = std::make_shared<std::string>();
  CLI::Option* const subcommand =
      command->add_option("NAME", *name, "which; none: all of them, as numasim --help")->type_name("COMMAND");
  AddReference(*command, "operations", "Show the operations of scripts", subcommand, &ShowOperations,
               exit_status, "NAME", "which, such as map; none: all of them, in short", "OPERATION");
  AddReference(*command, "fields", "Show the fields of scenarios and studies", subcommand, &ShowFields,
               exit_status, "PATH", "where, such as kernel.thp or study.find; none: all of them", "FIELD");
  CLI::App* const man = command->add_subcommand("man", "Show the manual page, for man -l");
  man->excludes(subcommand);
  man->callback([&app] { PrintManPage(OutlineOf(app), kVersion, std::cout); });
  command->callback([command, &app, name, exit_status] {
    if (command->get_subcommands().empty()) ShowSubcommand(app, *name, exit_status);
  });
}

}  // namespace numasim
