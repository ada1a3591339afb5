// What the histograms of a trace say of times in few numbers.
#ifndef NUMASIM_CLI_STATISTICS_PERCENTILE_H_
#define NUMASIM_CLI_STATISTICS_PERCENTILE_H_

#include <cstdint>
#include <optional>

#include "proto/trace.pb.h"

namespace numasim {

// Greatest value of the bucket below which `percent` of the values lie, but not above the greatest seen; 0
// where there is none.
int64_t Percentile(const trace::Histogram& histogram, uint64_t percent);

// A histogram in few numbers, in nanoseconds.
struct TimesSummary {
  int64_t mean = 0;  // rounded down
  int64_t median = 0;
  int64_t percentile_99 = 0;
  int64_t max = 0;
};

// `count` is how many times the histogram is of; there is nothing to say of none.
std::optional<TimesSummary> SummaryOf(const trace::Histogram& times, uint64_t count);

}  // namespace numasim

#endif  // NUMASIM_CLI_STATISTICS_PERCENTILE_H_
