// Where the results of a sweep's runs go: into its database, or into a file that another process reads.
#ifndef NUMASIM_CLI_SWEEP_SWEEP_OUTPUT_H_
#define NUMASIM_CLI_SWEEP_SWEEP_OUTPUT_H_

#include <cstddef>
#include <cstdint>
#include <set>
#include <string>
#include <vector>

#include "absl/status/status.h"
#include "cli/metrics/metrics.h"
#include "cli/sweep/study.h"

namespace numasim {

// What a run that succeeded gave.
struct SweepResult {
  RunMetrics metrics;              // those that the study keeps
  std::vector<std::string> unmet;  // what the scenario expected in vain, a line for each metric
};

// Called by one thread at a time.
class SweepOutput {
 public:
  virtual ~SweepOutput() = default;

  // The numbers of runs that are in, also of those that failed.
  virtual const std::set<int64_t>& finished() const = 0;
  virtual size_t failed() const = 0;

  // The run begins. That is worth noting only where the process may be lost without anyone seeing it.
  virtual absl::Status Begin(const SweepRun& /*run*/) { return absl::OkStatus(); }
  // A run with what it gave, or with what is wrong with it.
  virtual absl::Status Add(const SweepRun& run, const SweepResult& result) = 0;
  virtual absl::Status AddFailure(const SweepRun& run, const std::string& message) = 0;
};

}  // namespace numasim

#endif  // NUMASIM_CLI_SWEEP_SWEEP_OUTPUT_H_
