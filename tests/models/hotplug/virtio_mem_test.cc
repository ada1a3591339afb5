// A virtio-mem device that gives memory and takes it back (drivers/virtio/virtio_mem.c, Linux 6.1).
#include "models/hotplug/virtio_mem.h"

#include <cstdint>
#include <map>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include "absl/strings/str_cat.h"
#include "absl/strings/str_join.h"
#include "gmock/gmock.h"
#include "gtest/gtest.h"
#include "tests/models/test_machine.h"

namespace numasim {
namespace {

constexpr uint64_t kWhole = ~uint64_t{0};

// Counts the events of a kind.
class Counting : public sim::SampleSink {
 public:
  void OnSample(sim::SimTime, std::span<const int64_t>) override {}
  void OnRepeat(sim::SimTime, sim::Duration, int64_t) override {}
  void OnLog(const sim::LogRecord& record) override {
    if (record.kind == static_cast<int32_t>(LogKind::kContigFailed)) ++failed;
  }
  int failed = 0;
};

// Node 1 has 64 MiB of its own and a device of 512 MiB, half of it plugged.
class VirtioMemTest : public ::testing::Test {
 protected:
  VirtioMemTest() { Make(ZoneType::kNormal); }
  void Make(ZoneType type, int64_t plugged = 256 * kMiB) {
    MachineConfig config = DescribedMachine({64 * kMiB, 64 * kMiB});
    config.memory_device = MemoryDevice{NodeId{1}, type, 512 * kMiB, plugged};
    config.offline_patience_ns = 2'000'000;
    machine_ = std::make_unique<TestMachine>(config);
    machine_->Run("machine nodes=2 node_mem=64M");
    type_ = type;
  }
  void TearDown() override { EXPECT_EQ(absl::StrJoin(machine_->Problems(), "\n"), ""); }

  workloads::OpResult Run(std::string_view lines) { return machine_->Run(lines); }
  // Asks for a size in MiB; what is plugged afterwards, and why it is not what was asked for.
  int64_t Ask(int64_t mib) {
    const workloads::OpResult result = Run(absl::StrCat("virtio_mem ", mib, "M"));
    EXPECT_EQ(result.error, Errno::kOk);
    unmet_ = result.unmet;
    return *result.plugged >> 20;
  }
  VirtioMemDriver& device() { return *machine_->kernel().virtio_mem(); }
  Zone& zone() { return machine_->zone(1, type_); }
  int64_t Counted(VirtioMemCounter c) { return device().counter(c); }
  // Of the device's node.
  int64_t Blocks(HotplugCounter c) { return machine_->kernel().hotplug().outcomes(NodeId{1}).counters[c]; }
  // What kept memory, and how many pages.
  std::map<std::string, int64_t> Stayed() {
    std::map<std::string, int64_t> stayed;
    for (const auto& [obstacle, pages] : device().stayed()) stayed[obstacle.Text()] = pages;
    return stayed;
  }
  bool Exists(size_t block) { return machine_->memory().blocks().Find(device().IdOf(block)) != nullptr; }

  std::unique_ptr<TestMachine> machine_;
  ZoneType type_ = ZoneType::kNormal;
  Errno unmet_ = Errno::kOk;
};

TEST_F(VirtioMemTest, WholeBlocksComeAndGo) {
  EXPECT_EQ(Ask(512), 512);
  EXPECT_EQ(zone().managed(), 512 * kMiB);
  EXPECT_EQ(zone().buddy().free_pages(), 512 * kMiB);
  EXPECT_EQ(Ask(128), 128);
  EXPECT_TRUE(Exists(0));
  EXPECT_FALSE(Exists(1));
  EXPECT_EQ(zone().present(), 128 * kMiB);
  EXPECT_EQ(unmet_, Errno::kOk);
}

TEST_F(VirtioMemTest, AllOfItGoesAndComesAgain) {
  for (int i = 0; i < 3; ++i) {
    EXPECT_EQ(Ask(0), 0);
    EXPECT_EQ(zone().present(), 0);
    EXPECT_EQ(zone().managed(), 0);
    EXPECT_EQ(zone().watermarks().high, 0);
    for (size_t block = 0; block < device().blocks(); ++block) EXPECT_FALSE(Exists(block));
    EXPECT_EQ(Ask(512), 512);
    EXPECT_EQ(zone().buddy().free_pages(), 512 * kMiB);
  }
}

TEST_F(VirtioMemTest, WhatIsPluggedOfABlockIsUsableAndTheRestIsNot) {
  const int64_t total = machine_->memory().managed_pages();
  EXPECT_EQ(Ask(300), 300);
  EXPECT_EQ(device().PluggedOf(2), (uint64_t{1} << 22) - 1) << "44 MiB, from the low end up";
  EXPECT_EQ(zone().present(), 384 * kMiB);
  EXPECT_EQ(zone().managed(), 300 * kMiB);
  EXPECT_EQ(zone().buddy().free_pages(), 300 * kMiB);
  EXPECT_EQ(machine_->memory().managed_pages(), total + 44 * kMiB);
  EXPECT_EQ(Ask(310), 310);
  EXPECT_EQ(device().PluggedOf(2), (uint64_t{1} << 27) - 1) << "the rest of it comes first";
  EXPECT_EQ(zone().buddy().free_pages(), 310 * kMiB);
}

TEST_F(VirtioMemTest, BlocksPluggedInPartAreGivenBackFirst) {
  Ask(300);
  EXPECT_EQ(Ask(280), 280);
  EXPECT_EQ(device().PluggedOf(2), (uint64_t{1} << 12) - 1) << "from the high end down";
  EXPECT_EQ(device().PluggedOf(1), kWhole);
  EXPECT_EQ(Ask(250), 250);
  EXPECT_FALSE(Exists(2));
  EXPECT_EQ(device().PluggedOf(1), kWhole >> 3);
  EXPECT_EQ(zone().present(), 256 * kMiB);
  EXPECT_EQ(zone().managed(), 250 * kMiB);
}

TEST_F(VirtioMemTest, MemoryInUseMovesOutOfTheWay) {
  Run("spawn p\n@p map a 80M anon policy=bind:1\n@p touch a");
  EXPECT_EQ(Ask(128), 128);
  EXPECT_EQ(machine_->counter(1, NR_ANON_PAGES), 80 * kMiB);
  EXPECT_EQ(Run("@p touch a 0 80M 4K r").touch->ok, 80 * kMiB);
}

TEST_F(VirtioMemTest, FreeHugePagesAreReplacedAndThePoolStaysAsItIs) {
  Run("pool 2M node1 100");
  const HugetlbPool& pool = machine_->kernel().pool();
  EXPECT_EQ(Ask(176), 176);
  EXPECT_EQ(pool.hstate(HugeSize::k2M).counter(NR_HUGEPAGES), 100);
  EXPECT_EQ(pool.hstate(HugeSize::k2M).node(NodeId{1}).counters[FREE_HUGEPAGES], 100);
  EXPECT_GT(pool.counter(HTLB_REPLACED), 0);
}

// virtio_mem_fake_offline() ends at once where memory does not suffice.
TEST_F(VirtioMemTest, WithoutRoomForReplacementsItEndsWithEnomem) {
  Run("pool 2M node1 1000");
  const int64_t pages = machine_->kernel().pool().hstate(HugeSize::k2M).counter(NR_HUGEPAGES);
  EXPECT_GT(Ask(0), 0);
  EXPECT_EQ(unmet_, Errno::kNoMem);
  EXPECT_EQ(machine_->kernel().pool().hstate(HugeSize::k2M).counter(NR_HUGEPAGES), pages);
  EXPECT_EQ(machine_->kernel().pool().hstate(HugeSize::k2M).node(NodeId{0}).counters[NR_HUGEPAGES], 0);
}

// A range of ZONE_MOVABLE is tried five times, another one once.
TEST_F(VirtioMemTest, ZoneMovableIsTriedHarder) {
  for (const ZoneType type : {ZoneType::kNormal, ZoneType::kMovable}) {
    Make(type, 128 * kMiB);
    // All of the device's memory is in use and pinned.
    Run("spawn p\n@p map a 150M anon policy=bind:1\n@p touch a\n@p pin a");
    ASSERT_LT(zone().buddy().free_pages(), kPageblockPages);
    Counting events;
    machine_->engine().SetSampler(sim::kNever - sim::SimTime{}, &events);
    EXPECT_EQ(Ask(126), 128);
    EXPECT_EQ(unmet_, Errno::kBusy);
    // Each sub block; fewer than a whole block were asked for, so the block as a whole is not tried.
    EXPECT_EQ(events.failed, VirtioMemDriver::kSubBlocks * (type == ZoneType::kMovable ? 5 : 1));
    EXPECT_EQ(absl::StrJoin(machine_->Problems(), "\n"), "");
  }
}

TEST_F(VirtioMemTest, BusySubBlocksAreLeftAndTheOthersTaken) {
  Make(ZoneType::kNormal, 128 * kMiB);
  Run("spawn p\n@p map a 60M anon policy=bind:1\n@p touch a\n@p pin a");
  const int64_t in_use = zone().managed() - zone().buddy().free_pages() - zone().counter(PCP_PAGES);
  ASSERT_GT(in_use, 0);
  const int64_t plugged = Ask(0);
  EXPECT_EQ(unmet_, Errno::kBusy);
  EXPECT_GE(plugged * kMiB, in_use);
  EXPECT_LT(plugged, 128);
  Run("@p exit");
  EXPECT_EQ(Ask(0), 0);
  EXPECT_EQ(unmet_, Errno::kOk);
}

// ---- what comes and goes is counted in all ----

// Of 256 MiB to 512, 128 and 192: two blocks come, three go, and one of these comes again.
TEST_F(VirtioMemTest, WhatIsAskedForAndWhatComesAndGoesIsCounted) {
  Ask(512);
  Ask(128);
  Ask(192);
  EXPECT_EQ(Counted(VIRTIO_MEM_ASKED_MORE), (256 + 64) * kMiB);
  EXPECT_EQ(Counted(VIRTIO_MEM_GIVEN), (256 + 64) * kMiB);
  EXPECT_EQ(Counted(VIRTIO_MEM_ASKED_BACK), 384 * kMiB);
  EXPECT_EQ(Counted(VIRTIO_MEM_RETURNED), 384 * kMiB);
  EXPECT_EQ(Counted(VIRTIO_MEM_STAYED), 0);
  EXPECT_THAT(Stayed(), ::testing::IsEmpty());
  EXPECT_EQ(Blocks(OFFLINE_TRIED), 3);
  EXPECT_EQ(Blocks(OFFLINE_FAILED), 0);
  EXPECT_EQ(Blocks(BLOCKS_OFFLINED), 3);
  EXPECT_EQ(Blocks(BLOCKS_ONLINED), 2 + 1);
  EXPECT_GT(Counted(VIRTIO_MEM_UNPLUG_NS), 0);
  EXPECT_GT(Counted(VIRTIO_MEM_NS), Counted(VIRTIO_MEM_UNPLUG_NS));
}

// The block as a whole is tried first, and then each of its sub blocks: only that is what stayed.
TEST_F(VirtioMemTest, OfARequestThatIsNotMetCountsWhatWentAndWhatKeptTheRest) {
  Make(ZoneType::kMovable, 128 * kMiB);
  Run("spawn p\n@p map a 60M anon policy=bind:1\n@p touch a\n@p pin a");
  const int64_t left = Ask(0) * kMiB;
  ASSERT_EQ(unmet_, Errno::kBusy);
  ASSERT_GT(left, 0);
  ASSERT_LT(left, 128 * kMiB);
  EXPECT_EQ(Counted(VIRTIO_MEM_ASKED_BACK), 128 * kMiB);
  EXPECT_EQ(Counted(VIRTIO_MEM_RETURNED), 128 * kMiB - left);
  EXPECT_EQ(Counted(VIRTIO_MEM_STAYED), left) << "once, however often each is tried";
  EXPECT_THAT(Stayed(), ::testing::ElementsAre(::testing::Pair("anon,pinned", left)));
  EXPECT_EQ(Ask(0) * kMiB, left);
  EXPECT_EQ(Counted(VIRTIO_MEM_ASKED_BACK), 128 * kMiB + left) << "asked for again";
  EXPECT_EQ(Counted(VIRTIO_MEM_STAYED), 2 * left);
  Run("@p exit");
  EXPECT_EQ(Ask(0), 0);
  EXPECT_EQ(Counted(VIRTIO_MEM_RETURNED), 128 * kMiB);
  EXPECT_EQ(Counted(VIRTIO_MEM_ASKED_BACK), 128 * kMiB + 2 * left);
  EXPECT_EQ(Counted(VIRTIO_MEM_GIVEN), 0);
}

TEST_F(VirtioMemTest, WhereMemoryDoesNotSufficeThatIsWhatKeptTheRest) {
  Run("pool 2M node1 1000");
  EXPECT_GT(Ask(0), 0);
  ASSERT_EQ(unmet_, Errno::kNoMem);
  int64_t for_want_of_memory = 0;
  for (const auto& [obstacle, pages] : Stayed()) {
    if (obstacle.ends_with("ENOMEM")) for_want_of_memory += pages;
  }
  EXPECT_GT(for_want_of_memory, 0);
  EXPECT_LE(for_want_of_memory, Counted(VIRTIO_MEM_STAYED));
}

// ---- an administrator takes its blocks offline ----

TEST_F(VirtioMemTest, ABlockThatGoesOfflineAndComesAgainIsCountedOnceEach) {
  ASSERT_EQ(Run("offline_block node1 1").error, Errno::kOk);
  EXPECT_EQ(Counted(VIRTIO_MEM_RETURNED), 0) << "it is offline, but plugged";
  EXPECT_EQ(Ask(128), 128);
  EXPECT_EQ(Counted(VIRTIO_MEM_RETURNED), 128 * kMiB);
  EXPECT_EQ(Counted(VIRTIO_MEM_STAYED), 0);
  EXPECT_EQ(Ask(256), 256);
  EXPECT_EQ(Counted(VIRTIO_MEM_GIVEN), 128 * kMiB);
  EXPECT_EQ(Blocks(OFFLINE_TRIED), 1) << "it was offline already when the device gave it up";
  EXPECT_EQ(Blocks(BLOCKS_OFFLINED), 1);
  EXPECT_EQ(Blocks(BLOCKS_ONLINED), 1);
}

TEST_F(VirtioMemTest, ABlockThatIsOfflineStaysTheDevicesAndIsGivenBackFirst) {
  ASSERT_EQ(Run("offline_block node1 1").error, Errno::kOk);  // block 0 is that of the nodes' own memory
  ASSERT_FALSE(machine_->memory().blocks().Find(device().IdOf(0))->online);
  EXPECT_EQ(device().PluggedOf(0), kWhole);
  EXPECT_EQ(Ask(192), 192);
  EXPECT_EQ(device().PluggedOf(0), kWhole >> 32);
  EXPECT_EQ(device().PluggedOf(1), kWhole);
  EXPECT_EQ(zone().managed(), 128 * kMiB);
  EXPECT_EQ(Ask(128), 128);
  EXPECT_FALSE(Exists(0));
  EXPECT_EQ(Ask(256), 256);
  EXPECT_EQ(zone().managed(), 256 * kMiB) << "as a new one it comes online";
}

TEST_F(VirtioMemTest, SubBlocksOfABlockThatIsOfflineArePluggedAndStayOffline) {
  ASSERT_EQ(Ask(192), 192);
  ASSERT_EQ(device().PluggedOf(1), kWhole >> 32);
  ASSERT_EQ(Run("offline_block node1 2").error, Errno::kOk);
  const int64_t managed = machine_->memory().managed_pages();
  ASSERT_FALSE(machine_->memory().blocks().Find(device().IdOf(1))->online);
  EXPECT_EQ(zone().managed(), 128 * kMiB);
  EXPECT_EQ(Ask(224), 224);
  EXPECT_EQ(device().PluggedOf(1), kWhole >> 16);
  EXPECT_EQ(machine_->memory().managed_pages(), managed);
}

}  // namespace
}  // namespace numasim
