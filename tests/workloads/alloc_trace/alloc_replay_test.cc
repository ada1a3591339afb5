// Allocation traces in whole simulations.
#include "workloads/alloc_trace/alloc_replay.h"

#include <set>
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
using workloads::AllocReplay;
using workloads::Shortage;

constexpr char kMovable[] = "migratetype=1 gfp_flags=GFP_HIGHUSER_MOVABLE";
constexpr char kUnmovable[] = "migratetype=0 gfp_flags=GFP_KERNEL";

// Lines of ftrace, a microsecond after one another.
class Trace {
 public:
  Trace& Alloc(int cpu, int64_t pfn, int order = 0, const std::string& kind = kUnmovable) {
    return Add(cpu, "mm_page_alloc", pfn, absl::StrCat(" order=", order, " ", kind));
  }
  Trace& Free(int cpu, int64_t pfn, int order = 0) {
    return Add(cpu, "mm_page_free", pfn, absl::StrCat(" order=", order));
  }
  Trace& FreeBatched(int cpu, int64_t pfn) { return Add(cpu, "mm_page_free_batched", pfn, " order=0"); }
  Trace& Fallback(int cpu, int64_t pfn) { return Add(cpu, "mm_page_alloc_extfrag", pfn, " alloc_order=0"); }
  Trace& Wait(int64_t microseconds) {
    time_ += microseconds;
    return *this;
  }
  const std::string& text() const { return text_; }

 private:
  Trace& Add(int cpu, const char* name, int64_t pfn, const std::string& rest) {
    const std::string fraction = absl::StrCat(1'000'000 + time_ % 1'000'000).substr(1);
    absl::StrAppend(&text_, "a-1 [", cpu, "] ..... ", 5 + time_ / 1'000'000, ".", fraction, ": ", name,
                    ": page=p pfn=", pfn, rest, "\n");
    ++time_;
    return *this;
  }

  int64_t time_ = 0;
  std::string text_;
};

// Two nodes of 2 CPUs and 64 MiB: CPUs 0, 1 and frames below 16,384 are node 0's.
constexpr int64_t kOfNode1 = 20'000;

std::string Scenario(const std::string& fields) {
  return absl::StrCat(
      "kernel { thp { enabled: 'never' } } machine { node { memory: '64M' cpus: 2 } node { memory: '64M' "
      "cpus: 2 } } "
      "trace { interval: '1ms' } workload { allocations { name: 'trace' trace: 'a.ftrace' ",
      fields, " } }");
}

workloads::ScenarioReaders ReadersOf(const Trace& trace) {
  return {[&trace](const std::string&) -> absl::StatusOr<std::string> { return trace.text(); }, nullptr};
}

class Ran : public FinishedRun {
 public:
  explicit Ran(const Trace& trace, const std::string& fields = "", int threads = 1,
               sim::Scheme scheme = sim::Scheme::kAuto)
      : FinishedRun(Scenario(fields), ReadersOf(trace), 1, threads, scheme) {
    CheckState();
  }

  const AllocReplay& replay() { return *simulation().replays().front(); }
  int64_t Counter(AllocationsCounter c) { return replay().counter(c); }
  std::vector<std::string> Warnings() { return simulation().warnings(); }
  Node& node(int n) { return simulation().memory().node(NodeId{n}); }
  // Free or on PCP lists, of all zones.
  int64_t UnusedPages() {
    int64_t pages = 0;
    for (const Zone* zone : simulation().memory().zones()) pages += zone->unused_pages();
    return pages;
  }
};

int64_t UnusedAtBoot() { return Ran(Trace().Alloc(0, 1).Free(0, 1)).UnusedPages(); }

TEST(AllocReplayTest, WhatIsAllocatedAndNotFreedIsLive) {
  Ran run(Trace()
              .Alloc(0, 1)
              .Alloc(1, 512, 9, kMovable)
              .Alloc(0, 8, 3)
              .Free(0, 1)
              .Alloc(0, 1024, 10)
              .Free(1, 1024, 10));
  EXPECT_EQ(run.Counter(ALLOCATIONS_ALLOCATED), 4);
  EXPECT_EQ(run.Counter(ALLOCATIONS_FREED), 2);
  EXPECT_EQ(run.Counter(ALLOCATIONS_LIVE_PAGES), 512 + 8);
  EXPECT_EQ(run.UnusedPages(), UnusedAtBoot() - 512 - 8);
  EXPECT_TRUE(run.replay().ended());
  EXPECT_THAT(run.Warnings(), IsEmpty());
}

TEST(AllocReplayTest, EventsAreAtTheirTimes) {
  Ran run(Trace().Alloc(0, 1).Wait(2'000'000).Free(0, 1), "start: '3s'");
  EXPECT_EQ(run.simulation().engine().now().ns / 1'000'000, 5000);
  EXPECT_LT(run.replay().latest().ns, 10'000);
}

// The node is the frame's, whichever CPU it is; what the CPU has freed it gets first again.
TEST(AllocReplayTest, NodeIsTheFramesAndCpuTheTraces) {
  Ran run(Trace().Alloc(0, kOfNode1).Alloc(0, 1).Alloc(2, kOfNode1 + 1));
  EXPECT_EQ(run.node(1).counter(NUMA_HIT), 2);
  EXPECT_EQ(run.node(1).counter(OTHER_NODE), 1);
  EXPECT_EQ(run.node(1).counter(LOCAL_NODE), 1);
  EXPECT_EQ(run.node(0).counter(NUMA_HIT), 1);
}

TEST(AllocReplayTest, ACpuAndAFrameThatAreNotThereAreTold) {
  Ran run(Trace().Alloc(7, 1 << 20).Alloc(2, 2));
  EXPECT_EQ(run.node(1).counter(NUMA_HIT), 1);
  EXPECT_EQ(run.node(0).counter(NUMA_HIT), 1);
  EXPECT_THAT(
      run.Warnings(),
      ElementsAre(
          "test.textproto:1: allocations 'trace': the trace has CPU 7, and the machine CPUs 0 to 3; a CPU's "
          "number modulo 4 stands for it",
          "test.textproto:1: allocations 'trace': 1 of 2 events are of frames that the machine does not "
          "have; they go to their CPU's node"));
}

// Pageblocks of a type that there was none of before: a fallback has made them that.
TEST(AllocReplayTest, MobilityIsTheTraces) {
  const auto reclaimable = [](const char* kind) {
    return Ran(Trace().Alloc(0, 1, 0, kind)).PageblocksOf(Migratetype::kReclaimable);
  };
  EXPECT_EQ(reclaimable("migratetype=1 gfp_flags=GFP_KERNEL|__GFP_RECLAIMABLE"), 0);
  EXPECT_GT(reclaimable("migratetype=2 gfp_flags=GFP_KERNEL"), 0);
}

TEST(AllocReplayTest, ATraceThatStartsInTheMiddleSaysSo) {
  Ran run(Trace().Free(0, 5).Free(3, kOfNode1, 2).Alloc(0, 6).Free(0, 6));
  EXPECT_EQ(run.Counter(ALLOCATIONS_FREED_UNSEEN), 2);
  EXPECT_EQ(run.Counter(ALLOCATIONS_FREED), 1);
  EXPECT_EQ(run.Counter(ALLOCATIONS_LIVE_PAGES), 0);
}

TEST(AllocReplayTest, WhatIsAllocatedTwiceWasFreedBetween) {
  Ran run(Trace().Alloc(0, 5).Alloc(0, 5).Alloc(0, 5, 0, kMovable).Free(0, 5));
  EXPECT_EQ(run.Counter(ALLOCATIONS_FREES_LOST), 2);
  EXPECT_EQ(run.Counter(ALLOCATIONS_FREED), 3);
  EXPECT_EQ(run.UnusedPages(), UnusedAtBoot());
}

TEST(AllocReplayTest, ABlockIsFreedInParts) {
  for (const int order : {3, 9, 10}) {
    Trace trace;
    trace.Alloc(0, 1024, order).Free(0, 1024 + 5).Free(0, 1024 + 6, 1).Free(1, 1024 + 4);
    Ran run(trace);
    EXPECT_GE(run.Counter(ALLOCATIONS_SPLIT), 1) << order;
    EXPECT_EQ(run.Counter(ALLOCATIONS_LIVE_PAGES), (1 << order) - 4) << order;
    EXPECT_EQ(run.UnusedPages(), UnusedAtBoot() - (1 << order) + 4) << order;
  }
}

TEST(AllocReplayTest, PartsAreFreedAsABlock) {
  Ran run(Trace().Alloc(0, 8).Alloc(0, 9).Alloc(0, 10, 1).Alloc(0, 14).Alloc(0, 16).Free(0, 8, 3));
  EXPECT_EQ(run.Counter(ALLOCATIONS_FREED), 4);
  EXPECT_EQ(run.Counter(ALLOCATIONS_LIVE_PAGES), 1);
}

TEST(AllocReplayTest, ABlockIsFreedOfWhichOnlyALaterPartIsKnown) {
  Ran run(Trace().Alloc(0, 9).Alloc(0, 10, 1).Free(0, 8, 2).Free(0, 12, 2));
  EXPECT_EQ(run.Counter(ALLOCATIONS_FREED), 2);
  EXPECT_EQ(run.Counter(ALLOCATIONS_LIVE_PAGES), 0);
  EXPECT_EQ(run.Counter(ALLOCATIONS_FREED_UNSEEN), 1);
}

// The upper half of the first block was freed, and the trace does not have it.
TEST(AllocReplayTest, APartThatWasGivenOutAgainIsNoPartAnyMore) {
  Ran run(Trace().Alloc(0, 8, 3).Alloc(0, 12, 0).Free(0, 8, 0).Free(0, 12, 0));
  EXPECT_EQ(run.Counter(ALLOCATIONS_FREES_LOST), 1);
  EXPECT_EQ(run.Counter(ALLOCATIONS_LIVE_PAGES), 3);
  EXPECT_EQ(run.UnusedPages(), UnusedAtBoot() - 3);
}

// The upper half of a block was given out anew, as one page: the page behind that is of no block any more.
TEST(AllocReplayTest, APageBehindAPartThatWasGivenOutAgainBelongsToNoBlock) {
  Ran run(Trace().Alloc(0, 4, 2).Alloc(0, 6).Free(0, 7).Free(0, 6));
  EXPECT_EQ(run.Counter(ALLOCATIONS_FREES_LOST), 1);
  EXPECT_EQ(run.Counter(ALLOCATIONS_FREED_UNSEEN), 1);
  EXPECT_EQ(run.Counter(ALLOCATIONS_LIVE_PAGES), 2);
}

TEST(AllocReplayTest, ABatchIsToldOfTwice) {
  Ran run(
      Trace().Alloc(0, 5).Alloc(0, 6).Free(0, 5).Free(0, 6).FreeBatched(0, 5).FreeBatched(0, 6).FreeBatched(
          0, 7));
  EXPECT_EQ(run.Counter(ALLOCATIONS_FREED), 2);
  EXPECT_EQ(run.Counter(ALLOCATIONS_FREED_UNSEEN), 0);
}

TEST(AllocReplayTest, ABatchIsTheFreeWhereOthersAreNotTraced) {
  Ran run(Trace().Alloc(0, 5).FreeBatched(0, 5).FreeBatched(0, 7));
  EXPECT_EQ(run.Counter(ALLOCATIONS_FREED), 1);
  EXPECT_EQ(run.Counter(ALLOCATIONS_FREED_UNSEEN), 1);
}

TEST(AllocReplayTest, FallbacksOfTheTraceAreCounted) {
  Ran run(Trace().Alloc(0, 5).Fallback(3, kOfNode1));
  EXPECT_EQ(run.Counter(ALLOCATIONS_FALLBACKS_IN_TRACE), 1);
}

// 40 blocks of 4 MiB of two nodes of 64 MiB: what the trace's kernel had, this one has not.
TEST(AllocReplayTest, FailuresAreCountedByReason) {
  Trace trace;
  for (int i = 0; i < 40; ++i) trace.Alloc(0, 1024 * i + (1 << 20), 10);
  trace.Alloc(0, 0, 9, kMovable);  // it had none itself
  trace.Free(0, (1 << 20) + 1024 * 39, 10);
  Ran run(trace);
  const int64_t failed = run.Counter(ALLOCATIONS_FAILED);
  EXPECT_GT(failed, 8);
  EXPECT_EQ(run.Counter(ALLOCATIONS_ALLOCATED), 40 - failed);
  EXPECT_EQ(run.Counter(ALLOCATIONS_LIVE_PAGES), 1024 * (40 - failed));
  EXPECT_EQ(run.Counter(ALLOCATIONS_FAILED_IN_TRACE) + run.Counter(ALLOCATIONS_FAILED_IN_BOTH), 1);
  EXPECT_THAT(run.replay().shortages(),
              ElementsAre(Pair(Shortage{"order=10 Unmovable", "ENOMEM", "0"}, failed)));
}

// Also where the trace is nonsense: blocks of all sizes that overlap, are freed by halves, or never were.
Trace RandomTrace(uint64_t seed, int64_t events) {
  sim::RandomStream random(seed, "alloc_replay_test");
  Trace trace;
  std::vector<std::pair<int64_t, int>> blocks;
  const auto draw = [&](int64_t n) { return static_cast<int64_t>(random.Uniform(static_cast<uint64_t>(n))); };
  for (int64_t i = 0; i < events; ++i) {
    const int cpu = static_cast<int>(draw(4));
    const int order = draw(3) > 0 ? 0 : static_cast<int>(draw(11));
    const int64_t pfn = (1 + draw(32'000)) >> order << order;
    if (draw(20) == 0) trace.Wait(draw(3000));
    if (!blocks.empty() && draw(2) == 0) {
      const auto at = static_cast<size_t>(draw(std::ssize(blocks)));
      const int freed = draw(4) > 0 ? blocks[at].second : order;
      trace.Free(cpu, blocks[at].first >> freed << freed, freed);
      blocks[at] = blocks.back();
      blocks.pop_back();
    } else {
      trace.Alloc(cpu, pfn, order, draw(2) == 0 ? kMovable : kUnmovable);
      blocks.emplace_back(pfn, order);
    }
  }
  return trace;
}

TEST(AllocReplayTest, AnyTraceLeavesMemoryInOrder) {
  const int64_t at_boot = UnusedAtBoot();
  for (uint64_t seed = 1; seed <= 20; ++seed) {
    Ran run(RandomTrace(seed, 1500));
    EXPECT_EQ(run.UnusedPages(), at_boot - run.Counter(ALLOCATIONS_LIVE_PAGES)) << seed;
  }
}

TEST(AllocReplayTest, SameTraceSameBytesForAnyNumberOfThreads) {
  for (uint64_t seed = 1; seed <= 3; ++seed) {
    const Trace trace = RandomTrace(seed, 2000);
    const std::string one = Ran(trace).TraceText();
    for (const int threads : {2, 4}) EXPECT_EQ(Ran(trace, "", threads).TraceText(), one) << seed;
    EXPECT_EQ(Ran(trace, "", 2, sim::Scheme::kParallel).TraceText(), one) << seed;
  }
}

}  // namespace
}  // namespace numasim
