// What a metric is: a number of a run, with what is known of its kind. cli/metrics/metrics.h makes them of a
// run.
#ifndef NUMASIM_CLI_METRICS_METRIC_H_
#define NUMASIM_CLI_METRICS_METRIC_H_

#include <cstdint>
#include <limits>
#include <string>

namespace numasim {

enum class Direction { kNeither, kMoreIsWorse, kLessIsWorse };

inline constexpr char kNanoseconds[] = "ns";
// Of what is 0 to 1 of a whole.
inline constexpr char kShareUnit[] = "share";

struct MetricInfo {
  enum class Kind { kCount, kMean, kTime };

  std::string unit;  // kNanoseconds of a time, kShareUnit of a share
  Kind kind = Kind::kCount;
  Direction direction = Direction::kNeither;
  bool absent_is_zero = false;  // a run that does not name it has none of it: an event, a wait
};

struct Metric {
  MetricInfo info;
  double value = 0;  // exact up to 2^53
};

// A part of a run that has metrics of its own, in simulated nanoseconds, both ends included.
struct MetricPeriod {
  std::string name;
  int64_t from_ns = 0;
  int64_t to_ns = std::numeric_limits<int64_t>::max();  // the end of the run
};

}  // namespace numasim

#endif  // NUMASIM_CLI_METRICS_METRIC_H_
