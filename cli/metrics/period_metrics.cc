#include "cli/metrics/period_metrics.h"

#include <algorithm>

#include "absl/strings/str_cat.h"

namespace numasim {

void PeriodMetrics::OnSamples(const SampleSpan& samples) {
  last_ns_ = std::max(last_ns_, samples.last_ns());
  if (samples.first_ns > period_.to_ns) return;
  for (size_t i = 0; i < columns_.size(); ++i) {
    // What a sample from before shows is the value with which the period begins.
    if (!any_ || samples.first_ns <= period_.from_ns) {
      columns_[i].Begin(samples.values[i], std::max(samples.first_ns, period_.from_ns));
    } else {
      columns_[i].Add(samples.values[i], samples.first_ns);
    }
  }
  any_ = true;
}

void PeriodMetrics::OnEvent(const trace::Event& event) {
  if (event.time_ns() < period_.from_ns || event.time_ns() > period_.to_ns) return;
  Metric& metric = events_[absl::StrCat(period_.name, ".events.", event.kind())];
  const bool failed_before = metric.info.direction == Direction::kMoreIsWorse;
  metric.info = EventInfo(event.has_failure() || failed_before);
  metric.value += 1;
}

void PeriodMetrics::Finish(std::map<std::string, Metric>& metrics) const {
  if (!any_ || last_ns_ < period_.from_ns) return;
  const int64_t end_ns = std::min(last_ns_, period_.to_ns);
  for (size_t i = 0; i < columns_.size(); ++i) {
    const trace::Column& column = header_.column(static_cast<int>(i));
    const ColumnTotals& totals = columns_[i];
    const std::string name = absl::StrCat(period_.name, ".", column.name());
    const int64_t value = column.gauge() ? totals.last() : totals.growth();
    metrics[name] = {.info = InfoOf(column), .value = static_cast<double>(value)};
    metrics[name + ".changed_ns"] = {.info = {.unit = kNanoseconds, .kind = MetricInfo::Kind::kTime},
                                     .value = static_cast<double>(totals.changed_ns())};
    if (column.gauge()) totals.AddGauge(name, InfoOf(column), end_ns, metrics);
  }
  metrics.insert(events_.begin(), events_.end());
}

}  // namespace numasim
