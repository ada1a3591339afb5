// HugeTLB as its users see it: pools, reservations, faults, files, moves (mm/hugetlb.c, Linux 6.1). After
// each test the validator looks at what it left.
#include "models/hugetlb/hugetlb.h"

#include <string>
#include <string_view>
#include <vector>

#include "gmock/gmock.h"
#include "gtest/gtest.h"
#include "tests/models/test_machine.h"

namespace numasim {
namespace {

using ::testing::ElementsAre;
using ::testing::IsEmpty;
using workloads::OpResult;

class HugetlbTest : public ::testing::Test {
 protected:
  HugetlbTest() : machine_(DescribedMachine({128 * kMiB, 128 * kMiB})) {}
  void TearDown() override { EXPECT_THAT(machine_.Problems(), IsEmpty()); }

  OpResult Run(std::string_view lines) { return machine_.Run(lines); }
  Errno Error(std::string_view line) { return machine_.Run(line).error; }
  TouchCounts Touch(std::string_view line) { return *machine_.Run(line).touch; }
  Hstate& pool() { return machine_.kernel().pool().hstate(HugeSize::k2M); }
  std::vector<int64_t> ByNode(HugetlbCounter c) {
    return {pool().node(NodeId{0}).counters[c], pool().node(NodeId{1}).counters[c]};
  }
  int64_t free() { return pool().counter(FREE_HUGEPAGES); }
  int64_t reserved() { return pool().counter(RESV_HUGEPAGES); }
  int64_t surplus() { return pool().counter(SURPLUS_HUGEPAGES); }
  int64_t nr() { return pool().counter(NR_HUGEPAGES); }

  TestMachine machine_;
};

// ---- the pool ----

TEST_F(HugetlbTest, GlobalResizesTakeTurnsWhereTheLastOneStopped) {
  Run("pool 2M all 3");
  EXPECT_THAT(ByNode(NR_HUGEPAGES), ElementsAre(2, 1));
  Run("pool 2M all 4");  // node 1 is next
  EXPECT_THAT(ByNode(NR_HUGEPAGES), ElementsAre(2, 2));
  Run("pool 2M all 3");  // shrinking has a turn of its own
  EXPECT_THAT(ByNode(NR_HUGEPAGES), ElementsAre(1, 2));
}

TEST_F(HugetlbTest, GrowthStopsWhereMemoryEndsAndAllOfItComesBack) {
  const int64_t before = machine_.UnusedPages();
  EXPECT_EQ(Error("pool 2M node1 1000"), Errno::kOk);
  EXPECT_GT(nr(), 48);
  EXPECT_LT(nr(), 64);
  EXPECT_EQ(machine_.kernel().pool().counter(HTLB_BUDDY_ALLOC_SUCCESS), nr());
  EXPECT_EQ(machine_.kernel().pool().counter(HTLB_BUDDY_ALLOC_FAIL), 1);
  Run("pool 2M all 0");
  EXPECT_EQ(machine_.UnusedPages(), before);
}

// The rotation goes on over a node without memory: each page of the other node costs a failed attempt there,
// and growth ends with the first call that fails on both.
TEST_F(HugetlbTest, ANodeThatRunsOutIsStillTriedInTurn) {
  HugetlbPool& pools = machine_.kernel().pool();
  Run("pool 2M node0 20\npool 2M node0 1000");
  const int64_t on_node0 = ByNode(NR_HUGEPAGES)[0];
  const int64_t succeeded = pools.counter(HTLB_BUDDY_ALLOC_SUCCESS);
  ASSERT_EQ(pools.counter(HTLB_BUDDY_ALLOC_FAIL), 1);
  Run("pool 2M node1 10\npool 2M all " + std::to_string(on_node0 + 15));
  EXPECT_THAT(ByNode(NR_HUGEPAGES), ElementsAre(on_node0, 15));
  EXPECT_EQ(pools.counter(HTLB_BUDDY_ALLOC_SUCCESS), succeeded + 15);
  // Node 1 is next after node 0 has failed for itself: its five pages lie around four attempts on node 0.
  EXPECT_EQ(pools.counter(HTLB_BUDDY_ALLOC_FAIL), 1 + 4);
}

// As many as the kernel's loop, page by page, would get and count: the last attempts of both nodes fail.
TEST_F(HugetlbTest, GrowthOverAllNodesEndsWhenNoneHasMemory) {
  HugetlbPool& pools = machine_.kernel().pool();
  Run("pool 2M node1 1000\npool 2M node1 20");
  const int64_t failed = pools.counter(HTLB_BUDDY_ALLOC_FAIL);
  Run("pool 2M all 1000");
  const int64_t most = ByNode(NR_HUGEPAGES)[0];
  EXPECT_LT(ByNode(NR_HUGEPAGES)[1], most + 20);
  // Node 1 ends first by some twenty pages. Each further page of node 0 fails once on node 1, and the last
  // call on both.
  const int64_t grown1 = ByNode(NR_HUGEPAGES)[1] - 20;
  EXPECT_GE(pools.counter(HTLB_BUDDY_ALLOC_FAIL) - failed, most - grown1 + 1);
  EXPECT_LE(pools.counter(HTLB_BUDDY_ALLOC_FAIL) - failed, most - grown1 + 2);
}

TEST_F(HugetlbTest, GrowthHoldsTheLockForOnePageAtATime) {
  Run("pool 2M all 80");
  const sim::LockStats& stats = machine_.kernel().pool().lock().stats();
  EXPECT_EQ(stats.hold.max(), Costs().hugetlb_lock.ns);
  // Accounting, enqueueing and the next look at the count, for each page.
  EXPECT_GE(stats.acquisitions, 3u * 80);
}

TEST_F(HugetlbTest, ShrinkingBelowWhatIsUsedMakesSurplusThatGoesWhenFreed) {
  Run("pool 2M node0 4\nspawn p\n@p map a 6M hugetlb-2M\n@p touch a\npool 2M node0 1");
  EXPECT_EQ(nr(), 3);
  EXPECT_EQ(surplus(), 2);
  Run("@p unmap a");
  EXPECT_EQ(nr(), 1);
  EXPECT_EQ(surplus(), 0);
}

TEST_F(HugetlbTest, GrowingTakesSurplusPagesFirst) {
  Run("pool 2M node0 3\nspawn p\n@p map a 6M hugetlb-2M\n@p touch a\npool 2M node0 0\npool 2M node0 2");
  EXPECT_EQ(nr(), 3);
  EXPECT_EQ(surplus(), 1);
  EXPECT_EQ(machine_.kernel().pool().counter(HTLB_BUDDY_ALLOC_SUCCESS), 3);
}

TEST_F(HugetlbTest, AMempolicyResizeStaysOnThePolicysNodes) {
  Run("spawn p\n@p policy bind:1\n@p pool 2M mempolicy 4");
  EXPECT_THAT(ByNode(NR_HUGEPAGES), ElementsAre(0, 4));
  Run("@p pool 2M all 6");
  EXPECT_THAT(ByNode(NR_HUGEPAGES), ElementsAre(1, 5));
}

TEST_F(HugetlbTest, GiganticPagesCannotBeOvercommitted) {
  Errno error = Errno::kOk;
  machine_.RunPath(machine_.memory().global_lp(), [&](sim::Path& path) -> sim::Task<void> {
    error = co_await machine_.kernel().hugetlb().SetOvercommit(path, HugeSize::k1G, 1);
  });
  EXPECT_EQ(error, Errno::kInval);
}

// ---- reservations ----

TEST_F(HugetlbTest, AMappingReservesAndAFaultUsesWhatItReserved) {
  Run("pool 2M node0 4\nspawn p\n@p map a 6M hugetlb-2M");
  EXPECT_EQ(reserved(), 3);
  EXPECT_EQ(Error("@p map b 4M hugetlb-2M"), Errno::kNoMem);
  EXPECT_EQ(reserved(), 3);
  Run("@p touch a 0 2M");
  EXPECT_EQ(reserved(), 2);
  EXPECT_EQ(free(), 3);
  Run("@p unmap a");
  EXPECT_EQ(reserved(), 0);
  EXPECT_EQ(free(), 4);
}

TEST_F(HugetlbTest, ATaskBoundToANodeReservesNoMoreThanItHas) {
  Run("pool 2M node0 2\npool 2M node1 4\nspawn p\n@p policy bind:0");
  EXPECT_EQ(Error("@p map a 6M hugetlb-2M"), Errno::kNoMem);
  EXPECT_EQ(reserved(), 0);
  EXPECT_EQ(Error("@p map a 4M hugetlb-2M"), Errno::kOk);
}

TEST_F(HugetlbTest, ADroppedPageHasUsedItsReservationUp) {
  Run("pool 2M node0 2\nspawn p\n@p map a 2M hugetlb-2M\n@p touch a\n@p advise a 0 2M dontneed");
  EXPECT_EQ(free(), 2);
  EXPECT_EQ(reserved(), 0);
  Run("@p map b 4M hugetlb-2M");
  EXPECT_EQ(Touch("@p touch a").sigbus, 1);  // both pages are promised to b
}

TEST_F(HugetlbTest, WithoutReservationAFaultOnAnEmptyPoolIsSigbus) {
  Run("pool 2M node0 2\nspawn p\n@p map a 6M hugetlb-2M noreserve");
  EXPECT_EQ(reserved(), 0);
  const TouchCounts counts = Touch("@p touch a");
  EXPECT_EQ(counts.ok, 2);
  EXPECT_EQ(counts.sigbus, 1);
}

TEST_F(HugetlbTest, HugePagesCannotBeCutByUnmapping) {
  Run("pool 2M node0 2\nspawn p\n@p map a 4M hugetlb-2M\n@p touch a");
  EXPECT_EQ(Error("@p unmap a 0 1M"), Errno::kInval);
  EXPECT_EQ(free(), 0);
}

// ---- surplus ----

TEST_F(HugetlbTest, OvercommitMakesPagesForAReservationAndTakesThemBack) {
  Run("pool 2M node0 1\novercommit 2M 3\nspawn p\n@p map a 8M hugetlb-2M");
  EXPECT_EQ(nr(), 4);
  EXPECT_EQ(surplus(), 3);
  EXPECT_EQ(reserved(), 4);
  EXPECT_EQ(Error("@p map b 2M hugetlb-2M"), Errno::kNoMem);
  Run("@p unmap a");
  EXPECT_EQ(nr(), 1);
  EXPECT_EQ(surplus(), 0);
}

TEST_F(HugetlbTest, OvercommitServesFaultsWithoutReservationOnThePolicysNode) {
  Run("overcommit 2M 2\nspawn p\n@p map a 6M hugetlb-2M noreserve policy=bind:1");
  const TouchCounts counts = Touch("@p touch a");
  EXPECT_EQ(counts.ok, 2);
  EXPECT_EQ(counts.sigbus, 1);
  EXPECT_THAT(ByNode(SURPLUS_HUGEPAGES), ElementsAre(0, 2));
}

// ---- policies ----

TEST_F(HugetlbTest, InterleavingGoesByThePagesNumberInTheFile) {
  Run("pool 2M all 8\nspawn p\n@p map a 8M hugetlb-2M policy=interleave:0-1\n@p touch a 2M 6M");
  EXPECT_THAT(ByNode(FREE_HUGEPAGES), ElementsAre(3, 2));  // pages 1, 2 and 3
}

TEST_F(HugetlbTest, ABoundMappingMayHoldAReservationAndStillGetSigbus) {
  Run("pool 2M node0 2\npool 2M node1 1\nspawn p\n@p map a 6M hugetlb-2M policy=bind:1");
  const TouchCounts counts = Touch("@p touch a");
  EXPECT_EQ(counts.ok, 1);
  EXPECT_EQ(counts.sigbus, 2);
  EXPECT_EQ(reserved(), 2);
}

// ---- fork ----

TEST_F(HugetlbTest, AChildCopiesWithoutReservationAndTheOwnerStealsFromIt) {
  Run("pool 2M node0 3\nspawn p\n@p map a 4M hugetlb-2M\n@p touch a\n@p fork q");
  TouchCounts counts = Touch("@q touch a");
  EXPECT_EQ(counts.ok, 1);
  EXPECT_EQ(counts.sigbus, 1);
  counts = Touch("@p touch a");  // the first page is its own again, the second it takes from the child
  EXPECT_EQ(counts.ok, 2);
  EXPECT_EQ(free(), 0);
  EXPECT_EQ(Touch("@q touch a 2M 2M r").sigbus, 1);
  Run("@q exit");
  EXPECT_EQ(free(), 1);
}

TEST_F(HugetlbTest, ReservationsStayWithTheParent) {
  Run("pool 2M node0 2\nspawn p\n@p map a 4M hugetlb-2M\n@p fork q");
  EXPECT_EQ(reserved(), 2);
  EXPECT_EQ(Touch("@q touch a 0 2M").sigbus, 1);
  Run("@q exit");
  EXPECT_EQ(reserved(), 2);
  EXPECT_EQ(Touch("@p touch a").ok, 2);
}

// ---- files ----

TEST_F(HugetlbTest, PagesOfAFileOutliveItsMappings) {
  Run("pool 2M node0 4\nspawn p\n@p map a 6M hugetlb-2M file=f shared\n@p touch a 0 4M\n@p unmap a");
  EXPECT_EQ(free(), 2);
  EXPECT_EQ(reserved(), 1);
  Run("unlink_hugetlb f");
  EXPECT_EQ(free(), 4);
  EXPECT_EQ(reserved(), 0);
}

TEST_F(HugetlbTest, AHoleGivesUpPagesAndATruncationReservationsToo) {
  Run("pool 2M node0 6\nspawn p\n@p map a 12M hugetlb-2M file=f shared\n@p touch a 0 6M\n@p punch a 2M 8M");
  EXPECT_EQ(free(), 5);
  EXPECT_EQ(reserved(), 3);  // those of the pages that were never there
  Run("@p truncate a 2M");
  EXPECT_EQ(free(), 5);
  EXPECT_EQ(reserved(), 0);
  EXPECT_EQ(Touch("@p touch a").sigbus, 5);
}

TEST_F(HugetlbTest, AHoleTakesPrivateCopiesToo) {
  Run("pool 2M node0 4\nspawn p\n@p map a 4M hugetlb-2M file=f\n@p touch a\n@p punch a 0 2M");
  EXPECT_EQ(free(), 3);
}

TEST_F(HugetlbTest, FallocateUsesTheFilesReservations) {
  Run("pool 2M node0 3\nspawn p\n@p map a 4M hugetlb-2M file=f shared\n@p fallocate a 0 2M");
  EXPECT_EQ(reserved(), 1);
  EXPECT_EQ(free(), 2);
  EXPECT_EQ(Error("@p fallocate a 2M 6M"), Errno::kNoSpc);  // one reserved, one more, then none
  EXPECT_EQ(free(), 0);
}

TEST_F(HugetlbTest, APrivateMappingCopiesThePageOfTheFileWithItsReservation) {
  Run("pool 2M node0 2\nspawn p\nspawn q\n@p map a 2M hugetlb-2M file=f shared\n@p touch a\n"
      "@q map b 2M hugetlb-2M file=f");
  EXPECT_EQ(reserved(), 1);
  EXPECT_EQ(Touch("@q touch b").ok, 1);
  EXPECT_EQ(reserved(), 0);
  EXPECT_EQ(free(), 0);
}

// ---- subpools ----

TEST_F(HugetlbTest, AMountReservesItsMinimumUntilItIsUnmounted) {
  Run("pool 2M node0 6\nmount_hugetlbfs /m pagesize=2M,size=8M,min_size=4M");
  EXPECT_EQ(reserved(), 2);
  Run("spawn p\n@p map a 6M hugetlb-2M file=/m/f shared");
  EXPECT_EQ(reserved(), 3);
  EXPECT_EQ(Error("@p map b 4M hugetlb-2M file=/m/g shared"), Errno::kNoMem);  // beyond its size
  EXPECT_EQ(Error("umount /m"), Errno::kBusy);
  Run("@p unmap a\nunlink /m/f");
  EXPECT_EQ(reserved(), 2);
  EXPECT_EQ(Error("umount /m"), Errno::kOk);
  EXPECT_EQ(reserved(), 0);
}

TEST_F(HugetlbTest, AMountNeedsPagesForItsMinimum) {
  Run("pool 2M node0 1");
  EXPECT_EQ(Error("mount_hugetlbfs /m pagesize=2M,min_size=4M"), Errno::kNoMem);
  EXPECT_EQ(Error("mount_hugetlbfs /m pagesize=2M,size=2M,min_size=4M"), Errno::kInval);
  EXPECT_EQ(Error("umount /m"), Errno::kInval);
}

// ---- moves ----

TEST_F(HugetlbTest, MovedPagesTakeFreePagesOfTheNode) {
  Run("pool 2M node0 2\npool 2M node1 2\nspawn p\n@p map a 4M hugetlb-2M policy=bind:0\n@p touch a");
  EXPECT_EQ(Run("@p move a 1").moved->moved, 2);
  EXPECT_THAT(ByNode(NR_HUGEPAGES), ElementsAre(2, 2));
  EXPECT_THAT(ByNode(FREE_HUGEPAGES), ElementsAre(2, 0));
}

TEST_F(HugetlbTest, AMoveToANodeWithoutPagesTakesTheSurplusAlong) {
  Run("pool 2M node0 2\nspawn p\n@p map a 4M hugetlb-2M\n@p touch a\npool 2M node0 1\n@p move a 1");
  EXPECT_THAT(ByNode(NR_HUGEPAGES), ElementsAre(0, 2));
  EXPECT_THAT(ByNode(SURPLUS_HUGEPAGES), ElementsAre(0, 1));
}

TEST_F(HugetlbTest, SharedPagesAreNotMoved) {
  Run("pool 2M node0 1\nspawn p\n@p map a 2M hugetlb-2M\n@p touch a\n@p fork q");
  EXPECT_EQ(Run("@p move a 1").moved->not_moved, 1);
}

// ---- time and locks ----

TEST_F(HugetlbTest, TwoResizesAtOnceWaitForEachOther) {
  Hugetlb& hugetlb = machine_.kernel().hugetlb();
  for (int i = 0; i < 2; ++i) {
    machine_.engine().Start(machine_.memory().node(NodeId{i}).lp, machine_.engine().now(), "resize",
                            [&hugetlb, i](sim::Path& path) -> sim::Task<void> {
                              co_await hugetlb.Resize(path, CpuId{i}, HugeSize::k2M, kNoNode, 10 + 10 * i);
                            });
  }
  ASSERT_TRUE(machine_.engine().Run().ok());
  EXPECT_TRUE(nr() == 10 || nr() == 20);
  EXPECT_EQ(pool().resize_lock().stats().contended, 1u);
  EXPECT_GT(hugetlb.pool().lock().stats().acquisitions, 20u);
}

// ---- names of mappings ----

TEST_F(HugetlbTest, WhatUnmapsAllOfAMappingForgetsItsName) {
  Run("pool 2M node0 4\nspawn p\n@p map a 4M hugetlb-2M");
  EXPECT_EQ(Error("@p unmap a 0 16M"), Errno::kOk);
  EXPECT_EQ(Error("@p touch a"), Errno::kNoEnt);
  Run("@p map a 4M hugetlb-2M\n@p unmap a 2M 2M\n@p unmap a 0 2M");
  EXPECT_EQ(Touch("@p touch a").sigsegv, 2) << "in two parts: nothing is mapped, but the name is known";
}

TEST_F(HugetlbTest, MappingANameThatExistsEndsTheRun) {
  Run("pool 2M node0 4\nspawn p\n@p map a 4M hugetlb-2M");
  EXPECT_DEATH(Run("@p map a 4M anon"), "ID: 'a' is a mapping already");
  EXPECT_EQ(Error("@p map b 400M hugetlb-2M"), Errno::kNoMem);
  EXPECT_EQ(Error("@p map b 2M hugetlb-2M"), Errno::kOk) << "the name of what failed is free";
}

// Linux 6.1 gives a mount back more than it took where a reservation beyond its minimum is refused; the count
// of reservations then wraps round, and a pool in that state only becomes surplus.
TEST_F(HugetlbTest, APoolWithReservationsBelowZeroDoesNotShrink) {
  Run("pool 2M node0 8\nmount_hugetlbfs /m pagesize=2M,min_size=8M\nspawn p\n"
      "@p map a 4M hugetlb-2M file=/m/a shared\n@p map b 20M hugetlb-2M file=/m/b shared\n"
      "@p map c 20M hugetlb-2M file=/m/b shared\n@p map d 8M hugetlb-2M file=/m/c shared\n"
      "@p touch d\n@p touch a\n@p unmap a\nunlink /m/a\n@p unmap d\nunlink /m/c\nunlink /m/b\n@p exit\n"
      "umount /m");
  EXPECT_EQ(reserved(), -2);
  Run("pool 2M node0 0");
  EXPECT_EQ(nr(), 8);
  EXPECT_EQ(surplus(), 8);
}

}  // namespace
}  // namespace numasim
