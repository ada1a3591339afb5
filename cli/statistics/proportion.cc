#include "cli/statistics/proportion.h"

#include <cmath>

namespace numasim {
namespace {

// The probability of at most `hits` of `trials` where each has the chance `share`, 0 < share < 1.
double AtMost(int64_t hits, int64_t trials, double share) {
  // In logarithms, as the first may be smaller than any double.
  const double step = std::log(share) - std::log1p(-share);
  double log_term = static_cast<double>(trials) * std::log1p(-share);
  double sum = std::exp(log_term);
  for (int64_t k = 0; k < hits; ++k) {
    log_term += step + std::log(static_cast<double>(trials - k)) - std::log(static_cast<double>(k + 1));
    sum += std::exp(log_term);
  }
  return sum;
}

// The greatest share for which so few hits are not less likely than `error`.
double UpperBound(int64_t hits, int64_t trials, double error) {
  if (hits == trials) return 1;
  double low = 0;
  double high = 1;
  // The probability falls as the share rises; a bit of the answer for each halving.
  for (int i = 0; i < 52; ++i) {
    const double middle = (low + high) / 2;
    (AtMost(hits, trials, middle) > error ? low : high) = middle;
  }
  return high;
}

}  // namespace

ShareBounds BoundsOfShare(int64_t hits, int64_t trials, double error) {
  if (trials == 0) return {};
  // So many hits are so few misses.
  return {.low = 1 - UpperBound(trials - hits, trials, error), .high = UpperBound(hits, trials, error)};
}

}  // namespace numasim
