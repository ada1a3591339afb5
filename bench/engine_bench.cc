// The engine's speed: the event queue alone, PHOLD on one thread, and two threads against one. Build with
// --config=opt. Every benchmark reports its least, median and greatest time over the repetitions.
#include <benchmark/benchmark.h>
#include <signal.h>
#include <sys/wait.h>
#include <unistd.h>

#include <algorithm>
#include <chrono>
#include <cstdlib>
#include <memory>
#include <vector>

#include "sim/engine.h"
#include "sim/event_queue.h"
#include "sim/locks.h"
#include "sim/random.h"
#include "tests/sim/phold.h"

namespace numasim::sim {
namespace {

double Least(const std::vector<double>& v) { return *std::min_element(v.begin(), v.end()); }
double Greatest(const std::vector<double>& v) { return *std::max_element(v.begin(), v.end()); }

void Repeat(benchmark::internal::Benchmark* b) {
  b->Repetitions(5)
      ->ReportAggregatesOnly()
      ->ComputeStatistics("min", Least)
      ->ComputeStatistics("max", Greatest);
}

void EmptyHandler(const internal::Event&) {}

// A queue that stays at range(0) events: pop the next, call a handler through a pointer, push one an
// exponential time later.
void BM_QueuePopHandlePush(benchmark::State& state) {
  RandomStream random(1, "bench");
  std::vector<int64_t> delays(1 << 14);
  for (int64_t& d : delays) d = static_cast<int64_t>(random.Exponential(10'000));
  internal::EventQueue queue;
  uint64_t order = 0;
  for (int64_t i = 0; i < state.range(0); ++i) queue.Push({delays[order & 0x3fff], ++order, nullptr});
  void (*handler)(const internal::Event&) = EmptyHandler;
  benchmark::DoNotOptimize(handler);
  // Past the start, where all events are within one delay of zero.
  const auto step = [&] {
    const internal::Event event = queue.Pop();
    handler(event);
    queue.Push({event.time + delays[order & 0x3fff], ++order, nullptr});
  };
  for (int64_t i = 0; i < 4 * state.range(0); ++i) step();
  for (auto _ : state) step();
  state.SetItemsProcessed(state.iterations());
}
BENCHMARK(BM_QueuePopHandlePush)->Arg(64)->Arg(1000)->Arg(100'000)->Apply(Repeat);

// Nothing but a path that takes time while others wait in the queue: what a Take costs with and without the
// queue.
void BM_Take(benchmark::State& state) {
  Engine engine({});
  const LpId lp = engine.AddLp("lp");
  for (int64_t i = 0; i < state.range(0); ++i) {
    engine.Start(lp, SimTime{i % 10}, "p", [](Path& path) -> Task<void> {
      for (;;) co_await path.Take(Nanoseconds(10));
    });
  }
  for (auto _ : state) {
    if (!engine.Run(engine.now() + Microseconds(100)).ok()) state.SkipWithError("run failed");
  }
  state.SetItemsProcessed(static_cast<int64_t>(engine.events_executed()));
}
BENCHMARK(BM_Take)->Arg(1)->Arg(2)->Arg(32)->Apply(Repeat);

Task<int> Nested(Path&) { co_return 1; }

// A nested coroutine that does not suspend, and an uncontended lock, each per iteration of a path's loop.
void BM_NestedCall(benchmark::State& state) {
  Engine engine({});
  const LpId lp = engine.AddLp("lp");
  int64_t calls = 0;
  engine.Start(lp, SimTime{}, "p", [&](Path& path) -> Task<void> {
    for (;;) {
      for (int i = 0; i < 100; ++i) {
        const int one = co_await Nested(path);
        calls += one;
      }
      co_await path.Take(Nanoseconds(100));
    }
  });
  for (auto _ : state) {
    if (!engine.Run(engine.now() + Microseconds(100)).ok()) state.SkipWithError("run failed");
  }
  state.SetItemsProcessed(calls);
}
BENCHMARK(BM_NestedCall)->Apply(Repeat);

template <typename Lock>
void RunUncontended(benchmark::State& state, auto acquire, auto release) {
  Engine engine({});
  const LpId lp = engine.AddLp("lp");
  Lock lock(engine, lp, "lock");
  int64_t locks = 0;
  engine.Start(lp, SimTime{}, "p", [&](Path& path) -> Task<void> {
    for (;;) {
      co_await acquire(lock, path);
      co_await path.Take(Nanoseconds(10));
      release(lock, path);
      ++locks;
    }
  });
  for (auto _ : state) {
    if (!engine.Run(engine.now() + Microseconds(100)).ok()) state.SkipWithError("run failed");
  }
  state.SetItemsProcessed(locks);
}

void BM_UncontendedSpinLock(benchmark::State& state) {
  RunUncontended<SpinLock>(
      state, [](SpinLock& lock, Path& path) { return lock.Acquire(path); },
      [](SpinLock& lock, Path& path) { lock.Release(path); });
}
BENCHMARK(BM_UncontendedSpinLock)->Apply(Repeat);

// What each fault does with mmap_lock.
void BM_UncontendedReader(benchmark::State& state) {
  RunUncontended<RwSem>(
      state, [](RwSem& lock, Path& path) { return lock.AcquireRead(path); },
      [](RwSem& lock, Path& path) { lock.ReleaseRead(path); });
}
BENCHMARK(BM_UncontendedReader)->Apply(Repeat);

// PHOLD with 1,024 LPs on one thread: range(0) jobs per LP, range(1) percent of the steps remote. The mean
// step is 5 us, of which 500 ns (a tenth) are the lookahead.
void BM_Phold(benchmark::State& state) {
  Engine engine({});
  Phold model(engine, {.lps = 1024,
                       .jobs_per_lp = static_cast<int>(state.range(0)),
                       .remote = static_cast<double>(state.range(1)) / 100});
  const auto run = [&] {
    if (!engine.Run(engine.now() + Microseconds(500)).ok()) state.SkipWithError("run failed");
  };
  run();
  const uint64_t before = engine.events_executed();
  for (auto _ : state) run();
  state.SetItemsProcessed(static_cast<int64_t>(engine.events_executed() - before));
}
BENCHMARK(BM_Phold)
    ->ArgNames({"jobs", "remote"})
    ->ArgsProduct({{1, 4, 16}, {10, 100}})
    ->Unit(benchmark::kMillisecond)
    ->Apply(Repeat);

// Rounds of Phold's arithmetic that take 100 ns here.
int RoundsOf100Ns() {
  uint64_t x = 1;
  int64_t best = INT64_MAX;
  constexpr int kRounds = 1'000'000;
  for (int attempt = 0; attempt < 5; ++attempt) {
    const auto start = std::chrono::steady_clock::now();
    for (int i = 0; i < kRounds; ++i) x = (x ^ (x >> 29)) * 0xbf58476d1ce4e5b9u;
    benchmark::DoNotOptimize(x);
    const auto took = std::chrono::steady_clock::now() - start;
    best = std::min<int64_t>(best, std::chrono::duration_cast<std::chrono::nanoseconds>(took).count());
  }
  return static_cast<int>(100.0 * kRounds / static_cast<double>(best));
}

// Another program that burns a CPU while it lives.
class Competitor {
 public:
  Competitor() : pid_(fork()) {
    if (pid_ != 0) return;
    for (volatile uint64_t x = 0;;) x = x + 1;
  }
  ~Competitor() {
    if (pid_ <= 0) return;
    kill(pid_, SIGKILL);
    waitpid(pid_, nullptr, 0);
  }

 private:
  pid_t pid_;
};

double Median(std::vector<double> v) {
  std::nth_element(v.begin(), v.begin() + static_cast<ptrdiff_t>(v.size() / 2), v.end());
  return v[v.size() / 2];
}

// 8 LPs, some events per LP and window of 1 us, each with 100 ns of work, a tenth of them remote.
struct ThreadsModel {
  ThreadsModel(int threads, Scheme scheme, int events, int rounds)
      : engine({.threads = threads, .lookahead = Microseconds(1), .scheme = scheme}),
        // A job makes one step in two windows.
        model(engine,
              {.lps = 8, .jobs_per_lp = 2 * events, .remote = 0.1, .mean = Microseconds(2), .spin = rounds}) {
  }

  // Simulates on for about 200 ms of real time on one thread; returns the events per second of real time.
  double Slice(int events) {
    const uint64_t before = engine.events_executed();
    const auto start = std::chrono::steady_clock::now();
    if (!engine.Run(engine.now() + Microseconds(200'000 / events)).ok()) std::abort();
    const std::chrono::duration<double> took = std::chrono::steady_clock::now() - start;
    return static_cast<double>(engine.events_executed() - before) / took.count();
  }

  Engine engine;
  Phold model;
};

// Two threads against one, in turns, so that what else the machine does meets both alike. range(0): events
// per LP and window; range(1): another program takes a CPU; range(2): 0 as a user has it, 1 all windows by
// both threads.
void BM_TwoThreadsAgainstOne(benchmark::State& state) {
  static const int rounds = RoundsOf100Ns();
  const auto events = static_cast<int>(state.range(0));
  std::unique_ptr<Competitor> competitor;
  if (state.range(1) != 0) competitor = std::make_unique<Competitor>();
  ThreadsModel one(1, Scheme::kAuto, events, rounds);
  ThreadsModel two(2, state.range(2) != 0 ? Scheme::kParallel : Scheme::kAuto, events, rounds);
  std::vector<double> one_rate;
  std::vector<double> two_rate;
  std::vector<double> speedup;
  for (auto _ : state) {
    one_rate.push_back(one.Slice(events));
    two_rate.push_back(two.Slice(events));
    speedup.push_back(two_rate.back() / one_rate.back());
  }
  state.counters["one_median"] = Median(one_rate);
  state.counters["two_median"] = Median(two_rate);
  state.counters["one_best"] = Greatest(one_rate);
  state.counters["two_best"] = Greatest(two_rate);
  state.counters["speedup_min"] = Least(speedup);
  state.counters["speedup_median"] = Median(speedup);
}
BENCHMARK(BM_TwoThreadsAgainstOne)
    ->ArgNames({"events", "competitor", "forced"})
    ->ArgsProduct({{1, 5, 25, 100}, {0, 1}, {0, 1}})
    ->Iterations(15)
    ->Unit(benchmark::kMillisecond)
    ->UseRealTime();

}  // namespace
}  // namespace numasim::sim
