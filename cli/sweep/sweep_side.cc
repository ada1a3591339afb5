#include "cli/sweep/sweep_side.h"

#include <algorithm>
#include <map>
#include <memory>
#include <set>
#include <string_view>
#include <utility>

#include "absl/status/status.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/str_join.h"
#include "cli/sweep/sqlite.h"
#include "cli/sweep/sweep_results.h"
#include "workloads/nearest_name.h"
#include "workloads/units.h"

namespace numasim {
namespace {

using workloads::Quoted;

struct ParameterValue {
  std::string name;
  std::string value;
};

// "--where pool=1024".
std::string AsGiven(const PointChoice& choice) { return absl::StrCat(choice.option, " ", choice.text); }

absl::StatusOr<ParameterValue> ParseChoice(const PointChoice& choice) {
  const std::string& text = choice.text;
  const size_t equals = text.find('=');
  if (equals == std::string::npos || equals == 0) {
    return absl::InvalidArgumentError(
        absl::StrCat(AsGiven(choice), ": is no choice; expected PARAMETER=VALUE, such as pool=1024"));
  }
  return ParameterValue{text.substr(0, equals), text.substr(equals + 1)};
}

std::string OneOf(const std::string& given, const std::set<std::string>& known) {
  constexpr size_t kShown = 20;
  const std::vector<std::string_view> names(known.begin(), known.end());
  std::vector<std::string> shown(
      known.begin(), std::next(known.begin(), static_cast<std::ptrdiff_t>(std::min(kShown, known.size()))));
  return absl::StrCat("; expected one of ", absl::StrJoin(shown, ", "),
                      shown.size() < known.size() ? ", .." : "", workloads::DidYouMean(given, names));
}

// The points that have the value.
absl::StatusOr<std::set<size_t>> PointsWhere(const std::string& path, const PointChoice& choice,
                                             const std::map<size_t, PointParameters>& parameters) {
  const absl::StatusOr<ParameterValue> wanted = ParseChoice(choice);
  if (!wanted.ok()) return wanted.status();
  std::set<size_t> points;
  std::set<std::string> names;
  std::set<std::string> values;
  for (const auto& [point, of_point] : parameters) {
    for (const auto& [name, value] : of_point) {
      names.insert(name);
      if (name != wanted->name) continue;
      values.insert(value);
      if (value == wanted->value) points.insert(point);
    }
  }
  if (!points.empty()) return points;
  const std::string what = absl::StrCat(AsGiven(choice), ": ", path);
  if (names.empty())
    return absl::InvalidArgumentError(absl::StrCat(what, " has no parameters; expected no ", choice.option));
  if (values.empty()) {
    return absl::InvalidArgumentError(
        absl::StrCat(what, " has no parameter ", Quoted(wanted->name), OneOf(wanted->name, names)));
  }
  return absl::InvalidArgumentError(absl::StrCat(what, " has no value ", Quoted(wanted->value), " of ",
                                                 wanted->name, OneOf(wanted->value, values)));
}

absl::StatusOr<std::set<size_t>> ChosenPoints(const std::string& path, const std::vector<PointChoice>& where,
                                              const std::map<size_t, PointParameters>& parameters) {
  std::set<size_t> chosen;
  for (size_t i = 0; i < where.size(); ++i) {
    const absl::StatusOr<std::set<size_t>> points = PointsWhere(path, where[i], parameters);
    if (!points.ok()) return points.status();
    if (i == 0) chosen = *points;
    std::erase_if(chosen, [&](size_t point) { return !points->contains(point); });
  }
  if (chosen.empty() && !where.empty()) {
    const auto as_given = [](std::string* out, const PointChoice& choice) { *out += AsGiven(choice); };
    return absl::InvalidArgumentError(absl::StrCat(absl::StrJoin(where, " ", as_given), ": ", path,
                                                   " has no point with all of these; expected fewer"));
  }
  return chosen;
}

absl::Status CheckIsWhole(Sqlite& database, const std::string& path) {
  const absl::StatusOr<std::string> complete =
      database.Text("SELECT value FROM study WHERE name = 'complete'");
  if (!complete.ok()) return complete.status();
  if (*complete == "1") return absl::OkStatus();
  const absl::StatusOr<int64_t> runs = database.Number("SELECT count(*) FROM runs");
  if (!runs.ok()) return runs.status();
  return absl::FailedPreconditionError(absl::StrCat(
      path, ": holds the first ", *runs,
      " runs of a sweep that has not come to its end; expected all (numasim sweep goes on with it)"));
}

}  // namespace

absl::StatusOr<Side> ReadSweepSide(const std::string& path, const std::vector<PointChoice>& where) {
  absl::StatusOr<std::unique_ptr<Sqlite>> database = OpenSweepDatabase(path);
  if (!database.ok()) return database.status();
  if (absl::Status status = CheckIsWhole(**database, path); !status.ok()) return status;
  const absl::StatusOr<std::map<size_t, PointParameters>> parameters = StoredParameters(**database);
  if (!parameters.ok()) return parameters.status();
  const absl::StatusOr<std::set<size_t>> points = ChosenPoints(path, where, *parameters);
  if (!points.ok()) return points.status();
  const absl::StatusOr<std::vector<StoredRun>> runs = StoredRuns(**database);
  if (!runs.ok()) return runs.status();
  const absl::StatusOr<std::map<int64_t, StoredMetric>> metrics = StoredMetrics(**database);
  if (!metrics.ok()) return metrics.status();
  const absl::StatusOr<std::string> version =
      (*database)->Text("SELECT value FROM study WHERE name = 'version'");
  if (!version.ok()) return version.status();
  Side side;
  for (const StoredRun& run : *runs) {
    if (!where.empty() && !points->contains(run.point)) continue;
    if (run.failed) {
      return absl::FailedPreconditionError(absl::StrCat(
          path, ": run ", run.number, " (point ", run.point, ", seed ", run.seed, ") failed: ", run.failure,
          "; expected points whose runs have all succeeded (--where)"));
    }
    absl::StatusOr<std::map<std::string, Metric>> read = MetricsOfRun(**database, run.number, *metrics);
    if (!read.ok()) return read.status();
    side.Add({.path = absl::StrCat(path, " run ", run.number),
              .scenario_name = run.scenario_name,
              .program_version = *version,
              .seed = run.seed,
              .scenario_hash = run.scenario_hash,
              .metrics = *std::move(read)});
  }
  if (side.runs() == 0)
    return absl::InvalidArgumentError(absl::StrCat(path, ": holds no run of these points"));
  return side;
}

}  // namespace numasim
