#include "cli/sweep/sweep_conditions.h"

#include <cstddef>
#include <cstdint>
#include <map>
#include <memory>
#include <string>
#include <utility>
#include <vector>

#include "absl/status/statusor.h"
#include "absl/strings/str_cat.h"
#include "cli/metrics/metrics.h"
#include "cli/metrics/verdict.h"
#include "cli/run/possible_metrics.h"
#include "cli/run/trace_header.h"
#include "proto/trace.pb.h"
#include "workloads/scenario.h"
#include "workloads/simulation.h"
#include "workloads/units.h"

namespace numasim {
namespace {

using workloads::Simulation;

// Those of a point that the study keeps. A machine that cannot be built says so when it is to run.
absl::StatusOr<RunMetrics> PossibleAt(const LoadedStudy& study, const SweepScenarios& scenarios,
                                      size_t point) {
  const absl::StatusOr<workloads::LoadedScenario> scenario = scenarios.At(point);
  if (!scenario.ok()) return scenario.status();
  constexpr uint64_t kAnySeed = 1;
  absl::StatusOr<std::unique_ptr<Simulation>> simulation =
      Simulation::Create(*scenario, {.threads = 1, .seed = kAnySeed});
  if (!simulation.ok()) return simulation.status();
  const absl::StatusOr<trace::Header> header = AddColumns(**simulation, kAnySeed);
  if (!header.ok()) return header.status();
  RunMetrics possible = PossibleMetrics(**simulation, *header, study.periods);
  std::erase_if(possible.metrics, [&](const auto& metric) { return !study.Keeps(metric.first); });
  return possible;
}

std::string Mistake(const LoadedFind& find, const std::string& what) {
  return absl::StrCat(find.place, ": condition: ", workloads::Quoted(find.condition.text), " ", what);
}

std::string MeansNothing(const LoadedStudy& study, const LoadedFind& find, const RunMetrics& possible) {
  return Mistake(find, absl::StrCat("is about no metric that a run can have",
                                    study.proto.metrics_size() > 0 ? " and metrics: keeps" : "",
                                    DidYouMeanMetric(find.condition.metric, possible),
                                    "; expected a name that numasim metrics shows of such a run, or a glob "
                                    "over such names"));
}

}  // namespace

absl::Status CheckFinds(const LoadedStudy& study, const SweepScenarios& scenarios) {
  std::vector<const LoadedFind*> unknown;
  for (const LoadedFind& find : study.finds) {
    if (!MayBeOfLock(find.condition.metric)) unknown.push_back(&find);
  }
  std::map<const LoadedFind*, std::string> mistakes;  // of those that are unknown at the first point
  for (size_t point = 0; point < study.points.size() && !unknown.empty(); ++point) {
    const absl::StatusOr<RunMetrics> possible = PossibleAt(study, scenarios, point);
    if (!possible.ok()) return absl::OkStatus();
    std::vector<const LoadedFind*> left;
    for (const LoadedFind* const find : unknown) {
      const absl::Status judged = Judge(find->condition, *possible).status();
      if (absl::IsNotFound(judged)) left.push_back(find);
      if (!judged.ok() && !absl::IsNotFound(judged))
        return absl::InvalidArgumentError(Mistake(*find, std::string(judged.message())));
    }
    unknown = std::move(left);
    if (point > 0) continue;
    for (const LoadedFind* const find : unknown) mistakes[find] = MeansNothing(study, *find, *possible);
  }
  if (unknown.empty()) return absl::OkStatus();
  return absl::InvalidArgumentError(mistakes.at(unknown.front()));
}

}  // namespace numasim
