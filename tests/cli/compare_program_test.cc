// `numasim compare` as its users run it: on scenarios that Linux 5.13 changed, the kernel before as base and
// since as new.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <string>
#include <vector>

#include "absl/strings/str_cat.h"
#include "tests/cli/program_test.h"

namespace numasim {
namespace {

using ::testing::ContainsRegex;
using ::testing::HasSubstr;
using ::testing::Not;

class CompareProgramTest : public ProgramTest {
 protected:
  // Runs the scenario of a study with these fields set, and writes its trace to `out`.
  static void RunStudy(const std::string& study, const std::vector<std::string>& settings,
                       const std::string& out) {
    std::vector<std::string> words = {
        "run", Runfile(absl::StrCat("examples/studies/", study, "/", study, ".textproto")), "--out", out,
        "--quiet"};
    for (const std::string& setting : settings) words.insert(words.end(), {"--set", setting});
    ASSERT_EQ(Numasim(words).exit_status, 0);
  }
  // Runs a case of a study, as it is since 5.13 for after.pb, and with what was different before for
  // before.pb.
  static void RunBoth(const std::string& study, const std::vector<std::string>& of_case,
                      const std::vector<std::string>& before) {
    std::vector<std::string> both = of_case;
    both.insert(both.end(), before.begin(), before.end());
    RunStudy(study, both, "before.pb");
    RunStudy(study, of_case, "after.pb");
  }
  // Of these metrics, what NEW is to BASE; the exit status must be this one.
  static std::string Compare(const std::string& base, const std::string& changed, const std::string& metrics,
                             int exit_status) {
    const Outcome outcome = Numasim({"compare", base, changed, "--metrics", metrics});
    EXPECT_EQ(outcome.exit_status, exit_status) << outcome.out << outcome.err;
    EXPECT_EQ(outcome.err, "");
    return outcome.out;
  }
};

// A range with free huge pages in it could not be taken away before 5.13.
TEST_F(CompareProgramTest, UnpluggingOverAPoolGotBetter) {
  RunBoth("unplug_over_a_pool", {}, {"kernel.contig.hugetlb=fail"});
  const std::string metrics = "events.*,virtio_mem_*";
  const std::string better = Compare("before.pb", "after.pb", metrics, 0);
  EXPECT_THAT(better, ContainsRegex("events.contig_failed +better +-100.0% +[0-9]+ +0"));
  EXPECT_THAT(better, ContainsRegex("virtio_mem_failed +better +-100.0% +1 +0"));
  EXPECT_THAT(better, Not(HasSubstr("worse")));
  const std::string worse = Compare("after.pb", "before.pb", metrics, 2);
  EXPECT_THAT(worse, ContainsRegex("events.contig_failed +worse +from 0 +0 +[0-9]+"));
  EXPECT_THAT(worse, ContainsRegex("virtio_mem_ns +worse +\\+[0-9.]+% +[0-9.]+ms +[0-9.]+ms"));
}

// Before 5.13 the pages of a pool that shrinks were freed under hugetlb_lock.
TEST_F(CompareProgramTest, HoldingHugetlbLockGotShorter) {
  RunBoth("shrinking_a_large_pool", {"workload.script[boot].line[0]=pool 2M all 2000"},
          {"kernel.hugetlb.shrink=locked"});
  const std::string metrics = "lock.kernel.hugetlb_lock.*_max_ns";
  EXPECT_THAT(Compare("before.pb", "after.pb", metrics, 0), HasSubstr("2 metrics: 2 better\n"));
  EXPECT_THAT(Compare("after.pb", "before.pb", metrics, 2), HasSubstr("2 metrics: 2 worse\n"));
}

// Two writers of nr_hugepages: the second's write is lost before 5.13, and the pool is not what either wrote.
// A smaller pool counts as worse; here the smaller was wanted.
TEST_F(CompareProgramTest, ARaceOfTwoWritersShowsInThePool) {
  RunBoth("two_administrators",
          {"workload.script[first].line[4]=@a pool 2M all 30000",
           "workload.script[second].line[4]=@b pool 2M all 5000"},
          {"kernel.hugetlb.resize=racing", "kernel.hugetlb.shrink=locked"});
  const std::string metrics = "hugetlb-2M.nr_hugepages";
  EXPECT_THAT(Compare("before.pb", "after.pb", metrics, 2),
              ContainsRegex("hugetlb-2M.nr_hugepages +worse +-83.3% +30000 +5000"));
  Compare("after.pb", "before.pb", metrics, 0);
}

// Seeds have no effect on what is not random; then a difference is one from a single run on.
TEST_F(CompareProgramTest, RunsOfSeveralSeedsAreOneSide) {
  const std::string machine = "machine nodes=1 node_mem=64M\nthp enabled never\nspawn p\n@p map a ";
  Write("less.mm", machine + "4M anon\n@p touch a\n");
  Write("more.mm", machine + "8M anon\n@p touch a\n");
  for (const std::string script : {"less", "more"}) {
    fs::create_directory(script);
    for (const char* seed : {"1", "2"}) {
      const std::string out = absl::StrCat(script, "/", seed, ".pb");
      ASSERT_EQ(Numasim({"run", script + ".mm", "--seed", seed, "--out", out, "--quiet"}).exit_status, 0);
    }
  }
  EXPECT_EQ(Numasim({"compare", "less", "less"}).exit_status, 0);
  const Outcome outcome = Numasim({"compare", "less", "more"});
  EXPECT_EQ(outcome.exit_status, 2) << outcome.out << outcome.err;  // it takes longer
  EXPECT_THAT(outcome.out, HasSubstr("base  less: 2 runs of less.mm\n"));
  EXPECT_THAT(outcome.out, HasSubstr("note: the runs of new do not differ: nothing in them is random\n"));
  EXPECT_THAT(outcome.out, ContainsRegex("simulated_ns +worse"));
}

TEST_F(CompareProgramTest, WrongInputIsOneMessage) {
  EXPECT_EQ(Refused({"compare", "none.pb", "none.pb"}),
            "numasim compare: cannot open trace none.pb: No such file or directory\n");
  EXPECT_THAT(Refused({"compare", "none.pb"}), HasSubstr("numasim compare: NEW is required"));
  EXPECT_THAT(Refused({"compare", "a", "b", "--metric", "x"}), HasSubstr("did you mean '--metrics'?"));
}

}  // namespace
}  // namespace numasim
