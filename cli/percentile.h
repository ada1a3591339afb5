// Percentiles of the times that a lock's statistics in a trace hold.
#ifndef NUMASIM_CLI_PERCENTILE_H_
#define NUMASIM_CLI_PERCENTILE_H_

#include <cstdint>

#include "proto/trace.pb.h"

namespace numasim {

// Greatest value of the bucket below which `percent` of the values lie, but not above the greatest seen; 0
// where there is none.
int64_t Percentile(const trace::Histogram& histogram, uint64_t percent);

}  // namespace numasim

#endif  // NUMASIM_CLI_PERCENTILE_H_
