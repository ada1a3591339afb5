// Condition: what a user wants to hold, or not to happen, of the numbers of a run, such as
// "operation.guests.map.failed_share < 1%". A value; whether it holds is judged where there are metrics.
#ifndef NUMASIM_WORKLOADS_CONDITION_H_
#define NUMASIM_WORKLOADS_CONDITION_H_

#include <string>
#include <string_view>

#include "absl/status/statusor.h"

namespace numasim::workloads {

struct Condition {
  enum class Comparison { kLess, kLessOrEqual, kGreater, kGreaterOrEqual, kEqual, kNotEqual };
  enum class Unit { kNone, kPercent, kTime, kSize };

  std::string text;    // as written
  std::string metric;  // a name of a metric, or a glob over names
  Comparison comparison = Comparison::kLess;
  double value = 0;  // of kPercent as a share, of kTime in nanoseconds, of kSize in bytes
  Unit unit = Unit::kNone;

  bool HoldsFor(double measured) const;
};

// "METRIC OP VALUE" with OP one of < <= > >= == !=, and VALUE a number, a percentage ("1%"), a time ("10ms")
// or a size with K, M, G or T ("64M"). A mistake is InvalidArgument whose message goes on after the text.
absl::StatusOr<Condition> ParseCondition(std::string_view text);

}  // namespace numasim::workloads

#endif  // NUMASIM_WORKLOADS_CONDITION_H_
