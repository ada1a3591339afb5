// Verdict: whether the conditions that a user set hold for a run.
#ifndef NUMASIM_CLI_METRICS_VERDICT_H_
#define NUMASIM_CLI_METRICS_VERDICT_H_

#include <string>
#include <vector>

#include "absl/status/statusor.h"
#include "cli/metrics/metrics.h"
#include "workloads/condition.h"

namespace numasim {

// A condition on one of the metrics that it is about.
struct Judgement {
  std::string metric;
  std::string value;  // for people: see ValueText()
  bool holds = false;
};

// Of each metric that the condition's name or glob means, by name. A count of failures of a kind that did not
// come about is 0. Fails, in words that go on after the condition's text: NotFound where it means no metric,
// InvalidArgument where it compares one with a value of another unit.
absl::StatusOr<std::vector<Judgement>> Judge(const workloads::Condition& condition, const RunMetrics& run);

// Whether a name or glob may mean metrics of locks, which are made with what they protect and so not known
// before a run: also where it begins with a wildcard.
bool MayBeOfLock(const std::string& metric);

// "; did you mean 'node0.numa_hit'?", where one of the run's is near; or nothing.
std::string DidYouMeanMetric(const std::string& metric, const RunMetrics& run);

}  // namespace numasim

#endif  // NUMASIM_CLI_METRICS_VERDICT_H_
