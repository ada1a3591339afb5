// Runs of a sweep side by side: each on one thread, its result stored as soon as it has ended.
#ifndef NUMASIM_CLI_SWEEP_SWEEP_RUNNER_H_
#define NUMASIM_CLI_SWEEP_SWEEP_RUNNER_H_

#include <cstddef>
#include <functional>
#include <mutex>
#include <optional>
#include <set>
#include <string>
#include <vector>

#include "absl/status/status.h"
#include "cli/metrics/metrics.h"
#include "cli/sweep/study.h"
#include "cli/sweep/sweep_engine.h"
#include "cli/sweep/sweep_output.h"
#include "cli/sweep/sweep_progress.h"
#include "cli/sweep/sweep_scenarios.h"

namespace numasim {

struct SweepRunnerOptions {
  int threads = 1;
  std::string traces;          // the folder that traces go to; empty: none are kept
  std::function<bool()> stop;  // asked about every 100 ms, by any thread: the sweep is to end
  bool check_metrics = true;   // whether the globs of `metrics` match anything, which the first run tells
};

class SweepRunner final : public SweepEngine {
 public:
  // All must outlive the runner.
  SweepRunner(const LoadedStudy& study, const SweepScenarios& scenarios, SweepOutput& output,
              SweepProgress& progress, SweepRunnerOptions options)
      : study_(study),
        scenarios_(scenarios),
        output_(output),
        progress_(progress),
        options_(std::move(options)),
        metrics_checked_(!options_.check_metrics) {}

  // When `stop` says so no run is begun any more, and those that run are given up. An error is of the output,
  // or of writing a trace, and ends all.
  absl::Status Run(const std::vector<SweepRun>& runs) override;

  const std::set<std::string>& warnings() const override { return warnings_; }

 private:
  static void Work(void* runner) { static_cast<SweepRunner*>(runner)->WorkThrough(); }
  void WorkThrough();
  std::optional<SweepRun> Next();
  bool Stopped();
  absl::StatusOr<SweepResult> SimulateAndJudge(const SweepRun& run);
  absl::StatusOr<RunMetrics> Simulate(const workloads::LoadedScenario& scenario, const SweepRun& run);
  absl::StatusOr<RunMetrics> SimulateWithTrace(const workloads::LoadedScenario& scenario,
                                               const SweepRun& run);
  void Store(const SweepRun& run, const absl::StatusOr<SweepResult>& result);
  RunMetrics Kept(RunMetrics run);
  void CheckPeriods(const RunMetrics& run);
  void Note(const std::vector<std::string>& warnings);

  const LoadedStudy& study_;
  const SweepScenarios& scenarios_;
  SweepOutput& output_;
  SweepProgress& progress_;
  const SweepRunnerOptions options_;

  std::mutex mutex_;  // for all below, the output and the progress
  std::vector<SweepRun> todo_;
  size_t next_ = 0;
  absl::Status status_;
  std::set<std::string> warnings_;
  bool metrics_checked_;
};

}  // namespace numasim

#endif  // NUMASIM_CLI_SWEEP_SWEEP_RUNNER_H_
