// Who takes mmap_lock, and what that holds up (mmap_read_lock, mmap_write_lock, mmap_write_downgrade of Linux
// 6.1). A process has one path, so another one stands for the thread, or khugepaged, that it meets.
#include <string_view>

#include "gmock/gmock.h"
#include "gtest/gtest.h"
#include "models/mm/address_space_ops.h"
#include "sim/lock_stats.h"
#include "tests/models/test_machine.h"

namespace numasim {
namespace {

using ::testing::IsEmpty;

class MmapLockTest : public ::testing::Test {
 protected:
  MmapLockTest() : machine_(DescribedMachine({256 * kMiB, 256 * kMiB})) { machine_.Run("spawn p"); }
  void TearDown() override { EXPECT_THAT(machine_.Problems(), IsEmpty()); }

  Process& p() { return machine_.process("p"); }
  sim::RwSem& lock() { return p().space.mmap_lock(); }
  sim::LpId home() { return machine_.memory().node(machine_.memory().NodeOfCpu(p().cpu)).lp; }
  uint64_t Taken() { return lock().stats().acquisitions; }
  // How often the operations take it.
  uint64_t TakenBy(std::string_view lines) {
    const uint64_t before = Taken();
    machine_.Run(lines);
    return Taken() - before;
  }
  // When the operations end where another path has the lock, for reading or for writing, for a millisecond
  // from now on; in ns from now.
  int64_t EndBeside(bool write, std::string_view lines) {
    const sim::SimTime begin = machine_.engine().now();
    machine_.engine().Start(home(), begin, "other", [&, write](sim::Path& path) -> sim::Task<void> {
      if (write) {
        co_await lock().AcquireWrite(path);
      } else {
        co_await lock().AcquireRead(path);
      }
      co_await path.Take(sim::Milliseconds(1));
      write ? lock().ReleaseWrite(path) : lock().ReleaseRead(path);
    });
    machine_.Run(lines);
    return (machine_.engine().now() - begin).ns;
  }

  TestMachine machine_;
};

constexpr int64_t kHeld = 1'000'000;  // ns

TEST_F(MmapLockTest, EachFaultTakesItAndAHitDoesNot) {
  machine_.Run("@p map a 1M anon");
  EXPECT_EQ(TakenBy("@p touch a"), 256u);
  EXPECT_EQ(TakenBy("@p touch a"), 0u);
}

TEST_F(MmapLockTest, PopulatingTakesItOnceForAll) {
  machine_.Run("@p map a 1M anon");
  EXPECT_EQ(TakenBy("@p advise a 0 1M populate_write"), 1u);
  EXPECT_EQ(TakenBy("@p pin a 0 1M"), 1u);
}

TEST_F(MmapLockTest, AnAccessThatNeedsNoFaultDoesNotWaitForAWriter) {
  machine_.Run("@p map a 64K anon\n@p touch a");
  const sim::SimTime begin = machine_.engine().now();
  sim::Duration touched{};
  machine_.engine().Start(home(), begin, "writer", [&](sim::Path& path) -> sim::Task<void> {
    co_await lock().AcquireWrite(path);
    co_await path.Take(sim::Milliseconds(1));
    lock().ReleaseWrite(path);
  });
  machine_.engine().Start(
      home(), begin + sim::Nanoseconds(10), "hit", [&](sim::Path& path) -> sim::Task<void> {
        sim::Cpu& cpu = machine_.memory().cpu(p().cpu);
        co_await cpu.Acquire(path);
        const uint64_t at = p().space.vmas().begin()->second.start.value << kPageShift;
        const TouchCounts counts =
            co_await machine_.ops().Touch(path, p(), {at, at + kPageSize, kPageSize, true});
        EXPECT_EQ(counts.ok, 1);
        EXPECT_TRUE(lock().held_for_write()) << "the writer was gone already";
        touched = path.now() - begin;
        cpu.Release(path);
      });
  ASSERT_EQ(machine_.engine().Run().ToString(), "OK");
  EXPECT_LT(touched.ns, kHeld);
}

TEST_F(MmapLockTest, AFaultWaitsForAWriterAndNotForAReader) {
  machine_.Run("@p map a 64K anon");
  const uint64_t contended = lock().stats().contended;
  EXPECT_GT(EndBeside(true, "@p touch a 0 4K"), kHeld);
  EXPECT_EQ(lock().stats().contended, contended + 1);
  EXPECT_GE(lock().stats().wait.max(), kHeld / 2);
  // The other path ends last, at its millisecond.
  EXPECT_EQ(EndBeside(false, "@p touch a 4K 4K"), kHeld);
  EXPECT_EQ(lock().stats().contended, contended + 1);
}

TEST_F(MmapLockTest, WhoChangesVmasWaitsForAReader) {
  machine_.Run("@p map a 1M anon\n@p touch a");
  for (const char* operation : {"@p map b 4K anon", "@p protect a 0 64K r", "@p bind a bind:1", "@p unmap b",
                                "@p lock a 0 4K", "@p advise a 0 1M nohugepage", "@p fork c"}) {
    const uint64_t contended = lock().stats().contended;
    EXPECT_GT(EndBeside(false, operation), kHeld) << operation;
    EXPECT_EQ(lock().stats().contended, contended + 1) << operation;
  }
}

TEST_F(MmapLockTest, MunmapLetsReadersInWhileItFreesPages) {
  machine_.Run("@p map a 64M anon\n@p touch a");
  const sim::SimTime begin = machine_.engine().now();
  sim::SimTime entered;
  bool beside = false;
  machine_.engine().Start(home(), begin + sim::Microseconds(2), "reader",
                          [&](sim::Path& path) -> sim::Task<void> {
                            co_await lock().AcquireRead(path);
                            entered = path.now();
                            beside = lock().reader_count() == 2;
                            lock().ReleaseRead(path);
                          });
  machine_.Run("@p unmap a");
  EXPECT_TRUE(beside);
  EXPECT_LT((entered - begin).ns, (machine_.engine().now() - begin).ns / 10);
}

TEST_F(MmapLockTest, GoesWithTheProcessToAnotherNode) {
  machine_.Run("@p map a 64K anon\n@p touch a");
  const uint64_t before = Taken();
  machine_.Run("@p cpu 1");
  EXPECT_EQ(lock().lp(), home());
  EXPECT_EQ(Taken(), 0u) << "that node counts by itself";
  machine_.Run("@p map b 64K anon\n@p touch b");
  EXPECT_EQ(Taken(), 17u);
  machine_.Run("@p cpu 0");
  EXPECT_EQ(Taken(), before);
}

}  // namespace
}  // namespace numasim
