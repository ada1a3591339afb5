// Whether the conditions of a study's searches are about metrics that its runs can have, before there is a
// run.
#ifndef NUMASIM_CLI_SWEEP_SWEEP_CONDITIONS_H_
#define NUMASIM_CLI_SWEEP_SWEEP_CONDITIONS_H_

#include "absl/status/status.h"
#include "cli/sweep/study.h"
#include "cli/sweep/sweep_scenarios.h"

namespace numasim {

// A condition that is about none at any point is InvalidArgument; so is one that compares a metric with a
// value of another unit. Builds the machine of one point, or of each where a condition may be wrong.
absl::Status CheckFinds(const LoadedStudy& study, const SweepScenarios& scenarios);

}  // namespace numasim

#endif  // NUMASIM_CLI_SWEEP_SWEEP_CONDITIONS_H_
