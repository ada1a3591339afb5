#include "cli/metrics/column_metrics.h"

#include <algorithm>

namespace numasim {

void ColumnTotals::Begin(int64_t value, int64_t now_ns) {
  first_ = last_ = least_ = peak_ = value;
  first_ns_ = since_ns_ = now_ns;
  area_ = 0;
}

void ColumnTotals::Change(int64_t value, int64_t now_ns) {
  area_ = AreaAt(now_ns);
  least_ = std::min(least_, value);
  peak_ = std::max(peak_, value);
  last_ = value;
  since_ns_ = now_ns;
}

double ColumnTotals::AreaAt(int64_t now_ns) const {
  return area_ + static_cast<double>(last_) * (static_cast<double>(now_ns) - static_cast<double>(since_ns_));
}

void ColumnTotals::AddGauge(const std::string& name, MetricInfo info, int64_t now_ns,
                            std::map<std::string, Metric>& metrics) const {
  metrics[name + ".least"] = {.info = info, .value = static_cast<double>(least_)};
  metrics[name + ".peak"] = {.info = info, .value = static_cast<double>(peak_)};
  if (info.kind == MetricInfo::Kind::kCount) info.kind = MetricInfo::Kind::kMean;
  const double time_ns = static_cast<double>(now_ns) - static_cast<double>(first_ns_);
  const double mean = time_ns > 0 ? AreaAt(now_ns) / time_ns : static_cast<double>(last_);
  metrics[name + ".mean"] = {.info = info, .value = mean};
}

MetricInfo InfoOf(const trace::Column& column) {
  MetricInfo info = {.unit = column.unit()};
  if (column.unit() == kNanoseconds) info.kind = MetricInfo::Kind::kTime;
  if (column.has_more_is_worse())
    info.direction = column.more_is_worse() ? Direction::kMoreIsWorse : Direction::kLessIsWorse;
  return info;
}

MetricInfo EventInfo(bool is_failure) {
  return {.unit = "events",
          .direction = is_failure ? Direction::kMoreIsWorse : Direction::kNeither,
          .absent_is_zero = true};
}

}  // namespace numasim
