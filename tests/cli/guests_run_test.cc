// Guests that are drawn at random, as a user of `numasim run` meets them.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <nlohmann/json.hpp>
#include <string>

#include "tests/cli/program_test.h"

namespace numasim {
namespace {

using testing::ContainsRegex;
using testing::HasSubstr;

class GuestsRunTest : public ProgramTest {};

// Guests of 8 MiB for one second each, one every 100 ms on average, where there is room for five.
std::string Scenario(const std::string& arrival, const std::string& rest = "") {
  return "machine { node { memory: '256M' } hugepages { node: 0 size: '2M' nr: 20 } } kernel { thp { "
         "enabled: 'never' } }\n"
         "workload { guests { name: 'vms' arrival { " +
         arrival +
         " } count: 20 size { constant: '8M' } "
         "lifetime { constant: '1s' } page_size: '2M' } } trace { interval: '10ms' } " +
         rest;
}
constexpr char kRandom[] = "poisson { mean: '100ms' }";
constexpr char kEven[] = "gap { constant: '100ms' }";

TEST_F(GuestsRunTest, SeedMakesAnotherRunAndIsNotWarnedOf) {
  Write("s.textproto", Scenario(kRandom));
  for (const char* const seed : {"2", "3", "2"}) {
    const Outcome outcome =
        Numasim({"run", "s.textproto", "--seed", seed, "--out", std::string(seed) + ".pb", "--quiet"});
    EXPECT_EQ(outcome.exit_status, 0) << outcome.err;
    EXPECT_EQ(outcome.err, "");
    if (!fs::exists("first.pb")) fs::copy_file("2.pb", "first.pb");
  }
  EXPECT_EQ(FileText("2.pb"), FileText("first.pb"));
  // Not only the seed in its header: other things happen at other times.
  const std::string two = Numasim({"dump", "2.pb", "--format", "csv"}).out;
  const std::string three = Numasim({"dump", "3.pb", "--format", "csv"}).out;
  EXPECT_THAT(two, HasSubstr("guests.vms.live"));
  EXPECT_TRUE(two != three);
}

TEST_F(GuestsRunTest, SeedWithoutEffectIsWarnedOf) {
  Write("s.textproto", Scenario(kEven));
  const Outcome outcome = Numasim({"run", "s.textproto", "--seed", "2", "--quiet"});
  EXPECT_EQ(outcome.exit_status, 0);
  EXPECT_EQ(outcome.err, "numasim: warning: --seed: 2 has no effect: nothing in this run is random\n");
}

// One every 100 ms from 0.1 s on, each for a second and the little that its start takes: those of 0.1 to 0.5
// s start, those of 0.6 to 1.1 s find no room; those of 1.2 to 1.6 s follow the first five, and those of 1.7
// to 2 s find none again.
TEST_F(GuestsRunTest, SummaryTellsOfGuestsAndWhyTheyFailed) {
  Write("s.textproto", Scenario(kEven));
  const Outcome outcome = Numasim({"run", "s.textproto"});
  EXPECT_EQ(outcome.exit_status, 0) << outcome.err;
  EXPECT_THAT(outcome.out, HasSubstr("1 of 1 streams and groups of guests ended"));
  // Arrived, started, retried, dropped, died, finished, live.
  EXPECT_THAT(outcome.out,
              ContainsRegex("\n  guests +arrived +started +retried +dropped +died +finished +live +memory\n"
                            "  vms +20 +10 +0 +10 +0 +10 +0 +0 B\n"));
  EXPECT_THAT(outcome.out, HasSubstr("          10  guests vms: attempt ENOMEM node=0\n"));
  EXPECT_THAT(outcome.out,
              HasSubstr("          10  guest_failed: size=2M node=0 errno=ENOMEM function=do_mmap\n"));
}

TEST_F(GuestsRunTest, TheSummaryAsJsonTellsOfTheSameFailuresAndNodes) {
  Write("s.textproto", Scenario(kEven));
  const nlohmann::json summary =
      nlohmann::json::parse(Numasim({"run", "s.textproto", "--format", "json"}).out);
  ASSERT_EQ(summary["failures"].size(), 1u);
  EXPECT_EQ(summary["failures"][0],
            nlohmann::json::parse(
                R"({"what": "guests vms: attempt ENOMEM", "count": 10, "node": "0", "lines": []})"));
}

TEST_F(GuestsRunTest, TraceHasEachFailureAndTheGroupsCounters) {
  Write("s.textproto", Scenario(kEven));
  ASSERT_EQ(Numasim({"run", "s.textproto", "--quiet"}).exit_status, 0);
  const std::string json = Numasim({"dump", "s.trace.pb", "--format", "json"}).out;
  EXPECT_THAT(json, HasSubstr("guest_failed"));
  EXPECT_THAT(json, HasSubstr("vms#5"));
  EXPECT_THAT(json, HasSubstr("guests.vms.mapped_pages"));
  // Arrived, failed attempts, dropped, died, finished: six guests have come, and the sixth found no room.
  const std::string row = Numasim({"dump", "s.trace.pb", "--format", "csv", "--counters", "guests.vms.[adf]*",
                                   "--from", "650ms", "--to", "650ms"})
                              .out;
  EXPECT_THAT(row, HasSubstr("\n650000000,6,1,1,0,0\n"));
}

TEST_F(GuestsRunTest, MistakesAreNamedAndLeaveNothingBehind) {
  EXPECT_EQ(RefusedScenario(Scenario("poisson { mean: '5' }")),
            "numasim: s.textproto:2:53: workload.guests[0].arrival.poisson.mean: '5' has no unit; expected "
            "one of h, m, "
            "s, ms, us or ns, such as 10ms\n");
  EXPECT_THAT(RefusedScenario(Scenario("file: 'none.txt'")),
              HasSubstr("arrival.file: 'none.txt' cannot be read"));
  EXPECT_THAT(RefusedScenario(Scenario("file: '../secret.txt'")), HasSubstr("needs --allow-outside-files"));
  Write("t.txt", "1s\nsoon\n");
  EXPECT_THAT(RefusedScenario(Scenario("file: 't.txt'")), HasSubstr("t.txt:2: 'soon' is not a time"));
}

TEST_F(GuestsRunTest, TimesOfAFileAreInTheTraceToRunItAgain) {
  std::string times;
  for (int i = 0; i < 20; ++i) times += std::to_string(i) + "s\n";
  Write("t.txt", times);
  Write("s.textproto", Scenario("file: 't.txt'"));
  const Outcome outcome = Numasim({"run", "s.textproto"});
  EXPECT_EQ(outcome.exit_status, 0) << outcome.err;
  EXPECT_THAT(outcome.out, HasSubstr("nothing failed"));
  EXPECT_THAT(FileText("s.trace.pb"), HasSubstr("t.txt"));
}

}  // namespace
}  // namespace numasim
