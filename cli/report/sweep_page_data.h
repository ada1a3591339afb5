// A sweep as the JSON that its page reads (page/sweep/data.js).
#ifndef NUMASIM_CLI_REPORT_SWEEP_PAGE_DATA_H_
#define NUMASIM_CLI_REPORT_SWEEP_PAGE_DATA_H_

#include <cstddef>
#include <string>

#include "absl/status/statusor.h"
#include "cli/report/report_sweep.h"

namespace numasim {

// One JSON object, safe to stand between <script> tags. It has no more than `most_bytes` as far as leaving
// out can do it: the values of single runs first, then metrics that the study does not show; it says what.
absl::StatusOr<std::string> SweepPageData(const ReportSweep& sweep, size_t most_bytes);

}  // namespace numasim

#endif  // NUMASIM_CLI_REPORT_SWEEP_PAGE_DATA_H_
