#include "cli/run.h"

#include <unistd.h>

#include <algorithm>
#include <chrono>
#include <filesystem>
#include <iostream>
#include <memory>
#include <optional>
#include <string>
#include <system_error>
#include <thread>
#include <vector>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "absl/strings/numbers.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/str_format.h"
#include "cli/summary.h"
#include "cli/traced_run.h"
#include "cli/warnings.h"
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
};

// The scenario's name without its folder and ending, in the current folder.
std::string DefaultTracePath(const std::string& input) {
  return std::filesystem::path(input).stem().string() + ".trace.pb";
}

// One line on a terminal that is written over: simulated time, share done, events per second.
class Progress {
 public:
  Progress(Simulation& simulation, bool shown) : simulation_(simulation), shown_(shown) {
    if (!shown_) return;
    simulation_.engine().SetProgress([this](sim::SimTime now, uint64_t events) { Show(now, events); });
  }
  ~Progress() {
    if (shown_) std::cerr << "\r\033[K" << std::flush;
  }

 private:
  void Show(sim::SimTime now, uint64_t events) {
    const std::chrono::duration<double> wall = std::chrono::steady_clock::now() - started_;
    const double share =
        simulation_.scenario().stop_after_ns
            ? static_cast<double>(now.ns) / static_cast<double>(*simulation_.scenario().stop_after_ns)
            : simulation_.ShareDone();
    std::cerr << absl::StrFormat("\r\033[Ksimulated %s, %3.0f%%, %.1f M events/s", sim::ToString(now),
                                 share * 100, static_cast<double>(events) / 1e6 / wall.count())
              << std::flush;
  }

  Simulation& simulation_;
  const bool shown_;
  const std::chrono::steady_clock::time_point started_ = std::chrono::steady_clock::now();
};

// A trace must not replace what it is made from.
absl::Status CheckTracePath(const std::string& trace, const std::string& input,
                            const workloads::LoadedScenario& scenario) {
  std::vector<std::filesystem::path> read = {input};
  for (const auto& [name, text] : scenario.files)
    read.push_back(std::filesystem::path(input).parent_path() / name);
  for (const std::filesystem::path& path : read) {
    std::error_code not_there;
    if (!std::filesystem::equivalent(trace, path, not_there)) continue;
    return absl::InvalidArgumentError(
        absl::StrCat("--out: '", trace, "' is an input of this run; expected another file"));
  }
  return absl::OkStatus();
}

absl::StatusOr<std::optional<uint64_t>> ParseSeed(const std::string& text) {
  if (text.empty()) return std::nullopt;
  uint64_t seed = 0;
  if (text.find_first_not_of("0123456789") == std::string::npos && absl::SimpleAtoi(text, &seed)) return seed;
  return absl::InvalidArgumentError(absl::StrCat(
      "--seed: '", text, "' is no seed; expected a whole number from 0 to 18446744073709551615"));
}

absl::Status Run(const RunOptions& options) {
  const auto seed = ParseSeed(options.seed);
  if (!seed.ok()) return seed.status();
  const auto scenario = LoadInput(options.input);
  if (!scenario.ok()) return scenario.status();
  const std::string trace_path = options.out.empty() ? DefaultTracePath(options.input) : options.out;
  if (absl::Status status = CheckTracePath(trace_path, options.input, *scenario); !status.ok()) return status;
  const int threads = options.threads > 0
                          ? options.threads
                          : std::max(1, static_cast<int>(std::thread::hardware_concurrency()));
  auto run = TracedRun::Create(*scenario, {.trace_path = trace_path, .seed = *seed, .threads = threads});
  if (!run.ok()) return run.status();
  PrintWarnings((*run)->simulation().warnings(), std::cerr);
  // Nothing that is modelled draws from the engine's random streams yet.
  if (seed->has_value()) {
    PrintWarnings({absl::StrCat("--seed: ", **seed, " has no effect: nothing in this run is random")},
                  std::cerr);
  }
  {
    const Progress progress((*run)->simulation(), !options.quiet && isatty(STDERR_FILENO) == 1);
    if (absl::Status status = (*run)->Run(); !status.ok()) return status;
  }
  if (!options.quiet) PrintSummary((*run)->simulation(), (*run)->facts(), std::cout);
  return absl::OkStatus();
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
  command->add_option("--out", options->out,
                      "the trace; default: the scenario's name with .trace.pb, in this folder");
  command->add_option("--seed", options->seed, "instead of the scenario's seed")->type_name("UINT");
  command->add_option("--threads", options->threads, "threads; the result is the same for any number")
      ->check(CLI::Range(1, 1024));
  command->add_flag("--quiet", options->quiet, "no progress, no summary");
  command->callback([options, exit_status] {
    const absl::Status status = Run(*options);
    if (!status.ok()) std::cerr << "numasim: " << status.message() << "\n";
    *exit_status = status.ok() ? 0 : 1;
  });
}

}  // namespace numasim
