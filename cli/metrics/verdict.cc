#include "cli/metrics/verdict.h"

#include <fnmatch.h>

#include <optional>
#include <string_view>

#include "absl/status/status.h"
#include "absl/strings/match.h"
#include "absl/strings/str_cat.h"
#include "cli/metrics/metric_text.h"
#include "cli/text/absent_count.h"
#include "workloads/nearest_name.h"
#include "workloads/units.h"

namespace numasim {
namespace {

using workloads::Condition;

constexpr double kPageBytes = 4096;
constexpr double kKilobyte = 1024;

// How many of the condition's unit one of the metric's is; none where they do not go together.
std::optional<double> Scale(Condition::Unit unit, const MetricInfo& info) {
  switch (unit) {
    case Condition::Unit::kNone:
      return 1;
    case Condition::Unit::kPercent:
      if (info.unit == kShareUnit) return 1;
      break;
    case Condition::Unit::kTime:
      if (info.kind == MetricInfo::Kind::kTime) return 1;
      break;
    case Condition::Unit::kSize:
      if (info.unit == "pages") return kPageBytes;
      if (info.unit == "kB") return kKilobyte;
      if (info.unit == "bytes") return 1;
      break;
  }
  return std::nullopt;
}

// Whether it is the name of something that this run could have had and just has none of.
bool IsNone(const std::string& name, const RunMetrics& run) {
  const std::optional<std::string> beside = ZeroBeside(name);
  return beside.has_value() && (beside->empty() || run.metrics.contains(*beside));
}

absl::Status MeansNothing(const Condition& condition, const RunMetrics& run) {
  return absl::NotFoundError(
      absl::StrCat("names no metric of this run: ", workloads::Quoted(condition.metric),
                   DidYouMeanMetric(condition.metric, run),
                   "; expected a name that numasim metrics shows, or a glob over such names"));
}

}  // namespace

bool MayBeOfLock(const std::string& metric) {
  return absl::StartsWith(metric, "lock.") || metric.find_first_of("*?[") == 0;
}

std::string DidYouMeanMetric(const std::string& metric, const RunMetrics& run) {
  std::vector<std::string_view> names;
  for (const auto& [name, of_name] : run.metrics) names.push_back(name);
  return workloads::DidYouMean(metric, names);
}

absl::StatusOr<std::vector<Judgement>> Judge(const Condition& condition, const RunMetrics& run) {
  std::vector<Judgement> judgements;
  for (const auto& [name, metric] : run.metrics) {
    if (fnmatch(condition.metric.c_str(), name.c_str(), 0) != 0) continue;
    const std::optional<double> scale = Scale(condition.unit, metric.info);
    if (!scale.has_value()) {
      return absl::InvalidArgumentError(
          absl::StrCat("compares ", name, ", which is in ", metric.info.unit,
                       ", with a value of another unit; expected a number, or a value of that unit"));
    }
    judgements.push_back(
        {name, ValueText(metric.info, metric.value), condition.HoldsFor(metric.value * *scale)});
  }
  if (!judgements.empty()) return judgements;
  if (!IsNone(condition.metric, run)) return MeansNothing(condition, run);
  judgements.push_back({condition.metric, "0", condition.HoldsFor(0)});
  return judgements;
}

}  // namespace numasim
