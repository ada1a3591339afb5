// HugeTLB pages that move while others use them (unmap_and_move_huge_page, mm/migrate.c, Linux 6.1).
#include <string_view>
#include <vector>

#include "absl/functional/function_ref.h"
#include "absl/strings/str_cat.h"
#include "gmock/gmock.h"
#include "gtest/gtest.h"
#include "models/migrate/migration.h"
#include "models/mm/address_space_ops.h"
#include "tests/models/test_machine.h"

namespace numasim {
namespace {

using ::testing::IsEmpty;

constexpr Vpn kFirst{uint64_t{1} << kPmdTableShift};  // where a process's first mapping is

class HugeMigrationTest : public ::testing::Test {
 protected:
  HugeMigrationTest() : machine_(DescribedMachine({64 * kMiB, 64 * kMiB})) {
    machine_.Run("pool 2M node0 6\npool 2M node1 6");
  }
  void TearDown() override { EXPECT_THAT(machine_.Problems(), IsEmpty()); }

  Entry EntryOf(std::string_view process) {
    const Entry* const entry = machine_.process(process).space.page_table().FindHuge(kFirst, kPageblockOrder);
    return entry == nullptr ? Entry() : *entry;
  }
  int NodeOf(std::string_view process) {
    return machine_.memory().ZoneOf(EntryOf(process).pfn())->node().value;
  }
  int64_t free() { return machine_.kernel().pool().hstate(HugeSize::k2M).counter(FREE_HUGEPAGES); }

  // For each of many moments of a move of p's page to node 1: begins anew with the lines, does the operation
  // at that moment, and checks.
  struct Meeting {
    Errno error = Errno::kOk;  // of the move
    bool migrating = false;    // p's entry was a migration entry when the operation began
    Pfn before;                // where the page was
  };
  void AtEachMoment(std::string_view lines, std::string_view who,
                    absl::FunctionRef<sim::Task<void>(sim::Path&, Process&)> operation,
                    absl::FunctionRef<void(const Meeting&)> check) {
    for (int64_t delay = 0; delay < 400'000; delay += 7'100) {
      machine_.Run(lines);
      const Meeting meeting = Meet(sim::Nanoseconds(delay), who, operation);
      SCOPED_TRACE(delay);
      check(meeting);
      ASSERT_THAT(machine_.Problems(), IsEmpty());
      for (const char* const name : {"p", "q"}) {
        machine_.Run(absl::StrCat("@", name, " exit"));
      }
      machine_.Run("unlink_hugetlb f");
      ASSERT_EQ(free(), 12);
    }
  }

 private:
  Meeting Meet(sim::Duration delay, std::string_view who,
               absl::FunctionRef<sim::Task<void>(sim::Path&, Process&)> operation) {
    Meeting meeting;
    meeting.before = EntryOf("p").pfn();
    MemorySystem& memory = machine_.memory();
    Process& process = machine_.process(who);
    const sim::SimTime now = machine_.engine().now();
    machine_.engine().Start(memory.node(NodeId{0}).lp, now, "mover", [&](sim::Path& path) -> sim::Task<void> {
      const sim::LpId home = path.lp();
      co_await path.HopTo(memory.global_lp(), memory.costs().hop);
      EXPECT_TRUE(co_await machine_.kernel().pool().Isolate(path, meeting.before));
      co_await path.HopTo(home, memory.costs().hop);
      std::vector<Folio> pages(1, Folio(meeting.before, kPageblockOrder));
      Migrator& migrator = machine_.kernel().migrator();
      meeting.error =
          co_await migrator.Migrate(path, CpuId{0}, pages, {NodeId{1}, NodeMask::Of(NodeId{1}), true});
      co_await migrator.PutBack(path, CpuId{0}, pages);
    });
    machine_.engine().Start(memory.node(NodeId{0}).lp, now, "other", [&](sim::Path& path) -> sim::Task<void> {
      co_await path.Take(delay);
      co_await memory.cpu(process.cpu).Acquire(path);
      meeting.migrating = EntryOf("p").migrating();
      co_await operation(path, process);
      memory.cpu(process.cpu).Release(path);
    });
    EXPECT_TRUE(machine_.engine().Run().ok());
    return meeting;
  }

 protected:
  sim::Task<void> Touch(sim::Path& path, Process& process) {
    const uint64_t begin = kFirst.value << kPageShift;
    const TouchCounts counts = co_await machine_.ops().Touch(path, process, {begin, begin + 1});
    EXPECT_EQ(counts.ok, 1);
  }

  TestMachine machine_;
};

TEST_F(HugeMigrationTest, AnAccessWaitsAtAMigrationEntry) {
  int met = 0;
  AtEachMoment(
      "spawn p\n@p map a 2M hugetlb-2M policy=bind:0\n@p touch a\nspawn q", "p",
      [&](sim::Path& path, Process& p) -> sim::Task<void> {
        const bool waits = EntryOf("p").migrating();
        const Pfn before = EntryOf("p").pfn();
        co_await Touch(path, p);
        if (waits) {
          EXPECT_NE(EntryOf("p").pfn(), before) << "it went on before the page was there";
        }
      },
      [&](const Meeting& meeting) {
        met += meeting.migrating;
        EXPECT_EQ(meeting.error, Errno::kOk);
        EXPECT_EQ(NodeOf("p"), 1);
        EXPECT_TRUE(EntryOf("p").writable());
      });
  EXPECT_GT(met, 20) << "the two did not meet";
}

// p and q share a page by fork. The move waits for the copy that p makes of it, or p for the move.
TEST_F(HugeMigrationTest, ACopyOnWriteAndAMoveComeOneAfterTheOther) {
  int met = 0;
  AtEachMoment(
      "spawn p\n@p map a 2M hugetlb-2M policy=bind:0\n@p touch a\n@p fork q", "p",
      [&](sim::Path& path, Process& p) { return Touch(path, p); },
      [&](const Meeting& meeting) {
        met += meeting.migrating;
        EXPECT_TRUE(EntryOf("p").writable());
        EXPECT_FALSE(EntryOf("q").writable());
        EXPECT_NE(EntryOf("p").pfn(), EntryOf("q").pfn());
        EXPECT_EQ(NodeOf("p"), 0) << "its copy is where its policy says";
        EXPECT_EQ(EntryOf("q").pfn() != meeting.before, meeting.error == Errno::kOk);
      });
  EXPECT_GT(met, 20) << "the two did not meet";
}

TEST_F(HugeMigrationTest, AForkWaitsForThePageThatMoves) {
  int met = 0;
  AtEachMoment(
      "spawn p\n@p map a 2M hugetlb-2M policy=bind:0\n@p touch a\nspawn q", "p",
      [&](sim::Path& path, Process& p) -> sim::Task<void> {
        Process child("c");
        EXPECT_EQ(co_await machine_.ops().Fork(path, p, child), Errno::kOk);
        const Entry* const entry = child.space.page_table().FindHuge(kFirst, kPageblockOrder);
        EXPECT_TRUE(entry != nullptr && entry->present() && entry->pfn() == EntryOf("p").pfn());
        co_await machine_.ops().Exit(path, child);
      },
      [&](const Meeting& meeting) { met += meeting.migrating; });
  EXPECT_GT(met, 20) << "the two did not meet";
}

// Who pins a page first keeps it where it is; who comes later waits, and pins what it has become.
TEST_F(HugeMigrationTest, APinHoldsThePageOrWaitsForIt) {
  int met = 0, held = 0;
  AtEachMoment(
      "spawn p\n@p map a 2M hugetlb-2M policy=bind:0\n@p touch a\nspawn q", "p",
      [&](sim::Path& path, Process& p) -> sim::Task<void> {
        EXPECT_EQ((co_await machine_.ops().Pin(path, p, kFirst, kFirst + 1)).error, Errno::kOk);
      },
      [&](const Meeting& meeting) {
        met += meeting.migrating;
        const bool moved = meeting.error == Errno::kOk;
        held += moved ? 0 : 1;
        EXPECT_EQ(NodeOf("p"), moved ? 1 : 0);
        EXPECT_EQ(machine_.process("p").pins.front().huge.front(), EntryOf("p").pfn());
      });
  EXPECT_GT(met, 20) << "the two did not meet";
  EXPECT_GT(held, 0) << "no pin came first";
}

TEST_F(HugeMigrationTest, WhatIsUnmappedWhileItMovesIsFreed) {
  int met = 0;
  AtEachMoment(
      "spawn p\n@p map a 2M hugetlb-2M policy=bind:0\n@p touch a\nspawn q", "p",
      [&](sim::Path& path, Process& p) -> sim::Task<void> {
        EXPECT_EQ(co_await machine_.ops().Unmap(path, p, kFirst, kFirst + kPageblockPages), Errno::kOk);
      },
      [&](const Meeting& meeting) {
        met += meeting.migrating;
        EXPECT_EQ(free(), 12);
      });
  EXPECT_GT(met, 20) << "the two did not meet";
}

// A page of a file is locked while it moves: who faults it in finds it where it is in the end.
TEST_F(HugeMigrationTest, AFaultWaitsForTheLockOfAFilesPage) {
  int met = 0;
  AtEachMoment(
      "spawn p\n@p map a 2M hugetlb-2M shared file=f policy=bind:0\n@p touch a\n"
      "spawn q\n@q map a 2M hugetlb-2M shared file=f",
      "q", [&](sim::Path& path, Process& q) { return Touch(path, q); },
      [&](const Meeting& meeting) {
        met += meeting.migrating;
        EXPECT_EQ(EntryOf("q"), EntryOf("p"));
        EXPECT_EQ(NodeOf("p"), meeting.error == Errno::kOk ? 1 : 0);
      });
  EXPECT_GT(met, 20) << "the two did not meet";
}

TEST_F(HugeMigrationTest, ATruncationWaitsForTheLockOfAFilesPage) {
  int met = 0;
  AtEachMoment(
      "spawn p\n@p map a 2M hugetlb-2M shared file=f policy=bind:0\n@p touch a\nspawn q", "p",
      [&](sim::Path& path, Process& p) -> sim::Task<void> {
        const FileId file = p.space.Find(kFirst)->file;
        EXPECT_EQ(co_await machine_.kernel().hugetlb().Truncate(path, file, 0, p.cpu), Errno::kOk);
      },
      [&](const Meeting& meeting) {
        met += meeting.migrating;
        EXPECT_EQ(EntryOf("p"), Entry());
        EXPECT_EQ(free(), 12);
      });
  EXPECT_GT(met, 20) << "the two did not meet";
}

}  // namespace
}  // namespace numasim
