// System calls and faults: who gets which page, and who pays for it (mm/memory.c, mm/mmap.c, Linux 6.1).
// After each test the validator looks at what it left.
#include "models/mm/address_space_ops.h"

#include <cstdint>
#include <string_view>
#include <vector>

#include "gmock/gmock.h"
#include "gtest/gtest.h"
#include "tests/models/test_machine.h"

namespace numasim {
namespace {

using ::testing::IsEmpty;
using workloads::OpResult;

class AddressSpaceOpsTest : public ::testing::Test {
 protected:
  AddressSpaceOpsTest() : machine_(DescribedMachine({64 * kMiB, 64 * kMiB, 64 * kMiB})) {}
  void TearDown() override { EXPECT_THAT(machine_.Problems(), IsEmpty()); }

  OpResult Run(std::string_view lines) { return machine_.Run(lines); }
  TouchCounts Touch(std::string_view line) { return *machine_.Run(line).touch; }
  // The entry of the page at `offset` in the process's n-th mapping.
  Entry EntryAt(std::string_view process, int mapping, int64_t offset) {
    const Vpn at = Vpn{(static_cast<uint64_t>(mapping) + 1) << kPmdTableShift} + offset;
    const Entry* const entry = machine_.process(process).space.page_table().FindEntry(at);
    return entry == nullptr ? Entry() : *entry;
  }
  int NodeOf(Entry entry) { return machine_.memory().ZoneOf(entry.pfn())->node().value; }
  std::vector<int64_t> PagesByNode(std::string_view process, int mapping, int64_t pages) {
    std::vector<int64_t> by_node(3);
    for (int64_t i = 0; i < pages; ++i) ++by_node[static_cast<size_t>(NodeOf(EntryAt(process, mapping, i)))];
    return by_node;
  }
  int64_t Sum(NodeCounter c) const {
    return machine_.counter(0, c) + machine_.counter(1, c) + machine_.counter(2, c);
  }

  TestMachine machine_;
};

// ---- faults ----

TEST_F(AddressSpaceOpsTest, AFirstWriteTakesAPageOfTheCpusNode) {
  Run("spawn p\n@p cpu 1\n@p map a 1M anon");
  EXPECT_EQ(Touch("@p touch a").ok, 256);
  EXPECT_THAT(PagesByNode("p", 0, 256), ::testing::ElementsAre(0, 256, 0));
  EXPECT_EQ(machine_.counter(1, NR_ANON_PAGES), 256);
  EXPECT_EQ(Sum(PGFAULT), 256);
  EXPECT_EQ(Touch("@p touch a").ok, 256);
  EXPECT_EQ(Sum(PGFAULT), 256);  // no fault the second time
}

TEST_F(AddressSpaceOpsTest, EachFaultIsRecordedOnceWithTheTimeItTook) {
  Run("spawn p\n@p map a 1M anon\n@p touch a\n@p touch a");
  const Costs costs = machine_.memory().costs();
  const OperationStats faults = machine_.memory().AllTimed()[Timed::kFaultBase];
  EXPECT_EQ(faults.tried(), 256u);
  EXPECT_EQ(faults.all_failed(), 0u);
  // Most take a page at hand; those that refill the CPU's list, or need a table, take longer.
  const int64_t at_hand = (costs.fault + costs.pcp_alloc + costs.clear_page + costs.map_page).ns;
  EXPECT_LE(at_hand, faults.latency().Quantile(0.5));
  EXPECT_LE(faults.latency().Quantile(0.5), at_hand + at_hand / 32);
  EXPECT_GT(faults.latency().max(), at_hand);
}

TEST_F(AddressSpaceOpsTest, AFaultThatMeetsNoMemoryIsRecordedAsFailed) {
  Run("spawn p\n@p map a 80M anon policy=bind:1");
  EXPECT_EQ(machine_.Run("@p touch a").error, Errno::kKilled);
  const OperationStats faults = machine_.memory().AllTimed()[Timed::kFaultBase];
  EXPECT_GT(faults.tried(), 10'000u);
  EXPECT_THAT(faults.failed(), ::testing::ElementsAre(::testing::Pair("ENOMEM", 1)));
}

TEST_F(AddressSpaceOpsTest, AFirstReadMapsTheZeroPageAndAWriteThenTakesOne) {
  Run("spawn p\n@p map a 64K anon\n@p touch a 0 64K r");
  EXPECT_EQ(Sum(NR_ANON_PAGES), 0);
  EXPECT_TRUE(EntryAt("p", 0, 3).zero_page());
  Run("@p touch a 0 4K");
  EXPECT_EQ(Sum(NR_ANON_PAGES), 1);
  EXPECT_FALSE(EntryAt("p", 0, 0).zero_page());
  EXPECT_TRUE(EntryAt("p", 0, 0).writable());
  EXPECT_TRUE(EntryAt("p", 0, 1).zero_page());
}

TEST_F(AddressSpaceOpsTest, AccessesThatAreNotAllowedAreSegfaults) {
  Run("spawn p\n@p map a 64K anon\n@p protect a 0 16K r\n@p protect a 16K 16K none");
  EXPECT_EQ(Touch("@p touch a").sigsegv, 8);
  EXPECT_EQ(Touch("@p touch a 0 64K r").sigsegv, 4);
  Run("@p unmap a 0 8K");
  EXPECT_EQ(Touch("@p touch a 0 16K r").sigsegv, 2);
}

TEST_F(AddressSpaceOpsTest, MemoryMadeReadOnlyCanBeMadeWritableWithoutACopy) {
  Run("spawn p\n@p map a 64K anon\n@p touch a");
  const Pfn before = EntryAt("p", 0, 0).pfn();
  Run("@p protect a 0 64K r");
  EXPECT_FALSE(EntryAt("p", 0, 0).writable());
  Run("@p protect a 0 64K rw");
  EXPECT_EQ(Touch("@p touch a").ok, 16);
  EXPECT_EQ(EntryAt("p", 0, 0).pfn(), before);
  EXPECT_EQ(Sum(PGREUSE), 16);
}

// ---- fork and copy-on-write ----

TEST_F(AddressSpaceOpsTest, ForkSharesPagesReadOnlyAndCopiesTables) {
  Run("spawn p\n@p map a 1M anon\n@p touch a 0 512K\n@p touch a 512K 256K r");
  const int64_t tables = Sum(NR_PAGE_TABLE_PAGES);
  Run("@p fork c");
  EXPECT_EQ(Sum(NR_ANON_PAGES), 128);
  // The tables of a small program, and a PMD and a PTE table for what is mapped.
  EXPECT_EQ(Sum(NR_PAGE_TABLE_PAGES), 2 * tables);
  for (const char* process : {"p", "c"}) {
    EXPECT_FALSE(EntryAt(process, 0, 0).writable());
    EXPECT_TRUE(EntryAt(process, 0, 130).zero_page());
    EXPECT_TRUE(EntryAt(process, 0, 200).none());
  }
  EXPECT_EQ(EntryAt("p", 0, 7).pfn(), EntryAt("c", 0, 7).pfn());
}

TEST_F(AddressSpaceOpsTest, TheFirstWriterCopiesAndTheSecondReuses) {
  Run("spawn p\n@p map a 64K anon\n@p touch a\n@p fork c");
  const Pfn shared = EntryAt("p", 0, 0).pfn();
  Run("@p touch a");
  EXPECT_NE(EntryAt("p", 0, 0).pfn(), shared);
  EXPECT_EQ(EntryAt("c", 0, 0).pfn(), shared);
  EXPECT_EQ(Sum(NR_ANON_PAGES), 32);
  EXPECT_EQ(Sum(PGREUSE), 0);
  Run("@c touch a");
  EXPECT_EQ(EntryAt("c", 0, 0).pfn(), shared);
  EXPECT_TRUE(EntryAt("c", 0, 0).writable());
  EXPECT_EQ(Sum(NR_ANON_PAGES), 32);
  EXPECT_EQ(Sum(PGREUSE), 16);
}

TEST_F(AddressSpaceOpsTest, AfterTheChildsExitTheParentReuses) {
  Run("spawn p\n@p map a 64K anon\n@p touch a\n@p fork c\n@c exit\n@p touch a");
  EXPECT_EQ(Sum(PGREUSE), 16);
  EXPECT_EQ(Sum(NR_ANON_PAGES), 16);
}

TEST_F(AddressSpaceOpsTest, ACopyGoesToTheWritersNode) {
  Run("spawn p\n@p cpu 0\n@p map a 64K anon\n@p touch a\n@p fork c\n@c cpu 2\n@c touch a");
  EXPECT_THAT(PagesByNode("p", 0, 16), ::testing::ElementsAre(16, 0, 0));
  EXPECT_THAT(PagesByNode("c", 0, 16), ::testing::ElementsAre(0, 0, 16));
}

TEST_F(AddressSpaceOpsTest, AGrandchildSharesToo) {
  Run("spawn p\n@p map a 64K anon\n@p touch a\n@p fork c\n@c fork g");
  const Pfn shared = EntryAt("p", 0, 0).pfn();
  EXPECT_EQ(EntryAt("g", 0, 0).pfn(), shared);
  Run("@c touch a\n@p touch a");
  EXPECT_EQ(Sum(NR_ANON_PAGES), 48);
  Run("@g touch a");  // the last one keeps the pages
  EXPECT_EQ(EntryAt("g", 0, 0).pfn(), shared);
  EXPECT_EQ(Sum(PGREUSE), 16);
}

TEST_F(AddressSpaceOpsTest, AForkThatRunsOutOfMemoryLeavesNothing) {
  TestMachine small(DescribedMachine({16 * kMiB}));
  const int64_t unused = small.UnusedPages();
  small.Run("spawn p");
  // One page in each table's reach, so that the child needs as many tables as there are pages.
  small.Run("@p map a 3G anon noreserve\n@p touch a 0 3G 2M");
  ASSERT_THAT(small.Problems(), IsEmpty());
  // Who has most memory is the parent.
  EXPECT_EQ(small.Run("@p fork c").error, Errno::kKilled);
  EXPECT_EQ(small.UnusedPages(), unused);
  EXPECT_THAT(small.Problems(), IsEmpty());
}

// ---- unmapping ----

TEST_F(AddressSpaceOpsTest, UnmappingFreesPagesAndTables) {
  const int64_t at_boot = machine_.UnusedPages();
  Run("spawn p");
  const int64_t spawned = machine_.UnusedPages();
  EXPECT_EQ(at_boot - spawned, 5 + 2);  // the tables of text and stack, and the PGD
  Run("@p map a 4M anon\n@p touch a");
  EXPECT_EQ(spawned - machine_.UnusedPages(), 1024 + 3);
  Run("@p unmap a 0 2M");
  EXPECT_EQ(spawned - machine_.UnusedPages(), 512 + 2);
  Run("@p unmap a");
  EXPECT_EQ(machine_.UnusedPages(), spawned);
  Run("@p exit");
  EXPECT_EQ(machine_.UnusedPages(), at_boot);
}

TEST_F(AddressSpaceOpsTest, ATableStaysAsLongAsAPartOfItIsMapped) {
  Run("spawn p\n@p map a 2M anon\n@p touch a");
  const int64_t tables = Sum(NR_PAGE_TABLE_PAGES);
  Run("@p unmap a 4K 2044K");
  EXPECT_EQ(Sum(NR_PAGE_TABLE_PAGES), tables);
  Run("@p unmap a 0 4K");
  EXPECT_EQ(Sum(NR_PAGE_TABLE_PAGES), tables - 2);
}

TEST_F(AddressSpaceOpsTest, DontneedFreesPagesAndKeepsTheMappingAndItsTables) {
  Run("spawn p\n@p map a 64K anon\n@p touch a");
  const int64_t tables = Sum(NR_PAGE_TABLE_PAGES);
  Run("@p advise a 0 32K dontneed");
  EXPECT_EQ(Sum(NR_ANON_PAGES), 8);
  EXPECT_EQ(Sum(NR_PAGE_TABLE_PAGES), tables);
  EXPECT_EQ(Touch("@p touch a").ok, 16);
}

TEST_F(AddressSpaceOpsTest, DontneedGoesOnBehindAHoleAndMprotectStopsThere) {
  Run("spawn p\n@p map a 64K anon\n@p touch a\n@p unmap a 16K 16K");
  EXPECT_EQ(Run("@p advise a 0 64K dontneed").error, Errno::kNoMem);
  EXPECT_EQ(Sum(NR_ANON_PAGES), 0);
  EXPECT_EQ(Run("@p protect a 0 64K r").error, Errno::kNoMem);
  EXPECT_EQ(Touch("@p touch a 0 16K").sigsegv, 4);
  EXPECT_EQ(Touch("@p touch a 32K 32K").ok, 8);
  EXPECT_EQ(Run("@p protect a 16K 48K r").error, Errno::kNoMem);
  EXPECT_EQ(Touch("@p touch a 32K 32K").ok, 8);
}

TEST_F(AddressSpaceOpsTest, MbindOverAHoleFailsAndChangesNothing) {
  Run("spawn p\n@p map a 64K anon\n@p unmap a 16K 16K");
  EXPECT_EQ(Run("@p bind a bind:1").error, Errno::kFault);
  Run("@p touch a 0 16K");
  EXPECT_THAT(PagesByNode("p", 0, 4), ::testing::ElementsAre(4, 0, 0));
  EXPECT_EQ(Run("@p bind a default").error, Errno::kOk);
}

TEST_F(AddressSpaceOpsTest, PopulateStopsWhereItMayNotGo) {
  Run("spawn p\n@p map a 64K anon\n@p protect a 16K 16K r");
  EXPECT_EQ(Run("@p advise a 0 64K populate_write").error, Errno::kInval);
  EXPECT_EQ(Sum(NR_ANON_PAGES), 4);
  Run("@p unmap a 32K 16K");
  EXPECT_EQ(Run("@p advise a 16K 48K populate_read").error, Errno::kNoMem);
}

TEST_F(AddressSpaceOpsTest, AMappingLargerThanAllMemoryIsRefusedUnlessNotAccounted) {
  Run("spawn p");
  EXPECT_EQ(Run("@p map a 1T anon").error, Errno::kNoMem);
  EXPECT_EQ(Run("@p map a 1T anon noreserve").error, Errno::kOk);
}

TEST_F(AddressSpaceOpsTest, RangesThatAreNotOnPagesAreRefused) {
  Run("spawn p\n@p map a 64K anon");
  EXPECT_EQ(Run("@p unmap a 100 4K").error, Errno::kInval);
  EXPECT_EQ(Run("@p unmap a 0 0").error, Errno::kInval);
  EXPECT_EQ(Run("@p protect a 100 4K r").error, Errno::kInval);
  EXPECT_EQ(Run("@p advise a 100 4K dontneed").error, Errno::kInval);
}

TEST_F(AddressSpaceOpsTest, AForkCopiesNoTablesOfMemoryThatWasOnlyRead) {
  Run("spawn p\n@p map a 8M anon\n@p touch a r");
  const int64_t before = Sum(NR_PAGE_TABLE_PAGES);
  Run("spawn other");
  const int64_t base = Sum(NR_PAGE_TABLE_PAGES) - before;
  Run("@p fork c");
  EXPECT_EQ(Sum(NR_PAGE_TABLE_PAGES), before + 2 * base);
}

TEST_F(AddressSpaceOpsTest, AddressesAreUsedAgain) {
  Run("spawn p");
  for (int i = 0; i < 5000; ++i) ASSERT_EQ(Run("@p map a 4K anon\n@p unmap a").error, Errno::kOk) << i;
}

// ---- shared memory ----

TEST_F(AddressSpaceOpsTest, SharedMemoryIsOnePageForAll) {
  Run("spawn p\n@p map s 64K shmem\n@p touch s 0 32K\n@p fork c");
  EXPECT_TRUE(EntryAt("c", 0, 0).none());  // fork leaves it to be faulted in
  Run("@c touch s");
  EXPECT_EQ(Sum(NR_SHMEM), 16);
  EXPECT_EQ(EntryAt("c", 0, 0).pfn(), EntryAt("p", 0, 0).pfn());
  Run("@p touch s 32K 32K");
  EXPECT_EQ(Sum(NR_SHMEM), 16);
  EXPECT_EQ(Sum(NR_ANON_PAGES), 0);
}

TEST_F(AddressSpaceOpsTest, AReadFaultOnSharedMemoryMapsWhatIsThereAroundIt) {
  Run("spawn p\n@p map s 256K shmem\n@p touch s 0 128K\n@p fork c");
  Run("@c touch s 68K 4K r");  // the second 64 KiB are in the file
  for (int page = 0; page < 64; ++page)
    EXPECT_EQ(EntryAt("c", 0, page).none(), page < 16 || page >= 32) << page;
  Run("@c touch s 128K 4K r");  // nothing there yet: this page alone is made
  EXPECT_FALSE(EntryAt("c", 0, 32).none());
  EXPECT_TRUE(EntryAt("c", 0, 33).none());
}

TEST_F(AddressSpaceOpsTest, SharedMemoryGoesWithItsLastMapping) {
  Run("spawn p\n@p map s 64K shmem\n@p touch s\n@p fork c\n@p unmap s");
  EXPECT_EQ(Sum(NR_SHMEM), 16);
  Run("@c unmap s 0 32K");
  EXPECT_EQ(Sum(NR_SHMEM), 16);  // the file is mapped still
  Run("@c exit");
  EXPECT_EQ(Sum(NR_SHMEM), 0);
  EXPECT_EQ(machine_.kernel().files().files(), 0);
}

TEST_F(AddressSpaceOpsTest, DontneedOfSharedMemoryDropsTheEntriesOnly) {
  Run("spawn p\n@p map s 64K shmem\n@p touch s");
  const Pfn page = EntryAt("p", 0, 3).pfn();
  Run("@p advise s 0 64K dontneed");
  EXPECT_TRUE(EntryAt("p", 0, 3).none());
  EXPECT_EQ(Sum(NR_SHMEM), 16);
  Run("@p touch s 0 64K r");
  EXPECT_EQ(EntryAt("p", 0, 3).pfn(), page);
}

// ---- policies ----

TEST_F(AddressSpaceOpsTest, InterleavedPagesGoRoundTheNodes) {
  Run("spawn p\n@p map a 96K anon policy=interleave:0-2\n@p touch a");
  EXPECT_THAT(PagesByNode("p", 0, 24), ::testing::ElementsAre(8, 8, 8));
  EXPECT_EQ(Sum(INTERLEAVE_HIT), 24);
  // By page offset, whatever the order of the accesses.
  const int first = NodeOf(EntryAt("p", 0, 0));
  for (int i = 0; i < 24; ++i) EXPECT_EQ(NodeOf(EntryAt("p", 0, i)), (first + i) % 3);
}

TEST_F(AddressSpaceOpsTest, AVmasPolicyOverrulesTheTasks) {
  Run("spawn p\n@p policy bind:1\n@p map a 64K anon\n@p map b 64K anon policy=bind:2\n@p touch a\n@p touch "
      "b");
  EXPECT_THAT(PagesByNode("p", 0, 16), ::testing::ElementsAre(0, 16, 0));
  EXPECT_THAT(PagesByNode("p", 1, 16), ::testing::ElementsAre(0, 0, 16));
}

TEST_F(AddressSpaceOpsTest, BindRunsOutOfMemoryWhilePreferredManyGoesElsewhere) {
  Run("spawn p\n@p map a 80M anon policy=bind:1\nspawn q\n@q map b 80M anon policy=preferred_many:2");
  EXPECT_EQ(machine_.Run("@p touch a").error, Errno::kKilled);
  const OperationStats faults = machine_.memory().AllTimed()[Timed::kFaultBase];
  EXPECT_GT(faults.tried(), 15'000u);
  EXPECT_LT(faults.tried(), 64u * kMiB) << "it would have had to go elsewhere";
  const TouchCounts preferred = Touch("@q touch b");
  EXPECT_EQ(preferred.oom, 0);
  EXPECT_EQ(preferred.ok, 20'480);
  EXPECT_GT(machine_.counter(2, NR_ANON_PAGES), 15'000);
  EXPECT_GT(machine_.counter(0, NR_ANON_PAGES), 4'000);  // from then on where the CPU is
}

TEST_F(AddressSpaceOpsTest, PageTablesFollowTheTasksPolicyOnly) {
  Run("spawn p\n@p policy bind:2\n@p map a 64K anon policy=bind:1\n@p touch a");
  EXPECT_EQ(machine_.counter(2, NR_PAGE_TABLE_PAGES), 2);
  EXPECT_EQ(machine_.counter(1, NR_PAGE_TABLE_PAGES), 0);
}

TEST_F(AddressSpaceOpsTest, BindingLaterMovesNothingButWhatComes) {
  Run("spawn p\n@p map a 64K anon\n@p touch a 0 32K\n@p bind a bind:2\n@p touch a");
  EXPECT_THAT(PagesByNode("p", 0, 16), ::testing::ElementsAre(8, 0, 8));
}

TEST_F(AddressSpaceOpsTest, AChildInheritsThePolicyAndTheCpu) {
  Run("spawn p\n@p cpu 1\n@p policy bind:2\n@p fork c");
  EXPECT_EQ(machine_.process("c").cpu, CpuId{1});
  Run("@c map a 64K anon\n@c touch a");
  EXPECT_EQ(machine_.counter(2, NR_ANON_PAGES), 16);
}

// ---- processes ----

TEST_F(AddressSpaceOpsTest, ProcessIdsAreUsedAgain) {
  Run("spawn p\nspawn q\n@p exit\nspawn r");
  EXPECT_EQ(machine_.process("q").id, 1);
  EXPECT_EQ(machine_.process("r").id, 0);
}

}  // namespace
}  // namespace numasim
