// Programs that read files of the disk, in whole simulations, and the messages for what is wrong.
#include "workloads/generate/readers.h"

#include <string>
#include <vector>

#include "absl/strings/str_cat.h"
#include "gmock/gmock.h"
#include "gtest/gtest.h"
#include "tests/workloads/finished_run.h"
#include "workloads/scenario.h"
#include "workloads/simulation.h"

namespace numasim {
namespace {

using testing::ElementsAre;
using testing::HasSubstr;
using workloads::Readers;

// Two nodes of 256 MiB with two CPUs each.
std::string ScenarioText(const std::string& readers, const std::string& rest = "") {
  return absl::StrCat(
      "kernel { thp { enabled: 'never' } } machine { disk: '4G' node { memory: '256M' cpus: 2 } ",
      "node { memory: '256M' cpus: 2 } }\ntrace { interval: '100ms' }\n", rest, "workload { readers {\n",
      readers, "\n} }\n");
}

class Ran : public FinishedRun {
 public:
  explicit Ran(const std::string& readers, uint64_t seed = 1, int threads = 1, const std::string& rest = "")
      : FinishedRun(ScenarioText(readers, rest), {}, seed, threads,
                    threads > 1 ? sim::Scheme::kParallel : sim::Scheme::kAuto) {
    CheckState();
  }

  const Readers& readers() { return *simulation().readers().front(); }
  int64_t Counter(ReadersCounter c) { return readers().counter(c); }
  int64_t SumOfNodes(NodeCounter c) {
    int64_t sum = 0;
    for (int n = 0; n < simulation().memory().node_count(); ++n)
      sum += simulation().memory().node(NodeId{n}).counters[c];
    return sum;
  }
};

TEST(ReadersTest, BringTheirFilesIntoMemory) {
  Ran run("name: 'web' until: '10s' files: 20 size { constant: '1M' } pause { constant: '100ms' }");
  // One on each node, which begins a file each 100 ms and some.
  EXPECT_NEAR(static_cast<double>(run.Counter(READERS_FILES)), 198, 3);
  EXPECT_EQ(run.Counter(READERS_PAGES), run.Counter(READERS_FILES) * 256);
  EXPECT_EQ(run.SumOfNodes(NR_FILE_PAGES), 20 * 256);
  EXPECT_EQ(run.Counter(READERS_FAILED), 0);
  EXPECT_EQ(run.Counter(READERS_KILLED), 0);
  EXPECT_TRUE(run.readers().ended());
  EXPECT_EQ(run.simulation().streams_done(), 1);
  EXPECT_EQ(run.readers().ShareDone(run.simulation().engine().now()), 1);
  EXPECT_THAT(run.readers().LiveProcesses(), testing::IsEmpty());
}

TEST(ReadersTest, RunOnTheNodesThatAreNamed) {
  Ran run(
      "name: 'web' until: '1s' files: 20 size { constant: '1M' } node: 1 count: 3 pause { constant: '50ms' "
      "}");
  EXPECT_EQ(run.simulation().memory().node(NodeId{0}).counters[NR_FILE_PAGES], 0);
  EXPECT_GT(run.simulation().memory().node(NodeId{1}).counters[NR_FILE_PAGES], 0);
  EXPECT_NEAR(static_cast<double>(run.Counter(READERS_FILES)), 3 * 19, 4);
}

// The directory's lock is for files that are made, and lru_lock for all that read at once.
TEST(ReadersTest, MeetAtTheLruLockAlone) {
  Ran run(
      "name: 'web' until: '2s' files: 50 size { constant: '2M' } node: 0 count: 6 pause { constant: '1us' }");
  EXPECT_GT(run.Counter(READERS_FILES), 1000);
  uint64_t made = 0, met = 0;
  for (const sim::LockStats* lock : run.simulation().engine().lock_stats()) {
    if (lock->name == "tmpfs.i_rwsem") made += lock->acquisitions;
    if (lock->name == "node0.lru_lock") met += lock->contended;
  }
  EXPECT_GT(made, 0u);
  EXPECT_LE(made, 4u * 50);  // the directory's and the file's, where two may make one at the same time
  EXPECT_GT(met, 0u);
}

// Of 400 files of 1 MiB in 512 MiB of memory, all are read alike, or mostly the first.
TEST(ReadersTest, PopularFilesAreReadMoreOften) {
  const auto brought = [](const char* popularity) {
    Ran run(absl::StrCat(
        "name: 'web' until: '10s' files: 400 size { constant: '1M' } pause { constant: '50ms' } ",
        "popularity: ", popularity));
    return run.SumOfNodes(NR_FILE_PAGES) / 256;
  };
  const int64_t alike = brought("0");
  EXPECT_NEAR(static_cast<double>(alike), 400 * (1 - 0.37), 20);  // 400 draws leave 1/e of all
  EXPECT_LT(brought("2"), alike / 4);
}

TEST(ReadersTest, FillMemoryAndReclaimTheirOwn) {
  Ran run("name: 'web' until: '3s' files: 100 size { uniform { min: '1M' max: '19M' } }");
  EXPECT_GT(run.SumOfNodes(PGSTEAL_KSWAPD), 0);
  EXPECT_GT(run.Counter(READERS_PAGES), 131072);
  EXPECT_EQ(run.Counter(READERS_KILLED), 0);
}

TEST(ReadersTest, WithoutAnEndTheyReadAsLongAsTheRun) {
  Ran run("name: 'web' files: 5 size { constant: '1M' } pause { constant: '100ms' }", 1, 1,
          "stop_after: '5s'\n");
  EXPECT_FALSE(run.readers().ended());
  EXPECT_EQ(run.readers().LiveProcesses().size(), 2u);
  EXPECT_NEAR(static_cast<double>(run.Counter(READERS_FILES)), 98, 3);
}

// All memory becomes the kernel's own: it takes the page cache, and there is nobody to kill but the readers.
TEST(ReadersTest, WhereMemoryIsOutTheyAreKilled) {
  Ran run(
      "name: 'web' until: '20s' count: 2 files: 50 size { constant: '8M' } pause { constant: '100ms' } } "
      "churn { name: 'all' start: '1ms' fill: '100%' cpus: 2");
  EXPECT_EQ(run.Counter(READERS_KILLED), 4);
  EXPECT_TRUE(run.readers().ended());
  EXPECT_THAT(run.readers().LiveProcesses(), testing::IsEmpty());
  EXPECT_THAT(run.TraceText(), HasSubstr("oom_kill"));
}

TEST(ReadersTest, EndWhenTheyAreToldToWhateverTheirPause) {
  Ran run("name: 'web' until: '1s' files: 5 size { constant: '1M' } pause { constant: '10h' }");
  EXPECT_EQ(run.simulation().engine().now().ns / 1'000'000'000, 1);
  EXPECT_EQ(run.Counter(READERS_FILES), 0);
}

TEST(ReadersTest, GiveTheSameBytesForAnyNumberOfThreads) {
  constexpr char kReaders[] =
      "name: 'web' until: '1s' files: 80 size { exponential { mean: '8M' max: '64M' } } count: 3 "
      "pause { uniform { min: '1ms' max: '20ms' } }";
  const std::string trace = Ran(kReaders).TraceText();
  EXPECT_TRUE(trace == Ran(kReaders, 1, 2).TraceText());
  EXPECT_TRUE(trace == Ran(kReaders, 1, 3).TraceText());
  EXPECT_FALSE(trace == Ran(kReaders, 2).TraceText());
}

// ---- What is wrong ----

std::string MistakeIn(const std::string& text) {
  const auto loaded = workloads::ParseScenario("s.textproto", text, {});
  if (!loaded.ok()) return std::string(loaded.status().message());
  const auto simulation = workloads::Simulation::Create(*loaded, {});
  return simulation.ok() ? "(no mistake found)" : std::string(simulation.status().message());
}
std::string Mistake(const std::string& readers) { return MistakeIn(ScenarioText(readers)); }

TEST(ReadersTest, MistakesAreNamed) {
  EXPECT_EQ(Mistake("until: '1s' files: 1 size { constant: '1M' }"),
            "s.textproto:3:12: workload.readers[0].name: is missing; expected a name, such as name: \"web\"");
  EXPECT_THAT(Mistake("name: 'a b' until: '1s' files: 1 size { constant: '1M' }"),
              HasSubstr("'a b' is no name of a workload"));
  EXPECT_EQ(
      Mistake("name: 'web' files: 1 size { constant: '1M' }"),
      "s.textproto:3:12: workload.readers[0].until: is missing, and the readers would never end; expected "
      "a time, or a stop_after of the run");
  EXPECT_EQ(
      Mistake("name: 'web' start: '2s' until: '1s' files: 1 size { constant: '1M' }"),
      "s.textproto:4:25: workload.readers[0].until: '1s' is not after the start, 2s; expected a later time");
  EXPECT_EQ(Mistake("name: 'web' until: '1s' size { constant: '1M' }"),
            "s.textproto:3:12: workload.readers[0].files: is missing; expected a number of files, such as "
            "files: 100");
  EXPECT_EQ(
      Mistake("name: 'web' until: '1s' files: 1"),
      "s.textproto:3:12: workload.readers[0].size: is missing; expected such as size { constant: \"16M\" }");
  EXPECT_THAT(Mistake("name: 'web' until: '1s' files: 1 size { constant: '0' }"), HasSubstr("size"));
  EXPECT_THAT(Mistake("name: 'web' until: '1s' files: 1 size { constant: '1M' } node: 2"),
              HasSubstr("node[0]: '2' is a node that does not exist; expected 0 to 1"));
  EXPECT_THAT(Mistake("name: 'web' until: '1s' files: 1 size { constant: '1M' } count: 20000"),
              HasSubstr("count"));
  EXPECT_THAT(Mistake("name: 'web' until: '1s' files: 40000 size { constant: '1M' } } readers { name: 'more' "
                      "until: '1s' files: 30000 size { constant: '1M' }"),
              HasSubstr("70000 files are more than there can be"));
  std::string without_disk = ScenarioText("name: 'web' until: '1s' files: 1 size { constant: '1M' }");
  without_disk.erase(without_disk.find("disk: '4G' "), 11);
  EXPECT_EQ(MistakeIn(without_disk),
            "s.textproto:4: readers 'web': the machine has no disk to read from; expected disk: SIZE in the "
            "machine section");
}

TEST(ReadersTest, WhatHasNoEffectIsToldInAWarning) {
  const auto loaded = workloads::ParseScenario(
      "s.textproto", ScenarioText("name: 'web' until: '1s' files: 1 size { constant: '1M' } popularity: 2"),
      {});
  ASSERT_TRUE(loaded.ok()) << loaded.status();
  EXPECT_THAT(
      loaded->warnings,
      ElementsAre("s.textproto:4: workload.readers[0].popularity: '2' has no effect: there is one file"));
}

}  // namespace
}  // namespace numasim
