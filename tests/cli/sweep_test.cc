// `numasim sweep` as its users run it: what is in the database, what is printed, and what becomes of it all
// when the program is stopped, killed, or started again.
#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <sys/wait.h>

#include <algorithm>
#include <chrono>
#include <csignal>
#include <map>
#include <memory>
#include <set>
#include <string>
#include <thread>
#include <vector>

#include "absl/strings/str_cat.h"
#include "absl/strings/str_replace.h"
#include "absl/strings/str_split.h"
#include "cli/metrics/metrics.h"
#include "cli/sweep/sqlite.h"
#include "cli/sweep/sweep_results.h"
#include "tests/cli/program_test.h"

namespace numasim {
namespace {

using ::testing::AllOf;
using ::testing::ElementsAre;
using ::testing::EndsWith;
using ::testing::HasSubstr;
using ::testing::IsEmpty;
using ::testing::MatchesRegex;
using ::testing::Not;
using ::testing::SizeIs;
using ::testing::StartsWith;

// One process that touches so many MiB, on a node that has about 60.
constexpr char kScenario[] = R"(machine { node { memory: "64M" } }
kernel { thp { enabled: "never" } }
workload {
  script { name: "load" line: "spawn p" line: "@p map a 4M anon" line: "@p touch a" }
}
)";
constexpr char kStudy[] = R"(scenario: "s.textproto"
parameter { name: "size" set: "workload.script[load].line[1]=@p map a {}M anon" value: ["4", "8", "16"] }
seeds { count: 2 }
show: "simulated_ns"
)";

class SweepTest : public ProgramTest {
 protected:
  void SetUp() override {
    ProgramTest::SetUp();
    Write("s.textproto", kScenario);
    Write("study.textproto", kStudy);
  }

  static std::unique_ptr<Sqlite> Database(const std::string& path = "study.sqlite") {
    auto database = Sqlite::Open(path, Sqlite::Mode::kRead);
    EXPECT_TRUE(database.ok()) << database.status();
    return *std::move(database);
  }
  static std::vector<StoredRun> Runs(const std::string& path = "study.sqlite") {
    const auto runs = StoredRuns(*Database(path));
    EXPECT_TRUE(runs.ok()) << runs.status();
    return *runs;
  }
  // By point, of the first run.
  static double Value(const std::string& metric, size_t point) {
    const auto database = Database();
    const auto value = database->Text(absl::StrCat("SELECT value FROM results WHERE metric = '", metric,
                                                   "' AND point = ", point, " ORDER BY run"));
    EXPECT_TRUE(value.ok()) << value.status();
    return std::stod(*value);
  }
  static Outcome Sweep(std::vector<std::string> options = {}) {
    options.insert(options.begin(), {"sweep", "study.textproto"});
    return Numasim(options);
  }
};

TEST_F(SweepTest, EveryPointIsRunWithEverySeed) {
  const Outcome sweep = Sweep();
  EXPECT_EQ(sweep.exit_status, 0) << sweep.err;
  EXPECT_THAT(Files(), ElementsAre("s.textproto", "study.sqlite", "study.textproto"));
  const std::vector<StoredRun> runs = Runs();
  ASSERT_THAT(runs, SizeIs(6));
  for (size_t i = 0; i < runs.size(); ++i) {
    EXPECT_EQ(runs[i].number, static_cast<int64_t>(i));
    EXPECT_EQ(runs[i].point, i / 2);
    EXPECT_EQ(runs[i].seed, i % 2 + 1);
    EXPECT_FALSE(runs[i].failed) << runs[i].failure;
  }
  const auto parameters = StoredParameters(*Database());
  ASSERT_TRUE(parameters.ok());
  EXPECT_EQ(parameters->at(2), PointParameters({{"size", "16"}}));
}

// The numbers are those of a run by itself, and of its trace.
TEST_F(SweepTest, MetricsAreThoseOfARunWithTheSameSettings) {
  ASSERT_EQ(Sweep().exit_status, 0);
  const Outcome run =
      Numasim({"run", "s.textproto", "--set", "workload.script[load].line[1]=@p map a 16M anon", "--seed",
               "2", "--out", "t.pb", "--quiet"});
  ASSERT_EQ(run.exit_status, 0) << run.err;
  const auto trace = ReadMetrics("t.pb");
  ASSERT_TRUE(trace.ok()) << trace.status();
  const auto database = Database();
  const auto metrics = StoredMetrics(*database);
  const auto values = ValuesOfRun(*database, 5);
  ASSERT_TRUE(metrics.ok() && values.ok());
  EXPECT_EQ(values->size(), trace->metrics.size());
  for (const auto& [number, value] : *values) {
    const StoredMetric& metric = metrics->at(number);
    const Metric& expected = trace->metrics.at(metric.name);
    EXPECT_EQ(value, expected.value) << metric.name;
    EXPECT_EQ(metric.info.unit, expected.info.unit) << metric.name;
    EXPECT_EQ(metric.info.kind, expected.info.kind) << metric.name;
    EXPECT_EQ(metric.info.direction, expected.info.direction) << metric.name;
    EXPECT_EQ(metric.info.absent_is_zero, expected.info.absent_is_zero) << metric.name;
  }
  EXPECT_EQ(Runs()[5].scenario_hash, trace->scenario_hash);
}

TEST_F(SweepTest, TableHasARowForEachPoint) {
  const Outcome sweep = Sweep();
  EXPECT_THAT(sweep.out, StartsWith("study.textproto: 3 points, 2 seeds each\n"));
  EXPECT_THAT(sweep.out, HasSubstr("results: study.sqlite\n"));
  std::vector<std::vector<std::string>> rows;
  for (const absl::string_view line : absl::StrSplit(sweep.out, '\n'))
    rows.push_back(absl::StrSplit(line, ' ', absl::SkipEmpty()));
  ASSERT_GE(rows.size(), 5u);
  EXPECT_THAT(rows[1], ElementsAre("size", "runs", "simulated_ns", "+/-"));
  // Two runs are too few for an interval.
  EXPECT_THAT(rows[2], ElementsAre("4", "2", testing::EndsWith("ms"), "inf"));
  EXPECT_THAT(rows[4], ElementsAre("16", "2", testing::EndsWith("ms"), "inf"));
  EXPECT_EQ(
      sweep.err,
      "numasim: warning: study.textproto: seeds: have no effect: the runs of each point are the same in all "
      "metrics that are kept\n");
  const Outcome quiet = Sweep({"--quiet"});
  EXPECT_EQ(quiet.out, "");
}

// The cells of the table's line that begins so.
std::vector<std::string> LineOf(const std::string& out, const std::string& first) {
  for (const absl::string_view line : absl::StrSplit(out, '\n')) {
    std::vector<std::string> cells = absl::StrSplit(line, ' ', absl::SkipEmpty());
    if (!cells.empty() && cells[0] == first) return cells;
  }
  return {};
}

TEST_F(SweepTest, PointsThatAreRunOnceHaveNoMediansAndNoIntervals) {
  Write("study.textproto", absl::StrReplaceAll(kStudy, {{"seeds { count: 2 }", ""}}));
  const Outcome sweep = Sweep();
  EXPECT_THAT(LineOf(sweep.out, "size"), ElementsAre("size", "simulated_ns"));
  EXPECT_THAT(LineOf(sweep.out, "4"), ElementsAre("4", testing::EndsWith("ms")));
  EXPECT_THAT(sweep.out, Not(HasSubstr("median")));
}

constexpr char kVariants[] = R"(scenario: "s.textproto"
parameter {
  name: "load"
  variant { name: "none" set: "workload.script[load].copies=0" }
  variant { name: "as it is" }
  variant { name: "large" set: "workload.script[load].line[1]=@p map a 8M anon" set: "trace.interval=2ms" }
}
)";

TEST_F(SweepTest, VariantsSetFieldsUnderAName) {
  Write("study.textproto", absl::StrCat(kVariants, "show: 'operation.load.touch.tried'"));
  const Outcome sweep = Sweep();
  EXPECT_EQ(sweep.exit_status, 0) << sweep.err;
  EXPECT_THAT(LineOf(sweep.out, "none"), ElementsAre("none", "0"));
  EXPECT_THAT(LineOf(sweep.out, "large"), ElementsAre("large", "1"));
  const Outcome run =
      Numasim({"run", "s.textproto", "--set", "workload.script[load].line[1]=@p map a 8M anon", "--set",
               "trace.interval=2ms", "--out", "t.pb", "--quiet"});
  ASSERT_EQ(run.exit_status, 0) << run.err;
  const auto trace = ReadMetrics("t.pb");
  ASSERT_TRUE(trace.ok()) << trace.status();
  EXPECT_EQ(Runs()[2].scenario_hash, trace->scenario_hash);
  EXPECT_EQ(Numasim({"compare", "study.sqlite", "study.sqlite", "--where", "load=as it is"}).exit_status, 0);
}

TEST_F(SweepTest, ColumnsAreComputedOfEachRun) {
  Write("study.textproto",
        absl::StrCat(kStudy,
                     "column { name: 'a MiB' value: '[simulated_ns] / [size]' unit: 'time' }\n"
                     "column { name: 'twice' value: '2 * [size]' }\n"
                     "column { name: 'half' value: '[size] / (2 * [size])' unit: 'share' }\n"
                     "column { name: 'is' value: \"CASE WHEN [size] > 4 THEN 'more' END\" }\n"));
  const Outcome sweep = Sweep();
  EXPECT_EQ(sweep.exit_status, 0) << sweep.err;
  EXPECT_THAT(LineOf(sweep.out, "4"), ElementsAre("4", "2", testing::EndsWith("us"), "inf", "8", "inf", "50%",
                                                  "inf", "-", testing::EndsWith("ms"), "inf"));
  EXPECT_THAT(LineOf(sweep.out, "16").at(8), "more");
  const auto database = Database();
  EXPECT_EQ(
      *database->Number("SELECT count(*) FROM shown WHERE \"a MiB\" * size = "
                        "(SELECT value FROM results r WHERE r.run = shown.run AND metric = 'simulated_ns')"),
      6);
  EXPECT_EQ(*database->Text("SELECT typeof(size) || seed || point FROM shown ORDER BY run LIMIT 1"),
            "integer10");
}

// An event or a kind of failure that no run of a point names is 0 there, as in any other table.
TEST_F(SweepTest, ColumnOfWhatDidNotHappenIsZero) {
  const std::string columns =
      "column { name: 'events' value: '[events.oom_kill]' }\n"
      "column { name: 'early' value: '[early.events.oom_kill]' }\n"
      "column { name: 'touch' value: '[operation.load.touch.failed.KILLED]' }\n"
      "period { name: 'early' to: '1us' }\n";
  Write("study.textproto", absl::StrCat(absl::StrReplaceAll(kStudy, {{"\"16\"", "\"62\""}}), columns));
  const Outcome some = Sweep();
  EXPECT_THAT(LineOf(some.out, "4"),
              ElementsAre("4", "2", "0", "inf", "0", "inf", "0", "inf", testing::_, "inf"));
  EXPECT_THAT(LineOf(some.out, "62").at(2), "1");
  EXPECT_THAT(LineOf(some.out, "62").at(4), "0");
  EXPECT_THAT(LineOf(some.out, "62").at(6), "1");
  EXPECT_THAT(some.err, Not(HasSubstr("column")));
  // Also where no run at all names it;
  Write("study.textproto", absl::StrCat(kStudy, columns));
  const Outcome none = Sweep({"--restart"});
  EXPECT_THAT(LineOf(none.out, "4").at(2), "0");
  EXPECT_THAT(LineOf(none.out, "4").at(6), "0");
  EXPECT_THAT(none.err, Not(HasSubstr("column")));
  // but not where it is not kept, or where there is no such thing.
  Write("study.textproto", absl::StrCat(kStudy, columns, "metrics: 'simulated_ns'\n"));
  const Outcome left_out = Sweep({"--restart"});
  EXPECT_THAT(LineOf(left_out.out, "4").at(2), "-");
  EXPECT_THAT(left_out.err, HasSubstr("column 'events': [events.oom_kill] is none of the 1 metrics"));
  Write("study.textproto",
        absl::StrCat(kStudy, absl::StrReplaceAll(columns, {{"touch.failed", "move.failed"}})));
  EXPECT_THAT(Sweep({"--restart"}).err,
              HasSubstr("column 'touch': [operation.load.move.failed.KILLED] is none of"));
}

TEST_F(SweepTest, ColumnsMayChangeAndAreMadeAnew) {
  ASSERT_EQ(Sweep({"--quiet"}).exit_status, 0);
  Write("study.textproto", absl::StrCat(kStudy, "column { name: 'x' value: '[size]' }\n"));
  ASSERT_EQ(Sweep({"--quiet"}).exit_status, 0);
  Write("study.textproto", absl::StrCat(kStudy, "column { name: 'x' value: '3 * [size]' }\n"));
  ASSERT_EQ(Sweep({"--quiet"}).exit_status, 0);
  EXPECT_EQ(*Database()->Number("SELECT max(x) FROM shown"), 48);
}

TEST_F(SweepTest, WrongColumnsAreToldBeforeAnythingRuns) {
  const auto refused = [&](const std::string& value) {
    Write("study.textproto", absl::StrCat(kStudy, "column { name: 'x' value: '", value, "' }\n"));
    return Refused({"sweep", "study.textproto"});
  };
  EXPECT_THAT(refused("[size] +"),
              HasSubstr("study.textproto:5: column 'x': SQLite says: near \")\": syntax error; "));
  EXPECT_THAT(refused("size"), HasSubstr("no such column: size"));
  // A column is of one run.
  EXPECT_THAT(refused("[size] + ?"), HasSubstr("parameters are not allowed in views"));
  EXPECT_THAT(refused("max([size])"), HasSubstr("misuse of aggregate"));
  EXPECT_THAT(refused("1) FROM runs; DROP TABLE runs --"), HasSubstr("column[0].value: "));
  EXPECT_THAT(Files(), ElementsAre("s.textproto", "study.textproto"));
}

TEST_F(SweepTest, NamesInColumnsThatNoRunHasAreNamed) {
  Write("study.textproto", absl::StrCat(kStudy, "column { name: 'x' value: '[node0.numa_mis]' }\n"));
  EXPECT_THAT(Sweep().err,
              HasSubstr("numasim: warning: study.textproto:5: column 'x': [node0.numa_mis] is none of the"));
  EXPECT_THAT(Sweep({"--quiet"}).err, HasSubstr("; did you mean 'node0.numa_miss'?"));
}

TEST_F(SweepTest, PeriodsHaveMetricsAlsoWhereTracesAreKept) {
  const std::string study =
      absl::StrCat(kStudy, "period { name: 'early' to: '1ms' } period { name: 'late' from: '1ms' }\n");
  Write("study.textproto", study);
  ASSERT_EQ(Sweep({"--quiet"}).exit_status, 0);
  const std::string early =
      Database()->Text("SELECT value FROM results WHERE metric = 'early.node0.numa_hit'").value();
  EXPECT_EQ(Value("early.node0.numa_hit", 0) + Value("late.node0.numa_hit", 0), Value("node0.numa_hit", 0));
  EXPECT_GT(Value("early.node0.numa_hit", 0), 0);
  ASSERT_EQ(Sweep({"--quiet", "--restart", "--keep-traces", "traces"}).exit_status, 0);
  EXPECT_EQ(Database()->Text("SELECT value FROM results WHERE metric = 'early.node0.numa_hit'").value(),
            early);
  Write("study.textproto", absl::StrReplaceAll(study, {{"from: '1ms'", "from: '1h'"}}));
  EXPECT_THAT(Refused({"sweep", "study.textproto"}), HasSubstr("a change of the study;"));
  EXPECT_THAT(Sweep({"--restart"}).err,
              HasSubstr("study.textproto: period[1]: 'late' begins when the first run has ended, at "));
  Write("study.textproto", absl::StrReplaceAll(study, {{"to: '1ms'", "to: '1h'"}}));
  EXPECT_THAT(Sweep({"--restart"}).err,
              HasSubstr("study.textproto: period[0]: 'early' ends after the first run's end, at "));
}

TEST_F(SweepTest, CsvIsTheSameForAnyNumberOfThreads) {
  ASSERT_EQ(Sweep({"--csv", "one.csv", "--out", "one.sqlite", "--threads", "1", "--quiet"}).exit_status, 0);
  ASSERT_EQ(Sweep({"--csv", "two.csv", "--out", "two.sqlite", "--threads", "2", "--quiet"}).exit_status, 0);
  const std::string csv = FileText("one.csv");
  EXPECT_EQ(csv, FileText("two.csv"));
  const std::vector<std::string> lines = absl::StrSplit(csv, '\n');
  ASSERT_THAT(lines, SizeIs(8));
  EXPECT_THAT(lines[0], AllOf(StartsWith("point,seed,size,failure,unmet,"), HasSubstr(",node0.numa_hit,")));
  EXPECT_THAT(lines[1], StartsWith("0,1,4,,,"));
  EXPECT_THAT(lines[6], StartsWith("2,2,16,,,"));
}

TEST_F(SweepTest, ListShowsTheRunsAndRunsNone) {
  const Outcome list = Sweep({"--list"});
  EXPECT_EQ(list.exit_status, 0);
  EXPECT_THAT(list.out, MatchesRegex("  run +point +seed +size\n(  [0-5] +[0-2] +[12] +[0-9]+\n)+"));
  EXPECT_EQ(std::count(list.out.begin(), list.out.end(), '\n'), 7);
  EXPECT_THAT(Refused({"sweep", "study.textproto", "--list", "--csv", "x.csv"}),
              HasSubstr("--csv excludes --list"));
  EXPECT_THAT(Refused({"sweep", "study.textproto", "--list", "--quiet"}),
              HasSubstr("--list excludes --quiet"));
  EXPECT_THAT(Files(), ElementsAre("s.textproto", "study.textproto"));
}

TEST_F(SweepTest, OnlyWantedMetricsAreKept) {
  Write("study.textproto", absl::StrCat(kStudy, "metrics: 'simulated_ns' metrics: 'node0.numa_*'\n"));
  ASSERT_EQ(Sweep().exit_status, 0);
  const auto metrics = StoredMetrics(*Database());
  ASSERT_TRUE(metrics.ok());
  std::set<std::string> names;
  for (const auto& [number, metric] : *metrics) names.insert(metric.name);
  EXPECT_THAT(names, ElementsAre("node0.numa_foreign", "node0.numa_hit", "node0.numa_miss", "simulated_ns"));
}

// Conditions are about metrics that need not be kept; a run that does not meet them has its metrics all the
// same.
TEST_F(SweepTest, WhatTheScenarioExpectsInVainIsNoted) {
  Write("s.textproto", absl::StrCat("expect: 'node0.numa_hit < 3000'\n", kScenario));
  Write("study.textproto", absl::StrCat(kStudy, "metrics: 'simulated_ns'\n"));
  const Outcome sweep = Sweep({"--csv", "s.csv"});
  EXPECT_EQ(sweep.exit_status, 2);
  EXPECT_THAT(sweep.err, HasSubstr("numasim: 2 of 6 runs are not as their scenario expects; the table unmet "
                                   "of study.sqlite says in what\n"));
  EXPECT_THAT(sweep.out, MatchesRegex(".*\n +size +runs +unmet +simulated_ns.*\n +4 +2 +0 .*\n +8 +2 +0 "
                                      ".*\n +16 +2 +2 .*"));
  const std::vector<StoredRun> runs = Runs();
  EXPECT_THAT(runs[3].unmet, IsEmpty());
  ASSERT_THAT(runs[4].unmet, SizeIs(1));
  EXPECT_THAT(runs[4].unmet[0], MatchesRegex("s.textproto:1: expect: 'node0.numa_hit < 3000' does not hold: "
                                             "node0.numa_hit is [0-9]+"));
  EXPECT_FALSE(runs[4].failed);
  EXPECT_GT(Value("simulated_ns", 2), 0);
  const std::vector<std::string> csv = absl::StrSplit(FileText("s.csv"), '\n');
  EXPECT_EQ(csv[0], "point,seed,size,failure,unmet,simulated_ns");
  EXPECT_THAT(csv[5], AllOf(StartsWith("2,1,16,,"), HasSubstr("node0.numa_hit is ")));
  // The runs that are there are judged already.
  EXPECT_EQ(Sweep({"--quiet"}).exit_status, 2);
}

TEST_F(SweepTest, AnExpectationThatMeansNothingIsUnmetAndCostsNoRun) {
  Write("s.textproto", absl::StrCat("expect: 'node7.numa_hit < 3000'\n", kScenario));
  EXPECT_EQ(Sweep().exit_status, 2);
  EXPECT_FALSE(Runs()[0].failed);
  EXPECT_THAT(Runs()[0].unmet, ElementsAre(HasSubstr("s.textproto:1: expect: 'node7.numa_hit < 3000' ")));
  EXPECT_GT(Value("simulated_ns", 0), 0);
}

TEST_F(SweepTest, AnExpectationThatMeansNothingHidesNoneThatDoesNotHold) {
  Write("s.textproto",
        absl::StrCat("expect: 'node7.numa_hit < 3000' expect: 'node0.numa_hit < 1'\n", kScenario));
  EXPECT_EQ(Sweep().exit_status, 2);
  EXPECT_THAT(Runs()[0].unmet,
              ElementsAre(HasSubstr("'node0.numa_hit < 1' does not hold: node0.numa_hit is "),
                          HasSubstr("'node7.numa_hit < 3000' names no metric of this run")));
}

TEST_F(SweepTest, GlobsThatMatchNothingAreNamed) {
  Write("study.textproto", absl::StrCat(kStudy, "metrics: 'simulated_ns' metrics: 'node7.*'\n"));
  EXPECT_THAT(
      Sweep({"--threads", "1"}).err,
      HasSubstr("numasim: warning: study.textproto: metrics[1]: 'node7.*' matches none of the first run's"));
  Write("study.textproto", absl::StrCat(kStudy, "metrics: 'simulated_ns' show: 'node0.*'\n"));
  const Outcome shown = Sweep({"--restart"});
  EXPECT_EQ(shown.exit_status, 0);
  EXPECT_THAT(shown.err,
              HasSubstr("study.textproto: show[1]: 'node0.*' matches none of the 1 metrics that are kept"));
  EXPECT_THAT(shown.out, HasSubstr("simulated_ns"));
}

TEST_F(SweepTest, RunThatFailsIsARow) {
  // Two thousand sleeps of 285 years are longer than simulated time.
  Write("study.textproto",
        "scenario: 's.textproto'\n"
        "parameter { name: 'sleep' set: 'workload.script[load].line[2]=sleep {}' value: ['1', "
        "'9000000000000'] }\n"
        "parameter { name: 'loops' set: 'workload.script[load].loops' value: ['1', '2000'] }\n");
  Write("s.textproto",
        absl::StrReplaceAll(kScenario, {{"\"spawn p\"", "\"sleep 0\""}, {"@p map a 4M anon", "sleep 0"}}));
  const Outcome sweep = Sweep();
  EXPECT_EQ(sweep.exit_status, 2);
  EXPECT_THAT(
      sweep.err,
      HasSubstr("numasim: 1 of 4 runs failed; the table failures of study.sqlite says why; the first: "));
  EXPECT_THAT(sweep.err, HasSubstr("the end of simulated time"));
  const std::vector<StoredRun> runs = Runs();
  ASSERT_THAT(runs, SizeIs(4));
  EXPECT_FALSE(runs[0].failed || runs[1].failed || runs[2].failed);
  EXPECT_TRUE(runs[3].failed);
  EXPECT_THAT(runs[3].failure, HasSubstr("the end of simulated time"));
  EXPECT_THAT(sweep.out, HasSubstr("failed"));
  // It is not run again, unless that is asked for.
  EXPECT_EQ(Sweep().exit_status, 2);
  EXPECT_EQ(Sweep({"--retry"}).exit_status, 2);
  EXPECT_THAT(Runs(), SizeIs(4));
}

TEST_F(SweepTest, GoesOnWhereItStopped) {
  ASSERT_EQ(Sweep().exit_status, 0);
  // As if the sweep had been killed before these.
  {
    auto database = Sqlite::Open("study.sqlite", Sqlite::Mode::kReadAndWrite);
    ASSERT_TRUE(
        (*database)
            ->Execute("DELETE FROM metrics WHERE run IN (1, 4); DELETE FROM runs WHERE run IN (1, 4); "
                      "UPDATE metrics SET value = 5; UPDATE study SET value = '0' WHERE name = 'complete'")
            .ok());
  }
  EXPECT_EQ(Numasim({"compare", "study.sqlite", "study.sqlite"}).exit_status, 1);
  ASSERT_EQ(Sweep().exit_status, 0);
  ASSERT_THAT(Runs(), SizeIs(6));
  const auto database = Database();
  for (const int64_t run : {0, 1, 2, 3, 4, 5}) {
    const auto values = ValuesOfRun(*database, run);
    const bool all_five =
        std::all_of(values->begin(), values->end(), [](const auto& value) { return value.second == 5; });
    EXPECT_EQ(all_five, run != 1 && run != 4) << run;
  }
}

TEST_F(SweepTest, RefusesToGoOnWithSomethingElse) {
  ASSERT_EQ(Sweep({"--quiet"}).exit_status, 0);
  const std::string before = FileText("study.sqlite");
  Write("study.textproto", absl::StrReplaceAll(kStudy, {{"\"8\"", "\"9\""}}));
  EXPECT_EQ(Refused({"sweep", "study.textproto"}),
            "numasim sweep: study.sqlite: holds 6 runs from before a change of the study; expected "
            "--restart, which "
            "forgets them, or another name (--out)\n");
  Write("study.textproto", kStudy);
  Write("s.textproto", absl::StrCat("name: 'other' ", kScenario));
  EXPECT_THAT(Refused({"sweep", "study.textproto"}), HasSubstr("a change of the scenario s.textproto;"));
  EXPECT_TRUE(FileText("study.sqlite") == before);
  EXPECT_EQ(Sweep({"--restart", "--quiet"}).exit_status, 0);
  EXPECT_THAT(Runs(), SizeIs(6));
  EXPECT_EQ(Sweep({"--quiet"}).exit_status, 0);
}

TEST_F(SweepTest, ChangeOfTheProgramIsRefusedToo) {
  ASSERT_EQ(Sweep({"--quiet"}).exit_status, 0);
  {
    auto database = Sqlite::Open("study.sqlite", Sqlite::Mode::kReadAndWrite);
    ASSERT_TRUE((*database)->Execute("UPDATE study SET value = '0.0' WHERE name = 'version'").ok());
  }
  EXPECT_THAT(Refused({"sweep", "study.textproto"}), HasSubstr("a change of the program (0.0 to "));
}

TEST_F(SweepTest, FilesOfTheScenarioAreWatchedToo) {
  Write("load.mm", "spawn p\n@p map a 1M anon\n");
  Write("s.textproto",
        "machine { node { memory: '64M' } }\nworkload { script { name: 'load' file: 'load.mm' } }\n");
  Write("study.textproto",
        "scenario: 's.textproto' parameter { name: 'n' set: 'workload.script[load].copies' value: ['1', '2'] "
        "}");
  ASSERT_EQ(Sweep({"--quiet"}).exit_status, 0);
  Write("load.mm", "spawn p\n@p map a 2M anon\n");
  EXPECT_THAT(Refused({"sweep", "study.textproto"}), HasSubstr("a change of the file load.mm;"));
}

// What is shown, and how the study is written, changes no result.
TEST_F(SweepTest, CommentsAndWhatIsShownMayChange) {
  ASSERT_EQ(Sweep({"--quiet"}).exit_status, 0);
  Write("study.textproto", absl::StrCat("# Once more.\n", kStudy, "show: 'node0.numa_hit'\n"));
  const Outcome sweep = Sweep();
  EXPECT_EQ(sweep.exit_status, 0) << sweep.err;
  EXPECT_THAT(sweep.out, HasSubstr("node0.numa_hit"));
}

TEST_F(SweepTest, OtherFilesAreNeverTaken) {
  Write("study.sqlite", "my diary, which is a good deal longer than the header of a database is\n");
  EXPECT_THAT(Refused({"sweep", "study.textproto", "--restart"}),
              HasSubstr("study.sqlite: is no database of a sweep"));
  EXPECT_THAT(FileText("study.sqlite"), StartsWith("my diary"));
  {
    auto database = Sqlite::Open("other.sqlite", Sqlite::Mode::kReadAndWrite);
    ASSERT_TRUE((*database)->Execute("CREATE TABLE mine (x); INSERT INTO mine VALUES (5)").ok());
  }
  const std::string before = FileText("other.sqlite");
  EXPECT_THAT(Refused({"sweep", "study.textproto", "--out", "other.sqlite", "--restart"}),
              HasSubstr("other.sqlite: is no database of a sweep"));
  EXPECT_TRUE(FileText("other.sqlite") == before);
  for (const char* input : {"study.textproto", "s.textproto"}) {
    EXPECT_THAT(Refused({"sweep", "study.textproto", "--out", input}), HasSubstr("is an input of this run"));
    EXPECT_THAT(Refused({"sweep", "study.textproto", "--csv", input}), HasSubstr("is an input of this run"));
  }
  EXPECT_THAT(Refused({"sweep", "study.textproto", "--out", "x", "--csv", "x"}), HasSubstr("is --out too"));
  EXPECT_THAT(Refused({"sweep", "study.textproto", "--out", "none/x.sqlite"}),
              HasSubstr("none/x.sqlite: cannot be opened: No such file or directory"));
}

TEST_F(SweepTest, WrongPointsAreToldBeforeAnythingRuns) {
  Write("study.textproto", absl::StrReplaceAll(kStudy, {{"\"16\"", "\"16 \\\" \""}}));
  EXPECT_THAT(Refused({"sweep", "study.textproto"}),
              HasSubstr("with study.textproto:2: size=16 \" : s.textproto:4: "));
  Write("study.textproto", absl::StrReplaceAll(kStudy, {{"script[load]", "script[lod]"}}));
  EXPECT_THAT(
      Refused({"sweep", "study.textproto"}),
      AllOf(HasSubstr("study.textproto:2: size=4: workload.script[lod]: there is 1; expected [0], or by name "
                      "[load]; did you mean 'load'?")));
  Write("s.textproto", "machine {");
  EXPECT_THAT(Refused({"sweep", "study.textproto"}), HasSubstr("s.textproto:1:10: the file ends inside of"));
}

TEST_F(SweepTest, TracesAreKeptWhereThatIsAskedFor) {
  ASSERT_EQ(Sweep({"--keep-traces", "traces/all", "--quiet"}).exit_status, 0);
  std::set<std::string> names;
  for (const auto& entry : fs::directory_iterator("traces/all")) names.insert(entry.path().filename());
  EXPECT_THAT(names, ElementsAre("point0-seed1.pb", "point0-seed2.pb", "point1-seed1.pb", "point1-seed2.pb",
                                 "point2-seed1.pb", "point2-seed2.pb"));
  const auto trace = ReadMetrics("traces/all/point2-seed2.pb");
  ASSERT_TRUE(trace.ok()) << trace.status();
  EXPECT_EQ(trace->metrics.at("simulated_ns").value, Value("simulated_ns", 2));
  EXPECT_THAT(Sweep({"--keep-traces", "traces/all", "--quiet"}).err,
              HasSubstr("--keep-traces: has no effect for 6 runs that had finished before"));
  EXPECT_THAT(Refused({"sweep", "study.textproto", "--keep-traces", "s.textproto"}),
              HasSubstr("is no folder"));
}

TEST_F(SweepTest, DatabasesAreComparedAsFoldersOfTracesAre) {
  ASSERT_EQ(Sweep({"--quiet"}).exit_status, 0);
  EXPECT_EQ(Numasim({"compare", "study.sqlite", "study.sqlite"}).exit_status, 0);
  const std::vector<std::string> points = {"compare",   "study.sqlite", "study.sqlite",
                                           "--metrics", "simulated_ns", "--where-base",
                                           "size=4",    "--where-new",  "size=16"};
  const Outcome slower = Numasim(points);
  EXPECT_EQ(slower.exit_status, 2) << slower.err;
  EXPECT_THAT(slower.out, AllOf(HasSubstr("base  study.sqlite: 2 runs of s.textproto\n"),
                                HasSubstr("note: base is of the points where size=4\n"), HasSubstr("worse")));
  EXPECT_EQ(Numasim({"compare", "study.sqlite", "study.sqlite", "--where", "size=4"}).exit_status, 0);
  // A trace of the same run is the same.
  ASSERT_EQ(Numasim({"run", "s.textproto", "--out", "t.pb", "--quiet"}).exit_status, 0);
  const Outcome same = Numasim({"compare", "study.sqlite", "t.pb", "--where", "size=4"});
  EXPECT_EQ(same.exit_status, 0);
  EXPECT_THAT(same.out, HasSubstr("no difference in "));
}

TEST_F(SweepTest, WrongChoicesOfPointsAreRefused) {
  ASSERT_EQ(Sweep({"--quiet"}).exit_status, 0);
  const auto refused = [](const std::string& where) {
    return Refused({"compare", "study.sqlite", "study.sqlite", "--where", where});
  };
  EXPECT_THAT(refused("size=5"),
              HasSubstr("--where size=5: study.sqlite has no value '5' of size; expected one of 16, "
                        "4, 8"));
  EXPECT_THAT(refused("siz=4"),
              HasSubstr("has no parameter 'siz'; expected one of size; did you mean 'size'?"));
  EXPECT_THAT(refused("size"), HasSubstr("is no choice; expected PARAMETER=VALUE"));
  EXPECT_THAT(Refused({"compare", "study.sqlite", "study.sqlite", "--where", "size=4", "--where", "size=8"}),
              HasSubstr("has no point with all of these"));
  // Each in the words of the option that it was given with.
  EXPECT_THAT(Refused({"compare", "study.sqlite", "study.sqlite", "--where-new", "size=99"}),
              HasSubstr("--where-new size=99: study.sqlite has no value '99' of size"));
  EXPECT_THAT(Refused({"compare", "study.sqlite", "study.sqlite", "--where-base", "sze=4"}),
              HasSubstr("--where-base sze=4: study.sqlite has no parameter 'sze'"));
  EXPECT_THAT(Refused({"compare", "study.sqlite", "study.sqlite", "--where-base", "size"}),
              HasSubstr("--where-base size: is no choice"));
  EXPECT_THAT(
      Refused({"compare", "study.sqlite", "study.sqlite", "--where", "size=4", "--where-new", "size=8"}),
      HasSubstr("--where size=4 --where-new size=8: study.sqlite has no point with all of these"));
  ASSERT_EQ(Numasim({"run", "s.textproto", "--out", "t.pb", "--quiet"}).exit_status, 0);
  EXPECT_THAT(Refused({"compare", "t.pb", "t.pb", "--where", "size=4"}),
              HasSubstr("neither BASE nor NEW is one"));
  EXPECT_THAT(Refused({"compare", "study.sqlite", "t.pb", "--where-new", "size=4"}),
              HasSubstr("t.pb is none"));
}

// ---- Searches ----

// Sizes of which the greater do not fit on the node. (What is larger than it is refused by mmap, and not
// missed.)
constexpr char kSizes[] = R"(scenario: "s.textproto"
parameter { name: "size" set: "workload.script[load].line[1]=@p map a {}M anon" range { from: 40 to: 62 step: 1 } }
)";

// The answer is the one that all values together give.
TEST_F(SweepTest, SearchFindsTheLargestValueWithFewerRuns) {
  Write("study.textproto", kSizes);
  ASSERT_EQ(Sweep({"--out", "all.sqlite", "--quiet"}).exit_status, 0);
  const auto all = Sqlite::Open("all.sqlite", Sqlite::Mode::kRead);
  const std::string failing = "(SELECT point FROM results WHERE metric = 'events.oom_kill' AND value > 0)";
  const auto largest =
      (*all)->Text("SELECT max(CAST(value AS INTEGER)) FROM parameters WHERE point NOT IN " + failing);
  const auto smallest =
      (*all)->Text("SELECT min(CAST(value AS INTEGER)) FROM parameters WHERE point IN " + failing);
  ASSERT_EQ(std::stoi(*largest) + 1, std::stoi(*smallest));
  Write("study.textproto",
        absl::StrCat(kSizes,
                     "find { parameter: 'size' condition: 'events.oom_kill > 0' probability_below: 0.5 }\n",
                     "find { parameter: 'size' largest: false condition: 'events.oom_kill == 0' "
                     "probability_below: 0.5 confidence: 0.9 }\n"));
  const Outcome sweep = Sweep();
  EXPECT_EQ(sweep.exit_status, 0) << sweep.err;
  EXPECT_THAT(sweep.out,
              HasSubstr("largest size where 'events.oom_kill > 0' holds in less than 50% of runs\n"));
  EXPECT_THAT(sweep.out, HasSubstr(absl::StrCat("\nlargest size=", *largest, ", with 95% confidence\n")));
  EXPECT_THAT(sweep.out, HasSubstr(absl::StrCat("\nsmallest size=", *smallest, ", with 90% confidence\n")));
  // Of 23 values each search tries five at most.
  std::set<size_t> points;
  for (const StoredRun& run : Runs()) points.insert(run.point);
  EXPECT_LE(points.size(), 10u);
  // Once more nothing is run, and the answer is the same; also where it is all that is wanted.
  EXPECT_EQ(Sweep().out, sweep.out);
  EXPECT_EQ(Sweep({"--quiet"}).out,
            absl::StrCat("largest size=", *largest, ", with 95% confidence\nsmallest size=", *smallest,
                         ", with 90% confidence\n"));
}

// A condition that is mended costs no run that is there, and a second question only those that the first did
// not need.
TEST_F(SweepTest, AnotherSearchGoesOnWithTheRunsThatAreThere) {
  const auto study_with = [](const std::string& condition) {
    Write("study.textproto", absl::StrCat(kSizes, "find { parameter: 'size' condition: '", condition,
                                          "' probability_below: 0.5 }\n"));
  };
  // Which locks there are is not known before.
  study_with("lock.node0.oom_lock.acquird > 0");
  EXPECT_EQ(Sweep().exit_status, 1);
  const size_t kept = Runs().size();
  ASSERT_GT(kept, 0u);
  {
    auto database = Sqlite::Open("study.sqlite", Sqlite::Mode::kReadAndWrite);
    ASSERT_TRUE((*database)
                    ->Execute("UPDATE metrics SET value = 5 WHERE metric IN (SELECT metric FROM "
                              "metric_names WHERE name = 'node0.numa_hit')")
                    .ok());
  }
  study_with("events.oom_kill > 0");
  const Outcome mended = Sweep();
  EXPECT_EQ(mended.exit_status, 0) << mended.err;
  EXPECT_THAT(mended.out, HasSubstr("\nlargest size="));
  const size_t runs = Runs().size();
  EXPECT_GT(runs, kept);
  // The first ones were not run again.
  const auto marked =
      Database()->Number("SELECT count(*) FROM results WHERE metric = 'node0.numa_hit' AND value = 5");
  EXPECT_EQ(*marked, static_cast<int64_t>(kept));
  study_with("events.oom_kill > 1000000");
  EXPECT_THAT(Sweep().out, HasSubstr("size=62, with 95% confidence; it is the largest"));
  EXPECT_GT(Runs().size(), runs);
  // How many seeds a point has tells which run is which.
  Write("study.textproto", absl::StrCat(kSizes,
                                        "find { parameter: 'size' condition: 'events.oom_kill > 0' "
                                        "probability_below: 0.5 most_seeds: 64 }\n"));
  EXPECT_THAT(Refused({"sweep", "study.textproto"}), HasSubstr("a change of the number of seeds;"));
}

TEST_F(SweepTest, SearchSaysWhatItDoesNotKnow) {
  const std::string find =
      "find { parameter: 'size' condition: 'events.oom_kill > 0' probability_below: 0.05 ";
  Write("study.textproto", absl::StrCat(kSizes, find, "most_seeds: 4 }\n"));
  EXPECT_THAT(Sweep().out,
              HasSubstr("\nno value of size is known to be good; 4 runs do not tell whether size=51 is good "
                        "(0% to "));
  // Nothing is wrong at any size, or at every size.
  const std::string easy = "probability_below: 0.5 }\n";
  Write("study.textproto",
        absl::StrCat(kSizes, "find { parameter: 'size' condition: 'simulated_ns < 0' ", easy));
  EXPECT_THAT(Sweep({"--restart"}).out,
              HasSubstr("\nlargest size=62, with 95% confidence; it is the largest that was to be tried\n"));
  Write("study.textproto",
        absl::StrCat(kSizes, "find { parameter: 'size' condition: 'simulated_ns > 0' ", easy));
  EXPECT_THAT(Sweep({"--restart"}).out, HasSubstr("\nno value of size is good, with 95% confidence\n"));
}

// Both a condition that always holds where the search begins, and one that never does there.
TEST_F(SweepTest, SearchThatGoesTheWrongWayGivesNoAnswer) {
  const std::string smallest = "find { parameter: 'size' condition: 'events.oom_kill > 0' largest: false ";
  Write("study.textproto", absl::StrCat(kSizes, smallest, "probability_below: 0.5 }\n"));
  EXPECT_THAT(Sweep().out,
              HasSubstr("\nno answer: size=40 is good and size=62 is not, so values are searched the "
                        "wrong way; expected largest: true, with 95% confidence\n"));
  const std::string largest = "find { parameter: 'size' condition: 'events.oom_kill == 0' ";
  Write("study.textproto", absl::StrCat(kSizes, largest, "probability_below: 0.5 }\n"));
  EXPECT_THAT(Sweep({"--restart"}).out,
              HasSubstr("\nno answer: size=62 is good and size=40 is not, so values"));
}

TEST_F(SweepTest, SearchIsMadeForEachValueOfOtherParameters) {
  Write("study.textproto",
        absl::StrCat(kSizes,
                     "parameter { name: 'memory' set: 'machine.node[0].memory' value: ['64M', '96M'] }\n",
                     "find { parameter: 'size' condition: 'events.oom_kill > 0' probability_below: 0.5 }\n"));
  EXPECT_THAT(Sweep().out,
              AllOf(HasSubstr("\nmemory=64M: largest size="),
                    HasSubstr("\nmemory=96M: largest size=62, with 95% confidence; it is the largest")));
}

TEST_F(SweepTest, SearchThatCannotBeMadeIsRefused) {
  const auto refused = [](const std::string& find) {
    Write("study.textproto", absl::StrCat(kSizes, "find { ", find, " }\n"));
    const Outcome sweep = Sweep({"--restart"});
    EXPECT_EQ(sweep.exit_status, 1);
    return sweep.err;
  };
  EXPECT_THAT(
      refused("parameter: 'size' condition: 'lock.numa_lock.acquired > 0' probability_below: 0.5"),
      AllOf(HasSubstr(
                "study.textproto:3: condition: 'lock.numa_lock.acquired > 0' names no metric of this run"),
            EndsWith("; study.sqlite keeps 8 runs to go on with\n")));
  Write("study.textproto", absl::StrCat(kSizes,
                                        "find { parameter: 'size' condition: 'simulated_ns > 0' "
                                        "probability_below: 0.5 }\n"));
  EXPECT_THAT(Refused({"sweep", "study.textproto", "--list"}), HasSubstr("expected a study without find"));
}

// What runs can have is known before the first.
TEST_F(SweepTest, SearchOnWhatNoRunHasIsRefusedBeforeTheFirst) {
  const auto write = [](const std::string& condition) {
    Write("study.textproto",
          absl::StrCat(kSizes, "period { name: 'late' from: '1ms' }\n",
                       "find { parameter: 'size' probability_below: 0.5 condition: '", condition, "' }\n"));
  };
  write("events.oom_kil > 0");
  EXPECT_EQ(
      Refused({"sweep", "study.textproto"}),
      "numasim sweep: study.textproto:4: condition: 'events.oom_kil > 0' is about no metric that a run can "
      "have; did you mean 'events.oom_kill'?; expected a name that numasim metrics "
      "shows of such a run, or a glob over such names\n");
  for (const char* const condition :
       {"numa_hit > 0", "operation.load.tuch.failed > 0", "late.node0.numa_hitt > 0", "node7.* > 0"}) {
    write(condition);
    EXPECT_THAT(Refused({"sweep", "study.textproto"}), HasSubstr("is about no metric")) << condition;
  }
  write("node0.numa_hit > 1ms");
  EXPECT_THAT(Refused({"sweep", "study.textproto"}), HasSubstr("with a value of another unit"));
  for (const char* const condition :
       {"late.node0.numa_hit > 0", "late.events.oom_kill > 0", "*.failed_share > 10%"}) {
    write(condition);
    EXPECT_EQ(Sweep({"--restart"}).exit_status, 0) << condition;
  }
}

// ---- Ended from outside ----

// Runs enough to be ended in the middle: each touches 40 MiB and takes some milliseconds.
constexpr char kLongStudy[] = R"(scenario: "s.textproto"
parameter { name: "size" set: "workload.script[load].line[1]=@p map a {}M anon" value: ["38", "39", "40"] }
seeds { count: 100 }
metrics: "simulated_ns" metrics: "node0.*"
)";
constexpr size_t kLongRuns = 300;

class SweepEndedTest : public SweepTest {
 protected:
  void SetUp() override {
    SweepTest::SetUp();
    Write("study.textproto", kLongStudy);
    Write("s.textproto",
          absl::StrReplaceAll(kScenario, {{"name: \"load\"", "name: \"load\" loops: 3"},
                                          {"\"@p touch a\"", "\"@p touch a\" line: \"@p exit\""}}));
  }

  static pid_t StartSweep() { return Start({"sweep", "study.textproto", "--threads", "2", "--quiet"}); }

  // Sends the signal after a while.
  static int EndedBy(int signal, pid_t sweep, std::chrono::microseconds after) {
    std::this_thread::sleep_for(after);
    kill(sweep, signal);
    int status = 0;
    waitpid(sweep, &status, 0);
    return status;
  }

  static bool HasEnded(pid_t sweep) {
    siginfo_t info = {};
    return waitid(P_PID, static_cast<id_t>(sweep), &info, WEXITED | WNOHANG | WNOWAIT) == 0 &&
           info.si_pid != 0;
  }

  // Waits until the sweep has written to its database's log so many times, or has ended. Nobody else can read
  // the database meanwhile.
  static void WaitForWrites(pid_t sweep, int times) {
    const auto written = [] {
      std::error_code error;
      const auto at = fs::last_write_time("study.sqlite-wal", error);
      return error ? fs::file_time_type::min() : at;
    };
    for (auto last = written(); times > 0 && !HasEnded(sweep);) {
      std::this_thread::sleep_for(std::chrono::microseconds(200));
      const auto now = written();
      if (now != last) --times;
      last = now;
    }
  }
};

TEST_F(SweepEndedTest, CtrlCLeavesWhatHasFinished) {
  const pid_t sweep = StartSweep();
  while (!fs::exists("study.sqlite")) std::this_thread::sleep_for(std::chrono::milliseconds(1));
  const int status = EndedBy(SIGINT, sweep, std::chrono::milliseconds(300));
  ASSERT_TRUE(WIFEXITED(status));
  ASSERT_EQ(WEXITSTATUS(status), 130) << FileText(".err");
  const size_t finished = Runs().size();
  EXPECT_LT(finished, kLongRuns);
  EXPECT_EQ(FileText(".err"),
            absl::StrCat("numasim: SIGINT ended the sweep with ", finished,
                         " of 300 runs in study.sqlite; the same command goes on with it\n"));
  EXPECT_THAT(Files(), ElementsAre("s.textproto", "study.sqlite", "study.textproto"));
  EXPECT_EQ(Sweep({"--quiet"}).exit_status, 0);
  EXPECT_THAT(Runs(), SizeIs(kLongRuns));
}

// Killed at twenty random moments, some while it begins and most while it runs: what was in the database
// before is in it afterwards, whole, and nothing twice. The sweep then goes on, and in the end it is as if
// nothing had happened.
TEST_F(SweepEndedTest, KillingItLosesNoRunAndDoublesNone) {
  ASSERT_EQ(Sweep({"--out", "whole.sqlite", "--csv", "whole.csv", "--quiet"}).exit_status, 0);
  const auto metrics = Database("whole.sqlite")->Number("SELECT count(*) FROM metrics");
  ASSERT_TRUE(metrics.ok());
  const int64_t metrics_of_run = *metrics / static_cast<int64_t>(kLongRuns);
  std::set<int64_t> before;
  int in_the_middle = 0;
  uint64_t random = 12345;
  for (int i = 0; i < 20; ++i) {
    random = random * 6364136223846793005u + 1442695040888963407u;
    const pid_t sweep = StartSweep();
    const bool early = i % 4 == 0;
    if (!early) WaitForWrites(sweep, 1 + static_cast<int>((random >> 48) % 15));
    const int status =
        EndedBy(SIGKILL, sweep, std::chrono::microseconds((random >> 33) % (early ? 60'000 : 3'000)));
    if (WIFEXITED(status)) break;                                                     // it came to its end
    if (!fs::exists("study.sqlite") || fs::file_size("study.sqlite") == 0) continue;  // too early
    auto database = Sqlite::Open("study.sqlite", Sqlite::Mode::kReadAndWrite);
    ASSERT_TRUE(database.ok()) << database.status();
    EXPECT_EQ(*(*database)->Text("PRAGMA integrity_check"), "ok");
    if (*(*database)->Number("SELECT count(*) FROM sqlite_schema") == 0) continue;
    const auto runs = StoredRuns(**database);
    ASSERT_TRUE(runs.ok()) << runs.status();
    std::set<int64_t> now;
    for (const StoredRun& run : *runs) EXPECT_TRUE(now.insert(run.number).second) << run.number;
    EXPECT_TRUE(std::includes(now.begin(), now.end(), before.begin(), before.end()));
    const auto whole = (*database)->Number(absl::StrCat(
        "SELECT count(*) FROM (SELECT run FROM metrics GROUP BY run HAVING count(*) = ", metrics_of_run,
        ")"));
    EXPECT_EQ(*whole, static_cast<int64_t>(now.size()));
    if (now.size() > before.size() && now.size() < kLongRuns) ++in_the_middle;
    before = now;
  }
  EXPECT_GE(in_the_middle, 3);
  ASSERT_EQ(Sweep({"--csv", "study.csv", "--quiet"}).exit_status, 0);
  EXPECT_TRUE(FileText("study.csv") == FileText("whole.csv"));
  EXPECT_THAT(Files(), ElementsAre("s.textproto", "study.csv", "study.sqlite", "study.textproto", "whole.csv",
                                   "whole.sqlite"));
}

TEST_F(SweepEndedTest, SecondSweepToTheSameDatabaseIsRefused) {
  const pid_t first = Start({"sweep", "study.textproto", "--threads", "1", "--quiet"});
  while (!fs::exists("study.sqlite") || fs::file_size("study.sqlite") == 0)
    std::this_thread::sleep_for(std::chrono::milliseconds(1));
  std::this_thread::sleep_for(std::chrono::milliseconds(20));
  const Outcome second = Sweep({"--quiet"});
  EXPECT_EQ(second.exit_status, 1);
  EXPECT_THAT(second.err, HasSubstr("study.sqlite: is in use by another program"));
  kill(first, SIGKILL);
  int status = 0;
  waitpid(first, &status, 0);
}

}  // namespace
}  // namespace numasim
