// Whole simulations, with their traces written as `numasim run` writes them.
#include "workloads/simulation.h"

#include <unistd.h>

#include <cstdint>
#include <filesystem>
#include <fstream>
#include <iterator>
#include <map>
#include <memory>
#include <stdexcept>
#include <string>
#include <variant>
#include <vector>

#include "absl/strings/str_cat.h"
#include "absl/strings/str_join.h"
#include "cli/run/traced_run.h"
#include "gmock/gmock.h"
#include "gtest/gtest.h"
#include "models/validator.h"
#include "proto/trace_reader.h"
#include "tests/workloads/random_script.h"
#include "workloads/script.h"

namespace numasim {
namespace {

using ::testing::HasSubstr;
using workloads::LoadedScenario;
using workloads::Op;

constexpr int kNodes = 8;
constexpr int64_t kMiB = int64_t{1} << 20;
constexpr int64_t kMs = 1'000'000;

LoadedScenario Load(const std::string& text) {
  const workloads::ScenarioReaders no_files = {
      [](const std::string&) { return absl::NotFoundError("no files in this test"); }, nullptr};
  auto loaded = workloads::ParseScenario("test.textproto", text, no_files);
  EXPECT_TRUE(loaded.ok()) << loaded.status();
  return *std::move(loaded);
}

std::string Machine(int nodes, const std::string& memory, int cpus) {
  std::string out = "kernel { thp { enabled: 'never' shmem_enabled: 'deny' } }\nmachine {\n";
  for (int n = 0; n < nodes; ++n)
    absl::StrAppend(&out, "  node { memory: '", memory, "' cpus: ", cpus, " }\n");
  return out + "}\n";
}

std::string Script(const std::string& fields, const std::vector<std::string>& lines) {
  std::string out = absl::StrCat("  script {\n    ", fields, "\n");
  for (const std::string& line : lines) absl::StrAppend(&out, "    line: '", line, "'\n");
  return out + "  }\n";
}

std::string Workload(const std::vector<std::string>& scripts) {
  return absl::StrCat("workload {\n", absl::StrJoin(scripts, ""), "}\n");
}

// Random operations of processes that each start on a CPU of the stream's own node or the next, and use all
// they map.
std::vector<std::string> RandomLines(uint64_t seed, int stream) {
  workloads::RandomScriptOptions options;
  options.nodes = kNodes;
  options.cpus = 2 * kNodes;
  options.max_processes = 3;
  options.max_mapping = 16 * kMiB;
  options.max_mapped = 64 * kMiB;
  const int home = 2 * stream % (2 * kNodes);
  // A process that stays and has a page of another node, and a child on the next node that copies its pages;
  // then those left alone are reused.
  std::vector<std::string> lines = {
      "spawn first",
      absl::StrCat("@first cpu ", home),
      "@first map heap 3M anon",
      "@first touch heap",
      absl::StrCat("@first map far 256K anon policy=preferred:", (stream + 1) % kNodes),
      "@first touch far",
      "@first fork second",
      absl::StrCat("@second cpu ", (home + 3) % (2 * kNodes)),
      "@second touch heap",
      "@second exit",
      "@first touch heap"};
  int spawned = 0;
  for (Op& op : workloads::RandomOps(options, 1000 * seed + static_cast<uint64_t>(stream), 60)) {
    const auto* const map = std::get_if<workloads::MapOp>(&op.kind);
    lines.push_back(ToString(op));
    if (map != nullptr) lines.push_back(absl::StrCat("@", op.process, " touch ", map->id));
    if (const auto* spawn = std::get_if<workloads::SpawnOp>(&op.kind)) {
      const int cpu = (home + 3 * spawned) % (2 * kNodes);
      lines.push_back(absl::StrCat("@", spawn->name, " cpu ", cpu));
      ++spawned;
    }
  }
  return lines;
}

// Eight nodes of 16M with one to two streams each, which together want more than any node has.
LoadedScenario BusyNodes(uint64_t seed) {
  std::vector<std::string> scripts;
  for (int stream = 0; stream < kNodes + 2; ++stream) {
    scripts.push_back(Script(absl::StrCat("name: 's", stream, "'"), RandomLines(seed, stream)));
  }
  return Load(absl::StrCat(Machine(kNodes, "16M", 2), Workload(scripts), "trace { interval: '100us' }\n"));
}

std::string FileText(const std::string& path) {
  std::ifstream in(path, std::ios::binary);
  return {std::istreambuf_iterator<char>(in), std::istreambuf_iterator<char>()};
}

std::unique_ptr<TracedRun> Begin(const LoadedScenario& scenario, int threads,
                                 sim::Scheme scheme = sim::Scheme::kAuto) {
  auto run = TracedRun::Create(
      scenario, {.trace_path = absl::StrCat(testing::TempDir(), "/simulation_test.", getpid(), ".trace.pb"),
                 .seed = 1,
                 .threads = threads,
                 .scheme = scheme});
  EXPECT_TRUE(run.ok()) << run.status();
  return *std::move(run);
}

// The trace's bytes.
std::string TraceOf(const LoadedScenario& scenario, int threads, sim::Scheme scheme = sim::Scheme::kAuto) {
  const auto run = Begin(scenario, threads, scheme);
  const absl::Status status = run->Run();
  EXPECT_TRUE(status.ok()) << status;
  return FileText(run->facts().trace_path);
}

int64_t SumOverNodes(const MemorySystem& memory, NodeCounter counter) {
  int64_t sum = 0;
  for (int n = 0; n < memory.node_count(); ++n) sum += memory.node(NodeId{n}).counters[counter];
  return sum;
}

// ---- The same bytes, however it is run ----

class ThreadCountTest : public testing::TestWithParam<uint64_t> {};

TEST_P(ThreadCountTest, TraceIsTheSameForAnyThreadsAndScheme) {
  const LoadedScenario scenario = BusyNodes(GetParam());
  const std::string expected = TraceOf(scenario, 1, sim::Scheme::kInline);
  ASSERT_GT(expected.size(), 1000u);
  for (const int threads : {1, 2, 4, 8}) {
    for (const sim::Scheme scheme : {sim::Scheme::kAuto, sim::Scheme::kParallel}) {
      ASSERT_TRUE(TraceOf(scenario, threads, scheme) == expected)
          << "seed " << GetParam() << ", " << threads << " threads, scheme " << static_cast<int>(scheme);
    }
  }
}

// What the comparison is worth: pages do come from other nodes, so paths hop between all node LPs, as the
// state of a node is touched on its LP alone.
TEST_P(ThreadCountTest, WorkloadCrossesNodesAndLeavesTheMachineWhole) {
  const LoadedScenario scenario = BusyNodes(GetParam());
  const auto run = Begin(scenario, 2, sim::Scheme::kParallel);
  const MemorySystem& memory = run->simulation().memory();
  const Validator validator(run->simulation().kernel());
  const absl::Status status = run->Run();
  ASSERT_TRUE(status.ok()) << status;
  EXPECT_EQ(absl::StrJoin(validator.Check(run->simulation().LiveProcesses()), "\n"), "");
  EXPECT_EQ(run->simulation().streams_done(), kNodes + 2);
  EXPECT_EQ(run->simulation().kernel().files().files(), 0);
  EXPECT_GT(SumOverNodes(memory, NUMA_MISS), 0);
  EXPECT_GT(SumOverNodes(memory, PGREUSE), 0) << "no copy-on-write";
  for (int n = 0; n < kNodes; ++n) {
    EXPECT_GT(memory.node(NodeId{n}).counters[NUMA_HIT], 0) << "node " << n;
    EXPECT_GT(memory.node(NodeId{n}).counters[OTHER_NODE], 0) << "node " << n;
  }
}

INSTANTIATE_TEST_SUITE_P(Seeds, ThreadCountTest, testing::Range(uint64_t{1}, uint64_t{21}));

// ---- What a scenario says about time and number ----

// A process that works for ever in small steps, on each node.
LoadedScenario Endless(const std::string& stop_after) {
  std::vector<std::string> scripts;
  for (int n = 0; n < 4; ++n) {
    scripts.push_back(
        Script(absl::StrCat("name: 's", n, "' loops: 1000000000"),
               {"spawn p", absl::StrCat("@p cpu ", n),
                absl::StrCat("@p map a 128K anon policy=interleave:", n, ",", (n + 1) % 4), "@p touch a"}));
  }
  return Load(absl::StrCat(Machine(4, "16M", 1), Workload(scripts), "stop_after: '", stop_after, "'\n"));
}

struct LastSample : TraceVisitor {
  void OnSamples(const SampleSpan& samples) override { time_ns = samples.last_ns(); }
  int64_t time_ns = -1;
};

class StopAfterTest : public testing::TestWithParam<const char*> {};

// The last window is cut off at the end, also where that is no multiple of the lookahead or the interval.
TEST_P(StopAfterTest, EndsAtThatTimeForAnyThreads) {
  const LoadedScenario scenario = Endless(GetParam());
  const int64_t end = *scenario.stop_after_ns;
  const auto run = Begin(scenario, 1, sim::Scheme::kInline);
  const absl::Status status = run->Run();
  ASSERT_TRUE(status.ok()) << status;
  EXPECT_EQ(run->simulation().engine().now().ns, end);
  EXPECT_EQ(run->simulation().streams_done(), 0);
  EXPECT_GT(run->simulation().CountAll().operations, 0);
  auto reader = TraceReader::Open(run->facts().trace_path);
  ASSERT_TRUE(reader.ok()) << reader.status();
  LastSample last;
  ASSERT_TRUE((*reader)->Read({}, &last).ok());
  EXPECT_EQ(last.time_ns, end);
  EXPECT_EQ((*reader)->index().last_ns(), end);

  const std::string expected = FileText(run->facts().trace_path);
  for (const int threads : {2, 4, 8}) {
    EXPECT_TRUE(TraceOf(scenario, threads, sim::Scheme::kParallel) == expected) << threads << " threads";
  }
}

INSTANTIATE_TEST_SUITE_P(Times, StopAfterTest,
                         testing::Values("5ms", "5000001ns", "4999999ns", "1234567ns", "70us"));

// A stream that only sleeps ends when it should: copy i begins at start + i * stagger and takes loops * 5 ms.
TEST(SimulationTest, CopiesAreStaggeredAndLoop) {
  const LoadedScenario scenario = Load(
      "machine { node { memory: '16M' cpus: 1 } }\n"
      "kernel { thp { enabled: 'never' } compaction_proactiveness: 0 }\n" +
      Workload({Script("copies: 4 stagger: '20ms' loops: 2 start: '1ms'", {"sleep 5"})}));
  const auto run = Begin(scenario, 1);
  ASSERT_TRUE(run->Run().ok());
  // Without kcompactd, which would go on: the run would end a lookahead later.
  EXPECT_EQ(run->simulation().engine().now().ns, (1 + 3 * 20 + 2 * 5) * kMs);
  EXPECT_EQ(run->simulation().streams(), 4);
  EXPECT_EQ(run->simulation().streams_done(), 4);
  EXPECT_EQ(run->simulation().CountAll().operations, 4 * 2);
}

TEST(SimulationTest, EachLoopOfEachCopyCountsItsOperationsAccessesAndExits) {
  const LoadedScenario scenario =
      Load(Machine(1, "64M", 2) +
           Workload({Script("copies: 3 loops: 5", {"spawn p", "@p map a 64K anon", "@p touch a"})}));
  const auto run = Begin(scenario, 1);
  ASSERT_TRUE(run->Run().ok());
  constexpr int kOps = 3 + 1;  // and the exit of the process that is left
  EXPECT_EQ(run->simulation().CountAll().operations, 3 * 5 * kOps);
  EXPECT_EQ(run->simulation().CountAll().accesses, 3 * 5 * 16);
  EXPECT_TRUE(run->simulation().LiveProcesses().empty());
  EXPECT_EQ(run->simulation().ShareDone(), 1);
}

// How long streams take that read 16 MiB of their own, on these CPUs of one node.
int64_t TimeOnCpus(const std::vector<int>& cpus) {
  std::vector<std::string> scripts;
  for (size_t i = 0; i < cpus.size(); ++i) {
    std::vector<std::string> lines = {"spawn p", absl::StrCat("@p cpu ", cpus[i]), "@p map a 16M anon"};
    for (int touch = 0; touch < 50; ++touch) lines.push_back("@p touch a 0 16M r");
    scripts.push_back(Script(absl::StrCat("name: 's", i, "'"), lines));
  }
  const LoadedScenario scenario = Load(Machine(1, "64M", 4) + Workload(scripts));
  const auto run = Begin(scenario, 1);
  EXPECT_TRUE(run->Run().ok());
  return run->simulation().engine().now().ns;
}

TEST(SimulationTest, StreamsOnOneCpuShareIt) {
  const auto alone = static_cast<double>(TimeOnCpus({1}));
  const auto apart = static_cast<double>(TimeOnCpus({1, 2}));
  const auto together = static_cast<double>(TimeOnCpus({1, 1}));
  EXPECT_LT(apart, 1.1 * alone);
  EXPECT_GT(together, 1.8 * alone);
  EXPECT_LT(together, 2.1 * alone);
}

// ---- Failures ----

TEST(SimulationTest, ExceptionInAPathNamesPathTimeAndLpAndLeavesNoTrace) {
  const LoadedScenario scenario = Load(Machine(2, "16M", 1) + Workload({Script("", {"sleep 5"})}));
  std::string trace;
  {
    const auto run = Begin(scenario, 2);
    trace = run->facts().trace_path;
    EXPECT_TRUE(std::filesystem::exists(trace + ".partial"));
    sim::Engine& engine = run->simulation().engine();
    engine.Start(run->simulation().memory().node(NodeId{1}).lp, sim::SimTime{2 * kMs}, "the culprit",
                 [](sim::Path& path) -> sim::Task<void> {
                   co_await path.Take(sim::Nanoseconds(7));
                   throw std::runtime_error("lost the page");
                 });
    const absl::Status status = run->Run();
    EXPECT_EQ(status.code(), absl::StatusCode::kInternal);
    EXPECT_THAT(std::string(status.message()), HasSubstr("'the culprit'"));
    EXPECT_THAT(std::string(status.message()), HasSubstr("2.000007ms"));
    EXPECT_THAT(std::string(status.message()), HasSubstr("'node1'"));
    EXPECT_THAT(std::string(status.message()), HasSubstr("lost the page"));
  }
  EXPECT_FALSE(std::filesystem::exists(trace));
  EXPECT_FALSE(std::filesystem::exists(trace + ".partial"));
}

// The ids of a node's memory blocks that are online.
std::vector<int64_t> OnlineBlocksOf(const MemorySystem& memory, NodeId node) {
  std::vector<int64_t> online;
  for (MemoryBlockId id{0}; id < memory.blocks().end(); ++id.value) {
    const MemoryBlock* const block = memory.blocks().Find(id);
    if (block != nullptr && block->online && block->nodes.Has(node)) online.push_back(id.value);
  }
  return online;
}

TEST(SimulationTest, RangeOfBlocksIsCountedAsTheOperationBegins) {
  const auto scenario =
      Load(Machine(2, "1G", 1) + Workload({Script("name: 's'", {"offline_block node1 1-3"})}));
  const auto simulation = workloads::Simulation::Create(scenario, {});
  ASSERT_TRUE(simulation.ok()) << simulation.status();
  std::vector<int64_t> expected = OnlineBlocksOf((*simulation)->memory(), NodeId{1});
  ASSERT_EQ(expected.size(), 8u);
  expected.erase(expected.begin() + 1, expected.begin() + 4);
  ASSERT_TRUE((*simulation)->Run().ok());
  EXPECT_EQ(OnlineBlocksOf((*simulation)->memory(), NodeId{1}), expected);
  EXPECT_TRUE((*simulation)->Failures().empty());
}

TEST(SimulationTest, RangeOfBlocksBeyondTheNodesIsEnoent) {
  const auto scenario = Load(Machine(2, "1G", 1) +
                             Workload({Script("name: 's'", {"offline_block node1 8-9223372036854775807"})}));
  const auto simulation = workloads::Simulation::Create(scenario, {});
  ASSERT_TRUE(simulation.ok()) << simulation.status();
  ASSERT_TRUE((*simulation)->Run().ok());
  EXPECT_EQ(OnlineBlocksOf((*simulation)->memory(), NodeId{1}).size(), 8u);
  ASSERT_EQ((*simulation)->Failures().size(), 1u);
  EXPECT_EQ((*simulation)->Failures()[0].what, "offline_block ENOENT");
}

// The blocks of node 0 begin with two that do not go offline: one with a hole and one with page tables.
TEST(SimulationTest, RangeOfBlocksTellsOfABlockThatFailsAndOfThoseThatAreNotThere) {
  const auto scenario =
      Load(Machine(2, "1G", 1) + Workload({Script("name: 's'", {"offline_block node0 0-99"})}));
  const auto simulation = workloads::Simulation::Create(scenario, {});
  ASSERT_TRUE(simulation.ok()) << simulation.status();
  ASSERT_TRUE((*simulation)->Run().ok());
  std::vector<std::string> what;
  for (const auto& kind : (*simulation)->Failures()) what.push_back(kind.what);
  EXPECT_EQ(what, (std::vector<std::string>{"offline_block EINVAL", "offline_block ENOENT"}));
}

// ---- The end of simulated time, 2^63 - 1 ns ----

// The first sleep ends at 2^63 - 1 ns less 854.775807 ms; the second would end after the last nanosecond.
const std::vector<std::string> kSleepsTooLong = {"sleep 9223372036000", "sleep 855"};

TEST(SimulationTest, OperationThatEndsAfterSimulatedTimeIsNamed) {
  const LoadedScenario scenario =
      Load(Machine(1, "16M", 1) + Workload({Script("name: 'web'", kSleepsTooLong)}));
  const absl::Status status = Begin(scenario, 2)->Run();
  EXPECT_EQ(status.code(), absl::StatusCode::kOutOfRange);
  EXPECT_THAT(std::string(status.message()),
              HasSubstr("test.textproto:9: script 'web' line 2: 'sleep 855': begins at 2562047h47m16s"));
  EXPECT_THAT(std::string(status.message()), HasSubstr("(292 years), the end of simulated time; expected"));
}

// A workload of guests whose memory comes by faults of 4K pages; it begins in line 5 of the file.
LoadedScenario LoadGuests(const std::string& groups) {
  return Load(absl::StrCat(Machine(1, "256M", 1), "workload {\n", groups, "}\n"));
}

// The first touches are under way then, page by page.
TEST(SimulationTest, GuestWhoseStartEndsAfterSimulatedTimeIsNamed) {
  const LoadedScenario scenario = LoadGuests(
      "guests { name: 'vms' start: '9223372036854ms' count: 1 arrival { gap { constant: '1us' } }\n"
      "  size { constant: '16M' } lifetime { constant: '1s' } }\n");
  const absl::Status status = Begin(scenario, 2)->Run();
  EXPECT_EQ(status.code(), absl::StatusCode::kOutOfRange);
  EXPECT_THAT(std::string(status.message()),
              HasSubstr("test.textproto:6: guests 'vms': 'vms#0': begins at 2562047h47m16.854"));
}

// kcompactd0 looked at 16.5 s, after a growth, and would look again after the end. It waits since before the
// guest does, which grew at 16.8 s.
TEST(SimulationTest, OfThoseAtTheEndOfSimulatedTimeOneOfTheWorkloadIsNamed) {
  const LoadedScenario scenario = LoadGuests(
      "guests { name: 'vms' start: '9223372036s' count: 1 arrival { gap { constant: '1us' } }\n"
      "  size { constant: '16M' } lifetime { constant: '2s' } touch { steps: 20 } }\n");
  EXPECT_THAT(std::string(Begin(scenario, 2)->Run().message()),
              HasSubstr("test.textproto:6: guests 'vms': 'vms#0': begins at 2562047h47m16.8"));
}

TEST(SimulationTest, PartThatStartsAtTheEndOfSimulatedTimeIsRefused) {
  const auto mistake = [](const std::string& part) {
    const workloads::ScenarioReaders no_files = {
        [](const std::string&) { return absl::NotFoundError("no files in this test"); }, nullptr};
    return std::string(workloads::ParseScenario(
                           "t.textproto",
                           absl::StrCat("machine { node { memory: '16M' } }\nworkload { ", part, " }\n"),
                           no_files)
                           .status()
                           .message());
  };
  const std::string start = "start: '9223372036854775807ns'";
  EXPECT_EQ(
      mistake(absl::StrCat("churn { name: 'c' ", start, " fill: '10%' }")),
      "t.textproto:2:30: workload.churn[0].start: '9223372036854775807ns' is the end of simulated time, "
      "when nothing begins any more; expected an earlier time");
  EXPECT_EQ(
      mistake(absl::StrCat("script { ", start, " line: 'spawn p' }")),
      "t.textproto:2:21: workload.script[0].start: '9223372036854775807ns' is the end of simulated time, "
      "when nothing begins any more; expected an earlier time");
  EXPECT_THAT(mistake("script { start: '1ns' stagger: '9223372036854775806ns' copies: 2 line: 'spawn p' }"),
              HasSubstr("stagger: '9223372036854775806ns' starts the last copy too late"));
  EXPECT_EQ(mistake("script { start: '9223372036854775806ns' line: 'spawn p' }"), "");
}

TEST(SimulationTest, RunThatStopsBeforeTheEndOfSimulatedTimeDoesNotMindALongerSleep) {
  for (const std::string stop : {"5ms", "9223372036854775807ns"}) {
    const LoadedScenario scenario =
        Load(Machine(1, "16M", 1) + "stop_after: '" + stop + "'\n" +
             Workload({Script("start: '1ms'", kSleepsTooLong),
                       Script("start: '9223372036854775807ns'", {"spawn p"}),
                       Script("", {"spawn p", "@p map m 4K anon", "@p touch m"})}));
    const auto run = Begin(scenario, 2);
    const absl::Status status = run->Run();
    ASSERT_TRUE(status.ok()) << status;
    EXPECT_EQ(run->simulation().streams_done(), 1);
  }
}

TEST(SimulationTest, OperationThatIsNotModelledIsRefusedBeforeTheRunWithItsLine) {
  const LoadedScenario scenario =
      Load(Machine(1, "16M", 1) + Workload({Script("name: 'web'", {"spawn p", "sysctl vm.swappiness 1"})}));
  const auto simulation = workloads::Simulation::Create(scenario, {});
  ASSERT_EQ(simulation.status().code(), absl::StatusCode::kUnimplemented);
  EXPECT_THAT(std::string(simulation.status().message()), HasSubstr("test.textproto:9: script 'web' line 2"));
  EXPECT_THAT(std::string(simulation.status().message()), HasSubstr("not modelled yet"));
}

// What Create says of a scenario; "" if it can run.
std::string Refusal(const std::string& scenario) {
  const LoadedScenario loaded = Load(scenario);
  return std::string(workloads::Simulation::Create(loaded, {}).status().message());
}

TEST(SimulationTest, DevicesThatTheMachineLacksAreRefusedBeforeTheRun) {
  const auto refusal = [](const std::string& machine, const std::string& line) {
    return Refusal(machine + Workload({Script("name: 's'", {"sleep 1", line})}));
  };
  const std::string place = "test.textproto:9: script 's' line 2: ";
  EXPECT_THAT(refusal(Machine(1, "1G", 1), "virtio_mem 128M"),
              HasSubstr(place + "virtio_mem: is for a device that this machine has not"));
  EXPECT_THAT(refusal(Machine(1, "1G", 1), "cma_alloc camera a 1M"),
              HasSubstr(place + "AREA: 'camera' is not a CMA area of this machine; expected one, made by"));
  const std::string with_device =
      "kernel { thp { enabled: 'never' } cma { area { name: 'camera' size: '64M' } } }\nmachine {\n"
      "  node { memory: '1G' cpus: 1 }\n  virtio_mem { node: 0 max: '1G' }\n}\n";
  EXPECT_THAT(refusal(with_device, "virtio_mem 2G"),
              HasSubstr("SIZE: '2G' is more than the device can have; expected at most 1G"));
  EXPECT_THAT(refusal(with_device, "virtio_mem 1M"),
              HasSubstr("SIZE: '1M' is no multiple of 2M, in which the device grows; expected such as 256M"));
  EXPECT_THAT(refusal(with_device, "cma_alloc camra a 1M"),
              HasSubstr("AREA: 'camra' is not a CMA area of this machine; expected camera; did you mean"));
  EXPECT_EQ(refusal(with_device, "virtio_mem 1G"), "");
  EXPECT_EQ(refusal(with_device, "cma_alloc camera a 1M"), "");
}

// A write to scan_sleep_millisecs ends the sleep that is under way, and `enabled never` the thread: neither
// leaves a timer behind that the run would wait for.
TEST(SimulationTest, KhugepagedDoesNotSleepOnWhenItsSleepIsSet) {
  const std::vector<std::string> setup = {"spawn p", "@p map m 8M anon", "@p touch m",
                                          "@p advise m 0 8M hugepage", "sleep 1s"};
  const auto scans = [&](std::vector<std::string> more) {
    std::vector<std::string> lines = setup;
    lines.insert(lines.end(), more.begin(), more.end());
    const auto scenario =
        Load("kernel { thp { enabled: 'madvise' } }\nmachine { node { memory: '64M' cpus: 2 } }\n" +
             Workload({Script("name: 'a'", lines)}));
    auto simulation = workloads::Simulation::Create(scenario, {.threads = 1, .seed = 1});
    EXPECT_TRUE(simulation.ok()) << simulation.status();
    EXPECT_TRUE((*simulation)->Run().ok());
    const int64_t ended = ((*simulation)->engine().now() - sim::SimTime{}).ns / 1'000'000;  // and some ms
    return std::pair((*simulation)->kernel().thp().khugepaged().counter(KHUGEPAGED_FULL_SCANS), ended / 100);
  };
  EXPECT_EQ(scans({"sleep 1s"}), std::pair(int64_t{1}, int64_t{20}));
  EXPECT_EQ(scans({"khugepaged_set scan_sleep_millisecs 300", "sleep 1s"}),
            std::pair(int64_t{5}, int64_t{20}));
  EXPECT_EQ(scans({"thp enabled never", "sleep 1s"}), std::pair(int64_t{1}, int64_t{20}));
}

// While it sleeps, as there was no huge page to be had, others have its CPU.
TEST(SimulationTest, KhugepagedSleepsWithoutItsCpu) {
  const auto scenario =
      Load("kernel { thp { enabled: 'madvise' } }\nmachine { node { memory: '64M' cpus: 1 } }\n" +
           Workload({Script("name: 'a'", {"spawn p", "@p map m 8M anon", "@p touch m", "pool 2M all 100",
                                          "@p advise m 0 8M hugepage", "sleep 20s"}),
                     Script("name: 'b' start: '15s'", {"spawn q", "@q map m 64K anon", "@q touch m"})}));
  auto simulation = workloads::Simulation::Create(scenario, {.threads = 1, .seed = 1});
  ASSERT_TRUE(simulation.ok()) << simulation.status();
  ASSERT_TRUE((*simulation)->Run().ok());
  const MemorySystem& memory = (*simulation)->kernel().memory();
  EXPECT_GT(memory.node(NodeId{0}).counters[THP_COLLAPSE_ALLOC_FAILED], 0);
  EXPECT_LT((*simulation)->engine().now() - sim::SimTime{}, sim::Milliseconds(20'500));
}

// The thread would go on for ever; it ends with the last stream, and the run's end is the same for any number
// of threads.
TEST(SimulationTest, KhugepagedRunsAsLongAsTheStreamsDo) {
  const auto scenario = Load(
      "kernel { thp { enabled: 'madvise' } }\nmachine { node { memory: '64M' cpus: 2 } node { memory: '64M' "
      "cpus: 1 } "
      "}\n" +
      Workload({Script("name: 'a'", {"spawn p", "@p map m 8M anon", "@p touch m", "@p advise m 0 8M hugepage",
                                     "sleep 25s", "@p touch m"}),
                Script("name: 'b' start: '1s'", {"spawn q", "@q cpu 2", "sleep 12s"})}));
  std::vector<std::pair<sim::SimTime, uint64_t>> ends;
  for (const int threads : {1, 2, 4}) {
    auto simulation = workloads::Simulation::Create(
        scenario, {.threads = threads, .seed = 1, .scheme = sim::Scheme::kParallel});
    ASSERT_TRUE(simulation.ok()) << simulation.status();
    ASSERT_TRUE((*simulation)->Run().ok());
    const Khugepaged& khugepaged = (*simulation)->kernel().thp().khugepaged();
    EXPECT_EQ(khugepaged.counter(KHUGEPAGED_PAGES_COLLAPSED), 4);
    EXPECT_EQ(khugepaged.counter(KHUGEPAGED_FULL_SCANS), 3) << "every 10 s of 25";
    ends.emplace_back((*simulation)->engine().now(), (*simulation)->engine().events_executed());
    EXPECT_LT(ends.back().first - sim::SimTime{}, sim::Nanoseconds(25'200'000'000));
  }
  EXPECT_EQ(ends[0], ends[1]);
  EXPECT_EQ(ends[0], ends[2]);
}

TEST(SimulationTest, FailuresNameTheLinesWhereTheyWereThoseWithMostFirst) {
  const auto scenario =
      Load(Machine(1, "64M", 2) +
           Workload({Script("name: 'one' copies: 3", {"spawn p", "@p map a 4M hugetlb-2M"}),
                     Script("name: 'two'", {"spawn p", "@p map a 1M anon", "@p protect a 0 1M r",
                                            "@p touch a 0 8K", "@p map b 2M hugetlb-2M"})}));
  const auto simulation = workloads::Simulation::Create(scenario, {});
  ASSERT_TRUE(simulation.ok()) << simulation.status();
  ASSERT_TRUE((*simulation)->Run().ok());
  const auto failures = (*simulation)->Failures();
  ASSERT_EQ(failures.size(), 2u);
  EXPECT_EQ(failures[0].what, "map ENOMEM");
  EXPECT_EQ(failures[0].count, 4);
  ASSERT_EQ(failures[0].lines.size(), 2u);
  EXPECT_EQ(failures[0].lines[0].count, 3);
  EXPECT_EQ(failures[0].lines[0].script, &scenario.scripts[0]);
  EXPECT_EQ(failures[0].lines[0].line, 2);
  EXPECT_EQ(failures[0].lines[1].count, 1);
  EXPECT_EQ(failures[0].lines[1].script, &scenario.scripts[1]);
  EXPECT_EQ(failures[0].lines[1].line, 5);
  EXPECT_EQ(failures[1].what, "accesses: SIGSEGV");
  EXPECT_EQ(failures[1].count, 2);
}

// The exit at the end of a script is in none of its lines: a failure of it is told of the line that started
// the process.
TEST(SimulationTest, AProcessThatWasKilledWhileIdleIsToldOfByTheLineThatStartedIt) {
  const auto scenario =
      Load(Machine(1, "256M", 2) +
           Workload({Script("name: 's'", {"sleep 1", "spawn a", "@a map x 150M anon", "@a touch x", "spawn b",
                                          "@b map y 150M anon", "@b touch y"})}));
  const auto simulation = workloads::Simulation::Create(scenario, {});
  ASSERT_TRUE(simulation.ok()) << simulation.status();
  ASSERT_TRUE((*simulation)->Run().ok());
  std::map<std::string, workloads::Simulation::FailedLine> found;
  for (const auto& kind : (*simulation)->Failures()) found.emplace(kind.what, kind.lines.front());
  ASSERT_TRUE(found.contains("exit KILLED"));
  const workloads::Simulation::FailedLine& killed = found.at("exit KILLED");
  EXPECT_EQ(killed.line, 2);
  EXPECT_EQ(killed.script->script.ops[1].text, "spawn a");
  EXPECT_THAT(killed.script->place(killed.line), HasSubstr("script 's' line 2"));
}

// What is asked for and not done is told by line, also where the system call itself does not fail.
TEST(SimulationTest, FailuresTellOfPagesThatStayedAndOfWhatIsBeyondAMapping) {
  const auto scenario =
      Load(Machine(2, "64M", 2) +
           Workload({Script("name: 's'", {"spawn p", "@p map a 1M anon", "@p touch a 0 512K", "@p fork q",
                                          "@p touch a 0 64K", "@p move a 1", "@p touch a 768K 1M 4K",
                                          "@p pin a 768K 1M", "@p pin a 768K 256K"})}));
  const auto simulation = workloads::Simulation::Create(scenario, {});
  ASSERT_TRUE(simulation.ok()) << simulation.status();
  ASSERT_TRUE((*simulation)->Run().ok());
  std::map<std::string, std::pair<int64_t, int>> found;  // count and line
  for (const auto& kind : (*simulation)->Failures()) found[kind.what] = {kind.count, kind.lines.front().line};
  const std::map<std::string, std::pair<int64_t, int>> expected = {
      // Of 256 pages 16 are p's alone.
      {"move: pages that stayed", {240, 6}},
      {"accesses: beyond the end of the mapping", {192, 7}},
      {"pin EFAULT", {1, 8}},
  };
  EXPECT_EQ(found, expected);
}

// ---- kcompactd at work of its own ----

// What is free is in single pages from a twentieth of a second on: it looks when half a second is over, and
// again 32 seconds later if that was in vain. A run is over with its last stream all the same.
TEST(SimulationTest, KcompactdLooksByItselfAsLongAsTheStreamsRun) {
  const auto compacted = [](const std::string& kernel, const std::vector<std::string>& last) {
    std::vector<std::string> lines = {"spawn p", "@p map a 128M anon", "@p touch a", "pool 2M node0 200",
                                      "@p advise a 0 128M dontneed 8K"};
    lines.insert(lines.end(), last.begin(), last.end());
    const LoadedScenario scenario =
        Load(absl::StrCat("machine { node { memory: '256M' cpus: 1 } }\nkernel { thp { enabled: 'never' } ",
                          kernel, " }\n", Workload({Script("", lines)})));
    const auto run = Begin(scenario, 1);
    EXPECT_TRUE(run->Run().ok());
    EXPECT_EQ(run->simulation().streams_done(), 1);
    EXPECT_LT(run->simulation().engine().now().ns, 101 * int64_t{1'000} * kMs);
    return SumOverNodes(run->simulation().memory(), PGMIGRATE_SUCCESS);
  };
  EXPECT_EQ(compacted("", {"sleep 400"}), 0);
  const int64_t once = compacted("", {"sleep 600"});
  EXPECT_GT(once, 0);
  EXPECT_EQ(compacted("", {"sleep 100s"}), once);
  EXPECT_EQ(compacted("compaction_proactiveness: 0", {"sleep 100s"}), 0);
  // Writing the setting makes it look.
  EXPECT_GT(compacted("compaction_proactiveness: 0", {"sysctl vm.compaction_proactiveness 20", "sleep 10"}),
            0);
  EXPECT_GT(compacted("", {"sleep 600", "sysctl vm.compaction_proactiveness 60", "sleep 10"}), once);
}

// ---- Two who take ranges ----

// A driver and a pool of gigantic pages want the memory in which a process's pages are and into which each of
// them moves what is in its way. That the two meet at such a frame is arranged in contig_range_test.
TEST(SimulationTest, DriverAndGiganticPoolTakeRangesOfOneZone) {
  const LoadedScenario scenario = Load(absl::StrCat(
      "machine { node { memory: '16G' cpus: 8 } }\n"
      "kernel { thp { enabled: 'never' } cma { area { name: 'camera' node: 0 size: '1G' } } }\n",
      Workload({Script("start: '8s' loops: 200",
                       {"cma_alloc camera right 16M align=1M", "cma_release right", "sleep 2"}),
                Script("", {"spawn p", "@p map a 9G anon policy=bind:0", "@p touch a", "sleep 60000"}),
                Script("start: '5s'", {"pool 2M node0 512"}),
                Script("start: '8s' loops: 1000",
                       {"spawn p", "@p map a 256M hugetlb-2M policy=bind:0", "@p touch a"}),
                Script("start: '8s'", {"spawn p", "@p cpu 4", "@p pool 1G mempolicy 1779"})}),
      "stop_after: '12s'\n"));
  const auto run = Begin(scenario, 1);
  const absl::Status status = run->Run();
  ASSERT_TRUE(status.ok()) << status;
  EXPECT_EQ(run->simulation().streams_done(), 3);
  EXPECT_GT(SumOverNodes(run->simulation().memory(), PGMIGRATE_SUCCESS), 0) << "nothing was in the way";
}

}  // namespace
}  // namespace numasim
