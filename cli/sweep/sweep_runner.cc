#include "cli/sweep/sweep_runner.h"

#include <fnmatch.h>

#include <algorithm>
#include <filesystem>
#include <memory>
#include <system_error>
#include <utility>

#include "absl/strings/match.h"
#include "absl/strings/str_cat.h"
#include "cli/metrics/expectations.h"
#include "cli/run/measured_run.h"
#include "cli/run/traced_run.h"
#include "cli/sweep/side_by_side.h"
#include "cli/text/time_text.h"
#include "workloads/scenario.h"

namespace numasim {

using workloads::LoadedScenario;

absl::Status SweepRunner::Run(const std::vector<SweepRun>& runs) {
  {
    const std::lock_guard<std::mutex> lock(mutex_);
    todo_.clear();
    next_ = 0;
    for (const SweepRun& run : runs) {
      if (!output_.finished().contains(run.number)) todo_.push_back(run);
    }
    progress_.Begin(runs.size(), runs.size() - todo_.size(), output_.failed());
  }
  RunSideBySide(options_.threads, &SweepRunner::Work, this);
  const std::lock_guard<std::mutex> lock(mutex_);
  return status_;
}

void SweepRunner::WorkThrough() {
  while (const std::optional<SweepRun> run = Next()) {
    const absl::StatusOr<SweepResult> result = SimulateAndJudge(*run);
    const std::lock_guard<std::mutex> lock(mutex_);
    if (!absl::IsCancelled(result.status())) Store(*run, result);
  }
}

// The next run, begun; nothing if there is none, or all is to end.
std::optional<SweepRun> SweepRunner::Next() {
  const std::lock_guard<std::mutex> lock(mutex_);
  if (next_ == todo_.size() || !status_.ok() || options_.stop()) return std::nullopt;
  const SweepRun run = todo_[next_++];
  status_ = output_.Begin(run);
  if (!status_.ok()) return std::nullopt;
  return run;
}

// Called by all threads, about every 100 ms each.
bool SweepRunner::Stopped() {
  const std::lock_guard<std::mutex> lock(mutex_);
  progress_.Show();
  return !status_.ok() || options_.stop();
}

// Conditions are about all metrics of the run, also those that are not kept.
absl::StatusOr<SweepResult> SweepRunner::SimulateAndJudge(const SweepRun& run) {
  const absl::StatusOr<LoadedScenario> scenario = scenarios_.At(run.point);
  if (!scenario.ok()) return scenario.status();
  const absl::StatusOr<Expectations> expectations = Expectations::Create(*scenario, {});
  if (!expectations.ok()) return expectations.status();
  absl::StatusOr<RunMetrics> metrics = Simulate(*scenario, run);
  if (!metrics.ok()) return metrics.status();
  // The run is what it is, whatever is wrong with what is asked of it.
  const auto [not_met, mistakes] = expectations->Judged(*metrics);
  std::vector<std::string> unmet = not_met;
  unmet.insert(unmet.end(), mistakes.begin(), mistakes.end());
  return SweepResult{.metrics = *std::move(metrics), .unmet = std::move(unmet)};
}

absl::StatusOr<RunMetrics> SweepRunner::Simulate(const LoadedScenario& scenario, const SweepRun& run) {
  if (!options_.traces.empty()) return SimulateWithTrace(scenario, run);
  absl::StatusOr<MeasuredRun> measured =
      MeasureRun(scenario, run.seed, study_.periods, [this] { return Stopped(); });
  if (!measured.ok()) return measured.status();
  Note(measured->warnings);
  return std::move(measured->metrics);
}

absl::StatusOr<RunMetrics> SweepRunner::SimulateWithTrace(const LoadedScenario& scenario,
                                                          const SweepRun& run) {
  const std::string path = absl::StrCat(options_.traces, "/point", run.point, "-seed", run.seed, ".pb");
  absl::StatusOr<std::unique_ptr<TracedRun>> traced =
      TracedRun::Create(scenario, {.trace_path = path, .seed = run.seed, .threads = 1});
  if (!traced.ok()) return traced.status();
  Note((*traced)->simulation().warnings());
  (*traced)->EndWhen([this] { return std::string(Stopped() ? "the end of the sweep" : ""); });
  if (absl::Status status = (*traced)->Run(); !status.ok()) return status;
  if (!(*traced)->facts().ended_by.empty()) {
    std::error_code error;
    std::filesystem::remove((*traced)->facts().trace_path, error);
    return absl::CancelledError("the run was given up");
  }
  return ReadMetrics(path, study_.periods);
}

void SweepRunner::Note(const std::vector<std::string>& warnings) {
  const std::lock_guard<std::mutex> lock(mutex_);
  warnings_.insert(warnings.begin(), warnings.end());
}

// A period that begins after the run's end gives no metrics; one that ends after it is shorter than it was
// meant.
void SweepRunner::CheckPeriods(const RunMetrics& run) {
  const int64_t run_end_ns = static_cast<int64_t>(run.metrics.at("simulated_ns").value);
  constexpr int64_t kRunEnd = MetricPeriod().to_ns;
  for (size_t i = 0; i < study_.periods.size(); ++i) {
    const MetricPeriod& period = study_.periods[i];
    const std::string prefix = period.name + ".";
    const auto first = run.metrics.lower_bound(prefix);
    const bool has_begun = first != run.metrics.end() && absl::StartsWith(first->first, prefix);
    if (has_begun && (period.to_ns <= run_end_ns || period.to_ns == kRunEnd)) continue;
    progress_.Print(absl::StrCat(
        "numasim: warning: ", study_.path, ": period[", i, "]: '", period.name, "' ",
        has_begun ? "ends after the first run's end, at " : "begins when the first run has ended, at ",
        TimeText(run_end_ns), "\n"));
  }
}

// The metrics that the study keeps. A glob that matches none of the first run's is probably a mistake, and
// better known now than after days.
RunMetrics SweepRunner::Kept(RunMetrics run) {
  if (!metrics_checked_) CheckPeriods(run);
  const auto& globs = study_.proto.metrics();
  for (int i = 0; !metrics_checked_ && i < globs.size(); ++i) {
    if (std::any_of(run.metrics.begin(), run.metrics.end(), [&](const auto& metric) {
          return fnmatch(globs[i].c_str(), metric.first.c_str(), 0) == 0;
        })) {
      continue;
    }
    progress_.Print(absl::StrCat("numasim: warning: ", study_.path, ": metrics[", i, "]: '", globs[i],
                                 "' matches none of the first run's ", run.metrics.size(), " metrics\n"));
  }
  metrics_checked_ = true;
  std::erase_if(run.metrics, [&](const auto& metric) { return !study_.Keeps(metric.first); });
  return run;
}

void SweepRunner::Store(const SweepRun& run, const absl::StatusOr<SweepResult>& result) {
  if (!status_.ok()) return;
  // What is wrong with a trace, which the message names, is no result of the run.
  if (!options_.traces.empty() && absl::StrContains(result.status().message(), options_.traces + "/")) {
    status_ = result.status();
    return;
  }
  status_ = result.ok() ? output_.Add(run, {Kept(result->metrics), result->unmet})
                        : output_.AddFailure(run, std::string(result.status().message()));
  if (status_.ok()) progress_.Ended(!result.ok());
}

}  // namespace numasim
