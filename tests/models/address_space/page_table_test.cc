// Which page tables go when a range is unmapped (free_pgd_range, Linux 6.1).
#include "models/address_space/page_table.h"

#include <cstdint>
#include <vector>

#include "gmock/gmock.h"
#include "gtest/gtest.h"

namespace numasim {
namespace {

using ::testing::ElementsAre;
using ::testing::IsEmpty;

constexpr int64_t kTable = int64_t{1} << kPteTableShift;  // pages of a PTE table
constexpr int64_t kPmd = int64_t{1} << kPmdTableShift;

// PMD tables at 1 and 2 GiB with PTE tables in their first four places. Frames: 100 and 200 for the PMD
// tables, 101 to 104 and 201 to 204 for the PTE tables.
class PageTableTest : public ::testing::Test {
 protected:
  PageTableTest() {
    for (uint64_t gib : {1, 2}) {
      const Vpn base{gib << kPmdTableShift};
      table_.AddPmd(base, Pfn{gib * 100});
      for (int i = 0; i < 4; ++i)
        table_.AddTable(base + i * kTable, Pfn{gib * 100 + 1 + static_cast<uint64_t>(i)});
    }
  }
  static Vpn At(int gib, int64_t page) { return Vpn{static_cast<uint64_t>(gib) << kPmdTableShift} + page; }
  static std::vector<uint64_t> Numbers(const std::vector<Pfn>& frames) {
    std::vector<uint64_t> numbers;
    for (Pfn pfn : frames) numbers.push_back(pfn.value);
    return numbers;
  }
  std::vector<uint64_t> Free(Vpn floor, Vpn ceiling) { return Numbers(table_.FreeRange(floor, ceiling)); }

  PageTable table_;
};

TEST_F(PageTableTest, TablesAreFoundByAnyPageInThem) {
  EXPECT_EQ(table_.tables(), 10);
  ASSERT_NE(table_.Find(At(1, 511)), nullptr);
  EXPECT_EQ(table_.Find(At(1, 511))->frame, Pfn{101});
  EXPECT_EQ(table_.Find(At(1, 512))->frame, Pfn{102});
  EXPECT_EQ(table_.Find(At(1, 4 * kTable)), nullptr);
  EXPECT_EQ(table_.Find(At(3, 0)), nullptr);
  EXPECT_TRUE(table_.HasPmd(At(1, kPmd - 1)));
  EXPECT_FALSE(table_.HasPmd(At(3, 0)));
}

TEST_F(PageTableTest, OnlyTablesWhollyInsideTheGapGo) {
  EXPECT_THAT(Free(At(1, 1), At(1, 3 * kTable)), ElementsAre(102, 103));
  EXPECT_EQ(table_.Find(At(1, 0))->frame, Pfn{101});
  EXPECT_EQ(table_.Find(At(1, kTable)), nullptr);
  EXPECT_EQ(table_.tables(), 8);
}

TEST_F(PageTableTest, AGapWithinOneTableFreesNothing) {
  EXPECT_THAT(Free(At(1, 5), At(1, kTable)), IsEmpty());
  EXPECT_THAT(Free(At(1, 0), At(1, kTable - 1)), IsEmpty());
}

TEST_F(PageTableTest, APmdTableGoesAfterItsPteTablesWhereTheGapHoldsItsWholeGigabyte) {
  EXPECT_THAT(Free(At(1, 0), At(2, 0)), ElementsAre(101, 102, 103, 104, 100));
  EXPECT_FALSE(table_.HasPmd(At(1, 0)));
  EXPECT_EQ(table_.tables(), 5);
}

TEST_F(PageTableTest, APmdTableStaysWhereTheGapEndsInsideIt) {
  EXPECT_THAT(Free(At(1, 0), At(2, -1)), ElementsAre(101, 102, 103, 104));
  EXPECT_TRUE(table_.HasPmd(At(1, 0)));
}

TEST_F(PageTableTest, AGapOverSeveralFreesInRisingOrder) {
  EXPECT_THAT(Free(Vpn{0}, At(2, 2 * kTable)), ElementsAre(101, 102, 103, 104, 100, 201, 202));
  EXPECT_THAT(Free(Vpn{0}, Vpn{uint64_t{1} << 30}), ElementsAre(203, 204, 200));
  EXPECT_EQ(table_.tables(), 0);
}

TEST_F(PageTableTest, AFreedTableCanComeBack) {
  Free(At(1, 0), At(2, 0));
  EXPECT_EQ(table_.Find(At(1, 0)), nullptr);
  table_.AddPmd(At(1, 0), Pfn{300});
  PteTable& fresh = table_.AddTable(At(1, 0), Pfn{301});
  EXPECT_EQ(table_.Find(At(1, 0)), &fresh);
  for (const Pte& pte : fresh.pte) EXPECT_TRUE(pte.none());
}

TEST_F(PageTableTest, ForEachTableVisitsThoseThatTheRangeTouches) {
  std::vector<uint64_t> frames;
  const auto visit = [&](Vpn, PteTable& table) { frames.push_back(table.frame.value); };
  table_.ForEachTable(At(1, kTable + 7), At(1, 2 * kTable + 1), visit);
  EXPECT_THAT(frames, ElementsAre(102, 103));
  frames.clear();
  table_.ForEachTable(At(1, 3 * kTable), At(2, 1), visit);
  EXPECT_THAT(frames, ElementsAre(104, 201));
  frames.clear();
  table_.ForEachTable(At(1, 4 * kTable), At(2, 0), visit);
  EXPECT_THAT(frames, IsEmpty());
}

TEST(PteTest, KeepsItsFrameAndFlags) {
  const Pte pte(Pfn{0x123456789a}, Pte::kPresent | Pte::kWritable | Pte::kAnon);
  EXPECT_EQ(pte.pfn(), Pfn{0x123456789a});
  EXPECT_TRUE(pte.writable() && pte.anon() && !pte.zero_page() && !pte.none());
  EXPECT_FALSE(pte.WithWritable(false).writable());
  EXPECT_EQ(pte.WithWritable(false).pfn(), pte.pfn());
  EXPECT_TRUE(pte.WithWritable(false).anon());
  EXPECT_TRUE(Pte().none());
}

}  // namespace
}  // namespace numasim
