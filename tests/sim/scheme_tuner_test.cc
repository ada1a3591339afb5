// The tuner against machines with a clock of their own, in which a window inline takes 10 us for 100 events.
#include "sim/scheme_tuner.h"

#include <functional>

#include "gtest/gtest.h"

namespace numasim::sim::internal {
namespace {

constexpr int64_t kInlineNs = 10'000;
constexpr int64_t kSecond = 1'000'000'000;

struct Result {
  double speedup;         // over running everything inline
  double parallel_share;  // of the windows
};

// `parallel_ns` says how long a window takes by all threads at a time.
Result Simulate(SchemeTuner& tuner, int64_t from, int64_t until,
                const std::function<int64_t(int64_t)>& parallel_ns) {
  int64_t now = from;
  uint64_t events = 0;
  int64_t windows = 0;
  int64_t parallel = 0;
  tuner.Start(now, events);
  while (now < until) {
    const bool is_parallel = tuner.parallel();
    now += is_parallel ? parallel_ns(now) : kInlineNs;
    parallel += is_parallel ? 1 : 0;
    ++windows;
    events += 100;
    if (tuner.BlockIsFull(events)) tuner.EndBlock(now, events);
  }
  return {static_cast<double>(windows * kInlineNs) / static_cast<double>(now - from),
          static_cast<double>(parallel) / static_cast<double>(windows)};
}

// A program that competes with the worker for its CPU: for 3 ms the worker runs, then it hangs for 3 ms, and
// whoever waits for it too.
int64_t WithCompetitor(int64_t now) {
  constexpr int64_t kSlice = 3'000'000;
  const int64_t in_period = now % (2 * kSlice);
  return in_period < kSlice ? kInlineNs * 10 / 18 : 2 * kSlice - in_period;
}

TEST(SchemeTunerTest, TakesTheThreadsWhereTheyAreFaster) {
  SchemeTuner tuner;
  const Result result = Simulate(tuner, 0, kSecond, [](int64_t) { return kInlineNs * 10 / 18; });
  EXPECT_GT(result.speedup, 0.97 * 1.8);
  EXPECT_GT(result.parallel_share, 0.97);
}

TEST(SchemeTunerTest, TryingThreadsThatAreSlowerCostsLittle) {
  for (const int64_t slower : {1, 2, 10, 100}) {
    SchemeTuner tuner;
    const Result result = Simulate(tuner, 0, 2 * kSecond, [&](int64_t) { return slower * kInlineNs; });
    EXPECT_GT(result.speedup, 0.97) << slower;
  }
}

TEST(SchemeTunerTest, AWorkerThatOftenHangsIsNotFollowedForLong) {
  SchemeTuner tuner;
  const Result result = Simulate(tuner, 0, 2 * kSecond, WithCompetitor);
  EXPECT_GT(result.speedup, 0.97);
}

TEST(SchemeTunerTest, NoticesThatACompetitorCameAndWent) {
  SchemeTuner tuner;
  Simulate(tuner, 0, kSecond, [](int64_t) { return kInlineNs * 10 / 18; });
  EXPECT_TRUE(tuner.parallel());
  const Result busy = Simulate(tuner, kSecond, 3 * kSecond, WithCompetitor);
  EXPECT_GT(busy.speedup, 0.95);
  const Result free = Simulate(tuner, 3 * kSecond, 8 * kSecond, [](int64_t) { return kInlineNs * 10 / 18; });
  EXPECT_GT(free.speedup, 1.5);
}

TEST(SchemeTunerTest, NoticesThatTheModelGotTooLittleToDo) {
  SchemeTuner tuner;
  Simulate(tuner, 0, kSecond, [](int64_t) { return kInlineNs * 10 / 18; });
  const Result result = Simulate(tuner, kSecond, 2 * kSecond, [](int64_t) { return kInlineNs * 3; });
  EXPECT_GT(result.speedup, 0.95);
}

}  // namespace
}  // namespace numasim::sim::internal
