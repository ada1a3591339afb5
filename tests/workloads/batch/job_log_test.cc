#include "workloads/batch/job_log.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <string>
#include <vector>

#include "workloads/batch/log_values.h"
#include "workloads/log_lines.h"

namespace numasim::workloads {
namespace {

using testing::ElementsAre;
using testing::HasSubstr;
using testing::IsEmpty;

constexpr int64_t kS = kNsPerSecond;
constexpr int64_t kKib = 1024;
constexpr int64_t kMib = int64_t{1} << 20;
constexpr int64_t kGib = int64_t{1} << 30;

JobLog Read(const std::string& text, LogFormat format, const std::string& columns = "") {
  absl::StatusOr<JobLog> log = ParseJobLog("a.log", text, format, columns);
  EXPECT_TRUE(log.ok()) << log.status();
  return log.ok() ? *std::move(log) : JobLog();
}

std::string Refused(const std::string& text, LogFormat format, const std::string& columns = "") {
  const absl::StatusOr<JobLog> log = ParseJobLog("a.log", text, format, columns);
  EXPECT_FALSE(log.ok());
  return std::string(log.status().message());
}

std::vector<int64_t> LinesOf(const JobLog& log) {
  std::vector<int64_t> lines;
  for (const Job& job : log.jobs) lines.push_back(job.line);
  return lines;
}

// ---- Standard Workload Format ----

constexpr char kSwfJob[] = "  7  100  5  552.21  4  -1  2048  8 3600 4096 1  3 1  9 1 1 -1 -1\n";

TEST(SwfTest, LineIsAJob) {
  const JobLog log = Read(std::string("; Version: 2.2\n;\n") + kSwfJob, LogFormat::kSwf);
  ASSERT_EQ(log.jobs.size(), 1u);
  const Job& job = log.jobs.front();
  EXPECT_EQ(job.id, "7");
  EXPECT_EQ(job.line, 3);
  EXPECT_EQ(job.submit_ns, 0);  // the first
  EXPECT_EQ(job.start_ns, 5 * kS);
  EXPECT_EQ(job.run_ns, 552'210'000'000);
  EXPECT_EQ(job.limit_ns, 3600 * kS);
  EXPECT_EQ(job.millicpus, 4000);  // those that it got
  // KiB a processor.
  EXPECT_EQ(job.used_bytes, 4 * 2048 * kKib);
  EXPECT_EQ(job.requested_bytes, 4 * 4096 * kKib);
  EXPECT_EQ(job.program, 0);
  EXPECT_EQ(job.user, 0);
  EXPECT_THAT(log.Notes("a.log"), IsEmpty());
}

TEST(SwfTest, MinusOneIsNotKnown) {
  const JobLog log = Read("1 0 -1 60 -1 -1 -1 8 -1 -1 1 -1 -1 -1 -1 -1 -1 -1\n", LogFormat::kSwf);
  ASSERT_EQ(log.jobs.size(), 1u);
  const Job& job = log.jobs.front();
  EXPECT_EQ(job.start_ns, std::nullopt);
  EXPECT_EQ(job.limit_ns, std::nullopt);
  EXPECT_EQ(job.millicpus, 8000);  // those that it asked for
  EXPECT_EQ(job.bytes_to_use(), 0);
  EXPECT_EQ(job.program, -1);
  EXPECT_EQ(job.user, -1);
}

TEST(SwfTest, WhatIsUsedAndWhatIsBookedStandInForEachOther) {
  const JobLog log = Read(
      "1 0 0 60 2 -1 100 2 -1 -1 1 1 1 1 1 1 -1 -1\n"
      "2 0 0 60 2 -1 -1 2 -1 300 1 1 1 1 1 1 -1 -1\n",
      LogFormat::kSwf);
  ASSERT_EQ(log.jobs.size(), 2u);
  EXPECT_EQ(log.jobs[0].bytes_to_book(), 200 * kKib);
  EXPECT_EQ(log.jobs[1].bytes_to_use(), 600 * kKib);
}

TEST(SwfTest, FieldsBeyondTheLastArePassedOver) {
  const JobLog log =
      Read("1 0 0 60 2 -1 100 2 -1 -1 1 1 1 1 1 1 -1 -1 gpu node[1-4] \"a b\"\n", LogFormat::kSwf);
  EXPECT_EQ(log.jobs.size(), 1u);
}

TEST(SwfTest, DirtyLinesAreCountedByReasonAndListed) {
  const JobLog log = Read(
      "1 0 0 60 2 -1 -1 2 -1 -1 1 1 1 1 1 1 -1 -1\n"
      "2 5 0 -1 2 -1 -1 2 -1 -1 5 1 1 1 1 1 -1 -1\n"
      "3 6 0 0 2 -1 -1 2 -1 -1 5 1 1 1 1 1 -1 -1\n"
      "4 -7 0 60 2 -1 -1 2 -1 -1 1 1 1 1 1 1 -1 -1\n"
      "5 8 0 -60 2 -1 -1 2 -1 -1 1 1 1 1 1 1 -1 -1\n"
      "6 9 0 60 0 -1 -1 -1 -1 -1 1 1 1 1 1 1 -1 -1\n"
      "7 9 0 60 2 -1 -1 2 -1 -1 3 1 1 1 1 1 -1 -1\n"
      "8 9 0 sixty 2 -1 -1 2 -1 -1 1 1 1 1 1 1 -1 -1\n"
      "9 10 0 60 99999999999999999 -1 -1 2 -1 -1 1 1 1 1 1 1 -1 -1\n"
      "10 11 0 60 2 -1",
      LogFormat::kSwf);
  EXPECT_THAT(LinesOf(log), ElementsAre(1));
  EXPECT_THAT(log.Notes("a.log"),
              ElementsAre("a.log: skipped 2 that did not run (lines 2, 3)",
                          "a.log: skipped 1 that has a negative submit time, or one too large (line 4)",
                          "a.log: skipped 1 that has a negative run time (line 5)",
                          "a.log: skipped 1 that has no number of processors (line 6)",
                          "a.log: skipped 1 that is a part of a job that has a line of its own (line 7)",
                          "a.log: skipped 1 that has a field that is no number (line 8)",
                          "a.log: skipped 1 that has a value that is too large (line 9)",
                          "a.log: skipped 1 that has fewer than 18 fields (line 10)"));
}

TEST(SwfTest, OfManySkippedLinesTheFirstAreListed) {
  std::string text = "1 0 0 60 2 -1 -1 2 -1 -1 1 1 1 1 1 1 -1 -1\n";
  for (int i = 0; i < 5; ++i) text += "2 5 0 -1 2 -1 -1 2 -1 -1 5 1 1 1 1 1 -1 -1\n";
  EXPECT_THAT(Read(text, LogFormat::kSwf).Notes("a.log"),
              ElementsAre("a.log: skipped 5 that did not run (lines 2, 3, 4, ..)"));
}

TEST(SwfTest, JobsOutOfOrderAreSortedAndCounted) {
  const JobLog log = Read(
      "1 100 0 60 2 -1 -1 2 -1 -1 1 1 1 1 1 1 -1 -1\n"
      "2 300 0 60 2 -1 -1 2 -1 -1 1 1 1 1 1 1 -1 -1\n"
      "3 200 0 60 2 -1 -1 2 -1 -1 1 1 1 1 1 1 -1 -1\n"
      "4 200 0 60 2 -1 -1 2 -1 -1 1 1 1 1 1 1 -1 -1\n",
      LogFormat::kSwf);
  EXPECT_THAT(LinesOf(log), ElementsAre(1, 3, 4, 2));
  EXPECT_EQ(log.jobs.back().submit_ns, 200 * kS);
  EXPECT_THAT(log.Notes("a.log"),
              ElementsAre("a.log: 2 of 4 jobs stood behind one that was submitted later; sorted"));
}

TEST(SwfTest, AnotherFileIsRefusedAtItsFirstLine) {
  EXPECT_EQ(Refused("; comment\nroot:x:0:0\n", LogFormat::kSwf),
            "a.log:2: 'root:x:0:0' is no line of a log in Standard Workload Format; expected 18 fields, the "
            "first 11 of them numbers");
}

TEST(SwfTest, LogWithoutAJobIsRefused) {
  EXPECT_EQ(Refused("; nothing\n", LogFormat::kSwf),
            "a.log: holds no job that can be run; expected a log with at least one");
  EXPECT_EQ(Refused("1 0 0 -1 2 -1 -1 2 -1 -1 5 1 1 1 1 1 -1 -1\n", LogFormat::kSwf),
            "a.log: holds no job that can be run: 1 did not run (line 1); expected a log with at least one");
}

TEST(SwfTest, EndlessLineIsRefused) {
  const std::string text = std::string(kSwfJob) + std::string(LogLines::kLongest + 1, '1');
  EXPECT_EQ(Refused(text, LogFormat::kSwf),
            "a.log:2: is longer than 65536 bytes; expected a log with a line for each job");
}

TEST(SwfTest, BinaryFileIsRefused) {
  EXPECT_EQ(Refused(std::string("; a\n\0b\n", 7), LogFormat::kSwf),
            "a.log:2: holds a NUL byte; expected text, not a binary file");
}

// ---- sacct ----

constexpr char kHeader[] =
    "JobID|JobName|User|State|Submit|Start|Elapsed|Timelimit|AllocCPUS|NNodes|ReqMem|MaxRSS|NTasks\n";

TEST(SacctTest, StepsAreFoldedIntoTheirJob) {
  const JobLog log = Read(
      std::string(kHeader) +
          "9|sort|ann|COMPLETED|2024-03-01T12:00:00|2024-03-01T12:00:10|1-00:00:05|2-00:00:00|8|2|4000Mc||\n"
          "9.batch|batch||COMPLETED|2024-03-01T12:00:10|2024-03-01T12:00:10|1-00:00:05||4|1||1000K|1\n"
          "9.extern|extern||COMPLETED|2024-03-01T12:00:10|2024-03-01T12:00:10|1-00:00:05||8|2||0|2\n"
          "9.0|prog||COMPLETED|2024-03-01T12:00:10|2024-03-01T12:00:10|1-00:00:00||8|2||1.5G|8\n",
      LogFormat::kSacct);
  ASSERT_EQ(log.jobs.size(), 1u);
  const Job& job = log.jobs.front();
  EXPECT_EQ(job.id, "9");
  EXPECT_EQ(job.start_ns, 10 * kS);
  EXPECT_EQ(job.run_ns, 86'405 * kS);
  EXPECT_EQ(job.limit_ns, 2 * 86'400 * kS);
  EXPECT_EQ(job.millicpus, 8000);
  EXPECT_EQ(job.requested_bytes, 8 * 4000 * kMib);  // 'c': of each CPU
  EXPECT_EQ(job.used_bytes, 12 * kGib);             // the largest of the steps, of 8 tasks
  EXPECT_THAT(log.Notes("a.log"), IsEmpty());
}

// ReqMem of each CPU, of each node, of the job.
TEST(SacctTest, RequestedMemoryIsOfWhatItsLastLetterSays) {
  const auto requested = [](const std::string& text) {
    const JobLog log =
        Read(std::string(kHeader) + "9|a|b|COMPLETED|2024-03-01T12:00:00|2024-03-01T12:00:10|00:01:00||8|2|" +
                 text + "||\n",
             LogFormat::kSacct);
    return log.jobs.empty() ? -1 : log.jobs.front().requested_bytes;
  };
  EXPECT_EQ(requested("2Gc"), 16 * kGib);
  EXPECT_EQ(requested("2Gn"), 4 * kGib);
  EXPECT_EQ(requested("2G"), 2 * kGib);
  EXPECT_EQ(requested("100"), 100 * kMib);
  EXPECT_EQ(requested(""), 0);
}

TEST(SacctTest, JobsThatDidNotRunAreSkippedWithTheirSteps) {
  const JobLog log =
      Read(std::string(kHeader) +
               "1|a|b|COMPLETED|2024-03-01T12:00:00|2024-03-01T12:00:10|00:01:00||1|1|1G||\n"
               "2|a|b|CANCELLED by 1000|2024-03-01T12:00:00|Unknown|00:00:00||1|1|1G||\n"
               "3|a|b|RUNNING|2024-03-01T12:00:00|2024-03-01T12:00:10|00:01:00||1|1|1G||\n"
               "3.batch|a|b|RUNNING|2024-03-01T12:00:00|2024-03-01T12:00:10|00:01:00||1|1||5G|1\n"
               "4_[1-9]|a|b|PENDING|2024-03-01T12:00:00|Unknown|00:00:00||0|1|1G||\n"
               "77.0|a|b|COMPLETED|2024-03-01T12:00:00|2024-03-01T12:00:10|00:01:00||1|1||5G|1\n"
               "5|a|b|COMPLETED|soon|2024-03-01T12:00:10|00:01:00||1|1|1G||\n"
               "6|a|b\n",
           LogFormat::kSacct);
  EXPECT_THAT(LinesOf(log), ElementsAre(2));
  EXPECT_THAT(log.Notes("a.log"),
              ElementsAre("a.log: skipped 2 that did not run (lines 3, 6)",
                          "a.log: skipped 1 that has not ended (line 4)",
                          "a.log: skipped 1 that is a step of a job that is not above it (line 7)",
                          "a.log: skipped 1 that has no submit time (line 8)",
                          "a.log: skipped 1 that has fewer fields than the header (line 9)"));
}

TEST(SacctTest, TrailingBarOfSacctMinusSmallPIsNoField) {
  const JobLog log =
      Read("JobID|Submit|Start|ElapsedRaw|NCPUS|\n1|2024-03-01T12:00:00|2024-03-01T12:00:10|60|2|\n",
           LogFormat::kSacct);
  ASSERT_EQ(log.jobs.size(), 1u);
  EXPECT_EQ(log.jobs.front().run_ns, 60 * kS);
}

TEST(SacctTest, HeaderWithoutWhatIsNeededIsRefused) {
  EXPECT_THAT(Refused("JobID|User\n1|a\n", LogFormat::kSacct),
              HasSubstr("a.log:1: the header has no column Submit; expected what sacct -P "));
  EXPECT_THAT(Refused("1 2 3\n", LogFormat::kSacct), HasSubstr("a.log:1: '1 2 3' is no header of sacct -P"));
}

// ---- CSV ----

TEST(CsvTest, NamesAndNumbersOfColumnsAndUnits) {
  const JobLog log = Read(
      "who,from,mem,until\n"
      "\"a \"\"b\"\", c\",1000,4,3000\r\n"
      "\"c\nd\",1500,2G,2500\n",
      LogFormat::kCsv, "id=who,submit=from:ms,memory=#3:M,end=until:ms");
  ASSERT_EQ(log.jobs.size(), 2u);
  EXPECT_EQ(log.jobs[0].id, "a \"b\", c");
  EXPECT_EQ(log.jobs[0].run_ns, 2 * kS);
  EXPECT_EQ(log.jobs[0].used_bytes, 4 * kMib);
  EXPECT_EQ(log.jobs[1].id, "c\nd");
  EXPECT_EQ(log.jobs[1].line, 3);
  EXPECT_EQ(log.jobs[1].submit_ns, kS / 2);
  EXPECT_EQ(log.jobs[1].used_bytes, 2 * kGib);
  EXPECT_EQ(log.jobs[1].millicpus, 1000);
}

TEST(CsvTest, HeaderIsPassedOverWhereColumnsHaveNumbers) {
  constexpr char kColumns[] = "submit=#1,run=#2";
  EXPECT_THAT(LinesOf(Read("begin,length\n1,5\n", LogFormat::kCsv, kColumns)), ElementsAre(2));
  EXPECT_THAT(LinesOf(Read("1,5\n", LogFormat::kCsv, kColumns)), ElementsAre(1));
}

TEST(CsvTest, DirtyRecordsAreSkipped) {
  const JobLog log = Read(
      "0,10,20,1,1G\n-5,10,20,1,1G\n0,10,5,1,1G\n0,10,10,1,1G\n9,3,20,1,1G\n0,10,20,none,1G\n0,10,20,1,-4\n"
      "0,10,20\n0,10,,1,1G\n0,10,20,0,1G\n0,1\"0,20,1,1G\n0,10,20,1,\"1G\n",
      LogFormat::kCsv, "submit=#1,start=#2,end=#3,cpus=#4,request=#5");
  EXPECT_THAT(LinesOf(log), ElementsAre(1));
  EXPECT_THAT(
      log.Notes("a.log"),
      ElementsAre("a.log: skipped 1 that has a negative time (line 2)",
                  "a.log: skipped 1 that ends before it starts (line 3)",
                  "a.log: skipped 1 that did not run (line 4)",
                  "a.log: skipped 1 that starts before it is submitted (line 5)",
                  "a.log: skipped 1 that has a number of CPUs that is none, or negative (line 6)",
                  "a.log: skipped 1 that has a size of memory that is none, or negative (line 7)",
                  "a.log: skipped 1 that has fewer fields than the mapping of columns needs (line 8)",
                  "a.log: skipped 1 that has no end (line 9)", "a.log: skipped 1 that has no CPU (line 10)",
                  "a.log: skipped 1 that has a time that is no number, or too large (line 11)",
                  "a.log: skipped 1 that has a quote that is not closed (line 12)"));
}

TEST(CsvTest, WrongMappingIsNamed) {
  const auto refused = [](const std::string& columns) {
    return Refused("a,b\n1,2\n", LogFormat::kCsv, columns);
  };
  EXPECT_EQ(refused("submitt=a"),
            "'submitt=a' names no part of a job; expected PART=COLUMN with one of submit, start, end, run, "
            "limit, cpus, memory, request, program, user, id");
  EXPECT_THAT(refused("submit=a:weeks,run=b"),
              HasSubstr("'submit=a:weeks' has the unit 'weeks'; expected one "
                        "of s, ms, us, ns, min, h, d"));
  EXPECT_THAT(refused("submit=a,submit=b"), HasSubstr("'submit=b' is given twice"));
  EXPECT_THAT(refused("submit=#0,run=b"), HasSubstr("'submit=#0' is no number of a column"));
  EXPECT_THAT(refused("submit=a"), HasSubstr("maps neither run nor end"));
  EXPECT_THAT(refused("run=a"), HasSubstr("maps neither submit nor start"));
  EXPECT_EQ(refused("submit=a,run=c"),
            "a.log:1: the header has no column 'c'; expected it for run, or another mapping of columns");
}

// ---- Tables that are known ----

TEST(KnownTablesTest, AzuresVmTable) {
  const JobLog log = Read(
      "vmA,sub1,dep1,0,2591700,99.9,1.5,9.9,Delay-insensitive,4,8\n"
      "vmB,sub1,dep2,300,600,99.9,1.5,9.9,Unknown,>24,>64\n",
      LogFormat::kAzure);
  ASSERT_EQ(log.jobs.size(), 2u);
  EXPECT_EQ(log.jobs[0].id, "vmA");
  EXPECT_EQ(log.jobs[0].run_ns, 2'591'700 * kS);
  EXPECT_EQ(log.jobs[0].millicpus, 4000);
  EXPECT_EQ(log.jobs[0].requested_bytes, 8 * kGib);
  EXPECT_EQ(log.jobs[0].user, log.jobs[1].user);
  EXPECT_NE(log.jobs[0].program, log.jobs[1].program);
  EXPECT_EQ(log.jobs[1].start_ns, 300 * kS);
  EXPECT_EQ(log.jobs[1].requested_bytes, 64 * kGib);
  EXPECT_THAT(log.Notes("a.log"),
              ElementsAre("a.log: 2 values such as '>64' are lower bounds; taken as the bound itself"));
}

TEST(KnownTablesTest, OpenbPods) {
  const JobLog log = Read(
      "name,cpu_milli,memory_mib,num_gpu,gpu_milli,gpu_spec,qos,pod_phase,creation_time,deletion_time,"
      "scheduled_time\n"
      "pod-1,1500,16384,1,1000,,LS,Running,100,400,150\n"
      "pod-2,12000,16384,1,1000,,LS,Pending,100,400,\n",
      LogFormat::kOpenb);
  ASSERT_EQ(log.jobs.size(), 2u);
  EXPECT_EQ(log.jobs[0].millicpus, 1500);
  EXPECT_EQ(log.jobs[0].whole_cpus(), 2);
  EXPECT_EQ(log.jobs[0].start_ns, 50 * kS);
  EXPECT_EQ(log.jobs[0].run_ns, 250 * kS);
  EXPECT_EQ(log.jobs[0].requested_bytes, 16 * kGib);
  EXPECT_EQ(log.jobs[1].start_ns, std::nullopt);
}

TEST(FormatTest, IsFoundFromTheFirstLine) {
  EXPECT_EQ(FindLogFormat("; Version: 2.2\n"), LogFormat::kSwf);
  EXPECT_EQ(FindLogFormat(kSwfJob), LogFormat::kSwf);
  EXPECT_EQ(FindLogFormat(std::string("\n") + kHeader), LogFormat::kSacct);
  EXPECT_EQ(FindLogFormat("name,cpu_milli,memory_mib,creation_time\n"), LogFormat::kOpenb);
  EXPECT_EQ(FindLogFormat("a,b,c,0,300,9,9,9,Unknown,4,8\n"), LogFormat::kAzure);
  EXPECT_EQ(FindLogFormat("a,b,c\n1,2,3\n"), std::nullopt);
  EXPECT_EQ(FindLogFormat(""), std::nullopt);
}

TEST(FormatTest, HasAName) {
  EXPECT_EQ(LogFormatNamed("sacct"), LogFormat::kSacct);
  EXPECT_EQ(NameOf(LogFormat::kOpenb), "openb");
  EXPECT_EQ(LogFormatNamed("pbs"), std::nullopt);
}

}  // namespace
}  // namespace numasim::workloads
