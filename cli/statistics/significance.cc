#include "cli/statistics/significance.h"

#include <algorithm>
#include <cmath>
#include <cstdint>
#include <numeric>

namespace numasim {
namespace {

// The ranks of the values of two samples put together, from 1, equal values sharing their mean. Doubled, so
// that they are whole.
struct Ranks {
  std::vector<size_t> doubled;  // those of `a`, then those of `b`
  double tie_term = 0;          // sum of t^3 - t over groups of t equal values
};

Ranks RanksOf(absl::Span<const double> a, absl::Span<const double> b) {
  std::vector<double> values(a.begin(), a.end());
  values.insert(values.end(), b.begin(), b.end());
  std::vector<size_t> order(values.size());
  std::iota(order.begin(), order.end(), size_t{0});
  std::sort(order.begin(), order.end(), [&](size_t x, size_t y) { return values[x] < values[y]; });
  Ranks ranks;
  ranks.doubled.resize(values.size());
  for (size_t first = 0, end = 0; first < order.size(); first = end) {
    while (end < order.size() && values[order[end]] == values[order[first]]) ++end;
    // Ranks first + 1 to end, whose mean is half of their sum.
    for (size_t i = first; i < end; ++i) ranks.doubled[order[i]] = first + 1 + end;
    const auto t = static_cast<double>(end - first);
    ranks.tie_term += t * t * t - t;
  }
  return ranks;
}

// In how many ways `chosen` of the `ranks` add up to each sum. The ways are at most C(50, 25), which a double
// holds exactly.
std::vector<double> WaysToSums(const std::vector<size_t>& ranks, size_t chosen) {
  const size_t sums = std::accumulate(ranks.begin(), ranks.end(), size_t{0}) + 1;
  // By how many were chosen so far. Each rank in turn is taken or not, the most chosen first, so that none is
  // taken twice.
  std::vector<std::vector<double>> ways(chosen + 1, std::vector<double>(sums, 0.0));
  ways[0][0] = 1;
  for (const size_t rank : ranks) {
    for (size_t k = chosen; k > 0; --k) {
      for (size_t sum = rank; sum < sums; ++sum) ways[k][sum] += ways[k - 1][sum - rank];
    }
  }
  return ways[chosen];
}

// `sum` and `expected` are of doubled ranks of the smaller sample.
double ExactP(const std::vector<size_t>& ranks, size_t chosen, int64_t sum, int64_t expected) {
  const std::vector<double> ways = WaysToSums(ranks, chosen);
  double far = 0;
  double all = 0;
  for (size_t s = 0; s < ways.size(); ++s) {
    all += ways[s];
    if (std::abs(static_cast<int64_t>(s) - expected) >= std::abs(sum - expected)) far += ways[s];
  }
  return far / all;
}

double ApproximateP(double tie_term, double a, double b, int64_t sum, int64_t expected) {
  const double n = a + b;
  const double variance = a * b / 12 * (n + 1 - tie_term / (n * (n - 1)));
  if (variance <= 0) return 1;  // all values are equal
  // Ranks are not doubled here; sums are whole numbers, each standing for half a step to both sides.
  const double distance = static_cast<double>(std::abs(sum - expected)) / 2;
  const double z = std::max(0.0, distance - 0.5) / std::sqrt(variance);
  return std::erfc(z / std::sqrt(2.0));
}

}  // namespace

double MannWhitney(absl::Span<const double> a, absl::Span<const double> b) {
  if (a.size() > b.size()) return MannWhitney(b, a);
  const Ranks ranks = RanksOf(a, b);
  const size_t n = ranks.doubled.size();
  const auto end = ranks.doubled.begin() + static_cast<std::ptrdiff_t>(a.size());
  const auto sum = static_cast<int64_t>(std::accumulate(ranks.doubled.begin(), end, size_t{0}));
  const auto expected = static_cast<int64_t>(a.size() * (n + 1));
  if (n <= kExactValues) return ExactP(ranks.doubled, a.size(), sum, expected);
  return ApproximateP(ranks.tie_term, static_cast<double>(a.size()), static_cast<double>(b.size()), sum,
                      expected);
}

double LeastMannWhitney(size_t a, size_t b) {
  double ways = 1;  // C(a + b, a); infinite for large samples, and the p-value then 0
  for (size_t i = 1; i <= a; ++i) ways *= static_cast<double>(b + i) / static_cast<double>(i);
  return std::min(1.0, 2 / ways);
}

std::vector<double> HolmAdjusted(const std::vector<double>& p_values) {
  std::vector<size_t> order(p_values.size());
  std::iota(order.begin(), order.end(), size_t{0});
  std::sort(order.begin(), order.end(), [&](size_t x, size_t y) { return p_values[x] < p_values[y]; });
  std::vector<double> adjusted(p_values.size());
  // The least has to hold against all tests, the next against all but that one; and none may come out as more
  // certain than one before it.
  double greatest = 0;
  for (size_t i = 0; i < order.size(); ++i) {
    const double p = p_values[order[i]] * static_cast<double>(order.size() - i);
    greatest = std::max(greatest, std::min(1.0, p));
    adjusted[order[i]] = greatest;
  }
  return adjusted;
}

size_t ValuesNeeded(size_t tests, double level) {
  size_t n = 1;
  while (LeastMannWhitney(n, n) * static_cast<double>(tests) > level) ++n;
  return n;
}

MedianInterval MedianOf(std::vector<double> values, double confidence) {
  std::sort(values.begin(), values.end());
  const size_t n = values.size();
  MedianInterval interval = {.median = (values[(n - 1) / 2] + values[n / 2]) / 2,
                             .low = values.front(),
                             .high = values.back(),
                             .bounded = false};
  // The chance that exactly k of the values lie below the true median, for k = 0, 1, ...; in logarithms, as
  // it begins with 2^-n. Leaving out k values at each end leaves out those chances at each end.
  double log_chance = -static_cast<double>(n) * std::log(2.0);
  double outside = 0;
  for (size_t k = 0; 2 * k + 1 < n; ++k) {
    outside += 2 * std::exp(log_chance);
    if (1 - outside < confidence) break;
    interval.low = values[k];
    interval.high = values[n - 1 - k];
    interval.bounded = true;
    log_chance += std::log(static_cast<double>(n - k)) - std::log(static_cast<double>(k + 1));
  }
  return interval;
}

// The widest interval, from end to end, misses the median where all values lie on one side of it.
size_t ValuesForInterval(double confidence) {
  size_t n = 2;
  while (!MedianOf(std::vector<double>(n), confidence).bounded) ++n;
  return n;
}

}  // namespace numasim
