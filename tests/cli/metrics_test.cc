#include "cli/metrics/metrics.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <filesystem>
#include <memory>
#include <string>
#include <vector>

#include "proto/counter_info.h"
#include "proto/trace.pb.h"
#include "proto/trace_writer.h"
#include "tests/proto/trace_test_util.h"

namespace numasim {
namespace {

using ::testing::HasSubstr;

// A counter in pages, more of which is worse; a gauge in huge pages, less of which is; a time in all. They
// are seen at 0, 10, 20 and 40 ns.
class MetricsTest : public testing::Test {
 protected:
  void SetUp() override {
    AddColumn("node0.numa_miss", "pages", false)->set_more_is_worse(true);
    AddColumn("hugetlb-2M.nr_hugepages", "huge pages", true)->set_more_is_worse(false);
    AddColumn("cma.a.cma_alloc_ns", "ns", false);
    header_.set_scenario("seed: 7\n");
    header_.set_scenario_name("s.textproto");
    header_.set_seed(7);
    auto writer = TraceWriter::Create(path_.get(), header_);
    ASSERT_TRUE(writer.ok()) << writer.status();
    writer_ = *std::move(writer);
    writer_->AddSample(0, {0, 4, 0});
    writer_->AddSample(10, {3, 8, 50});
    writer_->AddRepeat(20, 20, 2);  // to 40
    writer_->AddSample(60, {5, 2, 70});
  }

  trace::Column* AddColumn(const std::string& name, const std::string& unit, bool gauge) {
    trace::Column* column = header_.add_column();
    column->set_name(name);
    column->set_unit(unit);
    column->set_gauge(gauge);
    return column;
  }

  RunMetrics Read(const std::vector<MetricPeriod>& periods = {}) {
    EXPECT_TRUE(writer_->Finish().ok());
    const auto run = ReadMetrics(path_.get(), periods);
    EXPECT_TRUE(run.ok()) << run.status();
    return *run;
  }

  const TempPath path_{"metrics.pb"};
  trace::Header header_;
  std::unique_ptr<TraceWriter> writer_;
};

TEST_F(MetricsTest, CountersHaveTheirLastValueAndGaugesAlsoLeastPeakAndMean) {
  const RunMetrics run = Read();
  EXPECT_EQ(run.metrics.at("node0.numa_miss").value, 5);
  EXPECT_EQ(run.metrics.count("node0.numa_miss.peak"), 0u);
  EXPECT_EQ(run.metrics.at("hugetlb-2M.nr_hugepages").value, 2);
  EXPECT_EQ(run.metrics.at("hugetlb-2M.nr_hugepages.peak").value, 8);
  EXPECT_EQ(run.metrics.at("hugetlb-2M.nr_hugepages.least").value, 2);
  // 4 for 10 ns and 8 for 50 ns.
  EXPECT_DOUBLE_EQ(run.metrics.at("hugetlb-2M.nr_hugepages.mean").value, (4 * 10 + 8 * 50) / 60.0);
  EXPECT_EQ(run.metrics.at("simulated_ns").value, 60);
  EXPECT_EQ(run.metrics.at("simulated_ns").info.kind, MetricInfo::Kind::kTime);
  EXPECT_EQ(run.scenario_name, "s.textproto");
  EXPECT_EQ(run.seed, 7u);
}

TEST_F(MetricsTest, PeriodsHaveMetricsOfTheirOwn) {
  const auto metrics = Read({{"late", 15, 50}}).metrics;
  // From 3, which the sample at 10 shows, to 3: the next one is at 60.
  EXPECT_EQ(metrics.at("late.node0.numa_miss").value, 0);
  EXPECT_EQ(metrics.at("late.node0.numa_miss.changed_ns").value, 0);
  EXPECT_EQ(metrics.at("late.hugetlb-2M.nr_hugepages").value, 8);
  EXPECT_EQ(metrics.at("late.hugetlb-2M.nr_hugepages.least").value, 8);
  EXPECT_DOUBLE_EQ(metrics.at("late.hugetlb-2M.nr_hugepages.mean").value, 8);
  EXPECT_EQ(metrics.at("late.node0.numa_miss").info.unit, "pages");
  EXPECT_EQ(metrics.at("late.node0.numa_miss").info.direction, Direction::kMoreIsWorse);
  EXPECT_EQ(metrics.at("late.node0.numa_miss.changed_ns").info.kind, MetricInfo::Kind::kTime);
  EXPECT_EQ(metrics.at("node0.numa_miss").value, 5) << "of the whole run";
}

TEST_F(MetricsTest, PeriodCountsWhatIsAddedFromItsBeginningToItsEnd) {
  const auto metrics = Read({{"all", 0}, {"start", 0, 10}, {"end", 12, 60}}).metrics;
  EXPECT_EQ(metrics.at("all.node0.numa_miss").value, 5);
  EXPECT_EQ(metrics.at("all.node0.numa_miss.changed_ns").value, 60);
  EXPECT_EQ(metrics.at("start.node0.numa_miss").value, 3);
  EXPECT_EQ(metrics.at("start.cma.a.cma_alloc_ns").value, 50);
  EXPECT_EQ(metrics.at("end.node0.numa_miss").value, 2);
  EXPECT_EQ(metrics.at("end.node0.numa_miss.changed_ns").value, 60 - 12);
  EXPECT_EQ(metrics.at("end.hugetlb-2M.nr_hugepages.peak").value, 8);
  EXPECT_EQ(metrics.at("end.hugetlb-2M.nr_hugepages.least").value, 2);
  // 4 for 10 ns; of the mean over all, the rest is as without a period.
  EXPECT_DOUBLE_EQ(metrics.at("start.hugetlb-2M.nr_hugepages.mean").value, 4);
  EXPECT_DOUBLE_EQ(metrics.at("all.hugetlb-2M.nr_hugepages.mean").value,
                   metrics.at("hugetlb-2M.nr_hugepages.mean").value);
}

TEST_F(MetricsTest, MomentHasGaugesAndPeriodAfterTheRunHasNothing) {
  const auto metrics = Read({{"moment", 15, 15}, {"after", 61}}).metrics;
  EXPECT_EQ(metrics.at("moment.hugetlb-2M.nr_hugepages").value, 8);
  EXPECT_EQ(metrics.at("moment.hugetlb-2M.nr_hugepages.mean").value, 8);
  EXPECT_EQ(metrics.at("moment.node0.numa_miss").value, 0);
  EXPECT_EQ(metrics.count("after.node0.numa_miss"), 0u);
}

TEST_F(MetricsTest, PeriodCountsItsEvents) {
  for (const int64_t time_ns : {70, 80, 90}) {
    trace::Event event;
    event.set_time_ns(time_ns);
    event.set_kind("alloc_failed");
    event.mutable_failure();
    writer_->AddEvent(event);
  }
  writer_->AddSample(100, {5, 2, 70});
  const auto metrics = Read({{"part", 75, 90}}).metrics;
  EXPECT_EQ(metrics.at("part.events.alloc_failed").value, 2);
  EXPECT_EQ(metrics.at("part.events.alloc_failed").info.direction, Direction::kMoreIsWorse);
  EXPECT_TRUE(metrics.at("part.events.alloc_failed").info.absent_is_zero);
  EXPECT_EQ(metrics.at("events.alloc_failed").value, 3);
}

TEST_F(MetricsTest, UnitAndDirectionAreTheColumns) {
  const RunMetrics run = Read();
  const MetricInfo& miss = run.metrics.at("node0.numa_miss").info;
  EXPECT_EQ(miss.direction, Direction::kMoreIsWorse);
  EXPECT_EQ(miss.unit, "pages");
  EXPECT_EQ(miss.kind, MetricInfo::Kind::kCount);
  EXPECT_FALSE(miss.absent_is_zero);
  for (const char* name : {"hugetlb-2M.nr_hugepages", "hugetlb-2M.nr_hugepages.mean"})
    EXPECT_EQ(run.metrics.at(name).info.direction, Direction::kLessIsWorse);
  EXPECT_EQ(run.metrics.at("cma.a.cma_alloc_ns").info.direction, Direction::kNeither);
  EXPECT_EQ(run.metrics.at("cma.a.cma_alloc_ns").info.kind, MetricInfo::Kind::kTime);
  EXPECT_EQ(run.metrics.at("hugetlb-2M.nr_hugepages.mean").info.kind, MetricInfo::Kind::kMean);
  EXPECT_EQ(run.metrics.at("hugetlb-2M.nr_hugepages.peak").info.kind, MetricInfo::Kind::kCount);
}

TEST_F(MetricsTest, EventsAreCountedByKindAndFailuresAreWorse) {
  writer_->AddEvent(EventAt(61, "noted"));
  for (int i = 0; i < 3; ++i) {
    trace::Event event = EventAt(62, "cma_failed");
    event.clear_detail();
    event.mutable_failure()->set_error("EBUSY");
    writer_->AddEvent(event);
  }
  const RunMetrics run = Read();
  EXPECT_EQ(run.metrics.at("events.noted").value, 1);
  EXPECT_EQ(run.metrics.at("events.noted").info.direction, Direction::kNeither);
  EXPECT_EQ(run.metrics.at("events.cma_failed").value, 3);
  EXPECT_EQ(run.metrics.at("events.cma_failed").info.direction, Direction::kMoreIsWorse);
  EXPECT_TRUE(run.metrics.at("events.cma_failed").info.absent_is_zero);
  EXPECT_EQ(run.metrics.at("simulated_ns").value, 62);
}

TEST_F(MetricsTest, OperationsHaveWhatWasTriedWhatFailedAndHowLongItTook) {
  trace::OperationStats map;
  map.set_script("guests");
  map.set_operation("map");
  map.set_tried(8);
  for (const char* reason : {"ENOMEM", "EINVAL"}) {
    map.add_failed()->set_reason(reason);
    map.mutable_failed(map.failed_size() - 1)->set_count(1);
  }
  map.mutable_latency_ns()->set_sum(800);
  map.mutable_latency_ns()->set_max(130);
  trace::Histogram::Bucket& bucket = *map.mutable_latency_ns()->add_bucket();
  bucket.set_low(64);
  bucket.set_high(127);
  bucket.set_count(8);
  writer_->AddOperationStats(map);
  trace::OperationStats fault;
  fault.set_operation("fault_base");
  fault.set_tried(5);
  writer_->AddOperationStats(fault);
  const RunMetrics run = Read();
  EXPECT_EQ(run.metrics.at("operation.guests.map.tried").value, 8);
  EXPECT_EQ(run.metrics.at("operation.guests.map.failed").value, 2);
  EXPECT_EQ(run.metrics.at("operation.guests.map.failed.ENOMEM").value, 1);
  EXPECT_DOUBLE_EQ(run.metrics.at("operation.guests.map.failed_share").value, 2 / 8.0);
  EXPECT_EQ(run.metrics.at("operation.guests.map.mean_ns").value, 100);
  EXPECT_EQ(run.metrics.at("operation.guests.map.99_ns").value, 127);
  EXPECT_EQ(run.metrics.at("operation.guests.map.max_ns").value, 130);
  EXPECT_EQ(run.metrics.at("operation.guests.map.failed").info.direction, Direction::kMoreIsWorse);
  EXPECT_EQ(run.metrics.at("operation.fault_base.tried").value, 5);
  EXPECT_EQ(run.metrics.at("operation.fault_base.failed_share").value, 0);
  EXPECT_FALSE(run.metrics.contains("operation.fault_base.mean_ns"));
}

TEST_F(MetricsTest, LocksOfOneNameAreToldApartByTheirPlace) {
  trace::LockStats there = LockNamed("mmap_lock");
  there.set_lp("node1");
  there.clear_wait_ns();
  there.set_contended(0);
  trace::LockStats here = LockNamed("mmap_lock");
  here.set_lp("node0");
  writer_->AddLockStats(here);
  writer_->AddLockStats(there);
  const RunMetrics run = Read();
  EXPECT_EQ(run.metrics.at("lock.node0.mmap_lock.acquired").value, 7);
  EXPECT_EQ(run.metrics.at("lock.node0.mmap_lock.contended").value, 1);
  EXPECT_EQ(run.metrics.at("lock.node0.mmap_lock.wait_mean_ns").value, 40);
  EXPECT_EQ(run.metrics.at("lock.node0.mmap_lock.wait_max_ns").value, 40);
  EXPECT_DOUBLE_EQ(run.metrics.at("lock.node0.mmap_lock.hold_mean_ns").value, 301 / 7.0);
  EXPECT_EQ(run.metrics.at("lock.node0.mmap_lock.hold_99_ns").value, 100);
  EXPECT_EQ(run.metrics.at("lock.node0.mmap_lock.hold_max_ns").value, 100);
  EXPECT_EQ(run.metrics.at("lock.node1.mmap_lock.wait_mean_ns").value, 0);
  EXPECT_EQ(run.metrics.at("lock.node1.mmap_lock.wait_99_ns").value, 0);
  EXPECT_EQ(run.metrics.at("lock.node1.mmap_lock.wait_max_ns").value, 0);
  EXPECT_TRUE(run.metrics.at("lock.node1.mmap_lock.wait_max_ns").info.absent_is_zero);
}

TEST_F(MetricsTest, PlaceIsNotNamedTwice) {
  trace::LockStats lock = LockNamed("node1.Normal.lock");
  lock.set_lp("node1");
  writer_->AddLockStats(lock);
  EXPECT_EQ(Read().metrics.count("lock.node1.Normal.lock.acquired"), 1u);
}

// Only tried, never taken.
TEST_F(MetricsTest, LockThatNobodyTakesIsNotHeldForAShortTime) {
  trace::LockStats lock;
  lock.set_name("mmap_lock");
  writer_->AddLockStats(lock);
  const RunMetrics run = Read();
  EXPECT_EQ(run.metrics.at("lock.mmap_lock.acquired").value, 0);
  EXPECT_EQ(run.metrics.count("lock.mmap_lock.hold_max_ns"), 0u);
}

TEST_F(MetricsTest, LocksWithoutAPlaceAreToldApartByTheirOrder) {
  writer_->AddLockStats(LockNamed("mmap_lock"));
  trace::LockStats second = LockNamed("mmap_lock");
  second.set_acquired(9);
  writer_->AddLockStats(second);
  const RunMetrics run = Read();
  EXPECT_EQ(run.metrics.at("lock.mmap_lock.acquired").value, 7);
  EXPECT_EQ(run.metrics.at("lock.mmap_lock.acquired#2").value, 9);
}

TEST_F(MetricsTest, CutTraceIsRefused) {
  ASSERT_TRUE(writer_->Finish().ok());
  std::string bytes = ReadFile(path_.get());
  bytes.resize(bytes.size() - 1);
  WriteFile(path_.get(), bytes);
  const auto run = ReadMetrics(path_.get());
  EXPECT_THAT(std::string(run.status().message()), HasSubstr("trace " + path_.get() + " is cut after 60ns"));
  EXPECT_THAT(std::string(run.status().message()),
              HasSubstr("expected the trace of a run that went to its end"));
}

TEST_F(MetricsTest, TraceOfAnEndedRunIsRefused) {
  ASSERT_TRUE(writer_->Finish("SIGINT").ok());
  const auto run = ReadMetrics(path_.partial());
  EXPECT_EQ(std::string(run.status().message()),
            "trace " + path_.partial() +
                " is of a run that SIGINT ended; expected the trace of a run that went to its end");
}

TEST(CounterDirectionTest, IsDeclaredWithTheCounter) {
  EXPECT_EQ(NameOf(THP_FAULT_FALLBACK).more_is_worse, true);
  EXPECT_EQ(NameOf(CMA_ALLOC_FAIL).more_is_worse, true);
  EXPECT_EQ(NameOf(NR_HUGEPAGES).more_is_worse, false);
  EXPECT_EQ(NameOf(NR_FREE_PAGES).more_is_worse, std::nullopt);
}

// Reports whatever `to` takes: samples with and without repeats, events, and locks.
void Report(TraceOutput& to) {
  to.AddSample(0, {0, 4, 0});
  // Products of large values and times, whose sum depends on the order in which it is made.
  int64_t now = 1;
  for (int64_t i = 1; i <= 200; ++i) {
    to.AddSample(now, {i, 1'000'003 * (i % 7), 1'000'000'007 * (i / 50)});
    to.AddRepeat(now + 1'000'000'009, 1'000'000'009, 1 + i % 3);
    now += int64_t{5} * 1'000'000'009;
  }
  to.AddEvent(EventAt(40, "alloc_failed"));
  to.AddEvent(EventAt(now, "note"));
  to.AddLockStats(LockNamed("zone_lock"));
}

TEST_F(MetricsTest, RecorderMakesTheSameNumbersWithoutATrace) {
  auto writer = TraceWriter::Create(path_.get() + ".other", header_);
  ASSERT_TRUE(writer.ok()) << writer.status();
  MetricsRecorder recorder(header_);
  Report(**writer);
  Report(recorder);
  ASSERT_TRUE((*writer)->Finish().ok());
  const auto read = ReadMetrics(path_.get() + ".other");
  ASSERT_TRUE(read.ok()) << read.status();
  const RunMetrics recorded = recorder.Finish();
  ASSERT_EQ(recorded.metrics.size(), read->metrics.size());
  for (const auto& [name, metric] : recorded.metrics) {
    SCOPED_TRACE(name);
    ASSERT_TRUE(read->metrics.contains(name));
    const Metric& of_trace = read->metrics.at(name);
    EXPECT_EQ(metric.value, of_trace.value);
    EXPECT_EQ(metric.info.unit, of_trace.info.unit);
    EXPECT_EQ(metric.info.kind, of_trace.info.kind);
    EXPECT_EQ(metric.info.direction, of_trace.info.direction);
    EXPECT_EQ(metric.info.absent_is_zero, of_trace.info.absent_is_zero);
  }
  EXPECT_EQ(recorded.scenario_name, read->scenario_name);
  EXPECT_EQ(recorded.program_version, read->program_version);
  EXPECT_EQ(recorded.seed, read->seed);
  EXPECT_EQ(recorded.scenario_hash, read->scenario_hash);
  EXPECT_EQ(recorded.metrics.at("events.note").value, 1);
  std::filesystem::remove(path_.get() + ".other");
}

}  // namespace
}  // namespace numasim
