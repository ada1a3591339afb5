// How much of the kernel's other caches is looked at, and that memory comes from them where it is short.
#include "models/reclaim/shrinkers.h"

#include <algorithm>
#include <cstdint>
#include <numeric>
#include <vector>

#include "gmock/gmock.h"
#include "gtest/gtest.h"
#include "tests/models/test_machine.h"

namespace numasim {
namespace {

using ::testing::Each;
using ::testing::ElementsAre;
using ::testing::IsEmpty;

// So many objects on node 0, none of which is ever freed; or all that is asked for.
class FakeCache final : public Shrinker {
 public:
  explicit FakeCache(int64_t objects, bool frees = false) : objects_(objects), frees_(frees) {}

  bool MayScan(const Node& node, int) const override { return node.id == NodeId{0}; }
  sim::Task<int64_t> Count(sim::Path&, Node&) override { co_return objects_; }
  sim::Task<Freed> Scan(sim::Path&, Node&, int64_t objects, CpuId) override {
    scans.push_back(objects);
    Freed freed;
    freed.stop = stops;
    if (frees_) freed.objects = std::min(objects, objects_);
    objects_ -= freed.objects;
    co_return freed;
  }

  std::vector<int64_t> scans;
  bool stops = false;

 private:
  int64_t objects_;
  bool frees_;
};

class ShrinkersTest : public ::testing::Test {
 protected:
  // What one round at the priority looks at.
  std::vector<int64_t> Round(FakeCache& cache, Shrinkers& shrinkers, int priority) {
    cache.scans.clear();
    Node& node = machine_.memory().node(NodeId{0});
    machine_.RunPath(node.lp, [&](sim::Path& path) -> sim::Task<void> {
      co_await shrinkers.Shrink(path, node, priority, CpuId{0});
    });
    return cache.scans;
  }
  std::vector<int64_t> FirstRound(int64_t objects, int priority) {
    FakeCache cache(objects);
    Shrinkers shrinkers(machine_.memory());
    shrinkers.Register(cache);
    return Round(cache, shrinkers, priority);
  }

  TestMachine machine_{DescribedMachine({64 * kMiB, 64 * kMiB})};
};

// The table of shrinkers.h.
TEST_F(ShrinkersTest, ALowPriorityLooksAtMore) {
  EXPECT_THAT(FirstRound(10, 12), IsEmpty());
  EXPECT_THAT(FirstRound(10'000, 12), IsEmpty());
  EXPECT_THAT(FirstRound(10, 6), IsEmpty());
  EXPECT_THAT(FirstRound(300, 6), IsEmpty());
  EXPECT_THAT(FirstRound(10'000, 6), ElementsAre(128, 128));
  EXPECT_THAT(FirstRound(10, 1), ElementsAre(10));
  EXPECT_THAT(FirstRound(300, 1), ElementsAre(128, 128));
  EXPECT_EQ(FirstRound(10'000, 1).size(), 9'984u / 128);
  EXPECT_THAT(FirstRound(10, 0), ElementsAre(20));
  EXPECT_THAT(FirstRound(300, 0), ElementsAre(128, 128, 128, 128));
  EXPECT_EQ(FirstRound(10'000, 0).size(), 19'968u / 128);
  EXPECT_THAT(FirstRound(0, 0), IsEmpty());
}

// 3,000 objects are worth 46 at priority 7. What is put off counts by the priority of the later round.
TEST_F(ShrinkersTest, WhatIsPutOffIsDoneLater) {
  FakeCache cache(3000);
  Shrinkers shrinkers(machine_.memory());
  shrinkers.Register(cache);
  for (int round = 0; round < 5; ++round) EXPECT_THAT(Round(cache, shrinkers, 7), IsEmpty());
  // 5 * 46 are put off: 28 of them and 750 are due. A new cache would have had five batches.
  EXPECT_THAT(Round(cache, shrinkers, 3), ElementsAre(128, 128, 128, 128, 128, 128));
  EXPECT_THAT(FirstRound(3000, 3), ElementsAre(128, 128, 128, 128, 128));
}

TEST_F(ShrinkersTest, WhoSaysStopIsLeftAlone) {
  FakeCache cache(1000);
  cache.stops = true;
  Shrinkers shrinkers(machine_.memory());
  shrinkers.Register(cache);
  EXPECT_THAT(Round(cache, shrinkers, 0), ElementsAre(128));
}

// do_shrink_slab(): each batch counts, but not one that a shrinker says stop to.
TEST_F(ShrinkersTest, WhatIsLookedAtIsCounted) {
  const auto scanned = [this] { return machine_.counter(0, SLABS_SCANNED); };
  FirstRound(300, 6);
  EXPECT_EQ(scanned(), 0);
  FirstRound(300, 0);
  EXPECT_EQ(scanned(), 4 * 128);
  FirstRound(10, 1);
  EXPECT_EQ(scanned(), 4 * 128 + 10);
  FakeCache cache(1000);
  cache.stops = true;
  Shrinkers shrinkers(machine_.memory());
  shrinkers.Register(cache);
  EXPECT_THAT(Round(cache, shrinkers, 0), ElementsAre(128));
  EXPECT_EQ(scanned(), 4 * 128 + 10);
  EXPECT_EQ(machine_.counter(1, SLABS_SCANNED), 0);
}

TEST_F(ShrinkersTest, AllCanBeDropped) {
  FakeCache frees(1000, /*frees=*/true);
  FakeCache keeps(1000);
  Shrinkers shrinkers(machine_.memory());
  shrinkers.Register(frees);
  shrinkers.Register(keeps);
  machine_.RunPath(machine_.memory().global_lp(),
                   [&](sim::Path& path) -> sim::Task<void> { co_await shrinkers.Drop(path, CpuId{0}); });
  EXPECT_GE(frees.scans.size(), 8u);
  EXPECT_THAT(keeps.scans, Each(128));
  const auto sum = [](const FakeCache& cache) {
    return std::accumulate(cache.scans.begin(), cache.scans.end(), int64_t{0});
  };
  EXPECT_EQ(machine_.counter(0, SLABS_SCANNED), sum(frees) + sum(keeps));
}

// ---- Huge pages that are mapped in part only ----

class DeferredSplitTest : public ::testing::Test {
 protected:
  void TearDown() override { EXPECT_THAT(machine_.Problems(), IsEmpty()); }

  int64_t kills() const { return machine_.counter(0, OOM_KILL) + machine_.counter(1, OOM_KILL); }

  TestMachine machine_{DescribedMachine({128 * kMiB, 128 * kMiB}), TestKernelWithThp()};
};

// p has 80 MiB of node 0 in huge pages, and three quarters of them are of no use to anybody.
TEST_F(DeferredSplitTest, AreSplitBeforeAnybodyIsKilled) {
  machine_.Run(
      "spawn p\n@p cpu 0\n@p map a 80M anon\n@p touch a\n@p advise a 0 80M dontneed 16K\n"
      "@p advise a 4K 80M dontneed 16K\n@p advise a 8K 80M dontneed 16K");
  EXPECT_EQ(machine_.counter(0, THP_DEFERRED_SPLIT_PAGE), 40);
  EXPECT_EQ(machine_.counter(0, NR_ANON_PAGES), 20 * kMiB);
  machine_.Run("spawn q\n@q cpu 0\n@q map b 70M anon thp=nohugepage policy=bind:0\n@q touch b");
  EXPECT_EQ(kills(), 0);
  EXPECT_EQ(machine_.counter(0, THP_SPLIT_PAGE), 40);
  EXPECT_EQ(machine_.counter(0, NR_ANON_PAGES), 90 * kMiB);
}

TEST_F(DeferredSplitTest, OfOtherNodesAreSplitToo) {
  machine_.Run(
      "spawn p\n@p cpu 1\n@p map a 20M anon\n@p touch a\n@p advise a 0 20M dontneed 8K\n"
      "spawn q\n@q cpu 0\n@q map b 200M anon thp=nohugepage policy=bind:0\n@q touch b");
  EXPECT_EQ(kills(), 1);
  EXPECT_EQ(machine_.counter(1, THP_SPLIT_PAGE), 10);
}

// One that somebody holds stays, and is tried again only after the others.
TEST_F(DeferredSplitTest, WhatIsHeldStays) {
  machine_.Run(
      "spawn p\n@p cpu 0\n@p map a 6M anon\n@p touch a\n@p advise a 4K 6M dontneed 8K\n@p pin a 0 4K\n"
      "drop_caches 2");
  EXPECT_EQ(machine_.counter(0, THP_SPLIT_PAGE), 2);
  EXPECT_GT(machine_.counter(0, THP_SPLIT_PAGE_FAILED), 0);
  machine_.Run("@p unpin a\ndrop_caches 2");
  EXPECT_EQ(machine_.counter(0, THP_SPLIT_PAGE), 3);
}

// ---- The huge zero page ----

TEST_F(DeferredSplitTest, TheHugeZeroPageGoesWithItsLastUser) {
  machine_.Run("sysctl vm.overcommit_memory 1\nspawn p\n@p cpu 0\n@p map a 4M anon\n@p touch a r");
  machine_.Run("spawn q\n@q cpu 0\n@q map b 400M anon thp=nohugepage\n@q touch b");
  EXPECT_EQ(kills(), 1);
  EXPECT_NE(machine_.kernel().thp().zero_page().page(), kNoPfn);
  machine_.Run("@p exit");
  EXPECT_NE(machine_.kernel().thp().zero_page().page(), kNoPfn);
  machine_.Run("spawn r\n@r cpu 0\n@r map b 400M anon thp=nohugepage\n@r touch b");
  EXPECT_EQ(kills(), 2);
  EXPECT_EQ(machine_.kernel().thp().zero_page().page(), kNoPfn);
}

}  // namespace
}  // namespace numasim
