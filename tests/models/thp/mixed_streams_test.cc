// Random scripts of all kinds at the same time: base pages, transparent huge pages, files of shared memory,
// HugeTLB pools, contiguous ranges, offlining, in several processes at once, while khugepaged goes round.
// Whenever nothing runs the whole state is as it must be, and in the end nothing is left in use.
#include <cstdint>
#include <iostream>
#include <string>
#include <vector>

#include "absl/strings/str_cat.h"
#include "gtest/gtest.h"
#include "tests/models/contig/contig_layouts.h"
#include "tests/models/contig/contig_streams.h"
#include "tests/models/test_machine.h"
#include "tests/workloads/random_contig_script.h"
#include "tests/workloads/random_script.h"

namespace numasim {
namespace {

#ifdef NUMASIM_MANY_MIXED_OPERATIONS
constexpr uint64_t kSeeds = 600;
#else
constexpr uint64_t kSeeds = 3;
#endif
constexpr int kOperations = 100;  // of each stream, before its processes exit

// Two streams of each kind. They meet at the files of shared memory, which all know by the same names.
std::vector<Streams::Script> MixedScripts(const ContigLayout& layout, uint64_t seed) {
  workloads::RandomScriptOptions options;
  options.nodes = static_cast<int>(layout.nodes.size());
  options.cpus = layout.cpus * options.nodes;
  options.max_processes = 4;
  options.max_mapping = int64_t{16} << 20;
  options.max_mapped = int64_t{96} << 20;
  options.weights = options.weights.WithThp().WithFragments();
  options.weights.khugepaged = 1;  // it runs beside them
  return {workloads::RandomOps(options, 2 * seed, kOperations),
          workloads::RandomOps(options, 2 * seed + 1, kOperations),
          workloads::RandomContigOps(layout.options(), 2 * seed, kOperations),
          workloads::RandomContigOps(layout.options(), 2 * seed + 1, kOperations)};
}

class MixedStreamsTest : public ::testing::TestWithParam<ContigLayout> {};

TEST_P(MixedStreamsTest, LeaveAWholeStateAndNothingInUse) {
  int64_t operations = 0, faults = 0, splits = 0, collapsed = 0, moved = 0, file_faults = 0, scans = 0;
  for (uint64_t seed = 1; seed <= kSeeds; ++seed) {
    SCOPED_TRACE(absl::StrCat("seed ", seed));
    Knobs knobs = Knobs::Of(static_cast<int>(seed % 32));
    knobs.thp = true;
    knobs.zero_page_refs = static_cast<ZeroPageRefs>(seed % 3);
    Streams streams(GetParam(), knobs, MixedScripts(GetParam(), seed));
    TestMachine& machine = streams.machine();
    for (size_t at = 0; at < streams.operations(); at += Streams::kPhase) {
      streams.RunPhase(at);
      if (HasFatalFailure()) return;
    }
    operations += streams.total_operations();
    streams.Finish();
    if (HasFatalFailure()) return;
    for (int n = 0; n < machine.memory().node_count(); ++n) {
      faults += machine.counter(n, THP_FAULT_ALLOC);
      splits += machine.counter(n, THP_SPLIT_PAGE);
      collapsed += machine.counter(n, THP_COLLAPSE_ALLOC);
      moved += machine.counter(n, THP_MIGRATION_SUCCESS);
      file_faults += machine.counter(n, THP_FILE_ALLOC);
    }
    scans += machine.kernel().thp().khugepaged().counter(KHUGEPAGED_FULL_SCANS);
  }
  EXPECT_GT(faults, 0);
  EXPECT_GT(splits, 0);
  EXPECT_GT(collapsed, 0);
  EXPECT_GT(moved, 0);
  EXPECT_GT(file_faults, 0);
  EXPECT_GT(scans, 0);
  std::cout << operations << " operations: " << faults << " huge pages faulted in, " << splits << " split, "
            << collapsed << " collapsed, " << moved << " moved, " << file_faults << " of files, in " << scans
            << " rounds of khugepaged\n";
}

std::vector<ContigLayout> Layouts() {
  std::vector<ContigLayout> layouts = ContigLayouts();
  std::erase_if(layouts, [](const ContigLayout& layout) { return layout.gigantic > 0; });
  return layouts;
}
INSTANTIATE_TEST_SUITE_P(Layouts, MixedStreamsTest, ::testing::ValuesIn(Layouts()),
                         [](const auto& info) { return info.param.name; });

}  // namespace
}  // namespace numasim
