// The semantics of locks, CPUs and completions.
#include "sim/locks.h"

#include <string>
#include <vector>

#include "gmock/gmock.h"
#include "gtest/gtest.h"
#include "sim/cpu.h"
#include "sim/sync.h"

namespace numasim::sim {
namespace {

using ::testing::ElementsAre;
using ::testing::ElementsAreArray;

class LocksTest : public testing::Test {
 protected:
  // A path that starts at `at` and writes what it does, with the time.
  void Start(int64_t at, const std::string& name, PathFn fn) {
    engine_.Start(lp_, SimTime{at}, name, std::move(fn));
  }
  void Note(Path& path, const std::string& what) {
    notes_.push_back(path.name() + " " + what + " " + std::to_string(path.now().ns));
  }
  void Run() { ASSERT_EQ(engine_.Run(), absl::OkStatus()); }

  Engine engine_{{.lookahead = Nanoseconds(10)}};
  LpId lp_ = engine_.AddLp("node0");
  LpId other_ = engine_.AddLp("node1");
  std::vector<std::string> notes_;
};

// Takes the lock, holds it for `hold` and writes when it had it.
template <class Lock>
Task<void> HoldFor(Path& path, Lock& lock, Duration hold, std::vector<std::string>& notes) {
  co_await lock.Acquire(path);
  notes.push_back(path.name() + " has it " + std::to_string(path.now().ns));
  co_await path.Take(hold);
  lock.Release(path);
}

template <class Lock>
class ExclusiveLockTest : public LocksTest {};
using ExclusiveLocks = testing::Types<SpinLock, Mutex>;
TYPED_TEST_SUITE(ExclusiveLockTest, ExclusiveLocks);

TYPED_TEST(ExclusiveLockTest, WaitersGetItInTheOrderTheyCame) {
  TypeParam lock(this->engine_, this->lp_, "lock");
  const char* const names[] = {"a", "b", "c", "d"};
  // All come while a holds it; each then holds it for 100.
  for (int i = 0; i < 4; ++i) {
    this->Start(i * 10, names[i],
                [&](Path& path) { return HoldFor(path, lock, Nanoseconds(100), this->notes_); });
  }
  this->Run();
  EXPECT_THAT(this->notes_, ElementsAre("a has it 0", "b has it 100", "c has it 200", "d has it 300"));
}

TYPED_TEST(ExclusiveLockTest, StatisticsCountWaitsAndHolds) {
  TypeParam lock(this->engine_, this->lp_, "hugetlb_lock");
  for (const int64_t at : {0, 10, 1000}) {
    this->Start(at, "p", [&](Path& path) { return HoldFor(path, lock, Nanoseconds(100), this->notes_); });
  }
  this->Run();
  const auto all = this->engine_.lock_stats();
  ASSERT_EQ(all.size(), 1u);
  const LockStats& stats = *all[0];
  EXPECT_EQ(stats.name, "hugetlb_lock");
  EXPECT_EQ(stats.lp, this->lp_);
  EXPECT_EQ(stats.acquisitions, 3u);
  EXPECT_EQ(stats.contended, 1u);
  EXPECT_EQ(stats.try_failed, 0u);
  EXPECT_EQ(stats.wait.count(), 1u);
  EXPECT_EQ(stats.wait.sum(), 100 - 10);
  EXPECT_EQ(stats.hold.count(), 3u);
  EXPECT_EQ(stats.hold.sum(), 3 * 100);
}

TYPED_TEST(ExclusiveLockTest, TrylockFailsWithoutWaitingWhileItIsHeld) {
  TypeParam lock(this->engine_, this->lp_, "lock");
  this->Start(0, "a", [&](Path& path) { return HoldFor(path, lock, Nanoseconds(100), this->notes_); });
  std::vector<bool> got;
  for (const int64_t at : {50, 200}) {
    this->Start(at, "try", [&](Path& path) -> Task<void> {
      got.push_back(lock.TryAcquire(path));
      if (got.back()) lock.Release(path);
      co_return;
    });
  }
  this->Run();
  EXPECT_THAT(got, ElementsAre(false, true));
  EXPECT_EQ(lock.stats().try_failed, 1u);
  EXPECT_EQ(lock.stats().acquisitions, 2u);
}

TYPED_TEST(ExclusiveLockTest, ReleaseHandsOverSoThatNobodyOvertakesTheWaiter) {
  TypeParam lock(this->engine_, this->lp_, "lock");
  std::vector<bool> again;
  this->Start(0, "a", [&](Path& path) -> Task<void> {
    co_await lock.Acquire(path);
    co_await path.Take(Nanoseconds(100));
    lock.Release(path);
    again.push_back(lock.TryAcquire(path));
  });
  this->Start(10, "b", [&](Path& path) { return HoldFor(path, lock, Nanoseconds(1), this->notes_); });
  this->Run();
  EXPECT_THAT(again, ElementsAre(false));
  EXPECT_THAT(this->notes_, ElementsAre("b has it 100"));
}

TYPED_TEST(ExclusiveLockTest, MisuseAborts) {
  TypeParam lock(this->engine_, this->lp_, "lock");
  const auto run = [&](LpId lp, PathFn fn) {
    this->engine_.Start(lp, this->engine_.now(), "p", std::move(fn));
    (void)this->engine_.Run();
  };
  EXPECT_DEATH(run(this->lp_,
                   [&](Path& path) -> Task<void> {
                     lock.Release(path);
                     co_return;
                   }),
               "holder_ == &path");
  EXPECT_DEATH(run(this->lp_,
                   [&](Path& path) -> Task<void> {
                     co_await lock.Acquire(path);
                     co_await lock.Acquire(path);
                   }),
               "holder_ != &path");
  EXPECT_DEATH(run(this->other_, [&](Path& path) -> Task<void> { co_await lock.Acquire(path); }),
               "1 against 0");
}

TEST_F(LocksTest, LocksOfOneNameShareStatisticsAndOrderIsThatOfRegistration) {
  SpinLock z(engine_, lp_, "zone->lock");
  SpinLock there(engine_, other_, "zone->lock");
  SpinLock a(engine_, lp_, "a");
  SpinLock z2(engine_, lp_, "zone->lock");
  EXPECT_EQ(&z.stats(), &z2.stats());
  std::vector<std::string> names;
  for (const LockStats* stats : engine_.lock_stats()) {
    names.push_back(std::to_string(stats->lp.value) + " " + stats->name);
  }
  EXPECT_THAT(names, ElementsAre("0 zone->lock", "0 a", "1 zone->lock"));
}

class RwSemTest : public LocksTest {
 protected:
  void Reader(int64_t at, const std::string& name, int64_t hold) {
    Start(at, name, [this, hold](Path& path) -> Task<void> {
      co_await sem_.AcquireRead(path);
      Note(path, "reads");
      co_await path.Take(Nanoseconds(hold));
      sem_.ReleaseRead(path);
    });
  }
  void Writer(int64_t at, const std::string& name, int64_t hold) {
    Start(at, name, [this, hold](Path& path) -> Task<void> {
      co_await sem_.AcquireWrite(path);
      Note(path, "writes");
      co_await path.Take(Nanoseconds(hold));
      sem_.ReleaseWrite(path);
    });
  }

  RwSem sem_{engine_, lp_, "mmap_lock"};
};

TEST_F(RwSemTest, ReadersShareAndWritersExclude) {
  Reader(0, "r1", 100);
  Reader(10, "r2", 100);
  Writer(20, "w1", 100);
  Writer(30, "w2", 100);
  Run();
  EXPECT_THAT(notes_, ElementsAre("r1 reads 0", "r2 reads 10", "w1 writes 110", "w2 writes 210"));
}

TEST_F(RwSemTest, AReaderQueuesBehindAWaitingWriter) {
  Reader(0, "r1", 100);
  Writer(10, "w", 100);
  Reader(20, "r2", 100);
  Reader(30, "r3", 100);
  Writer(40, "w2", 100);
  Reader(50, "r4", 100);
  Run();
  EXPECT_THAT(notes_, ElementsAre("r1 reads 0", "w writes 100", "r2 reads 200", "r3 reads 200",
                                  "w2 writes 300", "r4 reads 400"));
}

// What the statistics say is what they say of a reader that lets go and takes it again by itself.
TEST_F(RwSemTest, RetakingCountsAsLettingGoAndTakingAgain) {
  RwSem one_by_one(engine_, lp_, "one by one");
  Start(0, "reader", [&](Path& path) -> Task<void> {
    co_await sem_.AcquireRead(path);
    co_await path.Take(Nanoseconds(30));
    sem_.RetakeRead(path, 3, Nanoseconds(10), path.now());
    co_await path.Take(Nanoseconds(5));
    sem_.ReleaseRead(path);
    for (const int64_t hold : {10, 10, 10, 5}) {
      co_await one_by_one.AcquireRead(path);
      co_await path.Take(Nanoseconds(hold));
      one_by_one.ReleaseRead(path);
    }
  });
  Run();
  EXPECT_EQ(sem_.stats().acquisitions, one_by_one.stats().acquisitions);
  EXPECT_EQ(sem_.stats().hold.buckets(), one_by_one.stats().hold.buckets());
  EXPECT_EQ(sem_.stats().hold.sum(), 35);
}

TEST_F(RwSemTest, Trylocks) {
  Reader(0, "r", 100);
  Writer(200, "w", 100);
  std::vector<bool> got;
  const auto attempt = [&](int64_t at, bool write) {
    Start(at, "try", [&, write](Path& path) -> Task<void> {
      const bool ok = write ? sem_.TryAcquireWrite(path) : sem_.TryAcquireRead(path);
      got.push_back(ok);
      if (ok && write) sem_.ReleaseWrite(path);
      if (ok && !write) sem_.ReleaseRead(path);
      co_return;
    });
  };
  attempt(50, false);   // beside a reader
  attempt(60, true);    // not beside a reader
  attempt(250, false);  // not beside a writer
  attempt(260, true);
  attempt(400, true);  // free
  Run();
  EXPECT_THAT(got, ElementsAre(true, false, false, false, true));
}

TEST_F(RwSemTest, DowngradeLetsReadersInWithoutLettingGo) {
  Start(0, "w", [&](Path& path) -> Task<void> {
    co_await sem_.AcquireWrite(path);
    co_await path.Take(Nanoseconds(100));
    sem_.Downgrade(path);
    co_await path.Take(Nanoseconds(100));
    sem_.ReleaseRead(path);
  });
  Reader(10, "r", 10);
  Writer(20, "w2", 10);
  Run();
  EXPECT_THAT(notes_, ElementsAre("r reads 100", "w2 writes 200"));
}

TEST_F(LocksTest, CpuIsHandedOnInOrderAndCountsBusyTime) {
  Cpu cpu(engine_, lp_, "cpu0");
  for (const char* name : {"a", "b", "c"}) {
    Start(0, name, [&](Path& path) { return HoldFor(path, cpu, Nanoseconds(100), notes_); });
  }
  Start(1000, "d", [&](Path& path) { return HoldFor(path, cpu, Nanoseconds(50), notes_); });
  Run();
  EXPECT_THAT(notes_, ElementsAre("a has it 0", "b has it 100", "c has it 200", "d has it 1000"));
  EXPECT_EQ(cpu.busy_time(engine_.now()), Nanoseconds(350));
  EXPECT_FALSE(cpu.busy());
}

// b comes at 0 as well; a's quantum of 100 ends between its second and third step of 40.
TEST_F(LocksTest, MaybeYieldGivesWayOnlyToOthersAndOnlyAfterTheQuantum) {
  Cpu cpu(engine_, lp_, "cpu0", Nanoseconds(100));
  const auto steps = [&](Path& path) -> Task<void> {
    co_await cpu.Acquire(path);
    for (int i = 0; i < 5; ++i) {
      co_await path.Take(Nanoseconds(40));
      Note(path, "did");
      co_await cpu.MaybeYield(path);
    }
    cpu.Release(path);
  };
  Start(0, "a", steps);
  Start(0, "b", steps);
  Run();
  EXPECT_THAT(notes_, ElementsAre("a did 40", "a did 80", "a did 120", "b did 160", "b did 200", "b did 240",
                                  "a did 280", "a did 320", "b did 360", "b did 400"));
}

// a's quantum is not over; b waits longer than c.
TEST_F(LocksTest, WhoWasWokenGoesFirstAtTheHoldersNextPause) {
  Cpu cpu(engine_, lp_, "cpu0", Nanoseconds(1000));
  Start(0, "a", [&](Path& path) -> Task<void> {
    co_await cpu.Acquire(path);
    for (int i = 0; i < 3; ++i) {
      co_await path.Take(Nanoseconds(100));
      Note(path, "did");
      co_await cpu.MaybeYield(path);
    }
    cpu.Release(path);
  });
  Start(10, "b", [&](Path& path) -> Task<void> {
    co_await cpu.Acquire(path);
    Note(path, "did");
    cpu.Release(path);
  });
  Start(150, "c", [&](Path& path) -> Task<void> {
    co_await cpu.AcquireAwoken(path);
    co_await path.Take(Nanoseconds(5));
    Note(path, "did");
    cpu.Release(path);
  });
  Run();
  EXPECT_THAT(notes_, ElementsAre("a did 100", "a did 200", "c did 205", "b did 205", "a did 305"));
}

TEST_F(LocksTest, AMutexWaiterLeavesItsCpuAndASpinLockWaiterKeepsIt) {
  for (const bool spin : {false, true}) {
    notes_.clear();
    const int64_t start = engine_.now().ns;
    Cpu cpu(engine_, lp_, "cpu0");
    Mutex mutex(engine_, lp_, "mutex");
    SpinLock lock(engine_, lp_, "lock");
    const auto note = [&](Path& path, const char* what) {
      notes_.push_back(path.name() + " " + what + " " + std::to_string(path.now().ns - start));
    };
    Start(start, "holder", [&](Path& path) -> Task<void> {
      co_await mutex.Acquire(path);
      co_await lock.Acquire(path);
      co_await path.Take(Nanoseconds(1000));
      lock.Release(path);
      mutex.Release(path);
    });
    Start(start + 10, "waiter", [&](Path& path) -> Task<void> {
      co_await cpu.Acquire(path);
      if (spin) {
        co_await lock.Acquire(path);
        lock.Release(path);
      } else {
        co_await mutex.Acquire(path);
        mutex.Release(path);
      }
      EXPECT_EQ(path.cpu(), &cpu);
      note(path, "goes on");
      cpu.Release(path);
    });
    Start(start + 20, "other", [&](Path& path) -> Task<void> {
      co_await cpu.Acquire(path);
      note(path, "runs");
      co_await path.Take(Nanoseconds(1500));
      cpu.Release(path);
    });
    Run();
    if (spin) {
      EXPECT_THAT(notes_, ElementsAre("waiter goes on 1000", "other runs 1000"));
    } else {
      // It has the mutex at 1000, but the CPU only when the other is done.
      EXPECT_THAT(notes_, ElementsAre("other runs 20", "waiter goes on 1520"));
    }
  }
}

// The lock is on node1, the CPU on node0, the lookahead 10: leaving takes 10, coming back two messages of 10.
TEST_F(LocksTest, ASleeperLeavesACpuOfAnotherLpAndGetsItBack) {
  Cpu cpu(engine_, lp_, "cpu0");
  Mutex mutex(engine_, other_, "mutex");
  engine_.Start(other_, SimTime{0}, "holder", [&](Path& path) -> Task<void> {
    co_await mutex.Acquire(path);
    co_await path.Take(Nanoseconds(1000));
    mutex.Release(path);
  });
  Start(0, "waiter", [&](Path& path) -> Task<void> {
    co_await cpu.Acquire(path);
    co_await path.HopTo(other_, Nanoseconds(10));
    co_await mutex.Acquire(path);
    Note(path, "has the mutex");
    EXPECT_EQ(path.cpu(), &cpu);
    mutex.Release(path);
    co_await path.HopTo(lp_, Nanoseconds(10));
    cpu.Release(path);
  });
  Start(5, "other", [&](Path& path) { return HoldFor(path, cpu, Nanoseconds(100), notes_); });
  Run();
  EXPECT_THAT(notes_, ElementsAre("other has it 20", "waiter has the mutex 1020"));
  EXPECT_FALSE(cpu.busy());
}

TEST_F(LocksTest, CompletionWakesAllInOrderAndLetsLaterOnesPass) {
  Completion done(engine_, lp_, "done");
  const auto wait = [&](Path& path) -> Task<void> {
    co_await done.Wait(path);
    Note(path, "woke");
  };
  Start(0, "b", wait);
  Start(1, "a", wait);
  Start(200, "late", wait);
  Start(100, "signal", [&](Path& path) -> Task<void> {
    done.Signal(path);
    co_return;
  });
  Run();
  EXPECT_THAT(notes_, ElementsAre("b woke 100", "a woke 100", "late woke 200"));
}

TEST_F(LocksTest, LatchOpensAtZero) {
  Latch latch(engine_, lp_, "children");
  Start(0, "parent", [&](Path& path) -> Task<void> {
    for (int i = 1; i <= 3; ++i) {
      latch.Add(path);
      path.Start(path.lp(), Duration{}, "child", [&latch, i](Path& child) -> Task<void> {
        co_await child.Take(Nanoseconds(100 * i));
        latch.CountDown(child);
      });
    }
    co_await latch.Wait(path);
    Note(path, "joined");
  });
  Run();
  EXPECT_THAT(notes_, ElementsAre("parent joined 300"));
}

TEST_F(LocksTest, StatisticsSayWhatKindOfLockItIs) {
  const SpinLock spin(engine_, lp_, "zone->lock");
  const Mutex mutex(engine_, lp_, "resize_lock");
  const RwSem sem(engine_, lp_, "mmap_lock");
  std::vector<std::string> kinds;
  for (const LockStats* stats : engine_.lock_stats()) {
    kinds.push_back(stats->name + " " + LockKindName(stats->kind));
  }
  EXPECT_THAT(kinds, ElementsAre("zone->lock spinlock", "resize_lock mutex", "mmap_lock rwsem"));
}

TEST_F(LocksTest, LocksOfOneNameMustBeOfOneKind) {
  const SpinLock spin(engine_, lp_, "lock");
  EXPECT_DEATH(Mutex(engine_, lp_, "lock"), "kind");
}

TEST_F(LocksTest, PathsThatWaitForEverAreListed) {
  Mutex mutex(engine_, lp_, "mutex");
  Completion never(engine_, other_, "never");
  Start(0, "holder", [&](Path& path) -> Task<void> { co_await mutex.Acquire(path); });
  Start(5, "second", [&](Path& path) -> Task<void> { co_await mutex.Acquire(path); });
  engine_.Start(other_, SimTime{7}, "third", [&](Path& path) -> Task<void> { co_await never.Wait(path); });
  Run();
  std::vector<std::string> blocked;
  for (const BlockedPath& b : engine_.blocked_paths()) {
    blocked.push_back(b.path + " for " + b.waits_for + " on " + engine_.lp_name(b.lp) + " since " +
                      std::to_string(b.since.ns));
  }
  EXPECT_THAT(blocked, ElementsAre("second for mutex on node0 since 5", "third for never on node1 since 7"));
  engine_.DropPaths();
}

}  // namespace
}  // namespace numasim::sim
