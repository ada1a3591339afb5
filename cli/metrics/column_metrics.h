// What the samples of one counter come to over a stretch of a run. A value stands until a sample shows
// another.
#ifndef NUMASIM_CLI_METRICS_COLUMN_METRICS_H_
#define NUMASIM_CLI_METRICS_COLUMN_METRICS_H_

#include <cstdint>
#include <map>
#include <string>

#include "cli/metrics/metric.h"
#include "proto/trace.pb.h"

namespace numasim {

class ColumnTotals {
 public:
  // The stretch begins.
  void Begin(int64_t value, int64_t now_ns);
  // Most columns stand still most of the time.
  void Add(int64_t value, int64_t now_ns) {
    if (value != last_) Change(value, now_ns);
  }

  int64_t last() const { return last_; }
  int64_t growth() const { return last_ - first_; }
  // From the beginning to when the value last changed; 0: never.
  int64_t changed_ns() const { return since_ns_ - first_ns_; }

  // Adds NAME.least, .peak and .mean, over the time until `now_ns`.
  void AddGauge(const std::string& name, MetricInfo info, int64_t now_ns,
                std::map<std::string, Metric>& metrics) const;

 private:
  void Change(int64_t value, int64_t now_ns);
  double AreaAt(int64_t now_ns) const;

  int64_t first_ = 0;
  int64_t first_ns_ = 0;
  int64_t last_ = 0;
  int64_t since_ns_ = 0;  // it has had this value
  int64_t least_ = 0;
  int64_t peak_ = 0;
  double area_ = 0;  // the values before, times the nanoseconds for which they stood
};

// Of the column's last value, or of how much it grew.
MetricInfo InfoOf(const trace::Column& column);

// Of how often an event was reported.
MetricInfo EventInfo(bool is_failure);

}  // namespace numasim

#endif  // NUMASIM_CLI_METRICS_COLUMN_METRICS_H_
