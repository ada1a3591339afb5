#include "cli/report/thinned_samples.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <algorithm>
#include <cstdint>
#include <random>
#include <vector>

namespace numasim {
namespace {

using ::testing::ElementsAre;

void AddOne(ThinnedSamples& samples, int64_t time_ns, const std::vector<int64_t>& values) {
  samples.Add({.first_ns = time_ns, .values = values});
}

TEST(ThinnedSamplesTest, FewChangesAreKeptAsTheyAre) {
  ThinnedSamples samples(2, 10);
  AddOne(samples, 0, {5, 1});
  AddOne(samples, 10, {5, 1});
  AddOne(samples, 20, {5, 2});
  EXPECT_EQ(samples.stretch_ns(), 0U);
  EXPECT_THAT(samples.times(), ElementsAre(0, 20));
  EXPECT_EQ(samples.row(1)[0], ThinnedCell::Of(5));
  EXPECT_EQ(samples.row(1)[1], ThinnedCell::Of(2));
}

TEST(ThinnedSamplesTest, ExtremesStandInTheOrderInWhichTheyCame) {
  ThinnedCell cell = ThinnedCell::Of(5);
  for (const int64_t value : {9, 1, 6}) cell.Append(ThinnedCell::Of(value));
  EXPECT_EQ(cell, (ThinnedCell{.earlier = 9, .later = 1, .last = 6}));
  cell.Append({.earlier = 2, .later = 12, .last = 3});
  EXPECT_EQ(cell, (ThinnedCell{.earlier = 1, .later = 12, .last = 3}));
}

// Whatever is thinned, a row has the extremes of its samples and the value at its end, and no more rows than
// wanted.
TEST(ThinnedSamplesTest, ThinningKeepsExtremesAndTheLastValue) {
  constexpr size_t kMostRows = 50;
  std::mt19937_64 random(1);
  std::vector<int64_t> times, values;
  ThinnedSamples samples(1, kMostRows);
  for (int64_t i = 0; i < 5000; ++i) {
    times.push_back(i * 7);
    values.push_back(static_cast<int64_t>(random() % 1000) - 500);
    AddOne(samples, times.back(), {values.back()});
  }
  ASSERT_LE(samples.rows(), kMostRows);
  ASSERT_GT(samples.rows(), kMostRows / 8);
  for (size_t row = 0; row < samples.rows(); ++row) {
    const auto begin = std::lower_bound(times.begin(), times.end(), samples.times()[row]) - times.begin();
    const auto end =
        row + 1 == samples.rows()
            ? static_cast<std::ptrdiff_t>(times.size())
            : std::lower_bound(times.begin(), times.end(), samples.times()[row + 1]) - times.begin();
    const auto [least, greatest] = std::minmax_element(values.begin() + begin, values.begin() + end);
    const ThinnedCell cell = samples.row(row)[0];
    EXPECT_EQ(std::min(cell.earlier, cell.later), *least) << row;
    EXPECT_EQ(std::max(cell.earlier, cell.later), *greatest) << row;
    EXPECT_EQ(cell.last, values[static_cast<size_t>(end - 1)]) << row;
    EXPECT_EQ(cell.earlier == *least, std::find(values.begin() + begin, values.begin() + end, *least) <=
                                          std::find(values.begin() + begin, values.begin() + end, *greatest))
        << row;
  }
}

TEST(ThinnedSamplesTest, ThinningEndsWithOneRow) {
  ThinnedSamples samples(1, 10);
  for (int64_t i = 0; i < 5; ++i) AddOne(samples, i * 1000, {i});
  for (int i = 0; i < 10; ++i) samples.Thin();
  ASSERT_EQ(samples.rows(), 1U);
  EXPECT_EQ(samples.row(0)[0], (ThinnedCell{.earlier = 0, .later = 4, .last = 4}));
}

}  // namespace
}  // namespace numasim
