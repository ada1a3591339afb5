#include "sim/front_scan.h"

#include <algorithm>
#include <limits>
#include <vector>

#include "gtest/gtest.h"
#include "sim/random.h"

namespace numasim::sim::internal {
namespace {

constexpr int64_t kEndOfTime = std::numeric_limits<int64_t>::max();

class FrontScanTest : public testing::TestWithParam<bool> {
 protected:
  FrontScan scan_{GetParam()};
};

TEST_P(FrontScanTest, FindsTheTwoLeast) {
  RandomStream random(1, "scan");
  for (int round = 0; round < 2000; ++round) {
    std::vector<int64_t> next(random.Uniform(40));
    // Small numbers for ties; some LPs idle.
    for (int64_t& t : next) t = random.Bernoulli(0.2) ? kEndOfTime : static_cast<int64_t>(random.Uniform(50));
    std::vector<int64_t> sorted = next;
    sorted.insert(sorted.end(), {kEndOfTime, kEndOfTime});
    std::sort(sorted.begin(), sorted.end());
    ASSERT_EQ(scan_.Find(next), (Front{sorted[0], sorted[1]})) << round;
  }
}

TEST_P(FrontScanTest, CollectsAllBeforeTheBoundInOrder) {
  RandomStream random(2, "scan");
  for (int round = 0; round < 2000; ++round) {
    std::vector<int64_t> next(random.Uniform(40));
    for (int64_t& t : next) t = static_cast<int64_t>(random.Uniform(50));
    const auto bound = static_cast<int64_t>(random.Uniform(51));
    std::vector<uint32_t> expected;
    for (uint32_t i = 0; i < next.size(); ++i) {
      if (next[i] < bound) expected.push_back(i);
    }
    std::vector<uint32_t> got(next.size() + 4);
    got.resize(scan_.CollectBefore(next, bound, got.data()));
    ASSERT_EQ(got, expected) << round;
  }
}

INSTANTIATE_TEST_SUITE_P(Versions, FrontScanTest, testing::Bool(),
                         [](const auto& plain) { return plain.param ? "Plain" : "ByCpu"; });

}  // namespace
}  // namespace numasim::sim::internal
