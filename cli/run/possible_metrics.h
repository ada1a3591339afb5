// The metrics that a run can have, as far as they are known before it: so a misspelt condition costs no run.
#ifndef NUMASIM_CLI_RUN_POSSIBLE_METRICS_H_
#define NUMASIM_CLI_RUN_POSSIBLE_METRICS_H_

#include <vector>

#include "cli/metrics/metric.h"
#include "cli/metrics/metrics.h"
#include "proto/trace.pb.h"
#include "workloads/simulation.h"

namespace numasim {

// Of the trace's columns, of every event, and of every operation with every way to fail, whether they come
// about or not. Their values mean nothing. Locks are not among them: many are made with what they protect.
// `periods` have those of their own.
RunMetrics PossibleMetrics(const workloads::Simulation& simulation, const trace::Header& header,
                           const std::vector<MetricPeriod>& periods = {});

}  // namespace numasim

#endif  // NUMASIM_CLI_RUN_POSSIBLE_METRICS_H_
