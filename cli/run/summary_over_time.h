// The part of a run's summary that tells how it went: a run that has ended has often given everything back.
#ifndef NUMASIM_CLI_RUN_SUMMARY_OVER_TIME_H_
#define NUMASIM_CLI_RUN_SUMMARY_OVER_TIME_H_

#include <ostream>

#include "cli/metrics/metrics.h"

namespace numasim {

// Of each gauge that changed, but for what is too fine for a summary (free blocks by order, PCP lists), the
// least value, the mean over simulated time, the greatest, and the last. Nothing where none did.
void PrintOverTime(const RunMetrics& run, std::ostream& out);

}  // namespace numasim

#endif  // NUMASIM_CLI_RUN_SUMMARY_OVER_TIME_H_
