// The program where its host gives it less than it needs, and where its inputs have no end.
#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <sys/wait.h>

#include <cstdint>
#include <cstdlib>
#include <string>
#include <vector>

#include "absl/strings/str_cat.h"
#include "tests/cli/program_test.h"

namespace numasim {
namespace {

using ::testing::HasSubstr;

class LimitsTest : public ProgramTest {
 protected:
  // As a shell runs it; `command` has NUMASIM where the program stands.
  static Outcome Shell(const std::string& command) {
    setenv("NUMASIM", Runfile("cli/numasim").c_str(), 1);
    const int status = std::system(absl::StrCat("exec >.out 2>.err; ", command).c_str());
    return {WIFEXITED(status) ? WEXITSTATUS(status) : -1, FileText(".out"), FileText(".err")};
  }
};

#ifndef NUMASIM_SANITIZER  // its shadow memory is terabytes
TEST_F(LimitsTest, AddressSpaceThatIsTooSmallForTheMachineIsSaidBeforeTheRun) {
  Write("s.mm", "machine nodes=2 node_mem=1T\nspawn p\n");
  const Outcome outcome = Shell("ulimit -v 1000000; $NUMASIM run s.mm");
  EXPECT_EQ(outcome.exit_status, 1);
  EXPECT_THAT(outcome.err, HasSubstr("numasim: s.mm:1: machine: simulating it takes about 4."));
  EXPECT_THAT(outcome.err, HasSubstr("GiB of address space, and this process has "));
  EXPECT_EQ(Files(), std::vector<std::string>{"s.mm"});
}

// What is refused with a limit is refused with every smaller one.
TEST_F(LimitsTest, LargerLimitOfAddressSpaceAllowsNoLess) {
  Write("s.mm", "machine nodes=2 node_mem=4G cpus_per_node=2\nspawn p\n@p map m 64M anon\n@p touch m\n");
  bool allowed = false;
  for (int64_t kilobytes = 90'000; kilobytes <= 330'000; kilobytes += 10'000) {
    const Outcome outcome =
        Shell(absl::StrCat("ulimit -v ", kilobytes, "; $NUMASIM run s.mm --threads 2 --out o.pb"));
    if (!allowed) {
      allowed = outcome.exit_status == 0;
      EXPECT_FALSE(allowed && kilobytes == 90'000);
      continue;
    }
    EXPECT_EQ(outcome.exit_status, 0) << kilobytes << ": " << outcome.err;
  }
  EXPECT_TRUE(allowed);
}

// The page tables of what is touched are more than what is left.
TEST_F(LimitsTest, MemoryThatRunsOutDuringTheRunIsAMessage) {
  Write("s.mm", "machine nodes=1 node_mem=64G\nthp enabled never\nspawn p\n@p map m 60G anon\n@p touch m\n");
  const Outcome outcome = Shell("ulimit -v 310000; $NUMASIM run s.mm --threads 1");
  EXPECT_EQ(outcome.exit_status, 1);
  EXPECT_EQ(outcome.err,
            "numasim: out of memory: this process may have 302 MiB of address space (ulimit -v); expected a "
            "smaller "
            "machine, fewer streams, or a larger limit\n");
}
#endif

#ifndef NUMASIM_SANITIZER
// A thousand threads would take 8 GiB of address space for their stacks.
TEST_F(LimitsTest, MoreThreadsThanTheHostHasCpusAreNotMadeAndChangeNothing) {
  Write("s.mm", "machine nodes=2 node_mem=64M\nspawn p\n@p map m 8M anon\n@p touch m\n");
  ASSERT_EQ(Numasim({"run", "s.mm", "--threads", "1", "--out", "one.pb"}).exit_status, 0);
  const Outcome outcome =
      Shell("ulimit -s 8192; ulimit -v 4000000; $NUMASIM run s.mm --threads 1000 --out many.pb");
  EXPECT_EQ(outcome.exit_status, 0) << outcome.err;
  EXPECT_TRUE(FileText("one.pb") == FileText("many.pb"));
}

// Greatest resident memory of a run, in bytes.
int64_t PeakOf(pid_t child) {
  rusage usage = {};
  int status = 0;
  EXPECT_EQ(wait4(child, &status, 0, &usage), child);
  EXPECT_TRUE(WIFEXITED(status) && WEXITSTATUS(status) == 0) << FileText(".err");
  return usage.ru_maxrss * 1024;
}

// A CPU's lists of free pages are made when it first uses them, so one that nobody runs on takes its name and
// little more.
TEST_F(LimitsTest, CpusThatAreNotUsedTakeLittleMemory) {
  constexpr int kNodes = 64;
  constexpr int kCpus = 4096;  // of each node
  const auto peak = [](int cpus) {
    std::string text = "machine {\n";
    for (int n = 0; n < kNodes; ++n) absl::StrAppend(&text, "node { memory: '1G' cpus: ", cpus, " }\n");
    text += "}\nworkload { script { line: 'spawn p' line: '@p map a 64M anon' line: '@p touch a' } }\n";
    Write("s.textproto", text);
    return PeakOf(Start({"run", "s.textproto", "--threads", "1", "--quiet"}));
  };
  EXPECT_LT(peak(kCpus) - peak(1), int64_t{kNodes} * kCpus * 512);
}
#endif

TEST_F(LimitsTest, DevicesAsInputsAreRefused) {
  Write("s.mm", "machine nodes=1 node_mem=1G\nspawn p\n");
  EXPECT_EQ(Refused({"run", "/dev/zero"}), "numasim: /dev/zero: it is a device; expected a file or a pipe\n");
  EXPECT_THAT(Refused({"conform", "s.mm", "--boot", "/dev/zero", "--json", "o.json"}),
              HasSubstr("/dev/zero: it is a device"));
  EXPECT_THAT(Refused({"snapshot", "--root", ".", "--topology", "/dev/zero"}), HasSubstr("it is a device"));
  EXPECT_THAT(Refused({"dump", "/dev/zero"}), HasSubstr("/dev/zero is not a regular file"));
}

TEST_F(LimitsTest, TraceInAPipeIsRefusedWithoutWaitingForAWriter) {
  ASSERT_EQ(mkfifo("pipe", 0600), 0);
  ASSERT_EQ(mkfifo("pipe.sqlite", 0600), 0);
  const std::vector<std::string> commands[] = {
      {"dump", "pipe"},   {"metrics", "pipe"},       {"export", "--perfetto", "pipe"},
      {"report", "pipe"}, {"report", "pipe.sqlite"}, {"compare", "pipe", "pipe.sqlite"}};
  for (const std::vector<std::string>& command : commands)
    EXPECT_THAT(Refused(command), HasSubstr(" is not a regular file")) << command.front();
}

// What a scenario names is quoted in messages, so it must be named as what it is to be.
TEST_F(LimitsTest, FilesThatAreNotNamedAsTextMessagesAreNotQuoted) {
  Write("secret.txt", "hunter2\n");
  Write("s.textproto", "machine { snapshot_file: 'secret.txt' } workload { script { line: 'spawn p' } }");
  EXPECT_EQ(
      Refused({"run", "s.textproto"}),
      "numasim: s.textproto:1:11: machine.snapshot_file: 'secret.txt' is not named as a snapshot; expected a "
      "name that ends in .textproto, .txtpb or .pbtxt\n");
  Write("study.textproto", "scenario: 'secret.txt'");
  EXPECT_EQ(Refused({"sweep", "study.textproto"}),
            "numasim sweep: study.textproto:1:1: scenario: 'secret.txt' is not named as a scenario; expected "
            "a name that "
            "ends in .textproto, .txtpb or .pbtxt\n");
}

TEST_F(LimitsTest, ScenarioComesThroughAPipe) {
  const std::string scenario =
      "printf '%s' \"machine { node { memory: '16M' cpus: 1 } } workload { script { line: 'spawn p' } }\"";
  EXPECT_EQ(Shell(absl::StrCat(scenario, " | $NUMASIM run /dev/stdin --out o.pb")).exit_status, 0)
      << FileText(".err");
  EXPECT_EQ(Shell(absl::StrCat("bash -c '$NUMASIM run <(cat s.textproto) --out o.pb'")).exit_status, 1);
}

TEST_F(LimitsTest, FilesOutsideTheScenariosFolderNeedTheFlag) {
  Write("load.mm", "spawn p\n");
  fs::create_directory("in");
  Write("in/s.textproto",
        "machine { node { memory: '16M' cpus: 1 } } workload { script { file: '../load.mm' } }");
  EXPECT_THAT(Refused({"run", "in/s.textproto"}),
              HasSubstr("'../load.mm' cannot be read (it is outside the scenario's folder, which needs "
                        "--allow-outside-files)"));
  EXPECT_EQ(Numasim({"run", "in/s.textproto", "--allow-outside-files"}).exit_status, 0);
}

TEST_F(LimitsTest, ConformingNamesAnOperationThatNeverEnds) {
  const std::string recording = Runfile("tests/kernel_truth/hugetlb_fork_cow.truth.json");
  Write("s.mm", "sleep 9223372036000\nsleep 855\n");
  EXPECT_THAT(
      Refused({"conform", "s.mm", "--boot", recording, "--json", "o.json"}),
      HasSubstr("s.mm:2: 'sleep 855': never ends: it waits for a time after the end of simulated time"));
}

}  // namespace
}  // namespace numasim
