// What a sweep has found, as a table for people and as CSV for programs.
#ifndef NUMASIM_CLI_SWEEP_SWEEP_REPORT_H_
#define NUMASIM_CLI_SWEEP_SWEEP_REPORT_H_

#include <cstddef>
#include <ostream>
#include <string>
#include <vector>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "cli/sweep/sqlite.h"
#include "cli/sweep/study.h"

namespace numasim {

// A row for each point that was run: its values, and of each column and metric that the study shows the
// median over seeds and how far the median's confidence interval reaches; the value alone where each point
// was run once. `width` in characters; 0: any. Returns what of the study had no effect: the globs of `show`
// that match nothing.
absl::StatusOr<std::vector<std::string>> PrintSweepTable(const LoadedStudy& study, Sqlite& database,
                                                         size_t width, std::ostream& out);

// A line for each run, by number: point, seed, parameters, why it failed, and every metric that is kept, by
// name. The same text for any number of threads.
absl::StatusOr<std::string> SweepCsv(const LoadedStudy& study, Sqlite& database);

// Whether runs of one point differ in any metric.
absl::StatusOr<bool> SeedsHaveEffect(Sqlite& database);

}  // namespace numasim

#endif  // NUMASIM_CLI_SWEEP_SWEEP_REPORT_H_
