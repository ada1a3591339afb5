#include "cli/dump/dump.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <CLI/CLI.hpp>
#include <cstdint>
#include <fstream>
#include <memory>
#include <nlohmann/json.hpp>
#include <sstream>
#include <string>
#include <utility>
#include <vector>

#include "absl/strings/str_cat.h"
#include "absl/strings/str_split.h"
#include "proto/trace.pb.h"
#include "proto/trace_writer.h"
#include "tests/proto/trace_test_util.h"

namespace numasim {
namespace {

using ::testing::ElementsAre;
using ::testing::HasSubstr;
using ::testing::Not;

constexpr int64_t kMs = 1000000;

struct Dumped {
  std::string out;
  std::string error;  // "" if the status is OK
};

Dumped Dump(const DumpOptions& options) {
  std::ostringstream out;
  const absl::Status status = DumpTrace(options, out);
  return {out.str(), std::string(status.message())};
}

std::vector<std::string> Lines(const std::string& text) {
  return absl::StrSplit(text, '\n', absl::SkipEmpty());
}

// 0 to 9 ms, one sample each: node0.free counts down by 2 until 3 ms, then stands still; node0.hit goes up
// all the time until 5 ms; from 6 ms on nothing moves; node1.free never does.
class DumpTest : public testing::Test {
 protected:
  DumpTest() : path_("dump.pb") {
    trace::Header header;
    header.set_scenario("seed: 7\n# \xFF\n");
    header.set_scenario_name("quick.textproto");
    header.add_script()->set_name("a.mm");
    header.mutable_script(0)->set_text("touch\n");
    header.set_program_version("0.1");
    header.set_seed(7);
    header.set_sampling_interval_ns(kMs);
    for (const char* name : {"node0.free", "node0.hit", "node1.free"}) {
      header.add_column()->set_name(name);
      header.mutable_column(header.column_size() - 1)->set_unit("pages");
    }
    auto writer = TraceWriter::Create(path_.get(), header);
    EXPECT_TRUE(writer.ok()) << writer.status();
    for (int64_t i = 0; i < 6; ++i) (*writer)->AddSample(i * kMs, {100 - 2 * std::min<int64_t>(i, 3), i, 50});
    (*writer)->AddRepeat(6 * kMs, kMs, 4);
    (*writer)->AddEvent(EventAt(2 * kMs + 5, "alloc_failed"));
    (*writer)->AddEvent(EventAt(7 * kMs, "alloc_failed"));
    (*writer)->AddLockStats(LockNamed("zone0.lock"));
    EXPECT_TRUE((*writer)->Finish().ok());
  }

  DumpOptions Options(const std::string& format) const {
    DumpOptions options;
    options.path = path_.get();
    options.format = format;
    return options;
  }

  const TempPath path_;
};

TEST_F(DumpTest, CsvHasALinePerSampleAndAllColumns) {
  const Dumped dumped = Dump(Options("csv"));
  EXPECT_EQ(dumped.error, "");
  std::vector<std::string> expected = {"time_ns,node0.free,node0.hit,node1.free"};
  for (int64_t i = 0; i < 10; ++i) {
    expected.push_back(
        absl::StrCat(i * kMs, ",", 100 - 2 * std::min<int64_t>(i, 3), ",", std::min<int64_t>(i, 5), ",50"));
  }
  EXPECT_EQ(Lines(dumped.out), expected);
}

TEST_F(DumpTest, GlobsChooseColumnsInTheTracesOrder) {
  DumpOptions options = Options("csv");
  options.counters = {"node1.*", "*.hit"};
  options.from = "5ms";
  options.to = "6.5ms";
  EXPECT_THAT(Lines(Dump(options).out),
              ElementsAre("time_ns,node0.hit,node1.free", "5000000,5,50", "6000000,5,50"));
}

TEST_F(DumpTest, TextShowsWhatChanges) {
  const Dumped dumped = Dump(Options("text"));
  EXPECT_EQ(dumped.error, "");
  EXPECT_THAT(dumped.out, HasSubstr("scenario  quick.textproto (12 bytes), seed 7"));
  EXPECT_THAT(dumped.out, HasSubstr("script    a.mm (6 bytes)"));
  EXPECT_THAT(dumped.out, HasSubstr("samples   10 of 3 columns, every 1ms"));
  EXPECT_THAT(dumped.out, HasSubstr("events    2: alloc_failed 2"));
  EXPECT_THAT(dumped.out, HasSubstr("time      0s to 9ms"));
  EXPECT_THAT(dumped.out, HasSubstr("          time  node0.free  node0.hit\n"));
  EXPECT_THAT(dumped.out, HasSubstr("           5ms          94          5\n"));
  EXPECT_THAT(dumped.out, HasSubstr("(the same in 4 samples to 9ms)"));
  EXPECT_THAT(dumped.out, Not(HasSubstr("node1.free")));
  EXPECT_THAT(dumped.out, HasSubstr("2.000005ms  node0  alloc_failed  fault: no page of order 0"));
}

TEST_F(DumpTest, TextCountsSamplesThatShowTheSameInTheChosenColumns) {
  DumpOptions options = Options("text");
  options.counters = {"node0.free"};
  options.from = "2ms";
  const std::string out = Dump(options).out;
  EXPECT_THAT(out, HasSubstr("           3ms          94\n                (the same in 6 samples to 9ms)"));
}

TEST_F(DumpTest, TextSummarizesLocks) {
  const std::vector<std::string> lines = Lines(Dump(Options("text")).out);
  const std::vector<std::string> row = absl::StrSplit(lines.back(), ' ', absl::SkipEmpty());
  // Mean, 50%, 99%, max. A percentile is the greatest value of its bucket, but never above the greatest seen:
  // the 4th of 7 holds is in the bucket up to 15, the 7th in the one up to 127.
  EXPECT_THAT(row, ElementsAre("zone0.lock", "spinlock", "7", "1", "40ns", "40ns", "40ns", "40ns",  //
                               "43ns", "15ns", "100ns", "100ns"));
}

TEST_F(DumpTest, JsonIsOneObjectWithEverything) {
  const Dumped dumped = Dump(Options("json"));
  EXPECT_EQ(dumped.error, "");
  const nlohmann::json json = nlohmann::json::parse(dumped.out);
  EXPECT_EQ(json["header"]["scenario"], "seed: 7\n# \uFFFD\n");
  EXPECT_EQ(json["header"]["seed"], 7);
  EXPECT_EQ(json["header"]["scripts"][0]["text"], "touch\n");
  EXPECT_EQ(json["columns"].size(), 3u);
  int64_t samples = 0;
  for (const auto& sample : json["samples"]) {
    EXPECT_EQ(sample["time_ns"].get<int64_t>(), samples * kMs);
    EXPECT_EQ(sample["values"][1].get<int64_t>(), std::min<int64_t>(samples, 5));
    samples += sample.value("count", 1);
  }
  EXPECT_EQ(samples, 10);
  EXPECT_EQ(json["events"].size(), 2u);
  EXPECT_EQ(json["events"][0]["time_ns"], 2 * kMs + 5);
  EXPECT_EQ(json["locks"][0]["wait_ns"]["buckets"][0]["high"], 63);
  EXPECT_EQ(json["complete"], true);
}

TEST_F(DumpTest, CutTraceIsShownUpToItsCutAndThenRefused) {
  std::string bytes = ReadFile(path_.get());
  bytes.resize(bytes.size() - 1);
  WriteFile(path_.get(), bytes);
  const Dumped csv = Dump(Options("csv"));
  EXPECT_EQ(Lines(csv.out).size(), 11u);
  EXPECT_THAT(csv.error, HasSubstr(absl::StrCat("trace ", path_.get(), " is cut after 9ms")));
  const Dumped json = Dump(Options("json"));
  EXPECT_EQ(nlohmann::json::parse(json.out)["complete"], false);
  EXPECT_THAT(json.error, HasSubstr("is cut after 9ms"));
  const Dumped text = Dump(Options("text"));
  EXPECT_THAT(text.out, HasSubstr("(not complete)"));
  EXPECT_THAT(text.error, HasSubstr("is cut after 9ms"));
}

TEST_F(DumpTest, WrongOptionsNameTheOptionTheValueAndWhatIsRight) {
  DumpOptions options = Options("xml");
  EXPECT_EQ(Dump(options).error, "--format xml: must be text, csv or json");

  options = Options("csv");
  options.from = "10";
  EXPECT_EQ(Dump(options).error,
            "--from: '10' has no unit; expected one of h, m, s, ms, us or ns, such as 10ms");

  options = Options("csv");
  options.to = "soon";
  EXPECT_EQ(Dump(options).error,
            "--to: 'soon' is not a time; expected a time of 0 or more, such as 10ms or 1.5s");

  options = Options("csv");
  options.from = "2s";
  options.to = "1s";
  EXPECT_EQ(Dump(options).error, "--from 2s is after --to 1s");

  options = Options("csv");
  options.counters = {"node0.*", "node9.*"};
  const Dumped dumped = Dump(options);
  EXPECT_EQ(dumped.out, "");
  EXPECT_EQ(dumped.error, absl::StrCat("--counters node9.*: matches none of the 3 columns of ", path_.get(),
                                       ", such as node0.free, node0.hit, node1.free"));
}

TEST_F(DumpTest, EveryShowsTheStateAtMultiplesOfATime) {
  DumpOptions options = Options("csv");
  options.every = "3ms";
  EXPECT_THAT(Lines(Dump(options).out), ElementsAre("time_ns,node0.free,node0.hit,node1.free", "0,100,0,50",
                                                    "3000000,94,3,50", "6000000,94,5,50", "9000000,94,5,50"));
  // Between two samples the state is that of the one before.
  options.every = "2500us";
  options.from = "2ms";
  options.to = "8ms";
  EXPECT_THAT(Lines(Dump(options).out), ElementsAre("time_ns,node0.free,node0.hit,node1.free",
                                                    "2500000,96,2,50", "5000000,94,5,50", "7500000,94,5,50"));
  // So it is where all samples are before the range, or none is up to its end.
  options.from = "2200us";
  options.to = "2800us";
  EXPECT_THAT(Lines(Dump(options).out),
              ElementsAre("time_ns,node0.free,node0.hit,node1.free", "2500000,96,2,50"));
  options = Options("json");
  options.every = "3ms";
  EXPECT_EQ(nlohmann::json::parse(Dump(options).out)["samples"].size(), 4u);
  options = Options("text");
  options.every = "3ms";
  EXPECT_THAT(Dump(options).out, HasSubstr("           6ms          94          5\n"));
  options.every = "0s";
  EXPECT_THAT(Dump(options).error, HasSubstr("--every 0s: is no time between samples"));
}

// A trace of a machine that sleeps until the end of time.
TEST_F(DumpTest, EndlessTraceIsNoEndlessTable) {
  const TempPath path("endless.pb");
  {
    auto writer = TraceWriter::Create(path.get(), HeaderWithColumns(1));
    ASSERT_TRUE(writer.ok()) << writer.status();
    (*writer)->AddSample(0, {5});
    (*writer)->AddRepeat(1, 1, 9'000'000'000'000'000'000);
    ASSERT_TRUE((*writer)->Finish().ok());
  }
  DumpOptions options;
  options.path = path.get();
  options.format = "csv";
  const Dumped refused = Dump(options);
  EXPECT_EQ(refused.out, "");
  EXPECT_EQ(
      refused.error,
      "--format csv: would be 9000000000000000001 lines; expected at most 100000000: give --every, such as "
      "--every 2h46m40s, or a shorter time by --from and --to");
  options.every = "2h46m40s";
  EXPECT_EQ(Lines(Dump(options).out).size(), 900'002u);  // the titles, 0 and 900,000 multiples of 10^13
  options.every = "";
  options.from = "8000000000s";
  options.to = "8000000000.000000002s";
  EXPECT_EQ(Lines(Dump(options).out).size(), 4u);
  options.format = "json";
  options.from = options.to = "";
  options.every = "1ns";
  EXPECT_EQ(nlohmann::json::parse(Dump(options).out)["samples"].back()["count"], 9'000'000'000'000'000'000);
}

TEST_F(DumpTest, JsonSaysHowARunOfEqualSamplesIsWritten) {
  const nlohmann::json json = nlohmann::json::parse(Dump(Options("json")).out);
  EXPECT_THAT(json["samples_form"].get<std::string>(), HasSubstr("count"));
  EXPECT_EQ(json["samples"].back()["count"], 3);  // from the event at 7 ms on
  EXPECT_EQ(json.count("ended_by"), 0u);
}

TEST_F(DumpTest, AFailureIsFieldsInJsonAndNamesWithValuesInText) {
  const TempPath path("failed.pb");
  {
    auto writer = TraceWriter::Create(path.get(), trace::Header());
    ASSERT_TRUE(writer.ok()) << writer.status();
    trace::Event event = EventAt(kMs, "contig_failed");
    event.clear_detail();
    trace::Failure& failure = *event.mutable_failure();
    for (const int node : {0, 1, 2, 5}) failure.add_node(node);
    failure.set_error("EBUSY");
    failure.set_owner("PCP list");
    failure.mutable_at()->set_pfn(1234);
    (*writer)->AddEvent(event);
    ASSERT_TRUE((*writer)->Finish().ok());
  }
  DumpOptions options;
  options.path = path.get();
  EXPECT_THAT(Dump(options).out,
              HasSubstr("contig_failed  fault: node=0-2,5 errno=EBUSY owner=PCP list at pfn=1234"));
  options.format = "json";
  const nlohmann::json event = nlohmann::json::parse(Dump(options).out)["events"][0];
  EXPECT_EQ(event["failure"],
            nlohmann::json::parse(R"({"node": [0, 1, 2, 5], "errno": "EBUSY", "owner": "PCP list",
                                      "at": {"pfn": 1234}})"));
  EXPECT_EQ(event.count("detail"), 0u);
}

TEST_F(DumpTest, CsvOfEventsHasAColumnForEachFieldOfAFailure) {
  const TempPath path("failed.pb");
  {
    auto writer = TraceWriter::Create(path.get(), trace::Header());
    ASSERT_TRUE(writer.ok()) << writer.status();
    (*writer)->AddEvent(EventAt(kMs, "told"));
    trace::Event event = EventAt(2 * kMs, "contig_failed");
    event.clear_detail();
    trace::Failure& failure = *event.mutable_failure();
    for (const int node : {0, 1, 3}) failure.add_node(node);
    failure.set_error("EBUSY");
    failure.set_owner("a \"file\"");
    failure.mutable_at()->set_pfn(1234);
    failure.mutable_at()->set_script("job");
    failure.mutable_at()->set_line(12);
    (*writer)->AddEvent(event);
    (*writer)->AddEvent(EventAt(3 * kMs, "told"));
    ASSERT_TRUE((*writer)->Finish().ok());
  }
  DumpOptions options = Options("csv");
  options.path = path.get();
  options.table = "events";
  options.to = "2ms";
  EXPECT_THAT(
      Lines(Dump(options).out),
      ElementsAre(
          "time_ns,lp,kind,path,area,order,size,node,preferred,errno,function,reason,owner,held,victim,"
          "at.start,at.end,at.pfn,at.pages,at.got,at.script,at.line,at.tasks,detail",
          "1000000,node0,told,fault,,,,,,,,,,,,,,,,,,,,no page of order 0",
          "2000000,node0,contig_failed,fault,,,,\"0-1,3\",,EBUSY,,,\"a \"\"file\"\"\",,,,,1234,,,job,12,,"));
}

TEST_F(DumpTest, CsvOfLocksHasTheirTimesInFewNumbersOrInFull) {
  DumpOptions options = Options("csv");
  options.table = "locks";
  // Percentiles as in TextSummarizesLocks.
  EXPECT_THAT(Lines(Dump(options).out),
              ElementsAre("lp,name,kind,acquired,contended,wait_mean_ns,wait_50_ns,wait_99_ns,wait_max_ns,"
                          "hold_mean_ns,hold_50_ns,hold_99_ns,hold_max_ns",
                          ",zone0.lock,spinlock,7,1,40,40,40,40,43,15,100,100"));
  options.table = "lock-times";
  EXPECT_THAT(Lines(Dump(options).out),
              ElementsAre("lp,name,time,low_ns,high_ns,count", ",zone0.lock,wait,32,63,1",
                          ",zone0.lock,hold,8,15,4", ",zone0.lock,hold,64,127,3"));
}

TEST_F(DumpTest, CsvOfOperationsHasTheirFailuresAndTimes) {
  const TempPath path("operations.pb");
  {
    auto writer = TraceWriter::Create(path.get(), trace::Header());
    ASSERT_TRUE(writer.ok()) << writer.status();
    trace::OperationStats map;
    map.set_script("web, 2");
    map.set_operation("map");
    map.set_tried(7);
    *map.mutable_latency_ns() = LockNamed("").hold_ns();
    for (const auto& [reason, count] : {std::pair("ENOMEM", 2), std::pair("SIGBUS", 1)}) {
      map.add_failed()->set_reason(reason);
      map.mutable_failed(map.failed_size() - 1)->set_count(count);
    }
    (*writer)->AddOperationStats(map);
    trace::OperationStats access;  // of the whole machine, and without a time
    access.set_operation("access");
    access.set_tried(5);
    (*writer)->AddOperationStats(access);
    ASSERT_TRUE((*writer)->Finish().ok());
  }
  DumpOptions options = Options("csv");
  options.path = path.get();
  options.table = "operations";
  EXPECT_THAT(Lines(Dump(options).out),
              ElementsAre("script,operation,tried,failed,mean_ns,50_ns,99_ns,max_ns",
                          "\"web, 2\",map,7,3,43,15,100,100", ",access,5,0,,,,"));
  options.table = "operation-failures";
  EXPECT_THAT(Lines(Dump(options).out), ElementsAre("script,operation,reason,count",
                                                    "\"web, 2\",map,ENOMEM,2", "\"web, 2\",map,SIGBUS,1"));
  options.table = "operation-times";
  EXPECT_THAT(Lines(Dump(options).out), ElementsAre("script,operation,low_ns,high_ns,count",
                                                    "\"web, 2\",map,8,15,4", "\"web, 2\",map,64,127,3"));
}

TEST_F(DumpTest, ATimeAfterTheEndIsRefused) {
  DumpOptions options = Options("text");
  options.from = "5h";
  EXPECT_EQ(Dump(options).error, absl::StrCat("--from 5h: is after the end of ", options.path, ", 9ms"));
}

TEST_F(DumpTest, TableThatIsNotShownOrOptionThatSaysNothingOfItIsRefused) {
  DumpOptions options = Options("text");
  options.table = "locks";
  EXPECT_EQ(Dump(options).error, "--table locks: is of --format csv; text shows everything that a trace has");

  options = Options("csv");
  options.table = "histograms";
  EXPECT_EQ(Dump(options).error,
            "--table: 'histograms' is no table; expected one of counters, events, spans, locks, lock-times, "
            "operations, operation-failures, operation-times, pageblocks");

  options.table = "events";
  options.counters = {"node0.*"};
  EXPECT_EQ(Dump(options).error,
            "--counters node0.*: has no effect on --table events, which is of no counters");
  options.counters = {};
  options.every = "1ms";
  EXPECT_EQ(Dump(options).error, "--every 1ms: has no effect on --table events, which is of no counters");

  options.table = "operations";
  options.every = "";
  options.to = "1ms";
  EXPECT_EQ(Dump(options).error,
            "--to 1ms: has no effect on --table operations, which is of the whole run and of no counters");

  options.table = "counters";
  EXPECT_THAT(Lines(Dump(options).out),
              ElementsAre("time_ns,node0.free,node0.hit,node1.free", "0,100,0,50", "1000000,98,1,50"));
}

TEST_F(DumpTest, CutTraceIsShownUpToItsCutInEveryTable) {
  std::string bytes = ReadFile(path_.get());
  bytes.resize(bytes.size() - 1);
  WriteFile(path_.get(), bytes);
  DumpOptions options = Options("csv");
  options.table = "locks";
  const Dumped dumped = Dump(options);
  EXPECT_EQ(Lines(dumped.out).size(), 2u);
  EXPECT_THAT(dumped.error, HasSubstr("is cut after 9ms"));
}

TEST_F(DumpTest, TextFitsItsWidth) {
  const TempPath path("wide.pb");
  {
    trace::Header header;
    for (int i = 0; i < 30; ++i) {
      header.add_column()->set_name(absl::StrCat("node0.DMA32.free_blocks.order", i));
      header.mutable_column(i)->set_unit("blocks");
    }
    auto writer = TraceWriter::Create(path.get(), header);
    ASSERT_TRUE(writer.ok()) << writer.status();
    for (int64_t t = 0; t < 3; ++t) (*writer)->AddSample(t * kMs, std::vector<int64_t>(30, 100 + t));
    trace::Event event = EventAt(kMs, "cma_failed");
    event.set_detail(
        "area=dma size=64M errno=EBUSY function=alloc_contig_range owner=anonymous memory of process "
        "database/worker#17, which is pinned at pfn 1234567");
    (*writer)->AddEvent(event);
    (*writer)->AddLockStats(LockNamed("node0.DMA32.zone.lock"));
    ASSERT_TRUE((*writer)->Finish().ok());
  }
  DumpOptions options;
  options.path = path.get();
  const std::string any_width = Dump(options).out;
  for (const size_t width : {80, 120, 200}) {
    options.width = width;
    const std::string out = Dump(options).out;
    std::vector<std::string> lines = Lines(out);
    lines.erase(lines.begin());  // the file's name is one word
    for (const std::string& line : lines) EXPECT_LE(line.size(), width) << line;
    // Nothing is lost: as many values, and all words.
    for (const std::string word : {"order0", "order29", "cma_failed", "1234567", "hold"})
      EXPECT_THAT(out, HasSubstr(word));
    const auto values = [](const std::string& text) {
      int count = 0;
      for (const absl::string_view word : absl::StrSplit(text, absl::ByAnyChar(" \n"), absl::SkipEmpty()))
        count += word == "100" || word == "101" || word == "102" ? 1 : 0;
      return count;
    };
    EXPECT_EQ(values(out), values(any_width));
  }
}

TEST_F(DumpTest, FullOutputIsAnError) {
  std::ofstream full("/dev/full");
  EXPECT_THAT(std::string(DumpTrace(Options("csv"), full).message()), HasSubstr("cannot write the output"));
}

// Runs the subcommand as the program does.
class DumpCommandTest : public DumpTest {
 protected:
  int Run(std::vector<std::string> arguments) {
    CLI::App app;
    int exit_status = -1;
    AddDumpCommand(app, &exit_status);
    std::vector<std::string> reversed(arguments.rbegin(), arguments.rend());
    reversed.push_back("dump");
    testing::internal::CaptureStdout();
    testing::internal::CaptureStderr();
    app.parse(reversed);
    out_ = testing::internal::GetCapturedStdout();
    error_ = testing::internal::GetCapturedStderr();
    return exit_status;
  }

  std::string out_;
  std::string error_;
};

TEST_F(DumpCommandTest, CountersMayBeSplitByCommasOrGivenAgain) {
  EXPECT_EQ(Run({"--format", "csv", "--counters", "*.hit,node1.*", "--counters", "node0.free", path_.get()}),
            0);
  EXPECT_EQ(Lines(out_)[0], "time_ns,node0.free,node0.hit,node1.free");
  EXPECT_EQ(error_, "");
}

TEST_F(DumpCommandTest, MissingFileIsOneMessageAndStatusOne) {
  EXPECT_EQ(Run({"/nonexistent/t.pb"}), 1);
  EXPECT_EQ(out_, "");
  EXPECT_EQ(error_, "numasim dump: cannot open trace /nonexistent/t.pb: No such file or directory\n");
}

TEST_F(DumpCommandTest, OtherFileIsOneMessageAndStatusOne) {
  WriteFile(path_.get(), "machine {}\n");
  EXPECT_EQ(Run({path_.get()}), 1);
  EXPECT_EQ(error_, absl::StrCat("numasim dump: ", path_.get(),
                                 " is not a trace of numasim; expected one that numasim run wrote\n"));
}

}  // namespace
}  // namespace numasim
