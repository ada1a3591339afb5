// Random scripts on small machines: after every operation the whole state is as it must be, and when all
// processes are gone all memory is back.
#include <unistd.h>

#include <algorithm>
#include <csignal>
#include <functional>
#include <iostream>
#include <ostream>
#include <string>
#include <vector>

#include "absl/strings/str_cat.h"
#include "absl/strings/str_join.h"
#include "gtest/gtest.h"
#include "models/base/machine_config.h"
#include "tests/models/recordings.h"
#include "tests/models/test_machine.h"
#include "tests/workloads/random_script.h"
#include "workloads/script.h"

namespace numasim {
namespace {

using workloads::Op;

// The script under way, so that it is not lost where the program aborts.
std::string* script_under_way = nullptr;

void PrintScript(int) {
  if (script_under_way == nullptr) return;
  const ssize_t written = write(STDERR_FILENO, script_under_way->data(), script_under_way->size());
  static_cast<void>(written);
}

struct Layout {
  const char* name;
  std::function<MachineConfig()> machine;
  int64_t memory;  // bytes that processes can get, about
  // Keeps all but so much from them, where it is not 0: kB.
  int64_t min_free_kbytes = 0;
  bool thp = false;
};
void PrintTo(const Layout& layout, std::ostream* out) { *out << layout.name; }

// Four nodes in a row; the last has no CPU of its own, the third no memory.
MachineConfig Uneven() {
  MachineConfig config = DescribedMachine({16 * kMiB, 24 * kMiB, 0, 8 * kMiB});
  config.node_of_cpu = {NodeId{0}, NodeId{1}, NodeId{1}, NodeId{2}};
  config.distance = {{10, 20, 30, 40}, {20, 10, 20, 30}, {30, 20, 10, 20}, {40, 30, 20, 10}};
  return config;
}

MachineConfig WithMovable() {
  MachineConfig config = DescribedMachine({32 * kMiB, 32 * kMiB}, 2);
  config.movablecore_pages = 32 * kMiB;
  return config;
}

constexpr int64_t kMiBytes = int64_t{1} << 20;

const Layout kLayouts[] = {
    {"OneNode", [] { return DescribedMachine({24 * kMiB}, 2); }, 24 * kMiBytes},
    {"TwoNodes", [] { return DescribedMachine({20 * kMiB, 12 * kMiB}); }, 32 * kMiBytes},
    {"FourNodes", [] { return DescribedMachine({16 * kMiB, 8 * kMiB, 8 * kMiB, 8 * kMiB}); }, 40 * kMiBytes},
    {"UnevenNodes", Uneven, 48 * kMiBytes},
    {"MovableZones", WithMovable, 64 * kMiBytes},
    {"RecordedOneNode", [] { return RecordedMachine("buddy_fragment_coalesce"); }, 48 * kMiBytes, 900 << 10},
    {"RecordedThreeNodes", [] { return RecordedMachine("numa_fallback_order"); }, 48 * kMiBytes, 1100 << 10},
    {"RecordedFourNodes", [] { return RecordedMachine("numa_interleave"); }, 2048 * kMiBytes},
    {"OneNodeThp", [] { return DescribedMachine({64 * kMiB}, 2); }, 64 * kMiBytes, 0, true},
    {"TwoNodesThp", [] { return DescribedMachine({48 * kMiB, 32 * kMiB}); }, 80 * kMiBytes, 0, true},
    {"UnevenNodesThp", [] { return Uneven(); }, 48 * kMiBytes, 0, true},
    {"RecordedThp", [] { return RecordedMachine("thp_fault_modes"); }, 2048 * kMiBytes, 0, true},
};

constexpr int kSeeds = 12;
constexpr int kThpSeeds = 48;  // more kinds of operations
constexpr int kOperations = 120;

// What the scripts of a layout have come to do, so that a generator that does nothing is noticed.
struct Seen {
  int64_t operations = 0, oom = 0, killed = 0, compacted = 0, missed = 0, reused = 0, fallbacks = 0;
  // Of transparent huge pages.
  int64_t faults = 0, splits = 0, split_pmds = 0, collapsed = 0;
  int64_t file_faults = 0, file_pmds = 0;
};

class RandomScriptsTest : public ::testing::TestWithParam<Layout> {
 protected:
  void SetUp() override { std::signal(SIGABRT, PrintScript); }
  void TearDown() override {
    std::signal(SIGABRT, SIG_DFL);
    script_under_way = nullptr;
  }

  static Op MinFree(int64_t kbytes) {
    return Op{.kind = workloads::SysctlOp{"vm.min_free_kbytes", absl::StrCat(kbytes)}};
  }

  static void RunOne(uint64_t seed, Seen& seen) {
    const MachineConfig config = GetParam().machine();
    const KernelConfig kernel = GetParam().thp ? TestKernelWithThp("never") : TestKernel();
    TestMachine machine(config, kernel);
    std::string script = absl::StrCat("# ", GetParam().name, ", seed ", seed, "\n");
    script_under_way = &script;
    ASSERT_EQ(absl::StrJoin(machine.Problems(), "\n"), "") << script;
    const int64_t at_boot = machine.UnusedPages();
    workloads::RandomScriptOptions options;
    options.nodes = static_cast<int>(config.nodes.size());
    options.cpus = static_cast<int>(config.node_of_cpu.size());
    // More than there is, so that memory runs out.
    options.max_mapping = std::min(GetParam().memory, 48 * kMiBytes);
    options.max_mapped = 4 * options.max_mapping;
    options.weights = options.weights.WithFragments();
    if (GetParam().thp) options.weights = options.weights.WithThp();
    std::vector<Op> ops = workloads::RandomOps(options, seed, kOperations);
    if (GetParam().min_free_kbytes > 0) ops.insert(ops.begin(), MinFree(GetParam().min_free_kbytes));
    for (const Op& op : ops) {
      absl::StrAppend(&script, op.text, "\n");
      const workloads::OpResult result = machine.Perform(op);
      ++seen.operations;
      if (result.touch.has_value()) seen.oom += result.touch->oom;
      if (result.error == Errno::kKilled) ++seen.killed;
      ASSERT_EQ(absl::StrJoin(machine.Problems(), "\n"), "") << "after the last line of\n" << script;
    }
    // The huge zero page stays until it is asked for.
    machine.Run("drop_caches 2");
    EXPECT_EQ(machine.UnusedPages(), at_boot) << "pages leaked by\n" << script;
    EXPECT_EQ(machine.kernel().files().files(), 0) << "files left by\n" << script;
    for (int n = 0; n < options.nodes; ++n) {
      seen.missed += machine.counter(n, NUMA_MISS);
      seen.reused += machine.counter(n, PGREUSE);
      seen.compacted += machine.counter(n, PGMIGRATE_SUCCESS);
    }
    for (int n = 0; n < options.nodes; ++n) {
      seen.faults += machine.counter(n, THP_FAULT_ALLOC);
      seen.splits += machine.counter(n, THP_SPLIT_PAGE);
      seen.split_pmds += machine.counter(n, THP_SPLIT_PMD);
      seen.collapsed += machine.counter(n, THP_COLLAPSE_ALLOC);
      seen.file_faults += machine.counter(n, THP_FILE_ALLOC);
      seen.file_pmds += machine.counter(n, THP_FILE_MAPPED);
    }
    for (const Zone* zone : machine.memory().zones()) seen.fallbacks += *zone->counter_ref(FALLBACK_ALLOC);
  }
};

TEST_P(RandomScriptsTest, StateHoldsAfterEveryOperationAndNothingLeaks) {
  Seen seen;
  const uint64_t seeds = GetParam().thp ? kThpSeeds : kSeeds;
  for (uint64_t seed = 1; seed <= seeds && !HasFatalFailure(); ++seed) RunOne(seed, seen);
  if (HasFatalFailure()) return;
  EXPECT_GT(seen.reused, 0);
  EXPECT_GT(seen.compacted, 0);
  if (GetParam().thp) {
    EXPECT_GT(seen.faults, 0);
    EXPECT_GT(seen.splits, 0);
    EXPECT_GT(seen.split_pmds, 0);
    EXPECT_GT(seen.collapsed, 0);
    EXPECT_GT(seen.file_faults, 0);
    EXPECT_GT(seen.file_pmds, 0);
  }
  if (GetParam().memory < 192 * kMiBytes && !GetParam().thp) {
    EXPECT_GT(seen.oom + seen.killed, 0);
    // The recorded machines have free blocks of every type.
    if (GetParam().min_free_kbytes == 0) {
      EXPECT_GT(seen.fallbacks, 0);
    }
    if (GetParam().machine().nodes.size() > 1) {
      EXPECT_GT(seen.missed, 0);
    }
  }
  std::cout << seen.operations << " operations, " << seen.oom << " accesses out of memory, " << seen.killed
            << " processes killed, " << seen.compacted << " pages moved, " << seen.missed
            << " pages from another node, " << seen.fallbacks << " from another migratetype\n";
}

INSTANTIATE_TEST_SUITE_P(Layouts, RandomScriptsTest, ::testing::ValuesIn(kLayouts),
                         [](const auto& info) { return std::string(info.param.name); });

}  // namespace
}  // namespace numasim
