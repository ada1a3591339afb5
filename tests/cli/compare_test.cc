#include "cli/compare/compare.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <cstdint>
#include <filesystem>
#include <fstream>
#include <nlohmann/json.hpp>
#include <sstream>
#include <string>
#include <vector>

#include "absl/strings/match.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/str_split.h"
#include "proto/trace.pb.h"
#include "proto/trace_writer.h"
#include "tests/proto/trace_test_util.h"

namespace numasim {
namespace {

using ::testing::AllOf;
using ::testing::ElementsAre;
using ::testing::HasSubstr;
using ::testing::IsEmpty;
using ::testing::Not;

struct Compared {
  std::string out;
  std::string error;  // "" if the status is OK
  CompareOutcome outcome;
};

// Folders of traces below one that goes away. A trace has the counters "node0.numa_miss", more of which is
// worse, and "node0.numa_hit"; and a lock.
class CompareTest : public testing::Test {
 protected:
  CompareTest() : folder_(testing::TempDir() + "/compare_test") {
    std::filesystem::remove_all(folder_);
    std::filesystem::create_directory(folder_);
  }
  ~CompareTest() override { std::filesystem::remove_all(folder_); }

  std::string Path(const std::string& name) const { return folder_ + "/" + name; }

  // Of one run: of the scenario's text and its seed, with these last values.
  std::string Trace(const std::string& name, uint64_t seed, int64_t misses, int64_t hits,
                    const std::string& scenario = "s") const {
    std::filesystem::create_directories(std::filesystem::path(Path(name)).parent_path());
    trace::Header header;
    header.set_scenario(scenario);
    header.set_scenario_name(scenario + ".textproto");
    header.set_seed(seed);
    for (const char* column : {"node0.numa_miss", "node0.numa_hit"}) {
      header.add_column()->set_name(column);
      header.mutable_column(header.column_size() - 1)->set_unit("pages");
    }
    header.mutable_column(0)->set_more_is_worse(true);
    auto writer = TraceWriter::Create(Path(name), header);
    EXPECT_TRUE(writer.ok()) << writer.status();
    (*writer)->AddSample(0, {0, 0});
    (*writer)->AddSample(1'000'000, {misses, hits});
    (*writer)->AddLockStats(LockNamed("zone_lock"));
    EXPECT_TRUE((*writer)->Finish().ok());
    return Path(name);
  }

  // `runs` traces whose misses are `misses` and up, and hits 500.
  std::string Folder(const std::string& name, int runs, int64_t misses) const {
    for (int i = 0; i < runs; ++i)
      Trace(absl::StrCat(name, "/", i, ".pb"), static_cast<uint64_t>(i), misses + i, 500);
    return Path(name);
  }

  static Compared Compare(const CompareOptions& options) {
    std::ostringstream out;
    const auto outcome = CompareTraces(options, out);
    return {out.str(), std::string(outcome.status().message()), outcome.ok() ? *outcome : CompareOutcome()};
  }
  static Compared Compare(const std::string& base, const std::string& changed) {
    CompareOptions options;
    options.base = base;
    options.changed = changed;
    return Compare(options);
  }

  const std::string folder_;
};

std::vector<std::string> Words(const std::string& text, const std::string& line_with) {
  for (const absl::string_view line : absl::StrSplit(text, '\n')) {
    if (absl::StrContains(line, line_with)) return absl::StrSplit(line, ' ', absl::SkipEmpty());
  }
  return {};
}

TEST_F(CompareTest, OneRunAgainstOneIsExact) {
  const std::string base = Trace("a.pb", 1, 100, 500);
  const std::string changed = Trace("b.pb", 1, 101, 400);
  const Compared compared = Compare(base, changed);
  EXPECT_EQ(compared.error, "");
  EXPECT_TRUE(compared.outcome.worse);
  EXPECT_THAT(compared.out, HasSubstr("base  " + base + ": 1 run of s.textproto\n"));
  EXPECT_THAT(compared.out, HasSubstr("compared exactly; times and means differ from 1% on"));
  EXPECT_THAT(Words(compared.out, "numa_miss"),
              ElementsAre("node0.numa_miss", "worse", "+1.0%", "100", "101"));
  EXPECT_THAT(Words(compared.out, "numa_hit"),
              ElementsAre("node0.numa_hit", "differs", "-20.0%", "500", "400"));
  EXPECT_THAT(compared.out, HasSubstr("11 metrics: 1 worse, 1 otherwise different, 9 equal\n"));
  EXPECT_THAT(compared.out, Not(HasSubstr("note:")));
  EXPECT_THAT(compared.outcome.warnings, IsEmpty());
  EXPECT_FALSE(Compare(changed, base).outcome.worse);
}

TEST_F(CompareTest, SamePathTwiceIsNoDifference) {
  const std::string path = Trace("a.pb", 1, 100, 500);
  const Compared compared = Compare(path, path);
  EXPECT_FALSE(compared.outcome.worse);
  EXPECT_THAT(compared.out, HasSubstr("no difference in 11 metrics\n"));
  EXPECT_FALSE(Compare(Folder("runs", 10, 100), Path("runs")).outcome.worse);
}

TEST_F(CompareTest, TenRunsASideAreTested) {
  const Compared compared = Compare(Folder("before", 10, 100), Folder("after", 10, 200));
  EXPECT_EQ(compared.error, "");
  EXPECT_TRUE(compared.outcome.worse);
  // Medians of 100 to 109 and of 200 to 209, intervals from the second to the ninth; p of 2 / C(20, 10).
  EXPECT_THAT(Words(compared.out, "numa_miss"),
              ElementsAre("node0.numa_miss", "worse", "+95.7%", "1.1e-05", "104.5", "3%", "204.5", "2%"));
  EXPECT_THAT(compared.out, HasSubstr("base  " + Path("before") + ": 10 runs of s.textproto\n"));
  EXPECT_THAT(compared.out, HasSubstr("Mann-Whitney, level 0.05 for all 1 metric together"));
  EXPECT_FALSE(Compare(Path("after"), Path("before")).outcome.worse);
}

TEST_F(CompareTest, TooFewRunsAreShownAsSuch) {
  const Compared compared = Compare(Folder("before", 3, 100), Folder("after", 3, 200));
  EXPECT_FALSE(compared.outcome.worse);
  EXPECT_THAT(compared.out, HasSubstr("too few runs"));
  EXPECT_THAT(compared.out, HasSubstr("need at least 4 runs a side"));
  EXPECT_THAT(
      compared.outcome.warnings,
      ElementsAre("1 of 11 metrics differ in too few runs to judge by; expected at least 4 runs a side"));
}

// Of the 41 places that one run can have among 41, the first and the last are one outcome: p is 2 / 41.
TEST_F(CompareTest, ASideWithoutIntervalsIsNamedWhereTheOtherMakesUpForIt) {
  const Compared compared = Compare(Trace("one/1.pb", 100, 1000, 500), Folder("many", 40, 100));
  EXPECT_EQ(compared.error, "");
  EXPECT_THAT(Words(compared.out, "numa_miss"),
              ElementsAre("node0.numa_miss", "better", "-88.0%", "0.049", "1000", "inf", "119.5", "5%"));
  EXPECT_THAT(
      compared.out,
      HasSubstr("note: base has 1 run, too few to tell how sure its medians are (+/- inf); expected at "
                "least 6\n"));
  EXPECT_THAT(compared.out, Not(HasSubstr("note: new")));
  EXPECT_THAT(Compare(Folder("five", 5, 100), Folder("six", 6, 200)).out,
              AllOf(HasSubstr("note: base has 5 runs, too few"), Not(HasSubstr("note: new"))));
}

TEST_F(CompareTest, FolderOfOneTraceIsOneRun) {
  Trace("one/only.pb", 1, 100, 500);
  std::ofstream(Path("one/README")) << "not a trace";
  const Compared compared = Compare(Path("one"), Trace("b.pb", 1, 99, 500));
  EXPECT_EQ(compared.error, "");
  EXPECT_THAT(Words(compared.out, "numa_miss"),
              ElementsAre("node0.numa_miss", "better", "-1.0%", "100", "99"));
}

TEST_F(CompareTest, NotesSayWhatWasCompared) {
  const std::string same =
      "is the same run as " + Path("twice/1.pb") + " (scenario, seed and version); it counts once";
  Trace("twice/1.pb", 1, 100, 500);
  Trace("twice/2.pb", 1, 100, 500);
  EXPECT_THAT(Compare(Path("twice"), Path("twice")).out, HasSubstr("note: " + Path("twice/2.pb ") + same));
  Trace("alike/1.pb", 1, 100, 500);
  Trace("alike/2.pb", 2, 100, 500);
  EXPECT_THAT(Compare(Path("alike"), Path("twice/1.pb")).out,
              HasSubstr("note: the runs of base do not differ: nothing in them is random"));
  const std::string other = Trace("other.pb", 1, 100, 500, "other");
  EXPECT_THAT(Compare(Path("twice/1.pb"), other).out,
              HasSubstr("note: base and new are of different scenarios"));
  Trace("mixed/1.pb", 1, 100, 500, "s");
  Trace("mixed/2.pb", 2, 100, 500, "t");
  EXPECT_THAT(Compare(Path("mixed"), other).out, HasSubstr("note: base holds runs of different scenarios"));
  EXPECT_THAT(Compare(Path("mixed"), other).out, HasSubstr(Path("mixed") + ": 2 runs of 2 scenarios\n"));
}

TEST_F(CompareTest, MetricsOfOneSideAreNamed) {
  const std::string base = Trace("a.pb", 1, 100, 500);
  trace::Header header = HeaderWithColumns(1);
  auto writer = TraceWriter::Create(Path("b.pb"), header);
  (*writer)->AddSample(1'000'000, {5});
  ASSERT_TRUE((*writer)->Finish().ok());
  const Compared compared = Compare(base, Path("b.pb"));
  EXPECT_THAT(
      compared.out,
      HasSubstr(
          "only in base: lock.zone_lock.hold_99_ns, lock.zone_lock.hold_max_ns, lock.zone_lock.hold_mean_ns, "
          "node0.numa_hit, node0.numa_miss\n"));
  EXPECT_THAT(compared.out, HasSubstr("only in new: c0\n"));
  EXPECT_THAT(Words(compared.out, "zone_lock.contended"),
              ElementsAre("lock.zone_lock.contended", "better", "-100.0%", "1", "0"));
}

TEST_F(CompareTest, JsonIsOneObjectWithEveryMetric) {
  CompareOptions options;
  options.base = Trace("a.pb", 1, 0, 500);
  options.changed = Trace("b.pb", 1, 5, 500);
  options.format = "json";
  const nlohmann::json json = nlohmann::json::parse(Compare(options).out);
  EXPECT_EQ(json["base"], nlohmann::json::parse("{\"path\": \"" + options.base +
                                                "\", \"runs\": 1, \"scenarios\": [\"s.textproto\"]}"));
  EXPECT_EQ(json["exact"], true);
  EXPECT_EQ(json["worse"], true);
  ASSERT_EQ(json["metrics"].size(), 11u);
  const nlohmann::json& miss = json["metrics"][9];
  EXPECT_EQ(miss["name"], "node0.numa_miss");
  EXPECT_EQ(miss["unit"], "pages");
  EXPECT_EQ(miss["more_is_worse"], true);
  EXPECT_EQ(miss["base"]["median"], 0);
  EXPECT_EQ(miss["new"]["median"], 5);
  EXPECT_TRUE(miss["change"].is_null());  // infinite
  EXPECT_EQ(miss["verdict"], "worse");
  EXPECT_EQ(json["metrics"][8].count("more_is_worse"), 0u);

  options.base = Folder("before", 10, 100);
  options.changed = Folder("after", 10, 200);
  const nlohmann::json tested = nlohmann::json::parse(Compare(options).out);
  EXPECT_EQ(tested["tests"], 1);
  EXPECT_EQ(tested["metrics"][9]["base"],
            nlohmann::json::parse(R"({"runs": 10, "median": 104.5, "interval": [101, 108]})"));
  EXPECT_NEAR(tested["metrics"][9]["p"].get<double>(), 2.0 / 184756, 1e-12);
}

TEST_F(CompareTest, MarkdownIsATable) {
  CompareOptions options;
  options.base = Trace("a.pb", 1, 100, 500);
  options.changed = Trace("b.pb", 1, 150, 500);
  options.format = "markdown";
  EXPECT_THAT(
      Compare(options).out,
      HasSubstr(
          "\n\n| metric | verdict | change | base | new | unit |\n| --- | --- | --- | --- | --- | --- |\n"
          "| node0.numa_miss | worse | +50.0% | 100 | 150 | pages |\n\n- 11 metrics: 1 worse, 10 equal\n"));
}

TEST_F(CompareTest, GlobsChooseMetrics) {
  CompareOptions options;
  options.base = Trace("a.pb", 1, 100, 500);
  options.changed = Trace("b.pb", 1, 101, 400);
  options.metrics = {"*_hit", "lock.*.contended"};
  const Compared compared = Compare(options);
  EXPECT_FALSE(compared.outcome.worse);
  EXPECT_THAT(compared.out, HasSubstr("2 metrics: 1 otherwise different, 1 equal\n"));
}

TEST_F(CompareTest, WrongOptionsNameTheOptionTheValueAndWhatIsRight) {
  CompareOptions good;
  good.base = good.changed = Trace("a.pb", 1, 100, 500);
  CompareOptions options = good;
  options.format = "xml";
  EXPECT_EQ(Compare(options).error, "--format xml: must be text, json or markdown");
  for (const std::string level : {"0", "1", "-0.1", "nan", "high", ""}) {
    options = good;
    options.level = level;
    EXPECT_EQ(Compare(options).error,
              "--level: '" + level + "' is no level; expected a number above 0 and below 1, such as 0.05");
  }
  for (const std::string effect : {"1", "-1%", "%", "inf%", "nan%", "much"}) {
    options = good;
    options.min_effect = effect;
    EXPECT_EQ(Compare(options).error,
              "--min-effect: '" + effect + "' is no share; expected 0% or more, such as 1%");
  }
  options = good;
  options.metrics = {"node0.*", "node9.*"};
  EXPECT_EQ(Compare(options).error,
            "--metrics node9.*: matches none of the 11 metrics, such as lock.zone_lock.acquired, "
            "lock.zone_lock.contended, lock.zone_lock.hold_99_ns, lock.zone_lock.hold_max_ns, "
            "lock.zone_lock.hold_mean_ns");
}

TEST_F(CompareTest, LevelOfAnExactComparisonIsAWarning) {
  CompareOptions options;
  options.base = options.changed = Trace("a.pb", 1, 100, 500);
  options.level = "0.01";
  EXPECT_THAT(Compare(options).outcome.warnings,
              ElementsAre("--level: 0.01 has no effect: no run of a side differs from another"));
}

TEST_F(CompareTest, WrongInputNamesTheFileAndWhatIsRight) {
  const std::string good = Trace("a.pb", 1, 100, 500);
  EXPECT_EQ(Compare(Path("none.pb"), good).error,
            "cannot open trace " + Path("none.pb") + ": No such file or directory");
  std::filesystem::create_directory(Path("empty"));
  EXPECT_EQ(Compare(good, Path("empty")).error,
            Path("empty") + ": holds no trace; expected one or more files *.pb");
  Trace("mixed/1.pb", 1, 100, 500);
  WriteFile(Path("mixed/2.pb"), "machine {}\n");
  EXPECT_EQ(Compare(good, Path("mixed")).error,
            Path("mixed/2.pb") + " is not a trace of numasim; expected one that numasim run wrote");
  EXPECT_EQ(Compare(good, Path("mixed/2.pb")).error,
            Path("mixed/2.pb") +
                " is not a trace of numasim; expected one that numasim run wrote, a folder of such, or the "
                "database of a sweep (.sqlite)");
  Trace("killed/1.pb", 1, 100, 500);
  WriteFile(Path("killed/2.pb.partial"), "");
  EXPECT_EQ(
      Compare(good, Path("killed")).error,
      Path("killed/2.pb.partial") +
          ": is of a run that was ended, killed, or has not ended yet; expected traces of whole runs only");
  std::string bytes = ReadFile(good);
  bytes.resize(bytes.size() - 1);
  WriteFile(Path("cut.pb"), bytes);
  EXPECT_THAT(Compare(good, Path("cut.pb")).error,
              HasSubstr("trace " + Path("cut.pb") + " is cut after 1ms"));
}

TEST_F(CompareTest, FullOutputIsAnError) {
  CompareOptions options;
  options.base = options.changed = Trace("a.pb", 1, 100, 500);
  std::ofstream full("/dev/full");
  EXPECT_THAT(std::string(CompareTraces(options, full).status().message()),
              HasSubstr("cannot write the output"));
}

TEST_F(CompareTest, NarrowOutputIsFolded) {
  CompareOptions options;
  options.base = Folder("before", 10, 100);
  options.changed = Folder("after", 10, 200);
  options.width = 60;
  const std::string out = Compare(options).out;
  for (const absl::string_view line : absl::StrSplit(out, '\n')) {
    if (!absl::StrContains(line, folder_)) {
      EXPECT_LE(line.size(), 60u) << line;
    }
  }
  for (const char* word : {"verdict", "worse", "+95.7%"}) EXPECT_THAT(out, HasSubstr(word));
}

}  // namespace
}  // namespace numasim
