// Whether two samples differ by more than chance, without an assumption on how their values are distributed:
// times of a simulation have long tails, and counters many equal values. Pure functions.
//
// What benchstat does for Go's benchmarks (golang.org/x/perf/benchmath: Mann-Whitney U test, median with a
// confidence interval from order statistics), and Holm's correction, as a trace has hundreds of metrics.
#ifndef NUMASIM_CLI_STATISTICS_SIGNIFICANCE_H_
#define NUMASIM_CLI_STATISTICS_SIGNIFICANCE_H_

#include <cstddef>
#include <vector>

#include "absl/types/span.h"

namespace numasim {

// The two-sided p-value of the rank sum test (H. B. Mann and D. R. Whitney, "On a test of whether one of two
// random variables is stochastically larger than the other", Annals of Mathematical Statistics 18, 1947):
// how likely it is that the values, dealt at random to two samples of these sizes, give rank sums as far from
// the expected ones as here or farther. Equal values share the mean of their ranks.
//
// Exact, also with equal values, for up to kExactValues in both together; else by the normal approximation,
// corrected for ties and continuity. 1 if all values are equal. Neither sample may be empty.
double MannWhitney(absl::Span<const double> a, absl::Span<const double> b);
inline constexpr size_t kExactValues = 50;

// The least p-value that samples of these sizes can have: of the two orders in which all values of one are
// below all of the other, out of all.
double LeastMannWhitney(size_t a, size_t b);

// The p-values, in the given order, each made so much larger that among all those at or below a level the
// chance of even one false one is at most the level, however the tests depend on one another (S. Holm, "A
// simple sequentially rejective multiple test procedure", Scandinavian Journal of Statistics 6, 1979).
std::vector<double> HolmAdjusted(const std::vector<double>& p_values);

// How many values each of two samples needs at least so that one of `tests` tests can come out at or below
// `level` after HolmAdjusted(): 4 for one test at 0.05, 9 for 322 to 1,215. `level` is above 0.
size_t ValuesNeeded(size_t tests, double level);

struct MedianInterval {
  double median = 0;
  // Between two of the values, equally far from the ends of the sorted sample, as near to the middle as
  // `confidence` allows: the median of what the sample is drawn from lies between them at least as often.
  double low = 0;
  double high = 0;
  bool bounded = false;  // false: too few values for that confidence, `low` and `high` are the ends
};

// `values` is not empty; `confidence` is below 1. From the binomial distribution of how many values lie below
// the median (H. A. David and H. N. Nagaraja, "Order Statistics", 2003, section 7.1).
MedianInterval MedianOf(std::vector<double> values, double confidence);

// How many values MedianOf() needs at least for an interval: 6 for 0.95. `confidence` is below 1.
size_t ValuesForInterval(double confidence);

}  // namespace numasim

#endif  // NUMASIM_CLI_STATISTICS_SIGNIFICANCE_H_
