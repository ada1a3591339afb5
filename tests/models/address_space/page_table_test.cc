// Which page tables go when a range is unmapped (free_pgd_range, Linux 6.1).
#include "models/address_space/page_table.h"

#include <algorithm>
#include <array>
#include <cstddef>
#include <cstdint>
#include <iterator>
#include <map>
#include <span>
#include <vector>

#include "gmock/gmock.h"
#include "gtest/gtest.h"
#include "sim/random.h"

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

// Each run as its first page, how many entries it has, and its order.
std::vector<std::array<int64_t, 3>> RunsOf(PageTable& table, Vpn begin, Vpn end) {
  std::vector<std::array<int64_t, 3>> runs;
  const Vpn ended = table.WalkRuns(begin, end, [&](Vpn vpn, std::span<Entry> run, int order) {
    runs.push_back({static_cast<int64_t>(vpn.value - begin.value), std::ssize(run), order});
    return run.size();
  });
  EXPECT_EQ(ended, end);
  return runs;
}

TEST_F(PageTableTest, RunsAreOfEntriesThatFollowOneAnotherAlike) {
  const Vpn at = At(1, 0);
  const auto map = [&](int64_t page, Pfn pfn) { *table_.FindEntry(at + page) = Entry::NewAnon(pfn); };
  for (int64_t i = 10; i < 20; ++i) map(i, Pfn{5000} + i);  // a run
  for (int64_t i = 20; i < 25; ++i) map(i, Pfn{9000} + i);  // other pages
  for (int64_t i = 26; i < 30; ++i) map(i, Pfn{9000} + i);  // behind a hole
  *table_.FindEntry(at + 28) = table_.FindEntry(at + 28)->WithWritable(false);
  for (int64_t i = 40; i < 43; ++i) *table_.FindEntry(at + i) = Entry::ZeroPage();
  for (int64_t i = 500; i < 520; ++i) map(i, Pfn{7000} + i);  // over the end of a table
  using Runs = std::vector<std::array<int64_t, 3>>;
  EXPECT_EQ(RunsOf(table_, at, At(1, kPmd)), (Runs{{10, 10, 0},
                                                   {20, 5, 0},
                                                   {26, 2, 0},
                                                   {28, 1, 0},
                                                   {29, 1, 0},
                                                   {40, 1, 0},
                                                   {41, 1, 0},
                                                   {42, 1, 0},
                                                   {500, 12, 0},
                                                   {512, 8, 0}}));
  // Cut off at its range, on both sides.
  EXPECT_EQ(RunsOf(table_, at + 15, at + 22), (Runs{{0, 5, 0}, {5, 2, 0}}));
}

TEST_F(PageTableTest, AWalkOverRunsEndsWhereItIsTold) {
  const Vpn at = At(1, 0);
  for (int64_t i = 0; i < 8; ++i) *table_.FindEntry(at + i) = Entry::NewAnon(Pfn{5000} + i);
  int calls = 0;
  const auto three = [&](Vpn, std::span<Entry> run, int) {
    ++calls;
    return std::min<size_t>(3, run.size());
  };
  EXPECT_EQ(table_.WalkRuns(at, At(1, kPmd), three), at + 3);
  EXPECT_EQ(table_.WalkRuns(at + 6, At(1, kPmd), three), At(1, kPmd));
  const auto none = [](Vpn, std::span<Entry>, int) { return size_t{0}; };
  EXPECT_EQ(table_.WalkRuns(at + 2, At(1, kPmd), none), at + 2);
  EXPECT_EQ(calls, 2);
}

TEST_F(PageTableTest, CountsPagesOfAnonymousMemoryOfARangeOfFrames) {
  const Vpn at = At(1, 0);
  const Vpn end = At(1, kPmd);
  const auto entry = [&](int64_t page) -> Entry& { return *table_.FindEntry(at + page); };
  const auto count = [&](Vpn from, Vpn to) { return table_.CountAnonIn(from, to, Pfn{5000}, Pfn{7000}); };
  EXPECT_EQ(count(at, end), 0);
  for (int64_t i = 500; i < 520; ++i) entry(i) = Entry::NewAnon(Pfn{6000} + i);
  entry(700) = Entry::ZeroPage();
  EXPECT_EQ(count(at, end), 21);
  EXPECT_EQ(count(at + 510, at + 515), 5);
  entry(3) = Entry::NewAnon(Pfn{7000});
  EXPECT_EQ(count(at, end), -1) << "behind the range";
  EXPECT_EQ(count(at + 4, end), 21);
  entry(3) = Entry::NewAnon(Pfn{4999});
  EXPECT_EQ(count(at, end), -1) << "before the range";
  entry(3) = Entry::NewAnon(Pfn{6000}).ToMigration();
  EXPECT_EQ(count(at, end), -1) << "it moves";
  entry(3) = Entry(Pfn{6000}, Entry::kPresent);
  EXPECT_EQ(count(at, end), -1) << "of a file";
  entry(3) = Entry();
  table_.SetHuge(at + 5 * kTable, kPteTableShift, Entry(Pfn{6144}, Entry::kPresent | Entry::kAnon));
  EXPECT_EQ(count(at, end), -1) << "a huge page";
  EXPECT_EQ(count(at, at + 4 * kTable), 21);
}

// Thousands come and go, in any order: none is given out twice, and each begins empty.
TEST(PteTableTest, ComeFromAPoolThatTakesThemBack) {
  sim::RandomStream random(3, "table_pool");
  std::map<PteTable*, Pfn> tables;
  for (uint64_t i = 0; i < 6'000; ++i) {
    auto* const table = new PteTable;
    ASSERT_EQ(reinterpret_cast<uintptr_t>(table) % 64, 0u);
    ASSERT_TRUE(std::all_of(table->entries.begin(), table->entries.end(), [](Entry e) { return e.none(); }));
    table->frame = Pfn{i};
    table->entries.fill(Entry::NewAnon(Pfn{i}));
    ASSERT_TRUE(tables.emplace(table, table->frame).second);
    while (random.Uniform(3) == 0 && !tables.empty()) {
      const auto gone = std::next(tables.begin(), static_cast<ptrdiff_t>(random.Uniform(tables.size()) % 50));
      ASSERT_EQ(gone->first->frame, gone->second);
      ASSERT_EQ(gone->first->entries[511], Entry::NewAnon(gone->second));
      delete gone->first;
      tables.erase(gone);
    }
  }
  for (const auto& [table, frame] : tables) {
    EXPECT_EQ(table->frame, frame);
    delete table;
  }
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
