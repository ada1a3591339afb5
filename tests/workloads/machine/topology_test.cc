#include "workloads/machine/topology.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <unistd.h>

#include <algorithm>
#include <cstdlib>
#include <fstream>
#include <iterator>
#include <string>

#include "absl/status/status.h"
#include "absl/strings/numbers.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/str_replace.h"
#include "absl/strings/strip.h"

namespace numasim::workloads {
namespace {

using ::testing::ElementsAre;
using ::testing::HasSubstr;
using ::testing::IsEmpty;

std::string TestData(const std::string& name) {
  return absl::StrCat(std::getenv("TEST_SRCDIR"), "/numasim/tests/workloads/machine/testdata/", name);
}

std::string Contents(const std::string& path) {
  std::ifstream file(path);
  return {std::istreambuf_iterator<char>(file), std::istreambuf_iterator<char>()};
}

absl::StatusOr<Machine> ReadLstopo(const std::string& path) {
  return ParseLstopoMachine(path, Contents(path));
}

TEST(LstopoTest, GivesEachNodesMemoryCpusAndDistances) {
  const absl::StatusOr<Machine> machine = ReadLstopo(TestData("two_nodes.xml"));
  ASSERT_TRUE(machine.ok()) << machine.status();
  ASSERT_EQ(machine->node_size(), 2);
  for (const Machine::Node& node : machine->node()) {
    EXPECT_EQ(node.memory(), "480M");  // MemTotal 481,280 kB = 470 MiB; * 64 / 63 = 477.5 MiB
    EXPECT_EQ(node.cpus(), 2);
  }
  ASSERT_EQ(machine->distance_size(), 2);
  EXPECT_THAT(machine->distance(0).to(), ElementsAre(10, 21));
  EXPECT_THAT(machine->distance(1).to(), ElementsAre(21, 10));
}

TEST(LstopoTest, SaysWhereEachCpuIsIfNodesDoNotHoldConsecutiveOnes) {
  const absl::StatusOr<Machine> machine = ReadLstopo(TestData("two_nodes.xml"));
  ASSERT_TRUE(machine.ok()) << machine.status();
  EXPECT_THAT(machine->cpus().node_of_cpu(), ElementsAre(0, 1, 0, 1));
}

TEST(LstopoTest, RenumbersNodesAndCpusWithHoles) {
  const std::string path = TestData("sparse_numbers.xml");
  const absl::StatusOr<Topology> topology = ReadTopologyXml(path);
  ASSERT_TRUE(topology.ok()) << topology.status();
  ASSERT_EQ(topology->nodes.size(), 2u);
  EXPECT_EQ(topology->nodes[1].os_index, 2);
  EXPECT_THAT(topology->nodes[1].cpus, ElementsAre(4, 5));
  EXPECT_THAT(OsCpus(*topology), ElementsAre(0, 1, 4, 5));
  EXPECT_THAT(NodeOfCpu(*topology), ElementsAre(0, 0, 1, 1));
  const absl::StatusOr<Machine> machine = ReadLstopo(path);
  ASSERT_TRUE(machine.ok()) << machine.status();
  EXPECT_EQ(machine->node_size(), 2);
  EXPECT_FALSE(machine->has_cpus()) << "CPUs 0, 1 and then 2, 3: the count on each node says it all";
}

TEST(LstopoTest, HbmBesideDramHasNoCpusOfItsOwn) {
  const absl::StatusOr<Topology> topology = ReadTopologyXml(TestData("hbm_beside_dram.xml"));
  ASSERT_TRUE(topology.ok()) << topology.status();
  ASSERT_EQ(topology->nodes.size(), 4u);
  // hwloc numbers the synthetic nodes DRAM, HBM, DRAM, HBM.
  EXPECT_EQ(topology->nodes[0].memory_bytes, uint64_t{64} << 30);
  EXPECT_THAT(topology->nodes[0].cpus, ElementsAre(0, 1));
  EXPECT_EQ(topology->nodes[1].memory_bytes, uint64_t{16} << 30);
  EXPECT_THAT(topology->nodes[1].cpus, IsEmpty());
  EXPECT_THAT(topology->nodes[2].cpus, ElementsAre(2, 3));
  EXPECT_THAT(topology->nodes[3].cpus, IsEmpty());
}

TEST(LstopoTest, MemoryInWholeLargestBlocksIsTakenAsInstalled) {
  const absl::StatusOr<Machine> machine = ReadLstopo(TestData("hbm_beside_dram.xml"));
  ASSERT_TRUE(machine.ok()) << machine.status();
  EXPECT_EQ(machine->node(0).memory(), "64G");
  EXPECT_EQ(machine->node(1).memory(), "16G");
}

// What is left of a node's installed memory when a page of struct pages is taken off for each 64 pages is
// MemTotal again, or more by less than what rounding to 4 MiB adds.
TEST(LstopoTest, InstalledMemoryLeavesMemTotal) {
  const absl::StatusOr<Topology> topology = ReadTopologyXml(TestData("two_nodes.xml"));
  const absl::StatusOr<Machine> machine = ReadLstopo(TestData("two_nodes.xml"));
  ASSERT_TRUE(topology.ok() && machine.ok());
  int64_t installed_mib = 0;
  ASSERT_TRUE(absl::SimpleAtoi(absl::StripSuffix(machine->node(0).memory(), "M"), &installed_mib));
  const auto managed = static_cast<uint64_t>(installed_mib << 20) / 64 * 63;
  EXPECT_GE(managed, topology->nodes[0].memory_bytes);
  EXPECT_LT(managed, topology->nodes[0].memory_bytes + (uint64_t{4} << 20));
}

TEST(LstopoTest, WithoutDistancesTheKernelsDefaultsHold) {
  const absl::StatusOr<Machine> machine = ReadLstopo(TestData("sparse_numbers.xml"));
  ASSERT_TRUE(machine.ok()) << machine.status();
  ASSERT_EQ(machine->distance_size(), 2);
  EXPECT_THAT(machine->distance(0).to(), ElementsAre(10, 20));
  EXPECT_THAT(machine->distance(1).to(), ElementsAre(20, 10));
}

TEST(LstopoTest, MissingFileIsNamed) {
  const absl::Status status = ReadTopologyXml("/nonexistent/machine.xml").status();
  EXPECT_THAT(std::string(status.message()),
              HasSubstr("/nonexistent/machine.xml: cannot be read: No such file"));
}

TEST(LstopoTest, FileThatIsNoTopologyIsNamed) {
  for (const char* contents : {"", "machine nodes=2", "<topology version=\"2.0\"><object type=\"Machine\""}) {
    const absl::Status status = ParseLstopoMachine("bad.xml", contents).status();
    EXPECT_EQ(status.code(), absl::StatusCode::kInvalidArgument) << contents;
    EXPECT_THAT(std::string(status.message()), HasSubstr("bad.xml:1: not well-formed ("));
    EXPECT_THAT(std::string(status.message()), HasSubstr("lstopo"));
  }
}

TEST(LstopoTest, HugePagesAreTheNodesPools) {
  const auto with = [](const std::string& page_type) {
    return absl::StrReplaceAll(Contents(TestData("two_nodes.xml")),
                               {{"<page_type size=\"4096\" count=\"120320\"/>",
                                 absl::StrCat("<page_type size=\"4096\" count=\"119296\"/>", page_type)}});
  };
  const absl::StatusOr<Machine> machine =
      ParseLstopoMachine("m.xml", with("<page_type size=\"2097152\" count=\"2\"/>"
                                       "<page_type size=\"1073741824\" count=\"0\"/>"));
  ASSERT_TRUE(machine.ok()) << machine.status();
  ASSERT_EQ(machine->hugepages_size(), 2);
  for (int node = 0; node < 2; ++node) {
    EXPECT_EQ(machine->hugepages(node).node(), node);
    EXPECT_EQ(machine->hugepages(node).size(), "2M");
    EXPECT_EQ(machine->hugepages(node).nr(), 2);
  }
  EXPECT_EQ(
      ParseLstopoMachine("m.xml", with("<page_type size=\"65536\" count=\"2\"/>")).status().message(),
      "m.xml: NUMANode 0: page_type: 2 pages of 65536 bytes; expected pages of 2097152 or 1073741824 bytes, "
      "and no more than its memory holds");
}

TEST(LstopoTest, MemoryThatIsNotWholePagesIsAnError) {
  const std::string xml = absl::StrReplaceAll(Contents(TestData("two_nodes.xml")),
                                              {{"local_memory=\"492830720\"", "local_memory=\"492830721\""}});
  const absl::Status status = ParseLstopoMachine("odd.xml", xml).status();
  EXPECT_THAT(std::string(status.message()),
              HasSubstr("odd.xml: NUMANode 0: local_memory: \"492830721\" is not a multiple"));
}

TEST(LstopoTest, MachineWithoutMemoryIsAnError) {
  const std::string xml =
      absl::StrReplaceAll(Contents(TestData("two_nodes.xml")), {{"local_memory=\"492830720\"", ""}});
  const absl::Status status = ParseLstopoMachine("empty.xml", xml).status();
  EXPECT_THAT(std::string(status.message()), HasSubstr("no NUMANode has local_memory"));
}

// ---- What hwloc itself dies of ----

// A topology file with one object more in its Machine.
std::string WithObject(const std::string& object) {
  return absl::StrReplaceAll(Contents(TestData("two_nodes.xml")),
                             {{"<info name=\"Backend\"", object + "\n<info name=\"Backend\""}});
}

std::string MistakeIn(const std::string& xml) {
  const absl::Status status = ParseLstopoMachine("m.xml", xml).status();
  EXPECT_EQ(status.code(), absl::StatusCode::kInvalidArgument) << status;
  return std::string(status.message());
}

// hwloc 2.9 reads through the null pointer.
TEST(LstopoTest, ObjectWithoutASetIsNamedByLineBeforeHwlocSeesIt) {
  const std::string whole =
      R"(<object type="PU" os_index="9" cpuset="0x200" complete_cpuset="0x200" nodeset="0x1" complete_nodeset="0x1" gp_index="99"/>)";
  for (const std::string set : {"cpuset", "complete_cpuset", "nodeset", "complete_nodeset", "os_index"}) {
    const std::string attribute = absl::StrCat(" ", set, "=");
    const std::string object = absl::StrReplaceAll(whole, {{attribute, " x" + set + "="}});
    EXPECT_EQ(MistakeIn(WithObject(object)),
              "m.xml:5: object 'PU': " + set + " is missing; expected what `lstopo FILE.xml` writes");
  }
}

TEST(LstopoTest, XmlThatIsNotWellFormedIsNamedByLine) {
  EXPECT_THAT(MistakeIn("<topology version=\"2.0\">\n  <object type=\"Machine\">\n</topology>"),
              HasSubstr("m.xml:2: not well-formed (xml error mismatched element); expected what `lstopo"));
  EXPECT_THAT(MistakeIn("<html/>"), HasSubstr("m.xml:1: the outermost element is 'html', not a topology"));
}

// What nobody has thought of: cut and damaged in every place, it is refused or read, and this process lives.
TEST(LstopoTest, DamagedTopologiesNeverEndTheProgram) {
  const std::string xml = Contents(TestData("sparse_numbers.xml"));
  int refused = 0;
  for (size_t at = 0; at < xml.size(); at += 23) {
    for (const size_t length : {1, 6}) {
      const absl::Status status =
          ParseLstopoMachine("m.xml", xml.substr(0, at) + xml.substr(std::min(xml.size(), at + length)))
              .status();
      refused += !status.ok();
      if (!status.ok()) {
        EXPECT_THAT(std::string(status.message()), HasSubstr("m.xml:"));
      }
    }
  }
  EXPECT_GT(refused, 0);
}

TEST(LstopoTest, CpusAndMemoryBeyondWhatCanBeSimulatedAreNamed) {
  const std::string two = Contents(TestData("two_nodes.xml"));
  EXPECT_THAT(
      MistakeIn(absl::StrReplaceAll(
          two, {{"local_memory=\"492830720\"", "local_memory=\"18446744073709547520\""}})),
      HasSubstr("NUMANode 0: local_memory: '18446744073709547520' is too large; expected at most 8T"));
}

TEST(ThisMachineTest, HasACpuAndMemory) {
  const absl::StatusOr<Topology> topology = ReadThisMachinesTopology();
  ASSERT_TRUE(topology.ok()) << topology.status();
  EXPECT_GE(static_cast<long>(OsCpus(*topology).size()), sysconf(_SC_NPROCESSORS_ONLN));
  uint64_t bytes = 0;
  for (const TopologyNode& node : topology->nodes) bytes += node.memory_bytes;
  EXPECT_GT(bytes, 0u);
}

}  // namespace
}  // namespace numasim::workloads
