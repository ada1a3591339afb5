#include "workloads/scenario.h"

#include <filesystem>
#include <fstream>
#include <map>
#include <string>
#include <vector>

#include "files/read_file.h"
#include "gmock/gmock.h"
#include "gtest/gtest.h"
#include "workloads/units.h"

namespace numasim::workloads {
namespace {

using testing::ElementsAre;
using testing::HasSubstr;
using testing::Pair;
using testing::StartsWith;

using Files = std::map<std::string, std::string>;

// Readers that know only `files`.
ScenarioReaders From(const Files& files) {
  return {[&files](const std::string& name) -> absl::StatusOr<std::string> {
            const auto file = files.find(name);
            if (file == files.end()) return absl::NotFoundError("No such file or directory");
            return file->second;
          },
          nullptr};
}

absl::StatusOr<LoadedScenario> Load(const std::string& text, const Files& files = {}) {
  return ParseScenario("dir/s.textproto", text, From(files));
}

LoadedScenario Loaded(const std::string& text, const Files& files = {}) {
  absl::StatusOr<LoadedScenario> loaded = Load(text, files);
  EXPECT_TRUE(loaded.ok()) << loaded.status() << "\nin:\n" << text;
  return loaded.ok() ? *std::move(loaded) : LoadedScenario();
}

std::string Mistake(const std::string& text, const Files& files = {}) {
  const absl::StatusOr<LoadedScenario> loaded = Load(text, files);
  if (loaded.ok()) return "(no mistake found)";
  EXPECT_EQ(loaded.status().code(), absl::StatusCode::kInvalidArgument);
  return std::string(loaded.status().message());
}

const char kScript[] = "workload { script { line: 'compact' } }\n";
const char kMachine[] = "machine { node { memory: '64G' cpus: 2 } node { memory: '32G' } }\n";

// The message for a machine section with one mistake, which begins in line 1, column 11.
std::string MachineMistake(const std::string& fields) {
  return Mistake("machine { " + fields + " }\n" + kScript);
}

// The message for a script section with one mistake, in a scenario where it begins in line 2.
std::string ScriptMistake(const std::string& fields, const Files& files = {}) {
  return Mistake(std::string(kMachine) + "workload { script { " + fields + " } }\n", files);
}

TEST(ScenarioTest, UnsetFieldsHaveTheirDefaults) {
  const LoadedScenario loaded = Loaded(std::string(kMachine) + kScript);
  EXPECT_EQ(loaded.proto.seed(), 1u);
  EXPECT_EQ(loaded.proto.kernel().thp().enabled(), "always");
  EXPECT_EQ(loaded.trace_interval_ns, 1'000'000);
  EXPECT_FALSE(loaded.stop_after_ns.has_value());
  EXPECT_EQ(loaded.limits.nodes, 2);
  EXPECT_EQ(loaded.limits.cpus, 3);
  ASSERT_EQ(loaded.scripts.size(), 1u);
  EXPECT_EQ(loaded.scripts[0].name, "script");
  EXPECT_EQ(loaded.scripts[0].start_ns, 0);
  EXPECT_EQ(loaded.scripts[0].loops, 1);
  EXPECT_EQ(loaded.scripts[0].copies, 1);
}

TEST(ScenarioTest, ScriptsComeFromFilesAndLines) {
  const Files files = {{"load.mm", "machine nodes=9 node_mem=1G\nspawn p\n@p cpu 2\n"}};
  const LoadedScenario loaded = Loaded(std::string(kMachine) + R"(
      workload {
        script { file: 'load.mm' start: '5ms' loops: 3 copies: 2 stagger: '10us' }
        script { name: 'tidy' line: 'drop_caches 2' line: 'compact' }
        script { file: 'load.mm' }
      }
      stop_after: '2s'
      trace { interval: '250us' })",
                                       files);
  ASSERT_EQ(loaded.scripts.size(), 3u);
  EXPECT_EQ(loaded.scripts[0].name, "load");
  EXPECT_EQ(loaded.scripts[0].script.ops.size(), 2u);
  EXPECT_EQ(loaded.scripts[0].start_ns, 5'000'000);
  EXPECT_EQ(loaded.scripts[0].loops, 3);
  EXPECT_EQ(loaded.scripts[0].copies, 2);
  EXPECT_EQ(loaded.scripts[0].stagger_ns, 10'000);
  EXPECT_EQ(loaded.scripts[1].name, "tidy");
  EXPECT_EQ(loaded.scripts[1].script.ops.size(), 2u);
  EXPECT_EQ(loaded.scripts[2].name, "load-2");
  EXPECT_EQ(loaded.stop_after_ns, 2'000'000'000);
  EXPECT_EQ(loaded.trace_interval_ns, 250'000);
  EXPECT_THAT(loaded.files, ElementsAre(Pair("load.mm", files.at("load.mm"))));
}

TEST(ScenarioTest, CopiesMayDifferByTheirNumber) {
  const LoadedScenario loaded =
      Loaded(std::string(kMachine) + "workload { script { copies: 3 line: ['spawn p', '@p cpu {copy}'] } }");
  ASSERT_EQ(loaded.scripts.size(), 1u);
  ASSERT_EQ(loaded.scripts[0].Scripts().size(), 3u);
  for (int copy = 0; copy < 3; ++copy)
    EXPECT_EQ(loaded.scripts[0].OfCopy(copy).ops[1].text, "@p cpu " + std::to_string(copy));
  // The machine has three CPUs.
  EXPECT_EQ(
      Mistake(std::string(kMachine) + "workload { script { copies: 4 line: ['spawn p', '@p cpu {copy}'] } }")
          .substr(0, 60),
      "dir/s.textproto:2: script 'script' line 2: copy 3: CPU: '3' ");
}

TEST(ScenarioTest, CopiesThatAreAlikeAreOneScript) {
  const LoadedScenario loaded =
      Loaded(std::string(kMachine) +
             "workload { script { copies: 3 line: 'spawn p' } script { line: 'sleep {copy}' } }");
  EXPECT_EQ(loaded.scripts[0].Scripts().size(), 1u);
  EXPECT_EQ(loaded.scripts[1].script.ops[0].text, "sleep 0");
  EXPECT_THAT(ScriptMistake("copies: 600000 line: 'sleep {copy}' line: 'sleep 1'"),
              HasSubstr("expected at most 500000 copies"));
}

TEST(ScenarioTest, ScriptWithoutCopiesIsCheckedAndLeftOut) {
  const LoadedScenario loaded = Loaded(
      std::string(kMachine) + "workload { script { copies: 0 line: 'spawn p' } script { line: 'sleep 1' } }");
  ASSERT_EQ(loaded.scripts.size(), 1u);
  EXPECT_EQ(loaded.scripts[0].script.ops[0].text, "sleep 1");
  EXPECT_THAT(ScriptMistake("copies: 0 line: 'spwan p'"), HasSubstr("'spwan'"));
}

TEST(ScenarioTest, TextAndFilesAreEnoughToLoadItAgain) {
  const Files files = {{"load.mm", "spawn p\n"}};
  const LoadedScenario first =
      Loaded(std::string(kMachine) + "workload { script { file: 'load.mm' } }", files);
  const absl::StatusOr<LoadedScenario> again = ParseScenario(first.path, first.text, From(first.files));
  ASSERT_TRUE(again.ok()) << again.status();
  EXPECT_EQ(again->proto.SerializeAsString(), first.proto.SerializeAsString());
  EXPECT_EQ(again->scripts.size(), 1u);
}

TEST(ScenarioTest, DistancesAndCpuPlacesAreTaken) {
  const LoadedScenario loaded = Loaded(std::string(R"(
      machine {
        node { memory: '1G' } node { memory: '0' cpus: 2 }
        distance { to: [10, 21] } distance { to: [21, 10] }
        cpus { node_of_cpu: [1, 0, 1] }
      })") + kScript);
  EXPECT_EQ(loaded.limits.nodes, 2);
  EXPECT_EQ(loaded.limits.cpus, 3);
}

// ---- Machines from files ----

TEST(ScenarioMachineFileTest, SnapshotIsTheMachineAndTheScenarioCompletesIt) {
  const Files files = {{"host.textproto",
                        "node { memory: '2G' } node { memory: '4G' } kernel_args: 'quiet'\n"
                        "hugepages { size: '2M' nr: 5 }"}};
  const LoadedScenario loaded = Loaded(
      "machine { snapshot_file: 'host.textproto' kernel_args: 'movablecore=1G'\n"
      "  hugepages { node: 1 size: '1G' nr: 2 } }\n" +
          std::string(kScript),
      files);
  EXPECT_EQ(loaded.machine.node_size(), 2);
  EXPECT_EQ(loaded.machine.kernel_args(), "movablecore=1G");
  ASSERT_EQ(loaded.machine.hugepages_size(), 1);
  EXPECT_EQ(loaded.machine.hugepages(0).size(), "1G");
  EXPECT_FALSE(loaded.machine.has_snapshot_file());
  EXPECT_EQ(loaded.proto.machine().snapshot_file(), "host.textproto");
  EXPECT_EQ(loaded.limits.nodes, 2);
  EXPECT_EQ(loaded.files.count("host.textproto"), 1u);
}

TEST(ScenarioMachineFileTest, BootArgumentsBesideARecordedMachineAreWarnedOf) {
  const std::string zone =
      "zone { node: 0 name: 'DMA32' start_pfn: 4096 spanned: 4096 present: 4096 managed: 4096 }\n"
      "cpus { node_of_cpu: [ 0 ] } kernel_args: 'hugepages=3'\n";
  const auto warnings = [&zone](const std::string& kernel_args) {
    return Loaded("machine { snapshot_file: 'host.textproto' " + kernel_args + " }\n" + std::string(kScript),
                  {{"host.textproto", zone}})
        .warnings;
  };
  EXPECT_THAT(warnings(""), testing::IsEmpty());
  EXPECT_THAT(warnings("kernel_args: 'quiet'"), testing::IsEmpty());
  EXPECT_THAT(
      warnings("kernel_args: 'hugepages=10'"),
      testing::ElementsAre(testing::HasSubstr("'hugepages=10': hugepages= and movablecore= have no effect")));
}

TEST(ScenarioMachineFileTest, ScenariosKernelSectionIsBeforeTheRecordedOne) {
  const Files files = {
      {"host.textproto",
       "node { memory: '2G' }\n"
       "kernel { watermark_scale_factor: 50 lowmem_reserve_ratio: [1, 2, 3, 4] thp { enabled: 'never' "
       "defrag: 'defer' } }"}};
  const LoadedScenario loaded = Loaded(
      "machine { snapshot_file: 'host.textproto' }\n"
      "kernel { lowmem_reserve_ratio: [5, 6, 7, 8] thp { enabled: 'madvise' } }\n" +
          std::string(kScript),
      files);
  EXPECT_EQ(loaded.kernel.watermark_scale_factor(), 50);
  EXPECT_THAT(loaded.kernel.lowmem_reserve_ratio(), ElementsAre(5, 6, 7, 8));
  EXPECT_EQ(loaded.kernel.thp().enabled(), "madvise");
  EXPECT_EQ(loaded.kernel.thp().defrag(), "defer");
  EXPECT_EQ(loaded.kernel.percpu_pagelist_high_fraction(), 0);
}

TEST(ScenarioMachineFileTest, MistakesInASnapshotNameItsFile) {
  const std::string scenario = "machine { snapshot_file: 'host.textproto' }\n" + std::string(kScript);
  EXPECT_THAT(
      Mistake(scenario, {{"host.textproto", "node {\n  memry: '1G' }"}}),
      StartsWith(
          "dir/host.textproto:2:8: memry: is not a field of Node; expected one of memory, cpus; did you mean "
          "'memory'?"));
  EXPECT_THAT(Mistake(scenario, {{"host.textproto", "node { memory: '1X' }"}}),
              StartsWith("dir/host.textproto:1:8: node[0].memory: '1X' has the unknown unit 'X'"));
  EXPECT_THAT(Mistake(scenario, {{"host.textproto", "snapshot_file: 'other'"}}),
              StartsWith("dir/host.textproto:1:1: node: is missing"));
}

TEST(ScenarioMachineFileTest, WhatTheScenarioAddsIsCheckedAgainstTheFilesMachine) {
  const Files files = {{"host.textproto", "node { memory: '2G' } node { memory: '4G' }"}};
  EXPECT_EQ(
      Mistake("machine { snapshot_file: 'host.textproto'\n  virtio_mem { node: 2 max: '1G' } }\n" +
                  std::string(kScript),
              files),
      "dir/s.textproto:2:16: machine.virtio_mem.node: '2' is a node that does not exist; expected 0 to 1");
}

TEST(ScenarioMachineFileTest, GivenReaderReadsTheMachine) {
  const Files files = {{"host.xml", "<topology/>"}};
  ScenarioReaders readers = From(files);
  readers.read_machine = [](const Machine& source, const std::string& name,
                            const std::string& text) -> absl::StatusOr<Machine> {
    EXPECT_EQ(source.lstopo_file(), "host.xml");
    EXPECT_EQ(name, "dir/host.xml");
    EXPECT_EQ(text, "<topology/>");
    Machine machine;
    machine.add_node()->set_memory("8G");
    return machine;
  };
  const std::string text =
      "machine { lstopo_file: 'host.xml' }\nworkload { script { line: 'pool 2M node1 4' } }";
  const absl::StatusOr<LoadedScenario> loaded = ParseScenario("dir/s", text, readers);
  EXPECT_EQ(loaded.status().message(),
            "dir/s:2: script 'script' line 1: POOL: 'node1' is a node that does not "
            "exist; expected node 0, the only one");
}

TEST(SampleScenarioTest, GoodOnesLoad) {
  const Files files = {{"load.mm", "spawn p\n"},
                       {"host.textproto", "node { memory: '4G' } node { memory: '2G' }"}};
  for (const std::string name : {"described", "snapshot", "zones"}) {
    const absl::StatusOr<std::string> text = ReadInputFile("tests/workloads/testdata/" + name + ".textproto");
    ASSERT_TRUE(text.ok()) << text.status();
    EXPECT_TRUE(Load(*text, files).ok()) << name << ": " << Load(*text, files).status();
  }
}

// ---- Mistakes ----

TEST(ScenarioErrorTest, UnknownFieldSuggestsTheNearest) {
  EXPECT_THAT(
      Mistake("machine {\n  nods { memory: '1G' }\n}\n"),
      testing::AllOf(StartsWith("dir/s.textproto:2:8: nods: is not a field of Machine; expected one of node, "
                                "distance, zone, lstopo_file, boot_state_file, snapshot_file, "),
                     testing::EndsWith("; did you mean 'node'?")));
}

TEST(ScenarioErrorTest, TextThatIsNoMessageSaysWhere) {
  EXPECT_THAT(Mistake("seed: many\n"),
              StartsWith("dir/s.textproto:1:7: seed: 'many' is not a whole number; expected digits only"));
  EXPECT_THAT(Mistake("name: 'x'\nmachine {\n"), StartsWith("dir/s.textproto:3:1: "));
  EXPECT_THAT(Mistake("seed: 1\nseed: 2\n"), HasSubstr("seed"));
  EXPECT_THAT(Mistake("seed: 18446744073709551616\n"),
              StartsWith("dir/s.textproto:1:7: seed: '18446744073709551616' is out of range; expected"));
}

TEST(ScenarioErrorTest, MachineFieldsAreChecked) {
  const std::vector<std::pair<std::string, std::string>> cases = {
      {"node { memory: '64X' }",
       "1:18: machine.node[0].memory: '64X' has the unknown unit 'X'; expected K, M, G or T"},
      {"node { memory: '-1G' }",
       "1:18: machine.node[0].memory: '-1G' is negative; expected a size of 0 or more, such "
       "as 64M"},
      {"node { memory: '1001' }",
       "1:18: machine.node[0].memory: '1001' is not a multiple of 4M, the largest buddy block; "
       "expected a size such as 64G"},
      {"node { memory: '9T' }", "1:18: machine.node[0].memory: '9T' is too large; expected at most 8T"},
      {"node { memory: '0' }",
       "1:18: machine.node[0].memory: '0' leaves the machine without memory; expected a size "
       "such as 64G"},
      {"node { memory: '1G' } node { }",
       "1:33: machine.node[1].memory: is missing; expected a size, such as memory: "
       "\"64G\""},
      {"node { memory: '1G' cpus: 4097 }",
       "1:31: machine.node[0].cpus: '4097' is too large; expected from 0 to 4096 "
       "(CPUs)"},
      {"node { memory: '1G' cpus: -1 }",
       "1:31: machine.node[0].cpus: '-1' is too small; expected from 0 to 4096 (CPUs)"},
      {"node { memory: '1G' cpus: 0 }",
       "1:1: machine.cpus: leaves the machine without a CPU; expected at least one"},
      {"",
       "1:1: machine.node: is missing; expected exactly one of node, zone, lstopo_file, boot_state_file, "
       "snapshot_file"},
      {"node { memory: '1G' } lstopo_file: 'x'",
       "1:33: machine.lstopo_file: is given beside node; expected exactly one "
       "of node, zone, lstopo_file, boot_state_file, snapshot_file"},
      {"snapshot_file: 'x'",
       "1:11: machine.snapshot_file: 'x' cannot be read (No such file or directory); expected a "
       "file, by its path from the scenario's folder"},
      {"node { memory: '1G' } distance { to: 10 to: 20 }",
       "1:44: machine.distance[0].to: holds 2 distances; expected "
       "one to each of the 1 nodes"},
      {"node { memory: '1G' } distance { to: [11] }",
       "1:44: machine.distance[0].to[0]: '11' is the distance of a node "
       "to itself; expected 10"},
      {"node { memory: '1G' } node { memory: '1G' } distance { to: [10, 9] } distance { to: [20, 10] }",
       "1:66: machine.distance[0].to[1]: '9' is too small; expected from 10 to 254 (SLIT distance)"},
      {"node { memory: '1G' } node { memory: '1G' } distance { to: [10, 20] }",
       "1:55: machine.distance: is there 1 times; expected a row for each of the 2 nodes"},
      {"node { memory: '1G' } cpus { node_of_cpu: 0 node_of_cpu: 1 }",
       "1:55: machine.cpus.node_of_cpu[1]: '1' is a node that does not exist; expected 0, the only one"},
      {"node { memory: '1G' cpus: 2 } cpus { node_of_cpu: 0 }",
       "1:31: machine.node[0].cpus: '2' is not what "
       "machine.cpus says; expected 1"},
      {"node { memory: '1G' } virtio_mem { node: 1 max: '1G' }",
       "1:46: machine.virtio_mem.node: '1' is a node that does not exist; expected 0, the only one"},
      {"node { memory: '1G' } virtio_mem { node: 0 max: '1G' plugged: '2G' }",
       "1:64: machine.virtio_mem.plugged: '2G' is more than max; expected at most 1G"},
      {"node { memory: '1G' } virtio_mem { node: 0 max: '1000M' }",
       "1:54: machine.virtio_mem.max: '1000M' is no multiple of 128M, the size of a memory block; expected "
       "such "
       "as 1G"},
      {"node { memory: '1G' } virtio_mem { node: 0 max: '1G' plugged: '64M' }",
       "1:64: machine.virtio_mem.plugged: '64M' is no multiple of 128M, the size of a memory block; expected "
       "such as 512M"},
      {"node { memory: '1G' } virtio_mem { node: 0 }",
       "1:33: machine.virtio_mem.max: is missing; expected a size, such "
       "as max: \"1G\""},
      {"node { memory: '1G' } hugepages { size: '4M' nr: 1 }",
       "1:45: machine.hugepages[0].size: '4M' is no huge page; "
       "expected 2M or 1G"},
      {"node { memory: '1G' } hugepages { node: 1 size: '2M' nr: 1 }",
       "1:45: machine.hugepages[0].node: '1' is a node that does not exist; expected 0, the only one"},
      {"node { memory: '1G' } hugepages { size: '2M' nr: 1 free: 2 }",
       "1:62: machine.hugepages[0].free: '2' is more than nr; expected at most 1"},
      {"node { memory: '1G' } hugepages { size: '2M' nr: 1 } hugepages { size: '2M' nr: 1 }",
       "1:64: machine.hugepages[1]: is given twice of one size and node; expected it once"},
      {"node { memory: '1G' } hugepages { size: '2M' nr: 3 } hugepages { size: '2M' node: 0 nr: 1 }",
       "1:56: machine.hugepages[0].nr: '3' is not the sum of the nodes' entries; expected 1"},
      {"node { memory: '1G' } hugepages { size: '2M' nr: 3 surplus: 4 }",
       "1:62: machine.hugepages[0].surplus: '4' is more than nr; expected at most 3"},
      {"node { memory: '1G' } hugepages { size: '2M' nr: 3 free: 1 reserved: 2 }",
       "1:70: machine.hugepages[0].reserved: '2' is more than are free; expected at most 1"},
      {"node { memory: '1G' } hugepages { size: '2M' node: 0 nr: 3 reserved: 2 }",
       "1:70: machine.hugepages[0].reserved: '2' is given of a node; expected it in the entry without a "
       "node"},
      {"node { memory: '1G' } hugepages { size: '1G' overcommit: 2 }",
       "1:56: machine.hugepages[0].overcommit: '2' is given of gigantic pages, which have none; expected 0"},
      {"node { memory: '1G' } min_free_kbytes: 5",
       "1:33: machine.min_free_kbytes: '5' is of a machine whose zones are recorded; expected "
       "kernel.min_free_kbytes"},
      {"zone { node: 0 name: 'Normla' }",
       "1:26: machine.zone[0].name: 'Normla' is not known; expected one of DMA, "
       "DMA32, Normal, Movable; did you mean 'Normal'?"},
      {"zone { node: 0 name: 'Normal' pcp { cpu: 0 } }",
       "1:11: machine.zone[0].start_pfn: is missing; expected what "
       "/proc/zoneinfo says of the zone"},
      {"zone { node: 0 name: 'Normal' start_pfn: 0 spanned: 8 present: 9 managed: 7 pcp { cpu: 0 } }",
       "1:65: machine.zone[0].present: '9' is more than spanned; expected at most 8"},
  };
  for (const auto& [fields, expected] : cases)
    EXPECT_EQ(MachineMistake(fields), "dir/s.textproto:" + expected);
}

TEST(ScenarioTest, WhatHasNoEffectIsNamedInWarnings) {
  const LoadedScenario stagger = Loaded(
      "machine { node { memory: '1G' } }\nworkload { script { line: 'spawn p' stagger: '1ms' } }\nseed: 3");
  EXPECT_EQ(stagger.warnings,
            (std::vector<std::string>{
                "dir/s.textproto:2: workload.script[0].stagger: '1ms' has no effect: there is one copy",
                "dir/s.textproto:3: seed: 3 has no effect: nothing in this run is random"}));

  // What comes after the run's end does not happen; to end with the run is no mistake.
  const LoadedScenario late = Loaded(
      "machine { node { memory: '1G' } }\nstop_after: '1m'\nworkload {\n"
      "script { line: 'spawn p' start: '1m' }\n"
      "script { line: 'spawn p' start: '59s' copies: 0 }\n"
      "churn { name: 'c' start: '2m' fill: '1%' }\n"
      "slab { name: 's' until: '1m' pause { constant: '1ms' } }\n"
      "slab { name: 't' until: '1h' pause { constant: '1ms' } } }");
  EXPECT_EQ(late.warnings,
            (std::vector<std::string>{
                "dir/s.textproto:4: workload.script[0].start: '1m' has no effect: the run stops at 1m",
                "dir/s.textproto:5: workload.script[1].copies: '0' is none: nobody performs the script",
                "dir/s.textproto:6: workload.churn[0].start: '2m' has no effect: the run stops at 1m",
                "dir/s.textproto:8: workload.slab[1].until: '1h' has no effect: the run stops at 1m"}));
}

TEST(ScenarioTest, BootArgumentSetsTransparentHugePagesUnlessTheKernelSectionDoes) {
  const std::string machine = "machine { node { memory: '1G' } kernel_args: 'transparent_hugepage=never' }\n";
  EXPECT_EQ(Loaded(machine + kScript).kernel.thp().enabled(), "never");
  EXPECT_EQ(Loaded(machine + "kernel { thp { enabled: 'madvise' } }\n" + kScript).kernel.thp().enabled(),
            "madvise");
}

TEST(ScenarioErrorTest, NoMachine) {
  EXPECT_EQ(Mistake(kScript),
            "dir/s.textproto:1:1: machine: is missing; expected machine { node { memory: \"64G\" } }");
}

TEST(ScenarioErrorTest, ScriptSectionsAreChecked) {
  const std::vector<std::pair<std::string, std::string>> cases = {
      {"",
       "2:12: workload.script[0].file: is missing; expected file: \"load.mm\", or lines with the operations"},
      {"file: 'a.mm' line: 'compact'",
       "2:34: workload.script[0].line: is given beside file; expected either a file or "
       "lines"},
      {"file: 'a.mm'",
       "2:21: workload.script[0].file: 'a.mm' cannot be read (No such file or directory); expected a "
       "file, by its path from the scenario's folder"},
      {"line: 'compact' start: '5'",
       "2:37: workload.script[0].start: '5' has no unit; expected one of h, m, s, ms, us or ns, "
       "such as 10ms"},
      {"line: 'compact' loops: 0",
       "2:37: workload.script[0].loops: '0' is too small; expected from 1 to 1000000000 "
       "(times)"},
      {"line: 'compact' copies: 3 stagger: '9000000000s'",
       "2:47: workload.script[0].stagger: '9000000000s' starts the "
       "last copy too late; expected all to start within 9223372036s"},
      {"line: 'compact\\npool'",
       "2:21: workload.script[0].line[0]: 'compact\\npool' holds more than one line; expected "
       "one operation in each line field"},
      {"name: 'x' line: 'compact' } script { name: 'x' line: 'compact'",
       "2:58: workload.script[1].name: 'x' is another script's name too; expected a name of its own"},
  };
  for (const auto& [fields, expected] : cases)
    EXPECT_EQ(ScriptMistake(fields), "dir/s.textproto:" + expected);
}

TEST(ScenarioErrorTest, MistakeInAScriptsFileNamesThatFile) {
  EXPECT_EQ(ScriptMistake("file: 'sub/a.mm'", {{"sub/a.mm", "spawn p\n@p cpu 3\n"}}),
            "dir/sub/a.mm:2: CPU: '3' is a CPU that does not exist; expected 0 to 2");
}

TEST(ScenarioErrorTest, MistakeInAnInlineScriptNamesScenarioScriptAndLine) {
  EXPECT_EQ(ScriptMistake("name: 'web' line: 'spawn p'\n  line: '@p touch a'"),
            "dir/s.textproto:3: script 'web' line 2: ID: 'a' is not a mapping that 'p' or a parent of it "
            "made; expected "
            "'@p map a ...' before");
}

TEST(ScenarioErrorTest, RulesOfTheRest) {
  const std::string rest = std::string(kMachine) + kScript;
  EXPECT_EQ(Mistake(kMachine),
            "dir/s.textproto:1:1: workload.script: is missing; expected at least one, such as script "
            "{ file: \"load.mm\" }, or guests { .. }, or batch { .. }, or allocations { .. }, or churn { .. "
            "}, or readers { .. }, or slab { .. }");
  EXPECT_EQ(Mistake(rest + "trace { interval: '0s' }"),
            "dir/s.textproto:3:9: trace.interval: '0s' is no time between samples; expected more than 0, "
            "such as 1ms");
  EXPECT_EQ(Mistake(rest + "stop_after: '0ms'"),
            "dir/s.textproto:3:1: stop_after: '0ms' stops the run before it begins; expected more than 0, "
            "such as 10s");
  EXPECT_EQ(Mistake(rest + "kernel { lowmem_reserve_ratio: [256, 32] }"),
            "dir/s.textproto:3:10: kernel.lowmem_reserve_ratio: holds 2 values; expected 4, for DMA, DMA32, "
            "Normal and "
            "Movable");
  EXPECT_EQ(Mistake(rest + "kernel { thp { enabled: 'allways' } }"),
            "dir/s.textproto:3:16: kernel.thp.enabled: 'allways' is not known; expected one of always, "
            "madvise, never; "
            "did you mean 'always'?");
  EXPECT_EQ(Mistake(rest + "cost_model {\n  hop_ns: 0\n}"),
            "dir/s.textproto:4:3: cost_model.hop_ns: '0' is too small; expected from 1 to 1000000 (ns)");
}

// ---- Files on disk ----

class ScenarioFileTest : public testing::Test {
 protected:
  void SetUp() override {
    folder_ = std::filesystem::path(testing::TempDir()) /
              testing::UnitTest::GetInstance()->current_test_info()->name();
    std::filesystem::create_directories(folder_);
  }

  std::string Write(const std::string& name, const std::string& text) {
    std::ofstream(folder_ / name) << text;
    return (folder_ / name).string();
  }

  std::filesystem::path folder_;
};

TEST_F(ScenarioFileTest, FilesAreRelativeToTheScenario) {
  Write("load.mm", "spawn p\n@p exit\n");
  const std::string path =
      Write("s.textproto", std::string(kMachine) + "workload { script { file: 'load.mm' } }");
  const absl::StatusOr<LoadedScenario> loaded = LoadScenario(path);
  ASSERT_TRUE(loaded.ok()) << loaded.status();
  EXPECT_EQ(loaded->path, path);
  EXPECT_EQ(loaded->scripts[0].script.ops.size(), 2u);
}

// A scenario that somebody sent must not show what is elsewhere on this machine, not even through a link.
TEST_F(ScenarioFileTest, FilesOutsideTheFolderNeedPermission) {
  std::filesystem::create_directories(folder_ / "inside" / "deeper");
  const std::string outside = Write("load.mm", "spawn p\n");
  Write("inside/deeper/load.mm", "spawn p\n");
  std::filesystem::create_symlink(outside, folder_ / "inside" / "link.mm");
  for (const std::string& name :
       {std::string("../load.mm"), outside, std::string("link.mm"), std::string("../none.mm")}) {
    const std::string path =
        Write("inside/s.textproto", std::string(kMachine) + "workload { script { file: '" + name + "' } }");
    const absl::Status status = LoadScenario(path).status();
    EXPECT_THAT(
        std::string(status.message()),
        HasSubstr(
            "workload.script[0].file: " + Quoted(name) +
            " cannot be read (it is outside the scenario's folder, which needs --allow-outside-files)"));
    EXPECT_EQ(LoadScenario(path, nullptr, /*allow_outside_files=*/true).ok(), name != "../none.mm");
  }
  for (const std::string name : {"deeper/load.mm", "../inside/deeper/load.mm"}) {
    const std::string path =
        Write("inside/s.textproto", std::string(kMachine) + "workload { script { file: '" + name + "' } }");
    EXPECT_TRUE(LoadScenario(path).ok()) << LoadScenario(path).status();
  }
}

TEST_F(ScenarioFileTest, FilesBesideTheScenarioThatALinkLeadsToAreInside) {
  std::filesystem::create_directories(folder_ / "real");
  Write("real/s.textproto", std::string(kMachine) + "workload { script { file: 'load.mm' } }");
  Write("real/load.mm", "spawn p\n");
  for (const std::string name : {"s.textproto", "load.mm"})
    std::filesystem::create_symlink(folder_ / "real" / name, folder_ / name);
  const absl::StatusOr<LoadedScenario> loaded = LoadScenario((folder_ / "s.textproto").string());
  EXPECT_TRUE(loaded.ok()) << loaded.status();
}

TEST_F(ScenarioFileTest, FileThatIsNotNamedAsAScriptIsNotQuoted) {
  Write("passwd", "root:secret:0:0\n");
  const std::string path =
      Write("s.textproto", std::string(kMachine) + "workload { script { file: 'passwd' } }");
  const std::string message(LoadScenario(path).status().message());
  EXPECT_THAT(
      message,
      HasSubstr(
          "workload.script[0].file: 'passwd' is not named as a script; expected a name that ends in .mm"));
  EXPECT_EQ(message.find("secret"), std::string::npos) << message;
}

TEST_F(ScenarioFileTest, MissingScenarioIsNamed) {
  const std::string path = (folder_ / "none.textproto").string();
  const absl::Status status = LoadScenario(path).status();
  EXPECT_EQ(status.code(), absl::StatusCode::kNotFound);
  EXPECT_EQ(status.message(), path + ": No such file or directory");
}

TEST_F(ScenarioFileTest, FolderIsNoScenario) {
  EXPECT_EQ(LoadScenario(folder_.string()).status().message(), folder_.string() + ": it is a folder");
}

// ---- Scripts as scenarios ----

TEST(ScenarioFromScriptTest, MachineLineBecomesTheMachine) {
  const std::string text =
      "machine nodes=2 node_mem=1G,384M cpus_per_node=3 virtio_mem=1:1G:512M kernel_args=\"movablecore=1G\"\n"
      "spawn p\n@p cpu 5\n";
  const absl::StatusOr<LoadedScenario> loaded = ScenarioFromScript("some/dir/load.mm", text);
  ASSERT_TRUE(loaded.ok()) << loaded.status();
  ASSERT_EQ(loaded->machine.node_size(), 2);
  EXPECT_EQ(loaded->machine.node(0).memory(), "1G");
  EXPECT_EQ(loaded->machine.node(1).memory(), "384M");
  EXPECT_EQ(loaded->machine.node(1).cpus(), 3);
  EXPECT_EQ(loaded->machine.virtio_mem().node(), 1);
  EXPECT_EQ(loaded->machine.virtio_mem().max(), "1G");
  EXPECT_EQ(loaded->machine.virtio_mem().plugged(), "512M");
  EXPECT_EQ(loaded->machine.kernel_args(), "movablecore=1G");
  EXPECT_EQ(loaded->limits.cpus, 6);
  ASSERT_EQ(loaded->scripts.size(), 1u);
  EXPECT_EQ(loaded->scripts[0].name, "load");
  EXPECT_EQ(loaded->scripts[0].script.ops.size(), 2u);
}

TEST(ScenarioFromScriptTest, ItsTextAndFilesLoadAsAScenario) {
  const std::string text = "machine nodes=2 node_mem=1G\nspawn p\n@p cpu 1\n";
  const absl::StatusOr<LoadedScenario> loaded = ScenarioFromScript("some/dir/load.mm", text);
  ASSERT_TRUE(loaded.ok());
  const absl::StatusOr<LoadedScenario> again = ParseScenario(loaded->path, loaded->text, From(loaded->files));
  ASSERT_TRUE(again.ok()) << again.status();
  EXPECT_EQ(again->proto.SerializeAsString(), loaded->proto.SerializeAsString());
  EXPECT_EQ(again->scripts[0].name, "load");
  EXPECT_EQ(again->trace_interval_ns, loaded->trace_interval_ns);
}

TEST(ScenarioFromScriptTest, ScriptWithoutMachineIsRefused) {
  EXPECT_EQ(ScenarioFromScript("load.mm", "spawn p\n").status().message(),
            "load.mm:1: machine: is missing; expected a first line such as 'machine nodes=2 node_mem=1G'");
}

}  // namespace
}  // namespace numasim::workloads
