#include "workloads/alloc_trace/frame_table.h"

#include <gtest/gtest.h>

#include <map>
#include <optional>

#include "sim/random.h"

namespace numasim::workloads {
namespace {

TEST(FrameTableTest, FindsWhatIsInIt) {
  FrameTable table;
  EXPECT_EQ(table.Find(Pfn{0}), std::nullopt);
  table.Insert(Pfn{0}, {Pfn{7}, 10});
  table.Insert(Pfn{1}, {kNoPfn, 0});
  EXPECT_EQ(table.Find(Pfn{0}), (FrameTable::Block{Pfn{7}, 10}));
  EXPECT_EQ(table.Find(Pfn{1}), (FrameTable::Block{kNoPfn, 0}));
  table.Erase(Pfn{0});
  EXPECT_EQ(table.Find(Pfn{0}), std::nullopt);
  EXPECT_EQ(table.Find(Pfn{1}), (FrameTable::Block{kNoPfn, 0}));
  EXPECT_EQ(table.size(), 1u);
}

// As a std::map does it, while it grows and shrinks. Frames are near to each other, and as far apart as they
// can be, so that runs of used slots are long.
TEST(FrameTableTest, IsAMap) {
  FrameTable table;
  std::map<uint64_t, FrameTable::Block> map;
  sim::RandomStream random(1, "frame_table_test");
  const auto draw = [&] {
    const uint64_t far = random.Uniform(2) == 0 ? static_cast<uint64_t>(kMaxPfn) - 20'000 : 0;
    return Pfn{far + random.Uniform(20'000)};
  };
  for (int i = 0; i < 300'000; ++i) {
    const Pfn traced = draw();
    const auto found = map.find(traced.value);
    ASSERT_EQ(table.Find(traced), found == map.end() ? std::nullopt : std::optional(found->second));
    const bool grows = i % 100'000 < 50'000;
    if (found == map.end() && (grows || random.Uniform(3) == 0)) {
      const FrameTable::Block block = {Pfn{random.Uniform(1'000'000)}, static_cast<int>(random.Uniform(11))};
      table.Insert(traced, block);
      map.emplace(traced.value, block);
    } else if (found != map.end() && (!grows || random.Uniform(3) == 0)) {
      table.Erase(traced);
      map.erase(found);
    }
    ASSERT_EQ(table.size(), map.size());
  }
  for (const auto& [traced, block] : map) ASSERT_EQ(table.Find(Pfn{traced}), block);
}

}  // namespace
}  // namespace numasim::workloads
