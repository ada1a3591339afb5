// What the recorder's programs take beside what their script maps.
#include "workloads/recorded_guest.h"

#include <string>
#include <string_view>

#include "absl/strings/str_cat.h"
#include "gmock/gmock.h"
#include "gtest/gtest.h"
#include "models/physical/isolation.h"
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
      machine_.RunPath(runner_.HomeOf(op), [&](sim::Path& path) { return PerformAndFollow(path, op); });
    }
  }
  sim::Task<void> PerformAndFollow(sim::Path& path, const Op& op) {
    co_await runner_.Perform(path, op);
    co_await guest_.Follow(path, op, runner_);
  }
  // Whether a program's own page is on its way to another frame.
  static bool HasMovingPage(const Zone& zone) {
    const FrameStore& frames = zone.frames();
    bool found = false;
    ForEachBlock(frames, 0, frames.frames(), [&](const FrameStore::Head& head) {
      const FrameOwner* const owner = OwnerOf(frames, head);
      if (owner == nullptr || head.order != 0 || owner->object != kBootUser) return;
      found |= zone.IsMigrating(head.frame, 0) && owner->index >= uint64_t{1} << 29;
    });
    return found;
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

// Its end comes while a compaction moves pages of it, which go too.
TEST_F(RecordedGuestTest, PagesThatAreBeingMovedGoToo) {
  Run("spawn q\n@q map a 40M anon\n@q touch a\nspawn p\n@q map b 40M anon\n@q touch b\n"
      "@q advise b 0 40M dontneed 8K\n@q unmap a");
  const auto script = ParseScript(absl::StrCat(text_, "compact\n@p exit\n"), "test.mm");
  ASSERT_EQ(script.status().ToString(), "OK");
  const Op& compact = script->ops[performed_];
  const Op& exit = script->ops[performed_ + 1];
  sim::Engine& engine = machine_.engine();
  const Zone& zone = machine_.zone(0, ZoneType::kDma32);
  bool met = false;
  engine.Start(runner_.HomeOf(compact), engine.now(), "compact",
               [&](sim::Path& path) { return PerformAndFollow(path, compact); });
  engine.Start(machine_.memory().node(NodeId{0}).lp, engine.now(), "exit",
               [&](sim::Path& path) -> sim::Task<void> {
                 for (int i = 0; i < 100'000 && !met; ++i) {
                   met = HasMovingPage(zone);
                   if (!met) co_await path.Take(sim::Nanoseconds(100));
                 }
                 co_await PerformAndFollow(path, exit);
               });
  ASSERT_EQ(engine.Run().ToString(), "OK");
  EXPECT_TRUE(met);
  Run("@q exit");
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
