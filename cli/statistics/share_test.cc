#include "cli/statistics/share_test.h"

#include <algorithm>

namespace numasim {

int64_t ShareTest::Next(int64_t trials) const { return std::min(most, std::max(kFirst, 2 * trials)); }

int64_t ShareTest::Looks() const {
  int64_t looks = 1;
  for (int64_t trials = Next(0); trials < most; trials = Next(trials)) ++looks;
  return looks;
}

ShareBounds ShareTest::Bounds(int64_t hits, int64_t trials) const {
  return BoundsOfShare(hits, trials, error / static_cast<double>(Looks()));
}

ShareVerdict ShareTest::Judge(int64_t hits, int64_t trials) const {
  const ShareBounds bounds = Bounds(hits, trials);
  if (bounds.high < bound) return ShareVerdict::kBelow;
  if (bounds.low >= bound) return ShareVerdict::kNotBelow;
  return ShareVerdict::kUndecided;
}

}  // namespace numasim
