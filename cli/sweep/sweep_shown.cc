#include "cli/sweep/sweep_shown.h"

#include <algorithm>
#include <cmath>
#include <memory>
#include <optional>
#include <string_view>
#include <utility>

#include "absl/strings/numbers.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/strip.h"
#include "cli/sweep/sql_expression.h"
#include "cli/sweep/sweep_results.h"
#include "cli/sweep/sweep_schema.h"
#include "cli/text/absent_count.h"
#include "workloads/nearest_name.h"

namespace numasim {
namespace {

constexpr char kInMemory[] = ":memory:";

bool IsParameter(const LoadedStudy& study, const std::string& name) {
  return std::any_of(study.parameters.begin(), study.parameters.end(),
                     [&](const LoadedParameter& parameter) { return parameter.name == name; });
}

bool IsNumber(const LoadedParameter& parameter) {
  return parameter.variants.empty() &&
         std::all_of(parameter.values.begin(), parameter.values.end(), [](const std::string& value) {
           double number = 0;
           return absl::SimpleAtod(value, &number) && std::isfinite(number);
         });
}

// A query for the point's value within one over `runs`: of the SQL type `number` where all values are
// numbers, unless they are names.
std::string ParameterSql(const LoadedParameter& parameter, absl::string_view number) {
  const std::string value = absl::StrCat(
      "(SELECT value FROM parameters AS p WHERE p.point = runs.point AND p.name = ", SqlText(parameter.name),
      ")");
  return IsNumber(parameter) ? absl::StrCat("CAST(", value, " AS ", number, ")") : value;
}

// The same for the run's value of a metric; NULL where it has none, unless that means 0.
std::string StoredSql(const std::string& name) {
  return absl::StrCat(
      "(SELECT ifnull(m.value, CASE n.absent_is_zero WHEN 1 THEN 0.0 END) FROM metric_names AS n "
      "LEFT JOIN metrics AS m ON m.metric = n.metric AND m.run = runs.run WHERE n.name = ",
      SqlText(name), ")");
}

// What of the study's sweeps is named only if it has come about.
std::optional<std::string> KeptZeroBeside(const LoadedStudy& study, const std::string& name) {
  return study.Keeps(name) ? ZeroBeside(name) : std::nullopt;
}

// The same also for what no run of the sweep names.
std::string MetricSql(const LoadedStudy& study, const std::string& name) {
  const std::string stored = StoredSql(name);
  const std::optional<std::string> beside = KeptZeroBeside(study, name);
  if (!beside.has_value()) return stored;
  const std::string zero = beside->empty() ? "0.0" : absl::StrCat("0 * ", StoredSql(*beside));
  return absl::StrCat("ifnull(", stored, ", ", zero, ")");
}

std::string ColumnSql(const LoadedStudy& study, const LoadedColumn& column) {
  const std::string sql = column.value.With([&](const std::string& name) {
    for (const LoadedParameter& parameter : study.parameters) {
      // A whole number would divide another one without a rest, as metrics never do.
      if (parameter.name == name) return ParameterSql(parameter, "REAL");
    }
    return MetricSql(study, name);
  });
  return absl::StrCat("(", sql, ")");
}

// What SQLite says of a column in an empty database of a sweep.
absl::Status TryColumn(Sqlite& empty, const std::string& sql) {
  const absl::Status in_view =
      empty.Execute(absl::StrCat("CREATE VIEW tried AS SELECT ", sql, " FROM runs; DROP VIEW tried"));
  if (!in_view.ok()) return in_view;
  // Where a condition stands SQL allows no sums over rows: a column is of one run.
  return empty.Prepare(absl::StrCat("SELECT 1 FROM runs WHERE ", sql)).status();
}

}  // namespace

absl::Status CheckColumns(const LoadedStudy& study) {
  if (study.columns.empty()) return absl::OkStatus();
  const absl::StatusOr<std::unique_ptr<Sqlite>> empty = Sqlite::Open(kInMemory, Sqlite::Mode::kReadAndWrite);
  if (!empty.ok()) return empty.status();
  if (absl::Status status = (*empty)->Execute(kSweepTables); !status.ok()) return status;
  for (const LoadedColumn& column : study.columns) {
    const absl::Status status = TryColumn(**empty, ColumnSql(study, column));
    if (status.ok()) continue;
    return absl::InvalidArgumentError(
        absl::StrCat(column.place, ": column '", column.name,
                     "': SQLite says: ", absl::StripPrefix(status.message(), absl::StrCat(kInMemory, ": ")),
                     "; expected an expression of SQL, such as 100 * [node0.numa_miss] / [node0.numa_hit]"));
  }
  return absl::OkStatus();
}

absl::Status MakeShownView(const LoadedStudy& study, Sqlite& database) {
  std::string columns = "run, point, seed";
  for (const LoadedParameter& parameter : study.parameters)
    absl::StrAppend(&columns, ",\n  ", ParameterSql(parameter, "NUMERIC"), " AS ", SqlName(parameter.name));
  for (const LoadedColumn& column : study.columns)
    absl::StrAppend(&columns, ",\n  ", ColumnSql(study, column), " AS ", SqlName(column.name));
  return database.Execute(
      absl::StrCat("BEGIN IMMEDIATE; DROP VIEW IF EXISTS shown; CREATE VIEW shown AS SELECT ", columns,
                   "\nFROM runs WHERE run NOT IN (SELECT run FROM failures); COMMIT;"));
}

absl::StatusOr<std::map<size_t, std::vector<ShownValue>>> ShownValues(Sqlite& database,
                                                                      const std::string& column) {
  const std::string name = SqlName(column);
  absl::StatusOr<SqliteStatement> rows =
      database.Prepare(absl::StrCat("SELECT point, typeof(", name, ") = 'text', ", name, " FROM shown WHERE ",
                                    name, " IS NOT NULL ORDER BY run"));
  if (!rows.ok()) return rows.status();
  std::map<size_t, std::vector<ShownValue>> values;
  while (true) {
    const absl::StatusOr<bool> row = rows->Step();
    if (!row.ok()) return row.status();
    if (!*row) return values;
    values[static_cast<size_t>(rows->Number(0))].push_back(
        {.is_text = rows->Number(1) != 0, .number = rows->Real(2), .text = rows->Text(2)});
  }
}

absl::StatusOr<std::vector<std::string>> UnknownNames(const LoadedStudy& study, Sqlite& database) {
  const absl::StatusOr<std::map<int64_t, StoredMetric>> metrics = StoredMetrics(database);
  if (!metrics.ok()) return metrics.status();
  std::vector<std::string_view> known;
  for (const auto& [number, metric] : *metrics) known.push_back(metric.name);
  const auto is_known = [&](const std::string& name) {
    return std::find(known.begin(), known.end(), name) != known.end();
  };
  std::vector<std::string> lines;
  for (const LoadedColumn& column : study.columns) {
    for (const std::string& name : column.value.names) {
      if (IsParameter(study, name) || is_known(name)) continue;
      const std::optional<std::string> beside = KeptZeroBeside(study, name);
      if (beside.has_value() && (beside->empty() || is_known(*beside))) continue;
      lines.push_back(absl::StrCat(column.place, ": column '", column.name, "': [", name, "] is none of the ",
                                   known.size(), " metrics that are kept",
                                   workloads::DidYouMean(name, known)));
    }
  }
  return lines;
}

}  // namespace numasim
