#include "workloads/machine/snapshot.h"

#include <gmock/gmock.h>
#include <google/protobuf/text_format.h>
#include <google/protobuf/util/message_differencer.h>
#include <gtest/gtest.h>

#include <cstdlib>
#include <filesystem>
#include <fstream>
#include <iterator>
#include <map>
#include <string>

#include "absl/status/status.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/str_replace.h"

namespace numasim::workloads {
namespace {

using ::testing::Contains;
using ::testing::ElementsAre;
using ::testing::HasSubstr;
using ::testing::IsEmpty;

std::string TestData(const std::string& name) {
  return absl::StrCat(std::getenv("TEST_SRCDIR"), "/numasim/tests/workloads/machine/testdata/", name);
}

// A copy of the two-node machine's files that a test may damage.
class SnapshotTest : public ::testing::Test {
 protected:
  SnapshotTest()
      : source_{.root = absl::StrCat(::testing::TempDir(), "/",
                                     ::testing::UnitTest::GetInstance()->current_test_info()->name()),
                .topology_xml = TestData("two_nodes.xml")} {
    const auto options =
        std::filesystem::copy_options::recursive | std::filesystem::copy_options::overwrite_existing;
    // Copies what Bazel's links point at.
    std::filesystem::copy(TestData("two_nodes"), source_.root, options);
  }
  ~SnapshotTest() override { std::filesystem::remove_all(source_.root); }

  std::string PathOf(const std::string& file) const { return absl::StrCat(source_.root, "/", file); }

  void Remove(const std::string& file) { ASSERT_GT(std::filesystem::remove_all(PathOf(file)), 0u); }

  void Replace(const std::string& file, const std::string& from, const std::string& to) {
    std::ifstream in(PathOf(file));
    const std::string text((std::istreambuf_iterator<char>(in)), std::istreambuf_iterator<char>());
    const std::string replaced = absl::StrReplaceAll(text, {{from, to}});
    ASSERT_NE(text, replaced) << from << " is not in " << file;
    in.close();
    std::filesystem::remove(PathOf(file));
    std::ofstream(PathOf(file)) << replaced;
  }

  Snapshot TakeGood() const {
    absl::StatusOr<Snapshot> snapshot = TakeSnapshot(source_);
    EXPECT_TRUE(snapshot.ok()) << snapshot.status();
    return snapshot.ok() ? *snapshot : Snapshot();
  }

  std::string TakeError() const { return std::string(TakeSnapshot(source_).status().message()); }

  SnapshotSource source_;
};

TEST_F(SnapshotTest, HasEveryPopulatedZoneOfBothNodes) {
  const Snapshot snapshot = TakeGood();
  std::vector<std::string> zones;
  for (const RecordedZone& zone : snapshot.machine.zone())
    zones.push_back(absl::StrCat(zone.node(), " ", zone.name()));
  EXPECT_THAT(zones, ElementsAre("0 DMA", "0 DMA32", "1 DMA32"));
  EXPECT_THAT(snapshot.notes, IsEmpty());
  EXPECT_EQ(snapshot.kernel_release, "6.1.0-28-amd64");
}

TEST_F(SnapshotTest, FreeListsOfAllTypesAddUpToTheZonesFreePages) {
  const Snapshot snapshot = TakeGood();
  for (const RecordedZone& zone : snapshot.machine.zone()) {
    uint64_t by_type = 0;
    for (const FreeBlocks& type : zone.free_blocks()) {
      for (int order = 0; order < type.blocks_size(); ++order) by_type += type.blocks(order) << order;
    }
    uint64_t in_total = 0;
    for (int order = 0; order < zone.free_total_size(); ++order) in_total += zone.free_total(order) << order;
    EXPECT_EQ(by_type, zone.free()) << zone.name();
    EXPECT_EQ(in_total, zone.free()) << zone.name();
    EXPECT_LE(zone.free(), zone.managed());
  }
}

TEST_F(SnapshotTest, PageblocksCoverTheZone) {
  const Snapshot snapshot = TakeGood();
  for (const RecordedZone& zone : snapshot.machine.zone()) {
    uint64_t blocks = 0;
    for (const PageblockCount& type : zone.pageblocks()) blocks += type.count();
    const uint64_t first = zone.start_pfn() / 512;
    const uint64_t last = (zone.start_pfn() + zone.spanned() - 1) / 512;
    EXPECT_EQ(blocks, last - first + 1) << zone.name();
  }
}

TEST_F(SnapshotTest, CpusAndDistancesComeFromTheTopology) {
  const Snapshot snapshot = TakeGood();
  EXPECT_THAT(snapshot.machine.cpus().node_of_cpu(), ElementsAre(0, 1, 0, 1));
  ASSERT_EQ(snapshot.machine.distance_size(), 2);
  EXPECT_THAT(snapshot.machine.distance(0).to(), ElementsAre(10, 21));
  for (const RecordedZone& zone : snapshot.machine.zone()) EXPECT_EQ(zone.pcp_size(), 4);
}

TEST_F(SnapshotTest, PoolsAreGlobalAndPerNode) {
  std::map<std::string, HugePages> pools;
  const Snapshot snapshot = TakeGood();
  for (const HugePages& pool : snapshot.machine.hugepages()) {
    pools[absl::StrCat(pool.size(), pool.has_node() ? absl::StrCat(" node", pool.node()) : "")] = pool;
  }
  ASSERT_EQ(pools.size(), 4u);  // 2M and 1G; of the nodes, only 2M
  EXPECT_EQ(pools["2M"].nr(), pools["2M node0"].nr() + pools["2M node1"].nr());
  EXPECT_EQ(pools["2M"].free(), pools["2M node0"].free() + pools["2M node1"].free());
  EXPECT_EQ(pools["2M"].surplus(), pools["2M node0"].surplus());
  EXPECT_EQ(pools["2M"].reserved(), 3);
  EXPECT_EQ(pools["2M"].overcommit(), 4);
  EXPECT_FALSE(pools["2M node0"].has_reserved());
  EXPECT_TRUE(pools.contains("1G"));
}

TEST_F(SnapshotTest, KnobsAreTheMachinesOwn) {
  const Machine machine = TakeGood().machine;
  EXPECT_EQ(machine.min_free_kbytes(), 61252);
  EXPECT_EQ(machine.kernel().watermark_scale_factor(), 10);
  EXPECT_THAT(machine.kernel().lowmem_reserve_ratio(), ElementsAre(256, 256, 32, 0));
  EXPECT_EQ(machine.kernel().watermark_boost_factor(), 12000);
  EXPECT_EQ(machine.kernel().compaction_proactiveness(), 35);
  EXPECT_EQ(machine.kernel().thp().enabled(), "madvise");
  EXPECT_EQ(machine.kernel().thp().shmem_enabled(), "never");
  EXPECT_EQ(machine.kernel().thp().defrag(), "defer+madvise");
  EXPECT_TRUE(machine.kernel().thp().use_zero_page());
}

TEST_F(SnapshotTest, OnlyMemorysKernelArgumentsAreKept) {
  EXPECT_EQ(TakeGood().machine.kernel_args(), "memhp_default_state=online_movable");
}

TEST_F(SnapshotTest, TextReadsBackAsTheSameMachine) {
  const Snapshot snapshot = TakeGood();
  const std::string text = SnapshotText(snapshot);
  Machine machine;
  ASSERT_TRUE(google::protobuf::TextFormat::ParseFromString(text, &machine));
  EXPECT_TRUE(google::protobuf::util::MessageDifferencer::Equals(machine, snapshot.machine));
  EXPECT_THAT(text, HasSubstr("#   khugepaged/pages_to_scan: 4096\n"));
}

TEST_F(SnapshotTest, SameFilesGiveTheSameText) {
  EXPECT_EQ(SnapshotText(TakeGood()), SnapshotText(TakeGood()));
}

TEST_F(SnapshotTest, WithoutPagetypeinfoThereAreTotalsOnly) {
  Remove("proc/pagetypeinfo");
  const Snapshot snapshot = TakeGood();
  for (const RecordedZone& zone : snapshot.machine.zone()) {
    EXPECT_EQ(zone.free_blocks_size(), 0);
    EXPECT_EQ(zone.free_total_size(), 11);
  }
  EXPECT_THAT(snapshot.notes, Contains(HasSubstr("pagetypeinfo cannot be read (it needs root)")));
}

TEST_F(SnapshotTest, CountTheKernelStoppedAtIsCompletedFromBuddyinfo) {
  const std::string movable =
      "type      Movable      1      0      1      0      1      1      0      1      1";
  // 150,002 blocks in all, of which pagetypeinfo shows 1 reclaimable one and more than 100,000 movable ones.
  Replace("proc/pagetypeinfo", movable,
          absl::StrReplaceAll(movable, {{"Movable      1", "Movable >100000"}}));
  Replace("proc/buddyinfo", "Node 1, zone    DMA32      2", "Node 1, zone    DMA32 150002");
  const Snapshot snapshot = TakeGood();
  const RecordedZone& zone = snapshot.machine.zone(2);
  EXPECT_EQ(zone.free_total(0), 150002u);
  uint64_t movable_blocks = 0;
  for (const FreeBlocks& type : zone.free_blocks()) {
    if (type.type() == "Movable") movable_blocks = type.blocks(0);
  }
  EXPECT_EQ(movable_blocks, 150002u - 1u);
  EXPECT_THAT(snapshot.notes, IsEmpty());
}

TEST_F(SnapshotTest, WhereFreeListsDifferThoseByTypeAreTaken) {
  Replace("proc/buddyinfo", "Node 1, zone    DMA32      2", "Node 1, zone    DMA32     12");
  const Snapshot snapshot = TakeGood();
  EXPECT_EQ(snapshot.machine.zone(2).free_total(0), 2u);
  EXPECT_THAT(snapshot.notes, Contains(HasSubstr("was allocating memory meanwhile")));
}

TEST_F(SnapshotTest, DeviceMemoryIsLeftOutWithANote) {
  Replace("proc/zoneinfo", "Node 1, zone    DMA32", "Node 1, zone   Device");
  const Snapshot snapshot = TakeGood();
  EXPECT_EQ(snapshot.machine.zone_size(), 2);
  EXPECT_THAT(snapshot.notes, Contains(HasSubstr("zone Device of node 1 (98304 pages)")));
}

TEST_F(SnapshotTest, KernelWithoutHugePagesIsNoted) {
  Remove("sys/kernel/mm");
  const Snapshot snapshot = TakeGood();
  EXPECT_EQ(snapshot.machine.kernel().thp().enabled(), "never");
  EXPECT_THAT(snapshot.notes, Contains(HasSubstr("no huge page pools")));
  EXPECT_THAT(snapshot.notes, Contains(HasSubstr("no transparent huge pages")));
}

TEST_F(SnapshotTest, MissingFileThatEveryLinuxHasIsNamed) {
  for (const char* file :
       {"proc/sys/vm/min_free_kbytes", "proc/buddyinfo", "proc/zoneinfo", "proc/cmdline"}) {
    const std::filesystem::path path = PathOf(file);
    std::filesystem::rename(path, path.string() + ".away");
    EXPECT_THAT(TakeError(), HasSubstr(absl::StrCat(path.string(), ": cannot be read")));
    EXPECT_THAT(TakeError(), HasSubstr("No such file"));
    std::filesystem::rename(path.string() + ".away", path);
  }
}

TEST_F(SnapshotTest, MalformedFilesAreNamed) {
  const struct {
    const char* file;
    const char* from;
    const char* to;
    const char* message;
  } kCases[] = {
      {"proc/zoneinfo", "managed  3840", "managed  lots", ": managed: \"lots\" is not a whole number"},
      {"proc/buddyinfo", "Node 1, zone    DMA32", "Node 1, zone   Normal",
       ": has no line for node 1, zone DMA32"},
      {"proc/pagetypeinfo", "order: 9", "order: 13", ": Page block order: 13 is not the modelled 9"},
      {"proc/sys/vm/min_free_kbytes", "61252", "", ":1: \"\" is not a whole number"},
      {"proc/sys/vm/lowmem_reserve_ratio", "32", "3.2", ":1: \"3.2\" is not a whole number"},
      {"sys/kernel/mm/transparent_hugepage/enabled", "[madvise]", "madvise",
       ":1: \"always madvise never\" has no choice"},
      {"sys/kernel/mm/hugepages/hugepages-2048kB/free_hugepages", "8", "eight",
       ":1: \"eight\" is not a whole number"},
  };
  for (const auto& test : kCases) {
    Replace(test.file, test.from, test.to);
    const std::string error = TakeError();
    EXPECT_THAT(error, HasSubstr(PathOf(test.file)));
    EXPECT_THAT(error, HasSubstr(test.message));
    std::filesystem::copy_file(TestData(absl::StrCat("two_nodes/", test.file)), PathOf(test.file),
                               std::filesystem::copy_options::overwrite_existing);
  }
}

TEST_F(SnapshotTest, MissingTopologyFileIsNamed) {
  source_.topology_xml = TestData("two_nodes.xml") + ".missing";
  EXPECT_THAT(TakeError(), HasSubstr("two_nodes.xml.missing: cannot be read"));
}

TEST_F(SnapshotTest, CpuThatTheTopologyDoesNotHaveIsAnError) {
  Replace("proc/zoneinfo", "cpu: 3", "cpu: 7");
  EXPECT_THAT(TakeError(), HasSubstr("zoneinfo: zone DMA: cpu 7 is not in the topology"));
}

TEST_F(SnapshotTest, NodeThatTheTopologyDoesNotHaveIsAnError) {
  Replace("proc/zoneinfo", "Node 1", "Node 5");
  Replace("proc/buddyinfo", "Node 1", "Node 5");
  Replace("proc/pagetypeinfo", "Node    1", "Node    5");
  Replace("proc/pagetypeinfo", "Node 1", "Node 5");
  EXPECT_THAT(TakeError(), HasSubstr("zoneinfo: zone DMA32: node 5 is not in the topology"));
}

TEST(LiveSnapshotTest, ThisMachineCanBeRecorded) {
  if (!std::filesystem::exists("/proc/zoneinfo")) GTEST_SKIP() << "no /proc/zoneinfo here";
  const absl::StatusOr<Snapshot> snapshot = TakeSnapshot(SnapshotSource());
  ASSERT_TRUE(snapshot.ok()) << snapshot.status();
  ASSERT_GT(snapshot->machine.zone_size(), 0);
  for (const RecordedZone& zone : snapshot->machine.zone()) {
    EXPECT_LE(zone.managed(), zone.present());
    EXPECT_LE(zone.present(), zone.spanned());
  }
}

}  // namespace
}  // namespace numasim::workloads
