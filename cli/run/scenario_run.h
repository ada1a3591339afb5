// What `numasim run` and `numasim replay` have in common: a scenario that is read is run with progress and a
// summary, and the exit status says whether it was as expected. Lives on no LP.
#ifndef NUMASIM_CLI_RUN_SCENARIO_RUN_H_
#define NUMASIM_CLI_RUN_SCENARIO_RUN_H_

#include <CLI/App.hpp>
#include <functional>
#include <string>
#include <vector>

#include "absl/status/statusor.h"
#include "workloads/scenario.h"
#include "workloads/text_patch.h"

namespace numasim {

struct ScenarioRunOptions {
  std::string out;
  std::vector<std::string> set;  // "PATH=VALUE" each
  std::string seed;              // as given; empty: the scenario's
  int threads = 0;               // 0: as many as the machine has
  bool step_by_step = false;
  bool quiet = false;
  std::vector<std::string> fail_on;
  bool json = false;  // the summary's form
};

// Declares the options of these that every such command has: --out, --set, --seed, --threads, --fail-on,
// --quiet. `default_out` tells what the trace is called without --out.
void AddScenarioRunOptions(CLI::App* command, const std::string& default_out, ScenarioRunOptions* options);

// The settings of --set.
absl::StatusOr<std::vector<workloads::FieldSetting>> ParseSettings(const std::vector<std::string>& texts);

// Runs it with its trace at `trace_path`, which must not be one of the `inputs`.
// Returns the exit status: 0, 2 where an expectation is not met, 128 and a signal's number after one.
absl::StatusOr<int> RunScenario(const workloads::LoadedScenario& scenario, const std::string& trace_path,
                                const std::vector<std::string>& inputs, const ScenarioRunOptions& options,
                                const std::vector<workloads::FieldSetting>& settings);

// Calls it when the command has been parsed, and makes an exit status and a message of what it returns.
void RunOnCallback(CLI::App* command, const ScenarioRunOptions* options,
                   std::function<absl::StatusOr<int>()> run, int* exit_status);

}  // namespace numasim

#endif  // NUMASIM_CLI_RUN_SCENARIO_RUN_H_
