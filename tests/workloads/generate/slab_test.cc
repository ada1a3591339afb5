// Caches of the kernel that grow and are shrunk, in whole simulations, and the messages for what is wrong.
#include "workloads/generate/slab.h"

#include <algorithm>
#include <string>
#include <vector>

#include "absl/strings/str_cat.h"
#include "gmock/gmock.h"
#include "gtest/gtest.h"
#include "sim/random.h"
#include "tests/workloads/finished_run.h"
#include "workloads/generate/slab_objects.h"
#include "workloads/scenario.h"
#include "workloads/simulation.h"

namespace numasim {
namespace {

using testing::HasSubstr;
using workloads::Slab;
using workloads::SlabObjects;

// ---- The objects of a node ----

TEST(SlabObjectsTest, FillOneSlabAfterAnother) {
  SlabObjects objects(4);
  EXPECT_EQ(objects.Make(3), 0);
  objects.AddSlab(Pfn{10});
  EXPECT_EQ(objects.Make(3), 3);
  EXPECT_EQ(objects.Make(3), 1);
  objects.AddSlab(Pfn{11});
  EXPECT_EQ(objects.Make(9), 4);
  EXPECT_EQ(objects.objects(), 8);
  EXPECT_EQ(objects.slabs(), 2);
  EXPECT_EQ(objects.room(), 0);
}

TEST(SlabObjectsTest, ASlabGoesWithItsLastObject) {
  SlabObjects objects(2);
  for (const uint64_t pfn : {20, 21, 22}) {
    objects.AddSlab(Pfn{pfn});
    objects.Make(2);
  }
  EXPECT_EQ(objects.Drop(0), kNoPfn);
  EXPECT_EQ(objects.room(), 1);
  EXPECT_EQ(objects.Drop(0), Pfn{20});
  EXPECT_EQ(objects.slabs(), 2);
  EXPECT_EQ(objects.Drop(0), kNoPfn);  // of the last one, which has taken its place
  EXPECT_EQ(objects.Make(5), 1);       // what came free is used again
  EXPECT_EQ(objects.objects(), 4);
}

TEST(SlabObjectsTest, WhatIsInUseKeepsItsSlab) {
  sim::RandomStream random(1, "slab objects");
  SlabObjects objects(3);
  for (const uint64_t pfn : {30, 31}) {
    objects.AddSlab(Pfn{pfn});
    objects.Make(3);
  }
  objects.Use(0);
  EXPECT_EQ(objects.idle(), 5);
  std::vector<Pfn> back;
  while (objects.idle() > 0) {
    if (const Pfn slab = objects.Drop(objects.Draw(random)); slab != kNoPfn) back.push_back(slab);
  }
  EXPECT_THAT(back, testing::ElementsAre(Pfn{31}));
  EXPECT_EQ(objects.objects(), 1);
  EXPECT_EQ(objects.Make(9), 2);
  EXPECT_EQ(objects.room(), 0);
}

// Whatever is made and dropped, each slab is given back once, and all counts agree.
TEST(SlabObjectsTest, AllSlabsComeBack) {
  sim::RandomStream random(1, "slab objects");
  SlabObjects objects(7);
  uint64_t next = 0;
  std::vector<int> back(2000);
  int64_t used = 0;
  for (int step = 0; step < 2000; ++step) {
    if (random.Uniform(2) == 0) {
      if (objects.Make(5) < 5) {
        objects.AddSlab(Pfn{next++});
        EXPECT_GT(objects.Make(1), 0);
      }
    } else {
      for (int i = 0; i < 5 && objects.idle() > 0; ++i) {
        if (random.Uniform(50) == 0) {
          objects.Use(objects.Draw(random));
          ++used;
          continue;
        }
        const Pfn slab = objects.Drop(objects.Draw(random));
        if (slab != kNoPfn) ++back[slab.value];
      }
    }
    ASSERT_EQ(objects.objects() + objects.room(), objects.slabs() * 7);
    ASSERT_EQ(objects.objects(), objects.idle() + used);
  }
  while (objects.idle() > 0) {
    const Pfn slab = objects.Drop(objects.Draw(random));
    if (slab != kNoPfn) ++back[slab.value];
  }
  EXPECT_EQ(objects.objects(), used);
  EXPECT_GT(used, 10);
  EXPECT_LE(objects.slabs(), used);
  // Each has come back once, but for those that are held.
  EXPECT_EQ(std::ranges::count(back, 1), static_cast<int64_t>(next) - objects.slabs());
  EXPECT_EQ(std::ranges::count(back, 0), std::ssize(back) - static_cast<int64_t>(next) + objects.slabs());
}

// ---- In a run ----

// Two nodes of 256 MiB with a CPU each.
std::string ScenarioText(const std::string& slab, const std::string& rest = "", const std::string& run = "") {
  return absl::StrCat("kernel { thp { enabled: 'never' } } machine { node { memory: '256M' cpus: 1 } ",
                      "node { memory: '256M' cpus: 1 } }\ntrace { interval: '100ms' }\n", run,
                      "workload { slab {\n", slab, "\n} ", rest, " }\n");
}

class Ran : public FinishedRun {
 public:
  explicit Ran(const std::string& slab, const std::string& rest = "", uint64_t seed = 1, int threads = 1,
               const std::string& run = "")
      : FinishedRun(ScenarioText(slab, rest, run), {}, seed, threads,
                    threads > 1 ? sim::Scheme::kParallel : sim::Scheme::kAuto) {
    CheckState();
  }

  const Slab& slab() { return *simulation().slabs().front(); }
  int64_t Counter(SlabCounter c) { return slab().counter(c); }
  int64_t SumOfNodes(NodeCounter c) {
    int64_t sum = 0;
    for (int n = 0; n < simulation().memory().node_count(); ++n)
      sum += simulation().memory().node(NodeId{n}).counters[c];
    return sum;
  }
};

TEST(SlabTest, GrowsAsLongAsItIsToldTo) {
  Ran run("name: 'dentry' until: '1s' pause { constant: '10ms' } grow: 100");
  // 99 times on each node.
  EXPECT_EQ(run.Counter(SLAB_MADE), 2 * 99 * 100);
  EXPECT_EQ(run.Counter(SLAB_OBJECTS), 2 * 99 * 100);
  EXPECT_EQ(run.Counter(SLAB_PAGES), 2 * ((99 * 100 + 20) / 21));
  EXPECT_EQ(run.SumOfNodes(NR_SLAB_RECLAIMABLE), run.Counter(SLAB_PAGES));
  EXPECT_EQ(run.Counter(SLAB_SHRUNK), 0);
  EXPECT_TRUE(run.slab().ended());
  EXPECT_EQ(run.slab().ShareDone(run.simulation().engine().now()), 1);
  EXPECT_EQ(run.simulation().engine().now().ns / 1'000'000'000, 1);
  EXPECT_GT(run.PageblocksOf(Migratetype::kReclaimable), 0);
}

TEST(SlabTest, GrowsOnTheNodesThatAreNamedInSlabsOfTheOrder) {
  Ran run("name: 'inode' until: '1s' pause { constant: '100ms' } node: 1 order: 2 objects: 16 grow: 160");
  EXPECT_EQ(run.Counter(SLAB_MADE), 9 * 160);
  EXPECT_EQ(run.Counter(SLAB_PAGES), 9 * 10 * 4);
  const MemorySystem& memory = run.simulation().memory();
  EXPECT_EQ(memory.node(NodeId{0}).counters[NR_SLAB_RECLAIMABLE], 0);
  EXPECT_EQ(memory.node(NodeId{1}).counters[NR_SLAB_RECLAIMABLE], 9 * 10 * 4);
}

// It fills memory, and lives on what it gives back itself: nobody is killed, and no growth fails.
TEST(SlabTest, IsShrunkForItsOwnGrowth) {
  Ran run("name: 'dentry' until: '5s' pause { constant: '1ms' } grow: 1000");
  EXPECT_GT(run.Counter(SLAB_SHRUNK), 0);
  EXPECT_EQ(run.Counter(SLAB_MADE), run.Counter(SLAB_OBJECTS) + run.Counter(SLAB_SHRUNK));
  EXPECT_EQ(run.Counter(SLAB_FAILED), 0);
  // None is in use: who looks at an object frees it.
  EXPECT_GE(run.SumOfNodes(SLABS_SCANNED), run.Counter(SLAB_SHRUNK));
  EXPECT_EQ(run.SumOfNodes(NR_SLAB_RECLAIMABLE), run.Counter(SLAB_PAGES));
  EXPECT_GT(run.Counter(SLAB_PAGES), int64_t{75'000});  // of 131,072 less watermarks and reserves
  // Slabs are held by fewer objects than they have room for.
  EXPECT_LT(run.Counter(SLAB_OBJECTS), run.Counter(SLAB_PAGES) * 21);
}

// A process wants what the cache has: with all objects in use it is not to be had.
TEST(SlabTest, GivesMemoryToProcesses) {
  const auto run = [](const std::string& in_use) {
    return Ran(absl::StrCat("name: 'dentry' until: '600ms' pause { constant: '1ms' } grow: 2000 in_use: '",
                            in_use, "'"),
               "script { start: '700ms' line: 'spawn p' line: '@p map a 300M anon' line: '@p touch a' }");
  };
  Ran none = run("0%");
  EXPECT_GT(none.Counter(SLAB_SHRUNK), 0);
  EXPECT_EQ(none.SumOfNodes(OOM_KILL), 0);
  EXPECT_GE(none.SumOfNodes(PGFAULT), 300 * 256);
  Ran all = run("100%");
  EXPECT_EQ(all.Counter(SLAB_SHRUNK), 0);
  EXPECT_EQ(all.SumOfNodes(OOM_KILL), 1);
}

TEST(SlabTest, IsDroppedByDropCaches) {
  const std::string drops = "script { start: '2s' line: 'drop_caches 2' }";
  Ran all("name: 'dentry' until: '1s' pause { constant: '10ms' }", drops);
  EXPECT_EQ(all.Counter(SLAB_OBJECTS), 0);
  EXPECT_EQ(all.Counter(SLAB_PAGES), 0);
  EXPECT_EQ(all.SumOfNodes(NR_SLAB_RECLAIMABLE), 0);
  // What is in use stays.
  Ran some("name: 'dentry' until: '1s' pause { constant: '10ms' } in_use: '20%'", drops);
  EXPECT_NEAR(static_cast<double>(some.Counter(SLAB_OBJECTS)),
              0.2 * static_cast<double>(some.Counter(SLAB_MADE)),
              0.01 * static_cast<double>(some.Counter(SLAB_MADE)));
  EXPECT_GT(some.Counter(SLAB_PAGES), some.Counter(SLAB_OBJECTS) / 21);
  Ran none("name: 'dentry' until: '1s' pause { constant: '10ms' }",
           "script { start: '2s' line: 'drop_caches 1' }");
  EXPECT_EQ(none.Counter(SLAB_SHRUNK), 0);
}

TEST(SlabTest, WithoutAnEndItGrowsAsLongAsTheRun) {
  Ran run("name: 'dentry' pause { constant: '100ms' }", "", 1, 1, "stop_after: '5s'\n");
  EXPECT_FALSE(run.slab().ended());
  EXPECT_EQ(run.Counter(SLAB_MADE), 2 * 49 * 1000);
}

TEST(SlabTest, GivesTheSameBytesForAnyNumberOfThreads) {
  constexpr char kSlab[] =
      "name: 'dentry' until: '3s' pause { exponential { mean: '1ms' } } grow: 1500 in_use: '30%'";
  const std::string trace = Ran(kSlab).TraceText();
  EXPECT_TRUE(trace == Ran(kSlab, "", 1, 2).TraceText());
  EXPECT_TRUE(trace == Ran(kSlab, "", 1, 3).TraceText());
  EXPECT_FALSE(trace == Ran(kSlab, "", 2).TraceText());
}

// ---- What is wrong ----

std::string Mistake(const std::string& slab) {
  const auto loaded = workloads::ParseScenario("s.textproto", ScenarioText(slab), {});
  if (!loaded.ok()) return std::string(loaded.status().message());
  const auto simulation = workloads::Simulation::Create(*loaded, {});
  return simulation.ok() ? "(no mistake found)" : std::string(simulation.status().message());
}

TEST(SlabTest, MistakesAreNamed) {
  EXPECT_EQ(Mistake("until: '1s' pause { constant: '1ms' }"),
            "s.textproto:3:12: workload.slab[0].name: is missing; expected a name, such as name: \"dentry\"");
  EXPECT_EQ(Mistake("name: 'dentry' pause { constant: '1ms' }"),
            "s.textproto:3:12: workload.slab[0].until: is missing, and the cache would never end; expected a "
            "time, or a stop_after of the run");
  EXPECT_EQ(
      Mistake("name: 'dentry' until: '1s'"),
      "s.textproto:3:12: workload.slab[0].pause: is missing; expected how often it grows, such as pause "
      "{ constant: \"10ms\" }");
  EXPECT_EQ(
      Mistake("name: 'dentry' until: '1s' pause { constant: '0s' }"),
      "s.textproto:4:28: workload.slab[0].pause: is always 0; expected times such as constant: \"10ms\"");
  EXPECT_THAT(Mistake("name: 'dentry' start: '2s' until: '1s' pause { constant: '1ms' }"),
              HasSubstr("'1s' is not after the start, 2s"));
  EXPECT_THAT(Mistake("name: 'dentry' until: '1s' pause { constant: '1ms' } in_use: '101%'"),
              HasSubstr("workload.slab[0].in_use: '101%'"));
  EXPECT_THAT(Mistake("name: 'dentry' until: '1s' pause { constant: '1ms' } node: 2"),
              HasSubstr("node[0]: '2' is a node that does not exist; expected 0 to 1"));
  EXPECT_THAT(Mistake("name: 'dentry' until: '1s' pause { constant: '1ms' } objects: 0"),
              HasSubstr("workload.slab[0].objects: '0'"));
}

}  // namespace
}  // namespace numasim
