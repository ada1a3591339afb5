// What becomes of the user's files: inputs that cannot be read to their end, and outputs of runs that fail,
// are killed, or find no room.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <cstdlib>
#include <filesystem>
#include <string>

#include "absl/strings/str_cat.h"
#include "tests/cli/program_test.h"

namespace numasim {
namespace {

using ::testing::AllOf;
using ::testing::HasSubstr;

constexpr char kMachine[] =
    "machine { node { memory: '64M' } node { memory: '64M' } }\nkernel { thp { enabled: 'never' } }\n";
constexpr char kWorkload[] =
    "workload { script {\n line: 'spawn p'\n line: '@p map a 1M anon'\n line: '@p touch a'\n} }\n";
constexpr char kRecording[] = "tests/kernel_truth/numa_interleave.truth.json";
constexpr char kTwoNodes[] = "tests/workloads/machine/testdata/two_nodes";

// ---- Reading ----

class ReadErrorTest : public ProgramTest {
 protected:
  void SetUp() override {
    ProgramTest::SetUp();
    setenv("LD_PRELOAD", Runfile("tests/cli/failing_read.so").c_str(), 1);
  }
  void TearDown() override {
    unsetenv("LD_PRELOAD");
    ProgramTest::TearDown();
  }
};

TEST_F(ReadErrorTest, RestOfAScriptIsNotLeftOut) {
  // Cut off after 50 bytes it would be a script that runs.
  const std::string start = "machine nodes=1 node_mem=64M\nspawn p\n@p cpu 0\n";
  Write("broken.mm", absl::StrCat(start, std::string(50 - start.size(), '\n'), "@p exit\n"));
  EXPECT_THAT(Refused({"run", "broken.mm"}), HasSubstr("broken.mm: Input/output error"));
  Write("s.textproto", absl::StrCat(kMachine, "workload { script { file: 'broken.mm' } }"));
  EXPECT_THAT(Refused({"run", "s.textproto"}), HasSubstr("'broken.mm' cannot be read (Input/output error)"));
  EXPECT_THAT(Refused({"conform", "broken.mm", "--boot", Runfile(kRecording), "--json", "o.json"}),
              HasSubstr("broken.mm: Input/output error"));
}

TEST_F(ReadErrorTest, ScenarioIsNotTakenForAShorterOne) {
  Write("broken.textproto", absl::StrCat(kMachine, kWorkload));
  EXPECT_THAT(Refused({"run", "broken.textproto"}), HasSubstr("broken.textproto: Input/output error"));
}

TEST_F(ReadErrorTest, MachineFilesAreReadToTheirEnd) {
  fs::copy_file(Runfile(kRecording), "broken.json");
  fs::copy_file(absl::StrCat(Runfile(kTwoNodes), ".xml"), "broken.xml");
  Write("broken.txt", "node { memory: '64M' }\n# What follows was written by numasim snapshot.\n");
  Write("s.mm", "spawn p\n");
  EXPECT_THAT(Refused({"conform", "s.mm", "--boot", "broken.json", "--json", "o.json"}),
              HasSubstr("broken.json: Input/output error"));
  for (const char* source :
       {"snapshot_file: 'broken.txt'", "boot_state_file: 'broken.json'", "lstopo_file: 'broken.xml'"}) {
    Write("s.textproto", absl::StrCat("machine { ", source, " }\n", kWorkload));
    EXPECT_THAT(Refused({"run", "s.textproto"}), HasSubstr("cannot be read (Input/output error)")) << source;
  }
}

TEST_F(ReadErrorTest, SnapshotReadsEveryFileToItsEnd) {
  const std::string xml = absl::StrCat(Runfile(kTwoNodes), ".xml");
  fs::copy_file(xml, "broken.xml");
  EXPECT_THAT(Refused({"snapshot", "--root", Runfile(kTwoNodes), "--topology", "broken.xml", "--out", "o"}),
              HasSubstr("broken.xml: cannot be read: Input/output error"));
  for (const std::string name : {"zoneinfo", "buddyinfo", "pagetypeinfo", "cmdline"}) {
    fs::copy(Runfile(kTwoNodes), "root", fs::copy_options::recursive);
    fs::rename("root/proc/" + name, "root/proc/broken");
    fs::create_symlink("broken", "root/proc/" + name);
    EXPECT_THAT(Refused({"snapshot", "--root", "root", "--topology", xml, "--out", "o"}),
                HasSubstr(absl::StrCat("root/proc/", name, ": cannot be read: Input/output error")));
    fs::remove_all("root");
  }
}

TEST_F(ReadErrorTest, TraceIsNotTakenForACutOne) {
  Write("s.textproto", absl::StrCat(kMachine, kWorkload));
  ASSERT_EQ(Numasim({"run", "s.textproto", "--out", "broken.pb"}).exit_status, 0);
  EXPECT_THAT(Refused({"dump", "broken.pb"}), AllOf(HasSubstr("broken.pb"), HasSubstr("Input/output error")));
}

}  // namespace
}  // namespace numasim
