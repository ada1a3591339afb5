#include "workloads/batch/lublin_model.h"

#include <algorithm>
#include <array>
#include <cmath>
#include <utility>

#include "absl/strings/str_cat.h"
#include "sim/random.h"
#include "workloads/batch/log_values.h"
#include "workloads/generate/distribution.h"
#include "workloads/generate/portable_math.h"

namespace numasim::workloads {
namespace {

struct GammaShape {
  double shape;
  double scale;
};

// The published parameters of batch jobs.
constexpr double kSerial = 0.2927;      // jobs of one CPU
constexpr double kPowerOfTwo = 0.6686;  // jobs whose CPUs are a power of two for certain
constexpr double kSmallestLog2 = 1.2;
constexpr double kBelowMiddle = 0.875;  // in the lower stage
constexpr double kMiddleToLargest = 2;  // log2: 5 of 7, for the 128 CPUs that they were fitted to
constexpr GammaShape kShortRun = {6.57, 0.823};
constexpr GammaShape kLongRun = {639.1, 0.0156};
constexpr double kShortWithoutCpus = 0.6986;  // the share of short runs among jobs of no CPU,
constexpr double kShortPerCpu = -0.003;       // and what each CPU changes
constexpr double kLongestRunLog = 12;         // e^12 s, nearly two days
constexpr GammaShape kRushGap = {6.0415 * 1.0519, 0.8531};
constexpr double kLongestGapLog = 13;
constexpr GammaShape kDay = {6.1271, 5.2740};  // of half hours
constexpr int kHalfHours = 48;
constexpr int kDayBegins = 11;  // the half hour that the gamma distribution's first one is
constexpr double kHalfHour = 1800;

// G. Marsaglia, W. W. Tsang, A simple method for generating gamma variables, ACM Transactions on Mathematical
// Software 26, 2000; for shapes from 1. sqrt() is exact everywhere.
double DrawGamma(const GammaShape& of, sim::RandomStream& stream) {
  const double d = of.shape - 1.0 / 3;
  const double c = 1 / std::sqrt(9 * d);
  for (;;) {
    const double x = NormalQuantile(OpenUniform(stream));
    const double root = 1 + c * x;
    if (root <= 0) continue;
    const double v = root * root * root;
    const double u = OpenUniform(stream);
    if (PortableLog(u) < 0.5 * x * x + d - d * v + d * PortableLog(v)) return d * v * of.scale;
  }
}

// e^x of a gamma distribution, with x up to `most`, in seconds.
double DrawExpGamma(const GammaShape& of, double most, sim::RandomStream& stream) {
  for (;;) {
    const double x = DrawGamma(of, stream);
    if (x <= most) return PortableExp(x);
  }
}

class CpuCounts {
 public:
  explicit CpuCounts(int32_t largest) : largest_(largest), log2_(PortableLog(largest) / PortableLog(2)) {}

  int64_t Draw(sim::RandomStream& stream) const {
    const double kind = OpenUniform(stream);
    if (kind <= kSerial) return 1;
    double x = TwoStages(stream);
    if (kind <= kSerial + kPowerOfTwo) x = std::floor(x + 0.5);
    const auto cpus = static_cast<int64_t>(PortablePower(2, x) + 0.5);
    return std::clamp<int64_t>(cpus, 2, largest_);
  }

 private:
  double TwoStages(sim::RandomStream& stream) const {
    const double middle = log2_ - kMiddleToLargest;
    const double least = std::min(kSmallestLog2, middle);
    const double stage = OpenUniform(stream);
    const double at = OpenUniform(stream);
    return stage <= kBelowMiddle ? least + at * (middle - least) : middle + at * (log2_ - middle);
  }

  int32_t largest_;
  double log2_;
};

int64_t DrawRunSeconds(int64_t cpus, sim::RandomStream& stream) {
  const double shorts = std::clamp(kShortWithoutCpus + kShortPerCpu * static_cast<double>(cpus), 0.0, 1.0);
  const GammaShape& of = OpenUniform(stream) <= shorts ? kShortRun : kLongRun;
  return std::max<int64_t>(1, static_cast<int64_t>(DrawExpGamma(of, kLongestRunLog, stream)));
}

// How much of what arrives in a day arrives in each half hour of it, from midnight on; 1 on average.
std::array<double, kHalfHours> DayShares() {
  // Without the factor that is the same for all.
  const auto density = [](double x) {
    return PortableExp((kDay.shape - 1) * PortableLog(x) - x / kDay.scale);
  };
  std::array<double, kHalfHours> shares = {};
  double sum = 0;
  for (int i = kDayBegins; i < kDayBegins + kHalfHours; ++i) {
    // Simpson's rule over the half hour: its error is far below the digits of the parameters.
    const double share = (density(i - 0.5) + 4 * density(i) + density(i + 0.5)) / 6;
    shares[static_cast<size_t>((i - 1) % kHalfHours)] = share;
    sum += share;
  }
  for (double& share : shares) share *= kHalfHours / sum;
  return shares;
}

// Arrivals, one after another. A gap is drawn as if it were always the same time of the day, and goes on
// until the half hours that it lasts have shares that make up as much.
class Arrivals {
 public:
  explicit Arrivals(double pace) : pace_(pace), shares_(DayShares()) {}

  // In seconds from midnight of the first day.
  double Next(sim::RandomStream& stream) {
    double left = DrawExpGamma(kRushGap, kLongestGapLog, stream) / pace_;
    for (double rest; (rest = (kHalfHour - offset_) * share()) <= left; left -= rest) {
      ++half_hour_;
      offset_ = 0;
    }
    offset_ += left / share();
    return static_cast<double>(half_hour_) * kHalfHour + offset_;
  }

 private:
  double share() const { return shares_[static_cast<size_t>(half_hour_ % kHalfHours)]; }

  double pace_;
  std::array<double, kHalfHours> shares_;
  int64_t half_hour_ = 0;
  double offset_ = 0;  // seconds into it
};

}  // namespace

JobLog LublinModel::Generate(uint64_t seed, const std::string& component) const {
  constexpr double kEndOfTime = 9.2e9;  // s
  sim::RandomStream gaps(seed, absl::StrCat(component, ".arrival"));
  sim::RandomStream sizes(seed, absl::StrCat(component, ".cpus"));
  sim::RandomStream runs(seed, absl::StrCat(component, ".run"));
  const CpuCounts counts(cpus);
  Arrivals arrivals(pace);
  JobLog log;
  log.jobs.reserve(static_cast<size_t>(jobs));
  for (int64_t number = 1; number <= jobs; ++number) {
    const double at = arrivals.Next(gaps);
    if (at > kEndOfTime) break;
    Job job = {.id = absl::StrCat(number), .line = number};
    job.submit_ns = static_cast<int64_t>(at) * kNsPerSecond;
    const int64_t wide = counts.Draw(sizes);
    job.millicpus = wide * 1000;
    job.run_ns = DrawRunSeconds(wide, runs) * kNsPerSecond;
    log.jobs.push_back(std::move(job));
  }
  return log;
}

}  // namespace numasim::workloads
