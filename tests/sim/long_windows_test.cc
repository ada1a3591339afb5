// Long windows against machines with a clock of their own.
#include "sim/long_windows.h"

#include <cstdint>
#include <functional>

#include "gtest/gtest.h"

namespace numasim::sim::internal {
namespace {

constexpr int64_t kSecond = 1'000'000'000;
constexpr int64_t kLength = 1'000'000;  // simulated ns

// What a window takes: `work` by one thread, `took` and `cpu` by all.
struct Window {
  int64_t work, took, cpu;
};

struct Result {
  double speedup;         // over running everything inline
  double parallel_share;  // of the windows
};

Result Simulate(LongWindows& windows, int64_t from, int64_t until,
                const std::function<Window(int64_t)>& window_at) {
  int64_t now = from, inline_ns = 0, count = 0, parallel = 0;
  while (now < until) {
    const Window window = window_at(now);
    ++count;
    inline_ns += window.work;
    if (windows.Parallel(kLength, now)) {
      ++parallel;
      now += window.took;
      windows.RanParallel(kLength, window.took, window.cpu, now);
    } else {
      now += window.work;
      windows.RanInline(kLength, window.work);
    }
  }
  return {static_cast<double>(inline_ns) / static_cast<double>(now - from),
          static_cast<double>(parallel) / static_cast<double>(count)};
}

constexpr Window kGood{1'000'000, 550'000, 1'050'000};

TEST(LongWindowsTest, TakesTheThreadsWhereTheyAreFaster) {
  LongWindows windows;
  const Result result = Simulate(windows, 0, kSecond, [](int64_t) { return kGood; });
  EXPECT_GT(result.speedup, 1.8);
  EXPECT_GT(result.parallel_share, 0.99);
}

// The one is filling memory, say, and the other giving it back, which takes a tenth of the time.
TEST(LongWindowsTest, WindowsThatTakeDifferentTimesDoNotConfuseIt) {
  LongWindows windows;
  const Result result = Simulate(windows, 0, kSecond, [n = 0](int64_t) mutable {
    return n++ % 3 == 0 ? Window{100'000, 60'000, 105'000} : kGood;
  });
  EXPECT_GT(result.parallel_share, 0.99);
}

TEST(LongWindowsTest, SmallWindowsStayInline) {
  LongWindows windows;
  const Result result =
      Simulate(windows, 0, kSecond / 10, [](int64_t) { return Window{5'000, 15'000, 8'000}; });
  EXPECT_EQ(result.parallel_share, 0);
}

// One LP has nearly all of the work, or another program has one of two CPUs.
TEST(LongWindowsTest, ThreadsThatGiveNoMoreAreLeftAlone) {
  for (const Window window :
       {Window{1'000'000, 1'000'000, 1'040'000}, Window{1'000'000, 1'050'000, 1'000'000}}) {
    LongWindows windows;
    const Result result = Simulate(windows, 0, 10 * kSecond, [&](int64_t) { return window; });
    EXPECT_LT(result.parallel_share, 0.05);
    EXPECT_GT(result.speedup, 0.995);
  }
}

TEST(LongWindowsTest, GoesBackToThreadsWhenTheyHelpAgain) {
  LongWindows windows;
  Simulate(windows, 0, kSecond, [](int64_t) { return Window{1'000'000, 1'050'000, 1'000'000}; });
  const Result result = Simulate(windows, kSecond, 11 * kSecond, [](int64_t) { return kGood; });
  EXPECT_GT(result.parallel_share, 0.85);
}

}  // namespace
}  // namespace numasim::sim::internal
