#include "cli/statistics/percentile.h"

#include <algorithm>

namespace numasim {

int64_t Percentile(const trace::Histogram& histogram, uint64_t percent) {
  uint64_t total = 0;
  for (const trace::Histogram::Bucket& bucket : histogram.bucket()) total += bucket.count();
  uint64_t seen = 0;
  for (const trace::Histogram::Bucket& bucket : histogram.bucket()) {
    seen += bucket.count();
    // seen / total >= percent / 100, without a product that overflows.
    if (seen >= total / 100 * percent + (total % 100 * percent + 99) / 100) {
      return std::min(bucket.high(), histogram.max());
    }
  }
  return histogram.max();
}

std::optional<TimesSummary> SummaryOf(const trace::Histogram& times, uint64_t count) {
  if (count == 0) return std::nullopt;
  return TimesSummary{.mean = static_cast<int64_t>(static_cast<uint64_t>(times.sum()) / count),
                      .median = Percentile(times, 50),
                      .percentile_99 = Percentile(times, 99),
                      .max = times.max()};
}

}  // namespace numasim
