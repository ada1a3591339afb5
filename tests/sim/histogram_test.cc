#include "sim/histogram.h"

#include <algorithm>
#include <limits>
#include <vector>

#include "gtest/gtest.h"
#include "sim/random.h"

namespace numasim::sim {
namespace {

TEST(HistogramTest, EmptyIsAllZero) {
  const Histogram h;
  EXPECT_EQ(h.count(), 0u);
  EXPECT_EQ(h.sum(), 0);
  EXPECT_EQ(h.max(), 0);
  EXPECT_EQ(h.Quantile(0.5), 0);
}

TEST(HistogramTest, EveryValueLiesInItsBucketAndBucketsAreNarrow) {
  RandomStream random(1, "values");
  std::vector<int64_t> values = {0, 1, 31, 32, 33, 63, 64, 65, std::numeric_limits<int64_t>::max()};
  for (int i = 0; i < 2000; ++i)
    values.push_back(static_cast<int64_t>(random.Next() >> (1 + random.Uniform(60))));
  for (const int64_t v : values) {
    Histogram h;
    h.Record(v);
    const size_t bucket = h.buckets().size() - 1;
    ASSERT_EQ(h.buckets()[bucket], 1u);
    const int64_t low = Histogram::LowerBound(bucket);
    const int64_t high = Histogram::LowerBound(bucket + 1);
    ASSERT_LE(low, v);
    if (high != std::numeric_limits<int64_t>::max()) {
      ASSERT_LT(v, high);
    }
    ASSERT_LE(high - low, std::max<int64_t>(1, v / 32));
  }
}

TEST(HistogramTest, QuantileIsAtMostOneThirtySecondTooHigh) {
  RandomStream random(2, "quantile");
  Histogram h;
  std::vector<int64_t> values;
  for (int i = 0; i < 10'000; ++i) {
    values.push_back(static_cast<int64_t>(random.Exponential(10'000)));
    h.Record(values.back());
  }
  std::sort(values.begin(), values.end());
  for (const double q : {0.01, 0.25, 0.5, 0.9, 0.99, 0.999}) {
    const int64_t exact = values[static_cast<size_t>(q * 10'000) - 1];
    EXPECT_GE(h.Quantile(q), exact);
    EXPECT_LE(h.Quantile(q), exact + exact / 32 + 1);
  }
  EXPECT_EQ(h.Quantile(1), values.back());
  EXPECT_EQ(h.max(), values.back());
}

TEST(HistogramTest, MergeIsAsIfAllWereRecordedInOne) {
  Histogram a;
  Histogram b;
  Histogram both;
  for (const int64_t v : {5, 500, 70}) {
    a.Record(v);
    both.Record(v);
  }
  for (const int64_t v : {1, 100'000}) {
    b.Record(v);
    both.Record(v);
  }
  a.Merge(b);
  EXPECT_EQ(a.buckets(), both.buckets());
  EXPECT_EQ(a.count(), both.count());
  EXPECT_EQ(a.sum(), both.sum());
  EXPECT_EQ(a.max(), both.max());
}

TEST(HistogramTest, SeveralAtOnceAreAsManyOneByOne) {
  Histogram at_once, one_by_one;
  for (const auto& [value, times] : {std::pair<int64_t, uint64_t>{7, 3}, {7, 2}, {900, 1}, {7, 4}}) {
    at_once.Record(value, times);
    for (uint64_t i = 0; i < times; ++i) one_by_one.Record(value);
  }
  EXPECT_EQ(at_once.buckets(), one_by_one.buckets());
  EXPECT_EQ(at_once.count(), 10u);
  EXPECT_EQ(at_once.sum(), one_by_one.sum());
  EXPECT_EQ(at_once.max(), 900);
}

// Waits of centuries, many of them.
TEST(HistogramTest, SumStopsAtTheGreatestNumber) {
  constexpr int64_t kMost = std::numeric_limits<int64_t>::max();
  Histogram a;
  a.Record(kMost);
  EXPECT_EQ(a.sum(), kMost);
  a.Record(kMost - 1);
  EXPECT_EQ(a.sum(), kMost);
  Histogram b;
  b.Record(5);
  b.Merge(a);
  EXPECT_EQ(b.sum(), kMost);
  EXPECT_EQ(b.count(), 3u);
}

}  // namespace
}  // namespace numasim::sim
