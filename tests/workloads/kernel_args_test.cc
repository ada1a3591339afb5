#include "workloads/kernel_args.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <string>
#include <vector>

#include "absl/strings/str_cat.h"

namespace numasim::workloads {
namespace {

using ::testing::ElementsAre;
using ::testing::HasSubstr;
using ::testing::IsEmpty;

// "2M 5" for 5 pages in turn, "1G 2@node1" for 2 on node 1.
std::vector<std::string> HugePages(const std::string& line, int nodes = 2) {
  std::vector<std::string> texts;
  for (const HugePagesArgument& asked : ParseKernelArgs(line, nodes).huge_pages) {
    texts.push_back(absl::StrCat(kHugeSizeNames[asked.size], " ", asked.pages,
                                 asked.node == kNoNode ? "" : absl::StrCat("@node", asked.node.value)));
  }
  return texts;
}

std::vector<std::string> Warnings(const std::string& line, int nodes = 2) {
  return ParseKernelArgs(line, nodes).warnings;
}

TEST(KernelArgsTest, CountIsOfTheSizeBeforeItOrOfTheDefaultSize) {
  EXPECT_THAT(HugePages("hugepages=7"), ElementsAre("2M 7"));
  EXPECT_THAT(HugePages("hugepagesz=1G hugepages=2"), ElementsAre("1G 2"));
  EXPECT_THAT(HugePages("default_hugepagesz=1G hugepages=2"), ElementsAre("1G 2"));
  EXPECT_THAT(HugePages("hugepages=2 default_hugepagesz=1G"), ElementsAre("1G 2"));
  EXPECT_THAT(HugePages("hugepagesz=0x200000 hugepages=3"), ElementsAre("2M 3"));
  EXPECT_THAT(HugePages("hugepagesz=2048kB hugepages=3"), ElementsAre("2M 3"));
}

// Boot makes gigantic pages where it reads the argument, the others when memory is there.
TEST(KernelArgsTest, GiganticPagesComeFirst) {
  EXPECT_THAT(HugePages("hugepagesz=2M hugepages=5 hugepagesz=1G hugepages=1"), ElementsAre("1G 1", "2M 5"));
}

TEST(KernelArgsTest, CountsOfNodesAreMadeInTheirOrder) {
  EXPECT_THAT(HugePages("hugepages=1:9,0:5"), ElementsAre("2M 5@node0", "2M 9@node1"));
  EXPECT_THAT(HugePages("hugepages=0:5,"), ElementsAre("2M 5@node0"));
  // The kernel keeps them in 32 bits.
  EXPECT_THAT(HugePages("hugepages=0:4294967297"), ElementsAre("2M 1@node0"));
}

TEST(KernelArgsTest, NodeThatIsNotThereMakesTheCountVoid) {
  EXPECT_THAT(HugePages("hugepagesz=2M hugepages=0:4,5:2"), IsEmpty());
  EXPECT_THAT(
      Warnings("hugepagesz=2M hugepages=0:4,5:2"),
      ElementsAre("hugepages=0:4,5:2 has no effect: it is invalid, and so is what was asked for of that "
                  "size; expected a count, or NODE:COUNT with nodes from 0 to 1"));
  for (const char* value : {"x", "-3", "0:", "0:x", "0:3,4"}) {
    EXPECT_THAT(HugePages(absl::StrCat("hugepages=", value)), IsEmpty()) << value;
    EXPECT_EQ(Warnings(absl::StrCat("hugepages=", value)).size(), 1u) << value;
  }
}

TEST(KernelArgsTest, WhatFollowsANumberIsNotLookedAt) {
  EXPECT_THAT(HugePages("hugepages=7x"), ElementsAre("2M 7"));
  EXPECT_THAT(HugePages("hugepages=0:3x,1:4"), ElementsAre("2M 3@node0"));
}

TEST(KernelArgsTest, SecondCountOfASizeIsPassedOver) {
  EXPECT_THAT(HugePages("hugepages=5 hugepages=7"), ElementsAre("2M 5"));
  EXPECT_THAT(HugePages("hugepagesz=1G hugepages=1 hugepages=3"), ElementsAre("1G 1"));
  EXPECT_THAT(Warnings("hugepages=5 hugepages=7"),
              ElementsAre("hugepages=7 has no effect: a count for the same size stands before it"));
}

TEST(KernelArgsTest, CountAfterASizeThatIsNoneIsPassedOver) {
  EXPECT_THAT(HugePages("hugepagesz=3M hugepages=11 hugepages=4"), ElementsAre("2M 4"));
  EXPECT_THAT(HugePages("hugepagesz=2M hugepages=3 hugepagesz=2M hugepages=4"), ElementsAre("2M 3"));
  EXPECT_THAT(Warnings("hugepagesz=3M hugepages=11"),
              ElementsAre("hugepagesz=3M has no effect: it is no size of huge pages; expected 2M or 1G",
                          "hugepages=11 has no effect: the size before it is none"));
}

TEST(KernelArgsTest, CountBeforeAnySizeWinsOverThatOfTheDefaultSize) {
  EXPECT_THAT(HugePages("hugepages=5 hugepagesz=2M hugepages=9"), ElementsAre("2M 5"));
  EXPECT_THAT(HugePages("hugepages=5 hugepagesz=1G hugepages=1"), ElementsAre("1G 1", "2M 5"));
}

// What boot_pool_default_size and boot_pool_arguments of tests/kernel_truth recorded.
TEST(KernelArgsTest, LinesOfRecordings) {
  EXPECT_THAT(HugePages("hugepages=1 default_hugepagesz=1G hugepages=2 hugepagesz=2M hugepages=0:3,1:4 "
                        "hugepagesz=1G hugepages=7"),
              ElementsAre("1G 1", "1G 2", "2M 3@node0", "2M 4@node1"));
  EXPECT_THAT(HugePages("hugepages=5 hugepages=7 hugepagesz=2M hugepages=9 hugepagesz=3M hugepages=11 "
                        "hugepagesz=2048K hugepages=13 hugepages=15"),
              ElementsAre("2M 5"));
}

TEST(KernelArgsTest, LastOfSeveralCounts) {
  const KernelArgs args = ParseKernelArgs(
      "movablecore=1G cma=64M hugetlb_cma=1G movablecore=2G cma=0 transparent_hugepage=never "
      "memhp_default_state=online memhp_default_state=online_movable",
      1);
  EXPECT_EQ(args.movablecore, "2G");
  EXPECT_EQ(args.cma, "0");
  EXPECT_EQ(args.hugetlb_cma, "1G");
  EXPECT_EQ(args.thp_enabled, "never");
  EXPECT_TRUE(args.memhp_online_movable);
  EXPECT_THAT(args.warnings, IsEmpty());
}

TEST(KernelArgsTest, LineIsSplitAsTheKernelDoes) {
  EXPECT_EQ(ParseKernelArgs("\"movablecore=1 G\"\tquiet\n", 1).movablecore, "1 G");
  EXPECT_EQ(ParseKernelArgs("dyndbg=\"file a.c +p\" movablecore=1G", 1).movablecore, "1G");
  EXPECT_EQ(ParseKernelArgs("-- movablecore=1G", 1).movablecore, std::nullopt);
  EXPECT_THAT(HugePages("default-hugepagesz=1G hugepages=1"), ElementsAre("1G 1"));
}

TEST(KernelArgsTest, ArgumentsThatAreNotAboutMemoryPassInSilence) {
  EXPECT_THAT(
      Warnings("BOOT_IMAGE=/boot/vmlinuz root=UUID=1-2 ro quiet console=ttyS0,115200 nokaslr panic=-1 "
               "norandmaps module.parameter=1 mitigations=off"),
      IsEmpty());
}

TEST(KernelArgsTest, ArgumentsThatAreNotModelledAreListed) {
  EXPECT_THAT(Warnings("mem=2G numa=off"),
              ElementsAre("'mem=2G', 'numa=off' are not modelled, so without effect"));
  EXPECT_THAT(
      Warnings("sysctl.vm.nr_hugepages=5 zswap.enabled=1 page_alloc.shuffle=1"),
      ElementsAre("'sysctl.vm.nr_hugepages=5', 'zswap.enabled=1', 'page_alloc.shuffle=1' are not modelled, "
                  "so without effect"));
  EXPECT_THAT(Warnings("hugepages"),
              ElementsAre("'hugepages' has no effect; expected a count, such as hugepages=64"));
  EXPECT_THAT(Warnings("kernelcore=2G"), ElementsAre("'kernelcore=2G' is not modelled, so without effect"));
}

TEST(KernelArgsTest, MisspeltArgumentsAreTold) {
  EXPECT_THAT(Warnings("hugepage=7"),
              ElementsAre("'hugepage=7' is not known, so without effect; did you mean 'hugepages'?"));
  EXPECT_THAT(Warnings("movable_core=1G"), ElementsAre(HasSubstr("did you mean 'movablecore'?")));
  EXPECT_THAT(Warnings("frobnicate other=1"),
              ElementsAre("'frobnicate', 'other=1' are not known, so without effect"));
  EXPECT_THAT(Warnings("transparent_hugepage=on"),
              ElementsAre("'transparent_hugepage=on' has no effect; expected always, madvise or never"));
}

}  // namespace
}  // namespace numasim::workloads
