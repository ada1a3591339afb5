// The ladder queue against a plain heap, and the heap against sorting.
#include "sim/event_queue.h"

#include <algorithm>
#include <functional>
#include <vector>

#include "gtest/gtest.h"
#include "sim/event_heap.h"
#include "sim/random.h"

namespace numasim::sim::internal {
namespace {

using Delay = std::function<int64_t(RandomStream&)>;

bool Same(const Event& a, const Event& b) { return a.time == b.time && a.order == b.order; }

// Holds about `pending` events, then `steps` times pops one and pushes on average one, comparing each.
void CompareWithHeap(size_t pending, int steps, const Delay& delay, uint64_t seed) {
  RandomStream random(seed, "queue");
  EventQueue queue;
  EventHeap oracle;
  uint64_t order = 0;
  int64_t now = 0;
  const auto push = [&] {
    // Sources differ, so that an event may sort before an earlier-pushed one of its time.
    const Event event{now + delay(random), EventOrder(random.Uniform(8), order++), nullptr};
    queue.Push(event);
    oracle.Push(event);
  };
  const auto pop = [&] {
    ASSERT_EQ(queue.empty(), oracle.empty());
    ASSERT_EQ(queue.NextTime(), oracle.top().time);
    const Event expected = oracle.Pop();
    const Event got = queue.Pop();
    ASSERT_TRUE(Same(got, expected)) << got.time << "/" << got.order << " not " << expected.time << "/"
                                     << expected.order;
    now = expected.time;
  };
  for (size_t i = 0; i < pending; ++i) push();
  for (int i = 0; i < steps && !testing::Test::HasFatalFailure(); ++i) {
    pop();
    for (uint64_t n = random.Uniform(3); n > 0; --n) push();
    if (oracle.empty()) push();
    ASSERT_EQ(queue.size(), oracle.size());
  }
  while (!oracle.empty() && !testing::Test::HasFatalFailure()) pop();
  EXPECT_TRUE(queue.empty());
  EXPECT_EQ(queue.size(), 0u);
}

class QueueSizesTest : public testing::TestWithParam<size_t> {};

TEST_P(QueueSizesTest, UniformDelays) {
  CompareWithHeap(
      GetParam(), 20'000, [](RandomStream& r) { return static_cast<int64_t>(r.Uniform(100'000)); }, 1);
}

TEST_P(QueueSizesTest, ExponentialDelays) {
  CompareWithHeap(
      GetParam(), 20'000, [](RandomStream& r) { return static_cast<int64_t>(r.Exponential(5000)); }, 2);
}

TEST_P(QueueSizesTest, FewDistinctTimes) {
  CompareWithHeap(GetParam(), 20'000, [](RandomStream& r) { return static_cast<int64_t>(r.Uniform(3)); }, 3);
}

TEST_P(QueueSizesTest, AllAtOnce) {
  CompareWithHeap(GetParam(), 20'000, [](RandomStream&) { return int64_t{0}; }, 4);
}

TEST_P(QueueSizesTest, BimodalDelays) {
  CompareWithHeap(
      GetParam(), 20'000,
      [](RandomStream& r) {
        return static_cast<int64_t>(r.Bernoulli(0.9) ? r.Uniform(50) : r.Uniform(1'000'000'000));
      },
      5);
}

TEST_P(QueueSizesTest, DelaysOverManyScales) {
  CompareWithHeap(
      GetParam(), 20'000,
      [](RandomStream& r) { return static_cast<int64_t>(r.Next() >> (24 + r.Uniform(40))); }, 6);
}

INSTANTIATE_TEST_SUITE_P(Sizes, QueueSizesTest, testing::Values(1, 40, 130, 1000, 30'000));

TEST(EventQueueTest, TimesFromZeroToTheEndOfTime) {
  const int64_t last = std::numeric_limits<int64_t>::max() - 1;
  EventQueue queue;
  RandomStream random(1, "wide");
  std::vector<int64_t> times;
  for (int i = 0; i < 5000; ++i) times.push_back(static_cast<int64_t>(random.Next() >> 1));
  times.push_back(last);
  times.push_back(0);
  times.back() = 0;
  for (int64_t& t : times) t = std::min(t, last);
  uint64_t order = 0;
  for (const int64_t t : times) queue.Push({t, order++, nullptr});
  std::sort(times.begin(), times.end());
  for (const int64_t t : times) ASSERT_EQ(queue.Pop().time, t);
}

TEST(EventQueueTest, AnEventBeforeWhatWasPoppedComesNext) {
  EventQueue queue;
  for (int i = 0; i < 1000; ++i) queue.Push({1000 + i, EventOrder(1, static_cast<uint64_t>(i)), nullptr});
  for (int i = 0; i < 700; ++i) queue.Pop();
  queue.Push({5, EventOrder(1, 5000), nullptr});
  EXPECT_EQ(queue.Pop().time, 5);
  EXPECT_EQ(queue.Pop().time, 1700);
}

TEST(EventHeapTest, PopsInSortedOrder) {
  RandomStream random(7, "heap");
  EventHeap pushed;
  EventHeap heapified;
  std::vector<Event> events;
  for (uint64_t i = 0; i < 3000; ++i) {
    const Event event{static_cast<int64_t>(random.Uniform(500)), EventOrder(random.Uniform(4), i), nullptr};
    events.push_back(event);
    pushed.Push(event);
    heapified.Append(event);
  }
  heapified.Heapify();
  std::sort(events.begin(), events.end(), [](const Event& a, const Event& b) {
    return a.time != b.time ? a.time < b.time : a.order < b.order;
  });
  for (const Event& event : events) {
    ASSERT_TRUE(Same(pushed.Pop(), event));
    ASSERT_TRUE(Same(heapified.Pop(), event));
  }
}

}  // namespace
}  // namespace numasim::sim::internal
