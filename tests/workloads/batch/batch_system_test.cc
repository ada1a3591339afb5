// Batch systems in whole simulations.
#include "workloads/batch/batch_system.h"

#include <string>
#include <vector>

#include "absl/strings/str_cat.h"
#include "gmock/gmock.h"
#include "gtest/gtest.h"
#include "sim/random.h"
#include "tests/workloads/finished_run.h"
#include "workloads/scenario.h"
#include "workloads/simulation.h"

namespace numasim {
namespace {

using testing::ElementsAre;
using testing::IsEmpty;
using testing::Pair;
using workloads::BatchSystem;
using workloads::Shortage;

// A job of a log in CSV: seconds, CPUs, MiB.
struct LogJob {
  int submit = 0;
  int start = 0;
  int run = 0;
  int cpus = 1;
  int mib = 0;
  int limit = 0;  // 0: its run time
};

constexpr char kColumns[] = "submit=#1,start=#2,run=#3,cpus=#4,request=#5:M,limit=#6";

std::string LogOf(const std::vector<LogJob>& jobs) {
  std::string text;
  for (const LogJob& job : jobs) {
    absl::StrAppend(&text, job.submit, ",", std::max(job.submit, job.start), ",", job.run, ",", job.cpus, ",",
                    job.mib, ",", job.limit == 0 ? job.run : job.limit, "\n");
  }
  return text;
}

// Two nodes of 4 CPUs and 256 MiB.
std::string Scenario(const std::string& fields, const std::string& rest = "") {
  return absl::StrCat(
      "kernel { thp { enabled: 'never' } } machine { node { memory: '256M' cpus: 4 } "
      "node { memory: '256M' cpus: 4 } hugepages { node: 0 size: '2M' nr: 40 } hugepages { node: 1 size: "
      "'2M' nr: 40 } } trace { interval: '100ms' } workload { batch { name: 'jobs' log: 'jobs.csv' columns: "
      "'",
      kColumns, "' ", fields, " } } ", rest);
}

// Gives `jobs` for every file.
workloads::ScenarioReaders ReadersOf(const std::vector<LogJob>& jobs) {
  return {[&jobs](const std::string&) -> absl::StatusOr<std::string> { return LogOf(jobs); }, nullptr};
}

// A finished run, with what is asked of it.
class Ran : public FinishedRun {
 public:
  Ran(const std::vector<LogJob>& jobs, const std::string& fields, uint64_t seed = 1, int threads = 1,
      sim::Scheme scheme = sim::Scheme::kAuto, const std::string& rest = "")
      : FinishedRun(Scenario(fields, rest), ReadersOf(jobs), seed, threads, scheme) {}

  const BatchSystem& batch() { return *simulation().batches().front(); }
  int64_t Counter(BatchCounter c) { return batch().counter(c); }
  int64_t AnonPages() {
    int64_t pages = 0;
    for (int n = 0; n < 2; ++n) pages += simulation().memory().node(NodeId{n}).counter(NR_ANON_PAGES);
    return pages;
  }
  double Seconds() { return static_cast<double>(simulation().engine().now().ns) / 1e9; }

  // The state holds together, and every job is accounted for.
  void Check() {
    CheckState();
    EXPECT_EQ(Counter(BATCH_SUBMITTED),
              Counter(BATCH_REFUSED) + Counter(BATCH_WAITING) + Counter(BATCH_STARTED));
    EXPECT_EQ(Counter(BATCH_STARTED),
              Counter(BATCH_KILLED) + Counter(BATCH_FINISHED) + Counter(BATCH_RUNNING));
    EXPECT_EQ(static_cast<int64_t>(batch().waits().tried()), Counter(BATCH_STARTED));
  }
  // Besides, nobody is left, and nothing of what they had.
  void CheckAllGone() {
    Check();
    EXPECT_EQ(simulation().streams_done(), simulation().streams());
    EXPECT_THAT(simulation().LiveProcesses(), IsEmpty());
    for (const BatchCounter c :
         {BATCH_WAITING, BATCH_RUNNING, BATCH_CPUS, BATCH_BOOKED_PAGES, BATCH_TOUCHED_PAGES})
      EXPECT_EQ(Counter(c), 0);
    EXPECT_EQ(FreeOn(0) + FreeOn(1), 80);
    EXPECT_EQ(AnonPages(), 0);
  }
};

// Random jobs, more than the machine has room for at once.
std::vector<LogJob> RandomJobs(int count) {
  sim::RandomStream random(3, "log", 0);
  const auto draw = [&](int most) { return static_cast<int>(random.Uniform(static_cast<uint64_t>(most))); };
  std::vector<LogJob> jobs;
  for (int i = 0, now = 0; i < count; ++i, now += draw(4)) {
    const int run = 1 + draw(10);
    jobs.push_back({now, now + draw(5), run, 1 + draw(8), draw(100), run + draw(10)});
  }
  return jobs;
}

constexpr char kGrowth[] =
    "growth { steps: 3 first { uniform { min: '10%' max: '60%' } } over { uniform { min: '50%' max: '100%' } "
    "} }";

TEST(BatchSystemTest, SameBytesForAnyNumberOfThreads) {
  const std::vector<LogJob> jobs = RandomJobs(60);
  const std::string one = Ran(jobs, kGrowth, 7, 1, sim::Scheme::kInline).TraceText();
  EXPECT_GT(one.size(), 1000u);
  for (const int threads : {2, 3, 8})
    EXPECT_TRUE(Ran(jobs, kGrowth, 7, threads, sim::Scheme::kParallel).TraceText() == one)
        << threads << " threads";
}

TEST(BatchSystemTest, JobsGiveBackAllTheyHad) {
  for (const std::string policy : {"fcfs", "easy_backfill", "log_start_times"}) {
    for (const std::string pages : {"anon", "2M"}) {
      Ran run(RandomJobs(80), absl::StrCat(kGrowth, " policy: '", policy, "' page_size: '", pages, "'"));
      EXPECT_EQ(run.Counter(BATCH_SUBMITTED), 80);
      EXPECT_GT(run.Counter(BATCH_FINISHED), 40);
      run.CheckAllGone();
    }
  }
}

// The second needs CPUs that the first has until 10 s; the third would fit at once.
const std::vector<LogJob> kThree = {{0, 0, 10, 6, 10}, {1, 1, 10, 4, 10}, {2, 2, 5, 2, 10}};

TEST(BatchSystemTest, FcfsKeepsTheOrder) {
  Ran run(kThree, "policy: 'fcfs'");
  EXPECT_EQ(run.Counter(BATCH_WAITED), 2);
  EXPECT_EQ(run.Counter(BATCH_BACKFILLED), 0);
  EXPECT_NEAR(run.Seconds(), 20, 0.1);
  // 9 s of the second, 8 s of the third.
  EXPECT_NEAR(run.batch().waits().latency().mean() / 1e9, 17 / 3.0, 0.1);
  run.CheckAllGone();
}

TEST(BatchSystemTest, EasyBackfillingStartsTheThirdAtOnce) {
  Ran run(kThree, "");
  EXPECT_EQ(run.Counter(BATCH_WAITED), 1);
  EXPECT_EQ(run.Counter(BATCH_BACKFILLED), 1);
  EXPECT_NEAR(run.Seconds(), 20, 0.1);
  run.CheckAllGone();
}

TEST(BatchSystemTest, LogsOwnStartTimesNeedNoRoom) {
  Ran run({{0, 5, 10, 6, 10}, {1, 3, 10, 8, 10}}, "policy: 'log_start_times'");
  EXPECT_EQ(run.Counter(BATCH_WAITED), 0);
  EXPECT_NEAR(run.Seconds(), 15, 0.1);
  run.CheckAllGone();
}

TEST(BatchSystemTest, JobLargerThanTheMachineIsRefusedWithItsReason) {
  Ran run({{0, 0, 10, 9, 10}, {1, 1, 10, 1, 1000}, {2, 2, 1, 8, 100}}, "");
  EXPECT_EQ(run.Counter(BATCH_REFUSED), 2);
  EXPECT_EQ(run.Counter(BATCH_FINISHED), 1);
  EXPECT_THAT(run.batch().shortages(),
              ElementsAre(Pair(Shortage{"refused:", "more CPUs than the machine has", ""}, 1),
                          Pair(Shortage{"refused:", "more memory than the machine has", ""}, 1)));
  run.CheckAllGone();
}

// Of a pool of 40 pages on each node the scheduler gives out what is there.
TEST(BatchSystemTest, MemoryOfThePoolIsWaitedFor) {
  Ran run({{0, 0, 10, 1, 100}, {1, 1, 10, 1, 70}}, "page_size: '2M'");
  EXPECT_EQ(run.Counter(BATCH_WAITED), 1);
  EXPECT_EQ(run.Counter(BATCH_KILLED), 0);
  run.CheckAllGone();
}

// Both start when the log says, and there are 80 pages for 50 and 40.
TEST(BatchSystemTest, JobThatDoesNotGetItsMemoryIsKilled) {
  Ran run({{0, 0, 10, 1, 100}, {1, 1, 10, 1, 80}}, "page_size: '2M' policy: 'log_start_times'");
  EXPECT_EQ(run.Counter(BATCH_STARTED), 2);
  EXPECT_EQ(run.Counter(BATCH_KILLED), 1);
  EXPECT_THAT(run.batch().shortages(), ElementsAre(Pair(Shortage{"start", "ENOMEM", "0-1"}, 1)));
  run.CheckAllGone();
}

// A job of 8 CPUs has a process with half of its memory on each node.
TEST(BatchSystemTest, WideJobHasMemoryOnEachOfItsNodes) {
  Ran run({{0, 0, 10, 8, 80}}, "page_size: '2M'", 1, 1, sim::Scheme::kAuto, "stop_after: '5s'");
  EXPECT_EQ(run.FreeOn(0), 20);
  EXPECT_EQ(run.FreeOn(1), 20);
  EXPECT_EQ(run.Counter(BATCH_CPUS), 8);
  EXPECT_EQ(run.simulation().LiveProcesses().size(), 2u);
  run.Check();
}

// Jobs of 3 MiB take two pages of 2 MiB, and book them.
TEST(BatchSystemTest, WholePagesAreBooked) {
  Ran run(std::vector<LogJob>(8, LogJob{0, 0, 10, 1, 3}), "page_size: '2M'", 1, 1, sim::Scheme::kAuto,
          "stop_after: '5s'");
  EXPECT_EQ(run.Counter(BATCH_BOOKED_PAGES), 8 * 2 * 512);
  EXPECT_EQ(run.FreeOn(0) + run.FreeOn(1), 80 - 16);
}

// 9 pages of a job on two nodes: no more than it has booked, though neither half is whole pages.
TEST(BatchSystemTest, PartsOfAWideJobAreAsManyPagesAsItHas) {
  Ran run({{0, 0, 10, 8, 18}}, "page_size: '2M'", 1, 1, sim::Scheme::kAuto, "stop_after: '5s'");
  EXPECT_EQ(run.Counter(BATCH_BOOKED_PAGES), 9 * 512);
  EXPECT_EQ(run.Counter(BATCH_TOUCHED_PAGES), 9 * 512);
}

TEST(BatchSystemTest, PlacementPacksOrSpreads) {
  const std::vector<LogJob> jobs = {{0, 0, 10, 1, 20}, {1, 1, 10, 1, 20}};
  for (const bool pack : {true, false}) {
    Ran run(jobs, absl::StrCat("page_size: '2M' placement: '", pack ? "pack" : "spread", "'"), 1, 1,
            sim::Scheme::kAuto, "stop_after: '5s'");
    EXPECT_EQ(run.FreeOn(0), pack ? 20 : 30);
    EXPECT_EQ(run.FreeOn(1), pack ? 40 : 30);
  }
}

// 40 MiB in 4 parts over the first 8 of 10 s: at 1, 3, 5 and 7 s there are 1, 2, 3 and 4 of them.
TEST(BatchSystemTest, MemoryGrowsInParts) {
  for (const int second : {1, 3, 5, 7, 9}) {
    Ran run({{0, 0, 10, 1, 40}}, "growth { steps: 4 over { constant: '80%' } }", 1, 1, sim::Scheme::kAuto,
            absl::StrCat("stop_after: '", second, "s'"));
    const int64_t parts = std::min(4, (second + 1) / 2);
    EXPECT_EQ(run.Counter(BATCH_TOUCHED_PAGES), parts * 2560) << second;
    EXPECT_EQ(run.AnonPages(), parts * 2560) << second;
    EXPECT_EQ(run.Counter(BATCH_BOOKED_PAGES), 10240);
  }
}

TEST(BatchSystemTest, FirstPartHasAShareOfItsOwn) {
  Ran run({{0, 0, 10, 1, 40}}, "growth { steps: 2 first { constant: '75%' } }", 1, 1, sim::Scheme::kAuto,
          "stop_after: '2s'");
  EXPECT_EQ(run.Counter(BATCH_TOUCHED_PAGES), 7680);
}

TEST(BatchSystemTest, MemoryThatTheLogDoesNotKnowIsDrawn) {
  const std::vector<LogJob> jobs = {{0, 0, 10, 4, 0}};
  Ran none(jobs, "", 1, 1, sim::Scheme::kAuto, "stop_after: '2s'");
  EXPECT_EQ(none.Counter(BATCH_TOUCHED_PAGES), 0);
  Ran drawn(jobs, "memory_per_cpu { constant: '8M' }", 1, 1, sim::Scheme::kAuto, "stop_after: '2s'");
  EXPECT_EQ(drawn.Counter(BATCH_TOUCHED_PAGES), 4 * 2048);
  EXPECT_EQ(drawn.Counter(BATCH_BOOKED_PAGES), 4 * 2048);
}

TEST(BatchSystemTest, CountTakesTheFirstJobs) {
  Ran run(kThree, "count: 2");
  EXPECT_EQ(run.Counter(BATCH_SUBMITTED), 2);
}

TEST(BatchSystemTest, LogBeginsAtItsStart) {
  Ran run({{100, 100, 10, 1, 1}}, "start: '7s'");
  EXPECT_NEAR(run.Seconds(), 17, 0.1);
}

}  // namespace
}  // namespace numasim
