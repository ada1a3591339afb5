// A sweep's database as a side of `numasim compare`.
#ifndef NUMASIM_CLI_SWEEP_SWEEP_SIDE_H_
#define NUMASIM_CLI_SWEEP_SWEEP_SIDE_H_

#include <string>
#include <vector>

#include "absl/status/statusor.h"
#include "cli/compare/comparison.h"

namespace numasim {

// A value of a parameter that points are to have.
struct PointChoice {
  std::string option;  // that it was given with, for messages: "--where-new"
  std::string text;    // "NAME=VALUE"
};

// The runs of those points that have all these values of parameters; no choice: of all points.
// An error if the sweep has not come to its end, or if one of these runs failed: what is left would look like
// all.
absl::StatusOr<Side> ReadSweepSide(const std::string& path, const std::vector<PointChoice>& where);

}  // namespace numasim

#endif  // NUMASIM_CLI_SWEEP_SWEEP_SIDE_H_
