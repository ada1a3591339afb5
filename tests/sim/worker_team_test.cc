#include "sim/worker_team.h"

#include <chrono>
#include <thread>
#include <vector>

#include "gtest/gtest.h"
#include "sim/random.h"

namespace numasim::sim::internal {
namespace {

// Counts plainly, not atomically: an item done twice at once, or a round not waited for, is a race that
// shows.
class WorkerTeamTest : public testing::TestWithParam<int> {};

TEST_P(WorkerTeamTest, EveryItemIsDoneOnceInEachRound) {
  std::vector<int64_t> done(100);
  std::vector<int64_t> expected(100);
  RandomStream random(1, "team");
  WorkerTeam team(GetParam(), [&](size_t thread, uint32_t item) {
    EXPECT_LT(thread, static_cast<size_t>(GetParam()));
    ++done[item];
  });
  for (int round = 0; round < 3000; ++round) {
    // From none to all, dealt out to any thread.
    const uint64_t count = random.Uniform(101);
    for (uint32_t item = 0; item < count; ++item) {
      team.Add(random.Uniform(team.threads()), item);
      ++expected[item];
    }
    team.Run();
    ASSERT_EQ(done, expected) << "round " << round;
  }
}

TEST_P(WorkerTeamTest, WorkersThatSleepWakeForTheNextRound) {
  std::vector<int> done(8);
  WorkerTeam team(GetParam(), [&](size_t, uint32_t item) { ++done[item]; });
  for (int round = 1; round <= 20; ++round) {
    std::this_thread::sleep_for(std::chrono::milliseconds(2));
    for (uint32_t item = 0; item < 8; ++item) team.Add(item % team.threads(), item);
    team.Run();
    for (const int n : done) ASSERT_EQ(n, round);
  }
}

TEST_P(WorkerTeamTest, TheCallerDoesWhatNobodyElseTakes) {
  // Nothing is on the caller's own list.
  std::vector<int> done(20);
  WorkerTeam team(GetParam(), [&](size_t, uint32_t item) { ++done[item]; });
  for (int round = 1; round <= 500; ++round) {
    for (uint32_t item = 0; item < 20; ++item) team.Add(1, item);
    team.Run();
    for (const int n : done) ASSERT_EQ(n, round);
  }
}

INSTANTIATE_TEST_SUITE_P(Threads, WorkerTeamTest, testing::Values(2, 3, 8));

TEST(WorkerTeamsTest, TeamsCanFollowEachOther) {
  for (int i = 0; i < 50; ++i) {
    int done = 0;
    WorkerTeam team(2, [&](size_t, uint32_t) { ++done; });
    team.Add(0, 0);
    team.Run();
    EXPECT_EQ(done, 1);
  }
}

}  // namespace
}  // namespace numasim::sim::internal
