// Expectations: the conditions that a scenario's `expect` and the command line's --fail-on set for a run.
#ifndef NUMASIM_CLI_METRICS_EXPECTATIONS_H_
#define NUMASIM_CLI_METRICS_EXPECTATIONS_H_

#include <string>
#include <vector>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "cli/metrics/metrics.h"
#include "proto/trace.pb.h"
#include "workloads/scenario.h"

namespace numasim {

class Expectations {
 public:
  // Those of the scenario, which must hold, and those that must not. A text of `fail_on` that is no condition
  // is InvalidArgument.
  static absl::StatusOr<Expectations> Create(const workloads::LoadedScenario& scenario,
                                             const std::vector<std::string>& fail_on);

  bool empty() const { return all_.empty(); }

  // Before the run: InvalidArgument where a condition is about a counter that the trace does not have.
  absl::Status CheckCounters(const trace::Header& header) const;

  // A line for each metric that is not as it should be, in the order in which the conditions are written;
  // none: all is well. A condition that means nothing in this run is InvalidArgument.
  absl::StatusOr<std::vector<std::string>> NotMet(const RunMetrics& run) const;

 private:
  struct Expected {
    workloads::Condition condition;
    std::string place;  // for messages: "FILE:LINE: expect", "--fail-on"
    bool should_hold;
  };

  std::vector<Expected> all_;
};

}  // namespace numasim

#endif  // NUMASIM_CLI_METRICS_EXPECTATIONS_H_
