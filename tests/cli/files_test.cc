// What becomes of the user's files: inputs that cannot be read to their end, and outputs of runs that fail,
// are killed, or find no room.
#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <sys/mount.h>
#include <sys/resource.h>
#include <sys/wait.h>

#include <algorithm>
#include <chrono>
#include <csignal>
#include <cstdlib>
#include <filesystem>
#include <functional>
#include <string>
#include <thread>
#include <tuple>
#include <vector>

#include "absl/strings/str_cat.h"
#include "proto/trace_reader.h"
#include "tests/cli/program_test.h"

namespace numasim {
namespace {

using ::testing::AllOf;
using ::testing::EndsWith;
using ::testing::HasSubstr;
using ::testing::StartsWith;

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
  Write("broken.textproto", "node { memory: '64M' }\n# What follows was written by numasim snapshot.\n");
  Write("s.mm", "spawn p\n");
  EXPECT_THAT(Refused({"conform", "s.mm", "--boot", "broken.json", "--json", "o.json"}),
              HasSubstr("broken.json: Input/output error"));
  for (const char* source :
       {"snapshot_file: 'broken.textproto'", "boot_state_file: 'broken.json'", "lstopo_file: 'broken.xml'"}) {
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

// The disk fails behind the beginning, which tells what the trace is of, and just before its end.
TEST_F(ReadErrorTest, TraceIsReadToItsEndByAllThatReadIt) {
  Write("s.textproto", absl::StrCat(kMachine,
                                    "workload { script { loops: 30 line: 'spawn p' line: '@p map a 8M anon' "
                                    "line: '@p touch a' } }\ntrace { interval: '10us' }\n"));
  ASSERT_EQ(Numasim({"run", "s.textproto", "--out", "whole.pb"}).exit_status, 0);
  const uintmax_t size = fs::file_size("whole.pb");
  ASSERT_GT(size, 20'000u);
  for (const uintmax_t good : {size / 2, size - 10}) {
    const std::string name = absl::StrCat("broken_at_", good, ".pb");
    const std::string message = absl::StrCat("cannot read trace ", name, ": Input/output error");
    fs::copy_file("whole.pb", name);
    for (const std::vector<std::string>& command :
         std::vector<std::vector<std::string>>{{"metrics", name},
                                               {"report", name},
                                               {"export", name, "--perfetto"},
                                               {"compare", name, "whole.pb"},
                                               {"compare", "whole.pb", name}})
      EXPECT_THAT(Refused(command), HasSubstr(message)) << command.front();
    // What it has printed by then it cannot take back.
    for (const std::string format : {"text", "csv", "json"}) {
      const Outcome dump = Numasim({"dump", name, "--format", format});
      EXPECT_EQ(dump.exit_status, 1) << format;
      EXPECT_THAT(dump.err, HasSubstr(message)) << format;
    }
  }
}

// ---- Writing ----

// Runs for ever, and writes little: its counters stand still while it sleeps.
constexpr char kQuiet[] = "workload { script { loops: 1000000000 line: 'sleep 1' } }\n";
// Runs for ever, and writes much.
constexpr char kBusy[] =
    "workload { script { loops: 1000000000 line: 'spawn p' line: '@p map a 8M anon' line: '@p touch a' } }\n"
    "trace { interval: '10us' }\n";
// Runs for ever without simulated time: not even what the engine needs between nodes.
constexpr char kNoTime[] = "workload { script { loops: 1000000000 line: 'sleep 0' } }\nstop_after: '10s'\n";

class TraceFileTest : public ProgramTest {
 protected:
  void SetUp() override {
    ProgramTest::SetUp();
    Write("s.textproto", absl::StrCat(kMachine, kWorkload));
    Write("quiet.textproto", absl::StrCat(kMachine, kQuiet));
    Write("busy.textproto", absl::StrCat(kMachine, kBusy));
    Write("no_time.textproto", absl::StrCat(kMachine, kNoTime));
    ASSERT_EQ(Numasim({"run", "s.textproto", "--out", "x.pb"}).exit_status, 0);
    complete_ = FileText("x.pb");
    ASSERT_FALSE(complete_.empty());
  }

  static void WaitFor(const std::function<bool()>& holds) {
    for (int i = 0; i < 6000 && !holds(); ++i) std::this_thread::sleep_for(std::chrono::milliseconds(10));
    EXPECT_TRUE(holds());
  }
  static bool HasBytes(const std::string& path, uintmax_t least) {
    std::error_code error;
    const uintmax_t size = fs::file_size(path, error);
    return !error && size >= least;
  }
  // The child's exit status; -1 if a signal killed it.
  static int Wait(pid_t child) {
    int status = 0;
    waitpid(child, &status, 0);
    return WIFEXITED(status) ? WEXITSTATUS(status) : -1;
  }

  std::string complete_;
};

TEST_F(TraceFileTest, CompleteTraceSurvivesAKilledRunOfItsName) {
  const pid_t child = Start({"run", "busy.textproto", "--out", "x.pb"});
  WaitFor([] { return HasBytes("x.pb.partial", 300'000); });
  kill(child, SIGKILL);
  EXPECT_EQ(Wait(child), -1);
  EXPECT_TRUE(FileText("x.pb") == complete_);
  const auto partial = TraceReader::Open("x.pb.partial");
  ASSERT_TRUE(partial.ok()) << partial.status();
  EXPECT_GT((*partial)->index().samples(), 100u);
  // The next run of that name needs no help.
  EXPECT_EQ(Numasim({"run", "s.textproto", "--out", "x.pb"}).exit_status, 0);
  EXPECT_TRUE(FileText("x.pb") == complete_);
  EXPECT_FALSE(fs::exists("x.pb.partial"));
}

TEST_F(TraceFileTest, CompleteTraceSurvivesAFailingRunOfItsName) {
  Write("bad.textproto", absl::StrCat(kMachine, "workload { script { line: 'cma_alloc camera a 4M' } }"));
  Refused({"run", "bad.textproto", "--out", "x.pb"});
  EXPECT_TRUE(FileText("x.pb") == complete_);
}

TEST_F(TraceFileTest, FileSizeLimitIsAMessageAndEndsTheRunAtOnce) {
  rlimit before = {};
  getrlimit(RLIMIT_FSIZE, &before);
  const rlimit small = {.rlim_cur = 100'000, .rlim_max = before.rlim_max};
  setrlimit(RLIMIT_FSIZE, &small);
  const Outcome run = Numasim({"run", "busy.textproto", "--out", "x.pb"});  // would run for hours
  setrlimit(RLIMIT_FSIZE, &before);
  EXPECT_EQ(run.exit_status, 1);
  EXPECT_EQ(run.err, "numasim: cannot write trace x.pb: File too large (see ulimit -f)\n");
  EXPECT_TRUE(FileText("x.pb") == complete_);
  EXPECT_FALSE(fs::exists("x.pb.partial"));
}

TEST_F(TraceFileTest, FullDiskEndsTheRunAtOnce) {
  fs::create_directory("small");
  if (mount("tmpfs", "small", "tmpfs", 0, "size=128k") != 0)
    GTEST_SKIP() << "needs the right to mount a tmpfs";
  fs::copy_file("x.pb", "small/x.pb");
  const Outcome run = Numasim({"run", "busy.textproto", "--out", "small/x.pb"});
  EXPECT_EQ(run.exit_status, 1);
  EXPECT_EQ(run.err, "numasim: cannot write trace small/x.pb: No space left on device\n");
  EXPECT_TRUE(FileText("small/x.pb") == complete_);
  EXPECT_FALSE(fs::exists("small/x.pb.partial"));
  umount("small");
}

TEST_F(TraceFileTest, LinkStaysALinkAndItsTargetIsReplaced) {
  fs::create_directory("sub");
  Write("sub/old.pb", "old");
  fs::create_symlink("sub/old.pb", "link.pb");
  fs::create_symlink("sub/new.pb", "dangling.pb");
  for (const std::string link : {"link.pb", "dangling.pb"}) {
    EXPECT_EQ(Numasim({"run", "s.textproto", "--out", link}).exit_status, 0);
    EXPECT_TRUE(fs::is_symlink(link));
    EXPECT_TRUE(FileText(link) == complete_);
  }
  EXPECT_FALSE(fs::exists("sub/old.pb.partial"));
}

TEST_F(TraceFileTest, SecondRunToANameIsRefused) {
  const pid_t child = Start({"run", "quiet.textproto", "--out", "x.pb"});
  WaitFor([] { return HasBytes("x.pb.partial", 100); });
  const fs::path out = fs::absolute(".out2");
  Write("second.sh",
        absl::StrCat("exec ", Runfile("cli/numasim"), " run s.textproto --out x.pb >.out2 2>&1"));
  EXPECT_NE(std::system("sh second.sh"), 0);
  EXPECT_EQ(FileText(out),
            "numasim: cannot create trace x.pb: another program is writing it (as x.pb.partial)\n");
  kill(child, SIGTERM);
  EXPECT_EQ(Wait(child), 143);
  EXPECT_TRUE(FileText("x.pb") == complete_);
}

TEST_F(TraceFileTest, RunThatWritesLittleLosesASecondAtMostWhenKilled) {
  const pid_t child = Start({"run", "quiet.textproto", "--out", "quiet.pb"});
  const auto samples = [] {
    const auto reader = TraceReader::Open("quiet.pb.partial");
    return reader.ok() ? (*reader)->index().samples() : 0;
  };
  // No block is full for long, and still the trace goes on: of some times, at least one is what it should be
  // on a machine that has other work.
  WaitFor([&] { return samples() > 0; });
  uint64_t seen = samples();
  auto shortest = std::chrono::steady_clock::duration::max();
  for (int i = 0; i < 5; ++i) {
    const auto began = std::chrono::steady_clock::now();
    WaitFor([&] { return samples() > seen; });
    seen = samples();
    shortest = std::min(shortest, std::chrono::steady_clock::now() - began);
  }
  EXPECT_LT(shortest, std::chrono::seconds(3));
  kill(child, SIGKILL);
  EXPECT_EQ(Wait(child), -1);
  EXPECT_GE(samples(), seen);
}

TEST_F(TraceFileTest, SignalEndsTheRunWithSummaryTraceAndItsStatus) {
  for (const auto& [signal, name, status] :
       {std::tuple(SIGINT, "SIGINT", 130), std::tuple(SIGTERM, "SIGTERM", 143)}) {
    fs::remove("x.pb.partial");
    const pid_t child = Start({"run", "busy.textproto", "--out", "x.pb"});
    WaitFor([] { return HasBytes("x.pb.partial", 50'000); });
    kill(child, signal);
    EXPECT_EQ(Wait(child), status);
    const std::string out = FileText(".out");
    EXPECT_THAT(out, HasSubstr("busy.textproto: simulated ")) << out;
    EXPECT_THAT(out, HasSubstr(absl::StrCat("ended by ", name, " before its end\n0 of 1 streams ended")));
    EXPECT_THAT(out, HasSubstr("trace: x.pb.partial ("));
    EXPECT_THAT(FileText(".err"), HasSubstr(absl::StrCat("numasim: ", name, " ended the run at ")));
    // What was complete stays; what there is now is readable to its end, and says what it is.
    EXPECT_TRUE(FileText("x.pb") == complete_);
    const Outcome dump = Numasim({"dump", "x.pb.partial", "--every", "1s"});
    EXPECT_EQ(dump.exit_status, 0) << dump.err;
    EXPECT_THAT(dump.out, HasSubstr(absl::StrCat("(ended by ", name, " before its end)")));
  }
}

// `child` has a handler for the signal.
bool Catches(pid_t child, int signal) {
  const std::string status = FileText(absl::StrCat("/proc/", child, "/status"));
  const size_t at = status.find("SigCgt:");
  if (at == std::string::npos) return false;
  return (std::stoull(status.substr(at + 7), nullptr, 16) >> (signal - 1) & 1) != 0;
}

TEST_F(TraceFileTest, SignalEndsConformWithAMessageItsStatusAndNoFile) {
  constexpr int kSteps = 50'000;  // take some seconds
  std::string script = "spawn p\n";
  for (int i = 1; i < kSteps; ++i) script += "sleep 1\n";
  Write("long.mm", script);
  const std::vector<std::string> before = Files();
  for (const auto& [signal, name, status] :
       {std::tuple(SIGINT, "SIGINT", 130), std::tuple(SIGTERM, "SIGTERM", 143)}) {
    const pid_t child = Start({"conform", "long.mm", "--boot", Runfile(kRecording), "--json", "o.json"});
    WaitFor([&] { return Catches(child, signal); });
    kill(child, signal);
    EXPECT_EQ(Wait(child), status);
    EXPECT_EQ(FileText(".out"), "");
    const std::string err = FileText(".err");
    EXPECT_THAT(err, StartsWith(absl::StrCat("numasim: ", name, " ended the run at long.mm:"))) << err;
    EXPECT_THAT(err, EndsWith(absl::StrCat(" of ", kSteps, "; nothing is written\n")));
    EXPECT_EQ(std::count(err.begin(), err.end(), '\n'), 1) << err;
    EXPECT_EQ(Files(), before);
  }
}

TEST_F(TraceFileTest, EndedRunIsTheBeginningOfAWholeOne) {
  const pid_t child = Start({"run", "busy.textproto", "--out", "x.pb"});
  WaitFor([] { return HasBytes("x.pb.partial", 50'000); });
  kill(child, SIGINT);
  EXPECT_EQ(Wait(child), 130);
  const int64_t end_ns = (*TraceReader::Open("x.pb.partial"))->index().last_ns();
  Write("whole.textproto", absl::StrCat(kMachine, kBusy, "stop_after: '", end_ns, "ns'\n"));
  ASSERT_EQ(Numasim({"run", "whole.textproto"}).exit_status, 0);
  const std::string ended = Numasim({"dump", "x.pb.partial", "--format", "csv"}).out;
  EXPECT_TRUE(ended == Numasim({"dump", "whole.trace.pb", "--format", "csv"}).out);
}

TEST_F(TraceFileTest, LoopWithoutSimulatedTimeCanBeEnded) {
  const pid_t child = Start({"run", "no_time.textproto", "--out", "x.pb"});
  WaitFor([] { return fs::exists("x.pb.partial"); });
  std::this_thread::sleep_for(std::chrono::milliseconds(500));
  kill(child, SIGINT);
  EXPECT_EQ(Wait(child), 130);
  EXPECT_THAT(FileText(".out"), HasSubstr("ended by SIGINT"));
}

TEST_F(TraceFileTest, SummaryThatCannotBeWrittenIsAnError) {
  const auto run = [](const std::string& to) {
    Write("run.sh", absl::StrCat(Runfile("cli/numasim"), " run s.textproto --out y.pb ", to, " 2>.err"));
    const int status = std::system("sh run.sh");
    return WEXITSTATUS(status);
  };
  EXPECT_EQ(run(">/dev/full"), 1);
  EXPECT_EQ(FileText(".err"), "numasim: standard output cannot be written: No space left on device\n");
  EXPECT_TRUE(FileText("y.pb") == complete_);
  fs::remove("y.pb");
  // A closed stream's number must not become the trace's.
  EXPECT_EQ(run(">&-"), 1);
  EXPECT_EQ(FileText(".err"), "numasim: standard output cannot be written: Bad file descriptor\n");
  EXPECT_TRUE(FileText("y.pb") == complete_);
}

TEST_F(TraceFileTest, TraceAndSummaryDoNotMix) {
  for (const std::string to : {">.all", "| cat >.all"}) {
    Write("run.sh", absl::StrCat(Runfile("cli/numasim"), " run s.textproto --out /dev/stdout 2>.err ", to));
    EXPECT_EQ(std::system("sh run.sh"), 0);
    EXPECT_TRUE(FileText(".all") == complete_) << to;
    EXPECT_THAT(FileText(".err"), HasSubstr("s.textproto: simulated "));
  }
}

TEST_F(TraceFileTest, OtherOutputsThatCannotBeWrittenAreErrors) {
  for (const std::string arguments :
       {"--help", "--version", "help run", "dump x.pb", "dump x.pb --format csv"}) {
    Write("run.sh", absl::StrCat(Runfile("cli/numasim"), " ", arguments, " >/dev/full 2>.err"));
    EXPECT_EQ(WEXITSTATUS(std::system("sh run.sh")), 1) << arguments;
    EXPECT_THAT(FileText(".err"), HasSubstr("numasim")) << arguments;
  }
}

// ---- Inputs as outputs ----

TEST_F(TraceFileTest, ConformOverwritesNoInput) {
  Write("s.mm", "spawn p\n");
  fs::copy_file(Runfile(kRecording), "boot.json");
  const std::string boot = FileText("boot.json");
  fs::create_symlink("s.mm", "link");
  fs::create_hard_link("boot.json", "hard");
  for (const std::string output : {"s.mm", "./s.mm", "link", "boot.json", "hard"}) {
    EXPECT_THAT(Refused({"conform", "s.mm", "--boot", "boot.json", "--json", output}),
                HasSubstr("is an input of this run"))
        << output;
  }
  fs::rename("boot.json", "o.json.partial");
  EXPECT_THAT(Refused({"conform", "s.mm", "--boot", "o.json.partial", "--json", "o.json"}),
              HasSubstr("is written as o.json.partial at first, which is an input"));
  EXPECT_EQ(FileText("s.mm"), "spawn p\n");
  EXPECT_TRUE(FileText("o.json.partial") == boot);
}

TEST_F(TraceFileTest, SnapshotOverwritesNoInput) {
  fs::copy_file(absl::StrCat(Runfile(kTwoNodes), ".xml"), "m.xml");
  fs::copy(Runfile(kTwoNodes), "root", fs::copy_options::recursive);
  fs::create_symlink("root/proc/zoneinfo", "link");
  fs::create_hard_link("root/proc/cmdline", "hard");
  const std::string xml = FileText("m.xml");
  for (const std::string output : {"m.xml", "root/proc/zoneinfo", "link", "hard"}) {
    EXPECT_THAT(Refused({"snapshot", "--root", "root", "--topology", "m.xml", "--out", output}),
                HasSubstr("is an input of this run"))
        << output;
  }
  EXPECT_TRUE(FileText("m.xml") == xml);
}

TEST_F(TraceFileTest, RunOverwritesNoInput) {
  Write("load.mm", "spawn p\n");
  Write("f.textproto", absl::StrCat(kMachine, "workload { script { file: 'load.mm' } }"));
  fs::create_hard_link("load.mm", "hard");
  for (const std::string output : {"f.textproto", "load.mm", "hard"}) {
    EXPECT_THAT(Refused({"run", "f.textproto", "--out", output}), HasSubstr("is an input of this run"))
        << output;
  }
}

// ---- Help ----

TEST_F(TraceFileTest, HelpAndVersionAreAnswered) {
  EXPECT_EQ(Numasim({"help", "run"}).exit_status, 0);
  EXPECT_THAT(Numasim({"help", "run"}).out, AllOf(HasSubstr("numasim run"), HasSubstr("--threads")));
  EXPECT_EQ(Numasim({"help"}).out, Numasim({"--help"}).out);
  EXPECT_THAT(Numasim({"--version"}).out, StartsWith("numasim 0."));
  EXPECT_THAT(Refused({"help", "frob"}), HasSubstr("'frob' is no subcommand; expected one of run, "));
}

}  // namespace
}  // namespace numasim
