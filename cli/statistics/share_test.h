// Whether a share lies below a bound, decided with as few trials as it takes: they come in batches, each as
// large as all before it, and after each it is looked whether that is enough.
#ifndef NUMASIM_CLI_STATISTICS_SHARE_TEST_H_
#define NUMASIM_CLI_STATISTICS_SHARE_TEST_H_

#include <cstdint>

#include "cli/statistics/proportion.h"

namespace numasim {

enum class ShareVerdict { kBelow, kNotBelow, kUndecided };

struct ShareTest {
  double bound = 0.05;  // between 0 and 1
  double error = 0.05;  // the chance that the verdict is wrong, however often it is looked
  int64_t most = 256;   // trials; at least 1
  // Of the first batch, where there are as many.
  static constexpr int64_t kFirst = 8;

  // How many trials there are to be after `trials` of them, none at first.
  int64_t Next(int64_t trials) const;
  // How often it is looked at most.
  int64_t Looks() const;
  // What is sure after `trials` that Next() has named. Undecided: more are needed, or there are no more.
  ShareVerdict Judge(int64_t hits, int64_t trials) const;
  // What Judge looks at. Looking several times gives several chances to be wrong, so each has its part of
  // `error`. Only one of the two bounds can be wrong in a way that matters, so each may have that part.
  ShareBounds Bounds(int64_t hits, int64_t trials) const;
};

}  // namespace numasim

#endif  // NUMASIM_CLI_STATISTICS_SHARE_TEST_H_
