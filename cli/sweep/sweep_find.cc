#include "cli/sweep/sweep_find.h"

#include <algorithm>
#include <map>
#include <sstream>
#include <utility>

#include "absl/strings/str_cat.h"
#include "absl/strings/str_format.h"
#include "cli/metrics/verdict.h"
#include "cli/statistics/threshold_search.h"
#include "cli/text/text_table.h"
#include "workloads/units.h"

namespace numasim {
namespace {

std::string PercentText(double share) { return absl::StrFormat("%.3g%%", 100 * share); }

// "pool=1024" of a point.
std::string ValueText(const LoadedStudy& study, const LoadedFind& find, size_t point) {
  return absl::StrCat(study.parameters[find.parameter].name, "=", study.ValueAt(point, find.parameter));
}

std::string UndecidedText(const LoadedStudy& study, const LoadedFind& find,
                          const std::vector<TriedPoint>& tried) {
  std::string text;
  for (const TriedPoint& point : tried) {
    if (point.verdict != ShareVerdict::kUndecided) continue;
    absl::StrAppend(&text, "; ", point.runs, " runs do not tell whether ",
                    ValueText(study, find, point.point), " is good (", PercentText(point.bounds.low), " to ",
                    PercentText(point.bounds.high), ")");
  }
  return text;
}

// Of a search whose condition does not become likelier the way that it goes.
std::string BackwardsText(const LoadedStudy& study, const LoadedFind& find, const Found& found) {
  const auto [good, bad] = *found.backwards;
  return absl::StrCat("no answer: ", ValueText(study, find, good), " is good and ",
                      ValueText(study, find, bad), " is not, so values are searched the wrong way; expected ",
                      find.largest ? "largest: false" : "largest: true");
}

// The order in which points are searched, a row for each set of the other parameters' values: points that
// differ in the searched parameter alone, so that the condition is to become likelier.
std::vector<std::vector<size_t>> SearchedRows(const LoadedStudy& study, const LoadedFind& find) {
  std::map<std::vector<size_t>, std::map<size_t, size_t>> rows;
  for (size_t point = 0; point < study.points.size(); ++point) {
    std::vector<size_t> others = study.points[point];
    const size_t value = std::exchange(others[find.parameter], 0);
    rows[others][find.rank[value]] = point;
  }
  std::vector<std::vector<size_t>> in_order;
  for (const auto& [others, by_rank] : rows) {
    std::vector<size_t>& row = in_order.emplace_back();
    for (const auto& [rank, point] : by_rank) row.push_back(point);
  }
  return in_order;
}

// "guests=4, nodes=2" of a point, without the searched parameter.
std::string OthersText(const LoadedStudy& study, const LoadedFind& find, size_t point) {
  std::string text;
  for (size_t p = 0; p < study.parameters.size(); ++p) {
    if (p == find.parameter) continue;
    absl::StrAppend(&text, text.empty() ? "" : ", ", study.parameters[p].name, "=", study.ValueAt(point, p));
  }
  return text;
}

// Nothing if the point was not tried.
std::optional<ShareVerdict> VerdictOf(const Found& found, size_t point) {
  for (const TriedPoint& tried : found.tried) {
    if (tried.point == point) return tried.verdict;
  }
  return std::nullopt;
}

// With those that other runs have: a run that names no such event or wait has none of it.
std::map<std::string, Metric> WithAbsent(std::map<std::string, Metric> metrics,
                                         const std::map<int64_t, StoredMetric>& stored) {
  for (const auto& [number, metric] : stored) {
    if (metric.info.absent_is_zero) metrics.emplace(metric.name, Metric{.info = metric.info});
  }
  return metrics;
}

}  // namespace

const char* VerdictText(ShareVerdict verdict) {
  switch (verdict) {
    case ShareVerdict::kBelow:
      return "below";
    case ShareVerdict::kNotBelow:
      return "not below";
    case ShareVerdict::kUndecided:
      return "undecided";
  }
  return "";
}

absl::Status SweepFinder::Find(const LoadedFind& find, std::vector<Found>& found) {
  for (const std::vector<size_t>& points : SearchedRows(study_, find)) {
    found.emplace_back().others = OthersText(study_, find, points.front());
    if (absl::Status status = FindAmong(find, points, found.back()); !status.ok()) return status;
  }
  return absl::OkStatus();
}

absl::Status SweepFinder::FindAmong(const LoadedFind& find, const std::vector<size_t>& points, Found& found) {
  const int most_tries = ThresholdSearch::MostTries(points.size()) + (points.size() > 1 ? 1 : 0);
  const ShareTest test = {
      .bound = find.bound, .error = (1 - find.confidence) / most_tries, .most = find.most_seeds};
  ThresholdSearch search(points.size());
  while (const std::optional<size_t> next = search.Next()) {
    if (absl::Status status = TryAnother(find, test, points[*next], found); !status.ok()) return status;
    // What is not known to be good is not promised to be.
    search.Tell(*next, found.tried.back().verdict == ShareVerdict::kBelow);
  }
  const bool none = !search.Answer().has_value();
  if (!none) found.answer = points[*search.Answer()];
  found.is_last = search.Answer() == points.size() - 1;
  const size_t other_end = none ? points.back() : points.front();
  if ((none || found.is_last) && !VerdictOf(found, other_end).has_value()) {
    if (absl::Status status = TryAnother(find, test, other_end, found); !status.ok()) return status;
  }
  if (VerdictOf(found, points.back()) == ShareVerdict::kBelow &&
      VerdictOf(found, points.front()) == ShareVerdict::kNotBelow) {
    found.backwards = {points.back(), points.front()};
  }
  found.ended = true;
  return absl::OkStatus();
}

absl::Status SweepFinder::TryAnother(const LoadedFind& find, const ShareTest& test, size_t point,
                                     Found& found) {
  TriedPoint& tried = found.tried.emplace_back(TriedPoint{.point = point});
  absl::Status status = Try(find, test, tried);
  if (!status.ok() && tried.runs == 0) found.tried.pop_back();
  return status;
}

// `tried` tells of the last look for which all runs were there.
absl::Status SweepFinder::Try(const LoadedFind& find, const ShareTest& test, TriedPoint& tried) {
  do {
    const int64_t wanted = test.Next(tried.runs);
    std::vector<SweepRun> runs;
    for (int64_t i = 0; i < wanted; ++i) runs.push_back(study_.RunAt(tried.point, static_cast<size_t>(i)));
    if (absl::Status status = run_(runs); !status.ok()) return status;
    const absl::StatusOr<int64_t> holds = CountHolds(find, runs);
    if (!holds.ok()) return holds.status();
    tried.runs = wanted;
    tried.holds = *holds;
    tried.bounds = test.Bounds(tried.holds, tried.runs);
    tried.verdict = test.Judge(tried.holds, tried.runs);
  } while (tried.verdict == ShareVerdict::kUndecided && tried.runs < find.most_seeds);
  return absl::OkStatus();
}

absl::StatusOr<int64_t> SweepFinder::CountHolds(const LoadedFind& find, const std::vector<SweepRun>& runs) {
  const absl::StatusOr<std::map<int64_t, StoredMetric>> metrics = StoredMetrics(database_);
  if (!metrics.ok()) return metrics.status();
  int64_t count = 0;
  for (const SweepRun& run : runs) {
    const absl::StatusOr<std::optional<std::string>> failure = FailureOfRun(database_, run.number);
    if (!failure.ok()) return failure.status();
    if (!failure->has_value()) return absl::CancelledError("the sweep was ended");
    if (!(*failure)->empty()) {
      return absl::FailedPreconditionError(absl::StrCat(find.place, ": the run of ",
                                                        study_.PointText(run.point), " with seed ", run.seed,
                                                        " failed, so the search ", "ends: ", **failure));
    }
    const absl::StatusOr<bool> holds = Holds(find, run, *metrics);
    if (!holds.ok()) return holds.status();
    if (*holds) ++count;
  }
  return count;
}

absl::StatusOr<bool> SweepFinder::Holds(const LoadedFind& find, const SweepRun& run,
                                        const std::map<int64_t, StoredMetric>& metrics) {
  const absl::StatusOr<std::map<std::string, Metric>> read = MetricsOfRun(database_, run.number, metrics);
  if (!read.ok()) return read.status();
  RunMetrics of_run;
  of_run.metrics = WithAbsent(*read, metrics);
  const absl::StatusOr<std::vector<Judgement>> judged = Judge(find.condition, of_run);
  if (!judged.ok()) {
    return absl::InvalidArgumentError(absl::StrCat(
        find.place, ": condition: ", workloads::Quoted(find.condition.text), " ", judged.status().message()));
  }
  return std::any_of(judged->begin(), judged->end(), [](const Judgement& of) { return of.holds; });
}

std::string FoundTitle(const LoadedStudy& study, const LoadedFind& find) {
  return absl::StrCat(find.largest ? "largest " : "smallest ", study.parameters[find.parameter].name,
                      " where '", find.condition.text, "' holds in less than ", PercentText(find.bound),
                      " of runs\n");
}

std::string FoundTable(const LoadedStudy& study, const std::vector<Found>& found) {
  Table table;
  std::vector<std::string> titles;
  for (const LoadedParameter& parameter : study.parameters) titles.push_back(parameter.name);
  titles.insert(titles.end(), {"runs", "holds in", "at least", "at most", "share is"});
  table.AddRow(std::move(titles));
  for (const Found& one : found) {
    for (const TriedPoint& tried : one.tried) {
      std::vector<std::string> cells;
      for (size_t p = 0; p < study.parameters.size(); ++p) cells.push_back(study.ValueAt(tried.point, p));
      cells.insert(cells.end(),
                   {absl::StrCat(tried.runs), absl::StrCat(tried.holds), PercentText(tried.bounds.low),
                    PercentText(tried.bounds.high), VerdictText(tried.verdict)});
      table.AddRow(std::move(cells));
    }
  }
  std::ostringstream text;
  table.Print(/*width=*/0, text);
  return text.str();
}

std::string FoundAnswers(const LoadedStudy& study, const LoadedFind& find, const std::vector<Found>& found) {
  std::string text;
  for (const Found& one : found) {
    if (!one.ended) continue;
    absl::StrAppend(&text, one.others.empty() ? "" : one.others + ": ");
    const std::string confidence = absl::StrCat("with ", PercentText(find.confidence), " confidence");
    const char* const extreme = find.largest ? "largest" : "smallest";
    const std::string undecided = UndecidedText(study, find, one.tried);
    if (one.backwards.has_value()) {
      absl::StrAppend(&text, BackwardsText(study, find, one), ", ", confidence, "\n");
      continue;
    }
    if (one.answer.has_value() && undecided.empty()) {
      absl::StrAppend(&text, extreme, " ", ValueText(study, find, *one.answer), ", ", confidence);
    } else if (one.answer.has_value()) {
      absl::StrAppend(&text, ValueText(study, find, *one.answer), " is good, ", confidence, ", and the ",
                      extreme, " of which that is known");
    } else {
      absl::StrAppend(&text, "no value of ", study.parameters[find.parameter].name,
                      undecided.empty() ? absl::StrCat(" is good, ", confidence) : " is known to be good");
    }
    if (one.is_last) absl::StrAppend(&text, "; it is the ", extreme, " that was to be tried");
    absl::StrAppend(&text, undecided, "\n");
  }
  return text;
}

}  // namespace numasim
