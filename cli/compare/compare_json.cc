// One JSON object with every metric, for programs.
#include <cmath>
#include <nlohmann/json.hpp>

#include "cli/compare/compare_format.h"

namespace numasim {
namespace {

using Json = nlohmann::ordered_json;

// Whole where it is, and null where it is infinite.
Json Number(double value) {
  constexpr double kExact = 9007199254740992;  // 2^53
  if (value == std::round(value) && std::abs(value) < kExact) return static_cast<int64_t>(value);
  return value;
}

Json SideJson(const std::string& path, const Side& side) {
  return {{"path", path}, {"runs", side.runs()}, {"scenarios", side.scenario_names()}};
}

Json IntervalJson(const MedianInterval& interval, size_t runs) {
  Json json = {{"runs", runs}, {"median", Number(interval.median)}};
  if (interval.bounded) json["interval"] = {Number(interval.low), Number(interval.high)};
  return json;
}

Json MetricJson(const ComparedMetric& metric) {
  Json json = {{"name", metric.name}, {"unit", metric.info.unit}};
  if (metric.info.direction != Direction::kNeither)
    json["more_is_worse"] = metric.info.direction == Direction::kMoreIsWorse;
  json["base"] = IntervalJson(metric.base, metric.base_runs);
  json["new"] = IntervalJson(metric.changed, metric.changed_runs);
  json["change"] = Number(metric.change);
  if (metric.p.has_value()) json["p"] = *metric.p;
  json["verdict"] = VerdictName(metric.verdict);
  return json;
}

}  // namespace

void CompareJson(const CompareReport& report, std::ostream& out) {
  const Comparison& comparison = report.comparison;
  Json json = {{"base", SideJson(report.base_path, report.base)},
               {"new", SideJson(report.changed_path, report.changed)},
               {"exact", comparison.exact},
               {"level", report.rules.level},
               {"min_effect", report.rules.min_effect},
               {"worse", comparison.Count(Verdict::kWorse) > 0},
               {"notes", report.notes},
               {"only_in_base", comparison.only_base},
               {"only_in_new", comparison.only_changed}};
  if (!comparison.exact) {
    json["tests"] = comparison.tests;
    json["runs_needed"] = comparison.runs_needed;
  }
  Json& metrics = json["metrics"] = Json::array();
  for (const ComparedMetric& metric : comparison.metrics) metrics.push_back(MetricJson(metric));
  // Names of files may hold any bytes.
  out << json.dump(1, ' ', false, Json::error_handler_t::replace) << "\n";
}

}  // namespace numasim
