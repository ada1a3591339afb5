// What reclaim takes where memory is short, and who does it.
#include "models/reclaim/reclaim.h"

#include <algorithm>
#include <cstdint>

#include "gmock/gmock.h"
#include "gtest/gtest.h"
#include "tests/models/test_machine.h"

namespace numasim {
namespace {

using ::testing::IsEmpty;

MachineConfig MachineWithDisk(const std::vector<int64_t>& node_pages, int cpus = 1) {
  MachineConfig config = DescribedMachine(node_pages, cpus);
  config.disk_pages = 4096 * kMiB;
  return config;
}

class ReclaimTest : public ::testing::Test {
 protected:
  explicit ReclaimTest(const MachineConfig& config = MachineWithDisk({256 * kMiB})) : machine_(config) {
    machine_.Run("machine nodes=2 node_mem=256M disk=4G\nspawn p\n@p map f 2G file file=data shared");
  }
  void TearDown() override { EXPECT_THAT(machine_.Problems(), IsEmpty()); }

  int64_t Free(int node, ZoneType type) { return machine_.zone(node, type).buddy().free_pages(); }
  int64_t cached(int node = 0) const { return machine_.counter(node, NR_FILE_PAGES); }
  int64_t stolen(int node = 0) const {
    return machine_.counter(node, PGSTEAL_KSWAPD) + machine_.counter(node, PGSTEAL_DIRECT);
  }

  TestMachine machine_;
};

// Between the low and the min watermark there is room for what a reader takes before it gives way.
class LargeNodeTest : public ReclaimTest {
 protected:
  LargeNodeTest() : ReclaimTest(MachineWithDisk({1024 * kMiB})) {}
};

TEST_F(LargeNodeTest, KswapdKeepsAZoneAtItsHighWatermark) {
  machine_.Run("@p read f");
  // It stops as soon as one zone is balanced.
  const auto above_high = [&](ZoneType type) {
    return Free(0, type) - machine_.zone(0, type).watermarks().high;
  };
  EXPECT_GT(Free(0, ZoneType::kDma32), machine_.zone(0, ZoneType::kDma32).watermarks().min);
  EXPECT_GT(std::max(above_high(ZoneType::kDma), above_high(ZoneType::kDma32)), 0);
  EXPECT_EQ(stolen() + cached(), 2048 * kMiB);
  EXPECT_EQ(machine_.counter(0, PGSTEAL_DIRECT), 0);
  EXPECT_EQ(machine_.counter(0, ALLOCSTALL_MOVABLE), 0);
  EXPECT_GT(machine_.counter(0, PAGEOUTRUN), 0);
}

TEST_F(ReclaimTest, WhatIsActiveOutlivesWhatIsReadOnce) {
  machine_.Run("@p map hot 32M file file=hot\n@p read hot\n@p read hot\n@p read f 0 1G");
  EXPECT_GE(machine_.counter(0, NR_ACTIVE_FILE), 32 * kMiB);
  const int64_t before = stolen();
  machine_.Run("@p read hot");  // all of it is there
  EXPECT_EQ(stolen(), before);
}

// The inactive list holds more than the distance at which it is read again.
TEST_F(ReclaimTest, WhatComesBackSoonIsActive) {
  machine_.Run("@p read f 0 1G\n@p read f 0 1G");
  EXPECT_GT(machine_.counter(0, WORKINGSET_REFAULT_FILE), 0);
  // Nothing was active when it went.
  EXPECT_EQ(machine_.counter(0, WORKINGSET_ACTIVATE_FILE), 0);
  machine_.Run("drop_caches 1\n@p map hot 64M file file=hot\n@p read hot\n@p read hot");
  const int64_t refaults = machine_.counter(0, WORKINGSET_REFAULT_FILE);
  machine_.Run("@p map g 200M file file=other\n@p read g\n@p read g 0 32M");
  EXPECT_GT(machine_.counter(0, WORKINGSET_REFAULT_FILE), refaults);
  EXPECT_GT(machine_.counter(0, WORKINGSET_ACTIVATE_FILE), 0);
}

// A file that is read on leaves shadows behind, of whole nodes of 64 offsets but for the ends.
TEST_F(ReclaimTest, WhatReclaimLeavesOfAFileIsCounted) {
  machine_.Run("@p read f 0 1G");
  const auto nodes = [this] { return machine_.counter(0, WORKINGSET_NODES); };
  EXPECT_LE(nodes() * 64, stolen());
  EXPECT_GT(nodes() * 64, stolen() / 2);
  machine_.Run("drop_caches 1");
  EXPECT_EQ(nodes(), 0);
}

// Of the pages that come back to be active, those that reclaim had taken from the active list are restored.
TEST_F(ReclaimTest, WhatWasActiveIsRestored) {
  const auto activated = [this] { return machine_.counter(0, WORKINGSET_ACTIVATE_FILE); };
  const auto restored = [this] { return machine_.counter(0, WORKINGSET_RESTORE_FILE); };
  machine_.Run(
      "@p map hot 100M file file=hot\n@p map warm 100M file file=warm\n@p read hot\n@p read hot\n"
      "@p read warm\n@p read warm\n@p read f 0 140M");
  EXPECT_EQ(activated(), 0);
  machine_.Run("@p read hot 0 8M");
  EXPECT_GE(activated(), 8 * kMiB);
  EXPECT_EQ(restored(), activated());
  // What was read once was never active.
  const int64_t before = restored();
  machine_.Run("@p read f 400M 200M\n@p read f 440M 8M");
  EXPECT_GE(activated(), 16 * kMiB);
  EXPECT_EQ(restored(), before);
}

TEST_F(ReclaimTest, AnonymousMemoryPushesPageCacheOut) {
  machine_.Run("@p read f 0 256M\n@p map a 150M anon\n@p touch a");
  EXPECT_EQ(machine_.counter(0, NR_ANON_PAGES), 150 * kMiB);
  EXPECT_LT(cached(), 100 * kMiB);
}

// Pipes' pages have to go to pageblocks of movable memory, which is in small pieces: as long as these raise
// the watermarks kswapd takes page cache, though enough is free.
TEST_F(ReclaimTest, MixedPageblocksCostPageCache) {
  for (const bool boosts : {false, true}) {
    TestMachine machine(MachineWithDisk({256 * kMiB}));
    machine.Run(boosts ? "spawn p" : "sysctl vm.watermark_boost_factor 0\nspawn p");
    machine.Run(
        "@p map f 64M file file=data\n@p read f\n@p map a 128M anon\n@p touch a\npool 2M node0 20\n"
        "@p advise a 0 128M dontneed 8K");
    ASSERT_EQ(machine.counter(0, PAGEOUTRUN), 0);
    machine.Run("@p pipes k 8M");
    EXPECT_EQ(machine.counter(0, PGSTEAL_KSWAPD) > 0, boosts);
    EXPECT_EQ(machine.counter(0, PAGEOUTRUN) > 0, boosts);
    // When kswapd has done its part they fall again.
    for (const Zone* const zone : machine.memory().zones()) EXPECT_EQ(zone->watermark_boost(), 0);
    EXPECT_THAT(machine.Problems(), IsEmpty());
  }
}

TEST_F(ReclaimTest, WhereNothingIsLeftToReclaimTheProcessIsKilled) {
  machine_.Run("@p read f 0 256M\n@p map a 240M anon");
  EXPECT_EQ(machine_.Run("@p touch a").error, Errno::kOk);
  machine_.Run("@p map b 100M anon");
  EXPECT_EQ(machine_.Run("@p touch b").error, Errno::kKilled);
  EXPECT_LT(cached(), kMiB);
}

TEST_F(ReclaimTest, PagesThatAreUsedByTheirMappingsStayAndOthersGo) {
  machine_.Run("@p map m 64M file file=mapped shared\n@p touch m r\n@p read f 0 1G");
  // They were young at first and then not any more.
  EXPECT_GT(stolen(), 800 * kMiB);
  EXPECT_THAT(machine_.Problems(), IsEmpty());
  const workloads::OpResult result = machine_.Run("@p touch m r");
  EXPECT_EQ(result.touch->ok, 64 * kMiB);
}

TEST_F(ReclaimTest, MlockedPagesStay) {
  machine_.Run("@p map m 32M file file=mapped shared\n@p lock m\n@p read f 0 2G");
  const workloads::OpResult result = machine_.Run("@p touch m r");
  const auto stats =
      workloads::StatsOf(machine_.memory(), machine_.kernel().pool(), *result.process, *result.region);
  EXPECT_EQ(stats.rss_kb, 32 * 1024);
}

class TwoNodesTest : public ReclaimTest {
 protected:
  TwoNodesTest() : ReclaimTest(MachineWithDisk({256 * kMiB, 256 * kMiB})) {}
};

TEST_F(TwoNodesTest, PageCacheSpillsOverBeforeKswapdFreesAnything) {
  // But for pageblocks of other types, of which the last free pages are.
  machine_.Run("sysctl vm.watermark_boost_factor 0\n@p read f 0 400M");
  EXPECT_EQ(stolen(0) + stolen(1), 0);
  EXPECT_GT(cached(1), 100 * kMiB);
}

TEST_F(TwoNodesTest, KswapdOfTheNodeThatIsAskedForFrees) {
  machine_.Run("@p policy bind:1\n@p read f 0 1G");
  EXPECT_EQ(stolen(0), 0);
  EXPECT_GT(stolen(1), 700 * kMiB);
  EXPECT_EQ(cached(0), 0);
}

TEST(ReclaimThreadsTest, AnyNumberOfThreadsGivesTheSame) {
  const auto run = [](int threads) {
    TestMachine machine(MachineWithDisk({128 * kMiB, 128 * kMiB, 128 * kMiB}), TestKernel(), threads);
    machine.Run(
        "machine nodes=3 node_mem=128M disk=4G\nspawn p\nspawn q\n@q cpu 1\n@p map f 1G file file=a\n"
        "@q map f 1G file file=a shared\n@p read f 0 512M\n@q touch f 0 256M r\n@q policy bind:2\n"
        "@q read f 256M 512M\n@p read f 0 64M\n@p map a 200M anon\n@p touch a\n@q exit\n@p exit");
    std::vector<int64_t> counters;
    for (int node = 0; node < 3; ++node) {
      for (int c = 0; c < NodeCounter_ARRAYSIZE; ++c)
        counters.push_back(machine.counter(node, static_cast<NodeCounter>(c)));
    }
    EXPECT_THAT(machine.Problems(), IsEmpty());
    return counters;
  };
  EXPECT_EQ(run(1), run(4));
}

}  // namespace
}  // namespace numasim
