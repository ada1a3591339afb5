#include "cli/run/traced_run.h"

#include <utility>
#include <vector>

#include "absl/strings/match.h"
#include "absl/strings/str_cat.h"
#include "cli/run/trace_header.h"
#include "files/read_file.h"
#include "proto/trace_reader.h"
#include "sim/run_control.h"
#include "workloads/machine/boot_state.h"
#include "workloads/machine/topology.h"

namespace numasim {

using workloads::LoadedScenario;
using workloads::Simulation;

absl::StatusOr<Machine> ReadMachineFile(const Machine& source, const std::string& name,
                                        const std::string& text) {
  if (source.has_lstopo_file()) return workloads::ParseLstopoMachine(name, text);
  auto state = workloads::ParseBootState(name, text);
  if (!state.ok()) return state.status();
  return state->machine;
}

namespace {

// The scenario that a trace was made of, from the texts that its header keeps: no other file is read. It has
// the run's seed.
absl::StatusOr<LoadedScenario> LoadFromTrace(const std::string& path) {
  const absl::StatusOr<std::unique_ptr<TraceReader>> trace = TraceReader::Open(path);
  if (!trace.ok()) return trace.status();
  const trace::Header& header = (*trace)->header();
  const auto read_file = [&](const std::string& name) -> absl::StatusOr<std::string> {
    for (const trace::Script& file : header.script()) {
      if (file.name() == name) return file.text();
    }
    return absl::NotFoundError(absl::StrCat("the trace ", path, " does not have it"));
  };
  absl::StatusOr<LoadedScenario> scenario =
      workloads::ParseScenario(header.scenario_name(), header.scenario(), {read_file, ReadMachineFile});
  if (!scenario.ok()) {
    return absl::Status(scenario.status().code(),
                        absl::StrCat("trace ", path, ": ", scenario.status().message()));
  }
  scenario->proto.set_seed(header.seed());
  return scenario;
}

}  // namespace

absl::StatusOr<LoadedScenario> LoadInput(const std::string& path, bool allow_outside_files,
                                         const std::vector<workloads::FieldSetting>& settings) {
  const bool is_script = absl::EndsWith(path, ".mm");
  const bool is_trace = absl::EndsWith(path, ".pb");
  if (!is_script && !is_trace)
    return workloads::LoadScenario(path, ReadMachineFile, allow_outside_files, settings);
  if (!settings.empty()) {
    return absl::InvalidArgumentError(
        absl::StrCat(settings.front().given, ": ", path,
                     is_trace ? " is a trace, which is run as it was" : " is a script and has no fields",
                     "; expected a scenario (.textproto)"));
  }
  if (is_trace && allow_outside_files) {
    return absl::InvalidArgumentError(
        absl::StrCat("--allow-outside-files: has no effect on the trace ", path,
                     ", which holds all files that its scenario names; expected a scenario (.textproto)"));
  }
  if (is_trace) return LoadFromTrace(path);
  auto text = ReadInputFile(path);
  if (!text.ok())
    return absl::Status(text.status().code(), absl::StrCat(path, ": ", text.status().message()));
  return workloads::ScenarioFromScript(path, *text);
}

absl::StatusOr<std::unique_ptr<TracedRun>> TracedRun::Create(const LoadedScenario& scenario,
                                                             const TracedRunOptions& options) {
  auto run = std::unique_ptr<TracedRun>(new TracedRun);
  const uint64_t seed = options.seed.value_or(scenario.proto.seed());
  auto simulation = Simulation::Create(scenario, {.threads = options.threads,
                                                  .seed = seed,
                                                  .scheme = options.scheme,
                                                  .step_by_step = options.step_by_step});
  if (!simulation.ok()) return simulation.status();
  run->simulation_ = *std::move(simulation);
  absl::StatusOr<trace::Header> header = AddColumns(*run->simulation_, seed);
  if (!header.ok()) return header.status();
  run->header_ = *std::move(header);
  auto writer = TraceWriter::Create(options.trace_path, run->header_);
  if (!writer.ok()) return writer.status();
  run->writer_ = *std::move(writer);
  sim::Engine& engine = run->simulation_->engine();
  if (options.collect_metrics) {
    run->recorder_ = std::make_unique<MetricsRecorder>(run->header_);
    run->both_ = std::make_unique<BothOutputs>(*run->writer_, *run->recorder_);
  }
  TraceOutput* const output =
      run->both_ != nullptr ? static_cast<TraceOutput*>(run->both_.get()) : run->writer_.get();
  run->sink_ = std::make_unique<TraceSink>(engine, *output);
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
  sink_->WriteEnd(*simulation_);
  sink_->WritePageblocks(simulation_->memory());
  if (recorder_ != nullptr && facts_.ended_by.empty()) metrics_ = recorder_->Finish();
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
