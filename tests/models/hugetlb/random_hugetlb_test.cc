// Random HugeTLB scripts: after every operation the whole state is as it must be, reservations are backed,
// and when all is given up every page is back in the buddy allocator.
#include <ostream>
#include <string>
#include <vector>

#include "absl/strings/str_cat.h"
#include "absl/strings/str_join.h"
#include "gtest/gtest.h"
#include "tests/models/test_machine.h"
#include "tests/workloads/random_hugetlb_script.h"

namespace numasim {
namespace {

struct Layout {
  const char* name;
  std::vector<int64_t> node_pages;
  int64_t pool;  // more than there is, so that memory runs out
  int mounts = 0;
  bool min_size = false;
  bool pins = false;
};
void PrintTo(const Layout& layout, std::ostream* out) { *out << layout.name; }

const Layout kLayouts[] = {
    {"OneNode", {96 * kMiB}, 24},
    {"TwoNodes", {96 * kMiB, 64 * kMiB}, 24},
    {"FourNodes", {64 * kMiB, 64 * kMiB, 48 * kMiB, 48 * kMiB}, 32},
    {"LittleMemory", {40 * kMiB, 32 * kMiB}, 48},
    {"Mounts", {96 * kMiB, 64 * kMiB}, 24, 3},
    {"MountsWithMinSize", {96 * kMiB, 64 * kMiB}, 24, 3, true},
    {"Pins", {96 * kMiB, 64 * kMiB}, 24, 0, false, true},
    {"PinsAndMounts", {96 * kMiB, 64 * kMiB}, 24, 3, false, true},
};

// The validator looks at the state after every so many operations, and at the end.
#ifdef NUMASIM_MILLION_OPERATIONS
constexpr int kSeeds = 250;
constexpr int kOperations = 500;
constexpr int kCheckEvery = 4;
#else
constexpr int kSeeds = 40;
constexpr int kOperations = 150;
constexpr int kCheckEvery = 1;
#endif

struct Seen {
  int64_t sigbus = 0, ok = 0, failed = 0, moved = 0;
};

class RandomHugetlbTest : public ::testing::TestWithParam<Layout> {
 protected:
  static void RunOne(uint64_t seed, Seen& seen) {
    const Layout& layout = GetParam();
    TestMachine machine(DescribedMachine(layout.node_pages));
    const int64_t at_boot = machine.UnusedPages();
    workloads::RandomHugetlbOptions options;
    options.nodes = options.cpus = static_cast<int>(layout.node_pages.size());
    options.pool = layout.pool;
    options.mounts = layout.mounts;
    options.min_size = layout.min_size;
    options.pins = layout.pins;
    int performed = 0;
    std::string script = absl::StrCat("# ", layout.name, ", seed ", seed, "\n");
    for (const workloads::Op& op : workloads::RandomHugetlbOps(options, seed, kOperations)) {
      absl::StrAppend(&script, op.text, "\n");
      const workloads::OpResult result = machine.Perform(op);
      if (result.error != Errno::kOk) ++seen.failed;
      if (result.touch.has_value()) {
        seen.sigbus += result.touch->sigbus;
        seen.ok += result.touch->ok;
      }
      if (result.moved.has_value()) seen.moved += result.moved->moved;
      if (++performed % kCheckEvery != 0) continue;
      ASSERT_EQ(absl::StrJoin(machine.Problems(), "\n"), "") << "after the last line of\n" << script;
    }
    ASSERT_EQ(absl::StrJoin(machine.Problems(), "\n"), "") << "after the last line of\n" << script;
    EXPECT_EQ(machine.kernel().hugetlb().files().files(), 0) << script;
    if (layout.min_size) return;  // reservations get lost there, and hold pages back: see hugetlb_check.cc
    const Hstate& h = machine.kernel().pool().hstate(HugeSize::k2M);
    EXPECT_EQ(h.counter(NR_HUGEPAGES), 0) << script;
    EXPECT_EQ(h.counter(RESV_HUGEPAGES), 0) << script;
    EXPECT_EQ(machine.UnusedPages(), at_boot) << "pages leaked by\n" << script;
  }
};

TEST_P(RandomHugetlbTest, StateHoldsAfterEveryOperationAndNothingLeaks) {
  Seen seen;
  for (uint64_t seed = 1; seed <= kSeeds && !HasFailure(); ++seed) RunOne(seed, seen);
  // A generator that does nothing would be noticed.
  EXPECT_GT(seen.ok, 1000);
  EXPECT_GT(seen.sigbus, 50);
  EXPECT_GT(seen.failed, 50);
  EXPECT_GT(seen.moved, 50);
}

INSTANTIATE_TEST_SUITE_P(Layouts, RandomHugetlbTest, ::testing::ValuesIn(kLayouts),
                         [](const auto& info) { return std::string(info.param.name); });

}  // namespace
}  // namespace numasim
