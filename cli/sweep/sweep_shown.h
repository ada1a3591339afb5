// The view `shown` of a sweep's database: a row for each run that succeeded, with the point's parameters and
// what the study's columns compute of its metrics. The table at the end is made of it, and so is any query of
// the user's.
#ifndef NUMASIM_CLI_SWEEP_SWEEP_SHOWN_H_
#define NUMASIM_CLI_SWEEP_SWEEP_SHOWN_H_

#include <cstddef>
#include <map>
#include <string>
#include <vector>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "cli/sweep/sqlite.h"
#include "cli/sweep/study.h"

namespace numasim {

// Whether SQLite understands the expressions of all columns. A mistake is "FILE:LINE: column 'NAME': ..".
absl::Status CheckColumns(const LoadedStudy& study);

// Makes the view, or makes it anew where the study's columns have changed.
absl::Status MakeShownView(const LoadedStudy& study, Sqlite& database);

// What a column has for a run.
struct ShownValue {
  bool is_text = false;
  double number = 0;
  std::string text;
};

// A column's values by point, in the order of runs; nothing of runs for which it is NULL.
absl::StatusOr<std::map<size_t, std::vector<ShownValue>>> ShownValues(Sqlite& database,
                                                                      const std::string& column);

// A line for each name in a column that is neither a parameter nor a metric that is kept.
absl::StatusOr<std::vector<std::string>> UnknownNames(const LoadedStudy& study, Sqlite& database);

}  // namespace numasim

#endif  // NUMASIM_CLI_SWEEP_SWEEP_SHOWN_H_
