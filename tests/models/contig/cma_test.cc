// CMA areas: memory that is kept for contiguous ranges and used meanwhile (mm/cma.c, Linux 6.1).
#include "models/contig/cma.h"

#include <memory>
#include <string>

#include "absl/strings/str_join.h"
#include "gtest/gtest.h"
#include "tests/models/test_machine.h"

namespace numasim {
namespace {

constexpr int64_t kAreaPages = 16 * kMiB;

MachineConfig WithArea(int64_t node_pages, int64_t area_pages, bool hugetlb = false) {
  MachineConfig config = DescribedMachine({node_pages, node_pages});
  config.cma.push_back(
      {hugetlb ? "hugetlb1" : "camera", NodeId{1}, area_pages, hugetlb, "kernel.cma.area[0]"});
  return config;
}

class CmaTest : public ::testing::Test {
 protected:
  CmaTest() { Make(TestKernel()); }
  void Make(const KernelConfig& kernel) {
    machine_ = std::make_unique<TestMachine>(WithArea(64 * kMiB, kAreaPages), kernel);
    area_ = machine_->contig().cma().Find("camera");
    machine_->Run("machine nodes=2 node_mem=64M");
  }
  Errno Do(std::string_view line) { return machine_->Run(line).error; }
  std::string Problems() { return absl::StrJoin(machine_->Problems(), "\n"); }
  int64_t counter(CmaCounter c) const { return area_->counters[c]; }

  std::unique_ptr<TestMachine> machine_;
  CmaArea* area_ = nullptr;
};

TEST_F(CmaTest, AnAreaIsMadeAtTheTopOfItsNodeAndStaysFree) {
  ASSERT_NE(area_, nullptr);
  const Zone& zone = *machine_->memory().ZoneOf(area_->base);
  EXPECT_EQ(zone.node(), NodeId{1});
  EXPECT_EQ(zone.buddy().cma_pages(), kAreaPages);
  EXPECT_EQ(Problems(), "");
}

TEST_F(CmaTest, RangesAreHandedOutAndTakenBack) {
  EXPECT_EQ(Do("cma_alloc camera a 8M"), Errno::kOk);
  EXPECT_EQ(Do("cma_alloc camera b 4M align=4M"), Errno::kOk);
  EXPECT_EQ(counter(CMA_FREE_PAGES), kAreaPages - 12 * kMiB);
  EXPECT_EQ(Problems(), "");
  EXPECT_EQ(Do("cma_alloc camera c 8M"), Errno::kNoMem);
  EXPECT_EQ(counter(CMA_ALLOC_FAIL), 1);
  EXPECT_EQ(Do("cma_release a"), Errno::kOk);
  EXPECT_EQ(Do("cma_alloc camera c 8M"), Errno::kOk);
  EXPECT_EQ(Do("cma_release b"), Errno::kOk);
  EXPECT_EQ(Do("cma_release c"), Errno::kOk);
  EXPECT_EQ(counter(CMA_FREE_PAGES), kAreaPages);
  EXPECT_EQ(machine_->memory().ZoneOf(area_->base)->buddy().cma_pages(), kAreaPages);
  EXPECT_EQ(Problems(), "");
}

TEST_F(CmaTest, UnknownAreasAndRangesAreEnoent) {
  EXPECT_EQ(Do("cma_alloc nosuch a 8M"), Errno::kNoEnt);
  EXPECT_EQ(Do("cma_release a"), Errno::kNoEnt);
}

TEST_F(CmaTest, MemoryOfProcessesMovesOutOfTheWay) {
  // Everything but what the watermarks keep is touched: the area's pages are among it.
  Do("spawn p");
  Do("@p cpu 1");
  Do("@p map a 100M anon policy=bind:1");
  machine_->Run("@p touch a 0 40M");
  ASSERT_LT(machine_->memory().ZoneOf(area_->base)->buddy().cma_pages(), kAreaPages);
  EXPECT_EQ(Do("cma_alloc camera x 16M"), Errno::kOk);
  EXPECT_GT(machine_->counter(1, PGMIGRATE_SUCCESS), 0);
  EXPECT_EQ(Problems(), "");
  EXPECT_EQ(machine_->Run("@p touch a 0 40M r").touch->ok, 40 * kMiB);
}

TEST_F(CmaTest, APinnedPageMakesItTryFurtherOn) {
  Do("spawn p");
  Do("@p cpu 1");
  Do("@p map a 100M anon policy=bind:1");
  machine_->Run("@p touch a 0 40M");
  // The pages are in the area from its low end up; pin them all, so that no range there can be had.
  Do("@p pin a 0 40M");
  const int64_t free = machine_->memory().ZoneOf(area_->base)->buddy().cma_pages();
  if (free > 4 * kMiB) {
    EXPECT_EQ(Do("cma_alloc camera x 2M"), Errno::kOk);
  }
  EXPECT_EQ(Do("cma_alloc camera y 16M"), Errno::kNoMem);
  EXPECT_EQ(Problems(), "");
  Do("@p exit");
  EXPECT_EQ(Problems(), "");
}

TEST_F(CmaTest, UnmovableMemoryNeverComesFromTheArea) {
  // Page tables take all of node 1 but the area.
  Do("spawn p");
  Do("@p cpu 1");
  Do("@p policy bind:1");
  Do("@p map a 32G anon");
  machine_->Run("@p touch a 0 32G 2M");
  const Zone& zone = *machine_->memory().ZoneOf(area_->base);
  bool unmovable = false;
  ForEachBlock(zone.frames(), zone.frames().Index(area_->base),
               static_cast<FrameIndex>(zone.frames().Index(area_->base) + kAreaPages),
               [&](const FrameStore::Head& head) {
                 unmovable = unmovable ||
                             (head.kind == FrameKind::kAllocated &&
                              zone.frames().owner(head.frame, head.order).kind == FrameOwner::kPageTable);
               });
  EXPECT_FALSE(unmovable);
  EXPECT_EQ(Problems(), "");
}

TEST_F(CmaTest, TheMutexOfOldKernelsIsASleepingLock) {
  EXPECT_NE(area_->spinlock, nullptr);
  KernelConfig kernel = TestKernel();
  kernel.cma_lock_is_mutex = true;
  Make(kernel);
  EXPECT_EQ(area_->spinlock, nullptr);
  EXPECT_EQ(Do("cma_alloc camera a 8M"), Errno::kOk);
  EXPECT_EQ(Do("cma_release a"), Errno::kOk);
  EXPECT_EQ(area_->mutex->stats().acquisitions, 2u);
  EXPECT_EQ(Problems(), "");
}

TEST(CmaConfigTest, AreasOfOneNodeLieBelowEachOther) {
  MachineConfig config = WithArea(64 * kMiB, kAreaPages);
  config.cma.push_back({"audio", NodeId{1}, 8 * kMiB, false, "kernel.cma.area[1]"});
  TestMachine machine(config);
  const CmaArea& camera = *machine.contig().cma().Find("camera");
  const CmaArea& audio = *machine.contig().cma().Find("audio");
  EXPECT_EQ(audio.base + audio.pages, camera.base);
  EXPECT_EQ(machine.memory().ZoneOf(camera.base)->buddy().cma_pages(), camera.pages + audio.pages);
  EXPECT_EQ(absl::StrJoin(machine.Problems(), "\n"), "");
}

TEST(CmaConfigTest, AnAreaThatDoesNotFitIsRefusedWithItsField) {
  sim::Engine engine({.threads = 1, .lookahead = sim::Nanoseconds(500)});
  const MachineConfig config = WithArea(64 * kMiB, 128 * kMiB);
  std::vector<std::string> warnings;
  const auto kernel = Kernel::Boot(engine, config, TestKernel(), Costs(), warnings);
  EXPECT_EQ(kernel.status().message(),
            "kernel.cma.area[0]: node 1 has no 128M free in one piece; expected a smaller area");
}

TEST(HugetlbCmaTest, GiganticPagesComeFromTheirAreaAndGoBackThere) {
  constexpr int64_t kGiB = 1024 * kMiB;
  TestMachine machine(WithArea(4 * kGiB, 2 * kGiB, true));
  CmaArea& area = *machine.contig().cma().Find("hugetlb1");
  machine.Run("machine nodes=2 node_mem=4G\npool 1G node1 3");
  const Hstate& pool = machine.kernel().pool().hstate(HugeSize::k1G);
  EXPECT_EQ(pool.counter(NR_HUGEPAGES), 3) << "two of the area, one of what is free";
  EXPECT_EQ(area.counters[CMA_FREE_PAGES], 0);
  EXPECT_EQ(absl::StrJoin(machine.Problems(), "\n"), "");
  machine.Run("pool 1G all 0");
  EXPECT_EQ(area.counters[CMA_FREE_PAGES], 2 * kGiB);
  EXPECT_EQ(absl::StrJoin(machine.Problems(), "\n"), "");
}

// hugetlb_cma_page(): the parts of a page that was demoted belong to its area, whatever size they have.
TEST(HugetlbCmaTest, PartsOfADemotedPageGoBackToItsArea) {
  constexpr int64_t kGiB = 1024 * kMiB;
  TestMachine machine(WithArea(4 * kGiB, 2 * kGiB, true));
  const int64_t unused = machine.UnusedPages();
  CmaArea& area = *machine.contig().cma().Find("hugetlb1");
  machine.Run("machine nodes=2 node_mem=4G\npool 1G node1 1\ndemote 1G node1 1\npool 2M node1 200");
  const Hstate& parts = machine.kernel().pool().hstate(HugeSize::k2M);
  ASSERT_EQ(parts.counter(NR_HUGEPAGES), 200);
  EXPECT_EQ(area.counters[CMA_FREE_PAGES], 2 * kGiB - 200 * kPageblockPages);
  EXPECT_EQ(absl::StrJoin(machine.Problems(), "\n"), "");
  machine.Run("pool 1G node1 1");
  EXPECT_EQ(area.counters[CMA_FREE_PAGES], kGiB - 200 * kPageblockPages) << "from the other half";
  machine.Run("pool 1G node1 0\npool 2M node1 0\npool 1G node1 2");
  EXPECT_EQ(area.counters[CMA_FREE_PAGES], 0) << "the first half is whole again";
  machine.Run("pool 1G node1 0");
  EXPECT_EQ(area.counters[CMA_FREE_PAGES], 2 * kGiB);
  EXPECT_EQ(machine.UnusedPages(), unused);
  EXPECT_EQ(absl::StrJoin(machine.Problems(), "\n"), "");
}

// They are movable, so the buddy allocator may place them there; freed, they leave the area as it was.
TEST(HugetlbCmaTest, SmallPagesThatTheBuddyAllocatorPlacedInAnAreaAreNotTakenForItsOwn) {
  constexpr int64_t kGiB = 1024 * kMiB;
  TestMachine machine(WithArea(2 * kGiB, kGiB, true));
  const int64_t unused = machine.UnusedPages();
  CmaArea& area = *machine.contig().cma().Find("hugetlb1");
  const Zone& zone = *machine.memory().ZoneOf(area.base);
  machine.Run("machine nodes=2 node_mem=2G\npool 2M node1 900");
  ASSERT_LT(zone.buddy().cma_pages(), kGiB);
  EXPECT_EQ(area.counters[CMA_FREE_PAGES], kGiB);
  machine.Run("pool 2M node1 0");
  EXPECT_EQ(zone.buddy().cma_pages(), kGiB);
  EXPECT_EQ(area.counters[CMA_FREE_PAGES], kGiB);
  EXPECT_EQ(machine.UnusedPages(), unused);
  EXPECT_EQ(absl::StrJoin(machine.Problems(), "\n"), "");
}

}  // namespace
}  // namespace numasim
