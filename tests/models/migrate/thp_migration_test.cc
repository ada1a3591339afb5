// Transparent huge pages that move while others use them. What move_pages() answers is compared with
// recordings (tests/kernel_truth).
#include <string>
#include <string_view>
#include <vector>

#include "gmock/gmock.h"
#include "gtest/gtest.h"
#include "models/migrate/migration.h"
#include "models/physical/thp_page.h"
#include "tests/models/test_machine.h"

namespace numasim {
namespace {

using ::testing::IsEmpty;

class ThpMigrationTest : public ::testing::Test {
 protected:
  ThpMigrationTest() : machine_(DescribedMachine({64 * kMiB, 64 * kMiB}), TestKernelWithThp("always")) {}
  void TearDown() override { EXPECT_THAT(machine_.Problems(), IsEmpty()); }

  static constexpr Vpn kFirst = AddressSpace::kStartOfSpace;
  PageTable& Tables(std::string_view process) { return machine_.process(process).space.page_table(); }
  // The huge page at the beginning of the process's first mapping, by whatever entry.
  Folio HugePage(std::string_view process) {
    const Entry* const leaf = Tables(process).FindHuge(kFirst, ThpPage::kOrder);
    const Pfn pfn = leaf != nullptr ? leaf->pfn() : Tables(process).FindEntry(kFirst + 300)->pfn() + -300;
    return Folio(pfn, ThpPage::kOrder);
  }
  bool MapsPmd(std::string_view process) {
    return Tables(process).FindHuge(kFirst, ThpPage::kOrder) != nullptr;
  }
  NodeId NodeOf(Folio page) { return machine_.memory().ZoneOf(page.head())->node(); }
  int64_t Counter(NodeCounter c) const { return machine_.counter(0, c) + machine_.counter(1, c); }

  // Isolates the page and moves it to node 1.
  void StartMove(Folio page, Errno& error) {
    MemorySystem& memory = machine_.memory();
    Zone& zone = *memory.ZoneOf(page.head());
    machine_.engine().Start(
        memory.node(zone.node()).lp, machine_.engine().now(), "mover",
        [this, &zone, &error, page](sim::Path& path) -> sim::Task<void> {
          const FrameIndex frame = zone.frames().Index(page.head());
          EXPECT_TRUE(Migrator::Isolate(zone, {frame, FrameKind::kAllocated, page.order()}));
          std::vector<Folio> pages(1, page);
          const MigrationTarget target{NodeId{1}, NodeMask::Of(NodeId{1})};
          error = co_await machine_.kernel().migrator().Migrate(path, CpuId{0}, pages, target);
          co_await machine_.kernel().migrator().PutBack(path, CpuId{0}, pages);
        });
  }
  Errno Move(Folio page) {
    Errno error = Errno::kOk;
    StartMove(page, error);
    EXPECT_TRUE(machine_.engine().Run().ok());
    return error;
  }
  // Whether an entry of the process is a migration entry now.
  bool Migrating(std::string_view process) {
    bool migrating = false;
    Tables(process).Walk(kFirst, kFirst + 512,
                         [&](Vpn, const Entry& entry, int) { migrating = migrating || entry.migrating(); });
    return migrating;
  }

  TestMachine machine_;
};

TEST_F(ThpMigrationTest, APmdMovesWithItsPage) {
  machine_.Run("spawn p\n@p map a 2M anon\n@p touch a");
  EXPECT_EQ(Move(HugePage("p")), Errno::kOk);
  EXPECT_TRUE(MapsPmd("p"));
  EXPECT_EQ(NodeOf(HugePage("p")), NodeId{1});
  EXPECT_EQ(machine_.counter(0, THP_MIGRATION_SUCCESS), 1);
  EXPECT_EQ(machine_.counter(0, PGMIGRATE_SUCCESS), 512);
  EXPECT_EQ(machine_.counter(0, NR_ANON_THPS), 0);
  EXPECT_EQ(machine_.counter(1, NR_ANON_THPS), 1);
  EXPECT_EQ(machine_.counter(1, NR_ANON_PAGES), 512);
}

// A parent maps it by a PMD, a child all of it but two pages by base entries, another child by a PMD.
TEST_F(ThpMigrationTest, AFamilyKeepsEachItsOwnEntries) {
  machine_.Run(
      "spawn p\n@p map a 2M anon\n@p touch a\n@p fork c\n@p fork d\n@c touch a 0 4K\n"
      "@c advise a 64K 4K dontneed");
  const Folio before = HugePage("p");
  EXPECT_EQ(Move(before), Errno::kOk);
  EXPECT_NE(HugePage("p"), before);
  EXPECT_TRUE(MapsPmd("p"));
  EXPECT_TRUE(MapsPmd("d"));
  EXPECT_FALSE(MapsPmd("c"));
  EXPECT_EQ(HugePage("c"), HugePage("p"));
  EXPECT_THAT(machine_.Problems(), IsEmpty());
  machine_.Run("@p exit\n@d exit");
  EXPECT_THAT(machine_.Problems(), IsEmpty());
  machine_.Run("drop_caches 2\n@c exit");
  EXPECT_EQ(Counter(NR_ANON_PAGES), 0);
}

TEST_F(ThpMigrationTest, APageOfAFileMovesWithTheFile) {
  machine_.Run(
      "spawn p\nspawn q\n@p map s 2M shmem file=x\n@q map s 2M shmem file=x\n@p touch s\n"
      "@q protect s 0 4K r\n@q touch s r");
  EXPECT_EQ(Move(HugePage("p")), Errno::kOk);
  EXPECT_TRUE(MapsPmd("p"));
  EXPECT_FALSE(MapsPmd("q"));
  EXPECT_EQ(HugePage("q"), HugePage("p"));
  EXPECT_EQ(NodeOf(HugePage("p")), NodeId{1});
  EXPECT_EQ(machine_.counter(1, NR_SHMEM_PMDMAPPED), 1);
  EXPECT_EQ(machine_.counter(0, NR_SHMEM_PMDMAPPED), 0);
  EXPECT_EQ(machine_.counter(1, NR_SHMEM_THPS), 1);
}

TEST_F(ThpMigrationTest, AHeldPageIsTriedTenTimesAndStays) {
  machine_.Run("spawn p\n@p map a 2M anon\n@p touch a\n@p map s 2M shmem\n@p touch s");
  const Folio page = HugePage("p");
  Errno error = Errno::kOk;
  StartMove(page, error);
  machine_.Run("@p pin a 64K 4K");
  EXPECT_EQ(error, Errno::kAgain);
  EXPECT_EQ(HugePage("p"), page);
  EXPECT_TRUE(MapsPmd("p"));
  EXPECT_EQ(Counter(THP_MIGRATION_FAIL), 1);
  EXPECT_EQ(Counter(PGMIGRATE_FAIL), 512);
}

TEST_F(ThpMigrationTest, WithoutAHugePageItIsSplitAndItsPartsMove) {
  machine_.Run("spawn p\n@p map a 2M anon\n@p touch a");
  const std::vector<Folio> kept = machine_.Fragment(NodeId{1});
  machine_.Run("@p advise a 0 64K dontneed");  // before, it would be split for want of memory
  EXPECT_EQ(Move(HugePage("p")), Errno::kOk);
  EXPECT_EQ(Counter(THP_MIGRATION_SPLIT), 1);
  EXPECT_EQ(Counter(THP_MIGRATION_FAIL), 1);
  EXPECT_EQ(Counter(THP_SPLIT_PAGE), 1);
  for (int64_t page = 16; page < 512; ++page)
    EXPECT_EQ(NodeOf(Folio(Tables("p").FindEntry(kFirst + page)->pfn())), NodeId{1}) << page;
  machine_.Release(CpuId{0}, kept);
}

// What comes to the page at each of many moments of its move.
struct Meeting {
  std::string_view name;
  std::string_view operation;
  std::string_view before = "";  // what the family has done to the page
};
void PrintTo(const Meeting& meeting, std::ostream* out) { *out << meeting.name; }

class ThpMeetingTest : public ThpMigrationTest, public ::testing::WithParamInterface<Meeting> {};

TEST_P(ThpMeetingTest, LeavesAWholeState) {
  int met = 0;
  for (int64_t ns = 0; ns < 500'000; ns += 5'000) {
    machine_.Run("spawn p\n@p map a 4M anon\n@p touch a 0 2M\n@p fork c");
    if (!GetParam().before.empty()) machine_.Run(GetParam().before);
    Errno error = Errno::kOk;
    StartMove(HugePage("p"), error);
    ASSERT_TRUE(machine_.engine().Run(machine_.engine().now() + sim::Nanoseconds(ns)).ok());
    met += Migrating("p");
    machine_.Run(GetParam().operation);
    ASSERT_TRUE(machine_.engine().Run().ok());
    ASSERT_THAT(machine_.Problems(), IsEmpty()) << ns;
    machine_.Run("@p exit\n@c exit\ndrop_caches 2");
    ASSERT_THAT(machine_.Problems(), IsEmpty()) << ns;
    ASSERT_EQ(Counter(NR_ANON_PAGES), 0) << ns;
    ASSERT_EQ(Counter(NR_ANON_THPS), 0) << ns;
  }
  EXPECT_GT(met, 0) << "nothing met it";
}

INSTANTIATE_TEST_SUITE_P(
    Operations, ThpMeetingTest,
    ::testing::Values(Meeting{"Unmap", "@p unmap a"}, Meeting{"UnmapOfAPart", "@p unmap a 1M 512K"},
                      Meeting{"Protect", "@p protect a 64K 64K r"},
                      Meeting{"Dontneed", "@p advise a 0 1M dontneed"},
                      Meeting{"Free", "@p advise a 0 1M free"}, Meeting{"Write", "@p touch a 64K 4K"},
                      Meeting{"Read", "@p touch a 64K 4K r"}, Meeting{"Fork", "@p fork e\n@e exit"},
                      Meeting{"Exit", "@e exit", "@c fork e"}, Meeting{"Pin", "@p pin a 64K 4K"},
                      Meeting{"Collapse", "@c advise a 0 2M collapse", "@c touch a 0 4K"},
                      Meeting{"Shrink", "drop_caches 2", "@c touch a 0 4K\n@p advise a 0 4K dontneed"},
                      Meeting{"UnmapOfParts", "@c unmap a 0 1M", "@c touch a 0 4K"},
                      Meeting{"WriteToAPart", "@c touch a 64K 4K", "@c touch a 0 4K"}),
    [](const auto& info) { return std::string(info.param.name); });

}  // namespace
}  // namespace numasim
