// Where files of shared memory are, and what their faults and migrations cost and meet.
#include <cstdint>
#include <functional>
#include <string>
#include <string_view>
#include <vector>

#include "gmock/gmock.h"
#include "gtest/gtest.h"
#include "models/contig/contig_range.h"
#include "models/mm/address_space_ops.h"
#include "models/page_cache/shmem.h"
#include "tests/models/test_machine.h"

namespace numasim {
namespace {

using ::testing::IsEmpty;

constexpr uint64_t kFaultAround = 16;  // pages
constexpr Vpn kFirst = AddressSpace::kStartOfSpace;

// Three nodes with a CPU each.
class SharedMachine {
 public:
  SharedMachine() : machine_(DescribedMachine({64 * kMiB, 64 * kMiB, 64 * kMiB})) {
    machine_.Run("machine nodes=3 node_mem=64M");
  }

 protected:
  ShmemFiles& files() { return machine_.kernel().files(); }
  const Costs& costs() { return machine_.memory().costs(); }
  // Of the process's first mapping.
  FileId FileOf(std::string_view process) {
    return machine_.process(process).space.vmas().begin()->second.file;
  }
  const Entry& EntryAt(std::string_view process, int64_t page) {
    return *machine_.process(process).space.page_table().FindEntry(kFirst + page);
  }

  // How long the process takes to access a page of its first mapping.
  sim::Duration TouchTakes(std::string_view name, uint64_t page, bool write) {
    Process& process = machine_.process(name);
    sim::Duration took{};
    RunOn(process, [&, page, write](sim::Path& path) -> sim::Task<void> {
      const sim::SimTime begin = path.now();
      const uint64_t at = (kFirst.value + page) << kPageShift;
      co_await machine_.ops().Touch(path, process, {at, at + kPageSize, kPageSize, write});
      took = path.now() - begin;
    });
    return took;
  }
  // Runs a path of the process, which holds its CPU, to its end.
  void RunOn(Process& process, std::function<sim::Task<void>(sim::Path&)> body) {
    sim::Cpu& cpu = machine_.memory().cpu(process.cpu);
    const NodeId node = machine_.memory().NodeOfCpu(process.cpu);
    machine_.RunPath(machine_.memory().node(node).lp, [&](sim::Path& path) -> sim::Task<void> {
      co_await cpu.Acquire(path);
      co_await body(path);
      cpu.Release(path);
    });
  }

  TestMachine machine_;
};

class SharedMemoryTest : public SharedMachine, public ::testing::Test {
 protected:
  void TearDown() override { EXPECT_THAT(machine_.Problems(), IsEmpty()); }
};

TEST_F(SharedMemoryTest, AFileIsAtHomeWhereItWasMade) {
  machine_.Run("spawn p\n@p cpu 2\n@p map s 64K shmem policy=bind:1\n@p touch s\n@p fork c\n@c cpu 1");
  EXPECT_EQ(FileOf("p").home, NodeId{2});
  EXPECT_EQ(FileOf("c"), FileOf("p"));
}

TEST_F(SharedMemoryTest, AReadFaultAtTheFilesHomeMakesNoHop) {
  machine_.Run("spawn p\n@p map s 256K shmem\n@p touch s\n@p advise s 0 256K dontneed");
  EXPECT_EQ(TouchTakes("p", 20, false), costs().fault + costs().map_page * kFaultAround);
  EXPECT_EQ(TouchTakes("p", 21, false), costs().touch) << "mapped with the other";
}

// As a kernel of 6.1 was recorded doing it, with shmem_enabled=deny: what the child had mapped after each
// line.
TEST_F(SharedMemoryTest, AReadFaultMapsWhatTheFileHasRoundItsPage) {
  struct Step {
    const char* line;
    int64_t kib;
  };
  machine_.Run("spawn p\n@p map s 1M shmem\n@p touch s 0 128K\n@p fork c");
  for (const Step& step : {
           Step{"@c touch s 20K 4K r", 64},
           {"@c touch s 0 64K r", 64},
           {"@p touch s 128K 16K\n@p touch s 160K 16K", 64},
           {"@c touch s 148K 4K r", 100},  // its own page is not there, these eight are
           {"@c touch s 128K 16K r", 100},
           {"@c touch s 160K 16K r", 100},
           {"@c touch s 64K 4K", 104},  // a write maps its own page only
           {"@c touch s 68K 4K r", 164},
           {"@c touch s 64K 64K r", 164},
       }) {
    machine_.Run(step.line);
    int64_t mapped = 0;
    machine_.process("c").space.page_table().Walk(Vpn{0}, AddressSpace::kNoRoom,
                                                  [&](Vpn, const Entry&, int) { ++mapped; });
    EXPECT_EQ(mapped * 4, step.kib) << step.line;
  }
}

TEST_F(SharedMemoryTest, AReadFaultElsewhereGoesToTheFilesHomeAndBack) {
  machine_.Run("spawn p\n@p map s 256K shmem\n@p touch s\n@p fork c\n@c cpu 1\n@c touch s 0 4K r");
  EXPECT_EQ(TouchTakes("c", 20, false), costs().fault + costs().hop * 2 + costs().map_page * kFaultAround);
}

TEST_F(SharedMemoryTest, ANewPageAtTheFilesHomeTakesNoHopEither) {
  machine_.Run("spawn p\n@p map s 256K shmem\n@p touch s 0 4K");
  const sim::Duration took = TouchTakes("p", 20, true);
  const sim::Duration without_refill =
      costs().fault + costs().pcp_alloc + costs().clear_page + costs().map_page;
  EXPECT_LT((took - without_refill).ns, costs().hop.ns);
}

// The parent stays on node 0 and lets go of it; the child goes to node 1.
TEST_F(SharedMemoryTest, AFileGoesWithItsLastMappingOnAnotherNodeAndThenItsNumberIsFree) {
  machine_.Run("spawn p\n@p map s 256K shmem\n@p touch s 0 128K\n@p fork c\n@c cpu 1\n@c touch s");
  const FileId file = FileOf("p");
  machine_.Run("@p unmap s");
  EXPECT_EQ(files().At(file).pages(), 64);
  EXPECT_THAT(machine_.Problems(), IsEmpty());
  machine_.Run("@p map t 4K shmem");
  EXPECT_NE(FileOf("p").value, file.value);
  machine_.Run("@c unmap s 0 128K");
  EXPECT_EQ(files().files(), 2);
  machine_.Run("@c unmap s");
  EXPECT_EQ(files().files(), 1);
  EXPECT_EQ(machine_.counter(0, NR_SHMEM) + machine_.counter(1, NR_SHMEM), 0);
  EXPECT_THAT(machine_.Problems(), IsEmpty());
  machine_.Run("@c map u 4K shmem\n@c touch u");
  EXPECT_EQ(FileOf("c"), (FileId{file.value, NodeId{1}})) << "at home on the node of its new maker";
}

TEST_F(SharedMemoryTest, AForkMapsFilesOfSeveralHomes) {
  machine_.Run(
      "spawn p\n@p map a 64K shmem\n@p touch a\n@p cpu 2\n@p map b 64K shmem\n@p touch b\n@p cpu 1\n"
      "@p map c 64K shmem\n@p touch c\n@p fork q");
  EXPECT_THAT(machine_.Problems(), IsEmpty());
  files().ForEachFile([](FileId, const ShmemFile& file) { EXPECT_EQ(file.mapping.mappers(), 2); });
  machine_.Run("@q touch a\n@q touch b\n@q touch c\n@p exit");
  EXPECT_EQ(files().files(), 3);
  machine_.Run("@q exit");
  EXPECT_EQ(files().files(), 0);
}

// ---- a page that moves while processes of other nodes fault it in ----

// A file of node 0, mapped on all nodes. A pageblock that has pages of it is taken while the process on node
// 1 faults these pages in and lets go of them, all the time.
class MovingFile : public SharedMachine {
 public:
  MovingFile() {
    machine_.Run(
        "spawn p\n@p map s 8M shmem\n@p touch s\n@p fork c\n@c cpu 1\n@p fork d\n@d cpu 2\n@d touch s");
    Mapping& file = files().At(FileOf("p"));
    block_ = Pfn{file.Lookup(1024).value / kPageblockPages * kPageblockPages};
    file.ForEachPage([&](uint64_t index, Pfn pfn) {
      if (InBlock(pfn)) in_block_.push_back(index);
    });
  }

  // Takes the block from so long after the first fault on.
  void Race(sim::Duration at) {
    machine_.engine().Start(machine_.memory().global_lp(), machine_.engine().now() + at, "range",
                            [&](sim::Path& path) -> sim::Task<void> { co_await TakeBlock(path); });
    RunOn(machine_.process("c"), [&](sim::Path& path) -> sim::Task<void> { co_await FaultIn(path); });
  }

  Errno error() const { return error_; }
  // Faults that ended while the block was being taken.
  int64_t meanwhile() const { return meanwhile_; }
  // Those whose entry, just set, is a migration entry already: they had found the page before the migration
  // locked it, and it was right behind them.
  int64_t behind() const { return behind_; }
  std::vector<std::string> Problems() { return machine_.Problems(); }
  // Pages of the file, or entries for them, that are in the block.
  int64_t LeftInBlock() {
    int64_t left = 0;
    files().At(FileOf("p")).ForEachPage([&](uint64_t, Pfn pfn) { left += InBlock(pfn); });
    for (const char* name : {"p", "c", "d"}) {
      machine_.process(name).space.page_table().Walk(
          Vpn{0}, AddressSpace::kNoRoom, [&](Vpn, const Entry& entry, int) { left += InBlock(entry.pfn()); });
    }
    return left;
  }

 private:
  bool InBlock(Pfn pfn) const { return pfn >= block_ && pfn < block_ + kPageblockPages; }

  sim::Task<void> TakeBlock(sim::Path& path) {
    started_ = true;
    const FrameOwner user{FrameOwner::kContig, 1, 0, 0};
    const ContigResult result = co_await machine_.contig().ranges().AllocRange(
        path, CpuId{0}, block_, kPageblockPages, Migratetype::kMovable, user);
    error_ = result.error;
    done_ = true;
  }

  sim::Task<void> FaultIn(sim::Path& path) {
    Process& c = machine_.process("c");
    while (!done_) {
      co_await machine_.ops().Advise(path, c, kFirst, kFirst + 8 * kMiB, Advice::kDontneed);
      for (size_t i = 0; i < in_block_.size() && !done_; i += kFaultAround) {
        const uint64_t at = (kFirst.value + in_block_[i]) << kPageShift;
        co_await machine_.ops().Touch(path, c, {at, at + kPageSize, kPageSize, false});
        if (!started_ || done_) continue;
        ++meanwhile_;
        if (EntryAt("c", static_cast<int64_t>(in_block_[i])).migrating()) ++behind_;
      }
    }
  }

  Pfn block_;
  std::vector<uint64_t> in_block_;  // offsets
  bool started_ = false;
  bool done_ = false;
  Errno error_ = Errno::kOk;
  int64_t meanwhile_ = 0;
  int64_t behind_ = 0;
};

TEST(SharedMemoryRaceTest, AFaultOnItsWayHomeIsFollowedByTheMigrationOfItsPage) {
  int64_t behind = 0;
  for (int64_t at = 0; at < 1500; at += 50) {
    MovingFile file;
    file.Race(sim::Nanoseconds(at));
    EXPECT_EQ(file.error(), Errno::kOk) << at;
    EXPECT_GT(file.meanwhile(), 0) << at;
    EXPECT_EQ(file.LeftInBlock(), 0) << at;
    EXPECT_THAT(file.Problems(), IsEmpty()) << at;
    behind += file.behind();
  }
  EXPECT_GT(behind, 0) << "no fault met the migration";
}

}  // namespace
}  // namespace numasim
