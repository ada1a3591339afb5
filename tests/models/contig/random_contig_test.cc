// Random scripts of those who take memory away among those who use it: after every operation the whole state
// is as it must be, and when all is given up nothing is missing but what is offline or unplugged.
#include <cstdint>
#include <ostream>
#include <string>
#include <vector>

#include "absl/strings/str_cat.h"
#include "absl/strings/str_join.h"
#include "gtest/gtest.h"
#include "tests/models/contig/contig_layouts.h"
#include "tests/models/test_machine.h"
#include "tests/workloads/random_contig_script.h"

namespace numasim {
namespace {

#ifdef NUMASIM_MANY_CONTIG_OPERATIONS
constexpr int kSeeds = 300;
constexpr int kOperations = 400;
#else
constexpr int kSeeds = 30;
constexpr int kOperations = 150;
#endif

struct Seen {
  int64_t touched = 0, failed = 0, migrated = 0, replaced = 0, dissolved = 0, offline = 0, plugged = 0,
          cma = 0;
};

class RandomContigTest : public ::testing::TestWithParam<ContigLayout> {
 protected:
  static void RunOne(uint64_t seed, Seen& seen) {
    const ContigLayout& layout = GetParam();
    TestMachine machine(layout.machine());
    const int64_t used_at_boot = ManagedPages(machine) - machine.UnusedPages();
    std::string script = absl::StrCat("# ", layout.name, ", seed ", seed, "\n");
    for (const workloads::Op& op : workloads::RandomContigOps(layout.options(), seed, kOperations)) {
      absl::StrAppend(&script, op.text, "\n");
      SCOPED_TRACE(script);
      const workloads::OpResult result = machine.Perform(op);
      if (result.error != Errno::kOk) ++seen.failed;
      if (result.touch.has_value()) seen.touched += result.touch->ok;
      if (result.block.has_value() && result.error == Errno::kOk) ++seen.offline;
      if (result.plugged.has_value() && result.unmet == Errno::kOk) ++seen.plugged;
      ASSERT_EQ(absl::StrJoin(machine.Problems(), "\n"), "") << "after the last line of\n" << script;
    }
    for (int n = 0; n < machine.memory().node_count(); ++n)
      seen.migrated += machine.counter(n, PGMIGRATE_SUCCESS);
    seen.replaced += machine.kernel().pool().counter(HTLB_REPLACED);
    seen.dissolved += machine.kernel().pool().counter(HTLB_DISSOLVED);
    EXPECT_EQ(machine.kernel().hugetlb().files().files(), 0) << script;
    for (const HugeSize size : kHugeSizes) {
      EXPECT_EQ(machine.kernel().pool().hstate(size).counter(NR_HUGEPAGES), 0) << script;
      EXPECT_EQ(machine.kernel().pool().hstate(size).counter(RESV_HUGEPAGES), 0) << script;
    }
    for (const auto& area : machine.contig().cma().areas()) {
      EXPECT_EQ(area->counters[CMA_FREE_PAGES], area->pages) << script;
      seen.cma += area->counters[CMA_ALLOC_SUCCESS];
    }
    EXPECT_EQ(ManagedPages(machine) - machine.UnusedPages(), used_at_boot) << "pages leaked by\n" << script;
  }
};

TEST_P(RandomContigTest, StateHoldsAfterEveryOperationAndNothingLeaks) {
  Seen seen;
  for (uint64_t seed = 1; seed <= kSeeds && !HasFailure(); ++seed) RunOne(seed, seen);
  // A generator that does nothing would be noticed.
  EXPECT_GT(seen.touched, 100'000);
  EXPECT_GT(seen.failed, 50);
  const ContigLayout& layout = GetParam();
  EXPECT_GT(seen.migrated, 1000);
  if (layout.device > 0) {
    EXPECT_GT(seen.plugged, 20);
    EXPECT_GT(seen.replaced, 3);
  }
  if (layout.offline && layout.gigantic == 0) {
    EXPECT_GT(seen.offline, 0);
    EXPECT_GT(seen.dissolved, 0);
  }
  if (layout.area > 0) {
    EXPECT_GT(seen.cma, 20);
  }
}

INSTANTIATE_TEST_SUITE_P(Layouts, RandomContigTest, ::testing::ValuesIn(ContigLayouts()),
                         [](const auto& info) { return info.param.name; });

}  // namespace
}  // namespace numasim
