// Paths, time, hops, errors and the end of a run.
#include "sim/engine.h"

#include <stdexcept>
#include <string>
#include <vector>

#include "gmock/gmock.h"
#include "gtest/gtest.h"
#include "sim/locks.h"

namespace numasim::sim {
namespace {

using ::testing::ElementsAre;
using ::testing::HasSubstr;

struct Entry {
  std::string what;
  int64_t ns;
  bool operator==(const Entry&) const = default;
};
void PrintTo(const Entry& e, std::ostream* out) { *out << e.what << "@" << e.ns; }

TEST(EngineTest, TakePassesExactlyThatMuchTime) {
  Engine engine({});
  const LpId lp = engine.AddLp("node0");
  std::vector<int64_t> times;
  engine.Start(lp, SimTime{100}, "p", [&](Path& path) -> Task<void> {
    times.push_back(path.now().ns);
    co_await path.Take(Nanoseconds(7));
    times.push_back(path.now().ns);
    co_await path.Take(Nanoseconds(0));
    times.push_back(path.now().ns);
  });
  ASSERT_TRUE(engine.Run().ok());
  EXPECT_THAT(times, ElementsAre(100, 107, 107));
  EXPECT_EQ(engine.now(), SimTime{107});
  EXPECT_EQ(engine.events_executed(), 3u);
}

TEST(EngineTest, PathsInterleaveByTimeAndTiesByStart) {
  Engine engine({});
  const LpId lp = engine.AddLp("node0");
  std::vector<Entry> log;
  for (const char* name : {"a", "b"}) {
    engine.Start(lp, SimTime{0}, name, [&](Path& path) -> Task<void> {
      for (int i = 0; i < 3; ++i) {
        log.push_back({path.name(), path.now().ns});
        co_await path.Take(Nanoseconds(10));
      }
    });
  }
  ASSERT_TRUE(engine.Run().ok());
  EXPECT_THAT(log, ElementsAre(Entry{"a", 0}, Entry{"b", 0}, Entry{"a", 10}, Entry{"b", 10}, Entry{"a", 20},
                               Entry{"b", 20}));
}

TEST(EngineTest, HopContinuesOnTheOtherLpAfterTheLatency) {
  Engine engine({.lookahead = Nanoseconds(50)});
  const LpId a = engine.AddLp("a");
  const LpId b = engine.AddLp("b");
  std::vector<std::pair<int, int64_t>> seen;
  engine.Start(a, SimTime{0}, "p", [&](Path& path) -> Task<void> {
    co_await path.HopTo(b, Nanoseconds(60));
    seen.emplace_back(path.lp().value, path.now().ns);
    co_await path.HopTo(a, Nanoseconds(50));
    seen.emplace_back(path.lp().value, path.now().ns);
    co_await path.HopTo(a, Nanoseconds(0));
    seen.emplace_back(path.lp().value, path.now().ns);
  });
  ASSERT_TRUE(engine.Run().ok());
  EXPECT_THAT(seen, ElementsAre(std::pair(1, int64_t{60}), std::pair(0, int64_t{110}), std::pair(0, int64_t{110})));
}

}  // namespace
}  // namespace numasim::sim
