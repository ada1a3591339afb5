#include "cli/run/scenario_run.h"

#include <unistd.h>

#include <iostream>
#include <optional>
#include <sstream>
#include <utility>

#include "absl/status/status.h"
#include "absl/strings/numbers.h"
#include "absl/strings/str_cat.h"
#include "cli/atomic_file.h"
#include "cli/metrics/expectations.h"
#include "cli/run/possible_metrics.h"
#include "cli/run/progress.h"
#include "cli/run/summary.h"
#include "cli/run/traced_run.h"
#include "cli/signals.h"
#include "cli/standard_output.h"
#include "cli/thread_count.h"
#include "cli/warnings.h"
#include "workloads/simulation.h"

namespace numasim {

using workloads::FieldSetting;

absl::StatusOr<std::vector<FieldSetting>> ParseSettings(const std::vector<std::string>& texts) {
  std::vector<FieldSetting> settings;
  for (const std::string& text : texts) {
    absl::StatusOr<FieldSetting> setting = workloads::ParseFieldSetting("--set", text);
    if (!setting.ok()) return setting.status();
    settings.push_back(*std::move(setting));
  }
  return settings;
}

namespace {

// Exit statuses.
constexpr int kWrongInput = 1;
constexpr int kNotAsExpected = 2;

// Where the summary goes: not where the trace does.
std::optional<int> SummaryStream(const ScenarioRunOptions& options, const std::string& trace_path) {
  if (options.quiet) return std::nullopt;
  for (const int stream : {STDOUT_FILENO, STDERR_FILENO}) {
    if (!IsSameOutput(trace_path, stream)) return stream;
  }
  return std::nullopt;
}

absl::StatusOr<std::optional<uint64_t>> ParseSeed(const std::string& text) {
  if (text.empty()) return std::nullopt;
  uint64_t seed = 0;
  if (text.find_first_not_of("0123456789") == std::string::npos && absl::SimpleAtoi(text, &seed)) return seed;
  return absl::InvalidArgumentError(absl::StrCat(
      "--seed: '", text, "' is no seed; expected a whole number from 0 to 18446744073709551615"));
}

// Runs with progress, until the end or a signal.
absl::Status Watched(TracedRun& run, const ScenarioRunOptions& options) {
  Progress progress(run.simulation(), !options.quiet && isatty(STDERR_FILENO) == 1, std::cerr);
  run.OnProgress([&progress](sim::SimTime now, uint64_t events) { progress.Show(now, events); });
  run.EndWhen([] { return std::string(EndSignals::Name(EndSignals::Noted())); });
  return run.Run();
}

// As a shell tells of a signal, after a message that says so; else 2 where the run is not as it should be, or
// 1 where it only cannot be said of some condition, after a message of each.
int ExitStatus(TracedRun& run, const Expectations& expectations) {
  const RunFacts& facts = run.facts();
  if (!facts.ended_by.empty()) {
    std::cerr << "numasim: " << facts.ended_by << " ended the run at "
              << sim::ToString(run.simulation().engine().now()) << " of simulated time; its trace so far is "
              << facts.trace_path << "\n";
    return 128 + EndSignals::Noted();
  }
  if (expectations.empty()) return 0;
  const Expectations::Verdict verdict = expectations.Judged(*run.metrics());
  for (const std::string& line : verdict.not_met) std::cerr << "numasim: " << line << "\n";
  for (const std::string& line : verdict.mistakes) std::cerr << "numasim: " << line << "\n";
  if (!verdict.not_met.empty()) return kNotAsExpected;
  return verdict.mistakes.empty() ? 0 : kWrongInput;
}

absl::Status PrintSummaryOf(TracedRun& run, int stream, bool json) {
  std::ostringstream summary;
  if (json) {
    PrintSummaryJson(run.simulation(), run.facts(), run.metrics(), summary);
  } else {
    PrintSummary(run.simulation(), run.facts(), run.metrics(), summary);
  }
  return Print(stream, summary.str());
}

}  // namespace

absl::StatusOr<int> RunScenario(const workloads::LoadedScenario& scenario, const std::string& trace_path,
                                const std::vector<std::string>& inputs, const ScenarioRunOptions& options,
                                const std::vector<FieldSetting>& settings) {
  const auto seed = ParseSeed(options.seed);
  if (!seed.ok()) return seed.status();
  if (absl::Status status = CheckIsNoInput("--out", trace_path, inputs); !status.ok()) return status;
  const absl::StatusOr<int> threads = ThreadsToUse(options.threads);
  if (!threads.ok()) return threads.status();
  absl::StatusOr<Expectations> expectations = Expectations::Create(scenario, options.fail_on);
  if (!expectations.ok()) return expectations.status();
  const std::optional<int> summary_stream = SummaryStream(options, trace_path);
  const EndSignals signals;
  auto run =
      TracedRun::Create(scenario, {.trace_path = trace_path,
                                   .seed = *seed,
                                   .threads = *threads,
                                   .step_by_step = options.step_by_step,
                                   .collect_metrics = !expectations->empty() || summary_stream.has_value()});
  if (!run.ok()) return WithSettings(run.status(), settings);
  if (!expectations->empty()) {
    const RunMetrics possible = PossibleMetrics((*run)->simulation(), (*run)->header());
    if (absl::Status status = expectations->CheckNames(possible); !status.ok()) return status;
  }
  PrintWarnings((*run)->simulation().warnings(), std::cerr);
  if (seed->has_value() && !scenario.random()) {
    PrintWarnings({absl::StrCat("--seed: ", **seed, " has no effect: nothing in this run is random")},
                  std::cerr);
  }
  if (absl::Status status = Watched(**run, options); !status.ok()) return status;
  if (summary_stream.has_value()) {
    if (absl::Status status = PrintSummaryOf(**run, *summary_stream, options.json); !status.ok())
      return status;
  }
  return ExitStatus(**run, *expectations);
}

void AddScenarioRunOptions(CLI::App* command, const std::string& default_out, ScenarioRunOptions* options) {
  command
      ->add_option("--out", options->out,
                   absl::StrCat("the trace; default: ", default_out,
                                ", in this folder. It is written as\n"
                                "NAME.partial and takes its name when the run is at its end"))
      ->type_name("TRACE.pb");
  command
      ->add_option("--set", options->set,
                   "changes a field of the scenario, such as 'workload.script[guests].copies=4'; several by "
                   "giving it\n"
                   "again")
      ->type_name("PATH=VALUE")
      ->allow_extra_args(false);
  command->add_option("--seed", options->seed, "instead of the scenario's seed")->type_name("UINT");
  command->add_option("--threads", options->threads, "threads; the result is the same for any number")
      ->check(CLI::Range(1, 1024));
  // For who looks for an error in the engine, and its tests: --help does not show it.
  command->add_flag("--step-by-step", options->step_by_step, "each step of a path by itself")->group("");
  command
      ->add_option(
          "--fail-on", options->fail_on,
          "a condition on the run's metrics, such as 'operation.guests.map.failed_share > 1%': where it\n"
          "holds at the end, the exit status is 2. May be given several times. The scenario's own are\n"
          "its expect fields, which must hold")
      ->type_name("CONDITION")
      ->allow_extra_args(false);
  command->add_flag("--quiet", options->quiet, "no progress, no summary");
}

void RunOnCallback(CLI::App* command, const ScenarioRunOptions* options,
                   std::function<absl::StatusOr<int>()> run, int* exit_status) {
  command->callback([command, options, run = std::move(run), exit_status] {
    if (command->count("--out") > 0 && options->out.empty()) {
      std::cerr << "numasim: --out: is empty; expected the name of the trace\n";
      *exit_status = 1;
      return;
    }
    const absl::StatusOr<int> result = run();
    if (!result.ok()) std::cerr << "numasim: " << result.status().message() << "\n";
    *exit_status = result.ok() ? *result : 1;
  });
}

}  // namespace numasim
