#include "cli/report/sweep_page_data.h"

#include <algorithm>
#include <cstdint>
#include <map>
#include <set>
#include <utility>
#include <vector>

#include "absl/strings/str_cat.h"
#include "cli/report/page_json.h"
#include "cli/report/sweep_metrics.h"

namespace numasim {
namespace {

// What a page has room for; of what is left out it gets the number. `numasim sweep --csv` writes all.
constexpr size_t kMostPoints = 20'000;
constexpr size_t kMostMessages = 200;
// What stands about the metrics.
constexpr size_t kOtherBytes = 1000;

// Those that have runs, as far as there is room.
std::vector<size_t> ShownPoints(const std::map<size_t, PointCounts>& counts) {
  std::vector<size_t> points;
  for (const auto& [point, of_point] : counts) {
    if (points.size() < kMostPoints) points.push_back(point);
  }
  return points;
}

// The values of parameters that a page shows: a study may have a million, of which a search tries twenty.
class ValueTexts {
 public:
  ValueTexts(const LoadedStudy& study, const std::set<size_t>& points)
      : study_(study), values_(study.parameters.size()) {
    std::vector<std::set<size_t>> used(values_.size());
    for (const size_t point : points) {
      for (size_t p = 0; p < used.size(); ++p) used[p].insert(study.points[point][p]);
    }
    for (size_t p = 0; p < used.size(); ++p) values_[p].assign(used[p].begin(), used[p].end());
  }

  // In the study's order.
  Json TextsOf(size_t parameter) const {
    Json json = Json::array();
    for (const size_t value : values_[parameter]) json.push_back(study_.parameters[parameter].values[value]);
    return json;
  }
  // Where the point's value stands among them.
  size_t PlaceOf(size_t parameter, size_t point) const {
    const std::vector<size_t>& values = values_[parameter];
    const auto at = std::lower_bound(values.begin(), values.end(), study_.points[point][parameter]);
    return static_cast<size_t>(at - values.begin());
  }
  Json PlacesOf(size_t point) const {
    Json json = Json::array();
    for (size_t p = 0; p < values_.size(); ++p) json.push_back(PlaceOf(p, point));
    return json;
  }

 private:
  const LoadedStudy& study_;
  std::vector<std::vector<size_t>> values_;  // by parameter
};

std::set<size_t> PointsWithValues(const ReportSweep& sweep, const std::vector<size_t>& points) {
  std::set<size_t> all(points.begin(), points.end());
  for (const ReportSearch& search : sweep.searches) {
    for (const Found& found : search.found) {
      for (const TriedPoint& tried : found.tried) all.insert(tried.point);
    }
  }
  return all;
}

Json ParametersJson(const LoadedStudy& study, const ValueTexts& values) {
  Json json = Json::array();
  for (size_t p = 0; p < study.parameters.size(); ++p) {
    const StudyParameter& proto = study.proto.parameter(static_cast<int>(p));
    json.push_back(
        {{"name", study.parameters[p].name},
         {"values", values.TextsOf(p)},
         {"logarithmic", proto.range().scale() == "logarithmic" || proto.random().scale() == "logarithmic"}});
  }
  return json;
}

// Of each point: its values, and how many runs there are, failed, are not as expected.
Json PointsJson(const ValueTexts& values, const std::map<size_t, PointCounts>& counts,
                const std::vector<size_t>& points) {
  Json json = Json::array();
  for (const size_t point : points) {
    Json row = values.PlacesOf(point);
    const PointCounts& of_point = counts.at(point);
    for (const int64_t count : {of_point.runs, of_point.failed, of_point.unmet}) row.push_back(count);
    json.push_back(std::move(row));
  }
  return json;
}

// Gathers messages of runs: {"shown": [{run, point, seed, message}], "of": how many}.
class Messages {
 public:
  explicit Messages(const LoadedStudy& study) : study_(study) {}

  void Add(const StoredRun& run, const std::string& message) {
    if (++count_ > kMostMessages) return;
    shown_.push_back({{"run", run.number},
                      {"point", study_.PointText(run.point)},
                      {"seed", absl::StrCat(run.seed)},  // more than a number of JavaScript holds
                      {"message", Clipped(message, kMostReason)}});
  }
  Json AsJson() const { return {{"shown", shown_}, {"of", count_}}; }

 private:
  const LoadedStudy& study_;
  size_t count_ = 0;
  Json shown_ = Json::array();
};

Json TextsJson(const ReportSweep& sweep) {
  Json json = Json::array();
  json.push_back({{"name", "study"}, {"text", Clipped(sweep.study_text, kMostTextOfScenario)}});
  size_t room = kMostTextOfScenario;
  for (const auto& [name, text] : sweep.texts) {
    json.push_back({{"name", name}, {"text", Clipped(text, room)}});
    room -= std::min(room, text.size());
  }
  return json;
}

Json TriedJson(const ValueTexts& values, const TriedPoint& tried) {
  return {{"values", values.PlacesOf(tried.point)},
          {"runs", tried.runs},
          {"holds", tried.holds},
          {"low", tried.bounds.low},
          {"high", tried.bounds.high},
          {"verdict", VerdictText(tried.verdict)}};
}

Json SearchJson(const LoadedStudy& study, const ValueTexts& values, const LoadedFind& find,
                const ReportSearch& search) {
  Json groups = Json::array();
  for (const Found& found : search.found) {
    Json tried = Json::array();
    for (const TriedPoint& point : found.tried) tried.push_back(TriedJson(values, point));
    groups.push_back({{"others", found.others}, {"tried", std::move(tried)}});
    if (found.answer.has_value()) groups.back()["answer"] = values.PlaceOf(find.parameter, *found.answer);
  }
  return {{"title", FoundTitle(study, find)},
          {"parameter", find.parameter},
          {"condition", find.condition.text},
          {"bound", find.bound},
          {"answers", FoundAnswers(study, find, search.found)},
          {"stopped", search.stopped},
          {"groups", std::move(groups)}};
}

// All of a sweep but its metrics.
Json FactsJson(const ReportSweep& sweep, const std::map<size_t, PointCounts>& counts,
               const std::vector<size_t>& points) {
  const ValueTexts values(sweep.study, PointsWithValues(sweep, points));
  Messages failures(sweep.study);
  Messages unmet(sweep.study);
  for (const StoredRun& run : sweep.runs) {
    if (run.failed) failures.Add(run, run.failure);
    for (const std::string& message : run.unmet) unmet.Add(run, message);
  }
  Json searches = Json::array();
  for (size_t i = 0; i < sweep.searches.size(); ++i)
    searches.push_back(SearchJson(sweep.study, values, sweep.study.finds[i], sweep.searches[i]));
  return {{"path", sweep.path},
          {"scenario", sweep.study.scenario_path},
          {"version", sweep.version},
          {"complete", sweep.complete},
          {"texts", TextsJson(sweep)},
          {"runs", sweep.runs.size()},
          {"allPoints", sweep.study.points.size()},
          {"seeds", sweep.study.seeds.size()},
          {"firstSeed", absl::StrCat(sweep.study.seeds.front())},
          {"pointsWithRuns", counts.size()},
          {"parameters", ParametersJson(sweep.study, values)},
          {"points", PointsJson(values, counts, points)},
          {"failures", failures.AsJson()},
          {"unmet", unmet.AsJson()},
          {"searches", std::move(searches)}};
}

}  // namespace

absl::StatusOr<std::string> SweepPageData(const ReportSweep& sweep, size_t most_bytes) {
  const std::map<size_t, PointCounts> counts = CountByPoint(sweep.runs);
  const std::vector<size_t> points = ShownPoints(counts);
  std::string json = PrintJson(FactsJson(sweep, counts, points));
  json.pop_back();
  const absl::StatusOr<std::string> metrics =
      SweepMetricsJson(sweep, points, most_bytes - std::min(json.size() + kOtherBytes, most_bytes));
  if (!metrics.ok()) return metrics.status();
  return absl::StrCat(json, ",", *metrics, "}");
}

}  // namespace numasim
