// A run of a scenario for its metrics alone: what a trace of it would give, without a trace.
#ifndef NUMASIM_CLI_RUN_MEASURED_RUN_H_
#define NUMASIM_CLI_RUN_MEASURED_RUN_H_

#include <cstdint>
#include <functional>
#include <string>
#include <vector>

#include "absl/status/statusor.h"
#include "cli/metrics/metrics.h"
#include "workloads/scenario.h"

namespace numasim {

struct MeasuredRun {
  RunMetrics metrics;
  std::vector<std::string> warnings;  // of the scenario and of the machine that was built for it
};

// Simulates on the calling thread, to the end. `periods` have metrics of their own. `stop` is asked about
// every 100 ms: where it says so, the run is given up and the status is Cancelled. Any other status says why
// the scenario has no such run.
absl::StatusOr<MeasuredRun> MeasureRun(const workloads::LoadedScenario& scenario, uint64_t seed,
                                       const std::vector<MetricPeriod>& periods,
                                       const std::function<bool()>& stop);

}  // namespace numasim

#endif  // NUMASIM_CLI_RUN_MEASURED_RUN_H_
