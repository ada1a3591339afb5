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
  // Runs the scenario of a study, writes its trace to `out`.
  static void RunStudy(const std::string& scenario, const std::string& out) {
    const std::string path = Runfile(absl::StrCat("examples/studies/", scenario, ".textproto"));
    ASSERT_EQ(Numasim({"run", path, "--out", out, "--quiet"}).exit_status, 0);
  }
};

// A range with free huge pages in it could not be taken away before 5.13.
TEST_F(CompareProgramTest, UnpluggingOverAPoolGotBetter) {
  RunStudy("unplug_over_a_pool/room_50_free_before", "before.pb");
  RunStudy("unplug_over_a_pool/room_50_free_after", "after.pb");
  const std::vector<std::string> what = {"--metrics", "events.*,virtio_mem_*"};
  const Outcome better = Numasim({"compare", "before.pb", "after.pb", what[0], what[1]});
  EXPECT_EQ(better.exit_status, 0) << better.out << better.err;
  EXPECT_EQ(better.err, "");
  EXPECT_THAT(better.out, ContainsRegex("events.contig_failed +better +-100.0% +[0-9]+ +0"));
  EXPECT_THAT(better.out, ContainsRegex("virtio_mem_failed +better +-100.0% +1 +0"));
  EXPECT_THAT(better.out, Not(HasSubstr("worse")));

  const Outcome worse = Numasim({"compare", "after.pb", "before.pb", what[0], what[1]});
  EXPECT_EQ(worse.exit_status, 2) << worse.out << worse.err;
  EXPECT_THAT(worse.out, ContainsRegex("events.contig_failed +worse +from 0 +0 +[0-9]+"));
  EXPECT_THAT(worse.out, ContainsRegex("virtio_mem_ns +worse +\\+[0-9.]+% +[0-9.]+ms +[0-9.]+ms"));
}

// Before 5.13 the pages of a pool that shrinks were freed under hugetlb_lock.
TEST_F(CompareProgramTest, HoldingHugetlbLockGotShorter) {
  RunStudy("shrinking_a_large_pool/1k_before", "before.pb");
  RunStudy("shrinking_a_large_pool/1k_after", "after.pb");
  const Outcome better =
      Numasim({"compare", "before.pb", "after.pb", "--metrics", "lock.kernel.hugetlb_lock.*_max_ns"});
  EXPECT_EQ(better.exit_status, 0) << better.out << better.err;
  EXPECT_THAT(better.out, HasSubstr("2 metrics: 2 better\n"));
  const Outcome worse =
      Numasim({"compare", "after.pb", "before.pb", "--metrics", "lock.kernel.hugetlb_lock.*_max_ns"});
  EXPECT_EQ(worse.exit_status, 2) << worse.out << worse.err;
  EXPECT_THAT(worse.out, HasSubstr("2 metrics: 2 worse\n"));
}

// Two writers of nr_hugepages: the second's write is lost before 5.13, and the pool is not what either wrote.
TEST_F(CompareProgramTest, ARaceOfTwoWritersShowsInThePool) {
  RunStudy("two_administrators/up_and_down_before", "before.pb");
  RunStudy("two_administrators/up_and_down_after", "after.pb");
  const Outcome outcome =
      Numasim({"compare", "before.pb", "after.pb", "--metrics", "hugetlb-2M.nr_hugepages"});
  EXPECT_EQ(outcome.exit_status, 2) << outcome.out
                                    << outcome.err;  // a smaller pool; here the smaller was wanted
  EXPECT_THAT(outcome.out, ContainsRegex("hugetlb-2M.nr_hugepages +worse +-83.3% +30000 +5000"));
  EXPECT_EQ(Numasim({"compare", "after.pb", "before.pb", "--metrics", "hugetlb-2M.nr_hugepages"}).exit_status,
            0);
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
