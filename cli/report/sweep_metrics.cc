#include "cli/report/sweep_metrics.h"

#include <fnmatch.h>

#include <algorithm>
#include <utility>

#include "absl/status/status.h"
#include "absl/strings/str_cat.h"
#include "cli/report/page_json.h"
#include "cli/report/sweep_series.h"
#include "cli/sweep/shown_metrics.h"
#include "cli/sweep/sweep_shown.h"

namespace numasim {
namespace {

// Metrics that are drawn at once: at most, and where the study does not say which.
constexpr size_t kMostDrawn = 48;
constexpr size_t kFirstDrawn = 6;
constexpr size_t kMostNames = 20;  // in a warning

// Whether a search asks about the metric.
bool IsSearched(const LoadedStudy& study, const std::string& metric) {
  return std::any_of(study.finds.begin(), study.finds.end(), [&](const LoadedFind& find) {
    return fnmatch(find.condition.metric.c_str(), metric.c_str(), 0) == 0;
  });
}

// Those that are wanted at once, by place.
std::vector<bool> Wanted(const LoadedStudy& study, const std::vector<NamedMetric>& metrics) {
  std::vector<bool> wanted = MetricsShownBy(study.proto, metrics).chosen;
  if (study.proto.show_size() > 0) return wanted;
  for (size_t m = 0; m < wanted.size(); ++m) wanted[m] = IsSearched(study, metrics[m].metric.name);
  return wanted;
}

// Puts metrics into a page while there is room, those first that are drawn at once.
class MetricsWriter {
 public:
  MetricsWriter(const ReportSweep& sweep, const std::vector<size_t>& points, size_t most_bytes)
      : sweep_(sweep), points_(points), room_(most_bytes) {}

  absl::Status Write();
  std::string Text() const;

 private:
  // See SeriesJson() and RunsJson().
  struct Series {
    std::string text;
    std::string runs;
  };

  absl::Status AddColumn(const LoadedColumn& column);
  absl::Status Add(const NamedMetric& metric, bool wanted);
  void LeaveOut(const NamedMetric& metric, bool wanted);
  // False where there is no room.
  bool AddConstant(const NamedMetric& metric, double value);
  bool AddSeries(const NamedMetric& metric, const PointValues& values);
  bool Take(size_t bytes) {
    if (bytes > room_) return false;
    room_ -= bytes;
    return true;
  }
  void DropRunsWithoutRoom();

  const ReportSweep& sweep_;
  const std::vector<size_t>& points_;
  size_t room_;
  size_t wanted_ = 0;  // of series_
  size_t drawn_ = 0;
  size_t without_room_ = 0;
  size_t without_runs_ = 0;
  std::vector<std::string> wanted_without_room_;
  std::vector<Series> series_;
  std::string constants_;
};

absl::Status MetricsWriter::Write() {
  const absl::StatusOr<std::vector<NamedMetric>> metrics = MetricsByName(*sweep_.database);
  if (!metrics.ok()) return metrics.status();
  for (const LoadedColumn& column : sweep_.study.columns) {
    if (absl::Status status = AddColumn(column); !status.ok()) return status;
  }
  const std::vector<bool> wanted = Wanted(sweep_.study, *metrics);
  for (const bool now : {true, false}) {
    for (size_t m = 0; m < metrics->size(); ++m) {
      if (wanted[m] != now) continue;
      if (absl::Status status = Add((*metrics)[m], now); !status.ok()) return status;
    }
    if (now) wanted_ = series_.size();
  }
  drawn_ = wanted_ > 0 ? std::min(wanted_, kMostDrawn) : std::min(series_.size(), kFirstDrawn);
  DropRunsWithoutRoom();
  return absl::OkStatus();
}

// What the study computes is wanted in any case. A text has no place on an axis.
absl::Status MetricsWriter::AddColumn(const LoadedColumn& column) {
  const auto shown = ShownValues(*sweep_.database, column.name);
  if (!shown.ok()) return shown.status();
  PointValues values;
  for (const auto& [point, of_point] : *shown) {
    for (const ShownValue& value : of_point) {
      if (value.is_text) return absl::OkStatus();
      values[point].push_back(value.number);
    }
  }
  const NamedMetric metric = {.number = 0, .metric = {.name = column.name, .info = column.info}};
  if (!AddSeries(metric, values)) LeaveOut(metric, /*wanted=*/true);
  return absl::OkStatus();
}

absl::Status MetricsWriter::Add(const NamedMetric& metric, bool wanted) {
  // What is left out for want of room costs no reading either.
  if (without_room_ > 0) {
    LeaveOut(metric, wanted);
    return absl::OkStatus();
  }
  const auto values = ValuesByPoint(*sweep_.database, metric.number, metric.metric.info.absent_is_zero);
  if (!values.ok()) return values.status();
  const bool constant = !wanted && IsConstant(*values);
  if (constant ? !AddConstant(metric, values->begin()->second.front()) : !AddSeries(metric, *values))
    LeaveOut(metric, wanted);
  return absl::OkStatus();
}

void MetricsWriter::LeaveOut(const NamedMetric& metric, bool wanted) {
  ++without_room_;
  if (wanted && wanted_without_room_.size() < kMostNames) wanted_without_room_.push_back(metric.metric.name);
}

bool MetricsWriter::AddConstant(const NamedMetric& metric, double value) {
  const std::string text =
      PrintJson({{"name", metric.metric.name}, {"unit", metric.metric.info.unit}, {"value", value}});
  if (!Take(text.size() + 1)) return false;
  absl::StrAppend(&constants_, constants_.empty() ? "" : ",", text);
  return true;
}

bool MetricsWriter::AddSeries(const NamedMetric& metric, const PointValues& values) {
  std::string text = SeriesJson(metric, values, points_);
  if (!Take(text.size() + 2)) return false;
  series_.push_back({std::move(text), RunsJson(values, points_)});
  return true;
}

void MetricsWriter::DropRunsWithoutRoom() {
  for (Series& series : series_) {
    if (Take(series.runs.size())) continue;
    series.runs.clear();
    ++without_runs_;
  }
}

std::string MetricsWriter::Text() const {
  std::string json = absl::StrCat("\"drawn\":", drawn_, ",\"wanted\":", wanted_,
                                  ",\"withoutRoom\":", without_room_, ",\"withoutRuns\":", without_runs_,
                                  ",\"wantedWithoutRoom\":", PrintJson(wanted_without_room_),
                                  ",\"constants\":[", constants_, "],\"metrics\":[");
  for (size_t i = 0; i < series_.size(); ++i)
    absl::StrAppend(&json, i == 0 ? "" : ",", series_[i].text, series_[i].runs, "}");
  return json + "]";
}

}  // namespace

absl::StatusOr<std::string> SweepMetricsJson(const ReportSweep& sweep, const std::vector<size_t>& points,
                                             size_t most_bytes) {
  MetricsWriter metrics(sweep, points, most_bytes);
  if (absl::Status status = metrics.Write(); !status.ok()) return status;
  return metrics.Text();
}

}  // namespace numasim
