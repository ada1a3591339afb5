#include "cli/sweep/study.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <algorithm>
#include <cmath>
#include <cstdlib>
#include <filesystem>
#include <fstream>
#include <limits>
#include <set>
#include <string>
#include <vector>

#include "absl/strings/numbers.h"
#include "absl/strings/str_cat.h"

namespace numasim {
namespace {

using ::testing::ElementsAre;
using ::testing::HasSubstr;
using ::testing::SizeIs;

// Studies in a folder of their own, of a scenario "s.textproto" whose text is never looked into but for its
// seed.
class StudyTest : public testing::Test {
 protected:
  void SetUp() override {
    std::string folder = testing::TempDir() + "/study_test.XXXXXX";
    ASSERT_NE(mkdtemp(folder.data()), nullptr);
    folder_ = folder;
    std::ofstream(folder_ + "/s.textproto") << "seed: 77\n";
  }
  ~StudyTest() override { std::filesystem::remove_all(folder_); }

  absl::StatusOr<LoadedStudy> Load(const std::string& text) const {
    std::ofstream(folder_ + "/study.textproto") << "scenario: 's.textproto'\n" << text;
    return LoadStudy(folder_ + "/study.textproto", /*allow_outside_files=*/false);
  }
  LoadedStudy Good(const std::string& text) const {
    const auto study = Load(text);
    EXPECT_TRUE(study.ok()) << study.status();
    return study.ok() ? *study : LoadedStudy();
  }
  std::vector<std::string> Values(const std::string& text) const {
    const LoadedStudy study = Good(absl::StrCat("parameter { name: 'p' set: 'a.b' ", text, " }"));
    return study.parameters.empty() ? std::vector<std::string>() : study.parameters[0].values;
  }
  // Without the study's folder.
  std::string Mistake(const std::string& text) const {
    const auto study = Load(text);
    EXPECT_FALSE(study.ok()) << text;
    const std::string message(study.status().message());
    return message.substr(std::min(message.size(), folder_.size() + 1));
  }
  std::string MistakeIn(const std::string& text) const {
    return Mistake(absl::StrCat("parameter { name: 'p' set: 'a.b' ", text, " }"));
  }

  std::string folder_;
};

TEST_F(StudyTest, ListedValuesAreTakenAsTheyAre) {
  EXPECT_THAT(Values("value: ['64G', 'never', '']"), ElementsAre("64G", "never", ""));
}

TEST_F(StudyTest, RangeByStepGoesUpToItsEnd) {
  EXPECT_THAT(Values("range { from: 2 to: 10 step: 4 }"), ElementsAre("2", "6", "10"));
  EXPECT_THAT(Values("range { from: 2 to: 9 step: 4 }"), ElementsAre("2", "6"));
  EXPECT_THAT(Values("range { from: -1 to: 1 step: 1 }"), ElementsAre("-1", "0", "1"));
  EXPECT_THAT(Values("range { from: 0 to: 0.3 step: 0.1 whole: false }"),
              ElementsAre("0", "0.1", "0.2", "0.3"));
}

TEST_F(StudyTest, RangeByCountHasBothEnds) {
  EXPECT_THAT(Values("range { from: 0 to: 100 count: 5 }"), ElementsAre("0", "25", "50", "75", "100"));
  EXPECT_THAT(Values("range { from: 0 to: 1 count: 3 whole: false }"), ElementsAre("0", "0.5", "1"));
  EXPECT_THAT(Values("range { from: 0 to: 10 count: 4 }"), ElementsAre("0", "3", "7", "10"));  // 3.3, 6.7
}

TEST_F(StudyTest, LogarithmicRangeMultipliesByTheSame) {
  EXPECT_THAT(Values("range { from: 1 to: 1000 count: 4 scale: 'logarithmic' }"),
              ElementsAre("1", "10", "100", "1000"));
  EXPECT_THAT(Values("range { from: 0.001 to: 1000 count: 7 scale: 'logarithmic' whole: false }"),
              ElementsAre("0.001", "0.01", "0.1", "1", "10", "100", "1000"));
}

TEST_F(StudyTest, RandomValuesAreInRangeAndNoneTwice) {
  const auto values = Values("random { from: 10 to: 29 count: 20 }");
  EXPECT_THAT(std::set<std::string>(values.begin(), values.end()), SizeIs(20));
  for (const std::string& value : values) {
    int number = 0;
    ASSERT_TRUE(absl::SimpleAtoi(value, &number)) << value;
    EXPECT_GE(number, 10);
    EXPECT_LE(number, 29);
  }
  EXPECT_FALSE(std::is_sorted(values.begin(), values.end()));
}

TEST_F(StudyTest, RandomValuesDependOnSeedAndNameAlone) {
  const std::string random = "set: 'a.b' random { from: 0 to: 1000000 count: 4 } }";
  const auto first = Good("parameter { name: 'p' " + random).parameters[0].values;
  EXPECT_EQ(Good("parameter { name: 'o' " + random + "parameter { name: 'p' " + random).parameters[1].values,
            first);
  EXPECT_NE(Good("seed: 2 parameter { name: 'p' " + random).parameters[0].values, first);
  EXPECT_NE(Good("parameter { name: 'q' " + random).parameters[0].values, first);
}

// Of logarithms that are uniform from 1 to 10^6, a third lies below 100.
TEST_F(StudyTest, LogarithmicRandomValuesHaveUniformLogarithms) {
  const auto values = Values("random { from: 1 to: 1000000 count: 3000 scale: 'logarithmic' whole: false }");
  const auto below =
      std::count_if(values.begin(), values.end(), [](const std::string& v) { return std::stod(v) < 100; });
  // Four standard deviations of a binomial distribution.
  EXPECT_NEAR(below / 3000.0, 1 / 3.0, 4 * std::sqrt(2 / 9.0 / 3000));
}

constexpr char kTwo[] =
    "parameter { name: 'p' set: 'a.b' value: ['1', '2'] } parameter { name: 'q' set: 'c.d' value: ['x', 'y'] "
    "}";

TEST_F(StudyTest, GridIsEachWithEachTheLastFirst) {
  const LoadedStudy study = Good(kTwo);
  ASSERT_THAT(study.points, SizeIs(4));
  EXPECT_EQ(study.PointText(0), "p=1, q=x");
  EXPECT_EQ(study.PointText(1), "p=1, q=y");
  EXPECT_EQ(study.PointText(2), "p=2, q=x");
  EXPECT_EQ(study.PointText(3), "p=2, q=y");
}

TEST_F(StudyTest, ZipIsTheFirstOfEachAndSoOn) {
  const LoadedStudy study = Good(absl::StrCat("design: 'zip' ", kTwo));
  ASSERT_THAT(study.points, SizeIs(2));
  EXPECT_EQ(study.PointText(0), "p=1, q=x");
  EXPECT_EQ(study.PointText(1), "p=2, q=y");
  EXPECT_THAT(
      Mistake(absl::StrCat("design: 'zip' ", kTwo, " parameter { name: 'r' set: 'e' value: '1' }")),
      HasSubstr("study.textproto:2:1: design: 'zip' puts together parameters of as many values, but p has 2 "
                "and r has 1"));
}

TEST_F(StudyTest, WithoutParametersThereIsOnePoint) {
  const LoadedStudy study = Good("seeds { count: 3 }");
  EXPECT_THAT(study.points, SizeIs(1));
  EXPECT_THAT(study.seeds, ElementsAre(1, 2, 3));
  EXPECT_EQ(study.PointText(0), "");
}

TEST_F(StudyTest, SeedsAreCountedListedOrTheScenariosOwn) {
  EXPECT_THAT(Good("seeds { first: 5 count: 2 }").seeds, ElementsAre(5, 6));
  EXPECT_THAT(Good("seeds { value: [9, 4] }").seeds, ElementsAre(9, 4));
  EXPECT_THAT(Good("").seeds, ElementsAre(77));
  EXPECT_THAT(Mistake("seeds { }"), HasSubstr("seeds.count: is missing"));
  EXPECT_THAT(Mistake("seeds { value: [1, 1] }"), HasSubstr("seeds.value: has a seed twice"));
  EXPECT_THAT(Mistake("seeds { value: 1 count: 2 }"), HasSubstr("is given beside first or count"));
  EXPECT_THAT(Mistake("seeds { first: 9223372036854775807 count: 2 }"), HasSubstr("is too large"));
}

TEST_F(StudyTest, TargetsTakeTheValueAloneOrInAText) {
  const LoadedStudy study =
      Good("parameter { name: 'p' set: 'a.b' set: 'c[0].line=pool 2M all {}' value: '7' }");
  const auto settings = study.SettingsAt(0);
  ASSERT_THAT(settings, SizeIs(2));
  EXPECT_EQ(settings[0].path, "a.b");
  EXPECT_EQ(settings[0].value, "7");
  EXPECT_EQ(settings[1].path, "c[0].line");
  EXPECT_EQ(settings[1].value, "pool 2M all 7");
  EXPECT_EQ(settings[1].given, folder_ + "/study.textproto:2: p=7");
  EXPECT_THAT(Mistake("parameter { name: 'p' set: 'a=5' value: '7' }"),
              HasSubstr("has no {} behind the '='"));
  EXPECT_THAT(Mistake("parameter { name: 'p' set: 'seed' value: '7' }"),
              HasSubstr("is what the study's seeds set"));
}

TEST_F(StudyTest, VariantsSetFieldsOfTheirOwnBesideThoseOfAll) {
  const LoadedStudy study = Good(
      "parameter { name: 'kernel' set: 'name' "
      "variant { name: 'before 5.13' set: 'a.b=1' set: 'a.c=x {}' } variant { name: 'since' } }");
  ASSERT_THAT(study.points, SizeIs(2));
  EXPECT_EQ(study.PointText(0), "kernel=before 5.13");
  const auto before = study.SettingsAt(0);
  ASSERT_THAT(before, SizeIs(3));
  EXPECT_EQ(before[0].path, "name");
  EXPECT_EQ(before[0].value, "before 5.13");
  EXPECT_EQ(before[1].path, "a.b");
  EXPECT_EQ(before[1].value, "1");
  EXPECT_EQ(before[2].value, "x before 5.13");
  EXPECT_THAT(study.SettingsAt(1), SizeIs(1));
}

TEST_F(StudyTest, WrongVariantsAreRefused) {
  const auto mistake = [&](const std::string& fields) {
    return Mistake("parameter { name: 'p' " + fields + " }");
  };
  EXPECT_THAT(mistake("variant { set: 'a=1' }"), HasSubstr("parameter[0].variant[0].name: is missing"));
  EXPECT_THAT(mistake("variant { name: 'a' } variant { name: 'a' }"),
              HasSubstr("variant[1].name: 'a' is another variant's name too"));
  EXPECT_THAT(mistake("variant { name: 'a' } variant { name: 'b' }"),
              HasSubstr("variant[1].name: 'b' sets what 'a' sets; expected another set"));
  EXPECT_THAT(mistake("variant { name: 'a' set: 'b.c' }"),
              HasSubstr("variant[0].set[0]: 'b.c' says no value"));
  EXPECT_THAT(mistake("variant { name: 'a' set: 'seed=4' }"), HasSubstr("is what the study's seeds set"));
  EXPECT_THAT(mistake("set: 'a' value: '1' variant { name: 'a' }"),
              HasSubstr("is given beside range or random"));
  EXPECT_THAT(mistake("set: 'a=1' variant { name: 'a' }"), HasSubstr("has no {} behind the '='"));
}

TEST_F(StudyTest, PeriodsGoFromOneTimeToAnother) {
  const LoadedStudy study = Good(
      "period { name: 'late' from: '5ms' to: '1s' } period { name: 'run' } period { name: 'now' from: '3us' "
      "to: '3us' }");
  ASSERT_THAT(study.periods, SizeIs(3));
  EXPECT_EQ(study.periods[0].name, "late");
  EXPECT_EQ(study.periods[0].from_ns, 5'000'000);
  EXPECT_EQ(study.periods[0].to_ns, 1'000'000'000);
  EXPECT_EQ(study.periods[1].from_ns, 0);
  EXPECT_EQ(study.periods[1].to_ns, std::numeric_limits<int64_t>::max());
  EXPECT_EQ(study.periods[2].from_ns, study.periods[2].to_ns);
}

TEST_F(StudyTest, WrongPeriodsAreRefused) {
  EXPECT_THAT(Mistake("period { from: '1s' }"), HasSubstr("period[0].name: is missing"));
  EXPECT_THAT(Mistake("period { name: '5s' }"), HasSubstr("'5s' is no name"));
  EXPECT_THAT(Mistake("period { name: 'a' } period { name: 'a' }"),
              HasSubstr("is another period's name too"));
  EXPECT_THAT(Mistake("period { name: 'a' from: '2s' to: '1s' }"),
              HasSubstr("period[0].to: '1s' is before 2s; expected from or later"));
  EXPECT_THAT(Mistake("period { name: 'a' from: 'soon' }"), HasSubstr("period[0].from: 'soon'"));
}

TEST_F(StudyTest, WrongColumnsAreRefused) {
  EXPECT_THAT(Mistake("column { value: '1' }"), HasSubstr("column[0].name: is missing"));
  EXPECT_THAT(Mistake("column { name: 'a' }"), HasSubstr("column[0].value: is missing"));
  EXPECT_THAT(Mistake("column { name: 'a[b]' value: '1' }"), HasSubstr("is no title"));
  EXPECT_THAT(Mistake("column { name: '' value: '1' }"), HasSubstr("is no title"));
  EXPECT_THAT(Mistake("column { name: 'Run' value: '1' }"), HasSubstr("'Run' is run, point, seed, or"));
  EXPECT_THAT(Mistake("column { name: 'a' value: '1' } column { name: 'A' value: '2' }"),
              HasSubstr("column[1].name: 'A' is run, point, seed, or"));
  EXPECT_THAT(Mistake(absl::StrCat(kTwo, "column { name: 'p' value: '1' }")), HasSubstr("a parameter's"));
  EXPECT_THAT(Mistake("column { name: 'a' value: '(1' }"),
              HasSubstr("column[0].value: '(1' leaves a parenthesis"));
  EXPECT_THAT(Mistake("column { name: 'a' value: '1' unit: 'ms' }"), HasSubstr("unit: 'ms'"));
}

TEST_F(StudyTest, WrongRangesAreRefused) {
  EXPECT_EQ(MistakeIn("range { from: 9 to: 2 step: 1 }"),
            "study.textproto:2:50: parameter[0].range.to: '2' is less than from; expected at least that");
  EXPECT_THAT(MistakeIn("range { to: 2 step: 1 }"), HasSubstr("range.from: is missing"));
  EXPECT_THAT(MistakeIn("range { from: 1 step: 1 }"), HasSubstr("range.to: is missing"));
  EXPECT_THAT(MistakeIn("range { from: 1 to: 2 }"), HasSubstr("step: is missing; expected step"));
  EXPECT_THAT(MistakeIn("range { from: 1 to: 2 step: 1 count: 2 }"), HasSubstr("is given beside count"));
  EXPECT_THAT(MistakeIn("range { from: 1 to: 2 step: 0 }"), HasSubstr("is no distance"));
  EXPECT_THAT(MistakeIn("range { from: 1 to: 2 step: 0.5 }"), HasSubstr("is no whole number"));
  EXPECT_THAT(MistakeIn("range { from: 1 to: 1e9 step: 1 }"), HasSubstr("gives too many values"));
  EXPECT_THAT(MistakeIn("range { from: 1 to: 3 count: 9 }"), HasSubstr("gives 1 twice"));
  EXPECT_THAT(MistakeIn("range { from: 0 to: 3 count: 2 scale: 'logarithmic' }"),
              HasSubstr("has no logarithm"));
  EXPECT_THAT(MistakeIn("range { from: 1 to: 9 step: 2 scale: 'logarithmic' }"), HasSubstr("expected count"));
  EXPECT_THAT(MistakeIn("range { from: nan to: 9 step: 2 }"), HasSubstr("is no number"));
  EXPECT_THAT(MistakeIn("range { from: 0 to: inf count: 2 }"), HasSubstr("is no number"));
  EXPECT_THAT(MistakeIn("range { from: 0.5 to: 9 count: 2 }"), HasSubstr("is no whole number"));
  EXPECT_THAT(MistakeIn("range { from: 0 to: 9 count: 1 }"), HasSubstr("'1' is too small"));
  EXPECT_THAT(MistakeIn("random { from: 0 to: 3 count: 5 }"), HasSubstr("is more than there are numbers"));
  EXPECT_THAT(MistakeIn("random { from: 0 to: 3 }"), HasSubstr("count: is missing"));
  EXPECT_THAT(MistakeIn("random { from: 1 to: 1.0000000000001 count: 900 whole: false }"),
              HasSubstr("is too many to draw with none twice"));
}

TEST_F(StudyTest, WrongParametersAreRefused) {
  EXPECT_THAT(MistakeIn(""), HasSubstr("parameter[0].value: is missing"));
  EXPECT_THAT(MistakeIn("value: '1' range { from: 1 to: 2 step: 1 }"),
              HasSubstr("is given beside range or random"));
  EXPECT_THAT(MistakeIn("value: ['1', '2', '1']"), HasSubstr("value[2]: '1' is listed before"));
  EXPECT_THAT(Mistake("parameter { set: 'a' value: '1' }"), HasSubstr("name: is missing"));
  EXPECT_THAT(Mistake("parameter { name: 'p' value: '1' }"), HasSubstr("set: is missing"));
  EXPECT_THAT(Mistake("parameter { name: 'a,b' set: 'a' value: '1' }"), HasSubstr("'a,b' is no name"));
  EXPECT_THAT(Mistake(absl::StrCat(kTwo, " parameter { name: 'p' set: 'e' value: '1' }")),
              HasSubstr("parameter[2].name: 'p' is run, point, seed, or another parameter's name too"));
  for (const char* name : {"seed", "Point", "P"}) {
    EXPECT_THAT(Mistake(absl::StrCat(kTwo, " parameter { name: '", name, "' set: 'e' value: '1' }")),
                HasSubstr(absl::StrCat("parameter[2].name: '", name, "' is run, point, seed, or another")));
  }
  EXPECT_THAT(
      Mistake("parameter { name: 'p' set: 'a' range { from: 1 to: 100000 step: 1 } } seeds { count: 100 }"),
      HasSubstr("too many runs; expected at most 1000000"));
  EXPECT_THAT(Mistake("design: 'zip'"), HasSubstr("puts nothing together"));
}

constexpr char kSearched[] = "parameter { name: 'p' set: 'a' value: ['10', '9', '30'] }\n";

TEST_F(StudyTest, SearchOrdersValuesAsNumbers) {
  const std::string find =
      "find { parameter: 'p' condition: 'events.x >= 5%' probability_below: 0.1 most_seeds: 3 ";
  const LoadedStudy study = Good(absl::StrCat(kSearched, find, "} seeds { first: 7 }"));
  ASSERT_THAT(study.finds, SizeIs(1));
  EXPECT_THAT(study.finds[0].rank, ElementsAre(1, 0, 2));
  EXPECT_THAT(study.seeds, ElementsAre(7, 8, 9));
  EXPECT_EQ(study.finds[0].condition.metric, "events.x");
  EXPECT_EQ(study.finds[0].condition.value, 0.05);
  EXPECT_TRUE(study.finds[0].condition.HoldsFor(0.05));
  EXPECT_THAT(Good(absl::StrCat(kSearched, find, "largest: false }")).finds[0].rank, ElementsAre(1, 2, 0));
  // Runs are numbered so that none has the number of another.
  EXPECT_EQ(study.RunAt(2, 1).number, 7);
  EXPECT_EQ(study.RunAt(2, 1).seed, 8u);
}

TEST_F(StudyTest, WrongSearchesAreRefused) {
  const auto mistake = [&](const std::string& find) {
    return Mistake(absl::StrCat(kSearched, "find { ", find, " }"));
  };
  const std::string good = "parameter: 'p' condition: 'x > 1' probability_below: 0.1 ";
  EXPECT_THAT(mistake("condition: 'x > 1' probability_below: 0.1"),
              HasSubstr("find[0].parameter: is missing"));
  EXPECT_THAT(mistake("parameter: 'q' condition: 'x > 1' probability_below: 0.1"),
              HasSubstr("'q' is no parameter; expected one of p"));
  EXPECT_THAT(Mistake("find { " + good + "}"),
              HasSubstr("find[0].parameter: 'p' is no parameter: the study has none; expected a parameter of "
                        "that name, with the values to search among"));
  EXPECT_THAT(mistake("parameter: 'p' probability_below: 0.1"), HasSubstr("condition: is missing"));
  EXPECT_THAT(mistake("parameter: 'p' condition: 'x > 1'"), HasSubstr("probability_below: is missing"));
  EXPECT_THAT(mistake("parameter: 'p' condition: 'x > 1' probability_below: 1"),
              HasSubstr("is no share of runs"));
  EXPECT_THAT(mistake(good + "confidence: nan"), HasSubstr("is no confidence"));
  EXPECT_THAT(mistake(good + "most_seeds: 0"), HasSubstr("'0' is too small"));
  EXPECT_THAT(mistake("parameter: 'p' condition: 'x 1' probability_below: 0.1"),
              HasSubstr("has no comparison; expected METRIC OP VALUE"));
  EXPECT_THAT(mistake("parameter: 'p' condition: 'x => 1' probability_below: 0.1"),
              HasSubstr("has no comparison"));
  EXPECT_THAT(mistake("parameter: 'p' condition: 'x > many' probability_below: 0.1"),
              HasSubstr("has the value 'many', which is none"));
  EXPECT_THAT(mistake(good + "} seeds { count: 3 "), HasSubstr("seeds.count: is given beside find"));
  EXPECT_THAT(Mistake(absl::StrCat("design: 'zip' ", kSearched, "find { ", good, "}")),
              HasSubstr("leaves a search no row of values"));
  EXPECT_THAT(Mistake("parameter { name: 'p' set: 'a' value: ['1', 'x'] } find { " + good + "}"),
              HasSubstr("has the value x, which is no number"));
}

TEST_F(StudyTest, SearchesOnMetricsThatAreNotKeptAreRefused) {
  const auto study = [](const std::string& metrics, const std::string& metric) {
    return absl::StrCat(kSearched, metrics, " find { parameter: 'p' probability_below: 0.1 condition: '",
                        metric, " > 1' }");
  };
  EXPECT_THAT(
      Mistake(study("metrics: 'operation.*'", "events.oom_kill")),
      HasSubstr("find[0].condition: 'events.oom_kill > 1' is about what metrics: leaves out; expected "
                "metrics: 'events.oom_kill' beside the others, too"));
  EXPECT_THAT(Mistake(study("metrics: ['node0.*', 'operation.a.*']", "operation.b*.failed")),
              HasSubstr("is about what metrics: leaves out"));
  for (const char* const metrics :
       {"", "metrics: '*'", "metrics: ['x', 'operation.*']", "metrics: '*.failed'",
        "metrics: 'operation.?.*'", "metrics: '[m-p]peration.*'"})
    EXPECT_THAT(Good(study(metrics, "operation.a*.failed")).finds, SizeIs(1)) << metrics;
}

TEST_F(StudyTest, ScenarioIsAFileOfTheStudysFolder) {
  const auto load = [&](const std::string& text) {
    std::ofstream(folder_ + "/study.textproto") << text;
    return std::string(LoadStudy(folder_ + "/study.textproto", false).status().message());
  };
  EXPECT_THAT(load(""), HasSubstr("scenario: is missing"));
  EXPECT_THAT(load("scenario: 'none.textproto'"), HasSubstr("'none.textproto' cannot be read (No such file"));
  EXPECT_THAT(load("scenario: 's.mm'"), HasSubstr("is a script and has no fields"));
  EXPECT_THAT(load("scenario: '/etc/passwd'"), HasSubstr("it is outside the"));
  EXPECT_THAT(load("scnario: 's.textproto'"), HasSubstr("did you mean 'scenario'?"));
}

}  // namespace
}  // namespace numasim
