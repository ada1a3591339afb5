// Huge pages that are held beyond their mappings: pinned by O_DIRECT or RDMA.
#include <string_view>

#include "gmock/gmock.h"
#include "gtest/gtest.h"
#include "models/hugetlb/hugetlb.h"
#include "tests/models/test_machine.h"

namespace numasim {
namespace {

using ::testing::IsEmpty;
using workloads::OpResult;

class PinsTest : public ::testing::Test {
 protected:
  PinsTest() : machine_(DescribedMachine({128 * kMiB, 128 * kMiB})) {}
  void TearDown() override { EXPECT_THAT(machine_.Problems(), IsEmpty()); }

  OpResult Run(std::string_view lines) { return machine_.Run(lines); }
  Errno Error(std::string_view line) { return machine_.Run(line).error; }
  int64_t count(HugetlbCounter c) { return machine_.kernel().pool().hstate(HugeSize::k2M).counter(c); }
  int64_t free() { return count(FREE_HUGEPAGES); }

  TestMachine machine_;
};

TEST_F(PinsTest, PinningFaultsPagesIn) {
  Run("pool 2M node0 4\nspawn p\n@p map a 6M hugetlb-2M");
  EXPECT_EQ(Error("@p pin a 0 4M"), Errno::kOk);
  EXPECT_EQ(free(), 2);
  EXPECT_EQ(count(RESV_HUGEPAGES), 1);
}

TEST_F(PinsTest, AByteIsEnoughToPinAPage) {
  Run("pool 2M node0 4\nspawn p\n@p map a 6M hugetlb-2M");
  EXPECT_EQ(Error("@p pin a 3M 4K"), Errno::kOk);
  EXPECT_EQ(free(), 3);
}

TEST_F(PinsTest, APinnedPageOutlivesItsMapping) {
  Run("pool 2M node0 4\nspawn p\n@p map a 4M hugetlb-2M\n@p pin a 0 2M\n@p touch a\n@p unmap a");
  EXPECT_EQ(free(), 3);
  EXPECT_THAT(machine_.Problems(), IsEmpty());
  EXPECT_EQ(Error("@p unpin a"), Errno::kOk);
  EXPECT_EQ(free(), 4);
  EXPECT_EQ(Error("@p unpin a"), Errno::kNoEnt);
}

TEST_F(PinsTest, EveryPinCounts) {
  Run("pool 2M node0 2\nspawn p\n@p map a 2M hugetlb-2M\n@p pin a\n@p pin a\n@p unmap a");
  const Process& process = machine_.process("p");
  ASSERT_EQ(process.pins.size(), 2u);
  EXPECT_EQ(machine_.kernel().pool().pages().Used(process.pins[0].huge[0]).refs, 2u);
  Run("@p unpin a");
  EXPECT_EQ(free(), 2);
}

TEST_F(PinsTest, ExitDropsWhatIsPinned) {
  Run("pool 2M node0 2\nspawn p\n@p map a 4M hugetlb-2M\n@p pin a\n@p unmap a\n@p exit");
  EXPECT_EQ(free(), 2);
}

TEST_F(PinsTest, AChildHasNoPins) {
  Run("pool 2M node0 2\nspawn p\n@p map a 2M hugetlb-2M\n@p pin a\n@p fork q");
  EXPECT_EQ(Error("@q unpin a"), Errno::kNoEnt);
  Run("@q exit\n@p unmap a");
  EXPECT_EQ(free(), 1);
}

TEST_F(PinsTest, NothingIsPinnedWhereOnePageCannotBe) {
  Run("pool 2M node0 2\nspawn p\n@p map a 6M hugetlb-2M noreserve");
  EXPECT_EQ(Error("@p pin a"), Errno::kFault);
  EXPECT_THAT(machine_.process("p").pins, IsEmpty());
  Run("@p protect a 0 2M r");
  EXPECT_EQ(Error("@p pin a 0 2M"), Errno::kFault);
}

TEST_F(PinsTest, APinnedPageLeavesItsFileButNotThePool) {
  Run("pool 2M node0 3\nspawn p\n@p map a 6M hugetlb-2M file=f shared\n@p pin a 2M 2M\n@p truncate a 0");
  EXPECT_EQ(free(), 2);
  EXPECT_THAT(machine_.Problems(), IsEmpty());
  Run("@p unpin a irq");
  EXPECT_EQ(free(), 3);
}

TEST_F(PinsTest, APinnedPageStaysOnItsNode) {
  Run("pool 2M node0 2\npool 2M node1 2\nspawn p\n@p map a 4M hugetlb-2M policy=bind:0\n@p pin a 0 2M\n"
      "@p touch a");
  const OpResult result = Run("@p move a 1");
  EXPECT_EQ(result.error, Errno::kOk);
  EXPECT_EQ(result.moved->not_moved, 2);  // a failure counts for all that were to move with it
  Run("@p unpin a");
  EXPECT_EQ(Run("@p move a 1").moved->moved, 2);
}

TEST_F(PinsTest, APinnedSurplusPageLeavesThePoolWhenItIsUnpinned) {
  Run("overcommit 2M 2\nspawn p\n@p map a 4M hugetlb-2M\n@p pin a\n@p unmap a");
  EXPECT_EQ(count(SURPLUS_HUGEPAGES), 2);
  Run("@p unpin a irq");
  EXPECT_EQ(count(NR_HUGEPAGES), 0);
}

}  // namespace
}  // namespace numasim
