// The pools that a machine has when it is booted.
#include "models/hugetlb/boot_pools.h"

#include <string>
#include <vector>

#include "absl/strings/match.h"
#include "gmock/gmock.h"
#include "gtest/gtest.h"
#include "sim/engine.h"
#include "tests/models/recordings.h"
#include "tests/models/test_machine.h"

namespace numasim {
namespace {

using ::testing::ElementsAre;
using ::testing::IsEmpty;
using Request = HugetlbConfig::Request;

constexpr Pfn AtGiB(uint64_t gib) { return Pfn{gib << (30 - kPageShift)}; }

std::vector<int64_t> Pages(TestMachine& machine, HugeSize size, HugetlbCounter counter = NR_HUGEPAGES) {
  const Hstate& h = machine.kernel().pool().hstate(size);
  std::vector<int64_t> pages;
  for (int n = 0; n < h.nodes(); ++n) pages.push_back(h.node(NodeId{n}).counters[counter]);
  return pages;
}

MachineConfig WithRequests(const std::vector<int64_t>& node_mib, std::vector<Request> requests) {
  std::vector<int64_t> pages;
  for (const int64_t mib : node_mib) pages.push_back(mib * kMiB);
  MachineConfig config = DescribedMachine(pages);
  config.hugetlb.requests = std::move(requests);
  return config;
}

// As bug_boot_pool_turn of tests/kernel_truth recorded.
TEST(BootPoolsTest, PagesAreMadeOnTheNodesInTurnWhichGoesOnFromThere) {
  TestMachine machine(WithRequests({768, 768, 768}, {{HugeSize::k2M, kNoNode, 7, false, ""}}));
  EXPECT_THAT(Pages(machine, HugeSize::k2M), ElementsAre(3, 2, 2));
  EXPECT_THAT(Pages(machine, HugeSize::k2M, FREE_HUGEPAGES), ElementsAre(3, 2, 2));
  EXPECT_THAT(machine.Problems(), IsEmpty());
  machine.Run("pool 2M all 8");
  EXPECT_THAT(Pages(machine, HugeSize::k2M), ElementsAre(3, 3, 2));
  EXPECT_THAT(machine.Problems(), IsEmpty());
}

TEST(BootPoolsTest, CountsOfNodesDoNotMoveTheTurn) {
  TestMachine machine(WithRequests(
      {768, 512}, {{HugeSize::k2M, NodeId{0}, 5, false, ""}, {HugeSize::k2M, NodeId{1}, 9, false, ""}}));
  EXPECT_THAT(Pages(machine, HugeSize::k2M), ElementsAre(5, 9));
  machine.Run("pool 2M all 15");
  EXPECT_THAT(Pages(machine, HugeSize::k2M), ElementsAre(6, 9));
}

TEST(BootPoolsTest, FullNodesArePassedOver) {
  TestMachine machine(WithRequests({64, 256}, {{HugeSize::k2M, kNoNode, 100, false, ""}}));
  const std::vector<int64_t> pages = Pages(machine, HugeSize::k2M);
  EXPECT_LT(pages[0], 32);
  EXPECT_GT(pages[0], 20);
  EXPECT_EQ(pages[0] + pages[1], 100);
  EXPECT_THAT(machine.warnings(), IsEmpty());
  EXPECT_THAT(machine.Problems(), IsEmpty());
}

TEST(BootPoolsTest, GiganticPagesAreTheHighestRanges) {
  // Memory lies from 0 to 2 GiB and from 4 to 10 GiB; the struct pages are at the top.
  TestMachine machine(WithRequests({8 << 10}, {{HugeSize::k1G, kNoNode, 2, false, ""}}));
  const HugePageStore& pages = machine.kernel().pool().pages();
  EXPECT_NE(pages.Find(AtGiB(8)), nullptr);
  EXPECT_NE(pages.Find(AtGiB(7)), nullptr);
  EXPECT_THAT(Pages(machine, HugeSize::k1G), ElementsAre(2));
  EXPECT_THAT(machine.Problems(), IsEmpty());
  machine.Run("demote 1G node0 1\npool 1G all 0\npool 2M all 0");
  EXPECT_THAT(Pages(machine, HugeSize::k1G), ElementsAre(0));
  EXPECT_THAT(machine.Problems(), IsEmpty());
}

// As boot_pool_gigantic_full_node of tests/kernel_truth recorded.
TEST(BootPoolsTest, GiganticPagesOfAFullNodeComeFromAnother) {
  TestMachine machine(WithRequests({512, 4096}, {{HugeSize::k1G, NodeId{0}, 2, false, ""}}));
  EXPECT_THAT(Pages(machine, HugeSize::k1G), ElementsAre(0, 2));
  EXPECT_THAT(machine.warnings(), IsEmpty());
  EXPECT_THAT(machine.Problems(), IsEmpty());
}

TEST(BootPoolsTest, BootArgumentsGetWhatThereIs) {
  TestMachine machine(WithRequests({64, 64}, {{HugeSize::k2M, NodeId{1}, 1000, false, "hugepages"},
                                              {HugeSize::k1G, kNoNode, 1, false, "hugepages"}}));
  const std::vector<int64_t> pages = Pages(machine, HugeSize::k2M);
  EXPECT_EQ(pages[0], 0);
  EXPECT_GT(pages[1], 20);
  EXPECT_THAT(machine.warnings(),
              ElementsAre(absl::StrCat("hugepages: node 1 has memory for ", pages[1], " of 1000 pages of 2M"),
                          "hugepages: the machine has memory for 0 of 1 pages of 1G"));
}

TEST(BootPoolsTest, PoolThatIsStatedMustFit) {
  const MachineConfig config =
      WithRequests({64, 64}, {{HugeSize::k1G, NodeId{1}, 3, true, "machine.hugepages of 1G on node 1"}});
  sim::Engine engine({.threads = 1, .lookahead = Costs().hop, .seed = 1});
  std::vector<std::string> warnings;
  EXPECT_EQ(
      Kernel::Boot(engine, config, KernelConfig(), Costs(), warnings).status().message(),
      "machine.hugepages of 1G on node 1: 3 pages of 1G are more than node 1 has memory for; expected at "
      "most 0");
}

TEST(BootPoolsTest, PagesOfEarlierProcessesStayInUseAndReserved) {
  MachineConfig config = WithRequests({256, 256}, {{HugeSize::k2M, kNoNode, 10, false, ""}});
  HugetlbConfig::Pool& pool = config.hugetlb.pools[static_cast<size_t>(HugeSize::k2M)];
  pool.all.in_use = 4;
  pool.all.surplus = 3;
  pool.reserved = 5;
  pool.overcommit = 8;
  TestMachine machine(config);
  EXPECT_THAT(Pages(machine, HugeSize::k2M, FREE_HUGEPAGES), ElementsAre(3, 3));
  EXPECT_THAT(Pages(machine, HugeSize::k2M, SURPLUS_HUGEPAGES), ElementsAre(2, 1));
  EXPECT_THAT(machine.Problems(), IsEmpty());
  // One free page that is not reserved, and five more that may become surplus.
  const workloads::OpResult seven = machine.Run("spawn p\n@p map a 14M hugetlb-2M");
  EXPECT_EQ(seven.error, Errno::kNoMem);
  EXPECT_EQ(machine.Run("@p map b 12M hugetlb-2M").error, Errno::kOk);
  EXPECT_EQ(machine.Run("@p touch b").touch->ok, 6);
  EXPECT_EQ(machine.Run("@p exit").error, Errno::kOk);
  EXPECT_THAT(machine.Problems(), IsEmpty());
}

class RecordedPoolsTest : public testing::TestWithParam<std::string> {};

TEST_P(RecordedPoolsTest, PoolIsThereAndCanBeGivenUp) {
  TestMachine machine(RecordedMachine(GetParam()));
  EXPECT_THAT(machine.Problems(), IsEmpty());
  machine.Run("pool 1G all 0\npool 2M all 3\nspawn p\n@p map a 6M hugetlb-2M\n@p touch a\n@p exit");
  EXPECT_THAT(machine.Problems(), IsEmpty());
  machine.Run("pool 2M all 0");
  EXPECT_THAT(machine.Problems(), IsEmpty());
}

std::vector<std::string> NamesOfPools() {
  std::vector<std::string> names;
  for (const std::string& name : RecordingNames()) {
    if (absl::StrContains(name, "boot_pool")) names.push_back(name);
  }
  return names;
}

INSTANTIATE_TEST_SUITE_P(All, RecordedPoolsTest, testing::ValuesIn(NamesOfPools()),
                         [](const auto& info) { return info.param; });

}  // namespace
}  // namespace numasim
