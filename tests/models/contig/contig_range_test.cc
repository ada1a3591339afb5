// Getting ranges of memory back from whoever has them (alloc_contig_range, Linux 6.1).
#include "models/contig/contig_range.h"

#include <string>
#include <vector>

#include "absl/strings/str_cat.h"
#include "absl/strings/str_join.h"
#include "gtest/gtest.h"
#include "tests/models/test_machine.h"

namespace numasim {
namespace {

constexpr FrameOwner kUser{FrameOwner::kContig, 1, 0, 0};
constexpr CpuId kCpu{0};

class ContigRangeTest : public ::testing::Test {
 protected:
  ContigRangeTest() { Make({64 * kMiB, 64 * kMiB}); }
  void Make(const std::vector<int64_t>& nodes, const KernelConfig& kernel = TestKernel()) {
    machine_ = std::make_unique<TestMachine>(DescribedMachine(nodes), kernel);
  }
  TestMachine& machine() { return *machine_; }
  workloads::OpResult Run(std::string_view lines) { return machine().Run(lines); }

  ContigResult AllocRange(Pfn start, int64_t pages) {
    ContigResult result;
    machine().RunPath(machine().memory().global_lp(), [&](sim::Path& path) -> sim::Task<void> {
      result = co_await machine().contig().ranges().AllocRange(path, kCpu, start, pages,
                                                               Migratetype::kMovable, kUser);
    });
    return result;
  }
  void FreeRange(Pfn start, int64_t pages) {
    machine().RunPath(machine().memory().global_lp(), [&](sim::Path& path) -> sim::Task<void> {
      co_await machine().contig().ranges().FreeRange(path, start, pages);
    });
  }
  std::string Problems() { return absl::StrJoin(machine().Problems(), "\n"); }
  const Hstate& pool() { return machine().kernel().pool().hstate(HugeSize::k2M); }
  Pfn HugePageOf(std::string_view process, int number = 0) {
    Pfn pfn = kNoPfn;
    machine().process(process).space.page_table().Walk(Vpn{0}, AddressSpace::kNoRoom,
                                                       [&](Vpn, const Entry& entry, int order) {
                                                         if (order != 0 && number-- == 0) pfn = entry.pfn();
                                                       });
    return pfn;
  }
  Pfn BasePageOf(std::string_view process, int number = 0) {
    Pfn pfn = kNoPfn;
    machine().process(process).space.page_table().Walk(
        Vpn{0}, AddressSpace::kNoRoom, [&](Vpn, const Entry& entry, int order) {
          if (order == 0 && !entry.zero_page() && number-- == 0) pfn = entry.pfn();
        });
    return pfn;
  }
  static Pfn BlockOf(Pfn pfn) { return Pfn{pfn.value / kPageblockPages * kPageblockPages}; }
  NodeId NodeOf(Pfn pfn) { return machine().memory().ZoneOf(pfn)->node(); }
  FrameOwner OwnerOf(Pfn pfn) {
    const Zone& zone = *machine().memory().ZoneOf(pfn);
    const FrameStore::Head head = zone.frames().Find(zone.frames().Index(pfn));
    return zone.frames().owner(head.frame, head.order);
  }

  std::unique_ptr<TestMachine> machine_;
};

TEST_F(ContigRangeTest, AFreeRangeIsTakenAndGivenBack) {
  const int64_t unused = machine().UnusedPages();
  const Pfn start{8 * kMiB};
  EXPECT_EQ(AllocRange(start, 5 * kMiB).error, Errno::kOk);
  EXPECT_EQ(machine().UnusedPages(), unused - 5 * kMiB);
  EXPECT_EQ(OwnerOf(start).kind, FrameOwner::kContig);
  EXPECT_EQ(Problems(), "");
  FreeRange(start, 5 * kMiB);
  EXPECT_EQ(machine().UnusedPages(), unused);
  EXPECT_EQ(Problems(), "");
}

TEST_F(ContigRangeTest, AnUnalignedRangeTakesJustItsPages) {
  const int64_t unused = machine().UnusedPages();
  EXPECT_EQ(AllocRange(Pfn{8 * kMiB + 3}, 777).error, Errno::kOk);
  EXPECT_EQ(machine().UnusedPages(), unused - 777);
  EXPECT_EQ(Problems(), "");
}

TEST_F(ContigRangeTest, PagesOnPcpListsAreDrained) {
  Run("machine nodes=2 node_mem=64M\nspawn p\n@p map a 1M anon\n@p touch a");
  const Pfn page = BasePageOf("p");
  Run("@p unmap a");  // now on the PCP list
  const Zone& zone = *machine().memory().ZoneOf(page);
  ASSERT_GT(zone.pcp(kCpu).count, 0);
  EXPECT_EQ(AllocRange(BlockOf(page), kPageblockPages).function, std::string("has_unmovable_pages"))
      << "page tables are there too";
  EXPECT_GT(zone.pcp(kCpu).count, 0) << "isolation comes first";
}

TEST_F(ContigRangeTest, FreeHugePagesAreReplacedOnTheirNodeAndNothingIsCounted) {
  Run("machine nodes=2 node_mem=64M\npool 2M node1 4");
  const Pfn first = HugePageStore::First(pool().node(NodeId{1}).free);
  ASSERT_EQ(NodeOf(first), NodeId{1});
  const HugetlbCounters before = pool().counters();
  EXPECT_EQ(AllocRange(first, kPageblockPages).error, Errno::kOk);
  EXPECT_EQ(pool().counters(), before);
  EXPECT_EQ(pool().node(NodeId{1}).counters[NR_HUGEPAGES], 4);
  const Pfn replacement = HugePageStore::First(pool().node(NodeId{1}).free);
  EXPECT_NE(replacement, first);
  EXPECT_EQ(NodeOf(replacement), NodeId{1});
  EXPECT_EQ(machine().kernel().pool().counter(HTLB_BUDDY_ALLOC_SUCCESS), 5);
  EXPECT_EQ(Problems(), "");
}

TEST_F(ContigRangeTest, WithoutRoomOnTheNodeItIsEnomemAndThePoolStaysWhole) {
  Run("machine nodes=2 node_mem=64M\npool 2M node1 1000");
  const int64_t pages = pool().node(NodeId{1}).counters[NR_HUGEPAGES];
  const Pfn first = HugePageStore::First(pool().node(NodeId{1}).free);
  const int64_t unused = machine().UnusedPages();
  const ContigResult result = AllocRange(first, kPageblockPages);
  EXPECT_EQ(result.error, Errno::kNoMem);
  EXPECT_EQ(result.blocker, first);
  EXPECT_EQ(result.function, std::string("alloc_and_dissolve_huge_page"));
  EXPECT_EQ(pool().node(NodeId{1}).counters[NR_HUGEPAGES], pages);
  EXPECT_EQ(HugePageStore::First(pool().node(NodeId{1}).free), first);
  EXPECT_EQ(machine().UnusedPages(), unused) << "though node 0 has room";
  EXPECT_EQ(Problems(), "");
}

TEST_F(ContigRangeTest, WithoutRoomAnywhereTheFailureNamesTheNodesThatHadNone) {
  Run("machine nodes=2 node_mem=64M\nspawn p\n@p map a 60M anon\n@p touch a");
  const std::vector<Folio> rest[] = {machine().TakeAllOf(NodeId{0}), machine().TakeAllOf(NodeId{1})};
  const Pfn page = BasePageOf("p", 4000);
  const ContigResult result = AllocRange(BlockOf(page), kPageblockPages);
  EXPECT_EQ(result.error, Errno::kNoMem);
  EXPECT_EQ(result.function, std::string("alloc_migration_target"));
  EXPECT_EQ(result.nodes, NodeMask::All()) << "a page of the range may move to any node";
  for (const std::vector<Folio>& of_node : rest) machine().Release(CpuId{0}, of_node);
  EXPECT_EQ(Problems(), "");
}

TEST_F(ContigRangeTest, HugePagesInUseMoveWithTheirMappings) {
  Run("machine nodes=2 node_mem=64M\npool 2M node0 3\nspawn p\n@p map a 6M hugetlb-2M\n@p touch a");
  const Pfn page = HugePageOf("p", 1);
  EXPECT_EQ(AllocRange(page, kPageblockPages).error, Errno::kOk);
  EXPECT_NE(HugePageOf("p", 1), page);
  EXPECT_EQ(pool().counter(NR_HUGEPAGES), 3);
  EXPECT_EQ(pool().counter(FREE_HUGEPAGES), 0);
  EXPECT_EQ(pool().counter(SURPLUS_HUGEPAGES), 0);
  EXPECT_EQ(machine().counter(0, PGMIGRATE_SUCCESS), kPageblockPages);
  EXPECT_EQ(Problems(), "");
}

TEST_F(ContigRangeTest, WhereAFreePageOfThePoolTakesThePlaceTheOldOneStaysInTheRangeUntilTheNextTry) {
  Run("machine nodes=2 node_mem=64M\npool 2M node0 2\nspawn p\n@p map a 2M hugetlb-2M\n@p touch a");
  const Pfn page = HugePageOf("p");
  const ContigResult result = AllocRange(page, kPageblockPages);
  EXPECT_EQ(result.error, Errno::kBusy);
  EXPECT_EQ(result.function, std::string("test_pages_isolated"));
  EXPECT_NE(HugePageOf("p"), page);
  EXPECT_EQ(HugePageStore::First(pool().node(NodeId{0}).free), page);
  EXPECT_EQ(AllocRange(page, kPageblockPages).error, Errno::kOk);
  EXPECT_EQ(pool().counter(NR_HUGEPAGES), 2);
  EXPECT_EQ(Problems(), "");
}

TEST_F(ContigRangeTest, AHugePageSharedByForkMovesForAll) {
  Run("machine nodes=2 node_mem=64M\npool 2M node0 1\nspawn p\n@p map a 2M hugetlb-2M\n@p touch a\n@p fork "
      "q\n@q cpu 1");
  const Pfn page = HugePageOf("p");
  ASSERT_EQ(HugePageOf("q"), page);
  EXPECT_EQ(AllocRange(page, kPageblockPages).error, Errno::kOk);
  EXPECT_NE(HugePageOf("p"), page);
  EXPECT_EQ(HugePageOf("q"), HugePageOf("p"));
  EXPECT_EQ(Problems(), "");
}

TEST_F(ContigRangeTest, APageOfAFileMovesInThePageCache) {
  Run("machine nodes=2 node_mem=64M\npool 2M node0 1\nspawn p\nspawn q\n"
      "@p map a 2M hugetlb-2M shared file=f\n@q map b 2M hugetlb-2M shared file=f\n@p touch a\n@q touch b");
  const Pfn page = HugePageOf("p");
  EXPECT_EQ(AllocRange(page, kPageblockPages).error, Errno::kOk);
  EXPECT_EQ(HugePageOf("q"), HugePageOf("p"));
  EXPECT_NE(HugePageOf("p"), page);
  EXPECT_EQ(Problems(), "");
  Run("@p unmap a\n@q unmap b\nunlink_hugetlb f\npool 2M all 0");
  EXPECT_EQ(pool().counter(NR_HUGEPAGES), 0);
  EXPECT_EQ(Problems(), "");
}

TEST_F(ContigRangeTest, AnonymousMemoryMovesWithinTheNode) {
  Run("machine nodes=2 node_mem=64M\nspawn p\n@p map a 8M anon\n@p touch a");
  // A pageblock with nothing but pages of the mapping.
  const Pfn block = BlockOf(BasePageOf("p", 1024));
  const int64_t unused = machine().UnusedPages();
  const ContigResult result = AllocRange(block, kPageblockPages);
  EXPECT_EQ(result.error, Errno::kOk) << result.function << " " << result.blocker.value;
  EXPECT_EQ(machine().UnusedPages(), unused - kPageblockPages);
  EXPECT_EQ(machine().counter(0, NR_ANON_PAGES), 8 * kMiB);
  EXPECT_EQ(machine().counter(1, NR_ANON_PAGES), 0);
  EXPECT_EQ(Problems(), "");
  EXPECT_EQ(Run("@p touch a").touch->ok, 8 * kMiB);
  EXPECT_EQ(Problems(), "");
}

TEST_F(ContigRangeTest, AnonymousMemorySharedByForksMovesForAllAlsoWhenItsFirstOwnerIsGone) {
  Run("machine nodes=2 node_mem=64M\nspawn p\n@p map a 8M anon\n@p touch a\n@p fork q\n@q fork r\n@q cpu "
      "1\n@p exit");
  const Pfn page = BasePageOf("q", 1024);
  ASSERT_EQ(AllocRange(BlockOf(page), kPageblockPages).error, Errno::kOk);
  EXPECT_NE(BasePageOf("q", 1024), page);
  EXPECT_EQ(BasePageOf("r", 1024), BasePageOf("q", 1024));
  EXPECT_EQ(Problems(), "");
  Run("@q touch a\n@r touch a");
  EXPECT_EQ(Problems(), "");
  Run("@q exit\n@r exit");
  EXPECT_EQ(Problems(), "");
}

TEST_F(ContigRangeTest, SharedMemoryMoves) {
  Run("machine nodes=2 node_mem=64M\nspawn p\n@p map a 8M shmem\n@p touch a\n@p fork q\n@q touch a\n@q cpu "
      "1");
  const Pfn page = BasePageOf("p", 1024);
  ASSERT_EQ(AllocRange(BlockOf(page), kPageblockPages).error, Errno::kOk);
  EXPECT_NE(BasePageOf("p", 1024), page);
  EXPECT_EQ(BasePageOf("q", 1024), BasePageOf("p", 1024));
  EXPECT_EQ(Problems(), "");
}

TEST_F(ContigRangeTest, APinnedPageIsInTheWayAndNamed) {
  Run("machine nodes=2 node_mem=64M\nspawn p\n@p map a 8M anon\n@p touch a");
  const Pfn page = BasePageOf("p", 1024);
  Zone& zone = *machine().memory().ZoneOf(page);
  Run("@p pin a 4M 4K");
  ASSERT_EQ(zone.RefsOf(zone.frames().Index(page), 0), 1);
  const int64_t unused = machine().UnusedPages();
  const ContigResult result = AllocRange(BlockOf(page), kPageblockPages);
  EXPECT_EQ(result.error, Errno::kBusy);
  EXPECT_EQ(result.blocker, page);
  EXPECT_EQ(result.function, std::string("isolate_migratepages_block"));
  EXPECT_EQ(ContigRanges::UserOf(zone, page).Text(), "anon,pinned");
  EXPECT_EQ(machine().UnusedPages(), unused);
  EXPECT_EQ(Problems(), "");
  Run("@p unpin a");
  EXPECT_EQ(AllocRange(BlockOf(page), kPageblockPages).error, Errno::kOk);
  EXPECT_EQ(Problems(), "");
}

TEST_F(ContigRangeTest, APinnedPageOutlivesItsMappingAndIsFreedByTheLastUnpin) {
  Run("machine nodes=2 node_mem=64M\nspawn p\n@p map a 1M anon\n@p touch a");
  const int64_t used = machine().counter(0, NR_ANON_PAGES);
  Run("@p pin a 0 8K\n@p pin a 0 4K\n@p unmap a");
  EXPECT_EQ(machine().counter(0, NR_ANON_PAGES), used - 1 * kMiB + 2);
  EXPECT_EQ(Problems(), "");
  Run("@p unpin a irq");
  EXPECT_EQ(machine().counter(0, NR_ANON_PAGES), used - 1 * kMiB);
  EXPECT_EQ(Problems(), "");
}

TEST_F(ContigRangeTest, APinnedHugePageIsInTheWayUntilItIsUnpinned) {
  Run("machine nodes=2 node_mem=64M\npool 2M node0 1\nspawn p\n@p map a 2M hugetlb-2M\n@p pin a");
  const Pfn page = HugePageOf("p");
  const ContigResult result = AllocRange(page, kPageblockPages);
  EXPECT_EQ(result.error, Errno::kBusy);
  EXPECT_EQ(result.blocker, page);
  EXPECT_EQ(result.function, std::string("unmap_and_move_huge_page"));
  EXPECT_EQ(HugePageOf("p"), page);
  EXPECT_EQ(Problems(), "");
  Run("@p unpin a");
  EXPECT_EQ(AllocRange(page, kPageblockPages).error, Errno::kOk);
  EXPECT_EQ(Problems(), "");
}

TEST_F(ContigRangeTest, ThePoolsWereInTheWayBefore513) {
  KernelConfig kernel = TestKernel();
  kernel.contig_hugetlb_fails = true;
  Make({64 * kMiB, 64 * kMiB}, kernel);
  Run("machine nodes=2 node_mem=64M\npool 2M node1 4");
  const Pfn first = HugePageStore::First(pool().node(NodeId{1}).free);
  const ContigResult result = AllocRange(first, kPageblockPages);
  EXPECT_EQ(result.error, Errno::kBusy);
  EXPECT_EQ(result.blocker, first);
  EXPECT_EQ(HugePageStore::First(pool().node(NodeId{1}).free), first);
  EXPECT_EQ(Problems(), "");
}

// The mover may have lost its CPU to who waits for it.
TEST_F(ContigRangeTest, AFaultThatWaitsForAPageThatMovesGivesItsCpuAway) {
  Run("machine nodes=2 node_mem=64M\nspawn p\n@p map a 4K anon\n@p touch a\n@p fork q");
  MemorySystem& memory = machine().memory();
  Process& process = machine().process("p");
  const Pfn page = BasePageOf("p");
  Zone& zone = *memory.ZoneOf(page);
  const FrameIndex frame = zone.frames().Index(page);
  zone.TakeRef(frame, 0);
  zone.MarkMigrating(frame, 0, true);
  TouchCounts counts;
  const auto start = [&](sim::Duration at, const sim::PathFn& body) {
    machine().engine().Start(memory.node(NodeId{0}).lp, machine().engine().now() + at, "racer",
                             [&memory, body](sim::Path& path) -> sim::Task<void> {
                               co_await memory.cpu(kCpu).Acquire(path);
                               co_await body(path);
                               memory.cpu(kCpu).Release(path);
                             });
  };
  start(sim::Nanoseconds(0), [&](sim::Path& path) -> sim::Task<void> {
    const uint64_t begin = process.space.vmas().begin()->second.start.value << kPageShift;
    const TouchRequest touch{begin, begin + 1, kPageSize, true};
    counts = co_await machine().ops().Touch(path, process, touch);
  });
  start(sim::Microseconds(10), [&](sim::Path& path) -> sim::Task<void> {
    zone.MarkMigrating(frame, 0, false);
    const std::vector<Folio> held(1, Folio(page));
    co_await machine().kernel().allocator().DropRefs(path, kCpu, held);
  });
  ASSERT_TRUE(machine().engine().Run(machine().engine().now() + sim::Milliseconds(1)).ok());
  EXPECT_EQ(counts.ok, 1);
  EXPECT_EQ(Problems(), "");
}

// Who took a page off the LRU to move it is not held up by that.
TEST_F(ContigRangeTest, WhatHoldsAPageIsNotWhoMovesIt) {
  using Held = FrameUser::Held;
  Run("machine nodes=2 node_mem=64M\nspawn p\n@p map a 4K anon\n@p touch a");
  const Pfn page = BasePageOf("p");
  Zone& zone = *machine().memory().ZoneOf(page);
  const FrameIndex frame = zone.frames().Index(page);
  EXPECT_EQ(ContigRanges::UserOf(zone, page).held, Held::kNo);
  ASSERT_TRUE(Migrator::IsolateFromLru(zone, frame, 0));
  EXPECT_EQ(ContigRanges::UserOf(zone, page).held, Held::kMigrating);
  EXPECT_EQ(ContigRanges::UserOf(zone, page, true).held, Held::kNo);
  zone.TakeRef(frame, 0);
  EXPECT_EQ(ContigRanges::UserOf(zone, page, true).held, Held::kPinned);
  const std::vector<Folio> twice(2, Folio(page));
  zone.MarkMigrating(frame, 0, false);
  machine().DropRefs(kCpu, twice);
  EXPECT_EQ(Problems(), "");
}

// Each isolates its first and its last pageblock before the rest, so both may find the other's.
TEST_F(ContigRangeTest, OfOverlappingRangesAtMostOneIsTakenAndNothingStaysIsolated) {
  const int64_t unused = machine().UnusedPages();
  ContigResult results[2];
  for (int i = 0; i < 2; ++i) {
    machine().engine().Start(machine().memory().node(NodeId{0}).lp, machine().engine().now(), "range",
                             [&, i](sim::Path& path) -> sim::Task<void> {
                               const Pfn start{static_cast<uint64_t>(24 * kMiB + i * kPageblockPages)};
                               results[i] = co_await machine().contig().ranges().AllocRange(
                                   path, kCpu, start, 4 * kPageblockPages, Migratetype::kMovable, kUser);
                             });
  }
  ASSERT_TRUE(machine().engine().Run().ok());
  const int taken = (results[0].error == Errno::kOk) + (results[1].error == Errno::kOk);
  EXPECT_LE(taken, 1);
  EXPECT_EQ(machine().UnusedPages(), unused - taken * 4 * kPageblockPages);
  EXPECT_EQ(Problems(), "");
}

// A frame that another path has just allocated to move a page to.
struct Target {
  FrameIndex frame = kNilFrame;
  // When somebody else wanted its pageblock.
  int64_t mapcount = 0;
  int64_t refs = 0;
};

// Waits until a page of the zone is on its way to a frame outside of the pageblock at `source`.
sim::Task<Target> WaitForTarget(sim::Path& path, const Zone& zone, FrameIndex source) {
  const auto block = static_cast<FrameIndex>(kPageblockPages);
  for (int i = 0; i < 10'000; ++i) {
    Target target;
    const FrameStore& frames = zone.frames();
    ForEachBlock(frames, 0, frames.frames(), [&](const FrameStore::Head& head) {
      if (target.frame != kNilFrame || head.kind != FrameKind::kAllocated || head.order != 0) return;
      if (head.frame / block == source / block || !zone.IsMigrating(head.frame, 0)) return;
      target.frame = head.frame;
      target.mapcount = static_cast<int64_t>(frames.owner(head.frame, 0).mapcount);
      target.refs = zone.RefsOf(head.frame, 0);
    });
    if (target.frame != kNilFrame) co_return target;
    co_await path.Take(sim::Nanoseconds(100));
  }
  co_return Target{};
}

class TargetTest : public ContigRangeTest {
 protected:
  // A range is taken of what `page` of p lies in, and when its pages are on their way, another where they go
  // to. Returns how that went. For some milliseconds the pages stay on their way, as if p were forking.
  ContigResult MeetAtTarget(Zone& zone, Pfn page, Target& target) {
    const Pfn source = BlockOf(page);
    AddressSpace& space = machine().process("p").space;
    auto forking = std::make_unique<EntriesHold>(space);
    const auto take = [&](sim::Path& path, Pfn start) {
      return machine().contig().ranges().AllocRange(path, kCpu, start, kPageblockPages, Migratetype::kMovable,
                                                    kUser);
    };
    const sim::LpId lp = machine().memory().node(zone.node()).lp;
    ContigResult first, second;
    machine().engine().Start(lp, machine().engine().now(), "first", [&](sim::Path& path) -> sim::Task<void> {
      first = co_await take(path, source);
    });
    machine().engine().Start(lp, machine().engine().now() + sim::Milliseconds(3), "forked",
                             [&](sim::Path&) -> sim::Task<void> {
                               forking.reset();
                               co_return;
                             });
    machine().RunPath(lp, [&](sim::Path& path) -> sim::Task<void> {
      target = co_await WaitForTarget(path, zone, zone.frames().Index(source));
      if (target.frame != kNilFrame) {
        second = co_await take(path, BlockOf(zone.frames().PfnOf(target.frame)));
      }
    });
    EXPECT_EQ(first.error, Errno::kOk) << first.function;
    return second;
  }
};

TEST_F(TargetTest, AFrameThatAPageIsMovingToIsInTheWayOfAnotherRange) {
  Run("machine nodes=2 node_mem=64M\nspawn p\n@p map a 4M anon\n@p touch a");
  Target target;
  const Pfn page = BasePageOf("p", 600);
  const ContigResult result = MeetAtTarget(machine().zone(0, ZoneType::kDma32), page, target);
  ASSERT_NE(target.frame, kNilFrame) << "the two did not meet";
  EXPECT_EQ(target.mapcount, 0) << "nothing maps it yet";
  EXPECT_EQ(target.refs, 1) << "the migration's";
  EXPECT_EQ(result.blocker, machine().zone(0, ZoneType::kDma32).frames().PfnOf(target.frame));
  EXPECT_EQ(result.user.Text(), "anon,migrating");
  EXPECT_EQ(result.error, Errno::kBusy);
  EXPECT_EQ(result.function, std::string("has_unmovable_pages"));
  EXPECT_NE(BasePageOf("p", 600), page);
  EXPECT_EQ(Problems(), "");
  EXPECT_EQ(Run("@p touch a").touch->ok, 4 * kMiB);
  EXPECT_EQ(Problems(), "");
}

}  // namespace
}  // namespace numasim
