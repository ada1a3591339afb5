// The buddy allocator's rules, one by one (mm/page_alloc.c, Linux 6.1).
#include "models/physical/buddy.h"

#include <cstdint>
#include <vector>

#include "gmock/gmock.h"
#include "gtest/gtest.h"
#include "models/physical/frame_store.h"

namespace numasim {
namespace {

using ::testing::ElementsAre;
using ::testing::IsEmpty;

constexpr Migratetype kUnmovable = Migratetype::kUnmovable;
constexpr Migratetype kMovable = Migratetype::kMovable;
constexpr Migratetype kReclaimable = Migratetype::kReclaimable;
constexpr FrameIndex kBlock = static_cast<FrameIndex>(kPageblockPages);
constexpr FrameIndex kLargest = 1u << kMaxOrder;

class BuddyTest : public ::testing::Test {
 protected:
  static constexpr FrameIndex kFrames = 4 * kLargest;

  BuddyTest() : store_(Pfn{0}, kFrames), buddy_(store_) {
    for (FrameIndex f = 0; f < kFrames; f += kBlock) store_.set_pageblock_type(f, kMovable);
  }

  // Everything is in use; tests free what they need.
  void UseAll() {
    for (FrameIndex f = 0; f < kFrames; ++f) store_.SetHead(f, FrameKind::kAllocated, 0);
  }
  void Free(FrameIndex frame, int order = 0, Migratetype type = kMovable) { buddy_.Free(frame, order, type); }
  FrameIndex Take(int order, Migratetype type, AllocFlags flags = {}) {
    const FrameIndex frame = buddy_.Take(order, type, flags);
    if (frame != kNilFrame) store_.SetHead(frame, FrameKind::kAllocated, order);
    return frame;
  }
  std::vector<FrameIndex> List(int order, Migratetype type = kMovable) const {
    std::vector<FrameIndex> frames;
    buddy_.ForEachFree(order, type, [&](FrameIndex f) { frames.push_back(f); });
    return frames;
  }
  // Marks allocated single frames as an LRU list would hold them.
  void SetOwner(FrameIndex begin, FrameIndex end, FrameOwner::Kind kind) {
    for (FrameIndex f = begin; f < end; ++f) store_.owner(f, 0) = FrameOwner{kind, 1, 0, 0};
  }

  FrameStore store_;
  Buddy buddy_;
};

TEST_F(BuddyTest, BuddiesMergeUpToTheLargestOrder) {
  UseAll();
  for (FrameIndex f = 0; f < kLargest; ++f) Free(f);
  EXPECT_THAT(List(kMaxOrder), ElementsAre(0));
  for (int order = 0; order < kMaxOrder; ++order) EXPECT_THAT(List(order), IsEmpty());
  // Two largest blocks side by side stay two.
  for (FrameIndex f = kLargest; f < 2 * kLargest; ++f) Free(f);
  EXPECT_EQ(buddy_.blocks(kMaxOrder), 2);
  EXPECT_EQ(buddy_.free_pages(), 2 * kLargest);
}

TEST_F(BuddyTest, NeighboursThatAreNoBuddiesDoNotMerge) {
  UseAll();
  Free(1);
  Free(2);  // [1, 3) is not aligned
  EXPECT_EQ(buddy_.blocks(0), 2);
  EXPECT_EQ(buddy_.blocks(1), 0);
}

TEST_F(BuddyTest, BuddiesOfDifferentOrdersDoNotMerge) {
  UseAll();
  store_.SetHead(0, FrameKind::kAllocated, 1);
  Free(0, 1);
  Free(2);
  EXPECT_THAT(List(1), ElementsAre(0));
  EXPECT_THAT(List(0), ElementsAre(2));
}

TEST_F(BuddyTest, FreedBlocksAreTakenLastFreedFirst) {
  UseAll();
  for (FrameIndex f : {10u, 20u, 30u}) Free(f);
  EXPECT_THAT(List(0), ElementsAre(30, 20, 10));
  EXPECT_EQ(Take(0, kMovable), 30u);
}

TEST_F(BuddyTest, ToTailIsTakenLast) {
  UseAll();
  Free(10);
  buddy_.Free(20, 0, kMovable, true);
  EXPECT_THAT(List(0), ElementsAre(10, 20));
}

TEST_F(BuddyTest, ABlockWhoseMergeIsNearGoesToTheTail) {
  UseAll();
  store_.SetHead(2, FrameKind::kAllocated, 1);
  Free(2, 1);  // [2, 4): once 0 and 1 are both free, all four merge
  Free(40);
  Free(0);
  EXPECT_THAT(List(0), ElementsAre(40, 0));
  // Without such a neighbour: to the head.
  Free(60);
  EXPECT_THAT(List(0), ElementsAre(60, 40, 0));
}

TEST_F(BuddyTest, PageblocksAndLargerNeverGoToTheTailForAMerge) {
  // From order 9 up the rule does not look: merging makes no huge page more.
  for (FrameIndex f = 0; f < kFrames; f += kBlock) store_.SetHead(f, FrameKind::kAllocated, kPageblockOrder);
  Free(2 * kBlock, kPageblockOrder);
  Free(4 * kBlock, kPageblockOrder);
  EXPECT_THAT(List(kPageblockOrder), ElementsAre(4 * kBlock, 2 * kBlock));
}

TEST_F(BuddyTest, SplittingLeavesTheUpperHalvesAndTheNextPageIsTheNextAddress) {
  UseAll();
  store_.SetHead(0, FrameKind::kAllocated, 3);
  Free(0, 3);
  EXPECT_EQ(Take(0, kMovable), 0u);
  EXPECT_THAT(List(0), ElementsAre(1));
  EXPECT_THAT(List(1), ElementsAre(2));
  EXPECT_THAT(List(2), ElementsAre(4));
  EXPECT_THAT(List(3), IsEmpty());
  for (FrameIndex next = 1; next < 8; ++next) EXPECT_EQ(Take(0, kMovable), next);
  EXPECT_EQ(Take(0, kMovable), kNilFrame);
  EXPECT_EQ(buddy_.free_pages(), 0);
}

TEST_F(BuddyTest, TheSmallestFittingBlockIsSplit) {
  UseAll();
  store_.SetHead(0, FrameKind::kAllocated, 5);
  store_.SetHead(64, FrameKind::kAllocated, 3);
  Free(0, 5);
  Free(64, 3);
  EXPECT_EQ(Take(2, kMovable), 64u);
  EXPECT_EQ(Take(4, kMovable), 0u);
}

TEST_F(BuddyTest, TakingSinglesAtOnceEqualsTakingThemOneByOne) {
  UseAll();
  FrameStore other_store(Pfn{0}, kFrames);
  Buddy other(other_store);
  for (FrameIndex f = 0; f < kFrames; f += kBlock) other_store.set_pageblock_type(f, kMovable);
  for (int order : {0, 2, 5, 7}) {
    const FrameIndex frame = static_cast<FrameIndex>(order + 1) * 256;
    store_.SetHead(frame, FrameKind::kAllocated, order);
    Free(frame, order);
    other_store.SetHead(frame, FrameKind::kAllocated, order);
    other.Free(frame, order, kMovable);
  }
  std::vector<FrameIndex> at_once, one_by_one;
  for (int count : {1, 3, 10, 60, 63}) {
    buddy_.TakeSingles(count, kMovable, {}, [&](FrameIndex first, uint32_t run) {
      for (FrameIndex f = first; f < first + run; ++f) at_once.push_back(f);
    });
    for (int i = 0; i < count; ++i) one_by_one.push_back(other.Take(0, kMovable, {}));
    ASSERT_EQ(at_once, one_by_one);
    for (int order = 0; order < kOrders; ++order) {
      std::vector<FrameIndex> theirs;
      other.ForEachFree(order, kMovable, [&](FrameIndex f) { theirs.push_back(f); });
      ASSERT_EQ(List(order), theirs);
    }
  }
  ASSERT_EQ(buddy_.free_pages(), other.free_pages());
}

TEST_F(BuddyTest, WhatIsFreeIsToldByType) {
  UseAll();
  EXPECT_TRUE(buddy_.HasFree(kMovable, 0));
  EXPECT_FALSE(buddy_.HasFree(kMovable, 1));
  Free(0, 2);
  Free(16, 0);
  Free(32, 3, kUnmovable);
  EXPECT_TRUE(buddy_.HasFree(kMovable, 5));
  EXPECT_FALSE(buddy_.HasFree(kMovable, 6));
  EXPECT_TRUE(buddy_.HasFree(kUnmovable, 8));
}

// ---- fallback ----

TEST_F(BuddyTest, EachTypeFallsBackToItsNearestFirst) {
  struct Case {
    Migratetype wants, first, second;
  };
  for (const Case& c : {Case{kUnmovable, kReclaimable, kMovable}, Case{kMovable, kReclaimable, kUnmovable},
                        Case{kReclaimable, kUnmovable, kMovable}}) {
    FrameStore store(Pfn{0}, kFrames);
    Buddy buddy(store);
    for (FrameIndex f : {FrameIndex{0}, kLargest}) {
      store.SetHead(f, FrameKind::kAllocated, kMaxOrder);
      const Migratetype type = f == 0 ? c.second : c.first;
      for (FrameIndex b = f; b < f + kLargest; b += kBlock) store.set_pageblock_type(b, type);
      buddy.Free(f, kMaxOrder, type);
    }
    EXPECT_EQ(buddy.Take(0, c.wants, {}), kLargest) << kMigratetypeNames[c.wants];
    EXPECT_EQ(buddy.counters().fallbacks, 1);
  }
}

TEST_F(BuddyTest, ABlockOfAPageblockOrMoreChangesTypeAsAWhole) {
  store_.SetHead(0, FrameKind::kAllocated, kMaxOrder);
  Free(0, kMaxOrder);
  EXPECT_EQ(Take(0, kUnmovable), 0u);
  EXPECT_EQ(store_.pageblock_type(0), kUnmovable);
  EXPECT_EQ(store_.pageblock_type(kBlock), kUnmovable);
  EXPECT_EQ(buddy_.counters().pageblock_steals, 2);
  EXPECT_THAT(List(kPageblockOrder, kUnmovable), ElementsAre(kBlock));
}

TEST_F(BuddyTest, TheLargestBlockIsStolenFrom) {
  UseAll();
  SetOwner(0, kFrames, FrameOwner::kAnon);
  Free(7);
  store_.SetHead(2 * kBlock, FrameKind::kAllocated, 4);
  Free(2 * kBlock, 4);
  // Unmovable requests may steal at any order; the largest block is the one of order 4.
  EXPECT_EQ(Take(0, kUnmovable), 2 * kBlock);
}

TEST_F(BuddyTest, StealingTakesAllFreePagesOfThePageblock) {
  UseAll();
  SetOwner(0, kFrames, FrameOwner::kAnon);
  store_.SetHead(0, FrameKind::kAllocated, 4);
  Free(0, 4);
  Free(100);
  Free(kBlock + 100);                    // another pageblock's stays
  EXPECT_EQ(Take(0, kUnmovable), 100u);  // the smallest of what is now unmovable
  EXPECT_THAT(List(4, kUnmovable), ElementsAre(0));
  EXPECT_THAT(List(0, kMovable), ElementsAre(kBlock + 100));
  // 17 pages free and all others movable: less than half of the pageblock is of use, so it keeps its type.
  EXPECT_EQ(store_.pageblock_type(0), kMovable);
}

TEST_F(BuddyTest, APageblockThatIsHalfFreeOrAlikeChangesType) {
  UseAll();
  // 16 free and 240 of the kernel's: alike for an unmovable request, together half of the pageblock.
  SetOwner(0, kFrames, FrameOwner::kAnon);
  SetOwner(16, 256, FrameOwner::kKernel);
  store_.SetHead(0, FrameKind::kAllocated, 4);
  Free(0, 4);
  EXPECT_EQ(Take(0, kUnmovable), 0u);
  EXPECT_EQ(store_.pageblock_type(0), kUnmovable);
}

TEST_F(BuddyTest, OnePageLessThanHalfKeepsTheType) {
  UseAll();
  SetOwner(0, kFrames, FrameOwner::kAnon);
  SetOwner(16, 255, FrameOwner::kKernel);
  store_.SetHead(0, FrameKind::kAllocated, 4);
  Free(0, 4);
  EXPECT_EQ(Take(0, kUnmovable), 0u);
  EXPECT_EQ(store_.pageblock_type(0), kMovable);
}

TEST_F(BuddyTest, UnmovableAndReclaimablePagesAreNotAlike) {
  UseAll();
  SetOwner(0, kFrames, FrameOwner::kKernel);
  store_.set_pageblock_type(0, kReclaimable);
  store_.SetHead(0, FrameKind::kAllocated, 4);
  Free(0, 4, kReclaimable);
  EXPECT_EQ(Take(0, kUnmovable), 0u);
  EXPECT_EQ(store_.pageblock_type(0), kReclaimable);
}

TEST_F(BuddyTest, AMovableRequestTakesTheSmallestBlockWhereItMayNotStealThePageblock) {
  UseAll();
  for (FrameIndex f = 0; f < kFrames; f += kBlock) store_.set_pageblock_type(f, kUnmovable);
  store_.SetHead(0, FrameKind::kAllocated, 3);
  Free(0, 3, kUnmovable);
  Free(kBlock + 9, 0, kUnmovable);
  EXPECT_EQ(Take(0, kMovable), kBlock + 9);
  // And only that: what else is free of the pageblock stays, of any type.
  EXPECT_EQ(Take(0, kMovable), 0u);
  EXPECT_EQ(store_.pageblock_type(0), kUnmovable);
  EXPECT_THAT(List(0, kMovable), ElementsAre(1));
}

TEST_F(BuddyTest, AMovableRequestStealsThePageblockFromOrderFourUp) {
  UseAll();
  SetOwner(0, kFrames, FrameOwner::kAnon);
  for (FrameIndex f = 0; f < kFrames; f += kBlock) store_.set_pageblock_type(f, kUnmovable);
  store_.SetHead(0, FrameKind::kAllocated, 4);
  Free(0, 4, kUnmovable);
  Free(100, 0, kUnmovable);
  EXPECT_EQ(Take(0, kMovable), 100u);
  EXPECT_EQ(store_.pageblock_type(0), kMovable);  // the pages in use are movable too
}

TEST_F(BuddyTest, NoFragmentNeverBreaksIntoAPageblockOfAnotherType) {
  UseAll();
  store_.SetHead(0, FrameKind::kAllocated, 8);
  Free(0, 8);
  EXPECT_EQ(Take(0, kUnmovable, kAllocNoFragment), kNilFrame);
  EXPECT_EQ(Take(0, kUnmovable), 0u);
  // A whole pageblock may change hands.
  store_.SetHead(kBlock, FrameKind::kAllocated, kPageblockOrder);
  Free(kBlock, kPageblockOrder);
  EXPECT_EQ(Take(0, kReclaimable, kAllocNoFragment), kBlock);
}

TEST_F(BuddyTest, PageblocksOfSpecialTypesMergeOnlyWithTheirOwn) {
  for (FrameIndex f = 0; f < kFrames; f += kBlock) store_.SetHead(f, FrameKind::kAllocated, kPageblockOrder);
  store_.set_pageblock_type(0, Migratetype::kIsolate);
  Free(0, kPageblockOrder, Migratetype::kIsolate);
  Free(kBlock, kPageblockOrder, kMovable);
  EXPECT_EQ(buddy_.blocks(kPageblockOrder), 2);
  // Unmovable and movable merge.
  store_.set_pageblock_type(2 * kBlock, kUnmovable);
  Free(2 * kBlock, kPageblockOrder, kUnmovable);
  Free(3 * kBlock, kPageblockOrder, kMovable);
  EXPECT_EQ(buddy_.blocks(kMaxOrder), 1);
}

TEST_F(BuddyTest, LargestFreeOrderFollowsTheLists) {
  UseAll();
  EXPECT_EQ(buddy_.LargestFreeOrder(), -1);
  Free(5);
  EXPECT_EQ(buddy_.LargestFreeOrder(), 0);
  store_.SetHead(64, FrameKind::kAllocated, 6);
  Free(64, 6, kUnmovable);
  EXPECT_EQ(buddy_.LargestFreeOrder(), 6);
  EXPECT_EQ(Take(6, kUnmovable), 64u);
  EXPECT_EQ(buddy_.LargestFreeOrder(), 0);
}

}  // namespace
}  // namespace numasim
