#include "cli/run/run.h"

#include <filesystem>
#include <memory>
#include <string>
#include <vector>

#include "absl/status/statusor.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/strip.h"
#include "cli/run/scenario_run.h"
#include "cli/run/traced_run.h"
#include "workloads/scenario.h"

namespace numasim {
namespace {

using workloads::FieldSetting;

struct RunOptions {
  std::string input;
  bool allow_outside_files = false;
  std::string format = "text";  // of the summary, or "json"
  ScenarioRunOptions run;
};

// The scenario's name without its folder and ending, in the current folder; of a trace, "NAME.again".
std::string DefaultTracePath(const std::string& input) {
  const std::string name = std::filesystem::path(input).filename().string();
  if (absl::string_view stem = name; absl::ConsumeSuffix(&stem, ".pb")) {
    absl::ConsumeSuffix(&stem, ".trace");
    return absl::StrCat(stem, ".again.trace.pb");
  }
  return std::filesystem::path(input).stem().string() + ".trace.pb";
}

// What a trace must not replace.
std::vector<std::string> InputsOf(const std::string& input, const workloads::LoadedScenario& scenario) {
  std::vector<std::string> inputs = {input};
  for (const auto& [name, text] : scenario.files)
    inputs.push_back((std::filesystem::path(input).parent_path() / name).string());
  return inputs;
}

absl::StatusOr<int> Run(const RunOptions& options) {
  const absl::StatusOr<std::vector<FieldSetting>> settings = ParseSettings(options.run.set);
  if (!settings.ok()) return settings.status();
  const auto scenario = LoadInput(options.input, options.allow_outside_files, *settings);
  if (!scenario.ok()) return scenario.status();
  const std::string trace_path = options.run.out.empty() ? DefaultTracePath(options.input) : options.run.out;
  ScenarioRunOptions run = options.run;
  run.json = options.format == "json";
  return RunScenario(*scenario, trace_path, InputsOf(options.input, *scenario), run, *settings);
}

}  // namespace

void AddRunCommand(CLI::App& app, int* exit_status) {
  CLI::App* command = app.add_subcommand(
      "run",
      "Simulate a scenario (.textproto) or a script (.mm) and write a trace; or run a trace (.pb) again");
  auto options = std::make_shared<RunOptions>();
  command
      ->add_option(
          "SCENARIO", options->input,
          "a scenario (.textproto), a script with a machine line (.mm), or the trace of a run (.pb),\n"
          "which has all that is needed to run it again")
      ->required()
      ->type_name("SCENARIO.textproto|SCRIPT.mm|TRACE.pb");
  AddScenarioRunOptions(command, "the scenario's name with .trace.pb (of a trace: .again.trace.pb)",
                        &options->run);
  command->add_flag("--allow-outside-files", options->allow_outside_files,
                    "the scenario may name files outside its own folder");
  command->add_option("--format", options->format, "of the summary: text or json; json has all metrics, too")
      ->check(CLI::IsMember({"text", "json"}));
  RunOnCallback(command, &options->run, [options] { return Run(*options); }, exit_status);
}

}  // namespace numasim
