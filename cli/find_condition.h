// A condition on one metric of a run, as a study's searches have them: "events.hugetlb_failed > 0".
#ifndef NUMASIM_CLI_FIND_CONDITION_H_
#define NUMASIM_CLI_FIND_CONDITION_H_

#include <string>

#include "absl/status/statusor.h"

namespace numasim {

struct FindCondition {
  enum class Op { kLess, kAtMost, kMore, kAtLeast, kEqual, kNotEqual };

  std::string metric;
  Op op = Op::kMore;
  double value = 0;  // times in nanoseconds, sizes in bytes, percent as a share

  bool Holds(double of_metric) const;
};

// "METRIC OP VALUE" with an OP of < <= > >= == and !=, and a number that may have '%' or a unit of time or
// size. A mistake reads on after the text: "is no condition; expected ..".
absl::StatusOr<FindCondition> ParseFindCondition(const std::string& text);

}  // namespace numasim

#endif  // NUMASIM_CLI_FIND_CONDITION_H_
