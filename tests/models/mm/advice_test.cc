// madvise and mlock, VMA by VMA, on base pages and on huge pages (mm/madvise.c, mm/mlock.c, Linux 6.1). What
// is expected of huge pages was recorded from a kernel: tests/kernel_truth/bug_*.
#include <string_view>

#include "gmock/gmock.h"
#include "gtest/gtest.h"
#include "models/hugetlb/hugetlb.h"
#include "tests/models/test_machine.h"

namespace numasim {
namespace {

using ::testing::IsEmpty;
using workloads::OpResult;

class AdviceTest : public ::testing::Test {
 protected:
  AdviceTest() : machine_(DescribedMachine({128 * kMiB, 128 * kMiB})) {
    machine_.Run("pool 2M node0 4\nspawn p");
  }
  void TearDown() override { EXPECT_THAT(machine_.Problems(), IsEmpty()); }

  OpResult Run(std::string_view lines) { return machine_.Run(lines); }
  Errno Error(std::string_view line) { return machine_.Run(line).error; }
  TouchCounts Touch(std::string_view line) { return *machine_.Run(line).touch; }
  int64_t free() { return machine_.kernel().pool().hstate(HugeSize::k2M).counter(FREE_HUGEPAGES); }
  int64_t anon_pages() { return machine_.counter(0, NR_ANON_PAGES); }
  // How many huge pages the process has entries for.
  int64_t mapped() { return machine_.process("p").space.page_table().huge_pages(); }

  TestMachine machine_;
};

TEST_F(AdviceTest, PopulatingEndsAtTheFirstPageThatCannotBeHad) {
  Run("@p map f 12M hugetlb-2M file=f shared noreserve\n@p fallocate f 6M 6M\n@p map g 2M hugetlb-2M");
  EXPECT_EQ(Error("@p advise f 0 12M populate_read"), Errno::kFault);
  EXPECT_EQ(mapped(), 0) << "the pages of the file from 6M on come after the one that failed";
  EXPECT_EQ(Error("@p advise f 6M 6M populate_write"), Errno::kOk);
  EXPECT_EQ(mapped(), 3);
}

TEST_F(AdviceTest, MmapTellsNobodyThatPopulatingFailed) {
  EXPECT_EQ(Error("@p map i 12M hugetlb-2M noreserve populate"), Errno::kOk);
  EXPECT_EQ(mapped(), 4);
  EXPECT_EQ(Error("@p advise i 0 12M populate_write"), Errno::kFault);
  EXPECT_EQ(Error("@p map b 1M anon populate"), Errno::kOk);
  EXPECT_EQ(anon_pages(), 256);
}

TEST_F(AdviceTest, PopulatingSharedMemoryByMmapDoesNotWriteToPrivateCopies) {
  Run("@p map s 4M hugetlb-2M file=f shared populate\n@p map v 4M hugetlb-2M file=f populate");
  EXPECT_EQ(free(), 0) << "two pages of the file and two private copies";
}

TEST_F(AdviceTest, AHoleIsPassedOverAndMakesItENOMEMInTheEnd) {
  Run("@p map a 1M anon\n@p unmap a 256K 256K");
  EXPECT_EQ(Error("@p advise a 0 1M populate_write"), Errno::kNoMem);
  EXPECT_EQ(anon_pages(), 192) << "also behind the hole";
  EXPECT_EQ(Error("@p advise a 0 1M dontneed"), Errno::kNoMem);
  EXPECT_EQ(anon_pages(), 0);
}

TEST_F(AdviceTest, AnErrorEndsItWhereItIs) {
  Run("@p map a 8M hugetlb-2M\n@p protect a 2M 2M r");
  EXPECT_EQ(Error("@p advise a 0 8M populate_write"), Errno::kInval);
  EXPECT_EQ(mapped(), 1);
  EXPECT_EQ(Error("@p advise a 2M 2M populate_read"), Errno::kOk);
}

TEST_F(AdviceTest, HugePagesTakeWhatTheKernelLetsThemTake) {
  Run("@p map a 4M hugetlb-2M\n@p touch a");
  EXPECT_EQ(Error("@p advise a 0 2M free"), Errno::kInval);
  EXPECT_EQ(Error("@p advise a 0 4M collapse"), Errno::kInval);
  EXPECT_EQ(Error("@p advise a 0 4M remove"), Errno::kAcces) << "private";
  EXPECT_EQ(Error("@p advise a 0 4M hugepage"), Errno::kOk);
  EXPECT_EQ(Error("@p advise a 1M 2M nohugepage"), Errno::kInval) << "would cut a page in two";
  EXPECT_EQ(Error("@p advise a 0 3M dontneed"), Errno::kOk);
  EXPECT_EQ(mapped(), 1) << "only the page that the range covers whole";
}

TEST_F(AdviceTest, RemoveMakesAHoleForEverybodyWhoMapsTheFile) {
  Run("@p map s 8M hugetlb-2M file=f shared\n@p touch s\n@p fork q\n@q touch s");
  EXPECT_EQ(Error("@p advise s 1M 5M remove"), Errno::kOk);
  EXPECT_EQ(free(), 2) << "pages 1 and 2, which the range covers whole";
  EXPECT_EQ(machine_.process("q").space.page_table().huge_pages(), 2);
  Run("@p protect s 0 8M r");
  EXPECT_EQ(Error("@p advise s 0 8M remove"), Errno::kOk) << "what counts is that it may be made writable";
  EXPECT_EQ(free(), 4);
}

TEST_F(AdviceTest, AnonymousMemoryHasNoFileToMakeAHoleIn) {
  Run("@p map a 64K anon\n@p touch a");
  EXPECT_EQ(Error("@p advise a 0 64K remove"), Errno::kInval);
  EXPECT_EQ(Error("@p advise a 0 64K free"), Errno::kOk);
  EXPECT_EQ(anon_pages(), 16) << "lazily: they stay";
  Run("@p map s 64K shmem");
  EXPECT_EQ(Error("@p advise s 0 64K free"), Errno::kInval);
}

TEST_F(AdviceTest, OneByOneWithAStrideAdviceEndsWithTheFirstFailure) {
  Run("@p map a 64K anon\n@p touch a\n@p unmap a 8K 4K");
  EXPECT_EQ(Error("@p advise a 0 64K dontneed 8K"), Errno::kNoMem);
  EXPECT_EQ(anon_pages(), 14) << "the page at 0 is gone; the hole at 8K ends it";
  EXPECT_EQ(Error("@p advise a 2K 8K dontneed"), Errno::kInval);
  EXPECT_EQ(Error("@p advise a 16K 0 dontneed"), Errno::kOk);
}

// ---- mlock ----

TEST_F(AdviceTest, LockFaultsInAndKeepsBasePages) {
  Run("@p map a 1M anon");
  EXPECT_EQ(Error("@p lock a 0 512K"), Errno::kOk);
  EXPECT_EQ(anon_pages(), 128);
  EXPECT_EQ(Error("@p advise a 0 1M dontneed"), Errno::kInval);
  EXPECT_EQ(Error("@p advise a 0 4K free"), Errno::kInval);
  EXPECT_EQ(anon_pages(), 128);
  Run("@p fork q");
  EXPECT_EQ(Error("@q advise a 0 1M dontneed"), Errno::kOk) << "locks are not inherited";
}

TEST_F(AdviceTest, LockFaultsHugePagesInButDoesNotHoldThem) {
  Run("@p map a 8M hugetlb-2M");
  EXPECT_EQ(Error("@p lock a 1M 2M"), Errno::kOk);
  EXPECT_EQ(mapped(), 2);
  EXPECT_EQ(Error("@p advise a 0 8M dontneed"), Errno::kOk);
  EXPECT_EQ(mapped(), 0);
}

TEST_F(AdviceTest, LockSaysWhatItCouldNotHave) {
  Run("@p map c 12M hugetlb-2M noreserve");
  EXPECT_EQ(Error("@p lock c"), Errno::kNoMem);
  EXPECT_EQ(mapped(), 4);
  EXPECT_EQ(Error("@p protect c 0 2M none"), Errno::kOk);
  EXPECT_EQ(Error("@p lock c 0 2M"), Errno::kNoMem);
  Run("@p unmap c 4M 2M");
  EXPECT_EQ(Error("@p lock c 2M 8M"), Errno::kNoMem) << "a hole";
}

// ---- policies, which the kernel judges ----

TEST_F(AdviceTest, ModesWithNodesTheyMayNotHaveOrLackAreRefused) {
  Run("@p map a 4M anon");
  for (const char* refused : {"default:0", "bind", "interleave", "local:0", "preferred_many", "bind:3",
                              "preferred:2-3", "interleave:5"}) {
    EXPECT_EQ(Error(std::string("@p bind a ") + refused), Errno::kInval) << refused;
    EXPECT_EQ(Error(std::string("@p policy ") + refused), Errno::kInval) << refused;
  }
  for (const char* taken : {"preferred", "local", "bind:0,3", "preferred_many:1-5", "default"}) {
    EXPECT_EQ(Error(std::string("@p bind a ") + taken), Errno::kOk) << taken;
    EXPECT_EQ(Error(std::string("@p policy ") + taken), Errno::kOk) << taken;
  }
}

TEST_F(AdviceTest, PreferredWithoutNodesIsLocalAndOfSeveralIsTheFirst) {
  Run("@p map a 4M anon policy=preferred\n@p cpu 1\n@p touch a 0 1M");
  EXPECT_EQ(machine_.counter(1, NR_ANON_PAGES), 256);
  Run("@p bind a preferred:0-1\n@p touch a 1M 1M");
  EXPECT_EQ(anon_pages(), 256);
}

TEST_F(AdviceTest, AMappingWhosePolicyIsRefusedStaysAndHasAName) {
  EXPECT_EQ(Error("@p map b 4M hugetlb-2M policy=bind:2"), Errno::kInval);
  EXPECT_EQ(Touch("@p touch b").ok, 2);
}

TEST_F(AdviceTest, MbindDoesNotCutHugePages) {
  Run("@p map a 3M hugetlb-2M");
  EXPECT_EQ(Error("@p bind a bind:0"), Errno::kInval);
  EXPECT_EQ(Error("@p bind a default"), Errno::kOk) << "which it has already";
  EXPECT_EQ(Error("@p unmap a"), Errno::kInval) << "nor does munmap";
  EXPECT_EQ(Error("@p protect a 0 1M rw"), Errno::kOk);
  EXPECT_EQ(Error("@p protect a 0 1M r"), Errno::kInval);
}

TEST_F(AdviceTest, OnlyTheDefaultPolicyMayBeSetOverAHole) {
  Run("@p map a 1M anon\n@p unmap a 256K 256K");
  EXPECT_EQ(Error("@p bind a bind:1"), Errno::kFault);
  EXPECT_EQ(Error("@p bind a default"), Errno::kOk);
  Run("@p unmap a 0 256K\n@p unmap a 512K 512K");
  EXPECT_EQ(Error("@p bind a default"), Errno::kFault) << "where nothing is mapped at all";
}

}  // namespace
}  // namespace numasim
