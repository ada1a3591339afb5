// Base pages that move while others use them, and move_pages() (mm/migrate.c, Linux 6.1).
#include "models/migrate/migration.h"

#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "absl/functional/function_ref.h"
#include "gmock/gmock.h"
#include "gtest/gtest.h"
#include "models/mm/address_space_ops.h"
#include "models/rmap/rmap.h"
#include "tests/models/failure_log.h"
#include "tests/models/test_machine.h"

namespace numasim {
namespace {

using ::testing::ElementsAre;
using ::testing::IsEmpty;

class MigrationTest : public ::testing::Test {
 protected:
  MigrationTest() : machine_(DescribedMachine({64 * kMiB, 64 * kMiB, 64 * kMiB})) {}
  void TearDown() override { EXPECT_THAT(machine_.Problems(), IsEmpty()); }

  // The entry of the page at `offset` pages into the process's n-th mapping.
  Entry EntryAt(std::string_view process, int mapping, int64_t offset) {
    const Vpn vpn{(static_cast<uint64_t>(mapping) + 1) << kPmdTableShift};
    const Entry* const entry = machine_.process(process).space.page_table().FindEntry(vpn + offset);
    return entry == nullptr ? Entry() : *entry;
  }
  int NodeAt(std::string_view process, int mapping, int64_t offset) {
    return machine_.memory().ZoneOf(EntryAt(process, mapping, offset).pfn())->node().value;
  }
  // Isolates the page and moves it to another node beside an operation, or others. Returns what became of it.
  struct Beside {
    Errno error = Errno::kOk;
    sim::SimTime ended;
  };
  Beside MoveBeside(Pfn pfn, int to, std::string_view line) {
    return MoveBeside(pfn, to, [this, line] { machine_.Run(line); });
  }
  Beside MoveBeside(Pfn pfn, int to, absl::FunctionRef<void()> others) {
    Beside result;
    MemorySystem& memory = machine_.memory();
    Zone& zone = *memory.ZoneOf(pfn);
    machine_.engine().Start(memory.node(zone.node()).lp, machine_.engine().now(), "mover",
                            [&, to](sim::Path& path) -> sim::Task<void> {
                              EXPECT_TRUE(Migrator::IsolateFromLru(zone, zone.frames().Index(pfn), 0));
                              std::vector<Folio> pages(1, Folio(pfn));
                              const MigrationTarget target{NodeId{to}};
                              result.error = co_await Mover().Migrate(path, CpuId{0}, pages, target);
                              co_await Mover().PutBack(path, CpuId{0}, pages);
                              result.ended = path.now();
                            });
    others();
    return result;
  }
  // The process writes to, or reads, a page of its first mapping, so much later than now.
  void TouchLater(std::string_view process, int64_t offset, sim::Duration delay, bool write = true) {
    Process& who = machine_.process(process);
    MemorySystem& memory = machine_.memory();
    const uint64_t begin =
        (uint64_t{1} << (kPmdTableShift + kPageShift)) + (static_cast<uint64_t>(offset) << kPageShift);
    machine_.RunPath(
        memory.node(memory.NodeOfCpu(who.cpu)).lp, [&, delay](sim::Path& path) -> sim::Task<void> {
          co_await path.Take(delay);
          co_await memory.cpu(who.cpu).Acquire(path);
          const TouchCounts counts =
              co_await machine_.ops().Touch(path, who, {begin, begin + kPageSize, kPageSize, write});
          EXPECT_EQ(counts.ok, 1);
          memory.cpu(who.cpu).Release(path);
        });
  }
  Migrator& Mover() { return machine_.kernel().migrator(); }

  TestMachine machine_;
};

TEST_F(MigrationTest, APageOfAFamilyMovesWithAllItsEntries) {
  machine_.Run("spawn p\n@p map a 64K anon\n@p touch a\n@p fork c\n@c fork g");
  const Pfn before = EntryAt("p", 0, 3).pfn();
  EXPECT_EQ(MoveBeside(before, 1, "sleep 1").error, Errno::kOk);
  const Entry moved = EntryAt("p", 0, 3);
  EXPECT_NE(moved.pfn(), before);
  EXPECT_EQ(NodeAt("p", 0, 3), 1);
  EXPECT_EQ(EntryAt("c", 0, 3), moved);
  EXPECT_EQ(EntryAt("g", 0, 3), moved);
  EXPECT_FALSE(moved.writable());
}

// The fault comes at each of many moments of the move; in some it finds a migration entry.
TEST_F(MigrationTest, AFaultWaitsAtAMigrationEntryAndIsMadeAgain) {
  int met = 0;
  for (int delay = 0; delay < 60; ++delay) {
    machine_.Run("spawn p\n@p map a 64K anon\n@p touch a\n@p fork c");
    const int64_t faults = machine_.counter(0, PGFAULT);
    const Beside move =
        MoveBeside(EntryAt("p", 0, 3).pfn(), 1, [&] { TouchLater("p", 3, sim::Nanoseconds(delay * 100)); });
    EXPECT_EQ(move.error, Errno::kOk) << delay;
    EXPECT_EQ(NodeAt("p", 0, 3), 0) << "a copy of its own";
    EXPECT_EQ(NodeAt("c", 0, 3), 1) << delay;
    if (machine_.counter(0, PGFAULT) > faults + 1) {
      ++met;
      EXPECT_GT(machine_.engine().now(), move.ended) << "it went on before the page was there";
    }
    EXPECT_THAT(machine_.Problems(), IsEmpty()) << delay;
    machine_.Run("@p exit\n@c exit");
  }
  EXPECT_GT(met, 0) << "the two did not meet";
}

// A read that has waited finds the page, and neither copies it nor makes it writable.
TEST_F(MigrationTest, AReadThatMeetsAMoveOnlyReads) {
  int met = 0;
  for (int delay = 0; delay < 60; ++delay) {
    machine_.Run(
        "spawn p\n@p map a 64K anon\n@p touch a\n@p fork c\n@c exit\n@p protect a 0 64K r\n"
        "spawn q\n@q map a 64K anon\n@q touch a\n@q fork d");
    for (const char* name : {"p", "q"}) {
      const int64_t faults = machine_.counter(0, PGFAULT);
      const Beside move = MoveBeside(EntryAt(name, 0, 3).pfn(), 1,
                                     [&] { TouchLater(name, 3, sim::Nanoseconds(delay * 100), false); });
      EXPECT_EQ(move.error, Errno::kOk) << delay;
      met += machine_.counter(0, PGFAULT) > faults;
      EXPECT_EQ(NodeAt(name, 0, 3), 1) << delay;
      EXPECT_FALSE(EntryAt(name, 0, 3).writable()) << delay;
    }
    EXPECT_EQ(EntryAt("q", 0, 3), EntryAt("d", 0, 3)) << delay;
    EXPECT_THAT(machine_.Problems(), IsEmpty()) << delay;
    machine_.Run("@p exit\n@q exit\n@d exit");
  }
  EXPECT_GT(met, 0) << "the two did not meet";
}

TEST_F(MigrationTest, AForkWaitsForThePagesThatMove) {
  machine_.Run("spawn p\n@p map a 64K anon\n@p touch a");
  const Pfn before = EntryAt("p", 0, 3).pfn();
  const Beside move = MoveBeside(before, 1, "@p fork c");
  EXPECT_EQ(move.error, Errno::kOk);
  EXPECT_EQ(NodeAt("p", 0, 3), 1);
  EXPECT_EQ(EntryAt("c", 0, 3), EntryAt("p", 0, 3));
}

// The child loses its migration entry while the page is on its way, and its parent has the page back before
// that is counted. The page is the parent's alone then, and a write needs no copy.
TEST_F(MigrationTest, AWriteToAPageThatSettlesWaitsForItsCount) {
  int met = 0;
  for (int delay = 0; delay < 120; ++delay) {
    machine_.Run("spawn p\n@p map a 4K anon\n@p touch a\n@p fork c\n@c cpu 2");
    bool lost = false;  // the child has no entry any more, and its parent does not have its own back
    bool back = false;  // the parent has, and the child never had
    sim::SimTime wrote;
    const Beside move = MoveBeside(EntryAt("p", 0, 0).pfn(), 1, [&] {
      MemorySystem& memory = machine_.memory();
      Process& p = machine_.process("p");
      Process& c = machine_.process("c");
      const sim::SimTime now = machine_.engine().now();
      machine_.engine().Start(memory.node(NodeId{2}).lp, now + sim::Nanoseconds(delay * 100), "unmap",
                              [&](sim::Path& path) -> sim::Task<void> {
                                co_await memory.cpu(c.cpu).Acquire(path);
                                const Vpn begin = c.space.vmas().begin()->second.start;
                                co_await machine_.ops().Unmap(path, c, begin, begin + 1);
                                memory.cpu(c.cpu).Release(path);
                              });
      machine_.RunPath(memory.node(NodeId{0}).lp, [&](sim::Path& path) -> sim::Task<void> {
        for (int step = 0; step < 400 && !back; ++step) {
          co_await path.Take(sim::Nanoseconds(50));
          lost = lost || (EntryAt("c", 0, 0).none() && EntryAt("p", 0, 0).migrating());
          back = lost && EntryAt("p", 0, 0).present();
        }
        if (!back) co_return;
        wrote = path.now();
        const uint64_t begin = p.space.vmas().begin()->second.start.value << kPageShift;
        co_await memory.cpu(p.cpu).Acquire(path);
        co_await machine_.ops().Touch(path, p, {begin, begin + 1});
        memory.cpu(p.cpu).Release(path);
      });
    });
    if (back) {
      met += wrote < move.ended;
      EXPECT_EQ(NodeAt("p", 0, 0), 1) << "it was copied, " << delay;
      EXPECT_TRUE(EntryAt("p", 0, 0).writable());
    }
    ASSERT_THAT(machine_.Problems(), IsEmpty()) << delay;
    machine_.Run("@p exit\n@c exit");
  }
  EXPECT_GT(met, 0) << "no write came in between";
}

TEST_F(MigrationTest, AnUnmapTakesAMigrationEntryAway) {
  machine_.Run("spawn p\n@p map a 64K anon\n@p touch a");
  const int64_t unused = machine_.UnusedPages();
  // Wherever the two meet, nothing is left.
  for (int delay = 0; delay < 40; ++delay) {
    machine_.Run("@p map b 4K anon\n@p touch b");
    Process& p = machine_.process("p");
    const Vpn vpn = p.space.vmas().rbegin()->second.start;
    const Pfn pfn = p.space.page_table().FindEntry(vpn)->pfn();
    Zone& zone = *machine_.memory().ZoneOf(pfn);
    bool met = false;
    machine_.engine().Start(machine_.memory().node(NodeId{0}).lp,
                            machine_.engine().now() + sim::Nanoseconds(delay * 50), "mover",
                            [&](sim::Path& path) -> sim::Task<void> {
                              met = Migrator::IsolateFromLru(zone, zone.frames().Index(pfn), 0);
                              if (!met) co_return;
                              std::vector<Folio> pages(1, Folio(pfn));
                              co_await Mover().Migrate(path, CpuId{0}, pages, {NodeId{1}});
                              co_await Mover().PutBack(path, CpuId{0}, pages);
                            });
    machine_.Run("@p unmap b");
    if (delay == 0) {
      EXPECT_TRUE(met);
    }
    EXPECT_EQ(machine_.UnusedPages(), unused) << delay;
    EXPECT_THAT(machine_.Problems(), IsEmpty()) << delay;
  }
}

TEST_F(MigrationTest, APinnedPageIsTriedTenTimesAndStaysWhereItIs) {
  machine_.Run("spawn p\n@p map a 64K anon\n@p touch a\n@p pin a 12K 4K");
  const Pfn before = EntryAt("p", 0, 3).pfn();
  const int64_t unused = machine_.UnusedPages();
  EXPECT_EQ(MoveBeside(before, 1, "sleep 1").error, Errno::kAgain);
  EXPECT_EQ(EntryAt("p", 0, 3).pfn(), before);
  EXPECT_TRUE(EntryAt("p", 0, 3).writable());
  EXPECT_EQ(machine_.counter(0, PGMIGRATE_FAIL), 1);
  EXPECT_EQ(machine_.counter(0, PGMIGRATE_SUCCESS), 0);
  EXPECT_EQ(machine_.UnusedPages(), unused) << "the target was freed";
}

TEST_F(MigrationTest, APageOfAFileMovesWithTheFileAndWhoMapsIt) {
  machine_.Run("spawn p\n@p map s 64K shmem\n@p touch s\n@p fork c\n@c touch s 12K 4K\n@c cpu 2");
  const Pfn before = EntryAt("p", 0, 3).pfn();
  ASSERT_EQ(EntryAt("c", 0, 3).pfn(), before);
  EXPECT_EQ(MoveBeside(before, 1, "sleep 1").error, Errno::kOk);
  EXPECT_EQ(NodeAt("p", 0, 3), 1);
  EXPECT_EQ(EntryAt("c", 0, 3).pfn(), EntryAt("p", 0, 3).pfn());
  machine_.Run("@c touch s 0 64K r");
  EXPECT_EQ(EntryAt("c", 0, 2).pfn(), EntryAt("p", 0, 2).pfn());
}

TEST_F(MigrationTest, AFaultOnAPageOfAFileThatMovesWaits) {
  int met = 0;
  for (int delay = 0; delay < 60; ++delay) {
    machine_.Run("spawn p\n@p map s 64K shmem\n@p touch s\n@p fork c");
    const int64_t faults = machine_.counter(0, PGFAULT);
    const Beside move =
        MoveBeside(EntryAt("p", 0, 3).pfn(), 1, [&] { TouchLater("c", 3, sim::Nanoseconds(delay * 100)); });
    EXPECT_EQ(move.error, Errno::kOk) << delay;
    EXPECT_EQ(NodeAt("p", 0, 3), 1) << delay;
    EXPECT_EQ(EntryAt("c", 0, 3).pfn(), EntryAt("p", 0, 3).pfn()) << delay;
    met += machine_.counter(0, PGFAULT) > faults + 1;
    EXPECT_THAT(machine_.Problems(), IsEmpty()) << delay;
    machine_.Run("@p exit\n@c exit");
  }
  EXPECT_GT(met, 0) << "the two did not meet";
}

// --- move_pages() ---

TEST_F(MigrationTest, MovePagesCountsByStatus) {
  machine_.Run("spawn p\n@p map a 64K anon\n@p touch a 0 32K\n@p touch a 48K 4K r");
  const workloads::OpResult result = machine_.Run("@p move a 1");
  EXPECT_EQ(result.error, Errno::kOk);
  EXPECT_EQ(result.moved->moved, 8);
  EXPECT_EQ(result.moved->not_moved, 8) << "no page, and the zero page";
  EXPECT_EQ(result.moved->absent, 8);
  EXPECT_EQ(result.moved->stayed(), 8);
  EXPECT_EQ(machine_.Run("@p move a 1").moved->moved, 8) << "there already";
  EXPECT_EQ(machine_.counter(0, PGMIGRATE_SUCCESS), 8);
}

TEST_F(MigrationTest, MovePagesLeavesWhatOthersMapToo) {
  machine_.Run("spawn p\n@p map a 64K anon\n@p touch a\n@p fork c\n@p touch a 0 16K");
  const workloads::OpResult result = machine_.Run("@p move a 2");
  EXPECT_EQ(result.moved->moved, 4);
  EXPECT_EQ(result.moved->not_moved, 12);
  EXPECT_EQ(result.moved->shared, 12);
  EXPECT_EQ(result.moved->stayed(), 12);
  EXPECT_EQ(NodeAt("p", 0, 0), 2);
  EXPECT_EQ(NodeAt("p", 0, 4), 0);
}

// Pages 0 to 3 are p's alone, 4 is absent, others map 5 to 7 too.
TEST_F(MigrationTest, MovePagesLogsHowManyPagesStayedAndWhy) {
  FailureLog log;
  machine_.engine().SetSampler(sim::Milliseconds(1), &log);
  machine_.Run(
      "spawn p\n@p map a 32K anon\n@p touch a\n@p fork c\n@p touch a 0 16K\n@p advise a 16K 4K dontneed\n"
      "@p move a 1");
  ASSERT_EQ(log.all.size(), 2u);
  const Failure& absent = log.all[0];
  EXPECT_EQ(absent.kind, LogKind::kMigrationFailed);
  EXPECT_EQ(absent.error, Errno::kNoEnt);
  EXPECT_EQ(absent.function, std::string("add_page_for_migration"));
  EXPECT_EQ(absent.preferred, NodeId{1});
  EXPECT_EQ(absent.pages, 1);
  EXPECT_EQ(log.all[1].error, Errno::kAcces);
  EXPECT_EQ(log.all[1].pages, 3);
  // A held page ends the call when the absent one ends its queue, and what is behind that stays.
  machine_.Run("@p pin a 0 4K\n@c exit\n@p move a 2");
  ASSERT_EQ(log.all.size(), 5u);
  EXPECT_EQ(log.all[2].error, Errno::kNoEnt);
  EXPECT_EQ(log.all[3].error, Errno::kAgain);
  EXPECT_EQ(log.all[3].function, std::string("unmap_and_move"));
  EXPECT_EQ(log.all[3].pages, 1);
  EXPECT_EQ(log.all[4].function, std::string("do_pages_move"));
  EXPECT_EQ(log.all[4].reason, std::string("not tried"));
  EXPECT_EQ(log.all[4].pages, 3);
}

TEST_F(MigrationTest, MovePagesOfAFileCountsItsEntries) {
  machine_.Run("spawn p\n@p map s 64K shmem\n@p touch s\n@p fork c\n@c touch s 0 16K");
  const workloads::OpResult result = machine_.Run("@p move s 2");
  EXPECT_EQ(result.moved->moved, 12);
  EXPECT_EQ(result.moved->not_moved, 4);
  EXPECT_EQ(result.moved->shared, 4);
  EXPECT_EQ(NodeAt("p", 0, 0), 0);
  EXPECT_EQ(NodeAt("p", 0, 15), 2);
}

TEST_F(MigrationTest, MovePagesOfPagesOfSeveralNodes) {
  machine_.Run("spawn p\n@p map a 1M anon policy=interleave:0-2\n@p touch a");
  EXPECT_EQ(machine_.Run("@p move a 1").moved->moved, 256);
  for (int64_t i = 0; i < 256; ++i) EXPECT_EQ(NodeAt("p", 0, i), 1);
}

// The statuses of the pages that were queued with the one that failed are never written, nor those behind.
TEST_F(MigrationTest, AHeldPageEndsMovePagesWithoutAnError) {
  machine_.Run("spawn p\n@p map a 64K anon\n@p touch a\n@p pin a 32K 4K");
  const workloads::OpResult result = machine_.Run("@p move a 1");
  EXPECT_EQ(result.error, Errno::kOk);
  EXPECT_EQ(result.moved->moved, 0);
  EXPECT_EQ(result.moved->not_moved, 16);
  EXPECT_EQ(result.moved->held, 1);
  EXPECT_EQ(result.moved->stayed(), 1);
  EXPECT_EQ(NodeAt("p", 0, 0), 1) << "moved, though the status does not say so";
  EXPECT_EQ(NodeAt("p", 0, 8), 0);
  // A status that was never written reads as node 0.
  const workloads::OpResult back = machine_.Run("@p move a 0");
  EXPECT_EQ(back.moved->moved, 16);
}

TEST_F(MigrationTest, AHeldPageDoesNotKeepThoseOfOtherNodes) {
  machine_.Run("spawn p\n@p map a 64K anon policy=interleave:0,2\n@p touch a\n@p pin a 0 4K");
  EXPECT_EQ(machine_.Run("@p move a 1").moved->moved, 0);
  EXPECT_EQ(NodeAt("p", 0, 0), 0);
  for (int64_t i = 1; i < 16; ++i) EXPECT_EQ(NodeAt("p", 0, i), 1) << i;
}

TEST_F(MigrationTest, WithoutRoomMovePagesSaysSo) {
  machine_.Run("spawn p\n@p map a 1M anon policy=bind:0\n@p touch a");
  const std::vector<Folio> all = machine_.TakeAllOf(NodeId{1});
  const workloads::OpResult result = machine_.Run("@p move a 1");
  EXPECT_EQ(result.error, Errno::kNoMem);
  EXPECT_EQ(result.moved->moved, 0);
  machine_.Release(CpuId{0}, all);
}

TEST_F(MigrationTest, NothingMovesToANodeWithoutMemory) {
  TestMachine machine(DescribedMachine({64 * kMiB, 64 * kMiB, 0}));
  machine.Run("pool 2M node0 1\nspawn p\n@p map a 64K anon\n@p touch a\n@p map h 2M hugetlb-2M\n@p touch h");
  for (const char* line : {"@p move a 2", "@p move h 2"}) {
    const workloads::OpResult result = machine.Run(line);
    EXPECT_EQ(result.error, Errno::kNoDev) << line;
    EXPECT_EQ(result.moved->moved, 0) << line;
  }
  EXPECT_THAT(machine.Problems(), IsEmpty());
}

// --- rmap ---

// A walk visits those that may map a page and nobody else, wherever they are.
TEST_F(MigrationTest, AWalkVisitsOnlyWhoMayMapThePages) {
  machine_.Run(
      "spawn p\n@p map a 64K anon\n@p touch a\n@p fork c\n@c touch a 0 4K\n@c fork g\n"
      "@g cpu 1\nspawn x\n@x map a 64K anon\n@x touch a\n@c cpu 2");
  Rmap rmap(machine_.memory(), machine_.kernel().processes(), machine_.kernel().files());
  const auto visited = [&](Pfn pfn) {
    const Zone& zone = *machine_.memory().ZoneOf(pfn);
    const std::vector<FrameOwner> owners(1, zone.frames().owner(zone.frames().Index(pfn), 0));
    std::vector<Rmap::Group> groups = Rmap::ByOwner(owners);
    std::vector<std::string> names;
    machine_.RunPath(machine_.memory().global_lp(), [&](sim::Path& path) -> sim::Task<void> {
      rmap.Find(groups);
      co_await rmap.Walk(path, groups, [&](Process& process, const Rmap::Group&) {
        names.push_back(process.name);
        return true;
      });
    });
    return names;
  };
  EXPECT_THAT(visited(EntryAt("p", 0, 5).pfn()),
              ::testing::UnorderedElementsAre("test/p", "test/c", "test/g"));
  EXPECT_THAT(visited(EntryAt("c", 0, 0).pfn()), ::testing::UnorderedElementsAre("test/c", "test/g"));
  EXPECT_THAT(visited(EntryAt("x", 0, 0).pfn()), ElementsAre("test/x"));
}

}  // namespace
}  // namespace numasim
