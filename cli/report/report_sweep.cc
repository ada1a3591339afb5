#include "cli/report/report_sweep.h"

#include <utility>

#include "absl/status/status.h"
#include "absl/strings/match.h"
#include "absl/strings/str_cat.h"

namespace numasim {
namespace {

absl::Status Damaged(const std::string& path, const std::string& how) {
  return absl::DataLossError(
      absl::StrCat(path, ": is damaged: ", how, "; expected a database as numasim sweep wrote it"));
}

// Takes the texts apart that the table `study` holds.
absl::Status ReadStudy(ReportSweep& sweep) {
  absl::StatusOr<std::map<std::string, std::string>> table = StoredStudy(*sweep.database);
  if (!table.ok()) return table.status();
  std::string shown, scenario;
  for (auto& [name, value] : *table) {
    if (name == "study") sweep.study_text = value;
    if (name == "show") shown = value;
    if (name == "version") sweep.version = value;
    if (name == "complete") sweep.complete = value == "1";
    if (absl::StartsWith(name, "the scenario ")) scenario = value;
    if (absl::StartsWith(name, "the ")) sweep.texts.emplace(name.substr(4), std::move(value));
  }
  // Of both as one message: what is shown may have changed since the first run.
  absl::StrAppend(&sweep.study_text, shown);
  absl::StatusOr<LoadedStudy> study =
      ParseStudy(absl::StrCat(sweep.path, ": study"), sweep.study_text,
                 [&](const std::string&) -> absl::StatusOr<std::string> { return scenario; });
  if (!study.ok()) return study.status();
  sweep.study = *std::move(study);
  return absl::OkStatus();
}

// The study's points are those of the database, and each run is of one of them.
absl::Status CheckPoints(const ReportSweep& sweep) {
  const LoadedStudy& study = sweep.study;
  const auto stored = StoredParameters(*sweep.database);
  if (!stored.ok()) return stored.status();
  for (const auto& [point, parameters] : *stored) {
    PointParameters expected;
    for (size_t p = 0; point < study.points.size() && p < study.parameters.size(); ++p)
      expected.emplace_back(study.parameters[p].name, study.ValueAt(point, p));
    if (parameters != expected)
      return Damaged(sweep.path, absl::StrCat("point ", point, " is not as the study says"));
  }
  for (const StoredRun& run : sweep.runs) {
    if (run.point < study.points.size()) continue;
    return Damaged(sweep.path, absl::StrCat("run ", run.number, " is of point ", run.point,
                                            ", but the study has ", study.points.size()));
  }
  return absl::OkStatus();
}

absl::Status ReadSearches(ReportSweep& sweep) {
  SweepFinder finder(sweep.study, *sweep.database, [](const auto&) { return absl::OkStatus(); });
  for (const LoadedFind& find : sweep.study.finds) {
    ReportSearch& search = sweep.searches.emplace_back();
    const absl::Status status = finder.Find(find, search.found);
    if (absl::IsCancelled(status)) {
      search.stopped = "runs that it needs are not there yet";
    } else if (absl::IsFailedPrecondition(status) || absl::IsInvalidArgument(status)) {
      search.stopped = std::string(status.message());
    } else if (!status.ok()) {
      return status;
    }
  }
  return absl::OkStatus();
}

}  // namespace

absl::StatusOr<std::unique_ptr<ReportSweep>> ReadReportSweep(const std::string& path) {
  absl::StatusOr<std::unique_ptr<Sqlite>> database = OpenSweepDatabase(path);
  if (!database.ok()) return database.status();
  auto sweep = std::make_unique<ReportSweep>();
  sweep->path = path;
  sweep->database = *std::move(database);
  if (absl::Status status = ReadStudy(*sweep); !status.ok()) return status;
  absl::StatusOr<std::vector<StoredRun>> runs = StoredRuns(*sweep->database);
  if (!runs.ok()) return runs.status();
  sweep->runs = *std::move(runs);
  if (absl::Status status = CheckPoints(*sweep); !status.ok()) return status;
  if (absl::Status status = ReadSearches(*sweep); !status.ok()) return status;
  return sweep;
}

}  // namespace numasim
