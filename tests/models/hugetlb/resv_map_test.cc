// Reservation maps and subpools by themselves.
#include "models/hugetlb/resv_map.h"

#include <set>

#include "gtest/gtest.h"
#include "models/hugetlb/subpool.h"
#include "sim/random.h"

namespace numasim {
namespace {

TEST(ResvMapTest, AddingTellsHowManyWereNew) {
  ResvMap map;
  EXPECT_EQ(map.Add(4, 8), 4);
  EXPECT_EQ(map.Add(2, 6), 2);
  EXPECT_EQ(map.Add(2, 8), 0);
  EXPECT_EQ(map.Count(0, ResvMap::kEnd), 6);
  EXPECT_EQ(map.Missing(0, 10), 4);
}

TEST(ResvMapTest, DeletingTheMiddleLeavesBothEnds) {
  ResvMap map;
  map.Add(0, 10);
  EXPECT_EQ(map.Delete(3, 5), 2);
  EXPECT_EQ(map.Count(0, 3), 3);
  EXPECT_EQ(map.Count(3, 5), 0);
  EXPECT_EQ(map.Count(5, 10), 5);
  EXPECT_EQ(map.Delete(0, ResvMap::kEnd), 8);
  EXPECT_TRUE(map.empty());
}

TEST(ResvMapTest, AgreesWithASetOfPages) {
  ResvMap map;
  std::set<uint64_t> pages;
  sim::RandomStream random(7, "resv_map_test");
  for (int i = 0; i < 20000; ++i) {
    const uint64_t from = random.Uniform(40);
    const uint64_t to = from + 1 + random.Uniform(12);
    int64_t there = 0;
    for (uint64_t page = from; page < to; ++page) there += static_cast<int64_t>(pages.count(page));
    const auto size = static_cast<int64_t>(to - from);
    switch (random.Uniform(3)) {
      case 0:
        ASSERT_EQ(map.Add(from, to), size - there);
        for (uint64_t page = from; page < to; ++page) pages.insert(page);
        break;
      case 1:
        ASSERT_EQ(map.Delete(from, to), there);
        for (uint64_t page = from; page < to; ++page) pages.erase(page);
        break;
      default:
        ASSERT_EQ(map.Count(from, to), there);
        ASSERT_EQ(map.Missing(from, to), size - there);
    }
  }
}

TEST(SubpoolTest, ItsMinimumCoversWhatIsTakenFirst) {
  Subpool pool(HugeSize::k2M, 8, 4);
  EXPECT_EQ(pool.Get(3), 0);  // of the four reserved
  EXPECT_EQ(pool.Get(5), 4);  // one more of them
  EXPECT_EQ(pool.Get(1), std::nullopt);
  // Above the minimum pages go back to the pool, below it to the mount's reservation.
  EXPECT_EQ(pool.Put(4), 4);
  EXPECT_EQ(pool.Put(3), 0);
  EXPECT_EQ(pool.reserved, 3);
  EXPECT_EQ(pool.used, 1);
}

TEST(SubpoolTest, WithoutAMinimumEverythingComesFromThePool) {
  Subpool pool(HugeSize::k2M, 4, Subpool::kNone);
  EXPECT_EQ(pool.Get(3), 3);
  EXPECT_EQ(pool.Get(2), std::nullopt);
  EXPECT_EQ(pool.Put(3), 3);
}

}  // namespace
}  // namespace numasim
