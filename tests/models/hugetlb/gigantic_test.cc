// Gigantic pages from a source, and made into small ones.
#include <algorithm>
#include <string_view>
#include <vector>

#include "gmock/gmock.h"
#include "gtest/gtest.h"
#include "models/hugetlb/hugetlb.h"
#include "tests/models/test_machine.h"

namespace numasim {
namespace {

using ::testing::IsEmpty;
using workloads::OpResult;

constexpr int64_t kBlocks = int64_t{1} << (18 - kPageblockOrder);  // pageblocks of a GiB

// Takes all that the node has and keeps a GiB of it.
class GreedySource : public GiganticSource {
 public:
  GreedySource(MemorySystem& memory, PageAllocator& allocator) : memory_(memory), allocator_(allocator) {}

  sim::Task<Pfn> Alloc(sim::Path& path, NodeId node, NodeMask allowed, CpuId cpu) override {
    if (!allowed.Has(node)) co_return kNoPfn;
    AllocRequest request;
    request.gfp = kGfpHighuserMovable | kGfpThisNode | kGfpNoWarn;
    request.order = kPageblockOrder;
    request.preferred = node;
    request.cpu = cpu;
    request.owner = FrameOwner{FrameOwner::kHugetlb, 1, 1, 0};
    const sim::LpId home = path.lp();
    std::vector<Pfn> blocks;
    co_await path.HopTo(memory_.node(node).lp, memory_.costs().hop);
    for (;;) {
      const Pfn pfn = co_await allocator_.Alloc(path, request);
      if (pfn == kNoPfn) break;
      blocks.push_back(pfn);
    }
    std::sort(blocks.begin(), blocks.end());
    const Pfn first = TakeGiB(blocks);
    co_await allocator_.FreeBlocks(path, cpu, kPageblockOrder, blocks);
    co_await path.HopTo(home, memory_.costs().hop);
    co_return first;
  }
  bool Owns(Pfn) const override { return false; }
  sim::Task<void> Free(sim::Path& path, Pfn pfn, int64_t pages, CpuId cpu) override {
    std::vector<Pfn> blocks;
    for (int64_t i = 0; i < pages / kPageblockPages; ++i) blocks.push_back(pfn + i * kPageblockPages);
    co_await allocator_.FreeBlocks(path, cpu, kPageblockOrder, blocks);
  }

 private:
  static Pfn TakeGiB(std::vector<Pfn>& blocks) {
    for (auto it = blocks.begin(); blocks.end() - it >= kBlocks; ++it) {
      if (it->value % (uint64_t{1} << 18) != 0 ||
          *(it + kBlocks - 1) - *it != (kBlocks - 1) * kPageblockPages)
        continue;
      const Pfn first = *it;
      blocks.erase(it, it + kBlocks);
      return first;
    }
    return kNoPfn;
  }

  MemorySystem& memory_;
  PageAllocator& allocator_;
};

class GiganticTest : public ::testing::Test {
 protected:
  GiganticTest()
      : machine_(DescribedMachine({8192 * kMiB, 4096 * kMiB})),
        source_(machine_.memory(), machine_.kernel().allocator()),
        at_boot_(machine_.UnusedPages()) {
    pools().set_gigantic_source(&source_);
  }
  void TearDown() override { EXPECT_THAT(machine_.Problems(), IsEmpty()); }

  OpResult Run(std::string_view lines) { return machine_.Run(lines); }
  HugetlbPool& pools() { return machine_.kernel().pool(); }
  Hstate& large() { return pools().hstate(HugeSize::k1G); }
  Hstate& small() { return pools().hstate(HugeSize::k2M); }
  void Empty() {
    Run("pool 2M all 0\npool 1G all 0");
    EXPECT_EQ(machine_.UnusedPages(), at_boot_);
  }

  TestMachine machine_;
  GreedySource source_;
  int64_t at_boot_;
};

TEST_F(GiganticTest, APoolGrowsAsFarAsTheSourceGoes) {
  Run("pool 1G node0 9");
  const int64_t got = large().counter(NR_HUGEPAGES);
  EXPECT_GE(got, 2);
  EXPECT_LT(got, 8);
  EXPECT_EQ(pools().counter(HTLB_BUDDY_ALLOC_SUCCESS), 0);
  EXPECT_EQ(pools().counter(HTLB_BUDDY_ALLOC_FAIL), 0);
  EXPECT_THAT(machine_.Problems(), IsEmpty());
  Empty();
}

TEST_F(GiganticTest, TheyAreMappedAndFaultedInLikeOthers) {
  Run("pool 1G node0 1\nspawn p\n@p map a 1G hugetlb-1G\n@p touch a");
  EXPECT_EQ(large().counter(FREE_HUGEPAGES), 0);
  EXPECT_THAT(machine_.Problems(), IsEmpty());
  Run("@p exit");
  EXPECT_EQ(large().counter(FREE_HUGEPAGES), 1);
  Empty();
}

TEST_F(GiganticTest, ADemotedPageIs512SmallOnesTheHighestFirst) {
  Run("pool 1G node0 2\npool 2M node0 1");
  const Pfn page = HugePageStore::First(large().node(NodeId{0}).free);
  EXPECT_EQ(Run("demote 1G node0 1").error, Errno::kOk);
  EXPECT_EQ(large().counter(NR_HUGEPAGES), 1);
  EXPECT_EQ(small().node(NodeId{0}).counters[FREE_HUGEPAGES], 1 + kBlocks);
  Pfn at = HugePageStore::First(small().node(NodeId{0}).free);
  for (int64_t i = kBlocks - 1; i >= 0; --i) {
    ASSERT_EQ(at, page + i * kPageblockPages);
    at = pools().pages().Next(at);
  }
  EXPECT_THAT(machine_.Problems(), IsEmpty());
  Empty();
}

TEST_F(GiganticTest, OnlyWhatNoReservationNeedsIsDemoted) {
  Run("pool 1G node0 2\nspawn p\n@p map a 1G hugetlb-1G");
  EXPECT_EQ(Run("demote 1G node0 2").error, Errno::kOk);
  EXPECT_EQ(large().counter(NR_HUGEPAGES), 1);
  Run("@p exit");
  Empty();
}

// The kernel's count of available pages is unsigned: less than none is plenty, but then no page is found.
TEST_F(GiganticTest, ANodeWithFewerPagesThanReservationsIsBusy) {
  Run("pool 1G node0 1\nspawn p\n@p map a 1G hugetlb-1G");
  EXPECT_EQ(Run("demote 1G node1 1").error, Errno::kBusy);
  EXPECT_EQ(large().counter(NR_HUGEPAGES), 1);
}

TEST_F(GiganticTest, DemotedPagesMakeUpForSurplus) {
  Run("pool 1G node0 1\novercommit 2M 4\nspawn p\n@p map a 8M hugetlb-2M\n@p touch a");
  ASSERT_EQ(small().counter(SURPLUS_HUGEPAGES), 4);
  Run("demote 1G node0 1");
  EXPECT_EQ(small().counter(SURPLUS_HUGEPAGES), 0);
  EXPECT_EQ(small().counter(NR_HUGEPAGES), kBlocks);
  Run("@p exit");
  Empty();
}

TEST_F(GiganticTest, DemotingKeepsAResizeOfTheSmallPoolOut) {
  Run("pool 1G node0 1");
  Hugetlb& hugetlb = machine_.kernel().hugetlb();
  machine_.engine().Start(
      machine_.memory().node(NodeId{0}).lp, machine_.engine().now(), "demote",
      [&](sim::Path& path) -> sim::Task<void> { co_await hugetlb.Demote(path, CpuId{0}, NodeId{0}, 1); });
  machine_.engine().Start(machine_.memory().node(NodeId{1}).lp,
                          machine_.engine().now() + sim::Milliseconds(2), "resize",
                          [&](sim::Path& path) -> sim::Task<void> {
                            co_await hugetlb.Resize(path, CpuId{1}, HugeSize::k2M, kNoNode, 0);
                          });
  ASSERT_TRUE(machine_.engine().Run().ok());
  EXPECT_EQ(small().resize_lock().stats().contended, 1u);
  EXPECT_EQ(small().counter(NR_HUGEPAGES), 0);
  Empty();
}

TEST_F(GiganticTest, APageThatCouldNotBeFreedComesBack) {
  Run("pool 1G node0 1");
  Hstate& h = large();
  const Pfn page = HugePageStore::First(h.node(NodeId{0}).free);
  h.Remove(NodeId{0}, page, false);
  EXPECT_EQ(h.counter(NR_HUGEPAGES), 0);
  EXPECT_EQ(pools().pages().HeadOf(page + 700), kNoPfn);
  h.AddBack(NodeId{0}, page, true);
  EXPECT_EQ(h.counter(SURPLUS_HUGEPAGES), 1);
  EXPECT_EQ(h.counter(FREE_HUGEPAGES), 1);
  EXPECT_EQ(pools().pages().HeadOf(page + 700), page);
}

}  // namespace
}  // namespace numasim
