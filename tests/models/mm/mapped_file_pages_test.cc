// Which pages of files count as mapped, and on which node.
#include "models/mm/mapped_file_pages.h"

#include <cstdint>
#include <string_view>
#include <vector>

#include "gmock/gmock.h"
#include "gtest/gtest.h"
#include "tests/models/test_machine.h"

namespace numasim {
namespace {

using ::testing::ElementsAre;
using ::testing::IsEmpty;

MachineConfig TwoNodesWithDisk() {
  MachineConfig config = DescribedMachine({256 * kMiB, 256 * kMiB});
  config.disk_pages = 1024 * kMiB;
  return config;
}

class MappedFilePagesTest : public ::testing::Test {
 protected:
  void TearDown() override { EXPECT_THAT(machine_.Problems(), IsEmpty()); }

  // After the lines, which go on from those given before; of the processes p, q and so on that live.
  std::vector<int64_t> After(std::string_view lines, const std::vector<std::string_view>& names) {
    machine_.Run(lines);
    std::vector<const Process*> processes;
    for (const std::string_view name : names) processes.push_back(&machine_.process(name));
    return MappedFilePages(machine_.memory(), processes);
  }

  TestMachine machine_{TwoNodesWithDisk(), TestKernelWithThp("always")};
};

TEST_F(MappedFilePagesTest, APageCountsOnceOnItsNode) {
  EXPECT_THAT(After("machine nodes=2 node_mem=256M disk=4G\nspawn p\nspawn q\n@p cpu 0\n@q cpu 1\n"
                    "@p map f 1M file file=a shared\n@p touch f",
                    {"p", "q"}),
              ElementsAre(kMiB, 0));
  EXPECT_THAT(After("@q map g 2M file file=a shared\n@q touch g", {"p", "q"}), ElementsAre(kMiB, kMiB));
  EXPECT_THAT(After("@p map h 1M file file=a shared\n@p touch h", {"p", "q"}), ElementsAre(kMiB, kMiB));
  EXPECT_THAT(After("@p unmap h\n@q unmap g 0 512K", {"p", "q"}), ElementsAre(kMiB, kMiB));
  EXPECT_THAT(After("@p unmap f", {"p", "q"}), ElementsAre(kMiB / 2, kMiB));
  EXPECT_THAT(After("@q exit", {"p"}), ElementsAre(0, 0));
}

// A fault maps what is there of the 64 KiB round it; a copy is no page of the file.
TEST_F(MappedFilePagesTest, APrivateMappingHasPagesOfTheFileUntilItWrites) {
  EXPECT_THAT(After("machine nodes=2 node_mem=256M disk=4G\nspawn p\n@p cpu 0\n@p map f 1M file file=a\n"
                    "@p read f\n@p touch f 0 4K r",
                    {"p"}),
              ElementsAre(16, 0));
  EXPECT_THAT(After("@p touch f 0 12K", {"p"}), ElementsAre(13, 0));
  EXPECT_THAT(After("@p advise f 0 32K dontneed", {"p"}), ElementsAre(8, 0));
}

TEST_F(MappedFilePagesTest, HugePagesOfSharedMemoryCountWithAllTheirPages) {
  EXPECT_THAT(
      After("machine nodes=2 node_mem=256M disk=4G\nspawn p\nspawn q\n@p cpu 1\n@p map s 4M shmem file=s\n"
            "@p touch s 0 2M",
            {"p", "q"}),
      ElementsAre(0, 2 * kMiB));
  // One of its pages by another process, and then by no PMD any more.
  EXPECT_THAT(After("@q map t 1M shmem file=s\n@q touch t 0 4K", {"p", "q"}), ElementsAre(0, 2 * kMiB));
  EXPECT_THAT(After("@p unmap s", {"p", "q"}), ElementsAre(0, 1));
}

TEST_F(MappedFilePagesTest, AnonymousMemoryAndHugePagesOfPoolsDoNotCount) {
  EXPECT_THAT(
      After("machine nodes=2 node_mem=256M disk=4G\npool 2M all 4\nspawn p\n@p map a 4M anon\n@p touch a\n"
            "@p map h 4M hugetlb-2M\n@p touch h\n@p map i 4M hugetlb-2M shared\n@p touch i",
            {"p"}),
      ElementsAre(0, 0));
}

}  // namespace
}  // namespace numasim
