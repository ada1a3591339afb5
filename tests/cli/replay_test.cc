// Logs that are replayed, as a user of `numasim replay` meets them.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <nlohmann/json.hpp>
#include <string>
#include <vector>

#include "absl/strings/str_cat.h"
#include "tests/cli/program_test.h"

namespace numasim {
namespace {

using testing::ContainsRegex;
using testing::HasSubstr;

using nlohmann::json;

class ReplayTest : public ProgramTest {
 protected:
  void SetUp() override {
    ProgramTest::SetUp();
    Write("node.textproto", "node { memory: '256M' cpus: 4 }\n");
  }
  static Outcome Replay(std::vector<std::string> arguments) {
    arguments.insert(arguments.begin(), {"replay"});
    arguments.insert(arguments.end(), {"--machine", "node.textproto"});
    return Numasim(arguments);
  }
  // The message of a replay that ends with a mistake, and leaves nothing behind.
  static std::string RefusedReplay(const std::vector<std::string>& arguments) {
    const Outcome outcome = Replay(arguments);
    EXPECT_EQ(outcome.exit_status, 1);
    EXPECT_EQ(outcome.out, "");
    for (const std::string& file : Files()) EXPECT_THAT(file, testing::Not(HasSubstr(".pb"))) << file;
    return outcome.err;
  }
  // What failed in the run of a trace, run again, as the summary for programs tells it.
  static json FailuresOf(const std::string& trace) {
    const Outcome outcome = Numasim({"run", trace, "--format", "json", "--out", "/dev/null"});
    EXPECT_EQ(outcome.exit_status, 0) << outcome.err;
    return json::parse(outcome.out).at("failures");
  }
  // By any number of threads, and from the trace of the run, which has what is replayed and the machine.
  static void ExpectSameBytes(const std::string& replayed) {
    for (const char* const threads : {"1", "2", "4"}) {
      const std::string trace = absl::StrCat(threads, ".pb");
      ASSERT_EQ(Replay({replayed, "--threads", threads, "--out", trace, "--quiet"}).exit_status, 0);
      EXPECT_TRUE(FileText(trace) == FileText("1.pb")) << threads;
    }
    fs::remove(replayed);
    fs::remove("node.textproto");
    ASSERT_EQ(Numasim({"run", "1.pb", "--out", "again.pb", "--quiet"}).exit_status, 0);
    EXPECT_TRUE(FileText("again.pb") == FileText("1.pb"));
  }
};

// Jobs of 3 CPUs and 30 MiB for 100 s: one after another. Of the others one wants 5 CPUs, one 300 MiB; one
// was cancelled.
constexpr char kLog[] =
    "; a log\n"
    "1 0 -1 100 3 -1 10240 3 100 -1 1 1 1 1 1 1 -1 -1\n"
    "2 10 -1 100 3 -1 10240 3 100 -1 1 1 1 1 1 1 -1 -1\n"
    "3 20 -1 100 5 -1 10240 5 100 -1 1 1 1 1 1 1 -1 -1\n"
    "4 30 -1 100 1 -1 307200 1 100 -1 1 1 1 1 1 1 -1 -1\n"
    "5 40 -1 -1 1 -1 -1 1 100 -1 5 1 1 1 1 1 -1 -1\n"
    "6 50 -1 20 1 -1 10240 1 100 -1 1 1 1 1 1 1 -1 -1\n";

// The second waits for 90 s, from 10 to 100 s, and the last, which fits beside the first, is gone by then
// only if its limit were shorter: but it leaves the second its CPUs, of which one is left over.
TEST_F(ReplayTest, SummaryTellsWhatBecameOfJobsAndWhy) {
  Write("jobs.swf", kLog);
  const Outcome outcome = Replay({"jobs.swf"});
  EXPECT_EQ(outcome.exit_status, 0) << outcome.err;
  EXPECT_EQ(outcome.err, "numasim: warning: jobs.swf: skipped 1 that did not run (line 6)\n");
  // Jobs, refused, started, waited, backfilled, killed, finished, waiting, running.
  EXPECT_THAT(outcome.out, ContainsRegex("\n  jobs +5 +2 +3 +1 +1 +0 +3 +0 +0 +30\\.0.*s +1m30\\.0"));
  EXPECT_THAT(outcome.out, HasSubstr("           1  batch jobs: refused: more CPUs than the machine has\n"));
  EXPECT_THAT(outcome.out,
              HasSubstr("           1  batch jobs: refused: more memory than the machine has\n"));
  // Peak and mean use.
  EXPECT_THAT(outcome.out, ContainsRegex("\n  batch.jobs.cpus +0 "));
  EXPECT_THAT(outcome.out, HasSubstr("batch.jobs.touched_pages"));
  EXPECT_TRUE(fs::exists("jobs.trace.pb"));
  // What no node lacked memory for names none.
  EXPECT_EQ(FailuresOf("jobs.trace.pb"),
            json::parse(R"([{"what": "batch jobs: refused: more CPUs than the machine has", "count": 1,
                             "lines": []},
                            {"what": "batch jobs: refused: more memory than the machine has", "count": 1,
                             "lines": []}])"));
}

TEST_F(ReplayTest, JobsThatDoNotGetMemoryAreKilledByReasonAndNode) {
  Write("vms.csv", "from,to,mem\n0,100,90\n10,100,90\n20,100,90\n");
  Write("node.textproto", "node { memory: '256M' cpus: 4 } hugepages { node: 0 size: '2M' nr: 100 }\n");
  const Outcome outcome = Replay({"vms.csv", "--columns", "start=from,end=to,request=mem:M", "--page-size",
                                  "2M", "--policy", "log_start_times"});
  EXPECT_EQ(outcome.exit_status, 0) << outcome.err;
  EXPECT_THAT(outcome.out, HasSubstr("           1  batch jobs: start ENOMEM node=0\n"));
  EXPECT_THAT(outcome.out,
              HasSubstr("           1  job_failed: size=2M node=0 errno=ENOMEM function=do_mmap\n"));
  EXPECT_EQ(FailuresOf("vms.trace.pb"),
            json::parse(R"([{"what": "batch jobs: start ENOMEM", "count": 1, "node": "0", "lines": []}])"));
}

TEST_F(ReplayTest, SameBytesForAnyNumberOfThreadsAndFromTheTrace) {
  Write("jobs.swf", kLog);
  ExpectSameBytes("jobs.swf");
}

TEST_F(ReplayTest, MistakesAreOneMessageAndLeaveNothingBehind) {
  EXPECT_THAT(RefusedReplay({"none.swf"}),
              HasSubstr("log: 'none.swf' cannot be read (No such file or directory)"));
  Write("a.swf", "1 0 0\n");
  EXPECT_THAT(RefusedReplay({"a.swf"}), HasSubstr("log: 'a.swf' is none of the logs that are known"));
  EXPECT_EQ(
      RefusedReplay({"a.swf", "--format", "swf"}),
      "numasim: a.swf:1: '1 0 0' is no line of a log in Standard Workload Format; expected 18 fields, the "
      "first 11 of them numbers\n");
  Write("long.csv", "a,b\n1," + std::string(100'000, '2') + "\n");
  EXPECT_EQ(RefusedReplay({"long.csv", "--columns", "submit=a,run=b"}),
            "numasim: long.csv:2: is longer than 65536 bytes; expected a log with a line for each job\n");
  EXPECT_THAT(RefusedReplay({"long.csv", "--columns", "submit=a"}),
              HasSubstr("columns: 'submit=a' maps neither run nor end"));
  EXPECT_THAT(RefusedReplay({"long.csv", "--policy", "lifo"}), HasSubstr("--policy"));
}

// ---- Traces of allocations ----

std::string Event(const char* time, int cpu, const char* name, const char* fields) {
  return absl::StrCat("task-1 [00", cpu, "] ..... ", time, ": ", name, ": page=00000000ab ", fields, "\n");
}

// A page that is freed again; eight of which one is freed alone; two that were there before; a failure.
std::string SomeTrace() {
  constexpr char kKernel[] = "migratetype=0 gfp_flags=GFP_KERNEL";
  return "# tracer: nop\n" +
         Event("9.100000", 0, "mm_page_alloc", absl::StrCat("pfn=0x100 order=0 ", kKernel).c_str()) +
         Event("9.100010", 1, "mm_page_alloc", absl::StrCat("pfn=0x108 order=3 ", kKernel).c_str()) +
         Event("9.100020", 0, "mm_page_free", "pfn=0x100 order=0") +
         Event("9.100030", 0, "sched_switch", "prev_comm=a") + "CPU:1 [LOST 3 EVENTS]\n" +
         Event("9.100040", 1, "mm_page_free", "pfn=0x10a order=0") +
         Event("9.100050", 1, "mm_page_free", "pfn=0x200 order=1") +
         Event("9.150060", 1, "mm_page_alloc", absl::StrCat("pfn=0x0 order=9 ", kKernel).c_str());
}

constexpr char kSomeNotes[] =
    "numasim: warning: a.ftrace: passed over events of other kinds: sched_switch (1)\n"
    "numasim: warning: a.ftrace: the trace lacks 3 events that its buffers had no room for; what they freed "
    "stays "
    "allocated\n";

TEST_F(ReplayTest, SummaryTellsWhatBecameOfATrace) {
  Write("a.ftrace", SomeTrace());
  const Outcome outcome = Replay({"a.ftrace"});
  EXPECT_EQ(outcome.exit_status, 0) << outcome.err;
  EXPECT_EQ(outcome.err, kSomeNotes);
  // Events, allocated, freed, freed unseen, frees lost, failed here, in trace, in both, live.
  EXPECT_THAT(outcome.out, ContainsRegex("\n  trace +6 +2 +2 +1 +0 +0 +1 +0 +28.0 KiB "));
  EXPECT_THAT(outcome.out, HasSubstr("simulated 50.06"));
  EXPECT_THAT(outcome.out, HasSubstr("nothing failed\n"));
  EXPECT_TRUE(fs::exists("a.trace.pb"));
}

// The machine has no room for 64 blocks of 4 MiB, as some of it is the kernel's.
TEST_F(ReplayTest, AllocationsThatFailAreToldByOrderTypeAndNode) {
  std::string trace = "# tracer: nop\n";
  for (int i = 0; i < 64; ++i)
    trace +=
        Event("9.100000", 0, "mm_page_alloc",
              absl::StrCat("pfn=", (i + 1) * 1024, " order=10 migratetype=0 gfp_flags=GFP_KERNEL").c_str());
  Write("a.ftrace", trace);
  const Outcome outcome = Replay({"a.ftrace"});
  EXPECT_EQ(outcome.exit_status, 0) << outcome.err;
  const json failures = FailuresOf("a.trace.pb");
  ASSERT_EQ(failures.size(), 1u);
  EXPECT_EQ(failures[0]["what"], "allocations trace: order=10 Unmovable ENOMEM");
  EXPECT_EQ(failures[0]["node"], "0");
  EXPECT_GE(failures[0]["count"], 1);
  EXPECT_THAT(outcome.out,
              HasSubstr(absl::StrCat("  ", failures[0]["count"].get<int>(),
                                     "  allocations trace: order=10 Unmovable ENOMEM node=0\n")));
}

TEST_F(ReplayTest, ATraceIsKnownByItsBeginningOrItsFormat) {
  Write("a.txt", SomeTrace());
  EXPECT_THAT(Replay({"a.txt", "--quiet", "--out", "1.pb"}).exit_status, 0);
  EXPECT_THAT(Replay({"a.txt", "--quiet", "--out", "2.pb", "--format", "ftrace"}).exit_status, 0);
  EXPECT_THAT(Replay({"a.txt", "--format", "perf"}).err,
              HasSubstr("is an event of ftrace, not of perf script"));
}

TEST_F(ReplayTest, SameTraceSameBytesForAnyNumberOfThreadsAndFromItsOwnTrace) {
  Write("a.ftrace", SomeTrace());
  ExpectSameBytes("a.ftrace");
}

TEST_F(ReplayTest, WrongTracesAreOneMessageAndLeaveNothingBehind) {
  Write("a.ftrace", SomeTrace());
  Write("empty.ftrace", "");
  Write("b.dat", "\x17\x08\x44tracing6");
  Write("c.txt.gz", "\x1f\x8b\x08");
  EXPECT_THAT(RefusedReplay({"none.perf"}),
              HasSubstr("trace: 'none.perf' cannot be read (No such file or directory)"));
  EXPECT_THAT(RefusedReplay({"empty.ftrace"}),
              HasSubstr("trace: 'empty.ftrace' is none of the traces that are known"));
  EXPECT_THAT(RefusedReplay({"a.ftrace", "--format", "llfree"}),
              HasSubstr("a.ftrace: is no trace of LLFree; expected"));
  EXPECT_THAT(RefusedReplay({"a.ftrace", "--format", "swf"}), HasSubstr("'a.ftrace' is not named as a log"));
  EXPECT_THAT(RefusedReplay({"b.dat"}), HasSubstr("b.dat: is no trace that libtracecmd can read: "));
  EXPECT_EQ(RefusedReplay({"c.txt.gz"}),
            "numasim: c.txt.gz: cannot be unpacked: it is cut off; expected a whole file of gzip\n");
  EXPECT_EQ(RefusedReplay({"a.ftrace", "--policy", "fcfs"}),
            "numasim: --policy: 'fcfs' is for logs of jobs, and a.ftrace is a trace of allocations; expected "
            "none\n");
  EXPECT_EQ(RefusedReplay({"a.ftrace", "--boot", "b.json"}),
            "numasim: --boot: is given beside --machine; expected one of them\n");
  EXPECT_EQ(Numasim({"replay", "a.ftrace"}).err, "numasim: --machine: is missing; expected it, or --boot\n");
}

TEST_F(ReplayTest, TraceMustNotReplaceTheLog) {
  Write("jobs.swf", kLog);
  const Outcome outcome = Replay({"jobs.swf", "--out", "jobs.swf"});
  EXPECT_EQ(outcome.exit_status, 1);
  EXPECT_EQ(FileText("jobs.swf"), kLog);
}

}  // namespace
}  // namespace numasim
