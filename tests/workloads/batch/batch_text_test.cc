// Mistakes in a scenario's batch systems, and what of them is warned of.
#include "workloads/batch/batch_text.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <string>

#include "absl/strings/str_cat.h"
#include "workloads/scenario.h"

namespace numasim::workloads {
namespace {

using testing::ElementsAre;
using testing::HasSubstr;
using testing::IsEmpty;

constexpr char kLine[] = "1 0 5 60 4 -1 2048 4 3600 -1 1 3 1 9 1 1 -1 -1\n";
constexpr char kWithoutMemory[] = "1 0 -1 60 4 -1 -1 4 3600 -1 1 3 1 9 1 1 -1 -1\n";

absl::StatusOr<LoadedScenario> Load(const std::string& batch, const std::string& log) {
  const ScenarioReaders readers = {[&](const std::string& name) -> absl::StatusOr<std::string> {
                                     if (name.starts_with("none"))
                                       return absl::NotFoundError("No such file or directory");
                                     return log;
                                   },
                                   nullptr};
  return ParseScenario(
      "s.textproto",
      absl::StrCat("machine { node { memory: '1G' } node { memory: '1G' } } workload { batch { ", batch,
                   " } }"),
      readers);
}

std::string Refused(const std::string& batch, const std::string& log = kLine) {
  const auto loaded = Load(batch, log);
  EXPECT_FALSE(loaded.ok()) << batch;
  return std::string(loaded.status().message());
}

std::vector<std::string> WarningsOf(const std::string& batch, const std::string& log = kLine) {
  const auto loaded = Load(batch, log);
  EXPECT_TRUE(loaded.ok()) << loaded.status();
  return loaded.ok() ? loaded->warnings : std::vector<std::string>();
}

TEST(BatchTextTest, WhatIsMissingIsNamed) {
  EXPECT_THAT(Refused("log: 'a.swf'"), HasSubstr("workload.batch[0].name: is missing; expected a name for"));
  EXPECT_THAT(Refused("name: 'a b' log: 'a.swf'"), HasSubstr("'a b' is no name of a batch system"));
  EXPECT_THAT(Refused("name: 'a'"), HasSubstr("log: is missing; expected such as log: \"jobs.swf\""));
  EXPECT_THAT(Refused("name: 'a' log: 'none.swf'"),
              HasSubstr("log: 'none.swf' cannot be read (No such file"));
}

TEST(BatchTextTest, FileThatIsNotNamedAsALogIsNotRead) {
  EXPECT_THAT(
      Refused("name: 'a' log: 'shadow'"),
      HasSubstr("'shadow' is not named as a log; expected a name that ends in one of .swf, .sacct, "));
}

TEST(BatchTextTest, MistakesInTheLogNameItsLine) {
  EXPECT_THAT(Refused("name: 'a' log: 'a.swf' format: 'swf'", "hello\n"),
              HasSubstr("a.swf:1: 'hello' is no line of a log in Standard Workload Format"));
  EXPECT_THAT(Refused("name: 'a' log: 'a.swf'", "hello\n"),
              HasSubstr("log: 'a.swf' is none of the logs that are known by their first line"));
}

TEST(BatchTextTest, ColumnsBelongToCsv) {
  EXPECT_THAT(Refused("name: 'a' log: 'a.csv' format: 'csv'"),
              HasSubstr("columns: is missing, and a csv log"));
  EXPECT_THAT(Refused("name: 'a' log: 'a.swf' format: 'swf' columns: 'submit=#1,run=#2'"),
              HasSubstr("is given for a log of the format swf"));
  EXPECT_THAT(Refused("name: 'a' log: 'a.csv' columns: 'submit=#1'"),
              HasSubstr("columns: 'submit=#1' maps neither run nor end"));
}

TEST(BatchTextTest, WhatCannotHaveAnEffectIsAMistakeOrAWarning) {
  EXPECT_THAT(Refused("name: 'a' log: 'a.swf' policy: 'fcfs' backfill_depth: 5"),
              HasSubstr("backfill_depth: '5' is given with policy: 'fcfs'"));
  EXPECT_THAT(Refused("name: 'a' log: 'a.swf' policy: 'log_start_times'", kWithoutMemory),
              HasSubstr("policy: 'log_start_times' needs start times, and the log has none"));
  EXPECT_THAT(Refused("name: 'a' log: 'a.swf' count: 2"),
              HasSubstr("count: '2' is more than the log has jobs; expected at most 1"));
  EXPECT_THAT(Refused("name: 'a' log: 'a.swf' bookable: '0%'"), HasSubstr("is no memory at all"));
  EXPECT_THAT(Refused("name: 'a' log: 'a.swf' bookable: 'all'"), HasSubstr("bookable: 'all' is not a share"));
  EXPECT_THAT(WarningsOf("name: 'a' log: 'a.swf' memory_per_cpu { constant: '1G' }"),
              ElementsAre(HasSubstr("memory_per_cpu: has no effect: the log says of every job")));
  EXPECT_THAT(WarningsOf("name: 'a' log: 'a.swf'", kWithoutMemory),
              ElementsAre(HasSubstr("of 1 of 1 jobs the log does not say how much memory they have")));
  EXPECT_THAT(WarningsOf("name: 'a' log: 'a.swf'"), IsEmpty());
}

TEST(BatchTextTest, SkippedLinesAreWarnedOf) {
  EXPECT_THAT(WarningsOf("name: 'a' log: 'a.swf'", absl::StrCat(kLine, "2 0 5\n")),
              ElementsAre("a.swf: skipped 1 that has fewer than 18 fields (line 2)"));
}

TEST(BatchTextTest, OnlyWhatIsDrawnMakesARunRandom) {
  EXPECT_FALSE(Load("name: 'a' log: 'a.swf'", kLine)->random());
  EXPECT_FALSE(
      Load("name: 'a' log: 'a.swf' memory_per_cpu { uniform { min: '1M' max: '1G' } }", kLine)->random());
  EXPECT_TRUE(
      Load("name: 'a' log: 'a.swf' memory_per_cpu { uniform { min: '1M' max: '1G' } }", kWithoutMemory)
          ->random());
  EXPECT_TRUE(
      Load("name: 'a' log: 'a.swf' growth { first { uniform { min: '1%' max: '9%' } } }", kLine)->random());
}

// What is drawn depends on the user's program alone, or on the job where the log does not know these.
TEST(BatchTextTest, JobsOfOneUsersProgramAreAlike) {
  const std::string log =
      "1 0 -1 60 4 -1 -1 4 -1 -1 1 3 1 9 1 1 -1 -1\n"
      "2 1 -1 90 4 -1 -1 4 -1 -1 1 3 1 9 1 1 -1 -1\n"
      "3 2 -1 60 4 -1 -1 4 -1 -1 1 4 1 9 1 1 -1 -1\n"
      "4 3 -1 60 4 -1 -1 4 -1 -1 1 3 1 8 1 1 -1 -1\n"
      "5 4 -1 60 4 -1 -1 4 -1 -1 1 -1 1 -1 1 1 -1 -1\n"
      "6 5 -1 60 4 -1 -1 4 -1 -1 1 -1 1 -1 1 1 -1 -1\n";
  const auto loaded =
      Load("name: 'a' log: 'a.swf' memory_per_cpu { uniform { min: '1M' max: '1000G' } }", log);
  ASSERT_TRUE(loaded.ok()) << loaded.status();
  const auto bytes = [&](size_t job) { return DemandOf(loaded->batches.front(), 1, job).bytes; };
  EXPECT_EQ(bytes(0), bytes(1));
  EXPECT_NE(bytes(0), bytes(2));
  EXPECT_NE(bytes(0), bytes(3));
  EXPECT_NE(bytes(4), bytes(5));
  EXPECT_NE(bytes(0), DemandOf(loaded->batches.front(), 2, 0).bytes);
}

}  // namespace
}  // namespace numasim::workloads
