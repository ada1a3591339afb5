// Isolating pageblocks, and taking what is free in them (mm/page_isolation.c, Linux 6.1).
#include "models/physical/isolation.h"

#include <memory>
#include <string>
#include <vector>

#include "absl/strings/str_join.h"
#include "gmock/gmock.h"
#include "gtest/gtest.h"
#include "models/base/problem_list.h"
#include "models/physical/boot.h"
#include "models/physical/zone_check.h"
#include "sim/engine.h"

namespace numasim {
namespace {

using ::testing::ElementsAre;
using ::testing::IsEmpty;

constexpr auto kBlock = static_cast<FrameIndex>(kPageblockPages);
constexpr auto kLargest = FrameIndex{1} << kMaxOrder;
constexpr int64_t kPages = 8 * kLargest;
constexpr FrameOwner kUser{FrameOwner::kContig, 1, 0, 0};

class IsolationTest : public ::testing::Test {
 protected:
  IsolationTest() { Make(ZoneType::kNormal); }

  // A zone of 32 MiB, all free.
  void Make(ZoneType type) {
    const sim::LpId lp = engine_.AddLp("node0");
    const Zone::Extent extent{NodeId{0}, type, Pfn{0x100000}, kPages, kPages, kPages};
    zone_ = std::make_unique<Zone>(extent, 1, std::make_unique<sim::SpinLock>(engine_, lp, "lock"));
    BootEmpty(*zone_);
    PcpLists& lists = zone_->pcp(CpuId{0});
    lists.high = 100;
    lists.batch = 10;
  }
  Buddy& buddy() { return zone_->buddy(); }
  FrameStore& frames() { return zone_->frames(); }
  bool Isolate(FrameIndex block, FrameIndex* blocker = nullptr, Migratetype type = Migratetype::kMovable,
               IsolateFor why = IsolateFor::kAllocation) {
    FrameIndex ignored = 0;
    return IsolatePageblock(*zone_, block, block, block + kBlock, type, why, blocker ? *blocker : ignored);
  }
  // Takes the block for an owner: a test needs it at this very place.
  void Use(FrameIndex frame, int order, FrameOwner::Kind kind) {
    const FrameStore::Head head = frames().Find(frame);
    ASSERT_EQ(head.kind, FrameKind::kFree);
    buddy().RemoveFromList(head.frame, head.order);
    buddy().CountFree(-(int64_t{1} << head.order), Migratetype::kMovable);
    for (FrameIndex f = head.frame; f < head.frame + (FrameIndex{1} << head.order);) {
      if (f == frame) {
        frames().SetHead(f, FrameKind::kAllocated, order);
        frames().owner(f, order) = FrameOwner{kind, 1, 0, 0};
        f += FrameIndex{1} << order;
        continue;
      }
      int o = f == 0 ? kMaxOrder : __builtin_ctz(f);
      while (f < frame && f + (FrameIndex{1} << o) > frame) --o;
      while (f + (FrameIndex{1} << o) > head.frame + (FrameIndex{1} << head.order)) --o;
      buddy().Free(f, o, Migratetype::kMovable);
      f += FrameIndex{1} << o;
    }
  }
  std::string Problems() {
    ProblemList problems;
    CheckZone(*zone_, problems, [](Pfn, int, const FrameOwner&) {});
    return absl::StrJoin(std::move(problems).Take(), "\n");
  }
  std::vector<FrameIndex> List(int order, Migratetype type) {
    std::vector<FrameIndex> out;
    buddy().ForEachFree(order, type, [&](FrameIndex f) { out.push_back(f); });
    return out;
  }

  sim::Engine engine_{{.threads = 1, .lookahead = sim::Nanoseconds(1)}};
  std::unique_ptr<Zone> zone_;
};

TEST_F(IsolationTest, IsolatedMemoryIsNeitherFreeNorServed) {
  ASSERT_TRUE(Isolate(0));
  ASSERT_TRUE(Isolate(kBlock));
  EXPECT_EQ(buddy().free_pages(), kPages - kLargest);
  EXPECT_THAT(List(kMaxOrder, Migratetype::kIsolate), ElementsAre(0));
  for (int64_t i = 0; i < kPages / kLargest - 1; ++i) {
    EXPECT_GE(zone_->AllocBuddy(kMaxOrder, Migratetype::kMovable, {}), kLargest);
  }
  EXPECT_EQ(zone_->AllocBuddy(0, Migratetype::kMovable, {}), kNilFrame);
  EXPECT_EQ(Problems(), "");
}

TEST_F(IsolationTest, WhatIsFreedInAnIsolatedPageblockStaysThere) {
  const FrameIndex page = zone_->AllocBuddy(0, Migratetype::kMovable, {});
  const FrameIndex block = page / kBlock * kBlock;
  ASSERT_TRUE(IsolatePageblock(*zone_, block, block, block, Migratetype::kMovable, IsolateFor::kAllocation,
                               *std::make_unique<FrameIndex>()));
  const int64_t free = buddy().free_pages();
  EXPECT_EQ(zone_->FreePcp(CpuId{0}, page, 0).pages, 1) << "passes the PCP lists by";
  EXPECT_EQ(buddy().free_pages(), free);
  EXPECT_EQ(frames().Find(page).kind, FrameKind::kFree);
}

TEST_F(IsolationTest, ARangeOfOneMaxOrderBlocksHalfSplitsIt) {
  ASSERT_TRUE(Isolate(kBlock));
  EXPECT_THAT(List(kMaxOrder, Migratetype::kIsolate), IsEmpty())
      << "the block begins in the pageblock before";
  SplitFreeAt(*zone_, kBlock);
  EXPECT_THAT(List(kPageblockOrder, Migratetype::kIsolate), ElementsAre(kBlock));
  EXPECT_THAT(List(kPageblockOrder, Migratetype::kMovable), ElementsAre(0));
  EXPECT_EQ(buddy().free_pages(), kPages - kBlock);
  EXPECT_EQ(Problems(), "");
}

TEST_F(IsolationTest, UndoneIsolationMergesAgain) {
  ASSERT_TRUE(Isolate(kBlock));
  SplitFreeAt(*zone_, kBlock);
  UnisolatePageblock(*zone_, kBlock, Migratetype::kMovable);
  EXPECT_EQ(buddy().free_pages(), kPages);
  EXPECT_EQ(buddy().blocks(kMaxOrder), kPages / kLargest);
  EXPECT_EQ(frames().pageblock_type(kBlock), Migratetype::kMovable);
  UnisolatePageblock(*zone_, 0, Migratetype::kMovable);  // was not isolated: nothing happens
  EXPECT_EQ(buddy().free_pages(), kPages);
  EXPECT_EQ(Problems(), "");
}

TEST_F(IsolationTest, TwoCannotIsolateTheSamePageblock) {
  ASSERT_TRUE(Isolate(0));
  FrameIndex blocker = 0;
  EXPECT_FALSE(Isolate(0, &blocker));
  EXPECT_EQ(blocker, 0u);
}

TEST_F(IsolationTest, ThePageThatCannotMoveIsNamed) {
  Use(kBlock + 37, 0, FrameOwner::kPageTable);
  FrameIndex blocker = 0;
  EXPECT_FALSE(Isolate(kBlock, &blocker));
  EXPECT_EQ(blocker, kBlock + 37);
  EXPECT_EQ(frames().pageblock_type(kBlock), Migratetype::kMovable);
  EXPECT_EQ(Problems(), "");
}

TEST_F(IsolationTest, PagesOfUsersAreMovable) {
  Use(3, 0, FrameOwner::kAnon);
  Use(8, 0, FrameOwner::kShmem);
  EXPECT_TRUE(Isolate(0));
  Use(kLargest, kPageblockOrder, FrameOwner::kHugetlb);
  EXPECT_TRUE(Isolate(kLargest));
}

TEST_F(IsolationTest, InZoneMovableOnlyReservedMemoryIsInTheWay) {
  Make(ZoneType::kMovable);
  Use(3, 0, FrameOwner::kKernel);
  EXPECT_TRUE(Isolate(0));
  frames().SetHead(kLargest, FrameKind::kUnmanaged, 0);  // a pageblock that boot reserved
  frames().ClearHead(kLargest, kPageblockOrder);
  FrameIndex blocker = 0;
  EXPECT_FALSE(Isolate(kLargest, &blocker));
  EXPECT_EQ(blocker, kLargest);
}

TEST_F(IsolationTest, WhatTheHypervisorHasIsInTheWayUnlessTheMemoryGoesOffline) {
  Use(0, kPageblockOrder, FrameOwner::kOffline);
  EXPECT_FALSE(Isolate(0));
  EXPECT_TRUE(Isolate(0, nullptr, Migratetype::kMovable, IsolateFor::kOffline));
  EXPECT_EQ(FirstNotIsolated(*zone_, 0, kBlock, IsolateFor::kOffline), kBlock);
  EXPECT_EQ(FirstNotIsolated(*zone_, 0, kBlock, IsolateFor::kAllocation), 0u);
}

TEST_F(IsolationTest, CmaPageblocksAreIsolatedForCmaAlone) {
  frames().set_pageblock_type(0, Migratetype::kCma);
  EXPECT_FALSE(Isolate(0, nullptr, Migratetype::kMovable));
  EXPECT_TRUE(Isolate(0, nullptr, Migratetype::kCma));
}

TEST_F(IsolationTest, TakingARangeThatBeginsAndEndsInsideFreeBlocksGivesTheRestBack) {
  ASSERT_TRUE(Isolate(0));
  ASSERT_TRUE(Isolate(kBlock));
  const FrameIndex begin = 100;
  const FrameIndex end = kBlock + 300;
  ASSERT_EQ(FirstNotIsolated(*zone_, begin, end, IsolateFor::kAllocation), end);
  EXPECT_EQ(TakeIsolated(*zone_, begin, end, kUser), 1) << "one block of the largest order";
  UnisolatePageblock(*zone_, 0, Migratetype::kMovable);
  UnisolatePageblock(*zone_, kBlock, Migratetype::kMovable);
  EXPECT_EQ(buddy().free_pages(), kPages - (end - begin));
  EXPECT_EQ(Problems(), "");
  FreeRange(*zone_, begin, end);
  EXPECT_EQ(buddy().free_pages(), kPages);
  EXPECT_EQ(buddy().blocks(kMaxOrder), kPages / kLargest);
  EXPECT_EQ(Problems(), "");
}

TEST_F(IsolationTest, APageInUseIsNamedAsNotIsolated) {
  Use(77, 0, FrameOwner::kAnon);
  ASSERT_TRUE(Isolate(0));
  EXPECT_EQ(FirstNotIsolated(*zone_, 0, kBlock, IsolateFor::kAllocation), 77u);
  EXPECT_EQ(FirstNotIsolated(*zone_, 0, kLargest, IsolateFor::kAllocation), kBlock) << "is not isolated";
}

// --- CMA areas in the buddy allocator ---

class CmaTest : public IsolationTest {
 protected:
  static constexpr AllocFlags kMovableFlags = kAllocCma;
  // The first 4 MiB are an area.
  CmaTest() {
    for (const FrameIndex block : {FrameIndex{0}, kBlock}) {
      EXPECT_TRUE(Isolate(block));
      UnisolatePageblock(*zone_, block, Migratetype::kCma);
    }
  }
};

TEST_F(CmaTest, FreeMemoryOfAnAreaCountsAsFreeAndAsCma) {
  EXPECT_EQ(buddy().free_pages(), kPages);
  EXPECT_EQ(buddy().cma_pages(), int64_t{kLargest});
  EXPECT_EQ(Problems(), "");
}

TEST_F(CmaTest, OnlyMovableMemoryComesFromAnArea) {
  for (int64_t i = 0; i < kPages / kLargest - 1; ++i) {
    EXPECT_GE(zone_->AllocBuddy(kMaxOrder, Migratetype::kUnmovable, {}), kLargest);
  }
  EXPECT_EQ(zone_->AllocBuddy(0, Migratetype::kUnmovable, {}), kNilFrame);
  EXPECT_LT(zone_->AllocBuddy(0, Migratetype::kMovable, kMovableFlags), kLargest);
  EXPECT_EQ(buddy().cma_pages(), int64_t{kLargest} - 1);
}

TEST_F(CmaTest, AnAreaThatIsMoreThanHalfOfWhatIsFreeIsUsedFirst) {
  for (int64_t i = 0; i < kPages / kLargest - 2; ++i) zone_->AllocBuddy(kMaxOrder, Migratetype::kMovable, {});
  EXPECT_GE(zone_->AllocBuddy(0, Migratetype::kMovable, kMovableFlags), kLargest) << "it is just half";
  EXPECT_LT(zone_->AllocBuddy(0, Migratetype::kMovable, kMovableFlags), kLargest);
}

TEST_F(CmaTest, WatermarksLookPastAnAreaForWhoCannotUseIt) {
  for (int64_t i = 0; i < kPages / kLargest - 1; ++i) zone_->AllocBuddy(kMaxOrder, Migratetype::kMovable, {});
  EXPECT_FALSE(zone_->WatermarkOk(0, ZoneType::kNormal, kAllocWmarkMin));
  EXPECT_TRUE(zone_->WatermarkOk(0, ZoneType::kNormal, kAllocWmarkMin | kAllocCma));
  EXPECT_TRUE(zone_->WatermarkOk(kMaxOrder - 1, ZoneType::kNormal, kAllocWmarkMin | kAllocCma));
}

TEST_F(CmaTest, PagesOfAnAreaGoBackToItThroughPcpLists) {
  for (int64_t i = 0; i < kPages / kLargest - 1; ++i) zone_->AllocBuddy(kMaxOrder, Migratetype::kMovable, {});
  std::vector<FrameIndex> pages;
  for (int i = 0; i < 50; ++i) {
    pages.push_back(zone_->AllocPcp(CpuId{0}, 0, Migratetype::kMovable, kMovableFlags).frame);
    EXPECT_LT(pages.back(), kLargest);
  }
  for (const FrameIndex page : pages) zone_->FreePcp(CpuId{0}, page, 0);
  zone_->DrainPcp(CpuId{0});
  EXPECT_EQ(buddy().cma_pages(), int64_t{kLargest});
  EXPECT_EQ(Problems(), "");
}

}  // namespace
}  // namespace numasim
