// Memory that comes and goes while the machine runs: what zones, reserves, nodes and the validator make of
// it.
#include <cstdint>
#include <string>
#include <vector>

#include "absl/strings/str_cat.h"
#include "gmock/gmock.h"
#include "google/protobuf/text_format.h"
#include "gtest/gtest.h"
#include "models/physical/memory_blocks.h"
#include "models/physical/memory_system.h"
#include "models/physical/zone.h"
#include "proto/scenario.pb.h"
#include "tests/models/test_machine.h"

namespace numasim {
namespace {

using ::testing::Contains;
using ::testing::ContainsRegex;
using ::testing::ElementsAre;
using ::testing::IsEmpty;

constexpr int64_t kGiB = 1024 * kMiB;

// Two nodes of 1 GiB; node 1 has a device of 1 GiB, half of it plugged.
MachineConfig WithDevice(ZoneType type = ZoneType::kMovable) {
  MachineConfig config = DescribedMachine({kGiB, kGiB});
  config.memory_device = MemoryDevice{NodeId{1}, type, kGiB, kGiB / 2};
  return config;
}

class HotplugTest : public ::testing::Test {
 protected:
  HotplugTest() : machine_(WithDevice()) {}
  Zone& device() { return machine_.zone(1, ZoneType::kMovable); }
  MemorySystem& memory() { return machine_.memory(); }

  // The hypervisor asks for `pages` of the device, and gets them.
  void Resize(int64_t pages) {
    const auto result = machine_.Run(absl::StrCat("virtio_mem ", pages * kPageSize));
    EXPECT_EQ(result.error, Errno::kOk);
    EXPECT_EQ(result.unmet, Errno::kOk);
  }

  TestMachine machine_;
};

TEST_F(HotplugTest, WhatIsPluggedAtBootIsThereFromTheLowestAddressOn) {
  // The first GiB boundary above all memory and above 4 GiB, where a PC's hole ends.
  EXPECT_EQ(device().extent().hot.start, Pfn{4 * kGiB});
  EXPECT_EQ(device().managed(), kGiB / 2);
  EXPECT_EQ(device().buddy().free_pages(), kGiB / 2);
  EXPECT_EQ(memory().ZoneOf(Pfn{5 * kGiB - 1}), &device());
  EXPECT_EQ(memory().ZoneOf(Pfn{5 * kGiB}), nullptr);
  EXPECT_EQ(memory().blocks().OnlineOfNode(NodeId{1}, 8), MemoryBlockId{32});
  EXPECT_EQ(memory().blocks().OnlineOfNode(NodeId{1}, 12), std::nullopt);
  EXPECT_THAT(machine_.Problems(), IsEmpty());
}

TEST_F(HotplugTest, ReservesAndTotalsFollowTheMemory) {
  const int64_t total = memory().managed_pages();
  const int64_t dma32_min = machine_.zone(1, ZoneType::kDma32).watermarks().min;
  Resize(kGiB);
  EXPECT_EQ(device().managed(), kGiB);
  EXPECT_EQ(memory().managed_pages(), total + kGiB / 2);
  EXPECT_EQ(memory().node(NodeId{0}).total_pages, total + kGiB / 2);
  EXPECT_LT(machine_.zone(1, ZoneType::kDma32).watermarks().min, dma32_min);
  EXPECT_EQ(machine_.zone(1, ZoneType::kDma32).lowmem_reserve()[static_cast<size_t>(ZoneType::kMovable)],
            kGiB / 256);
  EXPECT_THAT(machine_.Problems(), IsEmpty());
  Resize(0);
  EXPECT_EQ(device().present(), 0);
  EXPECT_EQ(memory().managed_pages(), total - kGiB / 2);
  EXPECT_EQ(machine_.zone(1, ZoneType::kDma32).lowmem_reserve()[static_cast<size_t>(ZoneType::kMovable)], 0);
  EXPECT_THAT(machine_.Problems(), IsEmpty());
}

TEST_F(HotplugTest, MemoryIsServedFromWhatIsPluggedNow) {
  machine_.Run("spawn p\n@p cpu 1\n@p map a 64M anon\n@p touch a");
  EXPECT_LT(device().buddy().free_pages(), kGiB / 2);  // ZONE_MOVABLE is first
  machine_.Run("@p exit");
  machine_.RunPath(memory().node(NodeId{1}).lp, [this](sim::Path&) -> sim::Task<void> {
    for (int cpu = 0; cpu < device().cpus(); ++cpu) device().DrainPcp(CpuId{cpu});
    co_return;
  });
  Resize(0);
  machine_.Run("spawn q\n@q cpu 1\n@q map a 64M anon\n@q touch a");
  EXPECT_EQ(machine_.counter(1, NUMA_MISS), 0);
  EXPECT_EQ(machine_.counter(1, NUMA_FOREIGN), 0);
  EXPECT_THAT(machine_.Problems(), IsEmpty());
  Resize(kMemoryBlockPages);
  machine_.Run("@q map b 16M anon\n@q touch b");
  EXPECT_LT(device().buddy().free_pages(), kMemoryBlockPages);
  EXPECT_THAT(machine_.Problems(), IsEmpty());
}

TEST_F(HotplugTest, MappingsAreRefusedAboveWhatIsThereNow) {
  EXPECT_EQ(machine_.Run("spawn p\n@p map a 2400M anon").error, Errno::kOk);
  Resize(0);
  EXPECT_EQ(machine_.Run("@p map b 2400M anon").error, Errno::kNoMem);
}

TEST_F(HotplugTest, TheValidatorSeesOfflineMemoryInUse) {
  memory().blocks().SetOnline(MemoryBlockId{33}, false);
  EXPECT_THAT(machine_.Problems(),
              Contains(ContainsRegex("Movable: pfn [0-9]+ is managed, but memory block 33 is offline")));
  EXPECT_THAT(machine_.Problems(), Contains(ContainsRegex("pages of memory blocks that are online is")));
}

TEST_F(HotplugTest, TheValidatorSeesWrongCounts) {
  device().AdjustManaged(1);
  EXPECT_THAT(machine_.Problems(), Contains(ContainsRegex("Movable: the count of managed pages is")));
  EXPECT_THAT(machine_.Problems(),
              Contains(ContainsRegex("managed pages that the reserves are computed from")));
  device().AdjustManaged(-1);
  device().AdjustPresent(1);
  EXPECT_THAT(machine_.Problems(), ElementsAre(ContainsRegex("pages of memory blocks that are online is"),
                                               ContainsRegex("node1: the count of its present pages is")));
}

TEST(HotplugZonesTest, ADevicesMemoryJoinsTheNodesNormalZoneAcrossAnotherNode) {
  // Node 0 is 4 to 5 GiB above its first 2, node 1 is 5 to 8 GiB: the device of node 0 lies above that.
  MachineConfig config = DescribedMachine({3 * kGiB, 3 * kGiB});
  config.memory_device = MemoryDevice{NodeId{0}, ZoneType::kNormal, kGiB, kGiB / 2};
  TestMachine machine(config);
  Zone& normal0 = machine.zone(0, ZoneType::kNormal);
  EXPECT_EQ(normal0.extent().hot.start, Pfn{8 * kGiB});
  EXPECT_EQ(machine.memory().ZoneOf(Pfn{4 * kGiB}), &normal0);
  EXPECT_EQ(machine.memory().ZoneOf(Pfn{6 * kGiB}), &machine.zone(1, ZoneType::kNormal));
  EXPECT_EQ(machine.memory().ZoneOf(Pfn{8 * kGiB}), &normal0);
  machine.Run("thp enabled never\nspawn p\n@p map a 3500M anon noreserve\n@p touch a");
  EXPECT_EQ(machine.counter(0, NUMA_MISS), 0);
  EXPECT_LT(normal0.buddy().free_pages(), kGiB / 2);
  EXPECT_THAT(machine.Problems(), IsEmpty());
}

// ---- what was in use at boot ----

MachineConfig WithBootUsers() {
  static constexpr const char* kZones[] = {
      R"(node: 0 name: 'Normal' start_pfn: 1048576 spanned: 65536 present: 65536 managed: 64000
         free_blocks { type: 'Movable' blocks: [0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 60] })",
      R"(node: 0 name: 'Movable' start_pfn: 1114112 spanned: 65536 present: 65536 managed: 64000
         free_blocks { type: 'Movable' blocks: [0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 60] })"};
  MachineConfig config = DescribedMachine({0});
  for (const char* text : kZones) {
    RecordedZone zone;
    EXPECT_TRUE(google::protobuf::TextFormat::ParseFromString(text, &zone));
    config.recorded_zones.push_back(zone);
  }
  return config;
}

TEST(BootUsersTest, NobodysMemoryOfZoneMovableIsSound) {
  TestMachine machine(WithBootUsers());
  machine.Run("spawn p\n@p map a 4M anon\n@p touch a");
  EXPECT_THAT(machine.Problems(), IsEmpty());
  machine.Run("@p exit");
  EXPECT_THAT(machine.Problems(), IsEmpty());
}

TEST(BootUsersTest, TheValidatorSeesItLostOrMappedBySomebody) {
  TestMachine machine(WithBootUsers());
  machine.Run("spawn p\n@p map a 4M anon\n@p touch a");
  Zone& zone = machine.zone(0, ZoneType::kMovable);
  const FrameIndex first = 0;  // the zone's low end is in use
  ASSERT_EQ(static_cast<int>(zone.frames().owner(first, 0).object), kBootUser);
  zone.frames().owner(first, 0).mapcount = 0;
  EXPECT_THAT(machine.Problems(),
              ElementsAre(ContainsRegex("mapcount of pfn 1114112, in use since boot is 0")));
  zone.frames().owner(first, 0).mapcount = 1;
  Process& p = machine.process("p");
  const auto& vma = p.space.vmas().begin()->second;
  Entry* const entry = p.space.page_table().FindEntry(vma.start);
  ASSERT_NE(entry, nullptr);
  *entry = Entry(zone.frames().PfnOf(first), Entry::kPresent | Entry::kWritable | Entry::kAnon);
  EXPECT_THAT(machine.Problems(), Contains(ContainsRegex("pfn 1114112, which is in use since boot")));
}

}  // namespace
}  // namespace numasim
