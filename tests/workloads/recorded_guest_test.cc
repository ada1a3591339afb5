// What the recorder's programs take beside what their script maps.
#include "workloads/recorded_guest.h"

#include <string>
#include <string_view>

#include "absl/strings/str_cat.h"
#include "gmock/gmock.h"
#include "gtest/gtest.h"
#include "tests/models/test_machine.h"
#include "workloads/script.h"

namespace numasim::workloads {
namespace {

using ::testing::IsEmpty;

class RecordedGuestTest : public ::testing::Test {
 protected:
  RecordedGuestTest()
      : machine_(DescribedMachine({128 * kMiB, 128 * kMiB})),
        runner_(machine_.kernel(), "test", [](int line) { return absl::StrCat("test.mm:", line); }),
        guest_(machine_.kernel()) {}
  void TearDown() override { EXPECT_THAT(machine_.Problems(runner_.LiveProcesses()), IsEmpty()); }

  // Performs the lines, which go on from those given before.
  void Run(std::string_view lines) {
    absl::StrAppend(&text_, std::string(lines), "\n");
    const auto script = ParseScript(text_, "test.mm");
    ASSERT_EQ(script.status().ToString(), "OK");
    for (; performed_ < script->ops.size(); ++performed_) {
      const Op& op = script->ops[performed_];
      machine_.RunPath(runner_.HomeOf(op), [&](sim::Path& path) -> sim::Task<void> {
        co_await runner_.Perform(path, op);
        co_await guest_.Follow(path, op, runner_);
      });
    }
  }
  int64_t anon(int node) const { return machine_.counter(node, NR_ANON_PAGES); }
  int64_t on_lists(int node) { return machine_.zone(node, ZoneType::kDma32).counter(PCP_PAGES); }

  TestMachine machine_;
  ScriptRunner runner_;
  RecordedGuest guest_;
  std::string text_;
  size_t performed_ = 0;
};

TEST_F(RecordedGuestTest, AProgramHasTwentyTwoPagesWhichGoWithIt) {
  Run("spawn p\n@p cpu 1");
  const int64_t at_first = anon(0);
  EXPECT_EQ(anon(1), 1);
  Run("@p map a 1M anon\n@p map b 1M anon");
  EXPECT_EQ(anon(1), 3);  // by the first mapping alone
  EXPECT_EQ(at_first + anon(1), 22);
  Run("@p exit");
  EXPECT_EQ(anon(0) + anon(1), 0);
}

TEST_F(RecordedGuestTest, PagesThatWereMovedGoToo) {
  // They lie below a mapping with holes, where all pages below it move to.
  Run("spawn q\n@q map a 40M anon\n@q touch a\nspawn p\n@q map b 40M anon\n@q touch b\n"
      "@q advise b 0 40M dontneed 8K\n@q unmap a\ncompact");
  EXPECT_GT(machine_.counter(0, PGMIGRATE_SUCCESS), 0);
  Run("@p exit\n@q exit");
  EXPECT_EQ(anon(0), 0);
}

TEST_F(RecordedGuestTest, TheFirstSettingTakesAPageOfTheRecorderItself) {
  Run("thp enabled never\nthp enabled never");
  EXPECT_EQ(anon(0), 1);
}

TEST_F(RecordedGuestTest, AResultOfAMappingFlushesTheListsOfACpuThatHasFreedMuch) {
  Run("spawn p\n@p map a 64M anon\n@p touch a\n@p advise a 0 64M dontneed");
  EXPECT_LT(on_lists(0), 64);
}

}  // namespace
}  // namespace numasim::workloads
