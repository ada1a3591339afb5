// The metrics of a sweep's page, as many as it has room for.
#ifndef NUMASIM_CLI_REPORT_SWEEP_METRICS_H_
#define NUMASIM_CLI_REPORT_SWEEP_METRICS_H_

#include <cstddef>
#include <string>
#include <vector>

#include "absl/status/statusor.h"
#include "cli/report/report_sweep.h"

namespace numasim {

// Members of a JSON object: "metrics" (SeriesJson()), of which the first "wanted" are the study's columns
// that are numbers, and the metrics that it shows or, where it shows none, its searches ask about; the first
// "drawn" of all are drawn at once; "constants", those that are the same in all runs; and what was left out
// to have no more than about `most_bytes`: "withoutRuns" have medians alone, "withoutRoom" nothing.
// "wantedWithoutRoom" names some of these that the study shows.
absl::StatusOr<std::string> SweepMetricsJson(const ReportSweep& sweep, const std::vector<size_t>& points,
                                             size_t most_bytes);

}  // namespace numasim

#endif  // NUMASIM_CLI_REPORT_SWEEP_METRICS_H_
