#include "cli/traced_run.h"

#include <fnmatch.h>

#include <algorithm>
#include <utility>
#include <vector>

#include "absl/strings/match.h"
#include "absl/strings/str_cat.h"
#include "cli/version.h"
#include "files/read_file.h"
#include "sim/run_control.h"
#include "workloads/machine/boot_state.h"
#include "workloads/machine/topology.h"

namespace numasim {
namespace {

using workloads::LoadedScenario;
using workloads::Simulation;

absl::StatusOr<Machine> ReadMachineFile(const Machine& source, const std::string& name,
                                        const std::string& text) {
  if (source.has_lstopo_file()) return workloads::ParseLstopoMachine(name, text);
  auto state = workloads::ParseBootState(name, text);
  if (!state.ok()) return state.status();
  return state->machine;
}

bool Wanted(const LoadedScenario& scenario, const std::string& column) {
  const auto& globs = scenario.proto.trace().counters();
  return globs.empty() || std::any_of(globs.begin(), globs.end(), [&](const std::string& glob) {
           return fnmatch(glob.c_str(), column.c_str(), 0) == 0;
         });
}

// Adds the columns to sample to the engine and describes them for the trace.
absl::Status AddColumns(Simulation& simulation, trace::Header& header) {
  for (const MemorySystem::CounterColumn& counter : simulation.Columns()) {
    if (!Wanted(simulation.scenario(), counter.column.name)) continue;
    simulation.engine().AddColumn(counter.column);
    trace::Column& column = *header.add_column();
    column.set_name(counter.column.name);
    column.set_unit(counter.column.unit);
    column.set_gauge(counter.gauge);
    if (counter.more_is_worse.has_value()) column.set_more_is_worse(*counter.more_is_worse);
  }
  const auto& globs = simulation.scenario().proto.trace().counters();
  for (int i = 0; i < globs.size(); ++i) {
    const bool any = std::any_of(header.column().begin(), header.column().end(), [&](const auto& column) {
      return fnmatch(globs[i].c_str(), column.name().c_str(), 0) == 0;
    });
    if (!any) return workloads::NoSuchCounter(simulation.scenario(), i);
  }
  return absl::OkStatus();
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

}  // namespace

absl::StatusOr<LoadedScenario> LoadInput(const std::string& path, bool allow_outside_files) {
  if (!absl::EndsWith(path, ".mm"))
    return workloads::LoadScenario(path, ReadMachineFile, allow_outside_files);
  auto text = ReadInputFile(path);
  if (!text.ok())
    return absl::Status(text.status().code(), absl::StrCat(path, ": ", text.status().message()));
  return workloads::ScenarioFromScript(path, *text);
}

absl::StatusOr<std::unique_ptr<TracedRun>> TracedRun::Create(const LoadedScenario& scenario,
                                                             const TracedRunOptions& options) {
  auto run = std::unique_ptr<TracedRun>(new TracedRun);
  const uint64_t seed = options.seed.value_or(scenario.proto.seed());
  auto simulation =
      Simulation::Create(scenario, {.threads = options.threads, .seed = seed, .scheme = options.scheme});
  if (!simulation.ok()) return simulation.status();
  run->simulation_ = *std::move(simulation);
  trace::Header header = MakeHeader(scenario, seed);
  if (absl::Status status = AddColumns(*run->simulation_, header); !status.ok()) return status;
  auto writer = TraceWriter::Create(options.trace_path, header);
  if (!writer.ok()) return writer.status();
  run->writer_ = *std::move(writer);
  sim::Engine& engine = run->simulation_->engine();
  run->sink_ = std::make_unique<TraceSink>(engine, *run->writer_);
  engine.SetSampler(sim::Nanoseconds(scenario.trace_interval_ns), run->sink_.get());
  run->facts_.trace_path = options.trace_path;
  return run;
}

TracedRun::~TracedRun() = default;

absl::Status TracedRun::Run() {
  const auto started = Clock::now();
  last_saved_ = started;
  simulation_->engine().SetProgress([this](sim::SimTime now, uint64_t events) { Tick(now, events); });
  const absl::Status status = simulation_->Run();
  if (!writer_->status().ok()) return writer_->status();
  if (!status.ok()) return status;
  facts_.wall_s = std::chrono::duration<double>(Clock::now() - started).count();
  simulation_->engine().SampleNow();
  sink_->WriteLocks();
  if (absl::Status finished = writer_->Finish(facts_.ended_by); !finished.ok()) return finished;
  if (!facts_.ended_by.empty()) facts_.trace_path = writer_->partial_path();
  facts_.trace_is_file = !writer_->direct();
  facts_.trace_bytes = writer_->bytes_written();
  facts_.events = sink_->events();
  return absl::OkStatus();
}

void TracedRun::Tick(sim::SimTime now, uint64_t events) {
  constexpr auto kMostLost = std::chrono::seconds(1);
  const auto clock = Clock::now();
  if (clock - last_saved_ >= kMostLost) {
    writer_->SaveTail();
    last_saved_ = clock;
  }
  if (facts_.ended_by.empty() && ended_by_) facts_.ended_by = ended_by_();
  if (!facts_.ended_by.empty() || !writer_->status().ok()) sim::StopRun(simulation_->engine());
  if (progress_) progress_(now, events);
}

}  // namespace numasim
