// What is in the database of a sweep (cli/sweep/sweep_schema.h). Every status begins with the file's name.
#ifndef NUMASIM_CLI_SWEEP_SWEEP_RESULTS_H_
#define NUMASIM_CLI_SWEEP_SWEEP_RESULTS_H_

#include <cstddef>
#include <cstdint>
#include <map>
#include <memory>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "absl/status/statusor.h"
#include "cli/metrics/metrics.h"
#include "cli/sweep/sqlite.h"

namespace numasim {

struct StoredMetric {
  std::string name;
  MetricInfo info;
};

struct StoredRun {
  int64_t number = 0;
  size_t point = 0;
  uint64_t seed = 0;
  std::string scenario_name;
  uint64_t scenario_hash = 0;
  bool failed = false;
  std::string failure;             // why
  std::vector<std::string> unmet;  // what of the scenario's expectations does not hold
};

// Of the runs of a point, how many there are, failed, are not as their scenario expects.
struct PointCounts {
  int64_t runs = 0;
  int64_t failed = 0;
  int64_t unmet = 0;
};

std::map<size_t, PointCounts> CountByPoint(const std::vector<StoredRun>& runs);

using PointParameters =
    std::vector<std::pair<std::string, std::string>>;  // names and values, in the study's order

// Opens it to be read. An error if it is no sweep's, or of tables that this program does not know.
absl::StatusOr<std::unique_ptr<Sqlite>> OpenSweepDatabase(const std::string& path);

// What the table `study` says, by name.
absl::StatusOr<std::map<std::string, std::string>> StoredStudy(Sqlite& database);

// By number.
absl::StatusOr<std::map<int64_t, StoredMetric>> StoredMetrics(Sqlite& database);

// By number.
absl::StatusOr<std::vector<StoredRun>> StoredRuns(Sqlite& database);

// Why a run failed, "" if it did not; nothing if it has not ended.
absl::StatusOr<std::optional<std::string>> FailureOfRun(Sqlite& database, int64_t run);

// The values of a run by the metric's number.
absl::StatusOr<std::map<int64_t, double>> ValuesOfRun(Sqlite& database, int64_t run);

// The metrics of a run by name.
absl::StatusOr<std::map<std::string, Metric>> MetricsOfRun(Sqlite& database, int64_t run,
                                                           const std::map<int64_t, StoredMetric>& metrics);

// The values of a metric by point, in the order of runs. Of those that do not name it, zeros where that is
// what it means.
absl::StatusOr<std::map<size_t, std::vector<double>>> ValuesByPoint(Sqlite& database, int64_t metric,
                                                                    bool absent_is_zero);

// By point; nothing of a study without parameters.
absl::StatusOr<std::map<size_t, PointParameters>> StoredParameters(Sqlite& database);

}  // namespace numasim

#endif  // NUMASIM_CLI_SWEEP_SWEEP_RESULTS_H_
