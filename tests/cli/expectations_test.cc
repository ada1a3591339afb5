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
using ::testing::SizeIs;

RunMetrics SomeRun() {
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
  const Expectations::Verdict verdict = Created(expect, fail_on).Judged(SomeRun());
  EXPECT_THAT(verdict.mistakes, IsEmpty());
  return verdict.not_met;
}

std::string Mistake(const std::string& condition) {
  const Expectations::Verdict verdict = Created({condition}, {}).Judged(SomeRun());
  EXPECT_THAT(verdict.not_met, IsEmpty());
  EXPECT_THAT(verdict.mistakes, SizeIs(1));
  return verdict.mistakes.empty() ? "" : verdict.mistakes[0];
}

// Of a check against the metrics of SomeRun(), before the run.
std::string ToldBefore(const std::string& condition) {
  return std::string(Created({condition}, {}).CheckNames(SomeRun()).message());
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

TEST(ExpectationsTest, AMistakeHidesNoneThatDoesNotHold) {
  const Expectations::Verdict verdict =
      Created({"operation.a.touch.failed == 0", "node0.numa_miss < 3"}, {"node1.numa_miss > 6"})
          .Judged(SomeRun());
  EXPECT_THAT(verdict.not_met,
              ElementsAre(HasSubstr("node0.numa_miss is 3"), HasSubstr("node1.numa_miss is 7")));
  EXPECT_THAT(verdict.mistakes,
              ElementsAre(HasSubstr("s.textproto:1: expect: 'operation.a.touch.failed == 0'")));
}

TEST(ExpectationsTest, NamesThatNoRunOfTheScenarioHasAreToldBeforeIt) {
  for (const char* good : {"node0.numa_miss < 1", "node*.numa_miss > 1", "operation.a.map.tried < 1",
                           "operation.a.map.failed.ENOMEM > 1", "events.alloc_failed < 1", "lock.x < 1",
                           "*.wait_max_ns < 1", "[kl]ock.x < 1"})
    EXPECT_EQ(ToldBefore(good), "") << good;
  for (const char* bad : {"node0.numa_miss.least < 1", "node2.numa_miss < 1", "numa_miss < 1"})
    EXPECT_THAT(ToldBefore(bad), HasSubstr("is about no counter of the trace")) << bad;
  EXPECT_THAT(ToldBefore("operation.a.map.fialed_share < 1"),
              HasSubstr("is about nothing that this run can do; did you mean "
                        "'operation.a.map.failed_share'?; expected operation.SCRIPT.OPERATION.VALUE"));
  EXPECT_THAT(ToldBefore("events.alloc_fialed < 1"), HasSubstr("is about nothing that this run can do"));
  EXPECT_THAT(ToldBefore("operation.a.map.tried < 1ms"), HasSubstr("which is in times, with a value of"));
}

TEST(ExpectationsTest, WhatCouldHaveHappenedAndDidNotIsToldAsThat) {
  Expectations expectations = Created({"operation.fault_thp.max_ns < 1ms"}, {});
  RunMetrics possible = SomeRun();
  possible.metrics["operation.fault_thp.max_ns"] = {.info = {.unit = "ns", .kind = MetricInfo::Kind::kTime}};
  ASSERT_TRUE(expectations.CheckNames(possible).ok());
  EXPECT_THAT(expectations.Judged(SomeRun()).mistakes,
              ElementsAre("s.textproto:1: expect: 'operation.fault_thp.max_ns < 1ms' is about what did not "
                          "happen in this run, which has no such metric; expected one that numasim metrics "
                          "shows"));
}

TEST(ExpectationsTest, TheCommandLinesMistakesAreNamed) {
  const auto created = Expectations::Create(workloads::LoadedScenario(), {"node0.numa_miss = 3"});
  EXPECT_THAT(std::string(created.status().message()),
              HasSubstr("--fail-on: 'node0.numa_miss = 3' has no comparison; expected METRIC OP VALUE"));
}

}  // namespace
}  // namespace numasim
