#include "cli/sweep/sweep_progress.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <sstream>

namespace numasim {
namespace {

using ::testing::EndsWith;
using ::testing::HasSubstr;
using ::testing::Not;
using Clock = SweepProgress::Clock;

constexpr char kClear[] = "\r\033[K";

// Ten runs of 30 s behind 20 that were there: the other 70 take 2,100 s.
TEST(SweepProgressTest, TimeLeftIsThatOfTheRunsSoFar) {
  std::ostringstream out;
  const Clock::time_point start;
  SweepProgress progress(/*line=*/true, out);
  progress.Begin(100, 20, 1, start);
  EXPECT_THAT(out.str(), EndsWith("20 of 100 runs, 1 failed"));
  for (int i = 1; i <= 10; ++i) progress.Ended(i == 5, start + i * std::chrono::seconds(30));
  EXPECT_THAT(out.str(), EndsWith(std::string(kClear) + "30 of 100 runs, 2 failed, 35m 0s left"));
}

TEST(SweepProgressTest, NothingIsShownWhereThereIsNoTerminal) {
  std::ostringstream out;
  {
    SweepProgress progress(/*line=*/false, out);
    progress.Begin(10, 0, 0);
    progress.Ended(false);
  }
  EXPECT_EQ(out.str(), "");
}

TEST(SweepProgressTest, LineIsNotWrittenMoreOftenThanItCanBeRead) {
  std::ostringstream out;
  const Clock::time_point start;
  SweepProgress progress(/*line=*/true, out);
  progress.Begin(10, 0, 0, start);
  progress.Ended(false, start + std::chrono::milliseconds(10));
  EXPECT_THAT(out.str(), Not(HasSubstr("1 of 10")));
  progress.Show(start + std::chrono::milliseconds(110));
  EXPECT_THAT(out.str(), HasSubstr("1 of 10"));
}

TEST(SweepProgressTest, LineIsTakenAwayForMessagesAndInTheEnd) {
  std::ostringstream out;
  {
    SweepProgress progress(/*line=*/true, out);
    progress.Begin(10, 0, 0);
    progress.Print("numasim: warning: x\n");
    EXPECT_THAT(out.str(), EndsWith(std::string(kClear) + "numasim: warning: x\n"));
  }
  EXPECT_THAT(out.str(), EndsWith(kClear));
}

}  // namespace
}  // namespace numasim
