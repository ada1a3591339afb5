#include "cli/percentile.h"

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

}  // namespace numasim
