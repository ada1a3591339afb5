#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <cstddef>
#include <cstdio>
#include <fstream>
#include <iterator>
#include <string>
#include <vector>

#include "cli/metrics/metrics.h"
#include "cli/slurm/reports.h"
#include "cli/slurm/work.pb.h"
#include "cli/sweep/study.h"

namespace numasim::slurm {
namespace {

using ::testing::ElementsAre;
using ::testing::IsEmpty;
using ::testing::SizeIs;

class ReportsTest : public testing::Test {
 protected:
  void SetUp() override { std::remove(path_.c_str()); }

  // Three reports: a run begins, has its metrics, and the task is at its end.
  void WriteThree() const {
    const auto writer = ReportWriter::Create(path_);
    ASSERT_TRUE(writer.ok()) << writer.status();
    SweepResult result;
    result.unmet = {"one", "another"};
    RunMetrics& metrics = result.metrics;
    metrics.scenario_name = "s.textproto";
    metrics.scenario_hash = 0xfedcba9876543210;
    metrics.metrics["wait_ns"] = {.info = {.unit = "ns",
                                           .kind = MetricInfo::Kind::kMean,
                                           .direction = Direction::kMoreIsWorse,
                                           .absent_is_zero = true},
                                  .value = 0.1};
    ASSERT_TRUE((*writer)->Begin(kRun).ok());
    ASSERT_TRUE((*writer)->Add(kRun, result).ok());
    EXPECT_TRUE((*writer)->finished().contains(kRun.number));
    ASSERT_TRUE((*writer)->AddEnded({"a warning"}, "printed").ok());
  }
  std::string Bytes() const {
    std::ifstream in(path_, std::ios::binary);
    return {std::istreambuf_iterator<char>(in), std::istreambuf_iterator<char>()};
  }
  void Write(const std::string& bytes) const { std::ofstream(path_, std::ios::binary) << bytes; }
  static std::vector<Report> New(ReportReader& reader) {
    std::vector<Report> reports;
    const absl::Status status = reader.TakeNew([&](const Report& report) {
      reports.push_back(report);
      return absl::OkStatus();
    });
    EXPECT_TRUE(status.ok()) << status;
    return reports;
  }

  static constexpr SweepRun kRun = {.number = 7, .point = 3, .seed = 2};
  const std::string path_ = testing::TempDir() + "/0.report";
};

TEST_F(ReportsTest, ReportsComeBackAsTheyWereWritten) {
  WriteThree();
  ReportReader reader(path_);
  const std::vector<Report> reports = New(reader);
  ASSERT_THAT(reports, SizeIs(3));
  EXPECT_EQ(reports[0].begun(), 7);
  EXPECT_EQ(reports[1].result().run(), 7);
  const SweepResult result = ResultOf(reports[1].result());
  EXPECT_THAT(result.unmet, ElementsAre("one", "another"));
  const RunMetrics& metrics = result.metrics;
  EXPECT_EQ(metrics.scenario_name, "s.textproto");
  EXPECT_EQ(metrics.scenario_hash, 0xfedcba9876543210);
  ASSERT_THAT(metrics.metrics, SizeIs(1));
  const numasim::Metric& metric = metrics.metrics.at("wait_ns");
  EXPECT_EQ(metric.value, 0.1);
  EXPECT_EQ(metric.info.unit, "ns");
  EXPECT_EQ(metric.info.kind, MetricInfo::Kind::kMean);
  EXPECT_EQ(metric.info.direction, Direction::kMoreIsWorse);
  EXPECT_TRUE(metric.info.absent_is_zero);
  EXPECT_EQ(reports[2].ended().warning(0), "a warning");
  EXPECT_THAT(New(reader), IsEmpty());
}

// As where the database is full for a moment.
TEST_F(ReportsTest, WhatCannotBeTakenIsHandedAgain) {
  WriteThree();
  ReportReader reader(path_);
  int seen = 0;
  const absl::Status status = reader.TakeNew(
      [&](const Report&) { return ++seen < 2 ? absl::OkStatus() : absl::UnavailableError("full"); });
  EXPECT_EQ(status.message(), "full");
  const std::vector<Report> rest = New(reader);
  ASSERT_THAT(rest, SizeIs(2));
  EXPECT_EQ(rest[0].result().run(), 7);
}

// Wherever a writer is, or was when it was killed: what is whole is read once, and the rest when it has come.
TEST_F(ReportsTest, WhatIsCutIsReadWhenItIsWhole) {
  WriteThree();
  const std::string bytes = Bytes();
  for (size_t cut = 0; cut < bytes.size(); ++cut) {
    ReportReader reader(path_);
    Write(bytes.substr(0, cut));
    const size_t before = New(reader).size();
    EXPECT_LT(before, 3u) << cut;
    // A file system may show a file's length before its content.
    Write(bytes.substr(0, cut) + std::string(bytes.size() - cut, '\0'));
    EXPECT_THAT(New(reader), IsEmpty()) << cut;
    Write(bytes);
    EXPECT_EQ(before + New(reader).size(), 3u) << cut;
  }
}

TEST_F(ReportsTest, FileThatIsNotThereHasNoReportsYet) {
  ReportReader reader(path_);
  EXPECT_THAT(New(reader), IsEmpty());
  WriteThree();
  EXPECT_THAT(New(reader), SizeIs(3));
}

TEST_F(ReportsTest, TaskIsBegunOnce) {
  WriteThree();
  const auto second = ReportWriter::Create(path_);
  EXPECT_EQ(second.status().message(), path_ + ": File exists");
  ReportReader reader(path_);
  EXPECT_THAT(New(reader), SizeIs(3));
}

}  // namespace
}  // namespace numasim::slurm
