// The metrics that a sweep's database holds, and which of them its study shows.
#ifndef NUMASIM_CLI_SWEEP_SHOWN_METRICS_H_
#define NUMASIM_CLI_SWEEP_SHOWN_METRICS_H_

#include <cstdint>
#include <vector>

#include "absl/status/statusor.h"
#include "cli/sweep/sqlite.h"
#include "cli/sweep/sweep_results.h"
#include "proto/study.pb.h"

namespace numasim {

// Of the intervals of the medians over seeds that are shown.
inline constexpr double kMedianConfidence = 0.95;

struct NamedMetric {
  int64_t number = 0;  // in the database
  StoredMetric metric;
};

absl::StatusOr<std::vector<NamedMetric>> MetricsByName(Sqlite& database);

// What the globs of `Study.show` choose.
struct ShownMetrics {
  std::vector<bool> chosen;  // by place among the metrics
  std::vector<int> idle;     // places of globs that match none
};

ShownMetrics MetricsShownBy(const Study& study, const std::vector<NamedMetric>& metrics);

}  // namespace numasim

#endif  // NUMASIM_CLI_SWEEP_SHOWN_METRICS_H_
