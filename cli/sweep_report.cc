#include "cli/sweep_report.h"

#include <map>
#include <utility>
#include <vector>

#include "absl/strings/str_cat.h"
#include "absl/strings/str_join.h"
#include "cli/csv_text.h"
#include "cli/metric_text.h"
#include "cli/shown_metrics.h"
#include "cli/significance.h"
#include "cli/sweep_results.h"
#include "cli/text_table.h"

namespace numasim {
namespace {

// Those that the study shows. Adds the globs that choose none to `warnings`.
absl::StatusOr<std::vector<NamedMetric>> MetricsOfTable(const LoadedStudy& study, Sqlite& database,
                                                        std::vector<std::string>* warnings) {
  const absl::StatusOr<std::vector<NamedMetric>> metrics = MetricsByName(database);
  if (!metrics.ok()) return metrics.status();
  const ShownMetrics shown = MetricsShownBy(study.proto, *metrics);
  for (const int i : shown.idle) {
    warnings->push_back(absl::StrCat(study.path, ": show[", i, "]: '", study.proto.show(i),
                                     "' matches none of the ", metrics->size(), " metrics that are kept"));
  }
  std::vector<NamedMetric> of_table;
  for (size_t m = 0; m < metrics->size(); ++m) {
    if (shown.chosen[m]) of_table.push_back((*metrics)[m]);
  }
  return of_table;
}

struct PointCounts {
  size_t runs = 0;
  size_t failed = 0;
  size_t unmet = 0;
};

std::map<size_t, PointCounts> CountByPoint(const std::vector<StoredRun>& runs) {
  std::map<size_t, PointCounts> counts;
  for (const StoredRun& run : runs) {
    ++counts[run.point].runs;
    if (run.failed) ++counts[run.point].failed;
    if (!run.unmet.empty()) ++counts[run.point].unmet;
  }
  return counts;
}

// Which columns the table has beside the values: those in which not all is 0.
struct CountColumns {
  bool failed = false;
  bool unmet = false;
};

CountColumns NeededColumns(const std::map<size_t, PointCounts>& counts) {
  CountColumns needed;
  for (const auto& [point, of_point] : counts) {
    needed.failed |= of_point.failed > 0;
    needed.unmet |= of_point.unmet > 0;
  }
  return needed;
}

std::vector<std::string> FirstTitles(const LoadedStudy& study, const CountColumns& columns) {
  std::vector<std::string> titles;
  for (const LoadedParameter& parameter : study.parameters) titles.push_back(parameter.name);
  if (titles.empty()) titles.push_back("scenario");
  titles.push_back("runs");
  if (columns.failed) titles.push_back("failed");
  if (columns.unmet) titles.push_back("unmet");
  return titles;
}

std::vector<std::string> FirstCells(const LoadedStudy& study, size_t point, const PointCounts& counts,
                                    const CountColumns& columns) {
  std::vector<std::string> cells;
  for (size_t p = 0; p < study.parameters.size(); ++p) cells.push_back(study.ValueAt(point, p));
  if (cells.empty()) cells.push_back(study.scenario_path);
  cells.push_back(absl::StrCat(counts.runs));
  if (columns.failed) cells.push_back(absl::StrCat(counts.failed));
  if (columns.unmet) cells.push_back(absl::StrCat(counts.unmet));
  return cells;
}

std::string CsvHeader(const LoadedStudy& study, const std::vector<NamedMetric>& metrics) {
  std::string line = "point,seed";
  for (const LoadedParameter& parameter : study.parameters) absl::StrAppend(&line, ",", parameter.name);
  absl::StrAppend(&line, ",failure,unmet");
  for (const NamedMetric& metric : metrics) absl::StrAppend(&line, ",", CsvField(metric.metric.name));
  return line + "\n";
}

std::string CsvLine(const LoadedStudy& study, const StoredRun& run, const std::vector<NamedMetric>& metrics,
                    const std::map<int64_t, double>& values) {
  std::string line = absl::StrCat(run.point, ",", run.seed);
  for (size_t p = 0; p < study.parameters.size(); ++p)
    absl::StrAppend(&line, ",", CsvField(study.ValueAt(run.point, p)));
  absl::StrAppend(&line, ",", CsvField(run.failure), ",", CsvField(absl::StrJoin(run.unmet, "; ")));
  for (const NamedMetric& metric : metrics) {
    const auto value = values.find(metric.number);
    const bool zero = value == values.end() && metric.metric.info.absent_is_zero && !run.failed;
    absl::StrAppend(&line, ",", value != values.end() ? CsvNumber(value->second) : zero ? "0" : "");
  }
  return line + "\n";
}

}  // namespace

absl::StatusOr<std::vector<std::string>> PrintSweepTable(const LoadedStudy& study, Sqlite& database,
                                                         size_t width, std::ostream& out) {
  const absl::StatusOr<std::vector<StoredRun>> runs = StoredRuns(database);
  if (!runs.ok()) return runs.status();
  std::vector<std::string> warnings;
  const absl::StatusOr<std::vector<NamedMetric>> shown = MetricsOfTable(study, database, &warnings);
  if (!shown.ok()) return shown.status();
  const std::map<size_t, PointCounts> counts = CountByPoint(*runs);
  const CountColumns columns = NeededColumns(counts);
  std::vector<std::string> titles = FirstTitles(study, columns);
  std::map<size_t, std::vector<std::string>> rows;
  for (const auto& [point, of_point] : counts) rows[point] = FirstCells(study, point, of_point, columns);
  for (const NamedMetric& metric : *shown) {
    titles.insert(titles.end(), {metric.metric.name, "+/-"});
    const auto values = ValuesByPoint(database, metric.number, metric.metric.info.absent_is_zero);
    if (!values.ok()) return values.status();
    for (auto& [point, cells] : rows) {
      const auto at = values->find(point);
      const MedianInterval median =
          at == values->end() ? MedianInterval() : MedianOf(at->second, kMedianConfidence);
      cells.push_back(at == values->end() ? "-" : ValueText(metric.metric.info, median.median));
      cells.push_back(at == values->end() ? "-" : SpreadText(median));
    }
  }
  Table table;
  table.AddRow(titles);
  for (auto& [point, cells] : rows) table.AddRow(std::move(cells));
  table.Print(width, out);
  return warnings;
}

absl::StatusOr<std::string> SweepCsv(const LoadedStudy& study, Sqlite& database) {
  const absl::StatusOr<std::vector<StoredRun>> runs = StoredRuns(database);
  if (!runs.ok()) return runs.status();
  const absl::StatusOr<std::vector<NamedMetric>> metrics = MetricsByName(database);
  if (!metrics.ok()) return metrics.status();
  std::string text = CsvHeader(study, *metrics);
  for (const StoredRun& run : *runs) {
    const absl::StatusOr<std::map<int64_t, double>> values = ValuesOfRun(database, run.number);
    if (!values.ok()) return values.status();
    absl::StrAppend(&text, CsvLine(study, run, *metrics, *values));
  }
  return text;
}

absl::StatusOr<bool> SeedsHaveEffect(Sqlite& database) {
  const absl::StatusOr<int64_t> differ = database.Number(
      "SELECT EXISTS (SELECT 1 FROM metrics JOIN runs USING (run) GROUP BY point, metric "
      "HAVING min(value) <> max(value) LIMIT 1)");
  if (!differ.ok()) return differ.status();
  return *differ != 0;
}

}  // namespace numasim
