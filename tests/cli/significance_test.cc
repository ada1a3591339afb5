#include "cli/statistics/significance.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <functional>
#include <random>
#include <string>
#include <vector>

namespace numasim {
namespace {

using ::testing::ElementsAre;

// How many of all deals of the values into samples of these sizes have a rank sum as far from the expected
// one as the given one, counted deal by deal: what MannWhitney() counts in another way.
double PByDealing(const std::vector<double>& a, const std::vector<double>& b) {
  std::vector<double> all = a;
  all.insert(all.end(), b.begin(), b.end());
  const auto rank_sum = [&](unsigned deal) {  // of the dealt ones, doubled, less what is expected
    int sum = 0;
    for (size_t i = 0; i < all.size(); ++i) {
      if ((deal >> i & 1) == 0) continue;
      for (const double other : all) sum += other < all[i] ? 2 : other == all[i] ? 1 : 0;
      sum += 1;
    }
    return std::abs(sum - static_cast<int>(a.size() * (all.size() + 1)));
  };
  int far = 0;
  int deals = 0;
  for (unsigned deal = 0; deal < 1u << all.size(); ++deal) {
    if (__builtin_popcount(deal) != static_cast<int>(a.size())) continue;
    ++deals;
    far += rank_sum(deal) >= rank_sum((1u << a.size()) - 1) ? 1 : 0;
  }
  return static_cast<double>(far) / deals;
}

// The example of R's wilcox.test, from Hollander and Wolfe, "Nonparametric Statistical Methods", 1973, p. 69:
// W = 35, p = 0.1272 on one side.
TEST(MannWhitneyTest, PublishedExample) {
  const std::vector<double> term = {0.80, 0.83, 1.89, 1.04, 1.45, 1.38, 1.91, 1.64, 0.73, 1.46};
  const std::vector<double> weeks = {1.15, 0.88, 0.90, 0.74, 1.21};
  EXPECT_NEAR(MannWhitney(term, weeks), 2 * 0.1272, 0.0001);
  EXPECT_EQ(MannWhitney(weeks, term), MannWhitney(term, weeks));
}

// The tables' critical value for two samples of 5 at 0.05 is U = 2.
TEST(MannWhitneyTest, CriticalValueOfTheTables) {
  EXPECT_LT(MannWhitney({1, 2, 3, 4, 7}, {5, 6, 8, 9, 10}), 0.05);  // U = 2
  EXPECT_GT(MannWhitney({1, 2, 3, 4, 8}, {5, 6, 7, 9, 10}), 0.05);  // U = 3
}

TEST(MannWhitneyTest, CountsAllDealsAlsoWithTies) {
  EXPECT_DOUBLE_EQ(MannWhitney({1, 2, 3}, {4, 5, 6}), 2.0 / 20);
  std::mt19937_64 random(1);
  for (int trial = 0; trial < 30; ++trial) {
    std::vector<double> a(1 + random() % 6);
    std::vector<double> b(1 + random() % 6);
    for (std::vector<double>* sample : {&a, &b}) {
      for (double& value : *sample) value = static_cast<double>(random() % 4);
    }
    EXPECT_DOUBLE_EQ(MannWhitney(a, b), PByDealing(a, b));
  }
}

TEST(MannWhitneyTest, EqualValuesAreNoDifference) {
  EXPECT_EQ(MannWhitney({5, 5, 5}, {5, 5, 5}), 1);
  EXPECT_EQ(MannWhitney(std::vector<double>(40, 5), std::vector<double>(40, 5)), 1);
}

// By the formula, in Python: var = n * m / 12 * (N + 1 - T / (N * (N - 1))); z = (abs(R - E) - 0.5) /
// sqrt(var); erfc(z / sqrt(2)). 30 values against the same ones plus 8.5: R = 672, E = 915, T = 0; each of 0
// to 4 six times against 1 to 5: R = 765 + ..., T = 4 * (12^3 - 12) + 2 * (6^3 - 6).
TEST(MannWhitneyTest, LargeSamplesByTheNormalApproximation) {
  std::vector<double> a, b, tied_a, tied_b;
  for (int i = 0; i < 30; ++i) {
    a.push_back(i);
    b.push_back(i + 8.5);
    tied_a.push_back(i / 6);
    tied_b.push_back(1 + i / 6);
  }
  EXPECT_NEAR(MannWhitney(a, b), 0.0012361845632, 1e-12);
  EXPECT_NEAR(MannWhitney(tied_a, tied_b), 0.0151403986456, 1e-12);
}

using Draw = std::function<double(std::mt19937_64&)>;

// How many of 1,000 pairs of samples of one distribution are found to differ at 0.05.
int FalseAlarms(size_t size, const Draw& draw) {
  std::mt19937_64 random(3);
  int alarms = 0;
  for (int trial = 0; trial < 1000; ++trial) {
    std::vector<double> a(size), b(size);
    for (double& value : a) value = draw(random);
    for (double& value : b) value = draw(random);
    alarms += MannWhitney(a, b) <= 0.05 ? 1 : 0;
  }
  return alarms;
}

// Of 1,000 tests with a chance of 0.05 each, more than 80 alarm once in 100,000 times: the sum of the
// binomial distribution from 81 on is below 2e-5. Where values are many and different, the chance is little
// below 0.05 (0.043 for samples of 10), and fewer than 20 are as rare.
TEST(MannWhitneyTest, FalseAlarmsAreNoMoreThanTheLevelSays) {
  const Draw uniform = [](auto& random) { return static_cast<double>(random()); };
  const Draw long_tailed = [](auto& random) { return 1 / static_cast<double>(1 + random() % 100000); };
  const Draw few_values = [](auto& random) { return static_cast<double>(random() % 3); };
  const Draw rare_event = [](auto& random) { return static_cast<double>(random() % 10 / 9); };
  for (const size_t size : {10, 30}) {
    for (const Draw& draw : {uniform, long_tailed, few_values}) {
      EXPECT_LE(FalseAlarms(size, draw), 80);
      EXPECT_GE(FalseAlarms(size, draw), 20);
    }
    EXPECT_LE(FalseAlarms(size, rare_event), 80);
  }
}

TEST(LeastMannWhitneyTest, IsThatOfSamplesThatDoNotOverlap) {
  EXPECT_EQ(LeastMannWhitney(1, 1), 1);
  EXPECT_DOUBLE_EQ(LeastMannWhitney(2, 3), MannWhitney({1, 2}, {3, 4, 5}));
  EXPECT_DOUBLE_EQ(LeastMannWhitney(9, 9),
                   MannWhitney({1, 2, 3, 4, 5, 6, 7, 8, 9}, {11, 12, 13, 14, 15, 16, 17, 18, 19}));
  EXPECT_EQ(LeastMannWhitney(2000, 2000), 0);
}

// 2 / C(2n, n) is 0.1 for 3 and 0.029 for 4 values; 1.6e-4 for 8 and 4.1e-5 for 9, which is 0.05 / 1215.5.
TEST(ValuesNeededTest, GrowsWithTheTests) {
  EXPECT_EQ(ValuesNeeded(1, 0.05), 4u);
  EXPECT_EQ(ValuesNeeded(1, 0.2), 3u);
  EXPECT_EQ(ValuesNeeded(321, 0.05), 8u);
  EXPECT_EQ(ValuesNeeded(322, 0.05), 9u);
  EXPECT_EQ(ValuesNeeded(1215, 0.05), 9u);
  EXPECT_EQ(ValuesNeeded(1216, 0.05), 10u);
}

// Sorted: 0.01, 0.02, 0.03, 0.04, of which Holm takes 4, 3, 2 and 1 times, and none below the one before.
TEST(HolmTest, EachAgainstThoseNotYetRejected) {
  EXPECT_THAT(HolmAdjusted({0.04, 0.01, 0.03, 0.02}), ElementsAre(0.06, 0.04, 0.06, 0.06));
  EXPECT_THAT(HolmAdjusted({0.9, 0.001, 0.6}), ElementsAre(1, 0.003, 1));
  EXPECT_TRUE(HolmAdjusted({}).empty());
}

// Tables of the sign test's interval: for 95%, the ends up to 5 values tell nothing, 6 to 8 values have their
// ends (1 - 2 * 2^-6 = 0.969), 9 to 11 the second ones, 12 the third, 20 the sixth.
TEST(MedianTest, IntervalsOfTheTables) {
  const auto interval_of = [](int n) {
    std::vector<double> values;
    for (int i = n; i > 0; --i) values.push_back(i);
    return MedianOf(values, 0.95);
  };
  for (int n = 1; n <= 5; ++n) EXPECT_FALSE(interval_of(n).bounded) << n;
  for (const auto& [n, low] :
       std::vector<std::pair<int, int>>{{6, 1}, {8, 1}, {9, 2}, {11, 2}, {12, 3}, {20, 6}}) {
    const MedianInterval interval = interval_of(n);
    EXPECT_TRUE(interval.bounded) << n;
    EXPECT_EQ(interval.low, low) << n;
    EXPECT_EQ(interval.high, n + 1 - low) << n;
    EXPECT_EQ(interval.median, (n + 1) / 2.0) << n;
  }
}

// The interval of 10 values, the second to the ninth, covers the median in 97.9% of samples: of 1,000, fewer
// than 955 or more than 995 happen less than once in 10,000 times.
// 2^(1-n) is the chance that all of n values lie on one side of the median.
TEST(MedianTest, ValuesThatAnIntervalNeeds) {
  EXPECT_EQ(ValuesForInterval(0.95), 6u);
  EXPECT_EQ(ValuesForInterval(0.9375), 5u);
  EXPECT_EQ(ValuesForInterval(0.94), 6u);
  EXPECT_EQ(ValuesForInterval(0.999), 11u);
}

TEST(MedianTest, IntervalCoversTheMedianAsOftenAsItSays) {
  std::mt19937_64 random(4);
  std::uniform_real_distribution<double> uniform(0, 1);
  int covered = 0;
  for (int trial = 0; trial < 1000; ++trial) {
    std::vector<double> values(10);
    for (double& value : values) value = uniform(random);
    const MedianInterval interval = MedianOf(values, 0.95);
    covered += interval.low <= 0.5 && 0.5 <= interval.high ? 1 : 0;
  }
  EXPECT_GE(covered, 955);
  EXPECT_LE(covered, 995);
}

TEST(MedianTest, ManyValuesDoNotUnderflow) {
  std::vector<double> values(5000);
  for (size_t i = 0; i < values.size(); ++i) values[i] = static_cast<double>(i);
  // 1.96 standard deviations, of sqrt(5000) / 2 values each, to both sides.
  const MedianInterval interval = MedianOf(values, 0.95);
  EXPECT_NEAR(interval.low, 2500 - 69.3, 2);
  EXPECT_NEAR(interval.high, 2500 + 69.3, 2);
}

}  // namespace
}  // namespace numasim
