// What paths pledge that work on memory of their own node (models/mm/local_pledge.h): the LPs of two nodes
// hear of each other less often, and nothing is different. A pledge that is broken would end the test's run.
#include <cstdint>
#include <functional>

#include "gmock/gmock.h"
#include "gtest/gtest.h"
#include "models/mm/address_space_ops.h"
#include "models/mm/advice.h"
#include "sim/run_control.h"
#include "tests/models/test_machine.h"

namespace numasim {
namespace {

using ::testing::IsEmpty;

using Work = sim::Task<void>(sim::Path&, Process&);

class LocalPledgeTest : public ::testing::Test {
 protected:
  LocalPledgeTest() : machine_(DescribedMachine({256 * kMiB, 256 * kMiB})) {
    machine_.Run("spawn p\nspawn q\n@q cpu 1");
  }
  void TearDown() override { EXPECT_THAT(machine_.Problems(), IsEmpty()); }

  uint64_t AddressOf(Process& process) {
    return process.space.vmas().begin()->second.start.value << kPageShift;
  }
  sim::Task<void> Touch(sim::Path& path, Process& process, int64_t pages) {
    const uint64_t at = AddressOf(process);
    const auto bytes = static_cast<uint64_t>(pages) * kPageSize;
    touched_ += (co_await machine_.ops().Touch(path, process, {at, at + bytes, kPageSize, true})).ok;
  }

  sim::Task<void> GiveBack(sim::Path& path, Process& process, int64_t pages) {
    const Vpn at{AddressOf(process) >> kPageShift};
    const Errno error = co_await machine_.ops().Advise(path, process, at, at + pages, Advice::kDontneed);
    EXPECT_EQ(error, Errno::kOk);
  }

  // Runs `work` for both processes side by side. Returns how many windows that took.
  uint64_t WindowsOf(std::function<Work> work) {
    const uint64_t before = sim::WindowsRun(machine_.engine());
    for (const char* name : {"p", "q"}) {
      Process& process = machine_.process(name);
      const sim::LpId lp = machine_.memory().node(machine_.memory().NodeOfCpu(process.cpu)).lp;
      machine_.engine().Start(lp, machine_.engine().now(), name,
                              [&, work](sim::Path& path) -> sim::Task<void> {
                                sim::Cpu& cpu = machine_.memory().cpu(process.cpu);
                                co_await cpu.Acquire(path);
                                co_await work(path, process);
                                cpu.Release(path);
                              });
    }
    EXPECT_EQ(machine_.engine().Run().ToString(), "OK");
    return sim::WindowsRun(machine_.engine()) - before;
  }

  TestMachine machine_;
  int64_t touched_ = 0;
};

constexpr int64_t kPages = 32 * kMiB;

// Each takes thousands of windows where the LPs hear of each other at every refill, page table or batch: a
// page takes longer than two hops.
TEST_F(LocalPledgeTest, FillingForkingCopyingAndGivingBackMemoryOfTheNode) {
  machine_.Run("@p map a 64M anon\n@q map a 64M anon");
  EXPECT_LT(WindowsOf([&](auto& path, auto& process) { return Touch(path, process, kPages); }), 40u);
  EXPECT_EQ(touched_, 2 * kPages);

  machine_.Run("@p fork c\n@q fork d");
  EXPECT_LT(WindowsOf([&](auto& path, auto& process) { return Touch(path, process, kPages); }), 60u);
  EXPECT_EQ(touched_, 4 * kPages);
  machine_.Run("@c exit\n@d exit");

  EXPECT_LT(WindowsOf([&](auto& path, auto& process) { return GiveBack(path, process, kPages); }), 60u);
  EXPECT_EQ(machine_.process("p").space.page_table().Walk(Vpn{0}, AddressSpace::kNoRoom,
                                                          [](Vpn, const Entry&, int) { return false; }),
            AddressSpace::kNoRoom);
}

TEST_F(LocalPledgeTest, MemoryThatRunsShortOnTheNode) {
  machine_.Run("@p map a 300M anon\n@q map a 64M anon");
  EXPECT_GT(WindowsOf([&](auto& path, auto& process) {
              return Touch(path, process, process.cpu == CpuId{0} ? 300 * kMiB : 64 * kMiB);
            }),
            1'000u);
  EXPECT_EQ(touched_, 364 * kMiB);
  EXPECT_GT(machine_.counter(1, NUMA_MISS), 20 * kMiB);
}

TEST_F(LocalPledgeTest, PagesOfAnotherNode) {
  machine_.Run("@p map a 16M anon\n@q map a 16M anon\n@p touch a\n@q touch a\n@p move a 1\n@p fork c");
  // Each of these copies gives a page of node 1 back.
  EXPECT_GT(WindowsOf([&](auto& path, auto& process) { return Touch(path, process, 8 * kMiB); }), 1'000u);
  machine_.Run("@c exit\n@p exit\nspawn p\n@p map a 16M anon");
  WindowsOf([&](auto& path, auto& process) { return Touch(path, process, 16 * kMiB); });
}

// A migration comes in the midst of what was pledged.
TEST_F(LocalPledgeTest, PagesThatMoveMeanwhile) {
  machine_.Run("@p map a 64M anon\n@q map a 64M anon\n@p touch a\n@q touch a");
  Process& p = machine_.process("p");
  const Vpn begin = Vpn{AddressOf(p) >> kPageShift} + 14'000;
  MoveResult result;
  machine_.engine().Start(
      machine_.memory().node(NodeId{0}).lp, machine_.engine().now() + sim::Microseconds(100), "mover",
      [&](sim::Path& path) -> sim::Task<void> {
        result = co_await machine_.ops().MovePages(path, p, begin, begin + 2'000, NodeId{1});
      });
  WindowsOf([&](auto& path, auto& process) { return GiveBack(path, process, 64 * kMiB); });
  // Some had moved before they were given back, and of some it was the other way round.
  EXPECT_GT(result.moved, 0);
  EXPECT_GT(machine_.counter(1, PGMIGRATE_SUCCESS) + machine_.counter(0, PGMIGRATE_SUCCESS), 0);
}

}  // namespace
}  // namespace numasim
