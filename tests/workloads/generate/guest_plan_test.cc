#include "workloads/generate/guest_plan.h"

#include <cmath>
#include <limits>
#include <string>
#include <tuple>
#include <vector>

#include "gtest/gtest.h"
#include "workloads/generate/distribution_text.h"

namespace numasim::workloads {
namespace {

constexpr int64_t kMiB = int64_t{1} << 20;

GuestPlan RandomPlan(const std::string& name) {
  GuestPlan plan;
  plan.name = name;
  plan.size = Distribution(UniformRange{1 * kMiB, 64 * kMiB});
  plan.lifetime = Distribution(Continuous{.shape = ExponentialShape{1e9}});
  plan.pages = {GuestPages::k2M, GuestPages::kAnon};
  plan.pages_up_to = SumsOf({}, 2);
  plan.policies.resize(2);
  plan.policies_up_to = SumsOf({}, 2);
  plan.share = Distribution(UniformRange{0, kWholeShare});
  return plan;
}

bool Same(const GuestChoices& a, const GuestChoices& b) {
  return a.pages == b.pages && a.units == b.units && a.touched == b.touched &&
         a.lifetime_ns == b.lifetime_ns && a.order_key == b.order_key;
}

TEST(GuestPlanTest, AGuestIsTheSameWhateverIsDrawnBefore) {
  const GuestPlan plan = RandomPlan("vms");
  const GuestChoices alone = ChoicesOf(plan, 1, 1000);
  for (int64_t k = 0; k < 1000; ++k) ChoicesOf(plan, 1, k);
  EXPECT_TRUE(Same(ChoicesOf(plan, 1, 1000), alone));
}

// Each kind of choice has a stream of its own.
TEST(GuestPlanTest, AnotherSizeDistributionLeavesLifetimesAsTheyWere) {
  const GuestPlan plan = RandomPlan("vms");
  GuestPlan other = RandomPlan("vms");
  other.size = Distribution(Continuous{.shape = LognormalShape{1e7, 1}, .least = 10, .most = 100 * kMiB});
  int differ = 0;
  for (int64_t k = 0; k < 100; ++k) {
    const GuestChoices a = ChoicesOf(plan, 1, k);
    const GuestChoices b = ChoicesOf(other, 1, k);
    EXPECT_EQ(a.lifetime_ns, b.lifetime_ns);
    EXPECT_EQ(a.pages, b.pages);
    EXPECT_EQ(a.order_key, b.order_key);
    differ += a.units == b.units ? 0 : 1;
  }
  EXPECT_GT(differ, 50);
}

TEST(GuestPlanTest, SeedGroupAndNumberMakeAnotherGuest) {
  const GuestPlan plan = RandomPlan("vms");
  const GuestChoices one = ChoicesOf(plan, 1, 1);
  EXPECT_FALSE(Same(one, ChoicesOf(plan, 2, 1)));
  EXPECT_FALSE(Same(one, ChoicesOf(plan, 1, 2)));
  EXPECT_FALSE(Same(one, ChoicesOf(RandomPlan("others"), 1, 1)));
}

// Guests that follow each other must not be alike: the correlation of n pairs of independent values has a
// standard deviation of 1 / sqrt(n).
TEST(GuestPlanTest, NeighboursAreIndependent) {
  const GuestPlan plan = RandomPlan("vms");
  const int n = 20'000;
  const double mean = 1e9;
  double covariance = 0;
  double across = 0;
  for (int64_t k = 0; k < n; ++k) {
    const auto here = static_cast<double>(*ChoicesOf(plan, 1, k).lifetime_ns) - mean;
    const auto next = static_cast<double>(*ChoicesOf(plan, 1, k + 1).lifetime_ns) - mean;
    const auto other_seed = static_cast<double>(*ChoicesOf(plan, 2, k).lifetime_ns) - mean;
    covariance += here * next / (mean * mean);
    across += here * other_seed / (mean * mean);
  }
  EXPECT_NEAR(covariance / n, 0, 5 / std::sqrt(n));
  EXPECT_NEAR(across / n, 0, 5 / std::sqrt(n));
}

TEST(GuestPlanTest, SizesAreRoundedUpToWholePages) {
  GuestPlan plan = RandomPlan("vms");
  plan.pages = {GuestPages::k2M};
  plan.pages_up_to = SumsOf({}, 1);
  plan.share = Distribution(Constant{kWholeShare / 2});
  for (const auto& [bytes, units, touched] : std::vector<std::tuple<int64_t, int64_t, int64_t>>{
           {1, 1, 1}, {2 * kMiB, 1, 1}, {2 * kMiB + 1, 2, 1}, {10 * kMiB, 5, 3}, {0, 1, 1}}) {
    plan.size = Distribution(Constant{bytes});
    const GuestChoices choices = ChoicesOf(plan, 1, 0);
    EXPECT_EQ(choices.units, units) << bytes;
    EXPECT_EQ(choices.touched, touched) << bytes;
    EXPECT_EQ(choices.base_pages(), units * 512) << bytes;
  }
}

// Exponential gaps: the number in a time T is Poisson with mean and variance T / gap.
TEST(ArrivalTimesTest, ExponentialGapsMakeAPoissonProcess) {
  GuestPlan plan = RandomPlan("vms");
  plan.arrival = GapArrival{Distribution(Continuous{.shape = ExponentialShape{1e9}})};
  plan.start_ns = 5'000'000'000;
  plan.until_ns = plan.start_ns + 10'000'000'000'000;
  ArrivalTimes times(plan, 1);
  int64_t last = plan.start_ns;
  int n = 0;
  while (const auto time = times.Next()) {
    ASSERT_GE(*time, last);
    ASSERT_LT(*time, *plan.until_ns);
    last = *time;
    ++n;
  }
  EXPECT_NEAR(n, 10'000, 5 * std::sqrt(10'000.0));
}

TEST(ArrivalTimesTest, CountEndsThem) {
  GuestPlan plan = RandomPlan("vms");
  plan.arrival = GapArrival{Distribution(Constant{7})};
  plan.count = 3;
  ArrivalTimes times(plan, 1);
  std::vector<int64_t> all;
  while (const auto time = times.Next()) all.push_back(*time);
  EXPECT_EQ(all, (std::vector<int64_t>{7, 14, 21}));
}

TEST(ArrivalTimesTest, TimesOfAFileCountFromTheStart) {
  GuestPlan plan = RandomPlan("vms");
  plan.arrival = TimesArrival{{0, 10, 10, 99}};
  plan.start_ns = 100;
  plan.until_ns = 150;
  ArrivalTimes times(plan, 1);
  std::vector<int64_t> all;
  while (const auto time = times.Next()) all.push_back(*time);
  EXPECT_EQ(all, (std::vector<int64_t>{100, 110, 110}));
}

TEST(ArrivalTimesTest, TheEndOfTimeEndsThem) {
  GuestPlan plan = RandomPlan("vms");
  const int64_t most = std::numeric_limits<int64_t>::max();
  plan.arrival = GapArrival{Distribution(Constant{most / 2})};
  plan.start_ns = 1;
  ArrivalTimes times(plan, 1);
  int n = 0;
  while (times.Next().has_value()) ++n;
  EXPECT_EQ(n, 2);  // 1 + most / 2 and 1 + 2 (most / 2) = most
}

TEST(GuestPlanTest, RandomIsWhatAnotherSeedChanges) {
  GuestPlan plan;
  plan.arrival = GapArrival{Distribution(Constant{7})};
  plan.pages.resize(1);
  plan.policies.resize(1);
  EXPECT_FALSE(plan.random());
  GuestPlan gaps = plan;
  gaps.arrival = GapArrival{Distribution(UniformRange{1, 2})};
  EXPECT_TRUE(gaps.random());
  // Without a retry nothing is drawn for it.
  plan.retry_after = Distribution(UniformRange{1, 2});
  EXPECT_FALSE(plan.random());
  plan.retries = 1;
  EXPECT_TRUE(plan.random());
}

}  // namespace
}  // namespace numasim::workloads
