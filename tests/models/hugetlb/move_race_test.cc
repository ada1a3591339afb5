// move_pages() of a huge page of a file while another process faults it in (mm/migrate.c, Linux 6.1).
#include <cstdint>
#include <string>

#include "absl/strings/str_join.h"
#include "gtest/gtest.h"
#include "tests/models/test_machine.h"

namespace numasim {
namespace {

// The page is copied for some 300 us; the fault begins before, meanwhile and after.
TEST(MoveRaceTest, AFaultOnThePageFindsItWhereItIsInTheEnd) {
  int during = 0;
  for (int64_t offset = 0; offset < 400'000; offset += 1'777) {
    TestMachine machine(DescribedMachine({64 * kMiB, 64 * kMiB}, 2));
    machine.Run(
        "machine nodes=2 node_mem=64M cpus_per_node=2\npool 2M all 4\nspawn p\nspawn q\n@q cpu 1\n"
        "@p map a 2M hugetlb-2M shared file=f\n@q map a 2M hugetlb-2M shared file=f\n@p touch a");
    MemorySystem& memory = machine.memory();
    Process& p = machine.process("p");
    Process& q = machine.process("q");
    const auto start = [&](Process& process, int64_t at, const sim::PathFn& body) {
      const CpuId cpu = process.cpu;
      machine.engine().Start(memory.node(NodeId{0}).lp, machine.engine().now() + sim::Nanoseconds(at),
                             "racer", [&memory, cpu, body](sim::Path& path) -> sim::Task<void> {
                               co_await memory.cpu(cpu).Acquire(path);
                               co_await body(path);
                               memory.cpu(cpu).Release(path);
                             });
    };
    MoveResult moved;
    bool moving = false;
    start(p, 20'000, [&](sim::Path& path) -> sim::Task<void> {
      moving = true;
      const Vpn begin = p.space.vmas().begin()->second.start;
      moved = co_await machine.ops().MovePages(path, p, begin, begin + kPageblockPages, NodeId{1},
                                               kPageblockOrder);
      moving = false;
    });
    start(q, offset, [&](sim::Path& path) -> sim::Task<void> {
      during += moving ? 1 : 0;
      const uint64_t begin = q.space.vmas().begin()->second.start.value << kPageShift;
      const TouchRequest touch{begin, begin + 1, kPageSize, true};
      co_await machine.ops().Touch(path, q, touch);
    });
    ASSERT_TRUE(machine.engine().Run().ok());
    ASSERT_EQ(absl::StrJoin(machine.Problems(), "\n"), "") << "offset " << offset;
    const Pfn page =
        p.space.page_table().FindHuge(p.space.vmas().begin()->second.start, kPageblockOrder)->pfn();
    EXPECT_EQ(q.space.page_table().FindHuge(q.space.vmas().begin()->second.start, kPageblockOrder)->pfn(),
              page)
        << "offset " << offset;
    // One that others map, too, stays where it is.
    EXPECT_EQ(memory.ZoneOf(page)->node(), NodeId{static_cast<int32_t>(moved.moved)}) << "offset " << offset;
  }
  EXPECT_GT(during, 100) << "faults while it moved";
}

// A contiguous range takes a page out of a mapping whose pages are just being moved to another node: whoever
// isolates a page first moves it.
TEST(MoveRaceTest, ARangeAndAMoveOfTheSameMappingBothEnd) {
  constexpr CpuId kCpuOfRange{1};
  constexpr FrameOwner kDriver{FrameOwner::kContig, 1, 0, 0};
  int met = 0;
  for (int number = 0; number < 48; number += 5) {
    TestMachine machine(DescribedMachine({256 * kMiB, 256 * kMiB}, 2));
    machine.Run(
        "machine nodes=2 node_mem=256M cpus_per_node=2\npool 2M all 120\nspawn p\n"
        "@p map a 96M hugetlb-2M policy=bind:0\n@p touch a");
    MemorySystem& memory = machine.memory();
    Process& p = machine.process("p");
    const Vpn begin = p.space.vmas().begin()->second.start;
    const Pfn page = p.space.page_table().FindHuge(begin + number * kPageblockPages, kPageblockOrder)->pfn();
    const sim::SimTime start = machine.engine().now();
    bool moving = false, ranging = false;
    machine.engine().Start(memory.node(NodeId{0}).lp, start, "range",
                           [&](sim::Path& path) -> sim::Task<void> {
                             ranging = true;
                             co_await machine.contig().ranges().AllocRange(
                                 path, kCpuOfRange, page, kPageblockPages, Migratetype::kMovable, kDriver);
                             ranging = false;
                           });
    machine.engine().Start(memory.node(NodeId{0}).lp, start + sim::Microseconds(100), "move",
                           [&](sim::Path& path) -> sim::Task<void> {
                             co_await memory.cpu(p.cpu).Acquire(path);
                             moving = true;
                             met += ranging ? 1 : 0;
                             co_await machine.ops().MovePages(path, p, begin, begin + 96 * kMiB, NodeId{1},
                                                              kPageblockOrder);
                             moving = false;
                             memory.cpu(p.cpu).Release(path);
                           });
    ASSERT_TRUE(machine.engine().Run(start + sim::Milliseconds(500)).ok());
    ASSERT_FALSE(moving || ranging) << "page " << number << ": each waits for the other";
    ASSERT_EQ(absl::StrJoin(machine.Problems(), "\n"), "") << "page " << number;
  }
  EXPECT_EQ(met, 10) << "the range was under way whenever the move began";
}

}  // namespace
}  // namespace numasim
