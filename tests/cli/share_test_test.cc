#include "cli/statistics/share_test.h"

#include <gtest/gtest.h>

#include <cmath>

#include "cli/statistics/proportion.h"
#include "sim/random.h"

namespace numasim {
namespace {

// Without hits the upper bound is where none are as likely as the error: (1 - p)^n.
TEST(ProportionTest, BoundsWithoutHitsAndWithoutMisses) {
  for (const int64_t n : {1, 8, 100, 1000}) {
    const double bound = 1 - std::pow(0.05, 1.0 / static_cast<double>(n));
    EXPECT_NEAR(BoundsOfShare(0, n, 0.05).high, bound, 1e-9) << n;
    EXPECT_EQ(BoundsOfShare(0, n, 0.05).low, 0) << n;
    EXPECT_NEAR(BoundsOfShare(n, n, 0.05).low, 1 - bound, 1e-9) << n;
    EXPECT_EQ(BoundsOfShare(n, n, 0.05).high, 1) << n;
  }
}

// One of two: at most one hit has the chance 1 - p^2, at least one 1 - (1 - p)^2.
TEST(ProportionTest, BoundsOfOneInTwo) {
  EXPECT_NEAR(BoundsOfShare(1, 2, 0.1).high, std::sqrt(0.9), 1e-9);
  EXPECT_NEAR(BoundsOfShare(1, 2, 0.1).low, 1 - std::sqrt(0.9), 1e-9);
}

// Clopper and Pearson's own table has 2 of 10 between 0.025 and 0.556 at 95%.
TEST(ProportionTest, BoundsAreThoseOfTheTable) {
  const ShareBounds bounds = BoundsOfShare(2, 10, 0.025);
  EXPECT_NEAR(bounds.low, 0.025, 0.0005);
  EXPECT_NEAR(bounds.high, 0.556, 0.0005);
}

TEST(ProportionTest, NothingSeenTellsNothing) {
  EXPECT_EQ(BoundsOfShare(0, 0, 0.05).low, 0);
  EXPECT_EQ(BoundsOfShare(0, 0, 0.05).high, 1);
}

TEST(ShareTestTest, BatchesDoubleUpToTheMost) {
  const ShareTest test = {.most = 100};
  EXPECT_EQ(test.Next(0), 8);
  EXPECT_EQ(test.Next(8), 16);
  EXPECT_EQ(test.Next(64), 100);
  EXPECT_EQ(test.Looks(), 5);  // after 8, 16, 32, 64 and 100
  EXPECT_EQ((ShareTest{.most = 3}).Next(0), 3);
  EXPECT_EQ((ShareTest{.most = 3}).Looks(), 1);
}

TEST(ShareTestTest, JudgesByTheBounds) {
  const ShareTest test = {.bound = 0.5, .error = 0.05, .most = 8};
  EXPECT_EQ(test.Judge(0, 8), ShareVerdict::kBelow);
  EXPECT_EQ(test.Judge(4, 8), ShareVerdict::kUndecided);
  EXPECT_EQ(test.Judge(8, 8), ShareVerdict::kNotBelow);
}

struct Verdicts {
  int wrong = 0;
  int decided = 0;
  int64_t trials = 0;
};

// A thousand tests of whether a share of `share` lies below 10%.
Verdicts TestOften(double share) {
  const ShareTest test = {.bound = 0.1, .error = 0.05, .most = 512};
  sim::RandomStream random(1, "trials");
  Verdicts verdicts;
  for (int i = 0; i < 1000; ++i) {
    int64_t hits = 0;
    int64_t trials = 0;
    ShareVerdict verdict = ShareVerdict::kUndecided;
    while (verdict == ShareVerdict::kUndecided && trials < test.most) {
      const int64_t next = test.Next(trials);
      for (; trials < next; ++trials) hits += random.Bernoulli(share) ? 1 : 0;
      verdict = test.Judge(hits, trials);
    }
    verdicts.trials += trials;
    if (verdict == ShareVerdict::kUndecided) continue;
    ++verdicts.decided;
    if ((verdict == ShareVerdict::kBelow) != (share < test.bound)) ++verdicts.wrong;
  }
  return verdicts;
}

// Just on the wrong side, where mistakes are likeliest, at most one in twenty is wrong: four standard
// deviations above that would be 78 of a thousand.
TEST(ShareTestTest, IsWrongAtMostAsOftenAsItSays) {
  EXPECT_LE(TestOften(0.1).wrong, 78);
  EXPECT_LE(TestOften(0.0999).wrong, 78);
}

TEST(ShareTestTest, FarFromTheBoundFewTrialsAreEnough) {
  const Verdicts high = TestOften(0.9);
  EXPECT_EQ(high.decided, 1000);
  EXPECT_EQ(high.wrong, 0);
  EXPECT_LT(high.trials, 8100);
  EXPECT_EQ(TestOften(0.01).wrong, 0);
  EXPECT_GT(TestOften(0.01).decided, 990);
}

}  // namespace
}  // namespace numasim
