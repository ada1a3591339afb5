#include "cli/sweep/sql_expression.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <string>

namespace numasim {
namespace {

using ::testing::ElementsAre;
using ::testing::HasSubstr;

// The expression with each name in angle brackets.
std::string Rewritten(const std::string& text) {
  const auto expression = ParseSqlExpression(text);
  EXPECT_TRUE(expression.ok()) << expression.status();
  return expression.ok() ? expression->With([](const std::string& name) { return "<" + name + ">"; }) : "";
}

std::string Mistake(const std::string& text) {
  const auto expression = ParseSqlExpression(text);
  EXPECT_FALSE(expression.ok()) << text;
  return std::string(expression.status().message());
}

TEST(SqlExpressionTest, NamesInBracketsAreReplacedAndAllElseStays) {
  EXPECT_EQ(Rewritten("100 * [node0.a-b] / ([x] + [x])"), "100 * <node0.a-b> / (<x> + <x>)");
  EXPECT_EQ(Rewritten("1"), "1");
  const auto expression = ParseSqlExpression("[b] + [a]");
  ASSERT_TRUE(expression.ok());
  EXPECT_THAT(expression->names, ElementsAre("b", "a"));
}

TEST(SqlExpressionTest, BracketsAndParenthesesInQuotesAreText) {
  EXPECT_EQ(Rewritten("CASE [p] WHEN 'a [b] (; it''s --' THEN 1 END"),
            "CASE <p> WHEN 'a [b] (; it''s --' THEN 1 END");
}

// What a study says must stay in its place in the statement.
TEST(SqlExpressionTest, NothingReachesBeyondTheExpression) {
  EXPECT_THAT(Mistake("1) FROM runs; DROP TABLE runs"), HasSubstr("closes a parenthesis that is not open"));
  EXPECT_THAT(Mistake("1), (2"), HasSubstr("closes a parenthesis that is not open"));
  EXPECT_THAT(Mistake("(1"), HasSubstr("leaves a parenthesis open"));
  EXPECT_THAT(Mistake("1; 2"), HasSubstr("has ; in it"));
  EXPECT_THAT(Mistake("1 -- 2"), HasSubstr("has -- in it"));
  EXPECT_THAT(Mistake("1 /* 2"), HasSubstr("has /* in it"));
  EXPECT_THAT(Mistake("'a"), HasSubstr("leaves a ' open"));
  EXPECT_THAT(Mistake("[a"), HasSubstr("has a '[' without a name and a ']'"));
  EXPECT_THAT(Mistake("[]"), HasSubstr("has a '[' without a name and a ']'"));
  EXPECT_THAT(Mistake(" "), HasSubstr("is empty"));
}

TEST(SqlExpressionTest, QuotesInNamesAndTextsAreDoubled) {
  EXPECT_EQ(SqlName("a\"b"), "\"a\"\"b\"");
  EXPECT_EQ(SqlText("it's"), "'it''s'");
}

}  // namespace
}  // namespace numasim
