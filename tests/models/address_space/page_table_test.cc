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
  std::vector<uint64_t> Free(Vpn floor, Vpn ceiling) {
    std::vector<uint64_t> numbers;
    for (const Folio table : table_.FreeRange(floor, ceiling)) numbers.push_back(table.head().value);
    return numbers;
  }

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
  for (const Entry& entry : fresh.entries) EXPECT_TRUE(entry.none());
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

// Base pages 3 and 511 of the first PTE table, and a huge page beside the four tables of the first GiB.
class WalkTest : public PageTableTest {
 protected:
  struct Seen {
    Vpn vpn;
    int order;
    bool operator==(const Seen&) const = default;
  };
  WalkTest() {
    *table_.FindEntry(At(1, 3)) = Entry(Pfn{7}, Entry::kPresent);
    *table_.FindEntry(At(1, 511)) = Entry::ZeroPage();
    table_.SetHuge(At(1, 4 * kTable), kPteTableShift, Entry(Pfn{1024}, Entry::kPresent | Entry::kWritable));
    table_.SetHuge(At(5, 0), kPmdTableShift, Entry(Pfn{1 << 18}, Entry::kPresent));
  }
  std::vector<Seen> Walked(Vpn begin, Vpn end) {
    std::vector<Seen> seen;
    EXPECT_EQ(table_.Walk(begin, end, [&](Vpn vpn, Entry&, int order) { seen.push_back({vpn, order}); }),
              end);
    return seen;
  }
};

TEST_F(WalkTest, FindsWhatIsMappedAtEveryLevelInOrder) {
  EXPECT_THAT(Walked(Vpn{0}, At(6, 0)),
              ElementsAre(Seen{At(1, 3), 0}, Seen{At(1, 511), 0}, Seen{At(1, 4 * kTable), kPteTableShift},
                          Seen{At(5, 0), kPmdTableShift}));
  EXPECT_EQ(table_.huge_pages(), 2);
}

TEST_F(WalkTest, IsCutOffAtItsRange) {
  EXPECT_THAT(Walked(At(1, 4), At(1, 511)), IsEmpty());
  EXPECT_THAT(Walked(At(1, 3), At(1, 4)), ElementsAre(Seen{At(1, 3), 0}));
  EXPECT_THAT(Walked(At(1, 4 * kTable + 1), At(5, 0)), IsEmpty()) << "a huge page that begins before";
  EXPECT_THAT(Walked(At(5, 1), At(6, 0)), IsEmpty());
}

TEST_F(WalkTest, EndsWhereItIsTold) {
  int seen = 0;
  const Vpn ended = table_.Walk(Vpn{0}, At(6, 0), [&](Vpn, Entry& entry, int) {
    if (seen == 2) return false;
    ++seen;
    entry = entry.WithWritable(false);
    return true;
  });
  EXPECT_EQ(ended, At(1, 4 * kTable));
  EXPECT_TRUE(table_.FindHuge(ended, kPteTableShift)->writable());
}

TEST_F(WalkTest, HugePagesAreTakenAndBasePagesStay) {
  std::vector<Pfn> taken;
  table_.TakeHuge(Vpn{0}, At(1, 4 * kTable), taken);
  EXPECT_THAT(taken, IsEmpty());
  table_.TakeHuge(At(1, 0), At(6, 0), taken);
  EXPECT_THAT(Numbers(taken), ElementsAre(1024, 1 << 18));
  EXPECT_EQ(table_.huge_pages(), 0);
  EXPECT_THAT(Walked(Vpn{0}, At(6, 0)), ElementsAre(Seen{At(1, 3), 0}, Seen{At(1, 511), 0}));
}

TEST_F(WalkTest, AHugePageIsNoTable) {
  EXPECT_EQ(table_.Find(At(1, 4 * kTable)), nullptr);
  EXPECT_EQ(table_.FindHuge(At(1, 0), kPteTableShift), nullptr);
  EXPECT_FALSE(table_.HasPmd(At(5, 0)));
  EXPECT_EQ(table_.tables(), 10);
}

TEST_F(WalkTest, ACursorSeesTablesGoAndComeBack) {
  Cursor cursor(table_);
  EXPECT_EQ(cursor.Find(At(1, 3))->pfn(), Pfn{7});
  Free(At(1, 0), At(1, kTable));
  EXPECT_EQ(cursor.Find(At(1, 3)), nullptr);
  table_.AddTable(At(1, 0), Pfn{300});
  ASSERT_NE(cursor.Find(At(1, 3)), nullptr);
  EXPECT_TRUE(cursor.Find(At(1, 3))->none());
}

TEST(EntryTest, KeepsItsFrameAndFlags) {
  const Entry entry(Pfn{0x123456789a}, Entry::kPresent | Entry::kWritable | Entry::kAnon);
  EXPECT_EQ(entry.pfn(), Pfn{0x123456789a});
  EXPECT_TRUE(entry.writable() && entry.anon() && !entry.zero_page() && !entry.none());
  EXPECT_FALSE(entry.WithWritable(false).writable());
  EXPECT_EQ(entry.WithWritable(false).pfn(), entry.pfn());
  EXPECT_TRUE(entry.WithWritable(false).anon());
  EXPECT_TRUE(Entry().none());
  EXPECT_TRUE(Entry::ZeroPage().zero_page() && !Entry::ZeroPage().none() && !Entry::ZeroPage().writable());
}

}  // namespace
}  // namespace numasim
