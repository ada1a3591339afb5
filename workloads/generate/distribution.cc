#include "workloads/generate/distribution.h"

#include <algorithm>
#include <cmath>
#include <utility>

#include "sim/check.h"
#include "workloads/generate/portable_math.h"

namespace numasim::workloads {
namespace {

// The ends of what OpenUniform returns.
constexpr double kLeastUniform = 0x1p-54;
constexpr double kGreatestUniform = 1 - 0x1p-53;

template <class... Ts>
struct Overloaded : Ts... {
  using Ts::operator()...;
};

int64_t Rounded(double x) { return static_cast<int64_t>(std::floor(x + 0.5)); }

// Of the shapes some fall with u and others rise.
double GreatestOf(const Continuous& of) {
  const double greatest = std::visit(
      [](const auto& shape) {
        return std::max(shape.AtUniform(kLeastUniform), shape.AtUniform(kGreatestUniform));
      },
      of.shape);
  return std::min(greatest, static_cast<double>(of.most));
}

// Until one is inside of the limits. ReadDistribution refuses limits that hardly anything is inside of.
int64_t DrawInside(const Continuous& of, sim::RandomStream& stream) {
  for (;;) {
    const double u = OpenUniform(stream);
    const double x = std::visit([u](const auto& shape) { return shape.AtUniform(u); }, of.shape);
    if (x >= static_cast<double>(of.least) && x <= static_cast<double>(of.most))
      return std::clamp(Rounded(x), of.least, of.most);
  }
}

}  // namespace

double OpenUniform(sim::RandomStream& stream) {
  // A half more than a multiple of 2^-53 has a digit too many above 1/2, where it is rounded to even; 1 is
  // the only value that must not come out.
  const double u = (static_cast<double>(stream.Next() >> 11) + 0.5) * 0x1p-53;
  return std::min(u, kGreatestUniform);
}

double ExponentialShape::AtUniform(double u) const { return mean * -PortableLog(u); }
double ExponentialShape::Below(double x) const { return -std::expm1(-x / mean); }

double LognormalShape::AtUniform(double u) const { return median * PortableExp(sigma * NormalQuantile(u)); }
double LognormalShape::Below(double x) const {
  if (x <= 0) return 0;
  if (sigma == 0) return x >= median ? 1 : 0;
  return 0.5 * std::erfc(-std::log(x / median) / (sigma * std::sqrt(2.0)));
}

double WeibullShape::AtUniform(double u) const { return scale * PortablePower(-PortableLog(u), 1 / shape); }
double WeibullShape::Below(double x) const { return -std::expm1(-std::pow(x / scale, shape)); }

double Continuous::Inside() const {
  return std::visit(
      [this](const auto& of) {
        return of.Below(static_cast<double>(most)) - of.Below(static_cast<double>(least));
      },
      shape);
}

Zipf::Zipf(int64_t step, int64_t ranks, double exponent) : step_(step), ranks_(ranks), exponent_(exponent) {
  // The area of rank 1 begins so that its part is as large as its probability.
  area_begin_ = Area(1.5) - 1;
  area_end_ = Area(static_cast<double>(ranks) + 0.5);
  sure_ = 2 - InverseArea(Area(2.5) - Height(2));
}

double Zipf::Height(double x) const { return PortableExp(-exponent_ * PortableLog(x)); }

double Zipf::Area(double x) const {
  const double log = PortableLog(x);
  return ExpMinusOneOver((1 - exponent_) * log) * log;
}

double Zipf::InverseArea(double y) const {
  const double t = std::max(y * (1 - exponent_), -1 + 0x1p-53);
  return PortableExp(LogOnePlusOver(t) * y);
}

int64_t Zipf::Draw(sim::RandomStream& stream) const {
  for (;;) {
    const double area = area_end_ + OpenUniform(stream) * (area_begin_ - area_end_);
    const double x = InverseArea(area);
    const double rank = std::clamp(std::floor(x + 0.5), 1.0, static_cast<double>(ranks_));
    if (rank - x <= sure_ || area >= Area(rank + 0.5) - Height(rank))
      return step_ * static_cast<int64_t>(rank);
  }
}

std::vector<double> SumsOf(const std::vector<double>& weights, size_t n) {
  std::vector<double> sums;
  double sum = 0;
  for (size_t i = 0; i < n; ++i) sums.push_back(sum += weights.empty() ? 1 : weights[i]);
  return sums;
}

size_t DrawIndex(const std::vector<double>& up_to, sim::RandomStream& stream) {
  const double at = stream.UniformDouble() * up_to.back();
  const auto found = std::upper_bound(up_to.begin(), up_to.end(), at);
  // Rounding may give the sum itself: it is of the last that has a weight.
  const auto last = std::lower_bound(up_to.begin(), up_to.end(), up_to.back());
  return static_cast<size_t>(std::min(found, last) - up_to.begin());
}

Choice::Choice(std::vector<int64_t> values, const std::vector<double>& weights)
    : values_(std::move(values)), up_to_(SumsOf(weights, values_.size())) {
  NUMASIM_CHECK(!values_.empty());
  NUMASIM_CHECK(up_to_.back() > 0);
}

int64_t Choice::Draw(sim::RandomStream& stream) const { return values_[DrawIndex(up_to_, stream)]; }

int64_t Distribution::Draw(sim::RandomStream& stream) const {
  return std::visit(Overloaded{
                        [](const Constant& of) { return of.value; },
                        [&](const UniformRange& of) {
                          const auto span = static_cast<uint64_t>(of.high - of.low) + 1;
                          return of.low + static_cast<int64_t>(stream.Uniform(span));
                        },
                        [&](const Continuous& of) { return DrawInside(of, stream); },
                        [&](const auto& of) { return of.Draw(stream); },
                    },
                    kind_);
}

double Distribution::Greatest() const {
  return std::visit(
      Overloaded{
          [](const Constant& of) { return static_cast<double>(of.value); },
          [](const UniformRange& of) { return static_cast<double>(of.high); },
          [](const Continuous& of) { return GreatestOf(of); },
          [](const Zipf& of) { return static_cast<double>(of.greatest()); },
          [](const Choice& of) {
            return static_cast<double>(*std::max_element(of.values().begin(), of.values().end()));
          },
      },
      kind_);
}

bool Distribution::random() const {
  return std::visit(Overloaded{
                        [](const Constant&) { return false; },
                        [](const UniformRange& of) { return of.low < of.high; },
                        [](const Continuous&) { return true; },
                        [](const Zipf& of) { return !of.single(); },
                        [](const Choice& of) { return of.values().size() > 1; },
                    },
                    kind_);
}

}  // namespace numasim::workloads
