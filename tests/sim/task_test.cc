// Nested coroutines: values, exceptions, depth, and what is destroyed when.
#include "sim/task.h"

#include <memory>
#include <stdexcept>
#include <string>
#include <vector>

#include "gmock/gmock.h"
#include "gtest/gtest.h"
#include "sim/engine.h"

namespace numasim::sim {
namespace {

using ::testing::ElementsAre;
using ::testing::HasSubstr;

// Runs one path to its end.
absl::Status RunPath(PathFn fn, uint64_t* events = nullptr) {
  Engine engine({});
  const LpId lp = engine.AddLp("lp");
  engine.Start(lp, SimTime{}, "path", std::move(fn));
  const absl::Status status = engine.Run();
  if (events != nullptr) *events = engine.events_executed();
  return status;
}

Task<int> AddAtOnce(int a, int b) { co_return a + b; }

Task<int> AddLater(Path& path, int a, int b) {
  co_await path.Take(Nanoseconds(1));
  co_return a + b;
}

TEST(TaskTest, ValuesComeBackWithAndWithoutSuspending) {
  int at_once = 0;
  int later = 0;
  ASSERT_TRUE(RunPath([&](Path& path) -> Task<void> {
                at_once = co_await AddAtOnce(2, 3);
                later = co_await AddLater(path, 4, 5);
              }).ok());
  EXPECT_EQ(at_once, 5);
  EXPECT_EQ(later, 9);
}

TEST(TaskTest, MoveOnlyValues) {
  std::unique_ptr<std::string> got;
  ASSERT_TRUE(RunPath([&](Path& path) -> Task<void> {
                const auto make = [](Path& p) -> Task<std::unique_ptr<std::string>> {
                  co_await p.Take(Nanoseconds(1));
                  co_return std::make_unique<std::string>("a string that is too long to lie in place");
                };
                got = co_await make(path);
              }).ok());
  ASSERT_NE(got, nullptr);
  EXPECT_THAT(*got, HasSubstr("too long"));
}

Task<int64_t> Depth(Path& path, int depth, bool take) {
  if (take && depth % 7 == 0) co_await path.Take(Nanoseconds(1));
  if (depth == 0) co_return 0;
  const int64_t below = co_await Depth(path, depth - 1, take);
  co_return below + 1;
}

TEST(TaskTest, DeepNestingReturnsThroughEveryLevel) {
  int64_t depth = 0;
  ASSERT_TRUE(RunPath([&](Path& path) -> Task<void> { depth = co_await Depth(path, 500, true); }).ok());
  EXPECT_EQ(depth, 500);
}

// In a build mode that turns symmetric transfer into calls, these would overflow the stack.
TEST(TaskTest, AMillionNestedCallsThatNeverSuspendNeedNoStack) {
  int64_t sum = 0;
  ASSERT_TRUE(RunPath([&](Path&) -> Task<void> {
                for (int i = 0; i < 1'000'000; ++i) {
                  const int one = co_await AddAtOnce(0, 1);
                  sum += one;
                }
              }).ok());
  EXPECT_EQ(sum, 1'000'000);
}

TEST(TaskTest, AMillionNestedCallsThatSuspendNeedNoStack) {
  int64_t sum = 0;
  uint64_t events = 0;
  ASSERT_TRUE(RunPath(
                  [&](Path& path) -> Task<void> {
                    // A second path at the same times, so that no Take is skipped.
                    path.Start(path.lp(), Duration{}, "other", [](Path& other) -> Task<void> {
                      for (int i = 0; i < 1'000'000; ++i) co_await other.Take(Nanoseconds(1));
                    });
                    for (int i = 0; i < 1'000'000; ++i) {
                      const int one = co_await AddLater(path, 0, 1);
                      sum += one;
                    }
                  },
                  &events)
                  .ok());
  EXPECT_EQ(sum, 1'000'000);
  EXPECT_EQ(events, 2'000'002u);
}

Task<void> ThrowLater(Path& path, bool take) {
  if (take) co_await path.Take(Nanoseconds(5));
  throw std::runtime_error("no such zone");
}

TEST(TaskTest, ExceptionsReachTheCallerAndCanBeCaught) {
  std::vector<std::string> caught;
  ASSERT_TRUE(RunPath([&](Path& path) -> Task<void> {
                for (const bool take : {false, true}) {
                  try {
                    co_await ThrowLater(path, take);
                  } catch (const std::runtime_error& e) {
                    caught.push_back(e.what());
                  }
                }
              }).ok());
  EXPECT_THAT(caught, ElementsAre("no such zone", "no such zone"));
}

TEST(TaskTest, AnUncaughtExceptionFromThreeLevelsDownEndsTheRun) {
  const auto middle = [](Path& path) -> Task<void> { co_await ThrowLater(path, true); };
  const absl::Status status = RunPath([&](Path& path) -> Task<void> { co_await middle(path); });
  EXPECT_EQ(status.code(), absl::StatusCode::kInternal);
  EXPECT_EQ(status.message(), "path 'path' failed at 5ns on LP 'lp': no such zone");
}

struct Tracker {
  explicit Tracker(int* live) : live_(live) { ++*live_; }
  ~Tracker() { --*live_; }
  int* live_;
};

Task<void> HoldForEver(Path& path, int* live) {
  const Tracker tracker(live);
  co_await path.Take(Seconds(1));
}

TEST(TaskTest, DestroyingTheEngineDestroysSuspendedFrames) {
  int live = 0;
  {
    Engine engine({});
    const LpId lp = engine.AddLp("lp");
    engine.Start(lp, SimTime{}, "path", [&live](Path& path) -> Task<void> {
      const Tracker tracker(&live);
      co_await HoldForEver(path, &live);
    });
    ASSERT_TRUE(engine.Run(SimTime{100}).ok());
    EXPECT_EQ(live, 2);
  }
  EXPECT_EQ(live, 0);
}

TEST(TaskTest, TheFunctionAndItsCapturesLiveUntilThePathEnds) {
  const auto shared = std::make_shared<int>(0);
  Engine engine({});
  const LpId lp = engine.AddLp("lp");
  {
    const std::string text = "captured, and too long to lie inside the lambda itself";
    engine.Start(lp, SimTime{}, "path", [shared, text](Path& path) -> Task<void> {
      co_await path.Take(Nanoseconds(10));
      *shared = static_cast<int>(text.size());
    });
  }
  ASSERT_TRUE(engine.Run(SimTime{5}).ok());
  EXPECT_EQ(shared.use_count(), 2);
  ASSERT_TRUE(engine.Run().ok());
  EXPECT_EQ(shared.use_count(), 1);
  EXPECT_EQ(*shared,
            static_cast<int>(std::string("captured, and too long to lie inside the lambda itself").size()));
}

}  // namespace
}  // namespace numasim::sim
