#include "workloads/condition.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

namespace numasim::workloads {
namespace {

using ::testing::HasSubstr;
using Comparison = Condition::Comparison;
using Unit = Condition::Unit;

Condition Parsed(std::string_view text) {
  const auto condition = ParseCondition(text);
  EXPECT_TRUE(condition.ok()) << condition.status();
  return condition.ok() ? *condition : Condition();
}

std::string Mistake(std::string_view text) {
  const auto condition = ParseCondition(text);
  EXPECT_FALSE(condition.ok()) << text;
  return condition.ok() ? "" : std::string(condition.status().message());
}

TEST(ConditionTest, HasAMetricAComparisonAndAValue) {
  const Condition condition = Parsed(" node0.numa_miss<= 12.5 ");
  EXPECT_EQ(condition.metric, "node0.numa_miss");
  EXPECT_EQ(condition.comparison, Comparison::kLessOrEqual);
  EXPECT_EQ(condition.value, 12.5);
  EXPECT_EQ(condition.unit, Unit::kNone);
  EXPECT_EQ(condition.text, "node0.numa_miss<= 12.5");
}

TEST(ConditionTest, ValuesHaveTheUnitsThatPeopleWrite) {
  EXPECT_DOUBLE_EQ(Parsed("a > 1%").value, 0.01);
  EXPECT_EQ(Parsed("a > 1%").unit, Unit::kPercent);
  EXPECT_EQ(Parsed("a > 1.5ms").value, 1'500'000);
  EXPECT_EQ(Parsed("a > 1.5ms").unit, Unit::kTime);
  EXPECT_EQ(Parsed("a > 64M").value, 64 * 1024 * 1024);
  EXPECT_EQ(Parsed("a > 64M").unit, Unit::kSize);
  EXPECT_EQ(Parsed("a > -3").value, -3);
  EXPECT_EQ(Parsed("a > 1e6").value, 1e6);
}

TEST(ConditionTest, EachComparisonHoldsOnItsSideOfTheValue) {
  const struct {
    const char* text;
    bool below, equal, above;
  } cases[] = {{"a < 2", true, false, false}, {"a <= 2", true, true, false},  {"a > 2", false, false, true},
               {"a >= 2", false, true, true}, {"a == 2", false, true, false}, {"a != 2", true, false, true}};
  for (const auto& c : cases) {
    SCOPED_TRACE(c.text);
    EXPECT_EQ(Parsed(c.text).HoldsFor(1), c.below);
    EXPECT_EQ(Parsed(c.text).HoldsFor(2), c.equal);
    EXPECT_EQ(Parsed(c.text).HoldsFor(3), c.above);
  }
}

TEST(ConditionTest, AMistakeSaysWhatWouldBeRight) {
  for (const char* text : {"", "a", "a 3", "a = 3", "a ! 3", "a => 3", "a =< 3", "a <> 3"})
    EXPECT_THAT(Mistake(text), HasSubstr("has no comparison; expected METRIC OP VALUE")) << text;
  EXPECT_THAT(Mistake("< 3"), HasSubstr("names no metric"));
  EXPECT_THAT(Mistake("a <"), HasSubstr("has no value"));
  for (const char* text : {"a < b", "a < 3 4", "a < 3x", "a < %", "a < 1e", "a < nan"})
    EXPECT_THAT(Mistake(text), HasSubstr("which is none; expected a number")) << text;
}

}  // namespace
}  // namespace numasim::workloads
