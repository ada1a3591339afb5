#include "workloads/batch/batch_scheduler.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <algorithm>
#include <map>
#include <vector>

#include "sim/random.h"

namespace numasim::workloads {
namespace {

using testing::ElementsAre;
using testing::IsEmpty;

constexpr int kDeep = 100;

BatchScheduler::Request Job(int64_t job, int64_t cpus, int64_t bytes, int64_t limit_ns) {
  return {job, {cpus * 1000, bytes}, limit_ns};
}

std::vector<int64_t> Jobs(const std::vector<BatchScheduler::Start>& starts) {
  std::vector<int64_t> jobs;
  for (const BatchScheduler::Start& start : starts) jobs.push_back(start.job);
  return jobs;
}

// A machine of 10 CPUs and 100 bytes.
BatchScheduler Machine(int depth) { return BatchScheduler({10'000, 100}, depth); }

TEST(BatchSchedulerTest, MachineThatIsTooSmallIsNamedBeforehand) {
  const BatchScheduler scheduler = Machine(kDeep);
  EXPECT_TRUE(scheduler.CanRun({10'000, 100}));
  EXPECT_FALSE(scheduler.CanRun({10'001, 1}));
  EXPECT_FALSE(scheduler.CanRun({1, 101}));
}

TEST(BatchSchedulerTest, JobsWaitForCpusAndForMemory) {
  BatchScheduler scheduler = Machine(0);
  scheduler.Submit(Job(1, 6, 10, 100));
  EXPECT_THAT(Jobs(scheduler.StartNow(0)), ElementsAre(1));
  scheduler.Submit(Job(2, 5, 10, 100));  // CPUs
  EXPECT_THAT(Jobs(scheduler.StartNow(1)), IsEmpty());
  scheduler.End(1);
  EXPECT_THAT(Jobs(scheduler.StartNow(2)), ElementsAre(2));
  scheduler.Submit(Job(3, 1, 95, 100));  // memory
  EXPECT_THAT(Jobs(scheduler.StartNow(3)), IsEmpty());
  scheduler.End(2);
  EXPECT_THAT(Jobs(scheduler.StartNow(4)), ElementsAre(3));
}

TEST(BatchSchedulerTest, FcfsStartsNothingBeforeItsTurn) {
  BatchScheduler scheduler = Machine(0);
  scheduler.Submit(Job(1, 6, 10, 100));
  scheduler.Submit(Job(2, 6, 10, 100));
  scheduler.Submit(Job(3, 1, 10, 1));
  EXPECT_THAT(Jobs(scheduler.StartNow(0)), ElementsAre(1));
}

// Job 2 will have its 6 CPUs at 100. Job 3 is gone by then; job 4 is not, but takes of the 4 that are left
// over then; of these job 5 would need more than job 4 has left.
TEST(BatchSchedulerTest, BackfillsWhatDoesNotDelayTheFirstThatWaits) {
  BatchScheduler scheduler = Machine(kDeep);
  scheduler.Submit(Job(1, 6, 10, 100));
  scheduler.Submit(Job(2, 6, 10, 100));
  scheduler.Submit(Job(3, 1, 10, 99));
  scheduler.Submit(Job(4, 3, 10, 1000));
  scheduler.Submit(Job(5, 2, 10, 1000));
  const auto starts = scheduler.StartNow(1);
  EXPECT_THAT(Jobs(starts), ElementsAre(1, 3, 4));
  EXPECT_FALSE(starts[0].backfilled);
  EXPECT_TRUE(starts[1].backfilled);
  EXPECT_TRUE(starts[2].backfilled);
}

TEST(BatchSchedulerTest, BackfillingKeepsTheMemoryOfTheReservation) {
  BatchScheduler scheduler = Machine(kDeep);
  scheduler.Submit(Job(1, 1, 60, 100));
  scheduler.Submit(Job(2, 1, 90, 100));   // at 100
  scheduler.Submit(Job(3, 1, 20, 1000));  // would have it wait
  scheduler.Submit(Job(4, 1, 10, 1000));  // would not
  EXPECT_THAT(Jobs(scheduler.StartNow(0)), ElementsAre(1, 4));
}

TEST(BatchSchedulerTest, NotMoreThanTheDepthAreLookedAt) {
  BatchScheduler scheduler = Machine(2);
  scheduler.Submit(Job(1, 6, 10, 100));
  scheduler.Submit(Job(2, 6, 10, 100));
  scheduler.Submit(Job(3, 9, 10, 1));
  scheduler.Submit(Job(4, 9, 10, 1));
  scheduler.Submit(Job(5, 1, 10, 1));
  EXPECT_THAT(Jobs(scheduler.StartNow(0)), ElementsAre(1));
}

TEST(BatchSchedulerTest, JobBeyondItsTimeMayEndAtAnyMoment) {
  BatchScheduler scheduler = Machine(kDeep);
  scheduler.Submit(Job(1, 6, 10, 100));
  scheduler.Submit(Job(2, 6, 10, 100));
  EXPECT_THAT(Jobs(scheduler.StartNow(0)), ElementsAre(1));
  // At 500 job 1 still runs: whatever is not left over would delay job 2.
  scheduler.Submit(Job(3, 4, 10, 1));
  scheduler.Submit(Job(4, 4, 10, 1));
  EXPECT_THAT(Jobs(scheduler.StartNow(500)), ElementsAre(3));
}

// With estimates that are true, no job that waits first starts later than its first reservation: random logs
// on FCFS, where the first that waits starts when the machine has room, are the measure for the first one.
TEST(BatchSchedulerTest, FirstThatWaitsStartsNoLaterThanWithoutBackfilling) {
  sim::RandomStream random(7, "jobs", 0);
  for (int round = 0; round < 200; ++round) {
    std::vector<BatchScheduler::Request> jobs;
    for (int64_t j = 0; j < 12; ++j)
      jobs.push_back(Job(j, 1 + static_cast<int64_t>(random.Uniform(10)),
                         static_cast<int64_t>(random.Uniform(101)),
                         1 + static_cast<int64_t>(random.Uniform(50))));
    const auto start_of_first_waiting = [&](int depth) {
      BatchScheduler scheduler = Machine(depth);
      for (const auto& job : jobs) scheduler.Submit(job);
      std::multimap<int64_t, int64_t> ends;
      std::vector<int64_t> started(jobs.size(), -1);
      int64_t first_waiting = -1;
      for (int64_t now = 0;; now = ends.begin()->first) {
        while (!ends.empty() && ends.begin()->first == now) {
          scheduler.End(ends.begin()->second);
          ends.erase(ends.begin());
        }
        for (const auto& start : scheduler.StartNow(now)) {
          started[static_cast<size_t>(start.job)] = now;
          ends.emplace(now + jobs[static_cast<size_t>(start.job)].limit_ns, start.job);
        }
        if (first_waiting < 0) {
          // The first that did not start at 0 without backfilling: the one that has the reservation.
          int64_t cpus = 0;
          int64_t bytes = 0;
          for (const auto& job : jobs) {
            cpus += job.room.millicpus;
            bytes += job.room.bytes;
            if (cpus <= 10'000 && bytes <= 100) continue;
            first_waiting = job.job;
            break;
          }
        }
        if (first_waiting < 0 || ends.empty()) break;
      }
      EXPECT_EQ(std::count(started.begin(), started.end(), -1), 0);
      return first_waiting < 0 ? 0 : started[static_cast<size_t>(first_waiting)];
    };
    EXPECT_EQ(start_of_first_waiting(kDeep), start_of_first_waiting(0)) << "round " << round;
  }
}

}  // namespace
}  // namespace numasim::workloads
