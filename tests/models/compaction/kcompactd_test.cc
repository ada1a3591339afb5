// kcompactd at work of its own: when it looks after a node, and how far it goes (mm/compaction.c, Linux 6.1).
#include "models/compaction/kcompactd.h"

#include <string>
#include <vector>

#include "absl/strings/str_cat.h"
#include "gmock/gmock.h"
#include "gtest/gtest.h"
#include "models/compaction/proactive.h"
#include "tests/models/test_machine.h"

namespace numasim {
namespace {

using ::testing::IsEmpty;

// A node of 256 MiB of which a process has every other page of 128 MiB, and huge pages the rest, nearly: what
// is free is in small pieces.
class KcompactdTest : public ::testing::Test {
 protected:
  KcompactdTest() : machine_(DescribedMachine({256 * kMiB})) {
    machine_.Run(
        "sysctl vm.watermark_boost_factor 0\nspawn p\n@p map a 128M anon\n@p touch a\n"
        "pool 2M node0 200\n@p advise a 0 128M dontneed 8K");
  }
  void TearDown() override { EXPECT_THAT(machine_.Problems(), IsEmpty()); }

  Node& node() { return machine_.memory().node(NodeId{0}); }
  int64_t scanned() const { return machine_.counter(0, COMPACT_MIGRATE_SCANNED); }
  // Sleeps, and has the looks that are due by then.
  void Sleep(int milliseconds) {
    machine_.Run(absl::StrCat("sleep ", milliseconds));
    CatchUp();
  }
  void CatchUp() {
    machine_.RunPath(node().lp,
                     [this](sim::Path& path) { return machine_.kernel().kcompactds().CatchUp(path); });
  }

  TestMachine machine_;
};

TEST_F(KcompactdTest, LooksEachHalfSecondAndMakesLargeBlocks) {
  ASSERT_GT(FragmentationScore(node()), 90);
  CatchUp();
  EXPECT_EQ(scanned(), 0);
  Sleep(500);
  EXPECT_GT(machine_.counter(0, PGMIGRATE_SUCCESS), 0);
  // It stops where the lower mark is reached: not all is compacted.
  EXPECT_LE(FragmentationScore(node()), 81);
  EXPECT_GT(FragmentationScore(node()), 60);
  EXPECT_EQ(machine_.counter(0, COMPACT_DAEMON_WAKE), 0);  // nobody wanted a block
  EXPECT_EQ(machine_.counter(0, COMPACT_STALL), 0);
}

TEST_F(KcompactdTest, DoesNotBeginBelowTheUpperMark) {
  Sleep(500);
  const int64_t once = scanned();
  Sleep(5000);
  EXPECT_EQ(scanned(), once);
}

TEST_F(KcompactdTest, TheMoreEagerTheFurther) {
  machine_.Run("sysctl vm.compaction_proactiveness 60");
  Sleep(500);
  EXPECT_LE(FragmentationScore(node()), 41);
}

TEST_F(KcompactdTest, LooksAtOnceWhereTheSettingIsWritten) {
  Sleep(500);
  const int64_t once = scanned();
  machine_.Run("sysctl vm.compaction_proactiveness 60");
  Sleep(10);
  EXPECT_GT(scanned(), once);
}

TEST_F(KcompactdTest, ZeroAndNearlyZeroAreNever) {
  for (const char* const value : {"0", "9"}) {
    machine_.Run(absl::StrCat("sysctl vm.compaction_proactiveness ", value));
    Sleep(5000);
    EXPECT_EQ(scanned(), 0) << value;
  }
  machine_.Run("sysctl vm.compaction_proactiveness 15");
  Sleep(10);
  EXPECT_GT(scanned(), 0);
}

TEST_F(KcompactdTest, RefusesWhatTheKernelRefuses) {
  EXPECT_EQ(machine_.Run("sysctl vm.compaction_proactiveness 101").error, Errno::kInval);
  EXPECT_EQ(machine_.Run("sysctl vm.compaction_proactiveness -1").error, Errno::kInval);
}

// What cannot be moved is looked at once in 32 seconds.
TEST(VainKcompactdTest, TriesMuchLaterAgain) {
  TestMachine machine(DescribedMachine({256 * kMiB}));
  const std::vector<Folio> taken = machine.Fragment(NodeId{0});
  const auto sleep = [&](int milliseconds) {
    machine.Run(absl::StrCat("sleep ", milliseconds));
    machine.RunPath(machine.memory().global_lp(),
                    [&](sim::Path& path) { return machine.kernel().kcompactds().CatchUp(path); });
    return machine.counter(0, COMPACT_MIGRATE_SCANNED);
  };
  const int64_t once = sleep(500);
  EXPECT_GT(once, 0);
  EXPECT_EQ(sleep(31'000), once);
  EXPECT_GT(sleep(1'500), once);
  machine.Release(CpuId{0}, taken);
}

// As kswapd works there is nothing to be gained.
TEST_F(KcompactdTest, LeavesANodeToKswapd) {
  node().kswapd_runs = true;
  Sleep(5000);
  EXPECT_EQ(scanned(), 0);
  node().kswapd_runs = false;
  Sleep(500);
  EXPECT_GT(scanned(), 0);
}

}  // namespace
}  // namespace numasim
