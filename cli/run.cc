#include "cli/run.h"

#include <unistd.h>

#include <algorithm>
#include <filesystem>
#include <iostream>
#include <memory>
#include <optional>
#include <sstream>
#include <string>
#include <thread>
#include <vector>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "absl/strings/numbers.h"
#include "absl/strings/str_cat.h"
#include "cli/atomic_file.h"
#include "cli/progress.h"
#include "cli/signals.h"
#include "cli/standard_output.h"
#include "cli/summary.h"
#include "cli/traced_run.h"
#include "cli/warnings.h"
#include "sim/host_memory.h"
#include "workloads/scenario.h"
#include "workloads/simulation.h"

namespace numasim {
namespace {

using workloads::Simulation;

struct RunOptions {
  std::string input;
  std::string out;
  std::string seed;  // as given; empty: the scenario's
  int threads = 0;   // 0: as many as the machine has
  bool quiet = false;
  bool allow_outside_files = false;
};

// The scenario's name without its folder and ending, in the current folder.
std::string DefaultTracePath(const std::string& input) {
  return std::filesystem::path(input).stem().string() + ".trace.pb";
}

// A trace must not replace what it is made from.
absl::Status CheckTracePath(const std::string& trace, const std::string& input,
                            const workloads::LoadedScenario& scenario) {
  std::vector<std::string> inputs = {input};
  for (const auto& [name, text] : scenario.files)
    inputs.push_back((std::filesystem::path(input).parent_path() / name).string());
  return CheckIsNoInput("--out", trace, inputs);
}

// Where the summary goes: not where the trace does.
std::optional<int> SummaryStream(const RunOptions& options, const std::string& trace_path) {
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

// As many as asked for, or as the host has CPUs and gives threads: the result is the same for any number.
absl::StatusOr<int> ThreadsToUse(int asked) {
  const int cpus = std::max(1, static_cast<int>(std::thread::hardware_concurrency()));
  // More than CPUs are not made.
  const int wanted = asked > 0 ? std::min(asked, cpus) : cpus;
  const int given = sim::ThreadsOfHost(wanted);
  if (asked == 0 || given == wanted) return given;
  return absl::ResourceExhaustedError(absl::StrCat("--threads: '", asked, "' is more than the host gives (",
                                                   given, "; ulimit -u, ulimit -v); expected at most ",
                                                   given));
}

// Runs with progress, until the end or a signal.
absl::Status Watched(TracedRun& run, const RunOptions& options) {
  Progress progress(run.simulation(), !options.quiet && isatty(STDERR_FILENO) == 1, std::cerr);
  run.OnProgress([&progress](sim::SimTime now, uint64_t events) { progress.Show(now, events); });
  run.EndWhen([] { return std::string(EndSignals::Name(EndSignals::Noted())); });
  return run.Run();
}

// As a shell tells of a signal, after a message that says so.
int ExitStatus(const RunFacts& facts, Simulation& simulation) {
  if (facts.ended_by.empty()) return 0;
  std::cerr << "numasim: " << facts.ended_by << " ended the run at "
            << sim::ToString(simulation.engine().now()) << " of simulated time; its trace so far is "
            << facts.trace_path << "\n";
  return 128 + EndSignals::Noted();
}

absl::StatusOr<int> Run(const RunOptions& options) {
  const auto seed = ParseSeed(options.seed);
  if (!seed.ok()) return seed.status();
  const auto scenario = LoadInput(options.input, options.allow_outside_files);
  if (!scenario.ok()) return scenario.status();
  const std::string trace_path = options.out.empty() ? DefaultTracePath(options.input) : options.out;
  if (absl::Status status = CheckTracePath(trace_path, options.input, *scenario); !status.ok()) return status;
  const absl::StatusOr<int> threads = ThreadsToUse(options.threads);
  if (!threads.ok()) return threads.status();
  const std::optional<int> summary_stream = SummaryStream(options, trace_path);
  const EndSignals signals;
  auto run = TracedRun::Create(*scenario, {.trace_path = trace_path, .seed = *seed, .threads = *threads});
  if (!run.ok()) return run.status();
  PrintWarnings((*run)->simulation().warnings(), std::cerr);
  if (seed->has_value() && !scenario->random()) {
    PrintWarnings({absl::StrCat("--seed: ", **seed, " has no effect: nothing in this run is random")},
                  std::cerr);
  }
  if (absl::Status status = Watched(**run, options); !status.ok()) return status;
  if (summary_stream.has_value()) {
    std::ostringstream summary;
    PrintSummary((*run)->simulation(), (*run)->facts(), summary);
    if (absl::Status status = Print(*summary_stream, summary.str()); !status.ok()) return status;
  }
  return ExitStatus((*run)->facts(), (*run)->simulation());
}

}  // namespace

void AddRunCommand(CLI::App& app, int* exit_status) {
  CLI::App* command =
      app.add_subcommand("run", "Simulate a scenario (.textproto) or a script (.mm) and write a trace");
  auto options = std::make_shared<RunOptions>();
  command
      ->add_option("SCENARIO", options->input,
                   "a scenario (.textproto), or a script with a machine line (.mm)")
      ->required();
  command->add_option(
      "--out", options->out,
      "the trace; default: the scenario's name with .trace.pb, in this folder. It is written as\n"
      "NAME.partial and takes its name when the run is at its end");
  command->add_option("--seed", options->seed, "instead of the scenario's seed")->type_name("UINT");
  command->add_option("--threads", options->threads, "threads; the result is the same for any number")
      ->check(CLI::Range(1, 1024));
  command->add_flag("--allow-outside-files", options->allow_outside_files,
                    "the scenario may name files outside its own folder");
  command->add_flag("--quiet", options->quiet, "no progress, no summary");
  command->callback([command, options, exit_status] {
    if (command->count("--out") > 0 && options->out.empty()) {
      std::cerr << "numasim: --out: is empty; expected the name of the trace\n";
      *exit_status = 1;
      return;
    }
    const absl::StatusOr<int> result = Run(*options);
    if (!result.ok()) std::cerr << "numasim: " << result.status().message() << "\n";
    *exit_status = result.ok() ? *result : 1;
  });
}

}  // namespace numasim
