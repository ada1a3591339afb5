// TracedRun: one run of a scenario whose counters go to a trace file. Owns the simulation and the trace; used
// by `numasim run`, and by tests that look at the simulation afterwards. Lives on no LP.
#ifndef NUMASIM_CLI_RUN_TRACED_RUN_H_
#define NUMASIM_CLI_RUN_TRACED_RUN_H_

#include <chrono>
#include <cstdint>
#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "cli/metrics/metrics.h"
#include "cli/run/summary.h"
#include "cli/run/trace_sink.h"
#include "proto/trace_writer.h"
#include "sim/engine.h"
#include "workloads/scenario.h"
#include "workloads/simulation.h"

namespace numasim {

struct TracedRunOptions {
  std::string trace_path;
  std::optional<uint64_t> seed;  // instead of the scenario's
  int threads = 1;
  sim::Scheme scheme = sim::Scheme::kAuto;
  bool step_by_step = false;  // see sim::Engine::Options
  bool collect_metrics = false;
};

// The machine in an lstopo_file or a boot_state_file, for workloads::FileReaders.
absl::StatusOr<Machine> ReadMachineFile(const Machine& source, const std::string& name,
                                        const std::string& text);

// Reads what `numasim run` is given: a script if its name ends in .mm; the scenario of a trace, and all that
// it names, as they were, if it ends in .pb; else a scenario, with these of its fields set, which the others
// have not. An error names file, line, field and what would be right. A scenario may name files outside its
// folder only with `allow_outside_files`.
absl::StatusOr<workloads::LoadedScenario> LoadInput(
    const std::string& path, bool allow_outside_files = false,
    const std::vector<workloads::FieldSetting>& settings = {});

class TracedRun {
 public:
  // Builds the simulation and begins its trace, beside a trace of that name that may be there already.
  // `scenario` must outlive the run. An error leaves no file.
  static absl::StatusOr<std::unique_ptr<TracedRun>> Create(const workloads::LoadedScenario& scenario,
                                                           const TracedRunOptions& options);
  ~TracedRun();

  // Before Run. Called about every 100 ms, for a progress display.
  void OnProgress(std::function<void(sim::SimTime now, uint64_t events)> progress) {
    progress_ = std::move(progress);
  }
  // Before Run. Asked as often: where it names something, such as "SIGINT", the run ends at the next instant.
  void EndWhen(std::function<std::string()> ended_by) { ended_by_ = std::move(ended_by); }

  // Runs to the end and completes the trace, which takes its place then; the trace of a run that was ended
  // before stays under its partial name. An error of the run or of writing, which ends the run at once,
  // leaves no file. A process that is killed leaves the partial trace, up to a second before.
  absl::Status Run();

  workloads::Simulation& simulation() { return *simulation_; }
  // Of the run and its trace, when Run has returned.
  const RunFacts& facts() const { return facts_; }
  // Those of the run, when Run has returned; none unless asked for, or where the run was ended before its
  // end.
  const std::optional<RunMetrics>& metrics() const { return metrics_; }
  // What the trace begins with.
  const trace::Header& header() const { return header_; }

 private:
  using Clock = std::chrono::steady_clock;

  TracedRun() = default;
  void Tick(sim::SimTime now, uint64_t events);

  std::unique_ptr<workloads::Simulation> simulation_;
  std::unique_ptr<TraceWriter> writer_;
  trace::Header header_;
  std::unique_ptr<MetricsRecorder> recorder_;  // null unless asked for, as is:
  std::unique_ptr<BothOutputs> both_;          // the recorder and the writer
  std::unique_ptr<TraceSink> sink_;
  std::optional<RunMetrics> metrics_;
  RunFacts facts_;
  std::function<void(sim::SimTime, uint64_t)> progress_;
  std::function<std::string()> ended_by_;
  Clock::time_point last_saved_;
};

}  // namespace numasim

#endif  // NUMASIM_CLI_RUN_TRACED_RUN_H_
