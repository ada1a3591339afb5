// The metrics of a part of a run, made of what the run reports as it goes. Owned by who reads all of the
// run's.
//
//   PERIOD.NAME             of a gauge its value at the period's end, of another counter how much it grew
//   PERIOD.NAME.least, .peak, .mean    of a gauge, within the period
//   PERIOD.NAME.changed_ns  from the period's beginning to when the value last changed within it; 0: never
//   PERIOD.events.KIND      how often an event was reported
#ifndef NUMASIM_CLI_METRICS_PERIOD_METRICS_H_
#define NUMASIM_CLI_METRICS_PERIOD_METRICS_H_

#include <cstdint>
#include <map>
#include <string>
#include <utility>
#include <vector>

#include "cli/metrics/column_metrics.h"
#include "cli/metrics/metric.h"
#include "proto/trace.pb.h"
#include "proto/trace_reader.h"

namespace numasim {

class PeriodMetrics {
 public:
  // `header` is of the run, and must outlive this.
  PeriodMetrics(const trace::Header& header, MetricPeriod period)
      : header_(header), period_(std::move(period)), columns_(header.column_size()) {}

  void OnSamples(const SampleSpan& samples);
  void OnEvent(const trace::Event& event);

  // Adds the metrics by name. A period that begins after the last sample has none.
  void Finish(std::map<std::string, Metric>& metrics) const;

 private:
  const trace::Header& header_;
  const MetricPeriod period_;
  std::vector<ColumnTotals> columns_;
  std::map<std::string, Metric> events_;  // by name
  bool any_ = false;                      // a sample was seen
  int64_t last_ns_ = 0;                   // of all samples
};

}  // namespace numasim

#endif  // NUMASIM_CLI_METRICS_PERIOD_METRICS_H_
