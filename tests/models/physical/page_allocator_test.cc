// The allocation path over zones and nodes: fallback, watermarks, NUMA counters (mm/page_alloc.c, Linux 6.1).
#include "models/physical/page_allocator.h"

#include <algorithm>
#include <any>
#include <cstdint>
#include <span>
#include <vector>

#include "gmock/gmock.h"
#include "gtest/gtest.h"
#include "models/base/failure.h"
#include "models/base/folio.h"
#include "sim/sampler.h"
#include "tests/models/failure_log.h"
#include "tests/models/test_machine.h"

namespace numasim {
namespace {

using ::testing::IsEmpty;

AllocRequest Movable(int preferred, int cpu = 0) {
  AllocRequest request;
  request.gfp = kGfpHighuserMovable;
  request.preferred = NodeId{preferred};
  request.cpu = CpuId{cpu};
  request.owner = FrameOwner{FrameOwner::kAnon, 1, 0, 0};
  return request;
}
NodeMask Nodes(std::initializer_list<int> nodes) {
  NodeMask mask;
  for (int node : nodes) mask.Set(NodeId{node});
  return mask;
}

// Three nodes of 32 MiB in a row, a CPU each. Node 0 has DMA and DMA32, the others DMA32.
class PageAllocatorTest : public ::testing::Test {
 protected:
  PageAllocatorTest() : machine_(Row(32)) {}

  static MachineConfig Row(int64_t mib) {
    MachineConfig config = DescribedMachine({mib * kMiB, mib * kMiB, mib * kMiB});
    config.distance = {{10, 20, 30}, {20, 10, 20}, {30, 20, 10}};
    return config;
  }

  int NodeOf(Pfn pfn) { return pfn == kNoPfn ? -1 : machine_.memory().ZoneOf(pfn)->node().value; }
  ZoneType TypeOf(Pfn pfn) { return machine_.memory().ZoneOf(pfn)->type(); }

  // Allocates until nothing is left; the pages by node.
  std::vector<int64_t> Exhaust(const AllocRequest& request) {
    std::vector<int64_t> by_node(3);
    for (;;) {
      const Pfn pfn = machine_.Alloc(request);
      if (pfn == kNoPfn) return by_node;
      pages_.emplace_back(pfn);
      ++by_node[static_cast<size_t>(NodeOf(pfn))];
    }
  }
  int64_t Free(int node, ZoneType type) { return machine_.zone(node, type).buddy().free_pages(); }
  int64_t count(int node, NodeCounter c) { return machine_.counter(node, c); }

  TestMachine machine_;
  std::vector<Folio> pages_;
};

TEST_F(PageAllocatorTest, PagesComeFromThePreferredNodesHighestZone) {
  for (int node = 0; node < 3; ++node) {
    const Pfn pfn = machine_.Alloc(Movable(node, node));
    EXPECT_EQ(NodeOf(pfn), node);
    EXPECT_EQ(TypeOf(pfn), ZoneType::kDma32);
    EXPECT_EQ(count(node, NUMA_HIT), 1);
    EXPECT_EQ(count(node, LOCAL_NODE), 1);
    EXPECT_EQ(count(node, NR_ANON_PAGES), 1);
  }
}

TEST_F(PageAllocatorTest, AZoneLimitInTheGfpFlagsIsObeyed) {
  AllocRequest request = Movable(0);
  request.gfp = kGfpKernel | kGfpDma;
  EXPECT_EQ(TypeOf(machine_.Alloc(request)), ZoneType::kDma);
}

TEST_F(PageAllocatorTest, AllocationStopsAtLowOnEachNodeThenGoesDownToMin) {
  Zone& zone = machine_.zone(1, ZoneType::kDma32);
  // The nearest node serves once the preferred one is down to its low watermark.
  AllocRequest request = Movable(1, 1);
  Pfn pfn = kNoPfn;
  do pfn = machine_.Alloc(request);
  while (NodeOf(pfn) == 1);
  EXPECT_EQ(NodeOf(pfn), 2);  // as near as node 0, but behind node 1
  // The last refill began above low and took up to a batch.
  EXPECT_LE(zone.buddy().free_pages(), zone.watermarks().low);
  EXPECT_GT(zone.buddy().free_pages(), zone.watermarks().low - zone.pcp(CpuId{1}).batch);

  Exhaust(request);
  for (int node = 0; node < 3; ++node) {
    Zone& each = machine_.zone(node, ZoneType::kDma32);
    const int64_t reserve = each.lowmem_reserve()[static_cast<size_t>(ZoneType::kMovable)];
    EXPECT_LE(each.buddy().free_pages(), each.watermarks().min + reserve) << node;
    EXPECT_GT(each.buddy().free_pages(), each.watermarks().min + reserve - each.pcp(CpuId{1}).batch) << node;
  }
}

TEST_F(PageAllocatorTest, HighPriorityRequestsUseHalfOfWhatOthersLeave) {
  Exhaust(Movable(1, 1));
  AllocRequest request = Movable(1, 1);
  request.gfp |= kGfpHigh;
  const Zone& zone = machine_.zone(1, ZoneType::kDma32);
  EXPECT_NE(machine_.Alloc(request), kNoPfn);
  Exhaust(request);
  EXPECT_LE(zone.buddy().free_pages(), zone.watermarks().min / 2 + 1);
}

TEST_F(PageAllocatorTest, FallbackFollowsTheDistances) {
  // From node 2: node 1, then node 0; each is left at its low watermark before the next begins.
  std::vector<int> order;
  for (int i = 0; i < 24'000; ++i) {
    const int node = NodeOf(machine_.Alloc(Movable(2, 2)));
    if (node < 0) break;
    if (order.empty() || order.back() != node) order.push_back(node);
  }
  ASSERT_GE(order.size(), 3u);
  order.resize(3);
  EXPECT_THAT(order, ::testing::ElementsAre(2, 1, 0));
}

TEST_F(PageAllocatorTest, AFallbackIsAMissThereAndForeignHere) {
  AllocRequest request = Movable(0, 0);
  int64_t remote = 0;
  int64_t local = 0;
  for (int i = 0; i < 9'000; ++i) ++(NodeOf(machine_.Alloc(request)) == 0 ? local : remote);
  ASSERT_GT(remote, 0);
  EXPECT_EQ(count(0, NUMA_HIT), local);
  EXPECT_EQ(count(0, LOCAL_NODE), local);
  EXPECT_EQ(count(0, NUMA_FOREIGN), remote);
  EXPECT_EQ(count(1, NUMA_MISS), remote);
  EXPECT_EQ(count(1, OTHER_NODE), remote);
  EXPECT_EQ(count(1, NUMA_HIT), 0);
}

TEST_F(PageAllocatorTest, AFailureIsForeignToNobody) {
  AllocRequest request = Movable(0, 0);
  const std::vector<int64_t> served = Exhaust(request);
  EXPECT_EQ(count(0, NUMA_FOREIGN), served[1] + served[2]);
  EXPECT_EQ(count(0, ALLOC_FAILED), 1);
  for (int i = 0; i < 5; ++i) EXPECT_EQ(machine_.Alloc(request), kNoPfn);
  EXPECT_EQ(count(0, NUMA_FOREIGN), served[1] + served[2]);
  EXPECT_EQ(count(0, ALLOC_FAILED), 6);
}

TEST_F(PageAllocatorTest, ALowerZoneOfTheSameNodeIsAHit) {
  AllocRequest request = Movable(0);
  request.allowed = Nodes({0});
  bool from_dma = false;
  for (;;) {
    const Pfn pfn = machine_.Alloc(request);
    if (pfn == kNoPfn) break;
    pages_.emplace_back(pfn);
    from_dma = from_dma || TypeOf(pfn) == ZoneType::kDma;
  }
  EXPECT_TRUE(from_dma);
  EXPECT_EQ(count(0, NUMA_HIT), static_cast<int64_t>(pages_.size()));
  EXPECT_EQ(count(0, NUMA_FOREIGN), 0);
}

TEST_F(PageAllocatorTest, ThisNodeNeverLeavesTheNode) {
  AllocRequest request = Movable(1, 0);
  request.gfp |= kGfpThisNode;
  const std::vector<int64_t> served = Exhaust(request);
  EXPECT_EQ(served[0], 0);
  EXPECT_GT(served[1], 7000);
  EXPECT_EQ(served[2], 0);
  EXPECT_EQ(count(1, OTHER_NODE), served[1]);  // the CPU is of node 0
  EXPECT_EQ(count(1, NUMA_HIT), served[1]);
  // The other nodes are untouched.
  EXPECT_NE(machine_.Alloc(Movable(2, 2)), kNoPfn);
}

TEST_F(PageAllocatorTest, APolicysNodesLimitTheSearch) {
  AllocRequest request = Movable(0, 0);
  request.allowed = Nodes({1, 2});
  const std::vector<int64_t> served = Exhaust(request);
  EXPECT_EQ(served[0], 0);
  EXPECT_GT(served[1], 7000);
  EXPECT_GT(served[2], 7000);
  // What the mask leaves of the zonelist begins with node 1: allocations there are hits, though node 0 was
  // asked.
  EXPECT_EQ(count(1, NUMA_HIT), served[1]);
  EXPECT_EQ(count(1, NUMA_FOREIGN), served[2]);
  EXPECT_EQ(count(2, NUMA_MISS), served[2]);
}

TEST_F(PageAllocatorTest, InterleaveHitsAreCountedWhereThePreferredNodeServes) {
  AllocRequest request = Movable(2, 0);
  request.interleave = true;
  EXPECT_EQ(NodeOf(machine_.Alloc(request)), 2);
  EXPECT_EQ(count(2, INTERLEAVE_HIT), 1);
  Exhaust([] {
    AllocRequest fill = Movable(2, 2);
    fill.gfp |= kGfpThisNode;
    return fill;
  }());
  EXPECT_EQ(NodeOf(machine_.Alloc(request)), 1);
  EXPECT_EQ(count(1, INTERLEAVE_HIT), 0);
}

TEST_F(PageAllocatorTest, PagesOnAnotherCpusListAreNotFound) {
  // Node 1 is exhausted; pages that CPU 0 then frees there lie on its own list, where CPU 1 cannot get them.
  AllocRequest bound = Movable(1, 1);
  bound.gfp |= kGfpThisNode;
  Exhaust(bound);
  std::vector<Folio> some(pages_.end() - 10, pages_.end());
  machine_.Release(CpuId{0}, some);
  EXPECT_EQ(machine_.zone(1, ZoneType::kDma32).pcp(CpuId{0}).count, 10);
  EXPECT_EQ(machine_.Alloc(bound), kNoPfn);
  // And CPU 0 cannot either: the watermark counts what is in the buddy only.
  AllocRequest other = bound;
  other.cpu = CpuId{0};
  EXPECT_EQ(machine_.Alloc(other), kNoPfn);
}

TEST_F(PageAllocatorTest, AFailureNamesTheNodesThatWereAskedNotTheCpus) {
  FailureLog failures;
  machine_.engine().SetSampler(sim::Milliseconds(1), &failures);
  AllocRequest request = Movable(1, 0);
  request.allowed = Nodes({1, 2, 40});
  Exhaust(request);
  ASSERT_EQ(failures.all.size(), 1u);
  EXPECT_EQ(failures.all[0].kind, LogKind::kAllocationFailed);
  EXPECT_EQ(failures.all[0].error, Errno::kNoMem);
  EXPECT_EQ(failures.all[0].nodes, Nodes({1, 2})) << "the machine has no node 40";
  EXPECT_EQ(failures.all[0].preferred, NodeId{1});
  EXPECT_EQ(failures.all[0].order, 0);
  request.preferred = NodeId{2};
  request.gfp |= kGfpThisNode;
  EXPECT_EQ(machine_.Alloc(request), kNoPfn);
  ASSERT_EQ(failures.all.size(), 2u);
  EXPECT_EQ(failures.all[1].nodes, Nodes({2})) << "no other was asked";
}

TEST_F(PageAllocatorTest, ReleasingBringsBackAllMemory) {
  const int64_t at_boot = machine_.UnusedPages();
  Exhaust(Movable(1, 1));
  EXPECT_LT(machine_.UnusedPages(), at_boot / 10);
  machine_.Release(CpuId{2}, pages_);
  EXPECT_EQ(machine_.UnusedPages(), at_boot);
  EXPECT_THAT(machine_.Problems(), IsEmpty());
  int64_t freed = 0;
  for (int node = 0; node < 3; ++node) {
    freed += count(node, PGFREE);
    EXPECT_EQ(count(node, NR_ANON_PAGES), 0);
  }
  EXPECT_EQ(freed, static_cast<int64_t>(pages_.size()));
}

// All pages of three nodes, some mapped twice, in runs: as page by page.
TEST_F(PageAllocatorTest, RunsAreReleasedAsTheirPagesAre) {
  TestMachine page_by_page(Row(32));
  std::vector<FolioRun> runs;
  for (TestMachine* const machine : {&machine_, &page_by_page}) {
    std::vector<Pfn> pages;
    for (Pfn pfn = machine->Alloc(Movable(1, 1)); pfn != kNoPfn; pfn = machine->Alloc(Movable(1, 1)))
      pages.push_back(pfn);
    std::sort(pages.begin(), pages.end());
    runs.clear();
    for (const Pfn pfn : pages) {
      Zone& zone = *machine->memory().ZoneOf(pfn);
      if (pfn.value % 37 == 0) zone.frames().owner(zone.frames().Index(pfn), 0).mapcount = 2;
      if (runs.empty() || runs.back().end() != pfn || pfn.value % 1000 == 0) {
        runs.push_back({Folio(pfn), 1});
      } else {
        ++runs.back().count;
      }
    }
  }
  EXPECT_NE(NodeOf(runs.front().first.head()), NodeOf(runs.back().first.head()));
  std::vector<Folio> backwards;
  for (const FolioRun& run : runs) {
    for (uint32_t i = 0; i < run.count; ++i) backwards.push_back(run.at(i));
  }
  std::reverse(backwards.begin(), backwards.end());
  const auto here = machine_.memory().node(NodeId{0}).lp;
  machine_.RunPath(here, [&](sim::Path& path) -> sim::Task<void> {
    co_await machine_.kernel().allocator().ReleaseFromEnd(path, CpuId{0}, runs);
  });
  page_by_page.RunPath(here, [&](sim::Path& path) -> sim::Task<void> {
    co_await page_by_page.kernel().allocator().Release(path, CpuId{0}, backwards);
  });
  EXPECT_EQ(machine_.engine().now(), page_by_page.engine().now());
  for (int node = 0; node < 3; ++node) {
    EXPECT_EQ(machine_.memory().node(NodeId{node}).counters,
              page_by_page.memory().node(NodeId{node}).counters);
    for (const ZoneType type : {ZoneType::kDma, ZoneType::kDma32}) {
      if (machine_.memory().node(NodeId{node}).zone(type) == nullptr) continue;
      const Buddy& buddy = machine_.zone(node, type).buddy();
      const Buddy& expected = page_by_page.zone(node, type).buddy();
      for (int order = 0; order <= kMaxOrder; ++order) EXPECT_EQ(buddy.blocks(order), expected.blocks(order));
      EXPECT_EQ(buddy.free_pages(), expected.free_pages());
    }
  }
}

TEST_F(PageAllocatorTest, AReferenceThatIsNotTheLastKeepsThePage) {
  const Pfn pfn = machine_.Alloc(Movable(0));
  Zone& zone = *machine_.memory().ZoneOf(pfn);
  zone.frames().owner(zone.frames().Index(pfn), 0).mapcount = 2;
  machine_.Release(CpuId{0}, {Folio(pfn)});
  EXPECT_EQ(count(0, NR_ANON_PAGES), 1);
  EXPECT_EQ(zone.frames().owner(zone.frames().Index(pfn), 0).mapcount, 1u);
  machine_.Release(CpuId{0}, {Folio(pfn)});
  EXPECT_EQ(count(0, NR_ANON_PAGES), 0);
}

// A block of each kind of order: of PCP lists, of the buddy's alone, of a pageblock.
TEST_F(PageAllocatorTest, APageOfAnyOrderIsFreedWithItsLastReference) {
  for (const int order : {0, 2, 5, kPageblockOrder}) {
    const int64_t unused = machine_.UnusedPages();
    AllocRequest request = Movable(0);
    request.order = order;
    const Folio page(machine_.Alloc(request), order);
    Zone& zone = *machine_.memory().ZoneOf(page.head());
    const FrameIndex frame = zone.frames().Index(page.head());
    zone.TakeRef(frame, order);
    zone.TakeRef(frame, order);
    machine_.Release(CpuId{0}, {page});
    EXPECT_EQ(static_cast<int>(zone.frames().owner(frame, order).mapcount), 0);
    EXPECT_EQ(zone.RefsOf(frame, order), 2);
    // Of a huge page only what is mapped counts.
    EXPECT_EQ(count(0, NR_ANON_PAGES), order == kPageblockOrder ? 0 : page.pages()) << "order " << order;
    machine_.DropRefs(CpuId{0}, {page});
    EXPECT_EQ(machine_.UnusedPages(), unused - page.pages()) << "order " << order;
    machine_.DropRefs(CpuId{0}, {page});
    EXPECT_EQ(machine_.UnusedPages(), unused) << "order " << order;
    EXPECT_EQ(count(0, NR_ANON_PAGES), 0) << "order " << order;
    EXPECT_THAT(machine_.Problems(), IsEmpty());
  }
}

TEST_F(PageAllocatorTest, TheMappingMayBeTheLastReference) {
  const Folio page(machine_.Alloc(Movable(0)));
  Zone& zone = *machine_.memory().ZoneOf(page.head());
  zone.TakeRef(zone.frames().Index(page.head()), 0);
  machine_.DropRefs(CpuId{0}, {page});
  EXPECT_EQ(count(0, NR_ANON_PAGES), 1);
  machine_.Release(CpuId{0}, {page});
  EXPECT_EQ(count(0, NR_ANON_PAGES), 0);
}

TEST_F(PageAllocatorTest, TheShortCutGivesTheSameAsThePath) {
  // Large enough for a batch of 15 pages.
  TestMachine machine(Row(256));
  TestMachine other(Row(256));
  Node& node = machine.memory().node(NodeId{1});
  int64_t by_short_cut = 0;
  for (int i = 0; i < 2'000; ++i) {
    Pfn pfn = machine.kernel().allocator().TryAllocLocal(node, Movable(1, 1));
    if (pfn != kNoPfn) {
      ++by_short_cut;
    } else {
      pfn = machine.Alloc(Movable(1, 1));
    }
    ASSERT_EQ(pfn, other.Alloc(Movable(1, 1)));
  }
  EXPECT_GT(by_short_cut, 1'000);
  for (int c = 0; c < NodeCounter_ARRAYSIZE; ++c) {
    EXPECT_EQ(machine.counter(1, static_cast<NodeCounter>(c)), other.counter(1, static_cast<NodeCounter>(c)))
        << c;
  }
}

TEST_F(PageAllocatorTest, TheShortCutIsForLocalSinglePagesOnly) {
  TestMachine machine(Row(256));
  machine.Alloc(Movable(1, 1));  // pages are at hand now
  Node& node = machine.memory().node(NodeId{1});
  PageAllocator& allocator = machine.kernel().allocator();
  EXPECT_EQ(allocator.TryAllocLocal(node, Movable(0, 1)), kNoPfn);
  EXPECT_EQ(allocator.TryAllocLocal(node, Movable(1, 0)), kNoPfn);
  AllocRequest elsewhere = Movable(1, 1);
  elsewhere.allowed = Nodes({0, 2});
  EXPECT_EQ(allocator.TryAllocLocal(node, elsewhere), kNoPfn);
  AllocRequest unmovable = Movable(1, 1);
  unmovable.gfp = kGfpKernel;
  EXPECT_EQ(allocator.TryAllocLocal(node, unmovable), kNoPfn);  // its list is empty
  EXPECT_NE(allocator.TryAllocLocal(node, Movable(1, 1)), kNoPfn);
}

// A refill may be a step of a stretch where it leaves the zone above its high watermark, and takes nothing of
// another type.
TEST_F(PageAllocatorTest, AListMayBeRefilledFarFromAnyShortageOnly) {
  TestMachine machine(Row(256));
  const AllocRequest request = Movable(1, 1);
  Zone& zone = *machine.kernel().allocator().LocalZone(machine.memory().node(NodeId{1}), request);
  EXPECT_TRUE(PageAllocator::MayRefill(zone, request));
  const int64_t high = zone.watermarks().high;
  const int64_t reserve = zone.lowmem_reserve()[GfpZone(request.gfp)];
  zone.watermarks().high = zone.buddy().free_pages() - zone.pcp(CpuId{1}).batch - reserve - 1;
  EXPECT_TRUE(PageAllocator::MayRefill(zone, request));
  ++zone.watermarks().high;
  EXPECT_FALSE(PageAllocator::MayRefill(zone, request));
  zone.watermarks().high = high;
  AllocRequest reclaimable = request;
  reclaimable.gfp = kGfpKernel | kGfpReclaimable;
  EXPECT_FALSE(PageAllocator::MayRefill(zone, reclaimable)) << "all pageblocks are movable at first";
}

// ---- zones without memory ----

// Three nodes of which the last has a device with nothing plugged, and `mib` of memory of its own.
MachineConfig WithEmptyDevice(int64_t mib) {
  MachineConfig config = DescribedMachine({32 * kMiB, 32 * kMiB, mib * kMiB});
  config.memory_device = MemoryDevice{NodeId{2}, ZoneType::kMovable, 4 * kMemoryBlockPages, 0};
  return config;
}

TEST(EmptyZoneTest, TheNodesOtherZonesServeAsIfItWereNotThere) {
  // Large enough for a batch of several pages.
  TestMachine machine(WithEmptyDevice(256));
  const std::vector<Zone*>& list = machine.memory().Zonelist(NodeId{2}, ZoneType::kMovable);
  ASSERT_EQ(list.front(), &machine.zone(2, ZoneType::kMovable));
  for (int i = 0; i < 100; ++i) {
    const Pfn pfn = machine.Alloc(Movable(2, 2));
    ASSERT_EQ(machine.memory().ZoneOf(pfn), &machine.zone(2, ZoneType::kDma32));
  }
  EXPECT_EQ(machine.counter(2, NUMA_HIT), 100);
  EXPECT_EQ(machine.counter(2, NUMA_FOREIGN), 0);
  EXPECT_NE(machine.kernel().allocator().TryAllocLocal(machine.memory().node(NodeId{2}), Movable(2, 2)),
            kNoPfn);
}

TEST(EmptyZoneTest, ANodeWithNoOtherZoneIsNotThePreferredOne) {
  // The kernel's zonelist of node 2 begins with node 0 then: what that serves is a hit there, and no miss.
  TestMachine machine(WithEmptyDevice(0));
  const Pfn pfn = machine.Alloc(Movable(2, 2));
  ASSERT_NE(pfn, kNoPfn);
  EXPECT_EQ(machine.memory().ZoneOf(pfn)->node(), NodeId{0});
  EXPECT_EQ(machine.counter(0, NUMA_HIT), 1);
  EXPECT_EQ(machine.counter(0, NUMA_MISS), 0);
  EXPECT_EQ(machine.counter(2, NUMA_FOREIGN), 0);
  AllocRequest here = Movable(2, 2);
  here.gfp |= kGfpThisNode;
  EXPECT_EQ(machine.Alloc(here), kNoPfn);
}

}  // namespace
}  // namespace numasim
