// What a run tells of HugeTLB pools: columns of the trace, reasons of failures, the summary's table.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <fstream>
#include <iterator>
#include <memory>
#include <set>
#include <sstream>
#include <string>

#include "absl/strings/str_cat.h"
#include "cli/run/summary.h"
#include "cli/run/traced_run.h"
#include "cli/text/failure_text.h"
#include "proto/trace_reader.h"
#include "tests/workloads/random_hugetlb_script.h"

namespace numasim {
namespace {

using ::testing::AllOf;
using ::testing::Contains;
using ::testing::HasSubstr;
using ::testing::Not;
using ::testing::Pair;

// Gathers the details of the events of one kind, but for where in the script they were.
class Details : public TraceVisitor {
 public:
  explicit Details(std::string kind) : kind_(std::move(kind)) {}
  void OnEvent(const trace::Event& event) override {
    if (event.kind() != kind_) return;
    trace::Event anywhere = event;
    trace::Failure& failure = *anywhere.mutable_failure();
    lines_.insert(failure.at().script() + ":" + std::to_string(failure.at().line()));
    failure.mutable_at()->clear_script();
    failure.mutable_at()->clear_line();
    if (failure.at().ByteSizeLong() == 0) failure.clear_at();
    details_.insert(DetailText(anywhere));
  }
  const std::set<std::string>& details() const { return details_; }
  // "SCRIPT:LINE"
  const std::set<std::string>& lines() const { return lines_; }

 private:
  const std::string kind_;
  std::set<std::string> details_, lines_;
};

class HugetlbRunTest : public testing::Test {
 protected:
  // Runs the lines on two nodes of 256 MiB each.
  void Run(const std::string& lines) {
    const std::string path = testing::TempDir() + "/pools.mm";
    std::ofstream(path) << "machine nodes=2 node_mem=256M\nthp enabled never\n" << lines;
    auto scenario = LoadInput(path);
    ASSERT_TRUE(scenario.ok()) << scenario.status();
    scenario_ = std::make_unique<workloads::LoadedScenario>(*std::move(scenario));
    trace_ = testing::TempDir() + "/pools.pb";
    auto run = TracedRun::Create(*scenario_, {.trace_path = trace_, .seed = {}});
    ASSERT_TRUE(run.ok()) << run.status();
    run_ = *std::move(run);
    ASSERT_TRUE(run_->Run().ok());
  }
  std::set<std::string> Failures() const {
    Details details("hugetlb_failed");
    EXPECT_TRUE((*TraceReader::Open(trace_))->Read({}, &details).ok());
    return details.details();
  }
  std::string Summary() const {
    std::ostringstream out;
    PrintSummary(run_->simulation(), run_->facts(), run_->metrics(), out);
    return out.str();
  }

  std::string trace_;
  std::unique_ptr<workloads::LoadedScenario> scenario_;
  std::unique_ptr<TracedRun> run_;
};

TEST_F(HugetlbRunTest, EveryCounterIsAColumnUnderTheKernelsName) {
  Run("pool 2M all 6\n");
  std::set<std::string> columns;
  const trace::Header header = (*TraceReader::Open(trace_))->header();
  for (const trace::Column& column : header.column()) {
    columns.insert(column.name());
  }
  for (const char* size : {"hugetlb-2M.", "hugetlb-1G."}) {
    for (const char* counter : {"nr_hugepages", "free_hugepages", "surplus_hugepages"}) {
      EXPECT_THAT(columns, Contains(std::string(size) + counter));
      EXPECT_THAT(columns, Contains(std::string("node1.") + size + counter));
    }
    EXPECT_THAT(columns, Contains(std::string(size) + "resv_hugepages"));
    EXPECT_THAT(columns, Contains(std::string(size) + "nr_overcommit_hugepages"));
  }
  EXPECT_THAT(columns, Contains("htlb_buddy_alloc_success"));
  EXPECT_THAT(columns, Contains("htlb_buddy_alloc_fail"));
}

TEST_F(HugetlbRunTest, GrowthThatStopsShortSaysHowFarItCame) {
  Run("pool 2M node0 10\npool 2M node1 1000\n");
  const Hstate& h = run_->simulation().kernel().pool().hstate(HugeSize::k2M);
  const int64_t got = h.node(NodeId{1}).counters[NR_HUGEPAGES];
  EXPECT_THAT(Failures(), testing::ElementsAre("size=2M node=1 errno=ENOMEM function=set_max_huge_pages "
                                               "at pages=1000 got=" +
                                               std::to_string(got)));
}

TEST_F(HugetlbRunTest, TheSummaryCountsFailuresByReason) {
  Run("pool 2M all 4\nspawn p\n@p cpu 1\n@p map a 12M hugetlb-2M\n@p map b 16M hugetlb-2M\n");
  EXPECT_EQ(Failures().size(), 3u) << "of 6 and of 8 pages, and why there is no surplus";
  EXPECT_THAT(Summary(),
              HasSubstr("2  hugetlb_failed: size=2M node=0-1 errno=ENOMEM function=hugetlb_acct_memory\n"));
}

// Lines of a file are counted from its machine line on.
TEST_F(HugetlbRunTest, FailuresOfOneReasonTellTheirLinesApart) {
  Run("pool 2M all 4\nspawn p\n@p cpu 1\n@p map a 12M hugetlb-2M\n@p map b 16M hugetlb-2M\n");
  Details details("hugetlb_failed");
  ASSERT_TRUE((*TraceReader::Open(trace_))->Read({}, &details).ok());
  EXPECT_THAT(details.lines(), testing::ElementsAre("pools:6", "pools:7"));
}

TEST_F(HugetlbRunTest, AReservationThatCannotBeMetSaysSo) {
  Run("pool 2M all 4\nspawn p\n@p cpu 1\n@p map a 12M hugetlb-2M\n");
  EXPECT_THAT(
      Failures(),
      testing::ElementsAre(
          "size=2M node=0-1 errno=ENOMEM function=alloc_surplus_huge_page reason=nr_overcommit_hugepages",
          "size=2M node=0-1 errno=ENOMEM function=hugetlb_acct_memory at pages=6"));
}

TEST_F(HugetlbRunTest, AFailureNamesTheNodesThatHadNothingNotTheCpus) {
  Run("pool 2M node0 4\nspawn p\n@p map a 8M hugetlb-2M policy=bind:1\n@p touch a\n@p unmap a\n"
      "@p policy bind:1\n@p map b 2M hugetlb-2M\n");
  EXPECT_THAT(
      Failures(),
      testing::ElementsAre(
          "size=2M node=1 errno=ENOMEM function=alloc_surplus_huge_page reason=nr_overcommit_hugepages",
          "size=2M node=1 errno=ENOMEM function=hugetlb_acct_memory at pages=1",
          "size=2M node=1 errno=ENOSPC function=alloc_huge_page"));
}

TEST_F(HugetlbRunTest, ReservationsBelowZeroAreShownAsTheKernelShowsThem) {
  Run("pool 2M node0 8\nmount_hugetlbfs /m pagesize=2M,min_size=8M\nspawn p\n"
      "@p map a 4M hugetlb-2M file=/m/a shared\n@p map b 20M hugetlb-2M file=/m/b shared\n"
      "@p map c 20M hugetlb-2M file=/m/b shared\n@p map d 8M hugetlb-2M file=/m/c shared\n"
      "@p touch d\n@p touch a\nsleep 10\n");
  EXPECT_THAT(Summary(), HasSubstr("18446744073709551614"));
}

TEST_F(HugetlbRunTest, AFaultWithoutAPageSaysSo) {
  Run("pool 2M node1 1\nspawn p\n@p map a 4M hugetlb-2M noreserve\n@p touch a\n");
  EXPECT_THAT(Failures(), Contains("size=2M node=0-1 errno=ENOSPC function=alloc_huge_page"));
}

TEST_F(HugetlbRunTest, AFullMountSaysSo) {
  Run("pool 2M all 9\nmount_hugetlbfs /m pagesize=2M,size=4M\nspawn p\n"
      "@p map a 8M hugetlb-2M file=/m/x shared\n@p map b 8M hugetlb-2M file=/m/y noreserve shared\n@p touch "
      "b\n");
  EXPECT_THAT(Failures(),
              testing::ElementsAre("size=2M errno=ENOMEM function=hugepage_subpool_get_pages at pages=4",
                                   "size=2M errno=ENOSPC function=hugepage_subpool_get_pages"));
}

TEST_F(HugetlbRunTest, SurplusPagesThatMemoryDoesNotHaveSaySo) {
  Run("pool 2M all 1000\novercommit 2M 10\nspawn p\n@p map a 2M hugetlb-2M\n@p map b 1G hugetlb-2M "
      "noreserve\n"
      "@p touch b\n");
  EXPECT_THAT(Failures(),
              Contains("size=2M node=0-1 errno=ENOMEM function=alloc_surplus_huge_page reason=memory"));
}

TEST_F(HugetlbRunTest, AMoveToAFullNodeSaysSo) {
  Run("pool 2M node1 1000\nspawn p\n@p map a 400M hugetlb-2M noreserve policy=bind:1\n@p touch a\n"
      "pool 2M node0 1\n@p map b 2M hugetlb-2M noreserve policy=bind:0\n@p touch b\n@p move b 1\n");
  EXPECT_THAT(Failures(), Contains("size=2M node=1 errno=ENOMEM function=alloc_huge_page_nodemask"));
}

TEST_F(HugetlbRunTest, TheSummaryHasPoolsThatWereUsed) {
  Run("pool 2M all 6\nspawn p\n@p map a 4M hugetlb-2M\n@p touch a 0 2M\nsleep 1\n");
  const std::string summary = Summary();
  EXPECT_THAT(summary, AllOf(HasSubstr("pool    node          nr        free        resv     surplus"),
                             HasSubstr("2M       all           6           6           0           0"),
                             HasSubstr("hugetlb_lock"), HasSubstr("hugetlb-2M.resize_lock             1")));
  EXPECT_THAT(summary, Not(HasSubstr("1G ")));
}

TEST_F(HugetlbRunTest, TheSummaryIsSilentWherePoolsWereNotUsed) {
  Run("spawn p\n@p map a 4M anon\n@p touch a\n");
  EXPECT_THAT(Summary(), AllOf(Not(HasSubstr("surplus")), Not(HasSubstr("hugetlb_lock"))));
}

// Streams on all nodes that resize, fault, pin and unpin in interrupts, with files in common.
std::string BusyScenario(const std::string& knobs, uint64_t seed) {
  std::string text = absl::StrCat("kernel { thp { enabled: 'never' } hugetlb { ", knobs, " } }\nmachine {\n");
  for (int n = 0; n < 4; ++n) absl::StrAppend(&text, "  node { memory: '64M' cpus: 2 }\n");
  absl::StrAppend(&text, "}\nworkload {\n");
  workloads::RandomHugetlbOptions options;
  options.nodes = 4;
  options.cpus = 8;
  options.pool = 80;
  options.pins = true;
  for (uint64_t stream = 0; stream < 6; ++stream) {
    absl::StrAppend(&text, "script {\n");
    for (const workloads::Op& op : workloads::RandomHugetlbOps(options, 100 * seed + stream, 80)) {
      absl::StrAppend(&text, "  line: '", op.text, "'\n");
    }
    absl::StrAppend(&text, "}\n");
  }
  return absl::StrCat(text, "}\ntrace { interval: '50us' }\n");
}

class HugetlbThreadsTest : public testing::TestWithParam<const char*> {};

TEST_P(HugetlbThreadsTest, TheTraceIsTheSameForAnyThreads) {
  const std::string path = testing::TempDir() + "/busy.textproto";
  const std::string trace = testing::TempDir() + "/busy.pb";
  for (uint64_t seed = 1; seed <= 3; ++seed) {
    std::ofstream(path) << BusyScenario(GetParam(), seed);
    const auto scenario = LoadInput(path);
    ASSERT_TRUE(scenario.ok()) << scenario.status();
    std::string expected;
    for (const int threads : {1, 2, 4}) {
      auto run = TracedRun::Create(
          *scenario, {.trace_path = trace, .seed = {}, .threads = threads, .scheme = sim::Scheme::kParallel});
      ASSERT_TRUE(run.ok()) << run.status();
      const absl::Status status = (*run)->Run();
      ASSERT_TRUE(status.ok()) << status;
      std::ifstream in(trace, std::ios::binary);
      const std::string bytes{std::istreambuf_iterator<char>(in), std::istreambuf_iterator<char>()};
      if (threads == 1) expected = bytes;
      EXPECT_TRUE(bytes == expected) << "seed " << seed << ", " << threads << " threads";
    }
    EXPECT_GT(expected.size(), 10000u);
  }
}

INSTANTIATE_TEST_SUITE_P(Knobs, HugetlbThreadsTest,
                         testing::Values("irq_free: 'direct'", "irq_free: 'workqueue'", "shrink: 'locked'",
                                         "irq_free: 'workqueue' shrink: 'locked' resize: 'racing'"));

TEST(HugetlbKnobsTest, AnUnknownBehaviourIsRefusedWithWhatThereIs) {
  const std::string path = testing::TempDir() + "/wrong.textproto";
  std::ofstream(path) << "kernel { hugetlb { resize: 'race' } }\nmachine { node { memory: '64M' } }\n";
  const auto scenario = LoadInput(path);
  EXPECT_THAT(scenario.status().message(),
              AllOf(HasSubstr("hugetlb.resize"), HasSubstr("expected one of serialized, racing")));
}

}  // namespace
}  // namespace numasim
