// How far free memory is in one piece.
#include "models/compaction/contiguity.h"

#include <algorithm>
#include <string>
#include <vector>

#include "gmock/gmock.h"
#include "gtest/gtest.h"
#include "models/compaction/suitability.h"
#include "tests/models/test_machine.h"

namespace numasim {
namespace {

class ContiguityTest : public ::testing::Test {
 protected:
  ContiguityTest() : machine_(DescribedMachine({128 * kMiB})) {}

  const Zone& zone() { return machine_.zone(0, ZoneType::kDma32); }
  int64_t ValueOf(const std::string& name) {
    for (const auto& column : ContiguityColumns(machine_.memory())) {
      if (column.column.name == name) return column.column.Read();
    }
    ADD_FAILURE() << name;
    return -1;
  }

  TestMachine machine_;
};

TEST_F(ContiguityTest, OfAnEmptyMachineNearlyAllIsInOnePiece) {
  EXPECT_LT(UnusableIndex(zone(), 9), 50);
  EXPECT_EQ(UnusableIndex(zone(), 0), 0);
  EXPECT_GT(EmptiableShare(zone()), 900);
  EXPECT_EQ(ValueOf("node0.DMA32.unusable_index.order9"), UnusableIndex(zone(), 9));
  EXPECT_EQ(ValueOf("node0.DMA32.extfrag_index.order9"), -1000);
  EXPECT_EQ(ValueOf("node0.DMA32.emptiable_share"), EmptiableShare(zone()));
}

TEST_F(ContiguityTest, OfSinglePagesNothingIsUsableForMore) {
  const std::vector<Folio> taken = machine_.Fragment(NodeId{0});
  EXPECT_EQ(UnusableIndex(zone(), 0), 0);
  EXPECT_GT(UnusableIndex(zone(), 1), 950);
  EXPECT_GT(FragmentationIndex(zone(), 9), 900);
  EXPECT_EQ(EmptiableShare(zone()), 0);
  machine_.Release(CpuId{0}, taken);
}

TEST_F(ContiguityTest, WithNothingFreeAllIsUnusable) {
  const std::vector<Folio> taken = machine_.TakeAllOf(NodeId{0});
  Zone& whole = machine_.zone(0, ZoneType::kDma32);
  std::vector<FrameIndex> rest;
  for (FrameIndex frame; (frame = whole.AllocBuddy(0, Migratetype::kMovable, {})) != kNilFrame;)
    rest.push_back(frame);
  EXPECT_EQ(whole.buddy().free_pages(), 0);
  EXPECT_EQ(UnusableIndex(whole, 0), 1000);
  for (const FrameIndex frame : rest) whole.FreeBuddy(frame, 0);
  machine_.Release(CpuId{0}, taken);
}

TEST_F(ContiguityTest, WhatAProcessUsesCouldBeMovedAway) {
  const int before = EmptiableShare(zone());
  machine_.Run("spawn p\n@p map a 64M anon\n@p touch a\n@p advise a 0 64M dontneed 8K");
  EXPECT_GT(UnusableIndex(zone(), 9), 200);
  EXPECT_NEAR(EmptiableShare(zone()), before, 40);  // pageblocks of its page tables
  // Pinned pages stay where they are.
  machine_.Run("@p pin a 0 64M");
  EXPECT_LT(EmptiableShare(zone()), before - 400);
}

}  // namespace
}  // namespace numasim
