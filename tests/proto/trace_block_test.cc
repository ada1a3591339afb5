// Each kind of damage that a checksum cannot find, because the writer itself would have made it, is named.
#include "proto/trace_block.h"

#include <gtest/gtest.h>

#include <cstdint>
#include <limits>
#include <string>

#include "absl/types/span.h"
#include "proto/trace.pb.h"

namespace numasim {
namespace {

constexpr size_t kColumns = 3;

void AddRun(int64_t first_ns, int64_t interval_ns, int64_t count, trace::Block* block) {
  trace::SampleRun* run = block->add_run();
  run->set_first_ns(first_ns);
  run->set_interval_ns(interval_ns);
  run->set_count(count);
}

// 4 rows at 0, 10, 20, 30; column 1 changes in rows 1 and 3, column 2 in rows 0 and 1.
trace::Block SoundBlock() {
  trace::Block block;
  for (int64_t value : {5, 6, 7}) block.add_base(value);
  AddRun(0, 10, 4, &block);
  trace::ColumnChanges* changes = block.add_changes();
  changes->set_column(1);
  for (int i = 0; i < 2; ++i) {
    changes->add_row_gap(2);
    changes->add_delta(100);
  }
  changes = block.add_changes();
  changes->set_column(2);
  for (int i = 0; i < 2; ++i) changes->add_delta(-1);
  return block;
}

// The fault of a sound block after `damage`.
template <typename Damage>
std::string FaultAfter(Damage damage) {
  trace::Block block = SoundBlock();
  damage(block);
  return BlockFault(block, kColumns);
}

TEST(TraceBlock, RowsFollowGapsAndDeltas) {
  const trace::Block block = SoundBlock();
  ASSERT_EQ(BlockFault(block, kColumns), "");
  BlockRows rows(block, kColumns);
  const int64_t expected[4][kColumns] = {{5, 6, 6}, {5, 106, 5}, {5, 106, 5}, {5, 206, 5}};
  const uint32_t next_change[4] = {1, 3, 3, 4};
  for (uint32_t row = 0; row < 4; ++row) {
    rows.Advance(row);
    EXPECT_EQ(rows.values(), absl::MakeConstSpan(expected[row])) << "row " << row;
    EXPECT_EQ(rows.NextChange(), next_change[row]) << "row " << row;
  }
}

TEST(TraceBlock, ValuesOfOtherColumnsAreAFault) {
  EXPECT_EQ(FaultAfter([](trace::Block& b) { b.add_base(1); }), "values of 4 columns, not of 3");
  EXPECT_EQ(FaultAfter([](trace::Block& b) { b.clear_base(); }), "");
}

TEST(TraceBlock, TimesThatDoNotRiseAreAFault) {
  EXPECT_EQ(FaultAfter([](trace::Block& b) { AddRun(31, 0, 1, &b); }), "");
  EXPECT_EQ(FaultAfter([](trace::Block& b) { AddRun(30, 0, 1, &b); }),
            "samples at 30 ns do not follow those at 30 ns");
  EXPECT_EQ(FaultAfter([](trace::Block& b) { b.mutable_run(0)->set_first_ns(-1); }),
            "samples at -1 ns do not follow those at -1 ns");
  EXPECT_EQ(FaultAfter([](trace::Block& b) { b.mutable_run(0)->set_interval_ns(0); }),
            "a sampling interval of 0 ns");
  EXPECT_EQ(FaultAfter([](trace::Block& b) { b.add_event()->set_time_ns(-5); }), "an event at -5 ns");
}

TEST(TraceBlock, RunsWithoutEndAreAFault) {
  EXPECT_EQ(FaultAfter([](trace::Block& b) { AddRun(40, 1, 0, &b); }), "a run of 0 samples");
  const int64_t last_ns = std::numeric_limits<int64_t>::max();
  const auto repeat_up_to_end = [&](int64_t count) {
    return FaultAfter([&](trace::Block& b) {
      AddRun(last_ns - 9, 3, count, &b);
      b.mutable_run(1)->set_repeat(true);
    });
  };
  EXPECT_EQ(repeat_up_to_end(4), "");
  EXPECT_EQ(repeat_up_to_end(5), "5 samples every 3 ns pass the end of time");
  EXPECT_EQ(FaultAfter([](trace::Block& b) { AddRun(40, 1, kMaxRowsPerBlock - 4, &b); }), "");
  EXPECT_EQ(FaultAfter([](trace::Block& b) { AddRun(40, 1, kMaxRowsPerBlock - 3, &b); }),
            "more than 4096 rows");
}

TEST(TraceBlock, ChangesOfNoColumnAreAFault) {
  EXPECT_EQ(FaultAfter([](trace::Block& b) { b.mutable_changes(1)->set_column(3); }),
            "column 3 of 3 after column 1");
  EXPECT_EQ(FaultAfter([](trace::Block& b) { b.mutable_changes(1)->set_column(1); }),
            "column 1 of 3 after column 1");
}

TEST(TraceBlock, ChangesOfNoRowAreAFault) {
  EXPECT_EQ(FaultAfter([](trace::Block& b) { b.mutable_changes(0)->set_row_gap(1, 3); }),
            "column 1 has 2 changes up to row 5 of 4");
  EXPECT_EQ(FaultAfter([](trace::Block& b) { b.mutable_changes(0)->set_row_gap(1, 0); }),
            "column 1 changes twice in a row");
  EXPECT_EQ(FaultAfter([](trace::Block& b) { b.mutable_changes(0)->add_delta(1); }),
            "column 1 has 3 changes in 2 rows");
  EXPECT_EQ(FaultAfter([](trace::Block& b) {
              for (int i = 0; i < 3; ++i) b.mutable_changes(1)->add_delta(1);
            }),
            "column 2 has 5 changes up to row 5 of 4");
  EXPECT_EQ(FaultAfter([](trace::Block& b) { b.mutable_changes(1)->clear_delta(); }),
            "column 2 has 0 changes up to row 0 of 4");
}

}  // namespace
}  // namespace numasim
