#include "workloads/generate/permutation.h"

#include <cmath>
#include <vector>

#include "gtest/gtest.h"

namespace numasim::workloads {
namespace {

TEST(PermutationTest, EachNumberComesOnce) {
  for (const uint64_t n : {1u, 2u, 3u, 4u, 5u, 64u, 65u, 1000u, 4097u}) {
    for (const uint64_t key : {0u, 1u, 99u}) {
      const Permutation order(n, key);
      std::vector<bool> seen(n);
      for (uint64_t i = 0; i < n; ++i) {
        const uint64_t at = order.At(i);
        ASSERT_LT(at, n);
        EXPECT_FALSE(seen[at]) << "n " << n << ", key " << key << ": " << at << " twice";
        seen[at] = true;
      }
    }
  }
}

TEST(PermutationTest, LargestSizesStayInside) {
  const uint64_t n = uint64_t{1} << 62;
  const Permutation order(n, 7);
  for (uint64_t i = n - 1000; i < n; ++i) EXPECT_LT(order.At(i), n);
}

// Of a random order of n, a number is in its own place once on average, with variance 1; and where the first
// lands is as likely anywhere: chi-squared over n cells has mean n - 1 and variance 2 (n - 1).
TEST(PermutationTest, OrderIsRandomInItsKey) {
  const uint64_t n = 50;
  const int keys = 20'000;
  int in_place = 0;
  std::vector<int> first(n);
  for (uint64_t key = 0; key < keys; ++key) {
    const Permutation order(n, key);
    for (uint64_t i = 0; i < n; ++i) in_place += order.At(i) == i ? 1 : 0;
    ++first[order.At(0)];
  }
  EXPECT_NEAR(in_place, keys, 5 * std::sqrt(static_cast<double>(keys)));
  double chi2 = 0;
  const double expected = static_cast<double>(keys) / n;
  for (const int count : first) chi2 += (count - expected) * (count - expected) / expected;
  EXPECT_LT(chi2, n - 1 + 5 * std::sqrt(2.0 * (n - 1)));
}

}  // namespace
}  // namespace numasim::workloads
