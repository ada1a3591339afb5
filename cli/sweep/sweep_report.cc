#include "cli/sweep/sweep_report.h"

#include <algorithm>
#include <map>
#include <utility>
#include <vector>

#include "absl/strings/str_cat.h"
#include "absl/strings/str_join.h"
#include "cli/metrics/metric_text.h"
#include "cli/statistics/significance.h"
#include "cli/sweep/shown_metrics.h"
#include "cli/sweep/sweep_results.h"
#include "cli/sweep/sweep_shown.h"
#include "cli/text/csv_text.h"
#include "cli/text/text_table.h"

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

// A row for each point that was run, column by column.
class PointTable {
 public:
  PointTable(const LoadedStudy& study, const std::vector<StoredRun>& runs) : points_(CountByPoint(runs)) {
    for (const auto& [point, counts] : points_) {
      repeated_ = repeated_ || counts.runs > 1;
      failed_ = failed_ || counts.failed > 0;
      unmet_ = unmet_ || counts.unmet > 0;
    }
    AddFirstColumns(study);
  }

  // Whether points were run with several seeds: else a value is no median, and has no interval.
  bool repeated() const { return repeated_; }

  // `cell_of` says what a point has there.
  template <class CellOf>
  void AddColumn(const std::string& title, CellOf cell_of) {
    titles_.push_back(title);
    for (const auto& [point, counts] : points_) rows_[point].push_back(cell_of(point, counts));
  }

  // The medians of numbers, by point.
  void AddMedians(const std::string& title, const MetricInfo& info,
                  const std::map<size_t, std::vector<double>>& values) {
    std::map<size_t, MedianInterval> medians;
    for (const auto& [point, of_point] : values) medians[point] = MedianOf(of_point, kMedianConfidence);
    AddColumn(title, [&](size_t point, const PointCounts&) {
      return medians.contains(point) ? ValueText(info, medians[point].median) : "-";
    });
    if (!repeated_) return;
    AddColumn("+/-", [&](size_t point, const PointCounts&) {
      return medians.contains(point) ? SpreadText(medians[point]) : "-";
    });
  }

  void Print(size_t width, std::ostream& out) const {
    Table table;
    table.AddRow(titles_);
    for (const auto& [point, cells] : rows_) table.AddRow(cells);
    table.Print(width, out);
  }

 private:
  void AddFirstColumns(const LoadedStudy& study) {
    for (size_t p = 0; p < study.parameters.size(); ++p) {
      AddColumn(study.parameters[p].name,
                [&](size_t point, const PointCounts&) { return study.ValueAt(point, p); });
    }
    if (study.parameters.empty())
      AddColumn("scenario", [&](size_t, const PointCounts&) { return study.scenario_path; });
    if (repeated_)
      AddColumn("runs", [](size_t, const PointCounts& counts) { return absl::StrCat(counts.runs); });
    // Only where not all is 0.
    if (failed_)
      AddColumn("failed", [](size_t, const PointCounts& counts) { return absl::StrCat(counts.failed); });
    if (unmet_)
      AddColumn("unmet", [](size_t, const PointCounts& counts) { return absl::StrCat(counts.unmet); });
  }

  const std::map<size_t, PointCounts> points_;
  bool repeated_ = false;
  bool failed_ = false;
  bool unmet_ = false;
  std::vector<std::string> titles_;
  std::map<size_t, std::vector<std::string>> rows_;
};

// A text has no median: it is shown where all runs of the point have it.
std::string TextOf(const std::vector<ShownValue>& values) {
  const bool same = std::all_of(values.begin(), values.end(),
                                [&](const ShownValue& value) { return value.text == values[0].text; });
  return same ? values[0].text : "..";
}

void AddShown(const LoadedColumn& column, const std::map<size_t, std::vector<ShownValue>>& values,
              PointTable& table) {
  std::map<size_t, std::vector<double>> numbers;
  std::map<size_t, std::string> texts;
  for (const auto& [point, of_point] : values) {
    for (const ShownValue& value : of_point) {
      numbers[point].push_back(value.number);
      if (value.is_text) texts[point] = TextOf(of_point);
    }
  }
  if (texts.empty()) return table.AddMedians(column.name, column.info, numbers);
  table.AddColumn(column.name, [&](size_t point, const PointCounts&) {
    if (texts.contains(point)) return texts[point];
    return numbers.contains(point)
               ? ValueText(column.info, MedianOf(numbers[point], kMedianConfidence).median)
               : "-";
  });
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
  PointTable table(study, *runs);
  for (const LoadedColumn& column : study.columns) {
    const auto values = ShownValues(database, column.name);
    if (!values.ok()) return values.status();
    AddShown(column, *values, table);
  }
  for (const NamedMetric& metric : *shown) {
    const auto values = ValuesByPoint(database, metric.number, metric.metric.info.absent_is_zero);
    if (!values.ok()) return values.status();
    table.AddMedians(metric.metric.name, metric.metric.info, *values);
  }
  table.Print(width, out);
  if (table.repeated() && (!study.columns.empty() || study.proto.show_size() > 0))
    out << "medians; +/-: how far their 95% intervals reach, inf where there are too few runs for one\n";
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
      "HAVING min(value) <> max(value)) OR EXISTS ("
      // Of what is 0 where a run does not name it, also whether some do and some do not.
      "SELECT 1 FROM metrics JOIN runs USING (run) JOIN metric_names USING (metric) WHERE absent_is_zero "
      "GROUP BY point, metric HAVING max(value) <> 0 AND count(*) < (SELECT count(*) FROM runs AS others "
      "WHERE others.point = runs.point AND others.run NOT IN (SELECT run FROM failures)))");
  if (!differ.ok()) return differ.status();
  return *differ != 0;
}

}  // namespace numasim
