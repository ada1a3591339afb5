// The memory blocks of a machine, against what a real kernel's sysfs showed.
#include "models/physical/memory_blocks.h"

#include <cstdint>
#include <memory>
#include <vector>

#include "gtest/gtest.h"
#include "sim/engine.h"
#include "sim/locks.h"

namespace numasim {
namespace {

// Two nodes of 1 GiB with movablecore=1G, as recorded: a Movable zone at the top of each. And a device of
// 512 MiB above 4 GiB on node 1, of which 256 MiB are plugged.
class MemoryBlocksTest : public ::testing::Test {
 protected:
  MemoryBlocksTest() {
    Add({NodeId{0}, ZoneType::kDma, Pfn{1}, 4095, 3998, 3840});
    Add({NodeId{0}, ZoneType::kDma32, Pfn{4096}, 128000, 128000, 116682});
    Add({NodeId{0}, ZoneType::kMovable, Pfn{132096}, 130048, 130048, 125842});
    Add({NodeId{1}, ZoneType::kDma32, Pfn{262144}, 131072, 131072, 131072});
    Add({NodeId{1}, ZoneType::kMovable, Pfn{393216}, 131040, 131040, 126321,
         Zone::HotRange{Pfn{1048576}, 4 * kMemoryBlockPages, 2 * kMemoryBlockPages}});
    std::vector<Zone*> zones;
    for (const auto& zone : zones_) zones.push_back(zone.get());
    blocks_ = std::make_unique<MemoryBlocks>(zones);
  }
  void Add(const Zone::Extent& extent) {
    zones_.push_back(
        std::make_unique<Zone>(extent, 1, std::make_unique<sim::SpinLock>(engine_, lp_, "lock")));
  }
  // The number of the index-th online block of a node; -1 if there are not as many.
  int64_t Block(int node, int64_t index) {
    return blocks_->OnlineOfNode(NodeId{node}, index).value_or(MemoryBlockId{-1}).value;
  }
  void Offline(int64_t block) { blocks_->SetOnline(MemoryBlockId{block}, false); }

  sim::Engine engine_{sim::Engine::Options{}};
  sim::LpId lp_ = engine_.AddLp("node");
  std::vector<std::unique_ptr<Zone>> zones_;
  std::unique_ptr<MemoryBlocks> blocks_;
};

TEST_F(MemoryBlocksTest, OnlineBlocksOfANodeCountAsTheRecordedKernelCountedThem) {
  // offline_block node1 5, node1 4, node1 4 took these.
  EXPECT_EQ(Block(1, 5), 13);
  Offline(13);
  EXPECT_EQ(Block(1, 4), 12);
  Offline(12);
  EXPECT_EQ(Block(1, 4), 14);
}

TEST_F(MemoryBlocksTest, ANodesBlocksEndWhereItsMemoryDoes) {
  EXPECT_EQ(Block(0, 0), 0);
  EXPECT_EQ(Block(0, 7), 7);
  EXPECT_EQ(Block(0, 8), -1);
  EXPECT_EQ(Block(1, 0), 8);
  EXPECT_EQ(Block(1, 7), 15);
  // then the device's, from 4 GiB on
  EXPECT_EQ(Block(1, 8), 32);
  EXPECT_EQ(Block(1, 9), 33);
  EXPECT_EQ(Block(1, 10), -1);
  EXPECT_EQ(Block(0, -1), -1);
}

TEST_F(MemoryBlocksTest, BlocksWithHolesOrOfSeveralZonesDoNotGoOffline) {
  for (int64_t id = 0; id < 34; ++id) {
    const MemoryBlock* const block = blocks_->Find(MemoryBlockId{id});
    if (id > 15 && id < 32) {
      EXPECT_EQ(block, nullptr) << id;
      continue;
    }
    ASSERT_NE(block, nullptr) << id;
    // 0: DMA and DMA32, and the firmware's hole; 4: node 0's Movable begins in it; 15: its last 32 frames are
    // missing.
    const char* const holes = id == 0 || id == 15 ? "memory holes" : nullptr;
    EXPECT_STREQ(blocks_->ReasonToStay(MemoryBlockId{id}), id == 4 ? "multizone range" : holes) << id;
  }
  EXPECT_EQ(blocks_->Find(MemoryBlockId{0})->zone, nullptr);
  EXPECT_EQ(blocks_->Find(MemoryBlockId{0})->present, kMemoryBlockPages - 98);
  EXPECT_EQ(blocks_->Find(MemoryBlockId{4})->zone, nullptr);
  EXPECT_EQ(blocks_->Find(MemoryBlockId{15})->zone, zones_[4].get());
  EXPECT_EQ(blocks_->Find(MemoryBlockId{15})->present, kMemoryBlockPages - 32);
}

TEST_F(MemoryBlocksTest, ADevicesBlocksComeOfflineAndGo) {
  const MemoryBlockId id{34};
  EXPECT_EQ(blocks_->Find(id), nullptr);
  blocks_->Add(id, *zones_[4]);
  ASSERT_NE(blocks_->Find(id), nullptr);
  EXPECT_EQ(blocks_->Find(id)->zone, zones_[4].get());
  EXPECT_FALSE(blocks_->IsOnline(id.start()));
  EXPECT_EQ(Block(1, 10), -1);
  blocks_->SetOnline(id, true);
  EXPECT_TRUE(blocks_->IsOnline(id.start() + (kMemoryBlockPages - 1)));
  EXPECT_EQ(Block(1, 10), 34);
  blocks_->SetOnline(id, false);
  blocks_->Remove(id);
  EXPECT_EQ(blocks_->Find(id), nullptr);
}

TEST_F(MemoryBlocksTest, PresentPagesAreThoseOfTheZones) {
  int64_t blocks = 0;
  for (MemoryBlockId id{0}; id < blocks_->end(); ++id.value) {
    if (blocks_->Find(id) != nullptr) blocks += blocks_->Find(id)->present;
  }
  int64_t zones = 2 * kMemoryBlockPages;
  for (const auto& zone : zones_) zones += zone->extent().present;
  EXPECT_EQ(blocks, zones);
}

}  // namespace
}  // namespace numasim
