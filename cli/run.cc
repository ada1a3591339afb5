#include "cli/run.h"

#include <fnmatch.h>
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
#include "absl/status/statusor.h"
#include "absl/strings/match.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/str_format.h"
#include "cli/summary.h"
#include "cli/trace_sink.h"
#include "cli/version.h"
#include "proto/trace_writer.h"
#include "workloads/machine/boot_state.h"
#include "workloads/machine/topology.h"
#include "workloads/scenario.h"
#include "workloads/simulation.h"

namespace numasim {
namespace {

using workloads::LoadedScenario;
using workloads::Simulation;

struct RunOptions {
  std::string input;
  std::string out;
  std::optional<uint64_t> seed;
  int threads = 0;  // 0: as many as the machine has
  bool quiet = false;
};

absl::StatusOr<Machine> ReadMachineFile(const Machine& source, const std::string& name,
                                        const std::string& text) {
  if (source.has_lstopo_file()) return workloads::ParseLstopoMachine(name, text);
  auto state = workloads::ParseBootState(name, text);
  if (!state.ok()) return state.status();
  return state->machine;
}

absl::StatusOr<LoadedScenario> Load(const std::string& path) {
  if (!absl::EndsWith(path, ".mm")) return workloads::LoadScenario(path, ReadMachineFile);
  auto text = workloads::ReadFile(path);
  if (!text.ok())
    return absl::Status(text.status().code(), absl::StrCat(path, ": ", text.status().message()));
  return workloads::ScenarioFromScript(path, *text);
}

// The scenario's name without its folder and ending, in the current folder.
std::string DefaultTracePath(const std::string& input) {
  return std::filesystem::path(input).stem().string() + ".trace.pb";
}

bool Wanted(const LoadedScenario& scenario, const std::string& column) {
  const auto& globs = scenario.proto.trace().counters();
  return globs.empty() || std::any_of(globs.begin(), globs.end(), [&](const std::string& glob) {
           return fnmatch(glob.c_str(), column.c_str(), 0) == 0;
         });
}

// Adds the columns to sample to the engine and describes them for the trace.
absl::Status AddColumns(Simulation& simulation, trace::Header& header) {
  for (const MemorySystem::CounterColumn& counter : simulation.memory().Columns()) {
    if (!Wanted(simulation.scenario(), counter.column.name)) continue;
    simulation.engine().AddColumn(counter.column);
    trace::Column& column = *header.add_column();
    column.set_name(counter.column.name);
    column.set_unit(counter.column.unit);
    column.set_gauge(counter.gauge);
  }
  if (header.column_size() > 0) return absl::OkStatus();
  return absl::InvalidArgumentError(absl::StrCat(
      simulation.scenario().path, ": trace.counters: '", simulation.scenario().proto.trace().counters(0),
      "' matches no counter; expected a glob over names such as node0.numa_hit or node*.Normal.*"));
}

trace::Header MakeHeader(const LoadedScenario& scenario, uint64_t seed) {
  trace::Header header;
  header.set_scenario(scenario.text);
  header.set_scenario_name(scenario.path);
  for (const auto& [name, text] : scenario.files) {
    trace::Script& script = *header.add_script();
    script.set_name(name);
    script.set_text(text);
  }
  header.set_program_version(kVersion);
  header.set_seed(seed);
  header.set_sampling_interval_ns(scenario.trace_interval_ns);
  return header;
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
  auto scenario = Load(options.input);
  if (!scenario.ok()) return scenario.status();
  const uint64_t seed = options.seed.value_or(scenario->proto.seed());
  const int threads =
      options.threads > 0 ? options.threads : std::max(1u, std::thread::hardware_concurrency());
  auto simulation = Simulation::Create(*scenario, {.threads = threads, .seed = seed});
  if (!simulation.ok()) return simulation.status();

  trace::Header header = MakeHeader(*scenario, seed);
  if (absl::Status status = AddColumns(**simulation, header); !status.ok()) return status;
  RunFacts facts;
  facts.trace_path = options.out.empty() ? DefaultTracePath(options.input) : options.out;
  auto writer = TraceWriter::Create(facts.trace_path, header);
  if (!writer.ok()) return writer.status();
  sim::Engine& engine = (*simulation)->engine();
  TraceSink sink(engine, **writer);
  engine.SetSampler(sim::Nanoseconds(scenario->trace_interval_ns), &sink);

  const auto started = std::chrono::steady_clock::now();
  {
    const Progress progress(**simulation, !options.quiet && isatty(STDERR_FILENO) == 1);
    if (absl::Status status = (*simulation)->Run(); !status.ok()) return status;
  }
  facts.wall_s = std::chrono::duration<double>(std::chrono::steady_clock::now() - started).count();
  engine.SampleNow();
  sink.WriteLocks();
  if (absl::Status status = (*writer)->Finish(); !status.ok()) return status;
  facts.trace_bytes = (*writer)->bytes_written();
  facts.events = sink.events();
  if (!options.quiet) PrintSummary(**simulation, facts, std::cout);
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
