// The program `numasim` as its users run it: what it prints, writes and leaves behind, with right and with
// wrong input.
#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <sys/mount.h>
#include <sys/wait.h>

#include <algorithm>
#include <chrono>
#include <csignal>
#include <cstdlib>
#include <filesystem>
#include <string>
#include <thread>
#include <utility>
#include <vector>

#include "absl/strings/str_cat.h"
#include "absl/strings/str_join.h"
#include "absl/strings/str_replace.h"
#include "cli/run/traced_run.h"
#include "nlohmann/json.hpp"
#include "proto/trace_reader.h"
#include "tests/cli/program_test.h"

namespace numasim {
namespace {

using nlohmann::json;
using ::testing::AllOf;
using ::testing::HasSubstr;
using ::testing::Not;
using ::testing::StartsWith;

constexpr char kMachine[] =
    "machine { node { memory: '64M' } node { memory: '64M' } }\nkernel { thp { enabled: 'never' } }\n";
constexpr char kWorkload[] =
    "workload { script {\n line: 'spawn p'\n line: '@p map a 1M anon'\n line: '@p touch a'\n} }\n";
constexpr char kRecording[] = "tests/kernel_truth/numa_interleave.truth.json";

class RunTest : public ProgramTest {};

// ---- Right input ----

TEST(ExamplesTest, AllLoadAndHaveOnlyModelledOperations) {
  int examples = 0;
  for (const auto& entry : fs::directory_iterator(Runfile("examples"))) {
    if (entry.path().extension() != ".textproto") continue;
    if (entry.path().stem().extension() == ".study") continue;  // for numasim sweep
    ++examples;
    const auto scenario = LoadInput(entry.path());
    ASSERT_TRUE(scenario.ok()) << scenario.status();
    const auto simulation = workloads::Simulation::Create(*scenario, {});
    EXPECT_TRUE(simulation.ok()) << simulation.status();
  }
  EXPECT_GE(examples, 1);
}

TEST_F(RunTest, ATraceRunsAgainToTheSameBytesWithoutTheFilesItWasMadeOf) {
  Write("guest.mm", "spawn p\n@p map a 1M anon\n@p touch a\n");
  Write("s.textproto", std::string(kMachine) + "workload { script { file: 'guest.mm' copies: 2 } }\n");
  ASSERT_EQ(Numasim({"run", "s.textproto", "--seed", "7", "--quiet"}).exit_status, 0);
  fs::remove("guest.mm");
  fs::remove("s.textproto");
  const Outcome again = Numasim({"run", "s.trace.pb"});
  EXPECT_EQ(again.exit_status, 0) << again.err;
  EXPECT_THAT(Files(), testing::ElementsAre("s.again.trace.pb", "s.trace.pb"));
  EXPECT_EQ(FileText("s.again.trace.pb"), FileText("s.trace.pb"));
}

TEST_F(RunTest, TheTraceOfAScriptRunsAgainToo) {
  Write("x.mm", "machine nodes=2 node_mem=64M cpus_per_node=1\nspawn p\n@p map a 1M anon\n@p touch a\n");
  ASSERT_EQ(Numasim({"run", "x.mm", "--quiet"}).exit_status, 0);
  ASSERT_EQ(Numasim({"run", "x.trace.pb", "--out", "y.pb", "--quiet"}).exit_status, 0);
  EXPECT_EQ(FileText("y.pb"), FileText("x.trace.pb"));
}

TEST_F(RunTest, WhatATraceDoesNotTakeIsRefused) {
  Write("s.textproto", std::string(kMachine) + kWorkload);
  ASSERT_EQ(Numasim({"run", "s.textproto", "--quiet"}).exit_status, 0);
  EXPECT_THAT(Refused({"run", "s.trace.pb", "--out", "s.trace.pb"}), HasSubstr("--out"));
  EXPECT_THAT(Refused({"run", "s.trace.pb", "--set", "seed=3"}),
              HasSubstr("is a trace, which is run as it was"));
  EXPECT_THAT(Refused({"run", "s.trace.pb", "--allow-outside-files"}),
              HasSubstr("has no effect on the trace"));
  Write("text.pb", "seed: 3\n");
  EXPECT_THAT(Refused({"run", "text.pb"}), HasSubstr("text.pb"));
}

TEST_F(RunTest, QuickstartTellsWhatFellBackAndWhatFailed) {
  // A 64th of its memory, in mappings too.
  const std::string small =
      absl::StrReplaceAll(FileText(Runfile("examples/quickstart.textproto")), {{"\"16G\"", "\"256M\""},
                                                                               {" 10G ", " 160M "},
                                                                               {" 8G ", " 128M "},
                                                                               {" 18G ", " 288M "},
                                                                               {" 64M ", " 4M "},
                                                                               {" 0 4G ", " 0 64M "},
                                                                               {" 0 16M", " 0 1M"}});
  Write("quickstart.textproto", small);
  const Outcome run = Numasim({"run", "quickstart.textproto"});
  EXPECT_EQ(run.exit_status, 0) << run.err;
  EXPECT_EQ(run.err, "");
  EXPECT_THAT(run.out, StartsWith("quickstart: simulated "));
  EXPECT_THAT(run.out, HasSubstr("8 of 8 streams ended; 194 operations"));
  EXPECT_THAT(run.out, HasSubstr("touch KILLED"));
  EXPECT_THAT(run.out, HasSubstr("oom_kill: order=0 node=0"));
  EXPECT_THAT(run.out, HasSubstr("trace: quickstart.trace.pb"));
  EXPECT_THAT(Files(), testing::ElementsAre("quickstart.textproto", "quickstart.trace.pb"));
  const Outcome dump = Numasim({"dump", "quickstart.trace.pb", "--counters", "node*.numa_miss"});
  EXPECT_EQ(dump.exit_status, 0) << dump.err;
  EXPECT_THAT(dump.out, HasSubstr("node0.numa_miss"));
}

TEST_F(RunTest, OutSeedAndQuietDoWhatTheySay) {
  Write("s.textproto", absl::StrCat(kMachine, kWorkload, "seed: 5\n"));
  const Outcome run =
      Numasim({"run", "s.textproto", "--quiet", "--seed", "18446744073709551615", "--out", "x.pb"});
  EXPECT_EQ(run.exit_status, 0);
  EXPECT_EQ(run.out, "");
  EXPECT_THAT(Files(), testing::ElementsAre("s.textproto", "x.pb"));
  EXPECT_EQ((*TraceReader::Open("x.pb"))->header().seed(), 18446744073709551615u);
  EXPECT_EQ(Numasim({"run", "s.textproto", "--quiet", "--out", "y.pb"}).exit_status, 0);
  EXPECT_EQ((*TraceReader::Open("y.pb"))->header().seed(), 5u);
}

TEST_F(RunTest, SetChangesTheScenarioAndTheTraceHasWhatWasRun) {
  const std::string text = absl::StrCat(kMachine, kWorkload);
  Write("s.textproto", text);
  const Outcome run =
      Numasim({"run", "s.textproto", "--quiet", "--out", "x.pb", "--set", "machine.node[1].memory=128M",
               "--set", "workload.script[0].line[1]=@p map a 2M anon"});
  EXPECT_EQ(run.exit_status, 0) << run.err;
  EXPECT_EQ(FileText("s.textproto"), text);
  const std::string changed =
      absl::StrReplaceAll(text, {{"{ memory: '64M' } }\n", "{ memory: \"128M\" } }\n"},
                                 {"'@p map a 1M anon'", "\"@p map a 2M anon\""}});
  EXPECT_EQ((*TraceReader::Open("x.pb"))->header().scenario(), changed);
  Write("s.textproto", changed);
  EXPECT_EQ(Numasim({"run", "s.textproto", "--quiet", "--out", "y.pb"}).exit_status, 0);
  EXPECT_TRUE(FileText("x.pb") == FileText("y.pb"));
}

TEST_F(RunTest, WrongSettingIsOneMessage) {
  Write("s.textproto", absl::StrCat(kMachine, kWorkload));
  Write("s.mm", "machine nodes=1 node_mem=64M\n");
  const auto refused = [](const std::string& input, const std::vector<std::string>& settings) {
    std::vector<std::string> arguments = {"run", input};
    for (const std::string& setting : settings) arguments.insert(arguments.end(), {"--set", setting});
    return Refused(arguments);
  };
  EXPECT_EQ(
      refused("s.textproto", {"machine.nod[0].memory=1G"}),
      "numasim: --set machine.nod[0].memory=1G: machine.nod[0]: is not a field of Machine; expected one of "
      "node, "
      "distance, zone, lstopo_file, boot_state_file, snapshot_file, kernel_args, virtio_mem, hugepages, "
      "min_free_kbytes, cpus, kernel, disk; did you mean 'node'?\n");
  EXPECT_THAT(refused("s.textproto", {"seed=1", "seed=2"}),
              HasSubstr("--set seed=2: sets again what --set seed=1 sets"));
  EXPECT_THAT(refused("s.textproto", {"seed"}), HasSubstr("--set seed: is no setting; expected PATH=VALUE"));
  EXPECT_THAT(refused("s.mm", {"seed=1"}), HasSubstr("--set seed=1: s.mm is a script and has no fields"));
  // What only the whole scenario, or its machine, tells.
  EXPECT_THAT(
      refused("s.textproto", {"workload.script[0].line[2]=@q touch a"}),
      HasSubstr("with --set workload.script[0].line[2]=@q touch a: s.textproto:6: script 'script' line 3: "));
  EXPECT_THAT(refused("s.textproto", {"trace.counters=nothing*"}),
              HasSubstr("with --set trace.counters=nothing*: s.textproto:1:"));
}

TEST_F(RunTest, SeedThatNothingDrawsFromIsNamedInAWarning) {
  Write("s.textproto", absl::StrCat(kMachine, kWorkload));
  const Outcome silent = Numasim({"run", "s.textproto", "--quiet"});
  EXPECT_EQ(silent.out + silent.err, "");
  const Outcome argument = Numasim({"run", "s.textproto", "--quiet", "--seed", "7"});
  EXPECT_EQ(argument.exit_status, 0);
  EXPECT_EQ(argument.err, "numasim: warning: --seed: 7 has no effect: nothing in this run is random\n");
  Write("s.textproto", absl::StrCat(kMachine, kWorkload, "seed: 5\n"));
  const Outcome field = Numasim({"run", "s.textproto", "--quiet"});
  EXPECT_EQ(field.exit_status, 0);
  EXPECT_EQ(field.err,
            "numasim: warning: s.textproto:8: seed: 5 has no effect: nothing in this run is random\n");
}

TEST_F(RunTest, BootArgumentsWithoutEffectAreNamedInWarnings) {
  Write("s.mm",
        "machine nodes=2 node_mem=64M kernel_args=\"quiet hugepages=0:2,1:900 movablecor=1G cma=8M mem=1G\"\n"
        "thp enabled never\nspawn p\n");
  const Outcome run = Numasim({"run", "s.mm", "--quiet"});
  EXPECT_EQ(run.exit_status, 0);
  EXPECT_THAT(run.err,
              HasSubstr("numasim: warning: s.mm:1: machine.kernel_args: 'movablecor=1G' is not known, so "
                        "without effect; did you mean 'movablecore'?\n"));
  EXPECT_THAT(run.err,
              HasSubstr("numasim: warning: s.mm:1: machine.kernel_args: 'mem=1G' is not modelled, so "
                        "without effect\n"));
  EXPECT_THAT(run.err,
              HasSubstr("numasim: warning: s.mm:1: machine.kernel_args: 'cma=8M' has no effect: the kernel "
                        "is built without CMA"));
  EXPECT_THAT(run.err,
              HasSubstr("numasim: warning: s.mm:1: machine.kernel_args: hugepages: node 1 has memory for "));
  EXPECT_EQ(std::count(run.err.begin(), run.err.end(), '\n'), 4);
}

TEST_F(RunTest, StatedPoolThatDoesNotFitIsAnError) {
  Write("s.textproto",
        absl::StrCat("machine { node { memory: '64M' }\n hugepages { size: '2M' nr: 900 } }\n", kWorkload));
  EXPECT_THAT(
      Refused({"run", "s.textproto"}),
      AllOf(HasSubstr("s.textproto:1: machine.hugepages of 2M: 900 pages of 2M are more than the machine has "
                      "memory for; expected at most "),
            Not(HasSubstr("warning"))));
}

TEST_F(RunTest, ConformNamesWhatOfTheBootStateHasNoEffect) {
  Write("s.mm", "spawn p\n");
  const Outcome run =
      Numasim({"conform", "s.mm", "--boot", Runfile("tests/kernel_truth/bug_cma_not_built.truth.json"),
               "--json", "o.json"});
  EXPECT_EQ(run.exit_status, 0);
  EXPECT_THAT(run.err,
              AllOf(StartsWith("numasim: warning: "), HasSubstr("'hugetlb_cma=0:1G,1:1G' has no effect")));
}

TEST_F(RunTest, ScriptRunsOnTheMachineOfItsFirstLine) {
  Write("s.mm", "machine nodes=2 node_mem=64M\nthp enabled never\nspawn p\n@p map a 1M anon\n@p touch a\n");
  const Outcome run = Numasim({"run", "s.mm"});
  EXPECT_EQ(run.exit_status, 0) << run.err;
  EXPECT_THAT(run.out, HasSubstr("1 of 1 streams ended; 5 operations, 256 accesses"));
  EXPECT_THAT(run.out, HasSubstr("nothing failed"));
  EXPECT_THAT(Files(), testing::ElementsAre("s.mm", "s.trace.pb"));
}

TEST_F(RunTest, SummaryTellsWhatBecameOfTransparentHugePages) {
  Write("s.textproto", R"(
    machine { node { memory: "64M" cpus: 1 } node { memory: "64M" cpus: 1 } }
    workload { script {
      line: "spawn p" line: "@p map a 8M anon" line: "@p touch a" line: "@p move a 1" line: "@p advise a 0 64K free"
      line: "@p map b 2M anon thp=nohugepage" line: "@p touch b" line: "sleep 1h"
    } }
    stop_after: "1s")");
  const Outcome run = Numasim({"run", "s.textproto"});
  EXPECT_EQ(run.exit_status, 0) << run.err;
  EXPECT_THAT(
      run.out,
      HasSubstr(
          "  thp       anonymous  by PMDs       faults    fallbacks    collapsed      split      moved\n"
          "  0           2.0 MiB     0.0%            4            0            0          0          4\n"
          "  1           8.0 MiB    75.0%            0            0            0          1          0\n"));
  Write("none.mm",
        "machine nodes=2 node_mem=64M\nthp enabled never\nspawn p\n@p map a 1M anon\n@p touch a\n");
  EXPECT_THAT(Numasim({"run", "none.mm"}).out, testing::Not(HasSubstr("by PMDs")));
}

TEST_F(RunTest, WhatTheHeaderHoldsRunsAgainToTheSameBytes) {
  fs::create_directory("sub");
  Write("sub/load.mm", "spawn p\n@p map a 4M anon policy=interleave:0,1\n@p touch a\n");
  Write("sub/s.textproto", absl::StrCat(kMachine, "workload { script { file: 'load.mm' copies: 3 } }\n"));
  ASSERT_EQ(Numasim({"run", "sub/s.textproto", "--seed", "9", "--out", "first.pb"}).exit_status, 0);
  const trace::Header header = (*TraceReader::Open("first.pb"))->header();
  fs::remove_all("sub");
  fs::create_directory("sub");
  Write(header.scenario_name(), header.scenario());
  for (const trace::Script& script : header.script()) Write("sub/" + script.name(), script.text());
  ASSERT_EQ(
      Numasim({"run", header.scenario_name(), "--seed", absl::StrCat(header.seed()), "--out", "again.pb"})
          .exit_status,
      0);
  EXPECT_TRUE(FileText("first.pb") == FileText("again.pb"));
}

TEST_F(RunTest, MachinesFromFilesRun) {
  ASSERT_EQ(
      Numasim({"snapshot", "--root", Runfile("tests/workloads/machine/testdata/two_nodes"), "--topology",
               Runfile("tests/workloads/machine/testdata/two_nodes.xml"), "--out", "m.textproto"})
          .exit_status,
      0);
  fs::copy_file(Runfile(kRecording), "boot.json");
  fs::copy_file(Runfile("tests/workloads/machine/testdata/two_nodes.xml"), "m.xml");
  for (const char* source :
       {"snapshot_file: 'm.textproto'", "boot_state_file: 'boot.json'", "lstopo_file: 'm.xml'"}) {
    Write("s.textproto",
          absl::StrCat("machine { ", source, " }\nkernel { thp { enabled: 'never' } }\n", kWorkload));
    const Outcome run = Numasim({"run", "s.textproto"});
    EXPECT_EQ(run.exit_status, 0) << source << ": " << run.err;
    EXPECT_THAT(run.out, HasSubstr("4 operations, 256 accesses"));
  }
}

TEST_F(RunTest, MachinesOfOddShapesRun) {
  std::string many;
  for (int n = 0; n < 64; ++n) many += "node { memory: '1T' cpus: 2 } ";
  for (const std::string& machine :
       {std::string("node { memory: '64M' cpus: 0 } node { memory: '64M' }"),
        std::string("node { memory: '0' } node { memory: '64M' }"), std::string("node { memory: '16M' }"),
        std::string("node { memory: '20M' } node { memory: '8M' }"), many}) {
    Write("s.textproto",
          absl::StrCat("machine { ", machine, " }\nkernel { thp { enabled: 'never' } }\n", kWorkload));
    const Outcome run = Numasim({"run", "s.textproto"});
    EXPECT_EQ(run.exit_status, 0) << machine << run.err;
    EXPECT_THAT(run.out, HasSubstr("nothing failed")) << machine;
  }
}

// ---- Wrong input ----

TEST_F(RunTest, WrongScenariosNameLineFieldAndWhatWouldBeRight) {
  const struct {
    std::string text;
    std::string message;
  } kCases[] = {
      {absl::StrCat(kMachine, kWorkload, "sed: 3"), "s.textproto:8:4: sed: is not a field"},
      {absl::StrCat("machine { node { memory: '64Q' } }", kWorkload),
       "s.textproto:1:18: machine.node[0].memory: '64Q' has the unknown unit 'Q'; expected K, M, G or T"},
      {absl::StrCat("machine { node { memory: '65M' } }", kWorkload),
       "s.textproto:1:18: machine.node[0].memory: '65M' is not a multiple of 4M"},
      {absl::StrCat("machine { node { memory: '20T' } }", kWorkload),
       "'20T' is too large; expected at most 8T"},
      {absl::StrCat(kMachine, kWorkload, "stop_after: '10 parsecs'"),
       "s.textproto:8:1: stop_after: '10 parsecs'"},
      {absl::StrCat(kMachine, "workload { script { line: 'spawn p' line: '@p policy bind:64' } }"),
       "s.textproto:3: script 'script' line 2: POLICY: 'bind:64' names node 64, which does not exist; "
       "expected "
       "nodes from 0 to 63"},
      {absl::StrCat(kMachine, "workload { script { line: 'spawn p' line: '@p cpu 9' } }"),
       "CPU: '9' is a CPU that does not exist; expected 0 to 1"},
      {absl::StrCat(
           "machine { zone { node: 5 name: 'Normal' start_pfn: 4096 spanned: 9 present: 9 managed: 9 "
           "pcp { cpu: 70 } } cpus { node_of_cpu: 0 } }",
           kWorkload),
       "machine.zone[0].pcp[0].cpu: '70' is a CPU that does not exist"},
      {absl::StrCat(
           "machine { zone { node: 70 name: 'Normal' start_pfn: 1 spanned: 9 present: 9 managed: 9 } }",
           kWorkload),
       "machine.zone[0].node: '70' is too large; expected 0 to 63"},
      {absl::StrCat(
           "kernel { thp { enabled: 'never' } }\nmachine { zone { node: 0 name: 'Normal' start_pfn: 4096 "
           "spanned: 4096 present: 4096 managed: 4096 free: 7 free_total: 0 free_total: 3 } cpus { "
           "node_of_cpu: 0 } }",
           kWorkload),
       "machine.zone[0].free: '7' is not what the free blocks hold; expected 6"},
      {absl::StrCat(kMachine, "workload { script { file: 'no.mm' } }"),
       "s.textproto:3:21: workload.script[0].file: 'no.mm' cannot be read (No such file or directory)"},
      {absl::StrCat(kMachine, "workload { script { file: '.' } }"), "'.' cannot be read (it is a folder)"},
      {"", "s.textproto:1:1: machine: is missing; expected machine {"},
      {std::string("\x00\xff\x80\x01 garbage", 12), "s.textproto:1: holds a NUL byte; expected text"},
      {absl::StrCat(kMachine, "workload { script { line: 'spawn p' line: 'sysctl vm.swappiness 1' } }"),
       "s.textproto:3: script 'script' line 2: 'sysctl vm.swappiness 1': sysctl vm.swappiness is not "
       "modelled yet"},
      {absl::StrCat(kMachine, kWorkload, "trace { counters: 'nothing*' }"),
       "trace.counters[0]: 'nothing*' matches no"},
  };
  for (const auto& c : kCases) {
    SCOPED_TRACE(c.text);
    EXPECT_THAT(RefusedScenario(c.text), AllOf(StartsWith("numasim: "), HasSubstr(c.message)));
  }
}

TEST_F(RunTest, WrongScriptsNameTheLine) {
  EXPECT_THAT(RefusedScript(""), HasSubstr("s.mm:1: machine: is missing"));
  EXPECT_THAT(RefusedScript("spawn p\n"), HasSubstr("s.mm:1: machine: is missing"));
  EXPECT_THAT(RefusedScript("machine nodes=1 node_mem=20T\nspawn p\n"),
              HasSubstr("s.mm:1: node_mem: '20T' is too large; expected at most 8T"));
  EXPECT_THAT(RefusedScript("machine nodes=1 node_mem=64M\nspawn p\n@p compact\n"), HasSubstr("s.mm:3: "));
  EXPECT_THAT(RefusedScript("machine nodes=1 node_mem=64M\nsysctl vm.swappiness 1\n"),
              HasSubstr("s.mm:2: 'sysctl vm.swappiness 1': sysctl vm.swappiness is not modelled yet"));
}

TEST_F(RunTest, FilesThatAreNotThereAreNamed) {
  fs::create_directory("d.textproto");
  EXPECT_THAT(Refused({"run", "no.textproto"}), HasSubstr("no.textproto: No such file or directory"));
  EXPECT_THAT(Refused({"run", "no.mm"}), HasSubstr("no.mm: No such file or directory"));
  EXPECT_THAT(Refused({"run", "d.textproto"}), HasSubstr("d.textproto: it is a folder"));
  Write("s.mm", "spawn p\n");
  EXPECT_THAT(Refused({"conform", "s.mm", "--boot", "no.json", "--json", "o.json"}),
              HasSubstr("no.json: No such file or directory"));
  EXPECT_THAT(Refused({"conform", "no.mm", "--boot", "no.json", "--json", "o.json"}),
              HasSubstr("no.mm: No such file or directory"));
}

TEST_F(RunTest, ArgumentsThatMeanNothingAreNamed) {
  Write("s.textproto", absl::StrCat(kMachine, kWorkload));
  EXPECT_THAT(Refused({"frob"}), HasSubstr("'frob' is no subcommand; expected one of run, "));
  EXPECT_THAT(Refused({}), HasSubstr("a subcommand is missing; expected one of run, "));
  EXPECT_THAT(Refused({"run", "s.textproto", "--seed", "-1"}), HasSubstr("--seed: '-1' is no seed"));
  EXPECT_THAT(Refused({"run", "s.textproto", "--out", "s.textproto"}), HasSubstr("is an input of this run"));
  const Outcome unknown = Numasim({"run", "s.textproto", "--bogus"});
  EXPECT_EQ(unknown.exit_status, 1);
  EXPECT_THAT(unknown.err, HasSubstr("--bogus"));
}

TEST_F(RunTest, TraceThatCannotBeWrittenLeavesNothing) {
  Write("s.textproto", absl::StrCat(kMachine, kWorkload));
  EXPECT_THAT(Refused({"run", "s.textproto", "--out", "no/x.pb"}),
              HasSubstr("cannot create trace no/x.pb: No such file or directory"));
  EXPECT_THAT(Refused({"run", "s.textproto", "--out", "/dev/full"}),
              HasSubstr("/dev/full: No space left on device"));
}

TEST_F(RunTest, FullDiskLeavesNothing) {
  fs::create_directory("small");
  if (mount("tmpfs", "small", "tmpfs", 0, "size=4096") != 0)
    GTEST_SKIP() << "needs the right to mount a tmpfs";
  Write("s.textproto", absl::StrCat(kMachine,
                                    "workload { script { loops: 200 line: 'spawn p' line: '@p map a 8M anon' "
                                    "line: '@p touch a' } }\ntrace { interval: '10us' }\n"));
  EXPECT_THAT(Refused({"run", "s.textproto", "--out", "small/x.pb"}),
              HasSubstr("small/x.pb: No space left on device"));
  EXPECT_TRUE(fs::is_empty("small"));
  umount("small");
}

// ---- Recorded boot states ----

TEST_F(RunTest, WrongBootStatesNameThePlace) {
  const json good = json::parse(FileText(Runfile(kRecording)));
  const auto with = [&good](const std::string& pointer, const json& value) {
    json out = {{"steps", {good["steps"][0]}}};
    out[json::json_pointer("/steps/0/counters" + pointer)] = value;
    return out.dump();
  };
  const auto without = [&good](const std::string& key) {
    json out = {{"steps", {good["steps"][0]}}};
    out["steps"][0]["counters"].erase(key);
    return out.dump();
  };
  const std::pair<std::string, std::string> kCases[] = {
      {"", "boot.json: "},
      {"[1]", "boot.json: the file: '[1]' is wrong; expected an object"},
      {good.dump().substr(0, 3000), "boot.json: "},
      {R"({"steps": []})", "boot.json: steps: '[]' is wrong"},
      {without("zoneinfo"), "boot.json: steps[0].counters.zoneinfo: is missing"},
      {without("cpulist"), "steps[0].counters.cpulist: is missing"},
      {with("/zoneinfo/0/present", -5),
       "zoneinfo[0].present: '-5' is wrong; expected a whole number from 0 to"},
      {with("/zoneinfo/0/managed", "77"), "zoneinfo[0].managed: '77' is wrong; expected a whole number"},
      {with("/zoneinfo/0/free", 1.5), "zoneinfo[0].free: '1.5' is wrong"},
      {with("/zoneinfo/0/node", 2000000000),
       "zoneinfo[0].node: '2000000000' is wrong; expected a whole number from 0 to 63"},
      {with("/zoneinfo/0/zone", "HighMem"),
       "zoneinfo[0].zone: 'HighMem' is wrong; expected DMA, DMA32, Normal"},
      {with("/zoneinfo/0/spanned", int64_t{1} << 60), "zoneinfo[0].spanned"},
      {with("/buddyinfo/0/free/3", -1), "buddyinfo[0].free[3]: '-1' is wrong"},
      {with("/cpulist/zero", "9"), "cpulist.zero: '9' is wrong; expected a node from 0 to 3 as its key"},
      {with("/cpulist/0", "0-"), "cpulist.0: '0-' is wrong; expected a list of CPUs such as 0-3,8"},
      {with("/distance/0", {10, 20}),
       "distance.0: '[10,20]' is wrong; expected a distance to each of the 4 nodes"},
      {with("/vmstat/numa_hit", "x"), "vmstat.numa_hit: 'x' is wrong"},
  };
  Write("s.mm", "spawn p\n");
  for (const auto& [text, message] : kCases) {
    Write("boot.json", text);
    EXPECT_THAT(Refused({"conform", "s.mm", "--boot", "boot.json", "--json", "o.json"}), HasSubstr(message));
  }
}

TEST_F(RunTest, ConformRefusesWhatTheMachineHasNotAndWhatIsNotModelled) {
  const auto refused = [](const std::string& script) {
    Write("s.mm", script);
    return Refused({"conform", "s.mm", "--boot", Runfile(kRecording), "--json", "o.json"});
  };
  EXPECT_THAT(refused("spawn p\nsysctl vm.swappiness 1\n"),
              HasSubstr("s.mm:2: 'sysctl vm.swappiness 1': sysctl vm.swappiness is not modelled"));
  EXPECT_THAT(refused("spawn p\n@p cpu 4\n"), HasSubstr("s.mm:2: CPU: '4' is a CPU that does not exist"));
  EXPECT_THAT(refused("spawn p\n@p policy bind:64\n"), HasSubstr("expected nodes from 0 to 63"));
}

class DeviceTest : public RunTest {
 protected:
  // The recorded boot state with a virtio-mem device ("NODE:MAX:PLUGGED").
  static json WithDevice(const std::string& device) {
    const json good = json::parse(FileText(Runfile(kRecording)));
    json out = {{"machine", {{"virtio_mem", device}}}, {"steps", {good["steps"][0]}}};
    out["steps"][0]["counters"]["cmdline"] = "quiet memhp_default_state=online_movable";
    return out;
  }

  // The zones that the state after boot lists, as "1 Movable".
  static std::vector<std::string> ZonesAfterBoot(const json& boot) {
    Write("s.mm", "spawn p\n");
    Write("boot.json", boot.dump());
    EXPECT_EQ(Numasim({"conform", "s.mm", "--boot", "boot.json", "--json", "o.json"}).err, "");
    std::vector<std::string> zones;
    const json counters = json::parse(FileText("o.json"))["steps"][0]["counters"];
    for (const json& zone : counters["buddyinfo"]) {
      zones.push_back(absl::StrCat(zone["node"].get<int>(), " ", zone["zone"].get<std::string>()));
    }
    for (const json& zone : counters["blocks_by_type"]) {
      if (zone["zone"] != "Movable") continue;
      EXPECT_EQ(zone["blocks"], json({0, 256, 0, 0, 0}));
    }
    EXPECT_EQ(counters["meminfo"]["MemTotal"], boot["steps"][0]["counters"]["meminfo"]["MemTotal"]);
    return zones;
  }
};

TEST_F(DeviceTest, ConformShowsADevicesZoneOnlyIfItHasMemory) {
  const std::vector<std::string> recorded = {"0 DMA", "0 DMA32", "1 DMA32", "2 DMA32", "3 DMA32"};
  EXPECT_EQ(ZonesAfterBoot(WithDevice("3:1G:0")), recorded);
  json boot = WithDevice("3:1G:512M");
  json& counters = boot["steps"][0]["counters"];
  const json where = {{"node", 3}, {"zone", "Movable"}};
  json zone = where;
  zone.update({{"start_pfn", 1048576}, {"spanned", 131072}, {"present", 131072}, {"managed", 131072}});
  zone.update({{"free", 131072}, {"min", 1}, {"low", 2}, {"high", 3}});
  zone.update({{"protection", json::array()}, {"pcp", json::array()}});
  counters["zoneinfo"].push_back(zone);
  json free = where;
  free["free"] = {0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 128};
  counters["buddyinfo"].push_back(free);
  free["type"] = "Movable";
  counters["free_by_type"].push_back(free);
  json blocks = where;
  blocks["blocks"] = {0, 256, 0, 0, 0};
  counters["blocks_by_type"].push_back(blocks);
  std::vector<std::string> with_device = recorded;
  with_device.push_back("3 Movable");
  EXPECT_EQ(ZonesAfterBoot(boot), with_device);
}

TEST_F(DeviceTest, DevicesThatTheRecordingCannotHaveAreNamed) {
  const auto refused = [](const std::string& device) {
    Write("s.mm", "spawn p\n");
    Write("boot.json", WithDevice(device).dump());
    return Refused({"conform", "s.mm", "--boot", "boot.json", "--json", "o.json"});
  };
  EXPECT_THAT(refused("4:1G:0"), HasSubstr("boot.json: machine.virtio_mem: '4:1G:0' is wrong; expected "
                                           "NODE:MAX:PLUGGED"));
  EXPECT_THAT(refused("1:1G"), HasSubstr("machine.virtio_mem: '1:1G' is wrong"));
  EXPECT_THAT(refused("1:1G:100M"), HasSubstr("expected multiples of 128M"));
  EXPECT_THAT(refused("1:1G:2G"), HasSubstr("no more plugged than max"));
  EXPECT_THAT(
      refused("1:1G:512M"),
      HasSubstr("boot.json: machine.virtio_mem.plugged: 131072 pages; expected that many recorded in a "
                "zone Movable of node 1, at or above 4G"));
}

// ---- Killed ----

TEST_F(RunTest, KilledRunLeavesATraceThatIsReadableAndCalledCut) {
  Write("s.textproto",
        absl::StrCat(kMachine,
                     "workload { script { loops: 1000000000 line: 'spawn p' line: '@p map a 8M anon' "
                     "line: '@p touch a' } }\ntrace { interval: '10us' }\n"));
  const pid_t child = Start({"run", "s.textproto", "--out", "x.pb"});
  std::error_code not_yet;
  // Until some blocks are written.
  for (int i = 0;
       i < 3000 && (!fs::exists("x.pb.partial") || fs::file_size("x.pb.partial", not_yet) < 300'000); ++i)
    std::this_thread::sleep_for(std::chrono::milliseconds(10));
  kill(child, SIGKILL);
  int status = 0;
  waitpid(child, &status, 0);
  ASSERT_TRUE(WIFSIGNALED(status));
  EXPECT_FALSE(fs::exists("x.pb"));
  const auto reader = TraceReader::Open("x.pb.partial");
  ASSERT_TRUE(reader.ok()) << reader.status();
  EXPECT_FALSE((*reader)->complete());
  EXPECT_GT((*reader)->index().samples(), 100u);
  const Outcome dump = Numasim({"dump", "x.pb.partial", "--counters", "node0.numa_hit"});
  EXPECT_EQ(dump.exit_status, 1);
  EXPECT_THAT(dump.out, HasSubstr("node0.numa_hit"));
  EXPECT_THAT(dump.err, HasSubstr("cut"));
}

}  // namespace
}  // namespace numasim
