// Pages that make room for large blocks (mm/compaction.c, Linux 6.1).
#include "models/compaction/compaction.h"

#include <string>
#include <utility>

#include "absl/strings/str_cat.h"
#include "gmock/gmock.h"
#include "gtest/gtest.h"
#include "models/compaction/suitability.h"
#include "tests/models/test_machine.h"

namespace numasim {
namespace {

using ::testing::IsEmpty;

// A node of 256 MiB; a process had 128 MiB of it and gave up every other page.
class CompactionTest : public ::testing::Test {
 protected:
  static constexpr int64_t kHalf = 64 * kMiB;  // pages that are left

  CompactionTest() : machine_(DescribedMachine({256 * kMiB})) {
    machine_.Run("spawn p\n@p map a 128M anon thp=nohugepage\n@p touch a\n@p advise a 0 128M dontneed 8K");
  }
  void TearDown() override { EXPECT_THAT(machine_.Problems(), IsEmpty()); }

  // Free memory in blocks of at least a huge page, in base pages.
  int64_t InHugeBlocks() const {
    int64_t pages = 0;
    for (const Zone* zone : machine_.memory().zones()) {
      for (int order = kPageblockOrder; order <= kMaxOrder; ++order)
        pages += zone->buddy().blocks(order) << order;
    }
    return pages;
  }
  int64_t FreeHugePages() const {
    return machine_.kernel().pool().hstate(HugeSize::k2M).counter(FREE_HUGEPAGES);
  }
  int64_t counter(NodeCounter c) const { return machine_.counter(0, c); }

  TestMachine machine_;
};

TEST_F(CompactionTest, AWriteToCompactMemoryEmptiesThePageblocksOfHalfThePages) {
  const int64_t before = InHugeBlocks();
  // Those of the other holes are on the CPU's lists.
  const int64_t holes = kHalf - machine_.zone(0, ZoneType::kDma32).counter(PCP_PAGES);
  machine_.Run("compact");
  // The pages of the lower half moved to the holes of the upper; what is on the CPU's lists by then is in no
  // block yet.
  const int64_t moved = counter(PGMIGRATE_SUCCESS);
  EXPECT_NEAR(moved, holes / 2, kPageblockPages);
  EXPECT_GE(InHugeBlocks() - before, moved - machine_.zone(0, ZoneType::kDma32).counter(PCP_PAGES) - 2048);
  EXPECT_EQ(machine_.Run("@p touch a 0 128M 8K").error, Errno::kOk);
}

TEST_F(CompactionTest, CountsWhatItIsolates) {
  machine_.Run("compact");
  const int64_t moved = counter(PGMIGRATE_SUCCESS);
  EXPECT_GE(counter(COMPACT_ISOLATED), 2 * moved);  // the pages, and those that they move to
  EXPECT_GE(counter(COMPACT_MIGRATE_SCANNED), 2 * moved);
  EXPECT_GT(counter(COMPACT_FREE_SCANNED), moved);
  EXPECT_EQ(counter(COMPACT_STALL), 0);
}

TEST_F(CompactionTest, PinnedPagesStayWhereTheyAre) {
  machine_.Run("@p pin a 4K 4K");
  const Vpn vpn{(uint64_t{1} << kPmdTableShift) + 1};
  const Pfn before = machine_.process("p").space.page_table().FindEntry(vpn)->pfn();
  machine_.Run("compact");
  EXPECT_EQ(machine_.process("p").space.page_table().FindEntry(vpn)->pfn(), before);
  EXPECT_GT(counter(PGMIGRATE_SUCCESS), 0);
}

TEST_F(CompactionTest, PipesKeepTheirPlaces) {
  machine_.Run("@p pipes k 16M\ncompact");
  const int64_t first = counter(PGMIGRATE_SUCCESS);
  EXPECT_GT(first, 0);
  machine_.Run("@p exit\ncompact");
  EXPECT_EQ(counter(PGMIGRATE_SUCCESS), first);  // nothing movable is left
}

TEST_F(CompactionTest, APoolThatFindsNoHugePageCompactsForIt) {
  const int64_t before = InHugeBlocks() / kPageblockPages;
  machine_.Run("pool 2M node0 120");
  EXPECT_GT(counter(COMPACT_STALL), 0);
  EXPECT_EQ(counter(COMPACT_STALL), counter(COMPACT_SUCCESS) + counter(COMPACT_FAIL));
  EXPECT_EQ(FreeHugePages() > before, counter(COMPACT_SUCCESS) > 0);
  EXPECT_GT(counter(ALLOCSTALL_MOVABLE), 0);
}

// vm.extfrag_threshold of 1000: no fragmentation is enough.
TEST_F(CompactionTest, TheThresholdForFragmentationKeepsItFromCompacting) {
  machine_.Run("sysctl vm.extfrag_threshold 1000\npool 2M node0 120");
  EXPECT_EQ(counter(COMPACT_STALL), 0);
  EXPECT_EQ(counter(PGMIGRATE_SUCCESS), 0);
}

TEST_F(CompactionTest, AFaultCompactsOnlyWhereTheDefragSettingSaysSo) {
  TestMachine machine(DescribedMachine({256 * kMiB}), TestKernelWithThp());
  machine.Run("spawn p\n@p map a 200M anon thp=nohugepage\n@p touch a\n@p advise a 0 200M dontneed 8K");
  for (const char* kind : {"never", "defer", "madvise", "defer+madvise"}) {
    machine.Run(absl::StrCat("thp defrag ", kind, "\nspawn q\n@q map h 60M anon\n@q touch h\n@q exit"));
    EXPECT_EQ(machine.counter(0, COMPACT_STALL), 0) << kind;
  }
  machine.Run("thp defrag always\nspawn q\n@q map h 60M anon\n@q touch h\n@q exit");
  EXPECT_GT(machine.counter(0, COMPACT_STALL), 0);
}

// Who neither waits nor compacts wakes kcompactd once kswapd has given up on the node.
TEST_F(CompactionTest, AFaultThatDefersHasItDoneInTheBackground) {
  for (const auto& [kind, wakes] : {std::pair{"never", false}, std::pair{"defer", true}}) {
    TestMachine machine(DescribedMachine({256 * kMiB}), TestKernelWithThp());
    machine.Run("spawn p\n@p map a 200M anon thp=nohugepage\n@p touch a\n@p advise a 0 200M dontneed 8K");
    machine.Run(absl::StrCat("thp defrag ", kind, "\nspawn q\n@q map h 80M anon\n@q touch h\nsleep 1000"));
    EXPECT_EQ(machine.counter(0, COMPACT_DAEMON_WAKE) > 0, wakes) << kind;
    EXPECT_EQ(machine.counter(0, COMPACT_DAEMON_FREE_SCANNED) > 0, wakes) << kind;
    EXPECT_EQ(machine.counter(0, COMPACT_STALL), 0) << kind;
    EXPECT_THAT(machine.Problems(), IsEmpty()) << kind;
  }
}

TEST_F(CompactionTest, TheIndexTellsFragmentationFromWantOfMemory) {
  const Zone& zone = machine_.zone(0, ZoneType::kDma32);
  EXPECT_EQ(FragmentationIndex(zone, kPageblockOrder), -1000);  // there are huge blocks
  machine_.Run("spawn q\n@q map b 60M anon thp=nohugepage\n@q touch b\npool 2M node0 120");
  EXPECT_GT(FragmentationIndex(zone, kPageblockOrder), 900);
  EXPECT_EQ(UnusableFreePercent(zone, kPageblockOrder), 100);
  EXPECT_EQ(UnusableFreePercent(zone, 0), 0);
}

// Page cache of disk files between anonymous pages: every other page of either goes.
TEST(CompactionOfPageCacheTest, PagesThatMoveOrAreGivenBackStayOnTheirLists) {
  MachineConfig config = DescribedMachine({256 * kMiB});
  config.disk_pages = 4096 * kMiB;
  TestMachine machine(config);
  machine.Run(
      "machine nodes=1 node_mem=256M disk=4G\nspawn p\n@p map a 100M anon thp=nohugepage\n@p touch a 0 50M\n"
      "@p map f 60M file file=data shared\n@p read f\n@p touch a 50M 50M\n@p pin a 60M 4K\n"
      "@p advise a 0 100M dontneed 8K");
  const auto listed = [&machine] {
    return machine.counter(0, NR_INACTIVE_FILE) + machine.counter(0, NR_ACTIVE_FILE);
  };
  // An asynchronous compaction gives back what it has isolated of a block where something stays.
  machine.Run("pool 2M node0 60");
  EXPECT_GT(machine.counter(0, COMPACT_STALL), 0);
  EXPECT_THAT(machine.Problems(), IsEmpty());
  const int64_t cached = machine.counter(0, NR_FILE_PAGES);
  EXPECT_EQ(listed(), cached);
  machine.Run("compact");
  EXPECT_THAT(machine.Problems(), IsEmpty());
  EXPECT_EQ(machine.counter(0, NR_FILE_PAGES), cached);
  EXPECT_EQ(listed(), cached);
}

}  // namespace
}  // namespace numasim
