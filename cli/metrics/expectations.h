// Expectations: the conditions that a scenario's `expect` and the command line's --fail-on set for a run.
#ifndef NUMASIM_CLI_METRICS_EXPECTATIONS_H_
#define NUMASIM_CLI_METRICS_EXPECTATIONS_H_

#include <string>
#include <vector>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "cli/metrics/metrics.h"
#include "workloads/scenario.h"

namespace numasim {

class Expectations {
 public:
  // Those of the scenario, which must hold, and those that must not. A text of `fail_on` that is no condition
  // is InvalidArgument.
  static absl::StatusOr<Expectations> Create(const workloads::LoadedScenario& scenario,
                                             const std::vector<std::string>& fail_on);

  bool empty() const { return all_.empty(); }

  // Before the run, whose metrics can be no others than `possible` and those of locks: InvalidArgument where
  // a condition is about none of these, or compares one with a value of another unit.
  absl::Status CheckNames(const RunMetrics& possible);

  struct Verdict {
    std::vector<std::string> not_met;   // a line for each metric that is not as it should be
    std::vector<std::string> mistakes;  // a line for each condition that means nothing in this run
  };
  // In the order in which the conditions are written. No line at all: all is well.
  Verdict Judged(const RunMetrics& run) const;

 private:
  struct Expected {
    workloads::Condition condition;
    std::string place;  // for messages: "FILE:LINE: expect", "--fail-on"
    bool should_hold;
    bool possible = false;  // CheckNames() knows a metric that it is about
  };

  std::vector<Expected> all_;
};

}  // namespace numasim

#endif  // NUMASIM_CLI_METRICS_EXPECTATIONS_H_
