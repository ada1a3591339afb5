#include "cli/report/sweep_series.h"

#include <algorithm>
#include <cmath>

#include "absl/strings/str_cat.h"
#include "cli/report/page_json.h"
#include "cli/statistics/significance.h"
#include "cli/text/csv_text.h"

namespace numasim {
namespace {

// Dots of one plot.
constexpr size_t kMostRuns = 4000;

// JSON has no other numbers.
std::string NumberJson(double value) { return std::isfinite(value) ? CsvNumber(value) : "null"; }

// Of a point that has none: nothing.
const std::vector<double>& ValuesAt(const PointValues& values, size_t point) {
  static const std::vector<double>* const kNone = new std::vector<double>();
  const auto at = values.find(point);
  return at == values.end() ? *kNone : at->second;
}

}  // namespace

bool IsConstant(const PointValues& values) {
  if (values.empty()) return false;
  const double first = values.begin()->second.front();
  return std::all_of(values.begin(), values.end(), [&](const auto& at) {
    return std::all_of(at.second.begin(), at.second.end(), [&](double value) { return value == first; });
  });
}

std::string SeriesJson(const NamedMetric& metric, const PointValues& values,
                       const std::vector<size_t>& points) {
  std::string medians, lows, highs;
  bool bounded = false;
  for (const size_t point : points) {
    const char* const comma = medians.empty() ? "" : ",";
    const std::vector<double>& here = ValuesAt(values, point);
    const MedianInterval interval = here.empty() ? MedianInterval() : MedianOf(here, kMedianConfidence);
    absl::StrAppend(&medians, comma, here.empty() ? "null" : NumberJson(interval.median));
    absl::StrAppend(&lows, comma, interval.bounded ? NumberJson(interval.low) : "null");
    absl::StrAppend(&highs, comma, interval.bounded ? NumberJson(interval.high) : "null");
    bounded = bounded || interval.bounded;
  }
  std::string json = PrintJson({{"name", metric.metric.name}, {"unit", metric.metric.info.unit}});
  json.pop_back();
  absl::StrAppend(&json, ",\"median\":[", medians, "]");
  if (bounded) absl::StrAppend(&json, ",\"low\":[", lows, "],\"high\":[", highs, "]");
  return json;
}

std::string RunsJson(const PointValues& values, const std::vector<size_t>& points) {
  size_t count = 0;
  size_t most = 0;
  std::string json;
  for (const size_t point : points) {
    const std::vector<double>& here = ValuesAt(values, point);
    count += here.size();
    most = std::max(most, here.size());
    if (count > kMostRuns) return "";
    absl::StrAppend(&json, json.empty() ? "" : ",", "[");
    for (size_t i = 0; i < here.size(); ++i) absl::StrAppend(&json, i == 0 ? "" : ",", NumberJson(here[i]));
    json += "]";
  }
  return most > 1 ? absl::StrCat(",\"runs\":[", json, "]") : "";
}

}  // namespace numasim
