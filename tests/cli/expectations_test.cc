#include "cli/metrics/expectations.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <string>
#include <vector>

namespace numasim {
namespace {

using ::testing::ElementsAre;
using ::testing::HasSubstr;
using ::testing::IsEmpty;

RunMetrics Run() {
  const auto metric = [](const char* unit, MetricInfo::Kind kind, double value) {
    return Metric{.info = {.unit = unit, .kind = kind}, .value = value};
  };
  using Kind = MetricInfo::Kind;
  RunMetrics run;
  run.metrics = {{"node0.free_pages.least", metric("pages", Kind::kCount, 256)},
                 {"node0.numa_miss", metric("pages", Kind::kCount, 3)},
                 {"node1.numa_miss", metric("pages", Kind::kCount, 7)},
                 {"operation.a.map.failed_share", metric("share", Kind::kMean, 0.02)},
                 {"operation.a.map.mean_ns", metric("ns", Kind::kTime, 1500)},
                 {"operation.a.map.tried", metric("times", Kind::kCount, 50)}};
  return run;
}

Expectations Created(const std::vector<std::string>& expect, const std::vector<std::string>& fail_on) {
  workloads::LoadedScenario scenario;
  for (size_t i = 0; i < expect.size(); ++i)
    scenario.expectations.push_back(
        {*workloads::ParseCondition(expect[i]), "s.textproto:" + std::to_string(i + 1)});
  const auto expectations = Expectations::Create(scenario, fail_on);
  EXPECT_TRUE(expectations.ok()) << expectations.status();
  return *expectations;
}

std::vector<std::string> NotMet(const std::vector<std::string>& expect,
                                const std::vector<std::string>& fail_on = {}) {
  const auto lines = Created(expect, fail_on).NotMet(Run());
  EXPECT_TRUE(lines.ok()) << lines.status();
  return lines.ok() ? *lines : std::vector<std::string>();
}

std::string Mistake(const std::string& condition) {
  return std::string(Created({condition}, {}).NotMet(Run()).status().message());
}

TEST(ExpectationsTest, WhatIsExpectedMustHoldAndWhatFailsOnMustNot) {
  EXPECT_THAT(NotMet({"node0.numa_miss < 4"}, {"node0.numa_miss >= 4"}), IsEmpty());
  EXPECT_THAT(NotMet({"node0.numa_miss >= 4"}, {"node0.numa_miss < 4"}),
              ElementsAre("s.textproto:1: expect: 'node0.numa_miss >= 4' does not hold: node0.numa_miss is 3",
                          "--fail-on: 'node0.numa_miss < 4' holds: node0.numa_miss is 3"));
}

TEST(ExpectationsTest, AGlobIsAboutEachMetricThatItMatches) {
  EXPECT_THAT(NotMet({"node*.numa_miss < 5"}), ElementsAre(HasSubstr("does not hold: node1.numa_miss is 7")));
  EXPECT_THAT(NotMet({}, {"node*.numa_miss > 1"}),
              ElementsAre(HasSubstr("node0.numa_miss is 3"), HasSubstr("node1.numa_miss is 7")));
}

TEST(ExpectationsTest, ValuesAreComparedInTheMetricsUnit) {
  EXPECT_THAT(NotMet({"operation.a.map.failed_share <= 2%", "operation.a.map.mean_ns == 1.5us",
                      "node0.free_pages.least == 1M"}),
              IsEmpty());
  EXPECT_THAT(NotMet({"operation.a.map.failed_share < 2%"}), ElementsAre(HasSubstr("is 2%")));
  EXPECT_THAT(NotMet({"operation.a.map.mean_ns < 1us"}), ElementsAre(HasSubstr("is 1.5us")));
  EXPECT_THAT(Mistake("node0.numa_miss < 1%"),
              HasSubstr("node0.numa_miss, which is in pages, with a value of"));
  EXPECT_THAT(Mistake("operation.a.map.tried < 1ms"), HasSubstr("which is in times"));
}

TEST(ExpectationsTest, AFailureThatDidNotComeAboutIsNone) {
  EXPECT_THAT(NotMet({"operation.a.map.failed.ENOMEM == 0", "events.hugetlb_failed == 0"}), IsEmpty());
  EXPECT_THAT(NotMet({"operation.a.map.failed.ENOMEM > 0"}), ElementsAre(HasSubstr("is 0")));
}

TEST(ExpectationsTest, ANameThatNothingHasIsAMistakeAndNotMet) {
  EXPECT_THAT(Mistake("node0.numa_mis < 5"), HasSubstr("did you mean 'node0.numa_miss'?"));
  for (const char* name : {"operation.b.map.failed.ENOMEM", "operation.a.map.failed.ENOMEN", "events.nothing",
                           "node2.*", "operation.a.touch.failed"})
    EXPECT_THAT(Mistake(std::string(name) + " == 0"), HasSubstr("names no metric of this run")) << name;
}

TEST(ExpectationsTest, CountersThatTheTraceLacksAreToldBeforeTheRun) {
  trace::Header header;
  header.add_column()->set_name("node0.numa_miss");
  header.add_column()->set_name("node0.free_pages");
  header.mutable_column(1)->set_gauge(true);
  for (const char* good : {"node0.numa_miss < 1", "node0.free_pages.least > 1", "node*.free_pages.mean > 1",
                           "operation.x.y.failed < 1", "events.x < 1", "lock.x < 1", "*.failed < 1"})
    EXPECT_TRUE(Created({good}, {}).CheckCounters(header).ok()) << good;
  for (const char* bad : {"node0.numa_miss.least < 1", "node1.numa_miss < 1", "numa_miss < 1"})
    EXPECT_THAT(Created({}, {bad}).CheckCounters(header).message(),
                HasSubstr("is about no counter of the trace"))
        << bad;
}

TEST(ExpectationsTest, TheCommandLinesMistakesAreNamed) {
  const auto created = Expectations::Create(workloads::LoadedScenario(), {"node0.numa_miss = 3"});
  EXPECT_THAT(std::string(created.status().message()),
              HasSubstr("--fail-on: 'node0.numa_miss = 3' has no comparison; expected METRIC OP VALUE"));
}

}  // namespace
}  // namespace numasim
