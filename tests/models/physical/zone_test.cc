// PCP lists and watermarks of one zone, rule by rule (mm/page_alloc.c, Linux 6.1).
#include "models/physical/zone.h"

#include <algorithm>
#include <cstdint>
#include <memory>
#include <utility>
#include <vector>

#include "gmock/gmock.h"
#include "gtest/gtest.h"
#include "models/base/problem_list.h"
#include "models/physical/zone_check.h"
#include "sim/engine.h"
#include "sim/locks.h"

namespace numasim {
namespace {

constexpr Migratetype kMovable = Migratetype::kMovable;
constexpr CpuId kCpu{0};
constexpr CpuId kOther{1};

// As page tables lie where all other memory is mapped by huge pages: a page here and there.
TEST(FrameStoreTest, AFewPagesOfALargeMachineTakeLittle) {
  constexpr int64_t kTiB = int64_t{1} << (40 - kPageShift);
  constexpr FrameIndex kApart = FrameIndex{1} << (31 - kPageShift);
  FrameStore frames(Pfn{0}, kTiB);
  for (FrameIndex frame = 0; frame < kTiB; frame += kApart) {
    frames.SetHead(frame, FrameKind::kAllocated, 0);
    frames.owner(frame, 0) = FrameOwner{FrameOwner::kPageTable, 1, 0, 0};
  }
  EXPECT_LT(frames.ResidentBytes(), size_t{16} << 20);
}

TEST(FrameStoreTest, ARunOfFramesIsAsEachOfThem) {
  FrameStore frames(Pfn{0}, 4 * kPageblockPages);
  const FrameOwner first{FrameOwner::kAnon, 1, 7, (1u << 30) - 4};
  // Over the end of a pageblock, and with an index that overflows.
  const auto begin = static_cast<FrameIndex>(kPageblockPages - 5);
  frames.SetSingles(begin, 10, FrameKind::kAllocated);
  frames.SetOwners(begin, 10, first, 3);
  for (FrameIndex i = 0; i < 10; ++i) {
    const FrameStore::Head head = frames.Find(begin + i);
    EXPECT_EQ(head.frame, begin + i);
    EXPECT_EQ(head.kind, FrameKind::kAllocated);
    EXPECT_EQ(head.order, 0);
    const FrameOwner owner = frames.owner(begin + i, 0);
    EXPECT_EQ(owner.kind, FrameOwner::kAnon);
    EXPECT_EQ(owner.mapcount, 1u);
    EXPECT_EQ(owner.object, 7u);
    EXPECT_EQ(owner.index, (first.index + 3 * i) % (1u << 30));
  }
  EXPECT_EQ(frames.Find(begin - 1).kind, FrameKind::kUnmanaged);
  EXPECT_EQ(frames.Find(begin + 10).kind, FrameKind::kUnmanaged);
}

class ZoneTest : public ::testing::Test {
 protected:
  static constexpr int64_t kPages = int64_t{16} << kMaxOrder;

  ZoneTest()
      : engine_({}),
        zone_({NodeId{0}, ZoneType::kNormal, Pfn{1 << 20}, kPages, kPages, kPages}, 2,
              std::make_unique<sim::SpinLock>(engine_, engine_.AddLp("node0"), "lock")) {
    for (FrameIndex f = 0; f < kPages; f += 1u << kMaxOrder) {
      zone_.frames().set_pageblock_type(f, kMovable);
      zone_.frames().set_pageblock_type(f + static_cast<FrameIndex>(kPageblockPages), kMovable);
      zone_.buddy().Free(f, kMaxOrder, kMovable, true);
    }
    Limit(378, 63);
  }
  void Limit(int high, int batch) {
    for (CpuId cpu : {kCpu, kOther}) {
      zone_.pcp(cpu).high = high;
      zone_.pcp(cpu).batch = batch;
    }
  }
  FrameIndex Alloc(int order = 0, Migratetype type = kMovable, CpuId cpu = kCpu) {
    return zone_.AllocPcp(cpu, order, type, {}).frame;
  }
  std::vector<FrameIndex> AllocMany(int count, int order = 0) {
    std::vector<FrameIndex> frames;
    for (int i = 0; i < count; ++i) frames.push_back(zone_.AllocBuddy(order, kMovable, {}));
    return frames;
  }

  sim::Engine engine_;
  Zone zone_;
};

TEST_F(ZoneTest, PagesTakenTogetherAreThoseTakenOneByOne) {
  std::vector<FrameIndex> taken;
  for (int i = 0; i < 40; ++i) taken.push_back(Alloc());
  // Given back out of order, in part: runs of every length.
  std::rotate(taken.begin() + 3, taken.begin() + 11, taken.begin() + 14);
  std::reverse(taken.begin() + 20, taken.end());
  for (const FrameIndex frame : taken) ASSERT_EQ(zone_.FreePcp(kCpu, frame, 0).pages, 0);
  std::vector<FrameIndex> expected(taken.rbegin(), taken.rend());
  for (FrameIndex frame = 40; frame < 63; ++frame) expected.push_back(frame);

  zone_.pcp(kCpu).free_factor = 3;
  std::vector<FrameIndex> together;
  zone_.AllocPcpPages(kCpu, kMovable, 63, [&](FrameIndex first, uint32_t count) {
    for (FrameIndex f = first; f < first + count; ++f) together.push_back(f);
  });
  EXPECT_EQ(together, expected);
  EXPECT_EQ(zone_.pcp(kCpu).count, 0);
  EXPECT_EQ(zone_.pcp(kCpu).free_factor, 0);
  EXPECT_TRUE(zone_.PcpNeedsRefill(kCpu, 0, kMovable));
  for (const FrameIndex frame : together)
    EXPECT_EQ(zone_.frames().state(frame, 0), FrameStore::Code(FrameKind::kAllocated, 0));
}

TEST(PcpTableTest, ListsAreMadeWhenFirstUsedWithTheLimitsOfThen) {
  PcpTable table(1000);
  table.SetLimits(100, 10);
  EXPECT_EQ(table.NextUsed(0), 1000);
  EXPECT_EQ(std::as_const(table).At(CpuId{3}).high, 100);
  EXPECT_EQ(table.NextUsed(0), 1000) << "a look does not make them";
  EXPECT_EQ(table.At(CpuId{999}).batch, 10);
  EXPECT_LE(table.NextUsed(0), 999);
  EXPECT_GT(table.NextUsed(0), 900);
  EXPECT_EQ(table.NextUsed(999), 999);
  table.SetLimits(50, 5);
  EXPECT_EQ(std::as_const(table).At(CpuId{999}).high, 50);
  EXPECT_EQ(table.At(CpuId{3}).high, 50);
}

TEST_F(ZoneTest, AnEmptyListIsRefilledWithABatch) {
  EXPECT_TRUE(zone_.PcpNeedsRefill(kCpu, 0, kMovable));
  const Zone::PcpResult result = zone_.AllocPcp(kCpu, 0, kMovable, {});
  EXPECT_EQ(result.refilled, 63);
  EXPECT_EQ(zone_.pcp(kCpu).count, 62);
  EXPECT_EQ(zone_.counter(PCP_PAGES), 62);
  EXPECT_EQ(zone_.buddy().free_pages(), kPages - 63);
  EXPECT_FALSE(zone_.PcpNeedsRefill(kCpu, 0, kMovable));
  EXPECT_TRUE(zone_.PcpNeedsRefill(kCpu, 0, Migratetype::kUnmovable));  // each type has a list of its own
  EXPECT_EQ(zone_.AllocPcp(kCpu, 0, kMovable, {}).refilled, 0);
}

TEST_F(ZoneTest, LargerOrdersAreRefilledByAsManyPagesButAtLeastTwoBlocks) {
  EXPECT_EQ(zone_.AllocPcp(kCpu, 2, kMovable, {}).refilled, 63 >> 2);
  EXPECT_EQ(zone_.AllocPcp(kCpu, 3, kMovable, {}).refilled, 63 >> 3);
  EXPECT_EQ(zone_.AllocPcp(kCpu, kPageblockOrder, kMovable, {}).refilled, 2);
  Limit(100, 1);
  EXPECT_EQ(zone_.AllocPcp(kOther, 3, kMovable, {}).refilled, 1);  // a batch of one is no batch
}

TEST_F(ZoneTest, PagesComeInRisingOrderFromAFreshBlock) {
  for (FrameIndex f = 0; f < 200; ++f) EXPECT_EQ(Alloc(), f);
}

TEST_F(ZoneTest, ThePageFreedLastIsAllocatedFirst) {
  const FrameIndex first = Alloc();
  const FrameIndex second = Alloc();
  zone_.FreePcp(kCpu, first, 0);
  zone_.FreePcp(kCpu, second, 0);
  EXPECT_EQ(Alloc(), second);
  EXPECT_EQ(Alloc(), first);
}

TEST_F(ZoneTest, AnotherCpuDoesNotSeeThisOnesPages) {
  const FrameIndex frame = Alloc();
  zone_.FreePcp(kCpu, frame, 0);
  EXPECT_EQ(zone_.pcp(kCpu).count, 63);
  EXPECT_TRUE(zone_.PcpNeedsRefill(kOther, 0, kMovable));
  EXPECT_EQ(Alloc(0, kMovable, kOther), 63u);  // from the buddy, behind the first CPU's batch
}

TEST_F(ZoneTest, PagesGoBackToTheListOfTheirPageblocksType) {
  const FrameIndex frame = zone_.AllocBuddy(0, Migratetype::kUnmovable, {});
  ASSERT_EQ(zone_.frames().pageblock_type(frame), Migratetype::kUnmovable);  // stolen with its pageblock
  zone_.FreePcp(kCpu, frame, 0);
  EXPECT_FALSE(zone_.PcpNeedsRefill(kCpu, 0, Migratetype::kUnmovable));
  EXPECT_TRUE(zone_.PcpNeedsRefill(kCpu, 0, kMovable));
}

TEST_F(ZoneTest, HighAtomicPagesWaitAsMovableAndIsolatedOnesDoNotWait) {
  const FrameIndex atomic = zone_.AllocBuddy(0, kMovable, {});
  zone_.frames().set_pageblock_type(atomic, Migratetype::kHighAtomic);
  EXPECT_EQ(zone_.FreePcp(kCpu, atomic, 0).pages, 0);
  EXPECT_FALSE(zone_.PcpNeedsRefill(kCpu, 0, kMovable));
  const FrameIndex isolated = zone_.AllocBuddy(kPageblockOrder, kMovable, {});
  zone_.frames().set_pageblock_type(isolated, Migratetype::kIsolate);
  EXPECT_TRUE(zone_.PcpWillDrain(kCpu, isolated, kPageblockOrder));
  EXPECT_EQ(zone_.FreePcp(kCpu, isolated, kPageblockOrder).pages, kPageblockPages);
  EXPECT_EQ(zone_.buddy().list(kPageblockOrder, Migratetype::kIsolate).count(), 1u);
}

TEST_F(ZoneTest, AtHighABatchGoesBackToTheBuddy) {
  const std::vector<FrameIndex> frames = AllocMany(378);
  for (int i = 0; i < 377; ++i) EXPECT_EQ(zone_.FreePcp(kCpu, frames[static_cast<size_t>(i)], 0).pages, 0);
  EXPECT_TRUE(zone_.PcpWillDrain(kCpu, frames[377], 0));
  EXPECT_EQ(zone_.FreePcp(kCpu, frames[377], 0).pages, 63);
  EXPECT_EQ(zone_.pcp(kCpu).count, 378 - 63);
  EXPECT_FALSE(zone_.PcpWillDrain(kCpu, frames[377], 0));
  // The oldest go back, the newest stay.
  EXPECT_EQ(Alloc(), frames[377]);
}

TEST_F(ZoneTest, WhileOnlyFreesComeEachDrainIsTwiceTheOneBefore) {
  const std::vector<FrameIndex> frames = AllocMany(4000);
  std::vector<int64_t> drained;
  for (FrameIndex frame : frames) {
    const int64_t pages = zone_.FreePcp(kCpu, frame, 0).pages;
    if (pages > 0) drained.push_back(pages);
  }
  // 63, 126, 252, then high - batch = 315.
  ASSERT_GE(drained.size(), 5u);
  drained.resize(5);
  EXPECT_THAT(drained, ::testing::ElementsAre(63, 126, 252, 315, 315));
}

TEST_F(ZoneTest, TheFactorStopsAtTwoToTheFifth) {
  Limit(10'000, 63);
  const std::vector<FrameIndex> frames = AllocMany(15'000);
  int64_t most = 0;
  for (FrameIndex frame : frames) most = std::max(most, zone_.FreePcp(kCpu, frame, 0).pages);
  EXPECT_EQ(most, 63 << 5);
}

TEST_F(ZoneTest, EachAllocationHalvesTheFactor) {
  const std::vector<FrameIndex> frames = AllocMany(1200);
  size_t next = 0;
  const auto drain = [&] {
    int64_t pages = 0;
    while (pages == 0) pages = zone_.FreePcp(kCpu, frames[next++], 0).pages;
    return pages;
  };
  EXPECT_EQ(drain(), 63);
  EXPECT_EQ(drain(), 126);
  EXPECT_EQ(zone_.pcp(kCpu).free_factor, 2);
  Alloc();
  EXPECT_EQ(zone_.pcp(kCpu).free_factor, 1);
  EXPECT_EQ(drain(), 126);
}

TEST_F(ZoneTest, FreeingLargerBlocksInABurstDrainsAll) {
  const std::vector<FrameIndex> blocks = AllocMany(3, 2);
  const std::vector<FrameIndex> frames = AllocMany(378);
  // Without a factor, an order-2 block is kept.
  EXPECT_EQ(zone_.FreePcp(kCpu, blocks[0], 2).pages, 0);
  for (FrameIndex frame : frames) zone_.FreePcp(kCpu, frame, 0);
  ASSERT_GT(zone_.pcp(kCpu).free_factor, 0);
  const int count = zone_.pcp(kCpu).count;
  EXPECT_TRUE(zone_.PcpWillDrain(kCpu, blocks[1], 2));
  EXPECT_EQ(zone_.FreePcp(kCpu, blocks[1], 2).pages, count + 4);
  EXPECT_EQ(zone_.pcp(kCpu).count, 0);
}

TEST_F(ZoneTest, ABatchAboveHighGivesPagesBackOneByOne) {
  Limit(10, 63);
  const std::vector<FrameIndex> frames = AllocMany(20);
  for (int i = 0; i < 9; ++i) EXPECT_EQ(zone_.FreePcp(kCpu, frames[static_cast<size_t>(i)], 0).pages, 0);
  for (int i = 9; i < 20; ++i) EXPECT_EQ(zone_.FreePcp(kCpu, frames[static_cast<size_t>(i)], 0).pages, 1);
}

TEST_F(ZoneTest, DrainingBothCpusMakesTheZoneWholeAgain) {
  std::vector<FrameIndex> frames;
  for (int i = 0; i < 500; ++i) frames.push_back(Alloc(0, kMovable, i % 2 == 0 ? kCpu : kOther));
  for (size_t i = 0; i < frames.size(); ++i) zone_.FreePcp(i % 3 == 0 ? kCpu : kOther, frames[i], 0);
  zone_.DrainPcp(kCpu);
  zone_.DrainPcp(kOther);
  EXPECT_EQ(zone_.buddy().free_pages(), kPages);
  EXPECT_EQ(zone_.counter(PCP_PAGES), 0);
  EXPECT_EQ(zone_.buddy().blocks(kMaxOrder), kPages >> kMaxOrder);
}

TEST_F(ZoneTest, FreeingTwiceAborts) {
  const FrameIndex frame = Alloc();
  zone_.FreePcp(kCpu, frame, 0);
  EXPECT_DEATH(zone_.FreePcp(kCpu, frame, 0), "against");
}

// ---- watermarks ----

TEST_F(ZoneTest, AZoneServesWhileMoreThanTheWatermarkAndTheReserveIsFree) {
  zone_.watermarks() = {kPages - 100, kPages - 50, kPages - 20};
  EXPECT_TRUE(zone_.WatermarkOk(0, ZoneType::kNormal, kAllocWmarkHigh));
  AllocMany(19);
  EXPECT_TRUE(zone_.WatermarkOk(0, ZoneType::kNormal, kAllocWmarkHigh));
  AllocMany(1);
  EXPECT_FALSE(zone_.WatermarkOk(0, ZoneType::kNormal, kAllocWmarkHigh));
  EXPECT_TRUE(zone_.WatermarkOk(0, ZoneType::kNormal, kAllocWmarkLow));
  // What could have come from a higher zone leaves the reserve alone.
  zone_.lowmem_reserve()[static_cast<size_t>(ZoneType::kMovable)] = 30;
  EXPECT_FALSE(zone_.WatermarkOk(0, ZoneType::kMovable, kAllocWmarkLow));
  EXPECT_TRUE(zone_.WatermarkOk(0, ZoneType::kMovable, kAllocWmarkMin));
}

TEST_F(ZoneTest, HighPriorityMayUseHalfOfMin) {
  zone_.watermarks() = {1000, 1250, 1500};
  AllocMany(static_cast<int>(kPages) - 1000);
  EXPECT_FALSE(zone_.WatermarkOk(0, ZoneType::kNormal, kAllocWmarkMin));
  EXPECT_TRUE(zone_.WatermarkOk(0, ZoneType::kNormal, kAllocWmarkMin | kAllocMinReserve));
  AllocMany(500);
  EXPECT_FALSE(zone_.WatermarkOk(0, ZoneType::kNormal, kAllocWmarkMin | kAllocMinReserve));
}

TEST_F(ZoneTest, LargeOrdersNeedABlockAsLarge) {
  zone_.watermarks() = {0, 0, 0};
  std::vector<FrameIndex> frames = AllocMany(static_cast<int>(kPages));
  for (size_t i = 0; i < frames.size(); i += 2) zone_.FreeBuddy(frames[i], 0);
  EXPECT_TRUE(zone_.WatermarkOk(0, ZoneType::kNormal, kAllocWmarkMin));
  EXPECT_FALSE(zone_.WatermarkOk(1, ZoneType::kNormal, kAllocWmarkMin));
  zone_.FreeBuddy(frames[1], 0);
  EXPECT_TRUE(zone_.WatermarkOk(1, ZoneType::kNormal, kAllocWmarkMin));
  EXPECT_FALSE(zone_.WatermarkOk(2, ZoneType::kNormal, kAllocWmarkMin));
}

// ---- memory that comes and goes ----

// A device's 512 MiB, of which a memory block is plugged.
class HotZoneTest : public ::testing::Test {
 protected:
  static constexpr Pfn kStart{1 << 20};
  static constexpr Zone::Extent kExtent{
      NodeId{0}, ZoneType::kMovable, kStart, 0, 0, 0, {kStart, 4 * kMemoryBlockPages, 0}};

  HotZoneTest()
      : engine_({}),
        zone_(kExtent, 1, std::make_unique<sim::SpinLock>(engine_, engine_.AddLp("node0"), "lock")) {}
  void ExpectSound() {
    ProblemList problems;
    const ZoneCensus census = CheckZone(zone_, problems, [](Pfn, int, const FrameOwner&) {});
    EXPECT_THAT(std::move(problems).Take(), ::testing::IsEmpty());
    EXPECT_EQ(census.managed(), zone_.managed());
  }

  sim::Engine engine_;
  Zone zone_;
};

TEST_F(HotZoneTest, BeginsWithoutMemory) {
  EXPECT_EQ(zone_.present(), 0);
  EXPECT_EQ(zone_.managed(), 0);
  EXPECT_EQ(zone_.AllocBuddy(0, kMovable, {}), kNilFrame);
  EXPECT_FALSE(zone_.WatermarkOk(0, ZoneType::kMovable, kAllocWmarkMin));
  ExpectSound();
}

TEST_F(HotZoneTest, ABlockComesOnlineAsFreeMovableMemoryUsedLowestFirst) {
  zone_.OnlineBlock(kStart, kMemoryBlockPages);
  zone_.OnlineBlock(kStart + 2 * kMemoryBlockPages, kMemoryBlockPages);
  EXPECT_EQ(zone_.present(), 2 * kMemoryBlockPages);
  EXPECT_EQ(zone_.managed(), 2 * kMemoryBlockPages);
  EXPECT_EQ(zone_.buddy().free_pages(), 2 * kMemoryBlockPages);
  EXPECT_EQ(zone_.buddy().list(kMaxOrder, kMovable).count(), (2 * kMemoryBlockPages) >> kMaxOrder);
  ExpectSound();
  for (int i = 0; i < 64; ++i) {
    const int64_t at = (int64_t{i % 32} << kMaxOrder) + (i < 32 ? 0 : 2 * kMemoryBlockPages);
    EXPECT_EQ(zone_.frames().PfnOf(zone_.AllocBuddy(kMaxOrder, kMovable, {})), kStart + at) << i;
  }
}

TEST_F(HotZoneTest, NewMemoryIsUsedAfterWhatIsFreeAlready) {
  zone_.OnlineBlock(kStart + kMemoryBlockPages, kMemoryBlockPages);
  zone_.OnlineBlock(kStart, kMemoryBlockPages);
  EXPECT_EQ(zone_.frames().PfnOf(zone_.AllocBuddy(0, kMovable, {})), kStart + kMemoryBlockPages);
}

TEST_F(HotZoneTest, ARangeThatWentOfflineIsNeverServedAndComesBackWhole) {
  zone_.OnlineBlock(kStart, 2 * kMemoryBlockPages);
  // Break a part of the range up, so that blocks of all orders go offline.
  std::vector<FrameIndex> frames;
  for (int i = 0; i < 1500; ++i) frames.push_back(zone_.AllocBuddy(0, kMovable, {}));
  for (size_t i = 0; i < frames.size(); i += 2) zone_.FreeBuddy(frames[i], 0);
  for (size_t i = 1; i < frames.size(); i += 2) zone_.FreeBuddy(frames[i], 0);
  ExpectSound();
  zone_.OfflineRange(kStart, kMemoryBlockPages);
  EXPECT_EQ(zone_.present(), kMemoryBlockPages);
  EXPECT_EQ(zone_.managed(), kMemoryBlockPages);
  EXPECT_EQ(zone_.buddy().free_pages(), kMemoryBlockPages);
  ExpectSound();
  int64_t served = 0;
  for (FrameIndex f; (f = zone_.AllocBuddy(0, kMovable, {})) != kNilFrame; ++served) {
    EXPECT_GE(zone_.frames().PfnOf(f), kStart + kMemoryBlockPages);
  }
  EXPECT_EQ(served, kMemoryBlockPages);
  zone_.OnlineBlock(kStart, kMemoryBlockPages);
  EXPECT_EQ(zone_.buddy().list(kMaxOrder, kMovable).count(), kMemoryBlockPages >> kMaxOrder);
  EXPECT_EQ(zone_.managed(), 2 * kMemoryBlockPages);
  ExpectSound();
}

TEST_F(HotZoneTest, PagesFreedNextToAnOfflineRangeDoNotMergeWithIt) {
  zone_.OnlineBlock(kStart, kMemoryBlockPages);
  const auto half = static_cast<FrameIndex>(kPageblockPages);
  const FrameIndex low = zone_.AllocBuddy(kPageblockOrder, kMovable, {});
  ASSERT_EQ(zone_.frames().PfnOf(low), kStart);
  // The upper half of the 4 MiB goes offline alone, as a part of a virtio-mem block does.
  zone_.OfflineRange(kStart + kPageblockPages, kPageblockPages);
  zone_.FreeBuddy(low, kPageblockOrder);
  EXPECT_EQ(zone_.frames().Find(low).order, kPageblockOrder);
  EXPECT_EQ(zone_.frames().Find(low + half).kind, FrameKind::kUnmanaged);
  ExpectSound();
}

TEST_F(HotZoneTest, MemoryInUseCannotGoOffline) {
  zone_.OnlineBlock(kStart, kMemoryBlockPages);
  zone_.AllocBuddy(0, kMovable, {});
  EXPECT_DEATH(zone_.OfflineRange(kStart, kMemoryBlockPages), "Check failed|failed");
}

TEST_F(ZoneTest, ReferencesStandApartFromTheMapcount) {
  for (const int order : {0, kPageblockOrder}) {
    const FrameIndex frame = zone_.AllocBuddy(order, kMovable, {});
    zone_.frames().owner(frame, order) = FrameOwner{FrameOwner::kAnon, 3, 7, 11};
    EXPECT_FALSE(zone_.frames().IsHeld(frame, order));
    zone_.TakeRef(frame, order);
    zone_.TakeRef(frame, order);
    zone_.MarkMigrating(frame, order, true);
    EXPECT_EQ(zone_.RefsOf(frame, order), 2);
    EXPECT_TRUE(zone_.IsMigrating(frame, order));
    EXPECT_EQ(uint64_t{zone_.frames().owner(frame, order).mapcount}, 3u);
    EXPECT_EQ(zone_.frames().Find(frame).kind, FrameKind::kAllocated);
    EXPECT_EQ(zone_.frames().Find(frame).order, order);
    zone_.MarkMigrating(frame, order, false);
    const uint64_t dropped = zone_.refs_dropped();
    EXPECT_FALSE(zone_.DropRef(frame, order));
    EXPECT_EQ(zone_.refs_dropped(), dropped + 1);
    EXPECT_FALSE(zone_.DropRef(frame, order)) << "still mapped";
    EXPECT_FALSE(zone_.frames().IsHeld(frame, order));
    zone_.frames().owner(frame, order).mapcount = 0;
    zone_.TakeRef(frame, order);
    EXPECT_TRUE(zone_.DropRef(frame, order));
    zone_.FreeBuddy(frame, order);
  }
}

TEST_F(ZoneTest, WhatIsHeldCannotBeFreed) {
  const FrameIndex frame = zone_.AllocBuddy(0, kMovable, {});
  zone_.TakeRef(frame, 0);
  EXPECT_DEATH(zone_.FreeBuddy(frame, 0), "Check failed|failed");
}

// ---- watermark boost ----

class BoostTest : public ZoneTest {
 protected:
  // All is allocated for movable pages; every other single page is given back.
  BoostTest() {
    zone_.watermarks() = {100, 125, 150};
    frames_ = AllocMany(static_cast<int>(kPages));
    for (size_t i = 0; i < frames_.size(); i += 2) zone_.FreeBuddy(frames_[i], 0);
  }
  FrameIndex AllocUnmovable(AllocFlags alloc_flags = kAllocKswapd) {
    return zone_.AllocBuddy(0, Migratetype::kUnmovable, alloc_flags);
  }

  std::vector<FrameIndex> frames_;
};

TEST_F(BoostTest, ASmallBlockOfAnotherTypeRaisesAllWatermarksByAPageblock) {
  zone_.SetBoostFactor(1'000'000);
  ASSERT_NE(AllocUnmovable(), kNilFrame);
  EXPECT_EQ(zone_.watermark_boost(), kPageblockPages);
  EXPECT_EQ(zone_.Mark(kAllocWmarkMin), 100 + kPageblockPages);
  EXPECT_EQ(zone_.Mark(kAllocWmarkHigh), 150 + kPageblockPages);
  EXPECT_TRUE(zone_.TakeBoosted());
  EXPECT_FALSE(zone_.TakeBoosted());
  // What was stolen with it serves the next ones.
  while (zone_.buddy().counters().fallbacks == 1) ASSERT_NE(AllocUnmovable(), kNilFrame);
  EXPECT_EQ(zone_.watermark_boost(), 2 * kPageblockPages);
}

TEST_F(BoostTest, GoesUpToItsShareOfTheHighWatermarkOrAPageblock) {
  zone_.SetBoostFactor(15000);  // of 150: less than a pageblock
  for (int i = 0; i < 2000; ++i) ASSERT_NE(AllocUnmovable(), kNilFrame);
  EXPECT_EQ(zone_.watermark_boost(), kPageblockPages);
  zone_.watermarks().high = 1000;
  while (zone_.buddy().free_pages() > 0 && zone_.watermark_boost() < 1500)
    ASSERT_NE(AllocUnmovable(), kNilFrame);
  EXPECT_EQ(zone_.watermark_boost(), 1500);
  zone_.LowerBoost(1000);
  EXPECT_EQ(zone_.watermark_boost(), 500);
  zone_.LowerBoost(1000);
  EXPECT_EQ(zone_.watermark_boost(), 0);
}

TEST_F(BoostTest, WakesNobodyForWhoMayNotWakeKswapd) {
  zone_.SetBoostFactor(15000);
  ASSERT_NE(AllocUnmovable(kAllocWmarkHigh), kNilFrame);
  EXPECT_EQ(zone_.watermark_boost(), kPageblockPages);
  EXPECT_FALSE(zone_.TakeBoosted());
}

TEST_F(BoostTest, WithoutAFactorOrAWatermarkThereIsNone) {
  ASSERT_NE(AllocUnmovable(), kNilFrame);
  EXPECT_EQ(zone_.watermark_boost(), 0);
  zone_.SetBoostFactor(15000);
  zone_.watermarks().high = 0;
  for (int i = 0; i < 1000; ++i) ASSERT_NE(AllocUnmovable(), kNilFrame);
  EXPECT_EQ(zone_.watermark_boost(), 0);
  EXPECT_FALSE(zone_.TakeBoosted());
}

TEST_F(BoostTest, NewWatermarksBeginWithoutOne) {
  zone_.SetBoostFactor(15000);
  ASSERT_NE(AllocUnmovable(), kNilFrame);
  zone_.SetWatermarks(zone_.watermarks());
  EXPECT_EQ(zone_.watermark_boost(), kPageblockPages);
  zone_.SetWatermarks({100, 125, 151});
  EXPECT_EQ(zone_.watermark_boost(), 0);
}

// A whole pageblock that changes hands mixes nothing.
TEST_F(ZoneTest, ALargeBlockOfAnotherTypeRaisesNothing) {
  zone_.watermarks() = {100, 125, 150};
  zone_.SetBoostFactor(15000);
  ASSERT_NE(zone_.AllocBuddy(0, Migratetype::kUnmovable, kAllocKswapd), kNilFrame);
  EXPECT_EQ(zone_.buddy().counters().fallbacks, 1);
  EXPECT_EQ(zone_.watermark_boost(), 0);
}

}  // namespace
}  // namespace numasim
