#include "cli/sweep/sweep_results.h"

#include "absl/status/status.h"
#include "absl/strings/str_cat.h"
#include "cli/sweep/sweep_schema.h"

namespace numasim {
namespace {

// Calls `take` with each row of the statement.
template <class Take>
absl::Status ForEachRow(SqliteStatement& statement, Take take) {
  while (true) {
    const absl::StatusOr<bool> row = statement.Step();
    if (!row.ok()) return row.status();
    if (!*row) return absl::OkStatus();
    take(statement);
  }
}

// The same of a query without values.
template <class Take>
absl::Status ForEachRow(Sqlite& database, const std::string& query, Take take) {
  absl::StatusOr<SqliteStatement> statement = database.Prepare(query);
  return statement.ok() ? ForEachRow(*statement, take) : statement.status();
}

// Adds to the runs, which are by number, what is unmet of each. A line without a run is damage that nobody
// asks about.
absl::Status ReadUnmet(Sqlite& database, std::vector<StoredRun>& runs) {
  auto run = runs.begin();
  return ForEachRow(database, "SELECT run, message FROM unmet ORDER BY run, position",
                    [&](const SqliteStatement& row) {
                      while (run != runs.end() && run->number < row.Number(0)) ++run;
                      if (run != runs.end() && run->number == row.Number(0))
                        run->unmet.push_back(row.Text(1));
                    });
}

}  // namespace

absl::StatusOr<std::unique_ptr<Sqlite>> OpenSweepDatabase(const std::string& path) {
  absl::StatusOr<std::unique_ptr<Sqlite>> database = Sqlite::Open(path, Sqlite::Mode::kRead);
  if (!database.ok()) return database.status();
  const absl::StatusOr<int64_t> application = (*database)->Number("PRAGMA application_id");
  if (!application.ok()) return application.status();
  if (*application != kSweepApplication) {
    return absl::InvalidArgumentError(
        absl::StrCat(path, ": is no database of a sweep; expected one that numasim sweep wrote"));
  }
  const absl::StatusOr<int64_t> format = (*database)->Number("PRAGMA user_version");
  if (!format.ok()) return format.status();
  if (*format == kSweepFormat) return database;
  return absl::FailedPreconditionError(absl::StrCat(path,
                                                    ": is of a version of numasim with other tables (format ",
                                                    *format, "); expected format ", kSweepFormat));
}

absl::StatusOr<std::map<std::string, std::string>> StoredStudy(Sqlite& database) {
  std::map<std::string, std::string> values;
  const absl::Status status =
      ForEachRow(database, "SELECT name, value FROM study",
                 [&](const SqliteStatement& row) { values[row.Text(0)] = row.Text(1); });
  if (!status.ok()) return status;
  return values;
}

std::map<size_t, PointCounts> CountByPoint(const std::vector<StoredRun>& runs) {
  std::map<size_t, PointCounts> counts;
  for (const StoredRun& run : runs) {
    PointCounts& of_point = counts[run.point];
    ++of_point.runs;
    if (run.failed) ++of_point.failed;
    if (!run.unmet.empty()) ++of_point.unmet;
  }
  return counts;
}

absl::StatusOr<std::map<int64_t, StoredMetric>> StoredMetrics(Sqlite& database) {
  std::map<int64_t, StoredMetric> metrics;
  const absl::Status status =
      ForEachRow(database, "SELECT metric, name, unit, kind, direction, absent_is_zero FROM metric_names",
                 [&](const SqliteStatement& row) {
                   metrics[row.Number(0)] = {.name = row.Text(1),
                                             .info = {.unit = row.Text(2),
                                                      .kind = static_cast<MetricInfo::Kind>(row.Number(3)),
                                                      .direction = static_cast<Direction>(row.Number(4)),
                                                      .absent_is_zero = row.Number(5) != 0}};
                 });
  if (!status.ok()) return status;
  return metrics;
}

absl::StatusOr<std::vector<StoredRun>> StoredRuns(Sqlite& database) {
  std::vector<StoredRun> runs;
  const absl::Status status =
      ForEachRow(database,
                 "SELECT run, point, seed, scenario, scenario_hash, failures.run IS NOT NULL, message "
                 "FROM runs LEFT JOIN failures USING (run) ORDER BY run",
                 [&](const SqliteStatement& row) {
                   runs.push_back({.number = row.Number(0),
                                   .point = static_cast<size_t>(row.Number(1)),
                                   .seed = static_cast<uint64_t>(row.Number(2)),
                                   .scenario_name = row.Text(3),
                                   .scenario_hash = static_cast<uint64_t>(row.Number(4)),
                                   .failed = row.Number(5) != 0,
                                   .failure = row.Text(6),
                                   .unmet = {}});
                 });
  if (!status.ok()) return status;
  if (absl::Status read = ReadUnmet(database, runs); !read.ok()) return read;
  return runs;
}

absl::StatusOr<std::optional<std::string>> FailureOfRun(Sqlite& database, int64_t run) {
  absl::StatusOr<SqliteStatement> statement =
      database.Prepare("SELECT message FROM runs LEFT JOIN failures USING (run) WHERE run = ?");
  if (!statement.ok()) return statement.status();
  statement->Bind(1, run);
  const absl::StatusOr<bool> row = statement->Step();
  if (!row.ok()) return row.status();
  if (!*row) return std::nullopt;
  return statement->Text(0);
}

absl::StatusOr<std::map<int64_t, double>> ValuesOfRun(Sqlite& database, int64_t run) {
  absl::StatusOr<SqliteStatement> statement =
      database.Prepare("SELECT metric, value FROM metrics WHERE run = ?");
  if (!statement.ok()) return statement.status();
  statement->Bind(1, run);
  std::map<int64_t, double> values;
  const absl::Status status =
      ForEachRow(*statement, [&](const SqliteStatement& row) { values[row.Number(0)] = row.Real(1); });
  if (!status.ok()) return status;
  return values;
}

absl::StatusOr<std::map<size_t, std::vector<double>>> ValuesByPoint(Sqlite& database, int64_t metric,
                                                                    bool absent_is_zero) {
  absl::StatusOr<SqliteStatement> statement = database.Prepare(
      absl::StrCat("SELECT point, ifnull(value, 0) FROM runs ", absent_is_zero ? "LEFT " : "",
                   "JOIN metrics ON metrics.run = runs.run AND metric = ? "
                   "WHERE runs.run NOT IN (SELECT run FROM failures) ORDER BY runs.run"));
  if (!statement.ok()) return statement.status();
  statement->Bind(1, metric);
  std::map<size_t, std::vector<double>> values;
  const absl::Status status = ForEachRow(*statement, [&](const SqliteStatement& row) {
    values[static_cast<size_t>(row.Number(0))].push_back(row.Real(1));
  });
  if (!status.ok()) return status;
  return values;
}

absl::StatusOr<std::map<size_t, PointParameters>> StoredParameters(Sqlite& database) {
  std::map<size_t, PointParameters> parameters;
  const absl::Status status =
      ForEachRow(database, "SELECT point, name, value FROM parameters ORDER BY point, position",
                 [&](const SqliteStatement& row) {
                   parameters[static_cast<size_t>(row.Number(0))].emplace_back(row.Text(1), row.Text(2));
                 });
  if (!status.ok()) return status;
  return parameters;
}

absl::StatusOr<std::map<std::string, Metric>> MetricsOfRun(Sqlite& database, int64_t run,
                                                           const std::map<int64_t, StoredMetric>& metrics) {
  const absl::StatusOr<std::map<int64_t, double>> values = ValuesOfRun(database, run);
  if (!values.ok()) return values.status();
  std::map<std::string, Metric> named;
  for (const auto& [number, value] : *values) {
    const auto metric = metrics.find(number);
    if (metric == metrics.end())
      return absl::DataLossError(absl::StrCat(database.path(), ": run ", run, ": a metric has no name"));
    named[metric->second.name] = {.info = metric->second.info, .value = value};
  }
  return named;
}

}  // namespace numasim
