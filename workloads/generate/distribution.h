// Distribution: a random whole number (bytes, nanoseconds, parts of a share), as the scenario's message
// Distribution describes it. A value: owned by the plan that it is part of, drawn from on any LP.
//
// A draw is an exact function of the stream's bits, in arithmetic that is the same everywhere
// (portable_math.h). Continuous ones are drawn by inverse transform of a uniform number u, a multiple of
// 2^-53 less half of one: never 0 or 1, so that each has a greatest value, which a caller can ask for before
// anything is drawn. With limits, values outside of them are drawn again: the distribution under the
// condition that it is inside.
#ifndef NUMASIM_WORKLOADS_GENERATE_DISTRIBUTION_H_
#define NUMASIM_WORKLOADS_GENERATE_DISTRIBUTION_H_

#include <cstdint>
#include <limits>
#include <variant>
#include <vector>

#include "sim/random.h"

namespace numasim::workloads {

// A number between 0 and 1 without both ends.
double OpenUniform(sim::RandomStream& stream);

struct Constant {
  int64_t value = 0;
};

// Each whole number from low to high, both included.
struct UniformRange {
  int64_t low = 0;
  int64_t high = 0;
};

// mean * -ln(u)
struct ExponentialShape {
  double mean = 0;
  double AtUniform(double u) const;
  double Below(double x) const;  // the probability of a value up to x; any digits will do
};

// median * exp(sigma * z) with the standard normal quantile z of u.
struct LognormalShape {
  double median = 0;
  double sigma = 0;
  double AtUniform(double u) const;
  double Below(double x) const;
};

// scale * (-ln u)^(1 / shape)
struct WeibullShape {
  double scale = 0;
  double shape = 0;
  double AtUniform(double u) const;
  double Below(double x) const;
};

struct Continuous {
  std::variant<ExponentialShape, LognormalShape, WeibullShape> shape;
  int64_t least = 0;
  int64_t most = std::numeric_limits<int64_t>::max();

  // The share of the values that are inside of the limits.
  double Inside() const;
};

// step * k for k of 1 to ranks, with a probability in proportion to k^-exponent: rejection-inversion, W.
// Hoermann and G. Derflinger, Rejection-inversion to generate variates from monotone discrete distributions,
// ACM Transactions on Modeling and Computer Simulation 6, 1996.
class Zipf {
 public:
  // ranks from 1, exponent from 0 (all alike).
  Zipf(int64_t step, int64_t ranks, double exponent);

  int64_t Draw(sim::RandomStream& stream) const;
  int64_t greatest() const { return step_ * ranks_; }
  bool single() const { return ranks_ == 1; }

 private:
  double Area(double x) const;         // below x^-exponent, from 1 to x
  double InverseArea(double y) const;  // where that is y
  double Height(double x) const;

  int64_t step_;
  int64_t ranks_;
  double exponent_;
  double area_begin_;
  double area_end_;
  double sure_;  // so near to its rank, a point is always taken
};

// Values with weights: of a list, or of a file.
class Choice {
 public:
  // As many weights as values, or none: all alike. At least one value; weights are not negative and their sum
  // is positive.
  Choice(std::vector<int64_t> values, const std::vector<double>& weights);

  int64_t Draw(sim::RandomStream& stream) const;
  const std::vector<int64_t>& values() const { return values_; }

 private:
  std::vector<int64_t> values_;
  std::vector<double> up_to_;  // the sum of the weights up to each value
};

class Distribution {
 public:
  using Kind = std::variant<Constant, UniformRange, Continuous, Zipf, Choice>;

  Distribution() : kind_(Constant{}) {}
  explicit Distribution(Kind kind) : kind_(std::move(kind)) {}

  // Not negative. Requires Greatest() below 2^63.
  int64_t Draw(sim::RandomStream& stream) const;
  // Not less than any value that Draw returns, and not more than a rounding error above what it can return.
  double Greatest() const;
  // Draws differ.
  bool random() const;

 private:
  Kind kind_;
};

// Of `n` things one is drawn by weight; see Choice.
size_t DrawIndex(const std::vector<double>& up_to, sim::RandomStream& stream);
// The sum of the weights up to each; `weights` empty: all 1.
std::vector<double> SumsOf(const std::vector<double>& weights, size_t n);

}  // namespace numasim::workloads

#endif  // NUMASIM_WORKLOADS_GENERATE_DISTRIBUTION_H_
