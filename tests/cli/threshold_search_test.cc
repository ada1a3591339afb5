#include "cli/statistics/threshold_search.h"

#include <gtest/gtest.h>

#include <optional>

namespace numasim {
namespace {

// For every length and every place of the last good one.
TEST(ThresholdSearchTest, FindsTheLastGoodCandidateInFewTries) {
  for (size_t candidates = 0; candidates <= 40; ++candidates) {
    for (size_t good = 0; good <= candidates; ++good) {
      ThresholdSearch search(candidates);
      int tries = 0;
      while (const std::optional<size_t> next = search.Next()) {
        ASSERT_LT(*next, candidates);
        ++tries;
        search.Tell(*next, *next < good);
      }
      EXPECT_EQ(search.Answer(), good == 0 ? std::nullopt : std::optional<size_t>(good - 1));
      EXPECT_LE(tries, ThresholdSearch::MostTries(candidates));
    }
  }
  EXPECT_EQ(ThresholdSearch::MostTries(7), 3);  // the middle, one of the two quarters, one between
  EXPECT_EQ(ThresholdSearch::MostTries(8), 4);
}

}  // namespace
}  // namespace numasim
