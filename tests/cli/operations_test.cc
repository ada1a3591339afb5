// What a run says of its operations, latencies and expectations, as a user of the program sees it.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <nlohmann/json.hpp>
#include <string>

#include "tests/cli/program_test.h"

namespace numasim {
namespace {

using nlohmann::json;
using ::testing::HasSubstr;
using ::testing::Not;

// One guest that gets its pages of the pool, one whose mmap finds none, and two touches.
constexpr char kScenario[] = R"(
machine { node { memory: '256M' } hugepages { size: '2M' nr: 8 } }
kernel { thp { enabled: 'never' } }
workload {
  script { name: 'first' line: 'spawn p' line: '@p map a 16M hugetlb-2M' line: '@p touch a' }
  script { name: 'late' start: '1s' copies: 3 stagger: '1s' line: 'spawn p'
    line: '@p map a 32M hugetlb-2M' line: '@p map b 1M anon' line: '@p touch b' line: 'sleep 500' }
}
)";

class OperationsTest : public ProgramTest {
 protected:
  static Outcome RunWith(const std::string& fields, std::vector<std::string> arguments = {}) {
    Write("s.textproto", fields + kScenario);
    arguments.insert(arguments.begin(), {"run", "s.textproto"});
    return Numasim(arguments);
  }
  static double Metric(const std::string& name) {
    const Outcome outcome = Numasim({"metrics", "s.trace.pb", name, "--format", "json"});
    EXPECT_EQ(outcome.exit_status, 0) << outcome.err;
    return json::parse(outcome.out).at(name).at("value");
  }
};

TEST_F(OperationsTest, AreCountedByScriptWithWhatFailedAndHowLongItTook) {
  EXPECT_EQ(RunWith("").exit_status, 0);
  EXPECT_EQ(Metric("operation.first.map.tried"), 1);
  EXPECT_EQ(Metric("operation.first.map.failed"), 0);
  EXPECT_EQ(Metric("operation.late.map.tried"), 6);
  EXPECT_EQ(Metric("operation.late.map.failed.ENOMEM"), 3);
  EXPECT_EQ(Metric("operation.late.map.failed_share"), 0.5);
  EXPECT_EQ(Metric("operation.late.access.tried"), 3 * 256);
  EXPECT_EQ(Metric("operation.first.access.tried"), 8);  // one for each huge page
  EXPECT_EQ(Metric("operation.fault_hugetlb.tried"), 8);
  EXPECT_EQ(Metric("operation.fault_base.tried"), 3 * 256);
  EXPECT_EQ(Metric("operation.late.sleep.mean_ns"), 500e6);
}

TEST_F(OperationsTest, TheSummaryHasALineForEachScriptAndEachKindOfFault) {
  const Outcome run = RunWith("");
  EXPECT_THAT(run.out, testing::ContainsRegex("script +operations +failed +accesses +failed\n"
                                              " *first +4 +0 +8 +0\n"
                                              " *late +18 +3 +768 +0\n"));
  EXPECT_THAT(run.out, testing::ContainsRegex("\n *fault_hugetlb +8 +0 "));
}

TEST_F(OperationsTest, TheSummaryAsJsonHasThemAndAllMetrics) {
  const Outcome run = RunWith("", {"--format", "json"});
  EXPECT_EQ(run.exit_status, 0) << run.err;
  const json summary = json::parse(run.out);
  EXPECT_EQ(summary["metrics"]["operation.late.map.failed"], 3);
  EXPECT_EQ(summary["metrics"]["hugetlb-2M.nr_hugepages.peak"], 8);
  EXPECT_EQ(summary["streams"], 4);
  EXPECT_EQ(summary["failures"][0]["what"], "map ENOMEM");
  EXPECT_EQ(summary["failures"][0]["lines"][0]["count"], 3);
  const auto late_map =
      std::find_if(summary["operations"].begin(), summary["operations"].end(),
                   [](const json& o) { return o.value("script", "") == "late" && o["operation"] == "map"; });
  ASSERT_NE(late_map, summary["operations"].end());
  EXPECT_EQ((*late_map)["failed"]["ENOMEM"], 3);
}

// Of 512 MiB the hypervisor takes back 384; of two blocks that are to go offline one is not there.
TEST_F(OperationsTest, TheSummaryTellsOfRangesAndTheVirtioMemDevice) {
  Write("s.mm",
        "machine nodes=2 node_mem=1G cpus_per_node=1 virtio_mem=1:1G:0\n"
        "virtio_mem 512M\nvirtio_mem 128M\noffline_block node0 6\noffline_block node0 99\n");
  const Outcome run = Numasim({"run", "s.mm"});
  EXPECT_EQ(run.exit_status, 0) << run.err;
  EXPECT_THAT(run.out, testing::ContainsRegex("\n  ranges +tried +failed +mean +99% +max\n"
                                              "  offline_block +2 +1 [^\n]*\n"
                                              "  virtio_mem +2 +0 [^\n]*\n"));
  EXPECT_THAT(run.out, testing::ContainsRegex(
                           "\n  virtio-mem +can have +asked for +plugged +requests not met +time on "
                           "requests\n"
                           "  node 1 +1.0 GiB +128.0 MiB +128.0 MiB +0 +[0-9.]+us\n"));
  EXPECT_THAT(run.out, testing::ContainsRegex(
                           "\n  offlining +blocks tried +went +stayed +came online +time +in the way\n"
                           "  node 0 +1 +1 +0 +0 +[0-9.]+[a-z]+ +nothing\n"
                           "  node 1 +3 +3 +0 +4 +[0-9.]+[a-z]+ +nothing\n"));
  EXPECT_THAT(run.out, testing::ContainsRegex(
                           "\n  virtio-mem in all +asked for +moved +tried in vain +time +in the way\n"
                           "  given +512.0 MiB +512.0 MiB +0 B +[0-9.]+[a-z]+ +nothing\n"
                           "  taken back +384.0 MiB +384.0 MiB +0 B +[0-9.]+[a-z]+ +nothing\n"));
  const json summary = json::parse(Numasim({"run", "s.mm", "--format", "json"}).out);
  const json& device = summary.at("virtio_mem");
  EXPECT_EQ(device["node"], 1);
  EXPECT_EQ(device["can_have_bytes"], 1 << 30);
  EXPECT_EQ(device["asked_for_bytes"], 128 << 20);
  EXPECT_EQ(device["plugged_bytes"], 128 << 20);
  EXPECT_EQ(device["requests_not_met"], 0);
  EXPECT_EQ(device["requests_ns"], summary["metrics"]["virtio_mem_ns"]);
  EXPECT_EQ(device["asked_more_bytes"], 512 << 20);
  EXPECT_EQ(device["given_bytes"], 512 << 20);
  EXPECT_EQ(device["asked_back_bytes"], 384 << 20);
  EXPECT_EQ(device["returned_bytes"], 384 << 20);
  EXPECT_EQ(device["tried_in_vain_bytes"], 0);
  EXPECT_EQ(device["in_the_way_bytes"], json::object());
  EXPECT_EQ(device["unplug_ns"], summary["metrics"]["virtio_mem_unplug_ns"]);
  EXPECT_EQ(summary["metrics"]["virtio_mem_returned"], (384 << 20) / 4096);
  const json& of_node1 = summary.at("offlining").at(1);
  EXPECT_EQ(of_node1["node"], 1);
  EXPECT_EQ(of_node1["tried"], 3);
  EXPECT_EQ(of_node1["went"], 3);
  EXPECT_EQ(of_node1["came_online"], 4);
  EXPECT_EQ(of_node1["offline_ns"], summary["metrics"]["node1.offline_ns"]);
  EXPECT_EQ(summary["metrics"]["node0.blocks_offlined"], 1);
}

// Of the device's 256 MiB 100 are in use and pinned.
TEST_F(OperationsTest, TheSummarySaysWhatKeptMemoryThatWasAskedBack) {
  Write("s.mm",
        "machine nodes=2 node_mem=512M cpus_per_node=1 virtio_mem=1:256M:256M\nthp enabled never\n"
        "spawn p\n@p map a 100M anon policy=bind:1\n@p touch a\n@p pin a\nvirtio_mem 0\n");
  const Outcome run = Numasim({"run", "s.mm", "--format", "json"});
  ASSERT_EQ(run.exit_status, 0) << run.err;
  const json device = json::parse(run.out).at("virtio_mem");
  const int64_t stayed = device["plugged_bytes"];
  EXPECT_GE(stayed, 100 << 20);
  EXPECT_LT(stayed, 256 << 20);
  EXPECT_EQ(device["asked_back_bytes"], 256 << 20);
  EXPECT_EQ(device["returned_bytes"], (256 << 20) - stayed);
  EXPECT_EQ(device["tried_in_vain_bytes"], stayed);
  EXPECT_EQ(device["in_the_way_bytes"], json({{"anon,pinned", stayed}}));
  EXPECT_THAT(Numasim({"run", "s.mm"}).out,
              testing::ContainsRegex("\n  taken back +256.0 MiB [^\n]* anon,pinned [0-9.]+ MiB\n"));
}

// The first guest has all pages of the pool: all that fails is of the second line of the other's copies.
TEST_F(OperationsTest, AFailureInTheTraceNamesTheLineOfTheScript) {
  const Outcome run = RunWith("");
  const json events = json::parse(Numasim({"dump", "s.trace.pb", "--format", "json"}).out)["events"];
  ASSERT_GE(events.size(), 3u);
  for (const json& event : events) {
    EXPECT_EQ(event["kind"], "hugetlb_failed");
    EXPECT_THAT(event["path"].get<std::string>(), testing::StartsWith("late#"));
    EXPECT_EQ(event["failure"]["at"]["script"], "late") << event;
    EXPECT_EQ(event["failure"]["at"]["line"], 2) << event;
  }
  EXPECT_THAT(Numasim({"dump", "s.trace.pb"}).out, HasSubstr("script=late"));
  EXPECT_THAT(Numasim({"dump", "s.trace.pb", "--format", "csv", "--table", "events"}).out,
              HasSubstr(",hugetlb_acct_memory,,,,,,,,16,,late,2,,\n"));
  EXPECT_THAT(run.out,
              testing::ContainsRegex(
                  "\n +3  hugetlb_failed: size=2M node=0 errno=ENOMEM function=hugetlb_acct_memory\n"))
      << "the summary counts them together";
  ASSERT_EQ(Numasim({"report", "s.trace.pb"}).exit_status, 0);
  EXPECT_THAT(FileText("s.html"), HasSubstr("script=late line=2"));
}

// Of guests, which have no script, it names none.
TEST_F(OperationsTest, AFailureOfAGuestNamesNoLine) {
  Write("s.textproto", R"(
machine { node { memory: '256M' } }
workload { guests { name: 'vms' arrival { gap { constant: '100ms' } } count: 2 size { constant: '8M' }
  lifetime { constant: '1s' } page_size: '2M' } }
)");
  ASSERT_EQ(Numasim({"run", "s.textproto", "--quiet"}).exit_status, 0);
  const json events = json::parse(Numasim({"dump", "s.trace.pb", "--format", "json"}).out)["events"];
  ASSERT_GE(events.size(), 1u);
  for (const json& event : events) {
    const json at = event["failure"].value("at", json::object());
    EXPECT_EQ(at.count("script") + at.count("line"), 0u) << event;
  }
}

TEST_F(OperationsTest, WhatTheSummarySaysTheTraceSaysToo) {
  const Outcome run = RunWith("", {"--format", "json"});
  const json summary = json::parse(run.out);
  const Outcome listed = Numasim({"metrics", "s.trace.pb", "--format", "json"});
  const json metrics = json::parse(listed.out);
  ASSERT_GT(metrics.size(), 100u);
  EXPECT_EQ(metrics.size(), summary["metrics"].size());
  for (const auto& [name, metric] : metrics.items())
    EXPECT_EQ(metric["value"], summary["metrics"][name]) << name;
}

// Each has a time in the trace's histogram, those that failed too: of the areas' 16 MiB the last 8 are not to
// be had.
TEST_F(OperationsTest, CollapsesCmaAndVirtioMemHaveATimeEach) {
  Write("s.textproto", R"(
machine { node { memory: '512M' } node { memory: '512M' } virtio_mem { node: 1 max: '256M' }
          kernel_args: 'memhp_default_state=online_movable' }
kernel { thp { enabled: 'madvise' } cma { area { name: 'camera' size: '16M' } } }
workload { script { name: 's'
  line: 'spawn p' line: '@p map heap 8M anon' line: '@p touch heap' line: '@p advise heap 0 8M hugepage'
  line: 'khugepaged 2'
  line: 'cma_alloc camera a 4M' line: 'cma_alloc camera b 8M' line: 'cma_alloc camera c 8M'
  line: 'virtio_mem 256M' line: 'virtio_mem 0' } }
)");
  ASSERT_EQ(Numasim({"run", "s.textproto", "--quiet"}).exit_status, 0);
  const json dump = json::parse(Numasim({"dump", "s.trace.pb", "--format", "json"}).out);
  const auto of = [&](const std::string& name) {
    for (const json& operation : dump["operations"]) {
      if (operation["operation"] == name) return operation;
    }
    return json();
  };
  const auto timed = [](const json& operation) {
    int64_t count = 0;
    for (const json& bucket : operation["latency_ns"]["buckets"]) count += bucket["count"].get<int64_t>();
    return count;
  };
  // Heaps begin at a huge page's boundary.
  EXPECT_EQ(timed(of("collapse")), 4);
  EXPECT_EQ(Metric("khugepaged_pages_collapsed"), 4);
  EXPECT_EQ(timed(of("cma_alloc")), 3);
  EXPECT_EQ(of("cma_alloc")["failed"], json({{"ENOMEM", 1}}));
  EXPECT_EQ(timed(of("virtio_mem")), 2);
  // An operation is longer than what the driver counts by the way of its request to and from the device.
  EXPECT_GE(of("virtio_mem")["latency_ns"]["sum"].get<double>(), Metric("virtio_mem_ns"));
  EXPECT_GE(of("cma_alloc")["latency_ns"]["sum"].get<double>(), Metric("cma.camera.cma_alloc_ns"));
}

TEST_F(OperationsTest, AnExpectationThatHoldsEndsWith0AndOneThatDoesNotWith2) {
  EXPECT_EQ(RunWith("expect: 'operation.first.map.failed == 0'\n").exit_status, 0);
  const Outcome run = RunWith("expect: 'operation.*.map.failed_share < 10%'\n");
  EXPECT_EQ(run.exit_status, 2);
  EXPECT_EQ(run.err,
            "numasim: s.textproto:1: expect: 'operation.*.map.failed_share < 10%' does not hold: "
            "operation.late.map.failed_share is 50%\n");
  EXPECT_THAT(run.out, HasSubstr("trace: s.trace.pb"));
  EXPECT_THAT(Files(), testing::Contains("s.trace.pb"));
}

TEST_F(OperationsTest, FailOnEndsWith2WhereItHoldsAndNeedsNoTraceFile) {
  EXPECT_EQ(RunWith("", {"--fail-on", "operation.late.map.failed > 3", "--quiet"}).exit_status, 0);
  const Outcome run = RunWith("", {"--fail-on", "operation.late.map.failed > 2", "--fail-on",
                                   "operation.fault_hugetlb.max_ns > 1h", "--quiet", "--out", "/dev/null"});
  EXPECT_EQ(run.exit_status, 2);
  EXPECT_EQ(run.err,
            "numasim: --fail-on: 'operation.late.map.failed > 2' holds: operation.late.map.failed is 3\n");
}

TEST_F(OperationsTest, ConditionsThatMeanNothingAreRefused) {
  EXPECT_THAT(
      RefusedScenario(std::string("expect: 'operation.first.map.failed'\n") + kScenario),
      HasSubstr("s.textproto:1:1: expect[0]: 'operation.first.map.failed' has no comparison; expected"));
  Write("s.textproto", kScenario);
  EXPECT_THAT(Refused({"run", "s.textproto", "--fail-on", "node0.nuna_miss > 1"}),
              HasSubstr("did you mean 'node0.numa_miss'?"));
  EXPECT_THAT(Refused({"run", "s.textproto", "--format", "yaml"}), HasSubstr("yaml"));
}

// What a script does, and what can fail, is known before it runs.
TEST_F(OperationsTest, MisspeltOperationsEventsAndUnitsAreToldBeforeTheRun) {
  Write("s.textproto", kScenario);
  EXPECT_EQ(Refused({"run", "s.textproto", "--fail-on", "operation.late.mapp.failed > 2"}),
            "numasim: --fail-on: 'operation.late.mapp.failed > 2' is about nothing that this run can do; did "
            "you mean 'operation.late.map.failed'?; expected operation.SCRIPT.OPERATION.VALUE, "
            "operation.KIND.VALUE or events.KIND\n");
  for (const char* const condition :
       {"operation.early.map.failed > 2", "operation.late.map.failed.ENOMEN > 2",
        "operation.fault_thpp.max_ns > 1ms", "events.hugetlb_faild > 0"})
    EXPECT_THAT(Refused({"run", "s.textproto", "--fail-on", condition}),
                HasSubstr("is about nothing that this run can do"))
        << condition;
  EXPECT_THAT(Refused({"run", "s.textproto", "--fail-on", "operation.late.map.tried > 1ms"}),
              HasSubstr("which is in times"));
  for (const char* const condition :
       {"operation.late.exit.failed > 0", "operation.first.access.failed.SIGBUS > 0", "events.oom_kill > 0",
        "operation.*.failed_share > 90%", "*.wait_max_ns > 1h"}) {
    const Outcome run = Numasim({"run", "s.textproto", "--fail-on", condition, "--quiet"});
    EXPECT_EQ(run.exit_status, 0) << run.err;
  }
}

TEST_F(OperationsTest, WhatDoesNotHoldIsToldBesideAConditionOnWhatDidNotHappen) {
  constexpr char kNoThp[] =
      "numasim: --fail-on: 'operation.fault_thp.max_ns > 1ms' is about what did not happen";
  const Outcome alone = RunWith("", {"--fail-on", "operation.fault_thp.max_ns > 1ms"});
  EXPECT_EQ(alone.exit_status, 1);
  EXPECT_THAT(alone.err, testing::StartsWith(kNoThp));
  const Outcome both = RunWith(
      "", {"--fail-on", "operation.fault_thp.max_ns > 1ms", "--fail-on", "operation.late.map.failed > 2"});
  EXPECT_EQ(both.exit_status, 2);
  EXPECT_THAT(both.err, HasSubstr("'operation.late.map.failed > 2' holds: operation.late.map.failed is 3\n"));
  EXPECT_THAT(both.err, HasSubstr(kNoThp));
  // The run is what it is, whatever is asked of it.
  EXPECT_THAT(Files(), testing::Contains("s.trace.pb"));
}

TEST_F(OperationsTest, MetricsCanBeChosenAndHaveThreeForms) {
  RunWith("");
  EXPECT_EQ(Numasim({"metrics", "s.trace.pb", "operation.late.map.t*", "operation.late.sleep.mean_ns"}).out,
            "operation.late.map.tried          6  times\n"
            "operation.late.sleep.mean_ns  500ms\n");
  EXPECT_EQ(Numasim({"metrics", "s.trace.pb", "operation.late.map.tried", "--format", "csv"}).out,
            "metric,value,unit\noperation.late.map.tried,6,times\n");
  EXPECT_THAT(Refused({"metrics", "s.trace.pb", "operation.later.*"}), HasSubstr("matches none of the"));
  EXPECT_THAT(Refused({"metrics", "s.trace.pb", "--format", "xml"}), HasSubstr("expected text, csv or json"));
  EXPECT_THAT(Refused({"metrics", "s.textproto"}), HasSubstr("s.textproto"));
}

}  // namespace
}  // namespace numasim
