#include "cli/compare/comparison.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <cmath>
#include <cstdint>
#include <random>
#include <set>
#include <string>
#include <vector>

#include "absl/strings/str_cat.h"

namespace numasim {
namespace {

using ::testing::ElementsAre;
using ::testing::IsEmpty;

const MetricInfo kCost = {.unit = "faults", .direction = Direction::kMoreIsWorse};
const MetricInfo kGain = {.unit = "huge pages", .direction = Direction::kLessIsWorse};
const MetricInfo kNeutral = {.unit = "pages"};
const MetricInfo kTime = {
    .unit = "ns", .kind = MetricInfo::Kind::kTime, .direction = Direction::kMoreIsWorse};
const MetricInfo kFailures = {.unit = "events", .direction = Direction::kMoreIsWorse, .absent_is_zero = true};

RunMetrics RunOf(uint64_t seed, std::map<std::string, Metric> metrics) {
  return {.path = absl::StrCat(seed, ".pb"),
          .scenario_name = "s.textproto",
          .program_version = "1",
          .seed = seed,
          .scenario_hash = 5,
          .metrics = std::move(metrics)};
}

// A run for each value of the metric "m".
Side SideOf(const MetricInfo& info, const std::vector<double>& values) {
  Side side;
  for (size_t i = 0; i < values.size(); ++i) side.Add(RunOf(i, {{"m", {info, values[i]}}}));
  return side;
}

ComparedMetric CompareOne(const Side& base, const Side& changed, const CompareRules& rules = {}) {
  const Comparison comparison = Compare(base, changed, rules, {"m"});
  EXPECT_EQ(comparison.metrics.size(), 1u);
  return comparison.metrics.front();
}

Verdict ExactVerdict(const MetricInfo& info, double base, double changed) {
  return CompareOne(SideOf(info, {base}), SideOf(info, {changed})).verdict;
}

TEST(ExactComparisonTest, OneMoreIsADifferenceAndItsDirectionSaysWhich) {
  EXPECT_EQ(ExactVerdict(kCost, 100000, 100001), Verdict::kWorse);
  EXPECT_EQ(ExactVerdict(kCost, 100001, 100000), Verdict::kBetter);
  EXPECT_EQ(ExactVerdict(kGain, 100000, 100001), Verdict::kBetter);
  EXPECT_EQ(ExactVerdict(kGain, 100001, 100000), Verdict::kWorse);
  EXPECT_EQ(ExactVerdict(kNeutral, 100000, 100001), Verdict::kDiffers);
  EXPECT_EQ(ExactVerdict(kCost, 7, 7), Verdict::kEqual);
  EXPECT_EQ(ExactVerdict(kCost, -10, -9), Verdict::kWorse);
}

TEST(ExactComparisonTest, TimesAndMeansMustDifferByTheLeastEffect) {
  const MetricInfo mean = {.unit = "pages", .kind = MetricInfo::Kind::kMean};
  EXPECT_EQ(ExactVerdict(mean, 1000, 1009), Verdict::kSmall);
  EXPECT_EQ(ExactVerdict(mean, 1000, 990), Verdict::kDiffers);
  EXPECT_EQ(ExactVerdict(kTime, 1000, 1009), Verdict::kSmall);
  EXPECT_EQ(ExactVerdict(kTime, 1000, 1010), Verdict::kWorse);
  EXPECT_EQ(ExactVerdict(kTime, 1000, 990), Verdict::kBetter);
}

TEST(ExactComparisonTest, FromZeroIsAnInfiniteChange) {
  const ComparedMetric metric = CompareOne(SideOf(kTime, {0}), SideOf(kTime, {3}));
  EXPECT_EQ(metric.verdict, Verdict::kWorse);
  EXPECT_TRUE(std::isinf(metric.change));
  EXPECT_EQ(metric.p, std::nullopt);
}

TEST(ExactComparisonTest, RunsThatAreAlikeAreComparedExactly) {
  EXPECT_TRUE(Compare(SideOf(kCost, {4, 4, 4}), SideOf(kCost, {5, 5}), {}, {"m"}).exact);
  EXPECT_EQ(CompareOne(SideOf(kCost, {4, 4, 4}), SideOf(kCost, {5, 5})).verdict, Verdict::kWorse);
  EXPECT_FALSE(Compare(SideOf(kCost, {4, 4, 4}), SideOf(kCost, {5, 6}), {}, {"m"}).exact);
}

TEST(ExactComparisonTest, AMetricThatIsNotWantedMakesRunsDifferToo) {
  Side base;
  base.Add(RunOf(1, {{"m", {kCost, 4}}, {"other", {kCost, 1}}}));
  base.Add(RunOf(2, {{"m", {kCost, 4}}, {"other", {kCost, 2}}}));
  EXPECT_FALSE(Compare(base, SideOf(kCost, {5}), {}, {"m"}).exact);
}

TEST(ExactComparisonTest, WhatOneSideLacksIsNoneOrIsNamed) {
  Side base, changed;
  base.Add(RunOf(1, {{"failures", {kFailures, 4}}, {"m", {kCost, 1}}, {"old", {kCost, 1}}}));
  changed.Add(RunOf(1, {{"m", {kCost, 1}}, {"young", {kCost, 1}}}));
  const Comparison comparison = Compare(base, changed, {}, {"failures", "m", "old", "young"});
  EXPECT_THAT(comparison.only_base, ElementsAre("old"));
  EXPECT_THAT(comparison.only_changed, ElementsAre("young"));
  ASSERT_EQ(comparison.metrics.size(), 2u);
  EXPECT_EQ(comparison.metrics[0].name, "failures");
  EXPECT_EQ(comparison.metrics[0].changed.median, 0);
  EXPECT_EQ(comparison.metrics[0].verdict, Verdict::kBetter);
  EXPECT_EQ(Compare(changed, base, {}, {"failures"}).metrics[0].verdict, Verdict::kWorse);
}

TEST(ExactComparisonTest, DirectionIsThatOfTheTraceThatHasOne) {
  EXPECT_EQ(CompareOne(SideOf(kNeutral, {1}), SideOf(kCost, {2})).verdict, Verdict::kWorse);
  EXPECT_EQ(CompareOne(SideOf(kCost, {1}), SideOf(kNeutral, {2})).verdict, Verdict::kWorse);
}

TEST(SideTest, RunsWithoutAnEventHaveNoneOfIt) {
  Side side;
  side.Add(RunOf(1, {}));
  side.Add(RunOf(2, {{"failures", {kFailures, 4}}}));
  side.Add(RunOf(3, {}));
  EXPECT_THAT(side.series().at("failures").values, ElementsAre(0, 4, 0));
}

TEST(SideTest, TheSameRunCountsOnce) {
  Side side;
  side.Add(RunOf(1, {{"m", {kCost, 4}}}));
  RunMetrics again = RunOf(1, {{"m", {kCost, 4}}});
  again.path = "copy.pb";
  side.Add(again);
  EXPECT_EQ(side.runs(), 1u);
  EXPECT_THAT(side.same_runs(), ElementsAre("copy.pb is the same run as 1.pb"));
  again.program_version = "2";
  side.Add(again);
  EXPECT_EQ(side.runs(), 2u);
}

const std::vector<double> kAround100 = {98, 99, 100, 101, 102, 99, 100, 101, 100};
std::vector<double> Shifted(std::vector<double> values, double by) {
  for (double& value : values) value += by;
  return values;
}

TEST(TestedComparisonTest, ShiftBeyondTheSpreadIsFound) {
  const ComparedMetric metric = CompareOne(SideOf(kTime, kAround100), SideOf(kTime, Shifted(kAround100, 5)));
  EXPECT_EQ(metric.verdict, Verdict::kWorse);
  EXPECT_DOUBLE_EQ(metric.change, 0.05);
  EXPECT_LT(*metric.p, 0.001);
  EXPECT_EQ(metric.base.median, 100);
  EXPECT_EQ(metric.base.low, 99);  // the second of nine
  EXPECT_EQ(metric.base.high, 101);
  EXPECT_EQ(metric.base_runs, 9u);
  EXPECT_EQ(CompareOne(SideOf(kGain, kAround100), SideOf(kGain, Shifted(kAround100, 5))).verdict,
            Verdict::kBetter);
}

TEST(TestedComparisonTest, CertainButSmallIsNoDifference) {
  std::vector<double> close;
  for (int i = 0; i < 9; ++i) close.push_back(10000 + i);
  EXPECT_EQ(CompareOne(SideOf(kCost, close), SideOf(kCost, Shifted(close, 50))).verdict, Verdict::kSmall);
  EXPECT_EQ(
      CompareOne(SideOf(kCost, close), SideOf(kCost, Shifted(close, 50)), {.min_effect = 0.001}).verdict,
      Verdict::kWorse);
}

TEST(TestedComparisonTest, LargeButUncertainMayBeChance) {
  const std::vector<double> wide = {10, 50, 90, 130, 170, 210, 250, 290, 330};
  EXPECT_EQ(CompareOne(SideOf(kCost, wide), SideOf(kCost, Shifted(wide, 35))).verdict, Verdict::kChance);
}

TEST(TestedComparisonTest, ThreeRunsASideAreTooFew) {
  const Side base = SideOf(kCost, {100, 101, 102});
  const Side changed = SideOf(kCost, {200, 201, 202});
  EXPECT_EQ(CompareOne(base, changed).verdict, Verdict::kTooFewRuns);
  EXPECT_EQ(Compare(base, changed, {}, {"m"}).runs_needed, 4u);
  EXPECT_EQ(CompareOne(base, changed, {.level = 0.1}).verdict, Verdict::kWorse);  // 2 of 20 orders
}

// `metrics` metrics that are shifted by 20 in `shifted` of them.
Side ManyMetrics(int runs, int metrics, int shifted, std::mt19937_64& random) {
  Side side;
  for (int run = 0; run < runs; ++run) {
    std::map<std::string, Metric> values;
    for (int m = 0; m < metrics; ++m) {
      const double value = 1000 + static_cast<double>(random() % 100) + (m < shifted ? 500 : 0);
      values[absl::StrCat("m", m)] = {kCost, value};
    }
    side.Add(RunOf(static_cast<uint64_t>(run), std::move(values)));
  }
  return side;
}

std::set<std::string> NamesOf(const Side& side) {
  std::set<std::string> names;
  for (const auto& [name, series] : side.series()) names.insert(name);
  return names;
}

// 2 / C(16, 8) is 1.6e-4, which 400 tests make 0.06; 2 / C(18, 9) is 4.1e-5, which they make 0.016.
TEST(TestedComparisonTest, MoreMetricsNeedMoreRuns) {
  std::mt19937_64 random(1);
  for (const auto& [runs, worse] : std::vector<std::pair<int, size_t>>{{8, 0}, {9, 3}}) {
    const Side base = ManyMetrics(runs, 400, 0, random);
    const Side changed = ManyMetrics(runs, 400, 3, random);
    const Comparison comparison = Compare(base, changed, {}, NamesOf(base));
    EXPECT_EQ(comparison.Count(Verdict::kWorse), worse) << runs;
    EXPECT_EQ(comparison.runs_needed, 9u);
    // The same metrics alone are told from few runs already.
    EXPECT_EQ(Compare(base, changed, {}, {"m0", "m1", "m2"}).Count(Verdict::kWorse), 3u);
  }
}

TEST(TestedComparisonTest, WhatNeverVariesIsNotTested) {
  Side base, changed;
  for (uint64_t seed = 0; seed < 4; ++seed) {
    base.Add(RunOf(seed, {{"m", {kCost, 100.0 + static_cast<double>(seed)}}, {"still", {kCost, 5}}}));
    changed.Add(RunOf(seed, {{"m", {kCost, 200.0 + static_cast<double>(seed)}}, {"still", {kCost, 5}}}));
  }
  const Comparison comparison = Compare(base, changed, {}, {"m", "still"});
  EXPECT_EQ(comparison.tests, 1u);
  EXPECT_EQ(comparison.metrics[0].verdict, Verdict::kWorse);
  EXPECT_EQ(comparison.metrics[1].verdict, Verdict::kEqual);
  EXPECT_EQ(comparison.metrics[1].p, std::nullopt);
}

// Runs of one kind against more of it, 1,000 times: 40 metrics with many values, few, and rare events, some
// of them going together. At the level 0.05 the comparison as a whole raises a false alarm 50 times at most
// on average; more than 80 would happen once in 100,000 times (the binomial distribution's sum from 81 on is
// below 2e-5).
TEST(TestedComparisonTest, ComparingAThingWithItselfAlarmsNoMoreOftenThanTheLevelSays) {
  std::mt19937_64 random(6);
  const auto draw_side = [&random] {
    Side side;
    for (uint64_t seed = 0; seed < 10; ++seed) {
      std::map<std::string, Metric> metrics;
      const auto shared = static_cast<double>(random() % 1000);
      for (int m = 0; m < 10; ++m) {
        metrics[absl::StrCat("time", m)] = {kTime, 1000 + static_cast<double>(random() % 100000)};
        metrics[absl::StrCat("count", m)] = {kCost, static_cast<double>(random() % 3)};
        metrics[absl::StrCat("together", m)] = {kGain, shared + static_cast<double>(random() % 10)};
        if (random() % 8 == 0) metrics[absl::StrCat("rare", m)] = {kFailures, 1};
      }
      side.Add(RunOf(seed, std::move(metrics)));
    }
    return side;
  };
  int alarms = 0;
  for (int trial = 0; trial < 1000; ++trial) {
    const Side base = draw_side();
    const Side changed = draw_side();
    const Comparison comparison = Compare(base, changed, {}, NamesOf(base));
    EXPECT_FALSE(comparison.exact);
    const size_t found = comparison.Count(Verdict::kWorse) + comparison.Count(Verdict::kBetter);
    alarms += found > 0 ? 1 : 0;
  }
  EXPECT_LE(alarms, 80);
  EXPECT_GT(alarms, 0);  // else nothing would ever be found
}

TEST(TestedComparisonTest, ASideComparedWithItselfNeverDiffers) {
  std::mt19937_64 random(7);
  const Side side = ManyMetrics(12, 100, 0, random);
  const Comparison comparison = Compare(side, side, {}, NamesOf(side));
  EXPECT_EQ(comparison.Count(Verdict::kSmall), 100u);
  EXPECT_THAT(comparison.only_base, IsEmpty());
}

}  // namespace
}  // namespace numasim
