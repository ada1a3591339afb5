// Pages of the kernel that come and go, in whole simulations, and the messages for what is wrong.
#include "workloads/generate/churn.h"

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
using testing::IsEmpty;
using workloads::Churn;

// Node 0 has 256 MiB and CPUs 0 to 3, node 1 as much and no CPU.
std::string ScenarioText(const std::string& churn, const std::string& rest = "") {
  return absl::StrCat("kernel { thp { enabled: 'never' } } machine { node { memory: '256M' cpus: 4 } ",
                      "node { memory: '256M' cpus: 0 } }\ntrace { interval: '1ms' }\nworkload { churn {\n",
                      churn, "\n} ", rest, " }\n");
}

class Ran : public FinishedRun {
 public:
  explicit Ran(const std::string& churn, uint64_t seed = 1, int threads = 1, const std::string& rest = "")
      : FinishedRun(ScenarioText(churn, rest), {}, seed, threads,
                    threads > 1 ? sim::Scheme::kParallel : sim::Scheme::kAuto) {
    CheckState();
  }

  const Churn& churn() { return *simulation().churns().front(); }
  int64_t Counter(ChurnCounter c) { return churn().counter(c); }
  // Of node 0.
  int64_t UnusedPages() {
    int64_t pages = 0;
    for (const Zone* const zone : simulation().memory().zones())
      pages += zone->node() == NodeId{0} ? zone->unused_pages() : 0;
    return pages;
  }
  // Pages of node 0 in free blocks of a huge page or more.
  int64_t InHugeBlocks() {
    int64_t pages = 0;
    for (const Zone* const zone : simulation().memory().zones()) {
      for (int order = kPageblockOrder; order < kOrders; ++order)
        pages += zone->node() == NodeId{0} ? zone->buddy().blocks(order) << order : 0;
    }
    return pages;
  }
};

// What is free at boot.
int64_t FreeAtBoot() {
  Ran run("name: 'c' fill: '0.001%'");
  return run.UnusedPages() + run.Counter(CHURN_LIVE_PAGES);
}

TEST(ChurnTest, FillsAShareOfWhatIsFree) {
  Ran run("name: 'c' fill: '50%' cpus: 3");
  EXPECT_EQ(run.Counter(CHURN_ALLOCATED), FreeAtBoot() / 2);
  EXPECT_EQ(run.Counter(CHURN_LIVE_PAGES), run.Counter(CHURN_ALLOCATED));
  EXPECT_EQ(run.UnusedPages(), FreeAtBoot() - run.Counter(CHURN_ALLOCATED));
  EXPECT_TRUE(run.churn().ended());
  EXPECT_EQ(run.simulation().streams_done(), run.simulation().streams());
  EXPECT_EQ(run.churn().ShareDone(run.simulation().engine().now()), 1);
}

TEST(ChurnTest, EachOfItsCpusHasALikePart) {
  Ran run("name: 'c' fill: '50%' cpus: 4");
  const Node& node = run.simulation().memory().node(NodeId{0});
  EXPECT_EQ(node.counters[NUMA_HIT], run.Counter(CHURN_ALLOCATED));
  const int64_t most = run.simulation().memory().cpu(CpuId{0}).busy_time(sim::kNever).ns;
  for (int cpu = 1; cpu < 4; ++cpu)
    EXPECT_GT(run.simulation().memory().cpu(CpuId{cpu}).busy_time(sim::kNever).ns, most / 2) << cpu;
}

TEST(ChurnTest, FreesAShareAtRandomSoThatNoHugePageComesFree) {
  Ran filled("name: 'c' fill: '90%'");
  Ran freed("name: 'c' fill: '90%' free: '50%'");
  const int64_t allocated = freed.Counter(CHURN_ALLOCATED);
  EXPECT_EQ(allocated, filled.Counter(CHURN_ALLOCATED));
  EXPECT_EQ(freed.Counter(CHURN_FREED), allocated / 2);
  EXPECT_EQ(freed.Counter(CHURN_LIVE_PAGES), allocated - allocated / 2);
  EXPECT_GT(filled.InHugeBlocks(), 0);
  EXPECT_EQ(freed.InHugeBlocks(), filled.InHugeBlocks());
}

TEST(ChurnTest, RoundsExchangeBlocksAndLeaveAsMany) {
  Ran run("name: 'c' fill: '90%' free: '50%' rounds: 20 renew: '10%' cpus: 2");
  Ran before("name: 'c' fill: '90%' free: '50%' cpus: 2");
  const int64_t live = before.Counter(CHURN_LIVE_PAGES);
  EXPECT_EQ(run.Counter(CHURN_LIVE_PAGES), live);
  EXPECT_EQ(run.Counter(CHURN_FAILED), 0);
  const int64_t renewed = run.Counter(CHURN_ALLOCATED) - before.Counter(CHURN_ALLOCATED);
  EXPECT_NEAR(static_cast<double>(renewed), 20 * 0.1 * static_cast<double>(live), 40);
  EXPECT_EQ(renewed, run.Counter(CHURN_FREED) - before.Counter(CHURN_FREED));
  EXPECT_EQ(run.InHugeBlocks(), before.InHugeBlocks());
}

TEST(ChurnTest, BlocksOfAnOrderThatPcpListsDoNotHold) {
  Ran run("name: 'c' fill: '50%' free: '25%' rounds: 3 renew: '50%' order: 5");
  EXPECT_EQ(run.Counter(CHURN_LIVE_PAGES) % 32, 0);
  EXPECT_EQ(run.Counter(CHURN_LIVE_PAGES) / 32, run.Counter(CHURN_ALLOCATED) - run.Counter(CHURN_FREED));
  EXPECT_EQ(run.UnusedPages(), FreeAtBoot() - run.Counter(CHURN_LIVE_PAGES));
}

TEST(ChurnTest, MigratetypeIsThatOfItsPageblocks) {
  const auto reclaimable = [](const std::string& churn) {
    return Ran(churn).PageblocksOf(Migratetype::kReclaimable);
  };
  EXPECT_EQ(reclaimable("name: 'c' fill: '50%'"), 0);
  EXPECT_GT(reclaimable("name: 'c' fill: '50%' migratetype: 'reclaimable'"), 40);
}

TEST(ChurnTest, StartsAndPausesAsItIsTold) {
  Ran run("name: 'c' fill: '1%' start: '3s' rounds: 4 pause: '2s'");
  EXPECT_EQ(run.simulation().engine().now().ns / 1'000'000, 11'000);
  EXPECT_EQ(run.simulation().KnownEnd().ns / 1'000'000, 11'000);
}

TEST(ChurnTest, WhereMemoryIsOutItStopsAndSaysSo) {
  Ran run("name: 'c' fill: '100%'", 1, 1, "churn { name: 'd' fill: '100%' start: '1us' }");
  EXPECT_GT(run.Counter(CHURN_FAILED) + run.simulation().churns()[1]->counter(CHURN_FAILED), 0);
  EXPECT_THAT(run.TraceText(), HasSubstr("alloc_failed"));
}

TEST(ChurnTest, GivesTheSameBytesForAnyNumberOfThreads) {
  constexpr char kChurn[] = "name: 'c' fill: '60%' free: '50%' rounds: 5 renew: '20%' cpus: 4 pause: '1ms'";
  const std::string trace = Ran(kChurn).TraceText();
  EXPECT_TRUE(trace == Ran(kChurn, 1, 2).TraceText());
  EXPECT_TRUE(trace == Ran(kChurn, 1, 3).TraceText());
  EXPECT_FALSE(trace == Ran(kChurn, 2).TraceText());
}

// ---- What is wrong ----

std::string Mistake(const std::string& churn) {
  const auto loaded = workloads::ParseScenario("s.textproto", ScenarioText(churn), {});
  if (!loaded.ok()) return std::string(loaded.status().message());
  const auto simulation = workloads::Simulation::Create(*loaded, {});
  return simulation.ok() ? "(no mistake found)" : std::string(simulation.status().message());
}

TEST(ChurnTest, MistakesAreNamed) {
  EXPECT_EQ(Mistake("fill: '50%'"),
            "s.textproto:3:12: workload.churn[0].name: is missing; expected a name, such as name: \"slab\"");
  EXPECT_EQ(
      Mistake("name: 'a b' fill: '50%'"),
      "s.textproto:4:1: workload.churn[0].name: 'a b' is no name of a workload; expected letters, digits, "
      "'_', '.' and '-'");
  EXPECT_EQ(Mistake("name: 'c'"),
            "s.textproto:3:12: workload.churn[0].fill: is missing; expected such as fill: \"40%\"");
  EXPECT_EQ(Mistake("name: 'c' fill: '0%'"),
            "s.textproto:4:11: workload.churn[0].fill: '0%' is no memory at all; expected more than 0");
  EXPECT_EQ(
      Mistake("name: 'c' fill: '120%'"),
      "s.textproto:4:11: workload.churn[0].fill: '120%' is more than the whole; expected a share from 0% to "
      "100%, such as 80% or 0.8");
  EXPECT_EQ(
      Mistake("name: 'c' fill: '1%' free: '100%' rounds: 1"),
      "s.textproto:4:22: workload.churn[0].free: '100%' leaves nothing for the rounds to renew; expected "
      "less, or no rounds");
  EXPECT_EQ(
      Mistake("name: 'c' fill: '1%' rounds: 1 renew: '0%'"),
      "s.textproto:4:32: workload.churn[0].renew: '0%' is nothing to renew; expected more than 0, or no "
      "rounds");
  EXPECT_EQ(
      Mistake("name: 'c' fill: '1%' node: 2"),
      "s.textproto:4:22: workload.churn[0].node[0]: '2' is a node that does not exist; expected 0 to 1");
  EXPECT_EQ(Mistake("name: 'c' fill: '1%' node: 1"),
            "s.textproto:4: churn 'c': node: '1' has no CPU; expected a node that has some");
  EXPECT_EQ(Mistake("name: 'c' fill: '1%' cpus: 5"),
            "s.textproto:4: churn 'c': cpus: 5 are wanted of node 0, which has 4; expected at most 4");
}

TEST(ChurnTest, WhatHasNoEffectIsToldInAWarning) {
  const auto loaded = workloads::ParseScenario(
      "s.textproto", ScenarioText("name: 'c' fill: '1%' renew: '5%' pause: '1s'"), {});
  ASSERT_TRUE(loaded.ok()) << loaded.status();
  EXPECT_THAT(loaded->warnings,
              ElementsAre("s.textproto:4: workload.churn[0].renew: '5%' has no effect: there are no rounds",
                          "s.textproto:4: workload.churn[0].pause: '1s' has no effect: there are no rounds"));
}

}  // namespace
}  // namespace numasim
