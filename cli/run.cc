#include "cli/run.h"

#include <unistd.h>

#include <algorithm>
#include <chrono>
#include <filesystem>
#include <iostream>
#include <memory>
#include <optional>
#include <string>
#include <thread>

#include "absl/status/status.h"
#include "absl/strings/str_format.h"
#include "cli/summary.h"
#include "cli/traced_run.h"
#include "workloads/simulation.h"

namespace numasim {
namespace {

using workloads::Simulation;

struct RunOptions {
  std::string input;
  std::string out;
  std::optional<uint64_t> seed;
  int threads = 0;  // 0: as many as the machine has
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

absl::Status Run(const RunOptions& options) {
  const auto scenario = LoadInput(options.input);
  if (!scenario.ok()) return scenario.status();
  const int threads = options.threads > 0
                          ? options.threads
                          : std::max(1, static_cast<int>(std::thread::hardware_concurrency()));
  auto run = TracedRun::Create(
      *scenario, {.trace_path = options.out.empty() ? DefaultTracePath(options.input) : options.out,
                  .seed = options.seed,
                  .threads = threads});
  if (!run.ok()) return run.status();
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
  command->add_option("--seed", options->seed, "instead of the scenario's seed");
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
