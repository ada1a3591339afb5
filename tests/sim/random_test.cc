#include "sim/random.h"

#include <algorithm>
#include <cmath>
#include <vector>

#include "gtest/gtest.h"

namespace numasim::sim {
namespace {

TEST(RandomTest, SameSeedAndNameGiveTheSameDraws) {
  RandomStream a(7, "zone");
  RandomStream b(7, "zone");
  for (int i = 0; i < 100; ++i) EXPECT_EQ(a.Next(), b.Next());
}

TEST(RandomTest, AnotherNameOrSeedGivesOtherDraws) {
  RandomStream stream(7, "zone");
  RandomStream other_name(7, "zonf");
  RandomStream other_seed(8, "zone");
  const uint64_t first = stream.Next();
  EXPECT_NE(first, other_name.Next());
  EXPECT_NE(first, other_seed.Next());
}

TEST(RandomTest, StreamsOfOneComponentDifferByTheirNumber) {
  RandomStream again(7, "guest", 1);
  RandomStream stream(7, "guest", 1);
  RandomStream next(7, "guest", 2);
  RandomStream other_seed(8, "guest", 1);
  RandomStream other_name(7, "guesu", 1);
  const uint64_t first = stream.Next();
  EXPECT_EQ(first, again.Next());
  EXPECT_NE(first, next.Next());
  EXPECT_NE(first, other_seed.Next());
  EXPECT_NE(first, other_name.Next());
}

// The first draws of streams that follow each other by number are as those of one stream: chi-squared over
// 256 cells, of the lowest and of the highest bits.
TEST(RandomTest, FirstDrawsOfNumberedStreamsAreEven) {
  std::vector<int> low(256);
  std::vector<int> high(256);
  const int streams = 200'000;
  for (uint64_t i = 0; i < streams; ++i) {
    const uint64_t draw = RandomStream(1, "numbered", i).Next();
    ++low[draw % 256];
    ++high[draw >> 56];
  }
  for (const std::vector<int>& count : {low, high}) {
    double chi2 = 0;
    const double expected = streams / 256.0;
    for (const int c : count) chi2 += (c - expected) * (c - expected) / expected;
    EXPECT_NEAR(chi2, 255, 5 * std::sqrt(2 * 255.0));
  }
}

// Chi-squared over n cells has mean n - 1 and variance 2 (n - 1).
TEST(RandomTest, UniformIsEven) {
  for (const uint64_t n : {2u, 3u, 10u, 1000u}) {
    RandomStream stream(1, "uniform");
    std::vector<int> count(n);
    const int draws = 200'000;
    for (int i = 0; i < draws; ++i) ++count[stream.Uniform(n)];
    const double expected = static_cast<double>(draws) / static_cast<double>(n);
    double chi2 = 0;
    for (const int c : count) chi2 += (c - expected) * (c - expected) / expected;
    const double freedom = static_cast<double>(n - 1);
    EXPECT_LT(chi2, freedom + 5 * std::sqrt(2 * freedom)) << n;
  }
}

// With n = 3 * 2^62 a plain modulus or multiplication would favour a third of the numbers by a factor of two.
TEST(RandomTest, UniformHasNoBiasForHugeRanges) {
  const uint64_t n = uint64_t{3} << 62;
  RandomStream stream(1, "huge");
  int low = 0;
  const int draws = 100'000;
  for (int i = 0; i < draws; ++i) low += stream.Uniform(n) < (uint64_t{1} << 62) ? 1 : 0;
  EXPECT_NEAR(low, draws / 3.0, 5 * std::sqrt(draws * (1 / 3.0) * (2 / 3.0)));
}

TEST(RandomTest, UniformDoubleIsInTheHalfOpenUnitInterval) {
  RandomStream stream(1, "double");
  double sum = 0;
  const int draws = 100'000;
  for (int i = 0; i < draws; ++i) {
    const double u = stream.UniformDouble();
    ASSERT_GE(u, 0);
    ASSERT_LT(u, 1);
    sum += u;
  }
  EXPECT_NEAR(sum / draws, 0.5, 5 * std::sqrt(1.0 / 12 / draws));
}

// 1 - exp(-x) of an exponential x is uniform: chi-squared over equally likely cells, fine enough to see a
// layer of the ziggurat that is off.
TEST(RandomTest, ExponentialHasItsDistribution) {
  RandomStream stream(3, "exp");
  const int cells = 1000;
  const int draws = 2'000'000;
  std::vector<int> count(cells);
  for (int i = 0; i < draws; ++i) {
    const double u = -std::expm1(-stream.Exponential(1000) / 1000);
    ++count[std::min(cells - 1, static_cast<int>(u * cells))];
  }
  const double expected = static_cast<double>(draws) / cells;
  double chi2 = 0;
  for (const int c : count) chi2 += (c - expected) * (c - expected) / expected;
  EXPECT_NEAR(chi2, cells - 1, 5 * std::sqrt(2.0 * (cells - 1)));
}

// The tail beyond the lowest layer, which starts at 7.7 means.
TEST(RandomTest, ExponentialTailIsExponential) {
  RandomStream stream(4, "tail");
  const int draws = 20'000'000;
  int beyond_8 = 0;
  int beyond_10 = 0;
  for (int i = 0; i < draws; ++i) {
    const double x = stream.Exponential(1);
    beyond_8 += x > 8 ? 1 : 0;
    beyond_10 += x > 10 ? 1 : 0;
  }
  EXPECT_NEAR(beyond_8, draws * std::exp(-8.0), 5 * std::sqrt(draws * std::exp(-8.0)));
  EXPECT_NEAR(beyond_10, draws * std::exp(-10.0), 5 * std::sqrt(draws * std::exp(-10.0)));
}

TEST(RandomTest, ExponentialHasItsMeanAndTail) {
  RandomStream stream(1, "mean");
  const int draws = 400'000;
  double sum = 0;
  int beyond_three = 0;
  for (int i = 0; i < draws; ++i) {
    const double x = stream.Exponential(50);
    ASSERT_GE(x, 0);
    sum += x;
    beyond_three += x > 150 ? 1 : 0;
  }
  EXPECT_NEAR(sum / draws, 50, 5 * 50 / std::sqrt(draws));
  const double p = std::exp(-3.0);
  EXPECT_NEAR(beyond_three, draws * p, 5 * std::sqrt(draws * p));
}

TEST(RandomTest, BernoulliHasItsProbability) {
  RandomStream stream(1, "coin");
  int yes = 0;
  const int draws = 100'000;
  for (int i = 0; i < draws; ++i) yes += stream.Bernoulli(0.3) ? 1 : 0;
  EXPECT_NEAR(yes, draws * 0.3, 5 * std::sqrt(draws * 0.21));
  EXPECT_FALSE(stream.Bernoulli(0));
  EXPECT_TRUE(stream.Bernoulli(1));
}

}  // namespace
}  // namespace numasim::sim
