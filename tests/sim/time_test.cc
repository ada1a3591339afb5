#include "sim/time.h"

#include "gtest/gtest.h"
#include "sim/check.h"

namespace numasim::sim {
namespace {

TEST(TimeTest, Arithmetic) {
  static_assert(SimTime{5} + Nanoseconds(3) == SimTime{8});
  static_assert(SimTime{8} - SimTime{5} == Nanoseconds(3));
  static_assert(Microseconds(2) * 3 == Nanoseconds(6000));
  static_assert(Seconds(1) / Milliseconds(3) == 333);
  static_assert(Seconds(1) / 4 == Milliseconds(250));
  static_assert(SimTime{} < kNever);
}

TEST(TimeTest, LaterEndsWithSimulatedTime) {
  static_assert(Later(SimTime{5}, Nanoseconds(3)) == SimTime{8});
  static_assert(Later(SimTime{5}, Nanoseconds(0)) == SimTime{5});
  static_assert(Later(SimTime{kNever.ns - 5}, Nanoseconds(4)) == SimTime{kNever.ns - 1});
  static_assert(Later(SimTime{kNever.ns - 5}, Nanoseconds(5)) == kNever);
  static_assert(Later(SimTime{kNever.ns - 5}, Nanoseconds(kNever.ns)) == kNever);
  static_assert(Later(kNever, Nanoseconds(0)) == kNever);
}

TEST(TimeTest, TextIsExactInTheLargestUnitsThatFit) {
  EXPECT_EQ(ToString(SimTime{}), "0s");
  EXPECT_EQ(ToString(SimTime{1'234'567'000}), "1.234567s");
  EXPECT_EQ(ToString(SimTime{1'234'567'001}), "1.234567001s");
  EXPECT_EQ(ToString(Microseconds(5)), "5us");
  EXPECT_EQ(ToString(Nanoseconds(1500)), "1.5us");
  EXPECT_EQ(ToString(Seconds(3605)), "1h5s");
  EXPECT_EQ(ToString(Nanoseconds(-1)), "-1ns");
  EXPECT_EQ(ToString(kNever), "never");
}

TEST(CheckDeathTest, PrintsBothOperands) {
  const int left = 3;
  const int right = 4;
  EXPECT_DEATH(NUMASIM_CHECK_EQ(left, right), "left == right: 3 against 4");
  EXPECT_DEATH(NUMASIM_CHECK_GE(SimTime{1}, SimTime{2'000}), "1ns against 2us");
  EXPECT_DEATH(NUMASIM_CHECK(left > right), "left > right");
}

}  // namespace
}  // namespace numasim::sim
