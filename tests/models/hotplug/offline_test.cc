// Taking memory blocks offline (offline_pages, mm/memory_hotplug.c of Linux 6.1).
#include <cstdint>
#include <map>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include "absl/strings/str_join.h"
#include "gmock/gmock.h"
#include "gtest/gtest.h"
#include "models/hotplug/memory_hotplug.h"
#include "sim/check.h"
#include "tests/models/failure_log.h"
#include "tests/models/test_machine.h"

namespace numasim {
namespace {

using ::testing::ElementsAre;
using ::testing::IsEmpty;
using ::testing::Pair;

constexpr CpuId kCpu{0};
constexpr sim::Duration kPatience = sim::Milliseconds(500);  // moving a whole block takes some 70 ms

// Nodes of 256 and 384 MiB, so five memory blocks: 0 has memory of two zones, 1 is node 0's, 2 to 4 are node
// 1's.
class OfflineTest : public ::testing::Test {
 protected:
  OfflineTest() { Make({256 * kMiB, 384 * kMiB}); }
  void Make(const std::vector<int64_t>& nodes) {
    MachineConfig config = DescribedMachine(nodes);
    config.offline_patience_ns = kPatience.ns;
    machine_ = std::make_unique<TestMachine>(config);
    machine_->Run("machine nodes=2 node_mem=256M,384M");
  }
  TestMachine& machine() { return *machine_; }
  workloads::OpResult Run(std::string_view lines) { return machine().Run(lines); }
  Zone& zone() { return machine().zone(1, ZoneType::kDma32); }
  HugetlbPool& pool() { return machine().kernel().pool(); }
  int64_t OnNode(int node, HugetlbCounter c) {
    return pool().hstate(HugeSize::k2M).node(NodeId{node}).counters[c];
  }
  std::string Problems() { return absl::StrJoin(machine().Problems(), "\n"); }
  Errno Offline(int64_t block) {
    Errno error = Errno::kOk;
    machine().RunPath(machine().memory().node(NodeId{0}).lp, [&](sim::Path& path) -> sim::Task<void> {
      error = co_await machine().kernel().hotplug().Offline(path, kCpu, MemoryBlockId{block});
    });
    return error;
  }
  const MemoryHotplug::Outcomes& Outcomes(int node) {
    return machine().kernel().hotplug().outcomes(NodeId{node});
  }
  // Of the node: tried, failed, went offline, came online.
  std::vector<int64_t> Blocks(int node) {
    const auto& counters = Outcomes(node).counters;
    return {counters[OFFLINE_TRIED], counters[OFFLINE_FAILED], counters[BLOCKS_OFFLINED],
            counters[BLOCKS_ONLINED]};
  }
  // Blocks of the node that did not go, by what kept them.
  std::map<std::string, int64_t> Stayed(int node) {
    std::map<std::string, int64_t> stayed;
    for (const auto& [obstacle, blocks] : Outcomes(node).stayed) stayed[obstacle.Text()] = blocks;
    return stayed;
  }
  // Huge pages, free or in use, that begin in the block.
  int64_t HugePagesIn(int64_t block) {
    int64_t pages = 0;
    for (Pfn at = MemoryBlockId{block}.start(); at < MemoryBlockId{block + 1}.start();
         at = at + kPageblockPages) {
      pages += pool().pages().Find(at) != nullptr ? 1 : 0;
    }
    return pages;
  }
  // The first base page of the process in the block; kNoPfn if it has none there.
  Pfn BasePageIn(std::string_view process, int64_t block) {
    Pfn found = kNoPfn;
    machine().process(process).space.page_table().Walk(
        Vpn{0}, AddressSpace::kNoRoom, [&](Vpn, const Entry& entry, int order) {
          if (order != 0 || entry.zero_page() || MemoryBlockId::Of(entry.pfn()).value != block) return true;
          found = entry.pfn();
          return false;
        });
    return found;
  }

  std::unique_ptr<TestMachine> machine_;
};

TEST_F(OfflineTest, AFreeBlockGoesWithWhatItCountedFor) {
  const int64_t unused = machine().UnusedPages();
  const int64_t managed = machine().memory().managed_pages();
  const int64_t present = zone().present();
  EXPECT_EQ(Offline(3), Errno::kOk);
  EXPECT_EQ(machine().UnusedPages(), unused - kMemoryBlockPages);
  EXPECT_EQ(machine().memory().managed_pages(), managed - kMemoryBlockPages);
  EXPECT_EQ(machine().memory().node(NodeId{0}).total_pages, managed - kMemoryBlockPages);
  EXPECT_EQ(zone().present(), present - kMemoryBlockPages);
  EXPECT_FALSE(machine().memory().blocks().Find(MemoryBlockId{3})->online);
  EXPECT_EQ(Problems(), "");
  EXPECT_EQ(Offline(3), Errno::kInval) << "it is offline already";
}

TEST_F(OfflineTest, BlocksOfSeveralZonesOrWithHolesAreEinval) {
  FailureLog log;
  machine().engine().SetSampler(sim::Milliseconds(1), &log);
  EXPECT_EQ(Offline(0), Errno::kInval);
  EXPECT_EQ(log.all.at(0).reason, std::string("memory holes")) << "the firmware's";
  Make({256 * kMiB, 200 * kMiB});
  EXPECT_EQ(Offline(3), Errno::kInval) << "it ends in the middle";
  EXPECT_EQ(Offline(2), Errno::kOk);
  EXPECT_EQ(Problems(), "");
}

// A block that is offline, or has holes, is refused; one that does not exist is no node's.
TEST_F(OfflineTest, EachTryIsCountedOnTheNodeOfTheBlock) {
  EXPECT_EQ(Offline(3), Errno::kOk);
  EXPECT_EQ(Offline(3), Errno::kInval);
  EXPECT_EQ(Offline(2), Errno::kOk);
  EXPECT_EQ(Offline(0), Errno::kInval);
  EXPECT_EQ(Offline(99), Errno::kInval);
  EXPECT_THAT(Blocks(1), ElementsAre(3, 1, 2, 0));
  EXPECT_THAT(Blocks(0), ElementsAre(1, 1, 0, 0));
  EXPECT_THAT(Stayed(1), ElementsAre(Pair("EINVAL", 1)));
  EXPECT_THAT(Stayed(0), ElementsAre(Pair("EINVAL", 1)));
  EXPECT_GT(Outcomes(1).counters[OFFLINE_NS], 0);
}

TEST_F(OfflineTest, MemoryInUseMovesToTheOtherNode) {
  Run("spawn p\n@p map a 300M anon policy=bind:1\n@p touch a\n@p map s 20M shmem policy=bind:1\n@p touch s");
  ASSERT_EQ(machine().counter(1, NR_ANON_PAGES), 300 * kMiB);
  ASSERT_NE(BasePageIn("p", 3), kNoPfn);
  EXPECT_EQ(Offline(3), Errno::kOk);
  EXPECT_EQ(BasePageIn("p", 3), kNoPfn);
  const int64_t moved = machine().counter(0, NR_ANON_PAGES) + machine().counter(0, NR_SHMEM);
  EXPECT_GT(moved, 0);
  EXPECT_EQ(machine().counter(1, PGMIGRATE_SUCCESS), moved);
  EXPECT_EQ(machine().counter(0, NR_ANON_PAGES) + machine().counter(1, NR_ANON_PAGES), 300 * kMiB);
  EXPECT_EQ(Problems(), "");
  EXPECT_EQ(Run("@p touch a 0 300M 4K r").touch->ok, 300 * kMiB);
  Run("@p exit");
  EXPECT_EQ(Problems(), "");
}

TEST_F(OfflineTest, FreeHugePagesAreDissolvedAndLostToThePool) {
  Run("pool 2M node1 150");
  const int64_t lost = HugePagesIn(3);
  ASSERT_GT(lost, 0);
  EXPECT_EQ(Offline(3), Errno::kOk);
  EXPECT_EQ(OnNode(1, NR_HUGEPAGES), 150 - lost);
  EXPECT_EQ(OnNode(0, NR_HUGEPAGES), 0);
  EXPECT_EQ(pool().counter(HTLB_DISSOLVED), lost);
  EXPECT_EQ(pool().counter(HTLB_REPLACED), 0);
  EXPECT_EQ(Problems(), "");
}

// What had been dissolved before is lost, too.
TEST_F(OfflineTest, WhereAReservationNeedsThePagesItIsEbusyAndTheOthersAreLost) {
  Run("pool 2M node1 150\nspawn p\n@p map a 290M hugetlb-2M");
  ASSERT_GT(HugePagesIn(3), 5);
  EXPECT_EQ(Offline(3), Errno::kBusy);
  EXPECT_EQ(OnNode(1, NR_HUGEPAGES), 145);
  EXPECT_EQ(OnNode(1, FREE_HUGEPAGES), 145);
  EXPECT_TRUE(machine().memory().blocks().Find(MemoryBlockId{3})->online);
  EXPECT_EQ(Problems(), "");
  EXPECT_EQ(Run("@p touch a").touch->ok, 145) << "the reservation is honoured";
}

// Node 1's pages are reserved and so become surplus; a block of them goes, as node 0 has as many free ones.
// The reservation gives up the others, and the surplus of those of the block stays. Then node 0 loses some,
// too.
TEST_F(OfflineTest, SurplusLeftBehindKeepsThePoolFromGrowing) {
  Run("pool 2M node0 80\npool 2M node1 150\nspawn p\n@p map a 160M hugetlb-2M policy=bind:0\n@p touch a");
  Run("@p map b 300M hugetlb-2M policy=bind:1\npool 2M node1 0\n@p unmap a");
  const int64_t left = HugePagesIn(3);
  ASSERT_GT(left, 0);
  EXPECT_EQ(Offline(3), Errno::kOk);
  Run("@p unmap b");
  EXPECT_EQ(OnNode(1, NR_HUGEPAGES), 0);
  EXPECT_EQ(OnNode(1, SURPLUS_HUGEPAGES), left);
  machine().RunPath(machine().memory().global_lp(), [&](sim::Path& path) -> sim::Task<void> {
    while (OnNode(0, NR_HUGEPAGES) >= left) {
      const Pfn pfn = HugePageStore::First(pool().hstate(HugeSize::k2M).node(NodeId{0}).free);
      const Errno error = co_await pool().DissolveFree(path, pfn, kCpu);
      NUMASIM_CHECK(error == Errno::kOk);
    }
  });
  EXPECT_EQ(Problems(), "");
  Run("pool 2M all 20");
  EXPECT_EQ(OnNode(0, NR_HUGEPAGES) + OnNode(1, NR_HUGEPAGES), 0);
  EXPECT_EQ(OnNode(1, SURPLUS_HUGEPAGES), left);
  EXPECT_EQ(Problems(), "");
}

TEST_F(OfflineTest, HugePagesInUseMoveToTheOtherNode) {
  Run("pool 2M node1 150\nspawn p\n@p map a 300M hugetlb-2M policy=bind:1\n@p touch a");
  const int64_t there = HugePagesIn(3);
  ASSERT_GT(there, 0);
  EXPECT_EQ(Offline(3), Errno::kOk);
  EXPECT_EQ(HugePagesIn(3), 0);
  EXPECT_EQ(OnNode(0, NR_HUGEPAGES), there);
  EXPECT_EQ(OnNode(1, NR_HUGEPAGES), 150 - there);
  EXPECT_EQ(pool().hstate(HugeSize::k2M).counter(SURPLUS_HUGEPAGES), 0);
  EXPECT_EQ(Problems(), "");
  Run("@p exit\npool 2M all 0");
  EXPECT_EQ(pool().hstate(HugeSize::k2M).counter(NR_HUGEPAGES), 0);
  EXPECT_EQ(Problems(), "");
}

TEST_F(OfflineTest, MemoryOfTheKernelInIsEbusyAndNothingChanges) {
  // Page tables of a process of node 1 are there.
  Run("spawn p\n@p cpu 1\n@p map a 8M anon\n@p touch a");
  int64_t busy = 0;
  for (const int64_t block : {2, 3}) {
    const int64_t unused = machine().UnusedPages();
    if (Offline(block) != Errno::kBusy) continue;
    ++busy;
    EXPECT_EQ(machine().UnusedPages(), unused);
    EXPECT_TRUE(machine().memory().blocks().Find(MemoryBlockId{block})->online);
  }
  EXPECT_EQ(busy, 1);
  EXPECT_EQ(Problems(), "");
}

TEST_F(OfflineTest, APinnedPageIsWaitedForUntilASignalEndsIt) {
  Run("spawn p\n@p map a 300M anon policy=bind:1\n@p touch a\n@p pin a");
  ASSERT_NE(BasePageIn("p", 3), kNoPfn);
  const int64_t managed = machine().memory().managed_pages();
  const sim::SimTime began = machine().engine().now();
  EXPECT_EQ(Offline(3), Errno::kIntr);
  EXPECT_GE((machine().engine().now() - began).ns, kPatience.ns);
  EXPECT_EQ(machine().memory().managed_pages(), managed);
  EXPECT_NE(BasePageIn("p", 3), kNoPfn);
  EXPECT_EQ(Problems(), "");
  EXPECT_THAT(Blocks(1), ElementsAre(1, 1, 0, 0));
  EXPECT_THAT(Stayed(1), ElementsAre(Pair("anon,pinned", 1)));
  EXPECT_GE(Outcomes(1).counters[OFFLINE_NS], kPatience.ns) << "in vain, but it took its time";
  Run("@p unpin a");
  EXPECT_EQ(Offline(3), Errno::kOk);
  EXPECT_EQ(Problems(), "");
  EXPECT_THAT(Blocks(1), ElementsAre(2, 1, 1, 0));
  EXPECT_THAT(Stayed(1), ElementsAre(Pair("anon,pinned", 1)));
  EXPECT_THAT(Stayed(0), IsEmpty());
}

// The attempts in between see the same, and are not made anew: the one after the last unpin must be.
TEST_F(OfflineTest, APageThatIsUnpinnedMeanwhileMovesWithTheNextAttempt) {
  Run("spawn p\n@p map a 300M anon policy=bind:1\n@p touch a\n@p pin a 0 299M\n@p pin a "
      "299M 1M");
  ASSERT_NE(BasePageIn("p", 3), kNoPfn);
  MemorySystem& memory = machine().memory();
  Process& process = machine().process("p");
  Errno error = Errno::kOk;
  sim::SimTime offline_at;
  machine().engine().Start(memory.node(NodeId{0}).lp, machine().engine().now(), "offline",
                           [&](sim::Path& path) -> sim::Task<void> {
                             error =
                                 co_await machine().kernel().hotplug().Offline(path, kCpu, MemoryBlockId{3});
                             offline_at = path.now();
                           });
  const auto unpin = [&] {
    ASSERT_EQ(offline_at.ns, 0) << "it had ended before";
    machine().engine().Start(memory.node(NodeId{0}).lp, machine().engine().now(), "unpin",
                             [&](sim::Path& path) -> sim::Task<void> {
                               co_await machine().ops().Unpin(path, process, process.pins.front().id, false);
                             });
  };
  const sim::SimTime began = machine().engine().now();
  ASSERT_TRUE(machine().engine().Run(began + sim::Milliseconds(100)).ok());
  unpin();
  ASSERT_TRUE(machine().engine().Run(began + sim::Milliseconds(200)).ok());
  unpin();
  ASSERT_TRUE(machine().engine().Run().ok());
  EXPECT_EQ(error, Errno::kOk);
  EXPECT_LT((offline_at - began).ns, kPatience.ns);
  EXPECT_EQ(BasePageIn("p", 3), kNoPfn);
  EXPECT_EQ(Problems(), "");
}

TEST_F(OfflineTest, NoCpuKeepsPagesOfTheZoneMeanwhile) {
  Run("spawn p\n@p map a 300M anon policy=bind:1\n@p touch a\n@p pin a\n@p map b 4M anon "
      "policy=bind:1\n"
      "@p touch b");
  const int32_t high = zone().pcp(kCpu).high;
  ASSERT_GT(zone().counter(PCP_PAGES), 0);
  MemorySystem& memory = machine().memory();
  bool ended = false;
  machine().engine().Start(memory.node(NodeId{0}).lp, machine().engine().now(), "offline",
                           [&](sim::Path& path) -> sim::Task<void> {
                             const Errno error =
                                 co_await machine().kernel().hotplug().Offline(path, kCpu, MemoryBlockId{3});
                             EXPECT_EQ(error, Errno::kIntr);
                             ended = true;
                           });
  ASSERT_TRUE(machine().engine().Run(machine().engine().now() + sim::Milliseconds(4)).ok());
  ASSERT_FALSE(ended);
  EXPECT_EQ(zone().pcp(kCpu).high, 0);
  EXPECT_EQ(zone().counter(PCP_PAGES), 0);
  // What is freed goes to the buddy allocator at once.
  Process& process = machine().process("p");
  machine().engine().Start(memory.node(NodeId{0}).lp, machine().engine().now(), "unmap",
                           [&](sim::Path& path) -> sim::Task<void> {
                             co_await memory.cpu(kCpu).Acquire(path);
                             const Vpn begin = process.space.vmas().rbegin()->second.start;
                             co_await machine().ops().Unmap(path, process, begin, begin + 4 * kMiB);
                             memory.cpu(kCpu).Release(path);
                           });
  ASSERT_TRUE(machine().engine().Run(machine().engine().now() + sim::Microseconds(700)).ok());
  ASSERT_FALSE(ended) << "the pages were freed after it, not meanwhile";
  EXPECT_EQ(zone().counter(PCP_PAGES), 0);
  EXPECT_EQ(machine().counter(0, NR_ANON_PAGES) + machine().counter(1, NR_ANON_PAGES), 300 * kMiB);
  ASSERT_TRUE(machine().engine().Run().ok());
  EXPECT_EQ(zone().pcp(kCpu).high, high);
  EXPECT_EQ(Problems(), "");
}

}  // namespace
}  // namespace numasim
