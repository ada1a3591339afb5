#include "cli/run/progress.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <chrono>
#include <memory>
#include <sstream>
#include <string>

#include "workloads/scenario.h"
#include "workloads/simulation.h"

namespace numasim {
namespace {

using ::testing::HasSubstr;
using ::testing::Not;
using workloads::LoadedScenario;
using workloads::Simulation;

constexpr auto kMs = sim::Milliseconds(1);

class ProgressTest : public testing::Test {
 protected:
  // Two streams: one sleeps 3 times 2 s from 1 s on, the other touches memory.
  void Load(const std::string& more) {
    simulation_.reset();
    scenario_ = *workloads::ParseScenario(
        "s.textproto",
        "machine { node { memory: '64M' } }\nkernel { thp { enabled: 'never' } }\n"
        "workload { script { start: '1s' loops: 3 line: 'sleep 2000' }\n"
        "script { line: 'spawn p' line: '@p map a 1M anon' line: '@p touch a' } }\n" +
            more,
        {});
    simulation_ = *Simulation::Create(scenario_, {});
  }

  std::string Line(sim::SimTime now) {
    std::ostringstream err;
    Progress(*simulation_, true, err).Show(now, 1000);
    return err.str();
  }

  LoadedScenario scenario_;
  std::unique_ptr<Simulation> simulation_;
};

TEST_F(ProgressTest, LineTellsSimulatedTimeAgainstWhatIsKnownToCome) {
  Load("");
  EXPECT_THAT(Line(sim::SimTime{} + kMs * 500),
              HasSubstr("simulated 0.500s of at least 7s, 0% of operations"));
  EXPECT_THAT(Line(sim::SimTime{} + kMs * 8000), HasSubstr("simulated 8.000s, "));
  Load("stop_after: '5s'\n");
  EXPECT_THAT(Line(sim::SimTime{} + kMs * 500), HasSubstr("simulated 0.500s of 5s, "));
}

TEST_F(ProgressTest, TimeThatStandsStillIsToldOfMoreAndMoreSeldomAndWhere) {
  Load("");
  std::ostringstream err;
  Progress progress(*simulation_, false, err);
  const auto start = Progress::Clock::now();
  const auto told = [&](sim::SimTime now, int seconds) {
    err.str("");
    progress.Show(now, 1, start + std::chrono::seconds(seconds));
    return err.str();
  };
  EXPECT_EQ(told(sim::SimTime{5}, 9), "");
  EXPECT_THAT(told(sim::SimTime{5}, 11),
              HasSubstr("simulated time has stood still at 5ns for 11 s; what runs is "));
  EXPECT_EQ(told(sim::SimTime{5}, 19), "");
  EXPECT_NE(told(sim::SimTime{6}, 21), "");
  EXPECT_EQ(told(sim::SimTime{} + kMs, 30), "");
  EXPECT_EQ(told(sim::SimTime{} + kMs, 39), "");
  EXPECT_NE(told(sim::SimTime{} + kMs, 41), "");
}

TEST_F(ProgressTest, StreamIsFoundByItsPath) {
  Load("stop_after: '2s'\n");
  ASSERT_TRUE(simulation_->Run().ok());
  EXPECT_THAT(simulation_->WhereIs("script"),
              HasSubstr("s.textproto:3: script 'script' line 1: 'sleep 2000': loop 1"));
  EXPECT_EQ(simulation_->WhereIs("no such stream"), "");
  EXPECT_EQ(simulation_->WhereIs("script-2"), "");  // it has ended
}

}  // namespace
}  // namespace numasim
