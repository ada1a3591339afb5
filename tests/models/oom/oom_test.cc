// Who is killed where there is no memory left, and what comes of it (mm/oom_kill.c, Linux 6.1).
#include <string>

#include "gmock/gmock.h"
#include "gtest/gtest.h"
#include "tests/models/failure_log.h"
#include "tests/models/test_machine.h"

namespace numasim {
namespace {

using ::testing::HasSubstr;
using ::testing::IsEmpty;

class OomTest : public ::testing::Test {
 protected:
  OomTest() : machine_(DescribedMachine({64 * kMiB, 64 * kMiB})) {
    machine_.Run("sysctl vm.overcommit_memory 1");
  }
  void TearDown() override { EXPECT_THAT(machine_.Problems(), IsEmpty()); }
  int64_t kills() const { return machine_.counter(0, OOM_KILL) + machine_.counter(1, OOM_KILL); }

  TestMachine machine_;
};

TEST_F(OomTest, WhoTakesAllIsKilledAndAllComesBack) {
  machine_.Run("spawn keep\n@keep map a 8M anon\n@keep touch a");
  const int64_t before = machine_.UnusedPages();
  EXPECT_EQ(machine_.Run("spawn p\n@p map a 1G anon\n@p touch a").error, Errno::kKilled);
  EXPECT_EQ(machine_.UnusedPages(), before);
  EXPECT_EQ(kills(), 1);
  EXPECT_EQ(machine_.Run("@keep touch a").error, Errno::kOk);
}

TEST_F(OomTest, TheNameOfWhoIsGoneIsKnownNoMore) {
  machine_.Run("spawn p\n@p map a 1G anon\n@p touch a");
  EXPECT_EQ(machine_.Run("@p touch a").error, Errno::kNoEnt);
}

TEST_F(OomTest, AnIdleProcessThatHasMoreIsKilledForAnother) {
  machine_.Run("spawn big\n@big map a 80M anon\n@big touch a\nspawn p\n@p map a 60M anon");
  const workloads::OpResult touched = machine_.Run("@p touch a");
  EXPECT_EQ(touched.error, Errno::kOk);
  EXPECT_EQ(touched.touch->ok, 60 * kMiB);
  EXPECT_EQ(kills(), 1);
  EXPECT_EQ(machine_.Run("@big touch a").error, Errno::kKilled);
}

// A process that may have nothing on the node that is short is of no use.
TEST_F(OomTest, OnlyWhoMayHaveMemoryOnTheNodeIsKilled) {
  machine_.Run("spawn other\n@other policy bind:1\n@other map a 50M anon\n@other touch a");
  EXPECT_EQ(machine_.Run("spawn p\n@p policy bind:0\n@p map a 100M anon\n@p touch a").error, Errno::kKilled);
  EXPECT_EQ(machine_.Run("@other touch a").error, Errno::kOk);
}

// 70 MiB are 17,920 pages, 20 are 5,120, and each 1 stands for a thousandth of some 32,000. What is wanted
// beside them is there when the small one has gone.
TEST_F(OomTest, AScoreThatIsAdjustedDecides) {
  const struct {
    int big, small;
    bool big_dies;
  } kCases[] = {{0, 0, true}, {0, 300, true}, {0, 500, false}, {-500, 0, false}, {-1000, 0, false}};
  for (const auto& [big, small, big_dies] : kCases) {
    machine_.Run(
        "spawn big\n@big map a 70M anon\n@big touch a\nspawn small\n@small map a 20M anon\n@small touch a");
    machine_.Run(absl::StrCat("@big oom_score_adj ", big, "\n@small oom_score_adj ", small));
    const int64_t before = kills();
    machine_.Run("spawn p\n@p oom_score_adj -1000\n@p map a 45M anon\n@p touch a");
    EXPECT_EQ(kills(), before + 1);
    EXPECT_EQ(machine_.Run("@big touch a").error == Errno::kKilled, big_dies) << big << " " << small;
    EXPECT_EQ(machine_.Run("@small touch a").error == Errno::kOk, big_dies) << big << " " << small;
    machine_.Run("@p exit\n@big exit\n@small exit");
  }
}

TEST_F(OomTest, AForkHasItsParentsScore) {
  machine_.Run("spawn p\n@p oom_score_adj -1000\n@p fork c\n@c map a 1G anon");
  EXPECT_EQ(machine_.process("c").oom_score_adj, -1000);
  // Nobody can be killed for it: the kernel would panic.
  EXPECT_EQ(machine_.Run("@c touch a").error, Errno::kNoMem);
  EXPECT_EQ(kills(), 0);
  EXPECT_EQ(machine_.Run("@p oom_score_adj 1001").error, Errno::kInval);
  EXPECT_EQ(machine_.Run("@p oom_score_adj -1001").error, Errno::kInval);
  EXPECT_EQ(machine_.process("p").oom_score_adj, -1000);
}

TEST_F(OomTest, TheEventSaysWhoHadHowMuchAndWhere) {
  FailureLog log;
  machine_.engine().SetSampler(sim::Milliseconds(1), &log);
  machine_.Run("spawn keep\n@keep map a 8M anon\n@keep touch a\nspawn p\n@p map a 1G anon\n@p touch a");
  const Failure* kill = nullptr;
  for (const Failure& failure : log.all) {
    if (failure.kind == LogKind::kOomKill) kill = &failure;
  }
  ASSERT_NE(kill, nullptr);
  EXPECT_THAT(kill->victim, HasSubstr("p"));
  EXPECT_STREQ(kill->reason, "CONSTRAINT_NONE");
  EXPECT_THAT(kill->tasks, HasSubstr("node0:"));
  EXPECT_THAT(kill->tasks, HasSubstr("keep "));
  EXPECT_GT(*kill->pages, 64 * kMiB);
}

TEST_F(OomTest, AForkThatFindsNoMemoryIsKilledOrServed) {
  machine_.Run("spawn p\n@p map a 64M anon\n@p touch a\n@p fork c");
  const workloads::OpResult copied = machine_.Run("@c touch a");
  EXPECT_EQ(kills(), 1);
  const bool parent_died = copied.error == Errno::kOk;
  EXPECT_EQ(machine_.Run("@p touch a").error, parent_died ? Errno::kKilled : Errno::kOk);
}

// Its page tables take as much as the pages: the child's do not fit. Who asks for them is the parent, while
// the child cannot be killed yet.
TEST_F(OomTest, AForkThatFindsNoMemoryForTablesEndsTheParent) {
  const int64_t before = machine_.UnusedPages();
  const char* const kScript = "spawn p\n@p map a 24G anon thp=nohugepage\n@p touch a 0 24G 2M\n@p fork c";
  EXPECT_EQ(machine_.Run(kScript).error, Errno::kKilled);
  EXPECT_EQ(machine_.UnusedPages(), before);
  EXPECT_EQ(kills(), 1);
}

TEST_F(OomTest, PipesGoWithTheProcess) {
  const int64_t before = machine_.UnusedPages();
  EXPECT_EQ(machine_.Run("spawn p\n@p map a 32M anon\n@p touch a\n@p pipes k 256M").error, Errno::kKilled);
  EXPECT_EQ(machine_.UnusedPages(), before);
}

}  // namespace
}  // namespace numasim
