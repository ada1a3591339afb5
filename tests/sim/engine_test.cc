// Paths, time, hops, errors and the end of a run.
#include "sim/engine.h"

#include <chrono>
#include <stdexcept>
#include <string>
#include <vector>

#include "gmock/gmock.h"
#include "gtest/gtest.h"
#include "sim/locks.h"
#include "sim/run_control.h"

namespace numasim::sim {
namespace {

using ::testing::ElementsAre;
using ::testing::HasSubstr;
using ::testing::UnorderedElementsAre;

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
  EXPECT_THAT(seen,
              ElementsAre(std::pair(1, int64_t{60}), std::pair(0, int64_t{110}), std::pair(0, int64_t{110})));
}

TEST(EngineTest, ARunStopsAfterTheEventsOfItsEndAndGoesOnFromThere) {
  Engine engine({});
  const LpId lp = engine.AddLp("lp");
  std::vector<int64_t> times;
  const auto tick = [&](Path& path) -> Task<void> {
    for (int i = 0; i < 5; ++i) {
      times.push_back(path.now().ns);
      co_await path.Take(Nanoseconds(100));
    }
  };
  engine.Start(lp, SimTime{100}, "tick", tick);
  ASSERT_TRUE(engine.Run(SimTime{200}).ok());
  EXPECT_THAT(times, ElementsAre(100, 200));
  EXPECT_EQ(engine.now(), SimTime{200});
  ASSERT_TRUE(engine.Run(SimTime{250}).ok());
  EXPECT_THAT(times, ElementsAre(100, 200));
  EXPECT_EQ(engine.now(), SimTime{250});
  engine.Start(lp, SimTime{250}, "other", [&](Path& path) -> Task<void> {
    times.push_back(-path.now().ns);
    co_return;
  });
  ASSERT_TRUE(engine.Run().ok());
  EXPECT_THAT(times, ElementsAre(100, 200, -250, 300, 400, 500));
  EXPECT_EQ(engine.now(), SimTime{600});
}

TEST(EngineTest, AStartedPathRunsAfterItsDelayOnItsLp) {
  Engine engine({.lookahead = Nanoseconds(50)});
  const LpId a = engine.AddLp("a");
  const LpId b = engine.AddLp("b");
  std::vector<Entry> log;
  const auto note = [&](Path& path) -> Task<void> {
    log.push_back({path.name() + " on " + std::to_string(path.lp().value), path.now().ns});
    co_return;
  };
  engine.Start(a, SimTime{10}, "parent", [&](Path& path) -> Task<void> {
    path.Start(b, Nanoseconds(50), "remote", note);
    path.Start(a, Nanoseconds(0), "local", note);
    log.push_back({"parent", path.now().ns});
    co_return;
  });
  ASSERT_TRUE(engine.Run().ok());
  EXPECT_THAT(log, ElementsAre(Entry{"parent", 10}, Entry{"local on 0", 10}, Entry{"remote on 1", 60}));
}

// A lone path skips the queue at every step, one of two that meet at the same times never does.
TEST(EngineTest, SkippingTheQueueChangesNeitherOrderNorCount) {
  const auto run = [](bool alone, std::vector<Entry>& log) {
    Engine engine({});
    const LpId lp = engine.AddLp("lp");
    engine.Start(lp, SimTime{0}, "p", [&](Path& path) -> Task<void> {
      for (int i = 0; i < 100; ++i) {
        log.push_back({path.name(), path.now().ns});
        co_await path.Take(Nanoseconds(10 + i % 3));
      }
    });
    if (!alone) {
      engine.Start(lp, SimTime{0}, "q", [&](Path& path) -> Task<void> {
        for (int i = 0; i < 1200; ++i) co_await path.Take(Nanoseconds(1));
      });
    }
    EXPECT_TRUE(engine.Run().ok());
    return engine.events_executed();
  };
  std::vector<Entry> alone;
  std::vector<Entry> together;
  EXPECT_EQ(run(true, alone), 101u);
  EXPECT_EQ(run(false, together), 101u + 1201u);
  EXPECT_EQ(alone, together);
}

TEST(EngineTest, AnExceptionEndsTheRunAndStays) {
  Engine engine({});
  const LpId lp = engine.AddLp("node1");
  int late = 0;
  engine.Start(lp, SimTime{0}, "resize pool", [](Path& path) -> Task<void> {
    co_await path.Take(Microseconds(1500));
    throw std::runtime_error("pool is gone");
  });
  engine.Start(lp, SimTime{Microseconds(1500).ns + 1}, "late", [&](Path&) -> Task<void> {
    ++late;
    co_return;
  });
  const absl::Status status = engine.Run();
  EXPECT_EQ(status.code(), absl::StatusCode::kInternal);
  EXPECT_EQ(status.message(), "path 'resize pool' failed at 1.5ms on LP 'node1': pool is gone");
  EXPECT_EQ(engine.Run(), status);
  EXPECT_EQ(late, 0);
  EXPECT_EQ(engine.now(), SimTime{Microseconds(1500).ns});
}

TEST(EngineTest, ThrowingSomethingElseIsReportedToo) {
  Engine engine({});
  const LpId lp = engine.AddLp("lp");
  engine.Start(lp, SimTime{0}, "p", [](Path&) -> Task<void> {
    throw 5;
    co_return;
  });
  EXPECT_THAT(std::string(engine.Run().message()), HasSubstr("not std::exception"));
}

TEST(EngineTest, AFunctionThatThrowsBeforeThereIsACoroutineIsAnErrorToo) {
  Engine engine({});
  const LpId lp = engine.AddLp("lp");
  engine.Start(lp, SimTime{5}, "p", [](Path&) -> Task<void> { throw std::runtime_error("no task"); });
  EXPECT_EQ(engine.Run().message(), "path 'p' failed at 5ns on LP 'lp': no task");
}

// LP 2 fails at 900, LP 1 at 700, and both lie in the window of the earliest event: the earlier error is the
// one that is reported, and everything until then has happened, whatever the threads.
TEST(EngineTest, TheEarliestErrorIsReportedForAnyNumberOfThreads) {
  for (const int threads : {1, 2, 4}) {
    Engine engine({.threads = threads, .lookahead = Nanoseconds(1000), .scheme = Scheme::kParallel});
    std::vector<int> ticks(4);
    for (int i = 0; i < 4; ++i) {
      const LpId lp = engine.AddLp("lp" + std::to_string(i));
      engine.Start(lp, SimTime{10}, "p" + std::to_string(i), [&ticks, i](Path& path) -> Task<void> {
        for (;;) {
          ++ticks[static_cast<size_t>(i)];
          co_await path.Take(Nanoseconds(10));
          if (i == 2 && path.now() == SimTime{900}) throw std::runtime_error("late");
          if (i == 1 && path.now() == SimTime{700}) throw std::runtime_error("early");
        }
      });
    }
    EXPECT_EQ(engine.Run(SimTime{100'000}).message(), "path 'p1' failed at 700ns on LP 'lp1': early");
    EXPECT_EQ(engine.now(), SimTime{700});
    EXPECT_GE(ticks[0], 70);
    EXPECT_GE(ticks[3], 70);
    EXPECT_EQ(ticks[1], 69);
  }
}

TEST(EngineTest, LatenciesBelowTheLookaheadAbort) {
  const auto run = [](PathFn fn) {
    Engine engine({.lookahead = Nanoseconds(50)});
    const LpId a = engine.AddLp("a");
    engine.AddLp("b");
    engine.Start(a, SimTime{7}, "p", std::move(fn));
    (void)engine.Run();
  };
  EXPECT_DEATH(run([](Path& path) -> Task<void> { co_await path.HopTo(LpId{1}, Nanoseconds(49)); }),
               "HopTo of 49ns .at least 50ns. by path 'p' at 7ns on LP 'a'");
  EXPECT_DEATH(run([](Path& path) -> Task<void> {
                 path.Start(LpId{1}, Nanoseconds(49), "q", nullptr);
                 co_return;
               }),
               "Start of 49ns");
  EXPECT_DEATH(run([](Path& path) -> Task<void> { co_await path.Take(Nanoseconds(-1)); }), "Take of -1ns");
}

// A step at the end of simulated time or later never comes, however the path gets there; everything before
// does.
TEST(EngineTest, PathsThatWouldGoOnAfterTheEndOfTimeStayBlocked) {
  for (const int threads : {1, 2}) {
    Engine engine({.threads = threads, .lookahead = Nanoseconds(50), .scheme = Scheme::kParallel});
    const LpId a = engine.AddLp("a");
    const LpId b = engine.AddLp("b");
    bool went_on = false;
    SimTime last;
    const auto wait = [&](Duration before, PathFn then) {
      return [&went_on, before, then = std::move(then)](Path& path) -> Task<void> {
        co_await path.Take(before);
        co_await then(path);
        went_on = true;
      };
    };
    const Duration all = kNever - SimTime{};
    engine.Start(a, SimTime{0}, "sleeps", wait(Nanoseconds(7), [all](Path& path) -> Task<void> {
                   co_await path.Take(all - Nanoseconds(7));
                 }));
    engine.Start(a, SimTime{0}, "hops",
                 wait(Nanoseconds(8), [all, b](Path& path) -> Task<void> { co_await path.HopTo(b, all); }));
    engine.Start(b, SimTime{0}, "starts", [&, all, a](Path& path) -> Task<void> {
      path.Start(a, all, "started", [&](Path&) -> Task<void> {
        went_on = true;
        co_return;
      });
      co_await path.Take(all - Nanoseconds(1));
      last = path.now();
    });
    engine.Start(b, kNever, "never", [&](Path&) -> Task<void> {
      went_on = true;
      co_return;
    });
    ASSERT_TRUE(engine.Run().ok());
    EXPECT_FALSE(went_on);
    EXPECT_EQ(last, kNever - Nanoseconds(1));
    std::vector<std::string> blocked;
    for (const BlockedPath& path : engine.blocked_paths()) {
      EXPECT_TRUE(path.after_end_of_time) << path.path;
      blocked.push_back(path.path);
    }
    EXPECT_THAT(blocked, UnorderedElementsAre("sleeps", "hops", "started", "never"));
  }
}

TEST(EngineTest, PathIdsDoNotDependOnWhatElseRuns) {
  Engine engine({.lookahead = Nanoseconds(50)});
  const LpId a = engine.AddLp("a");
  const LpId b = engine.AddLp("b");
  std::vector<uint64_t> ids;
  const auto note = [&](Path& path) -> Task<void> {
    ids.push_back(path.id());
    co_return;
  };
  engine.Start(b, SimTime{0}, "first", [&](Path& path) -> Task<void> {
    ids.push_back(path.id());
    path.Start(a, Nanoseconds(50), "x", note);
    path.Start(b, Nanoseconds(100), "y", note);
    co_return;
  });
  ASSERT_TRUE(engine.Run().ok());
  // LP b is source 2; the outside is 0.
  EXPECT_THAT(ids, ElementsAre(0u, uint64_t{2} << 32, (uint64_t{2} << 32) + 1));
}

// Paths that are born on one LP and end on another must not pile up there.
TEST(EngineTest, ManyShortPathsAcrossLps) {
  for (const int threads : {1, 2}) {
    Engine engine({.threads = threads, .lookahead = Nanoseconds(10), .scheme = Scheme::kParallel});
    const LpId a = engine.AddLp("a");
    const LpId b = engine.AddLp("b");
    int64_t ended = 0;
    for (const LpId lp : {a, b}) {
      engine.Start(lp, SimTime{0}, "source", [&ended, b](Path& path) -> Task<void> {
        for (int i = 0; i < 20'000; ++i) {
          co_await path.Take(Nanoseconds(5));
          if (path.lp() == b) continue;
          path.Start(b, Nanoseconds(10), "errand", [&ended](Path&) -> Task<void> {
            ++ended;
            co_return;
          });
        }
      });
    }
    ASSERT_TRUE(engine.Run().ok());
    EXPECT_EQ(ended, 20'000);
  }
}

TEST(EngineTest, ProgressIsReportedAboutTenTimesASecond) {
  Engine engine({});
  const LpId lp = engine.AddLp("lp");
  bool stop = false;
  engine.Start(lp, SimTime{0}, "busy", [&](Path& path) -> Task<void> {
    while (!stop) co_await path.Take(Nanoseconds(1));
  });
  int calls = 0;
  SimTime last{-1};
  uint64_t last_events = 0;
  engine.SetProgress([&](SimTime now, uint64_t events) {
    EXPECT_GT(now, last);
    EXPECT_GT(events, last_events);
    EXPECT_EQ(now, engine.now());
    last = now;
    last_events = events;
    stop = ++calls == 3;
  });
  const auto start = std::chrono::steady_clock::now();
  ASSERT_TRUE(engine.Run().ok());
  EXPECT_EQ(calls, 3);
  EXPECT_GE(std::chrono::steady_clock::now() - start, std::chrono::milliseconds(300));
}

// Two LPs whose paths note each step's time until the run ends.
struct Steps {
  explicit Steps(Duration step) {
    for (const char* name : {"a", "b"}) {
      const LpId lp = engine.AddLp(name);
      std::vector<int64_t>& times = name[0] == 'a' ? a : b;
      engine.Start(lp, SimTime{0}, name, [&times, step](Path& path) -> Task<void> {
        for (;;) {
          co_await path.Take(step);
          times.push_back(path.now().ns);
        }
      });
    }
  }
  Engine engine{{}};
  std::vector<int64_t> a;
  std::vector<int64_t> b;
};

TEST(EngineTest, StopEndsTheRunAtOneInstantAsIfThatWereItsEnd) {
  Steps stopped(Nanoseconds(10));
  stopped.engine.SetProgress([&](SimTime, uint64_t) { StopRun(stopped.engine); });
  ASSERT_TRUE(stopped.engine.Run().ok());
  EXPECT_TRUE(RunWasStopped(stopped.engine));
  const SimTime end = stopped.engine.now();
  Steps ran_to_end(Nanoseconds(10));
  ASSERT_TRUE(ran_to_end.engine.Run(end).ok());
  EXPECT_FALSE(RunWasStopped(ran_to_end.engine));
  EXPECT_TRUE(stopped.a == ran_to_end.a);
  EXPECT_TRUE(stopped.b == ran_to_end.b);
  EXPECT_EQ(stopped.engine.events_executed(), ran_to_end.engine.events_executed());
}

TEST(EngineTest, AnInstantThatDoesNotEndIsReportedAndCanBeStopped) {
  Engine engine({});
  const LpId lp = engine.AddLp("lp");
  for (int i = 0; i < 2; ++i) {
    engine.Start(lp, SimTime{5}, "stuck", [](Path& path) -> Task<void> {
      for (;;) co_await path.Take(Nanoseconds(0));
    });
  }
  const LpId other = engine.AddLp("other");
  engine.Start(other, SimTime{7}, "later", [](Path& path) -> Task<void> { co_await path.Take(Seconds(1)); });
  uint64_t last_events = 0;
  engine.SetProgress([&](SimTime now, uint64_t events) {
    EXPECT_EQ(now, SimTime{5});
    EXPECT_EQ(NextPath(engine), "stuck");
    EXPECT_GT(events, last_events);
    last_events = events;
    StopRun(engine);
  });
  ASSERT_TRUE(engine.Run(SimTime{1000}).ok());
  EXPECT_TRUE(RunWasStopped(engine));
  EXPECT_EQ(engine.now(), SimTime{7});
}

TEST(EngineTest, ManyStepsWithoutTimeChangeNothingButTheirCount) {
  Engine engine({});
  const LpId lp = engine.AddLp("lp");
  std::vector<Entry> log;
  constexpr int kSteps = 1'000'000;
  engine.Start(lp, SimTime{5}, "busy", [&](Path& path) -> Task<void> {
    for (int i = 0; i < kSteps; ++i) co_await path.Take(Nanoseconds(0));
    log.push_back({path.name(), path.now().ns});
  });
  engine.Start(lp, SimTime{6}, "after", [&](Path& path) -> Task<void> {
    log.push_back({path.name(), path.now().ns});
    co_return;
  });
  ASSERT_TRUE(engine.Run().ok());
  EXPECT_THAT(log, ElementsAre(Entry{"busy", 5}, Entry{"after", 6}));
  EXPECT_EQ(engine.events_executed(), kSteps + 2u);
}

// ---- paths that look from time to time ----

// When it went on, over and over, and what others do at `busy`.
std::vector<int64_t> TimesOfIdler(const std::vector<int64_t>& busy, int64_t period, SimTime end = kNever,
                                  int threads = 1) {
  Engine engine({.threads = threads, .scheme = threads > 1 ? Scheme::kParallel : Scheme::kAuto});
  const LpId lp = engine.AddLp("node0");
  const LpId other = engine.AddLp("node1");
  std::vector<int64_t> times;
  engine.Start(lp, SimTime{5}, "idler", [&](Path& path) -> Task<void> {
    for (;;) {
      co_await path.TakeWhileIdle(Nanoseconds(period));
      times.push_back(path.now().ns);
    }
  });
  // From elsewhere: the LP itself has nothing pending.
  engine.Start(other, SimTime{0}, "busy", [&](Path& path) -> Task<void> {
    for (const int64_t at : busy) {
      co_await path.Take(SimTime{at} - path.now() - Nanoseconds(500));
      path.Start(lp, Nanoseconds(500), "event", [](Path&) -> Task<void> { co_return; });
    }
  });
  EXPECT_TRUE(engine.Run(end).ok());
  EXPECT_THAT(engine.blocked_paths(), testing::IsEmpty());
  return times;
}

TEST(EngineTest, IdlerGoesOnWithTheFirstPeriodThatEndsAfterAnEvent) {
  // Periods end at 1005, 2005 and so on; the run ends with the one behind the last event.
  EXPECT_THAT(TimesOfIdler({}, 1000), ElementsAre());
  EXPECT_THAT(TimesOfIdler({900}, 1000), ElementsAre(1005));
  EXPECT_THAT(TimesOfIdler({1005}, 1000), ElementsAre(1005, 2005));  // the event comes behind it
  EXPECT_THAT(TimesOfIdler({1006}, 1000), ElementsAre(2005));
  EXPECT_THAT(TimesOfIdler({900, 950, 7'000'000}, 1000), ElementsAre(1005, 7'000'005));
  EXPECT_THAT(TimesOfIdler({900, 7'000'000'000'000'000}, 1000), ElementsAre(1005, 7'000'000'000'000'005));
}

TEST(EngineTest, IdlersDoNotKeepEachOtherGoing) {
  Engine engine({});
  const LpId lp = engine.AddLp("node0");
  std::vector<Entry> log;
  for (const char* name : {"a", "b"}) {
    engine.Start(lp, SimTime{0}, name, [&](Path& path) -> Task<void> {
      for (;;) {
        co_await path.TakeWhileIdle(Nanoseconds(10));
        log.push_back({path.name(), path.now().ns});
      }
    });
  }
  engine.Start(lp, SimTime{25}, "event", [](Path&) -> Task<void> { co_return; });
  ASSERT_TRUE(engine.Run().ok());
  EXPECT_THAT(log, ElementsAre(Entry{"a", 10}, Entry{"b", 30}, Entry{"a", 30}));
}

TEST(EngineTest, IdlerHasTheSameTimesForAnyNumberOfThreads) {
  std::vector<int64_t> busy;
  for (int64_t i = 1; i < 300; ++i) busy.push_back(i * i * 37 + 1000);
  const std::vector<int64_t> times = TimesOfIdler(busy, 1000);
  EXPECT_GT(times.size(), 100u);
  EXPECT_EQ(TimesOfIdler(busy, 1000, kNever, 2), times);
  EXPECT_EQ(TimesOfIdler(busy, 1000, kNever, 3), times);
}

TEST(EngineTest, IdlerWhosePeriodWouldEndAfterTheEndOfTimeNeverGoesOn) {
  EXPECT_THAT(TimesOfIdler({kNever.ns - 10}, 1'000'000), ElementsAre());
}

TEST(EngineTest, IdlersPeriodMustNotBeZero) {
  Engine engine({});
  engine.Start(engine.AddLp("node0"), SimTime{0}, "p",
               [](Path& path) -> Task<void> { co_await path.TakeWhileIdle(Nanoseconds(0)); });
  EXPECT_DEATH(static_cast<void>(engine.Run()), "TakeWhileIdle");
}

}  // namespace
}  // namespace numasim::sim
