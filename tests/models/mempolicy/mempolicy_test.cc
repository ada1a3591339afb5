// Where policies want pages (mm/mempolicy.c, Linux 6.1).
#include "models/mempolicy/mempolicy.h"

#include <initializer_list>
#include <vector>

#include "gmock/gmock.h"
#include "gtest/gtest.h"

namespace numasim {
namespace {

using ::testing::ElementsAre;
using Mode = MemPolicy::Mode;

NodeMask Nodes(std::initializer_list<int> nodes) {
  NodeMask mask;
  for (int node : nodes) mask.Set(NodeId{node});
  return mask;
}
std::vector<int> Interleaved(NodeMask nodes, int pages) {
  std::vector<int> where;
  for (int i = 0; i < pages; ++i) where.push_back(InterleaveNode(nodes, static_cast<uint64_t>(i)).value);
  return where;
}

constexpr NodeId kLocal{2};

TEST(MemPolicyTest, DefaultAndLocalAreTheCpusNode) {
  for (Mode mode : {Mode::kDefault, Mode::kLocal}) {
    const Placement placement = PlaceNear({mode, {}}, kLocal);
    EXPECT_EQ(placement.preferred, kLocal);
    EXPECT_EQ(placement.allowed, NodeMask::All());
    EXPECT_FALSE(placement.interleave);
    EXPECT_FALSE(placement.retry_anywhere);
  }
}

TEST(MemPolicyTest, BindSearchesItsNodesFromTheCpusNodeOn) {
  const Placement placement = PlaceNear({Mode::kBind, Nodes({0, 3})}, kLocal);
  EXPECT_EQ(placement.preferred, kLocal);
  EXPECT_EQ(placement.allowed, Nodes({0, 3}));
  EXPECT_FALSE(placement.retry_anywhere);
}

TEST(MemPolicyTest, PreferredBeginsAtItsNodeAndMayGoAnywhere) {
  const Placement placement = PlaceNear({Mode::kPreferred, Nodes({3})}, kLocal);
  EXPECT_EQ(placement.preferred, NodeId{3});
  EXPECT_EQ(placement.allowed, NodeMask::All());
}

TEST(MemPolicyTest, PreferredManyTriesItsNodesFirst) {
  const Placement placement = PlaceNear({Mode::kPreferredMany, Nodes({1, 3})}, kLocal);
  EXPECT_EQ(placement.allowed, Nodes({1, 3}));
  EXPECT_TRUE(placement.retry_anywhere);
}

TEST(MemPolicyTest, InterleaveGoesRoundTheNodesByPageOffset) {
  EXPECT_THAT(Interleaved(Nodes({0, 1, 2}), 7), ElementsAre(0, 1, 2, 0, 1, 2, 0));
  EXPECT_THAT(Interleaved(Nodes({1, 3, 63}), 4), ElementsAre(1, 3, 63, 1));
  EXPECT_THAT(Interleaved(Nodes({5}), 3), ElementsAre(5, 5, 5));
  const Placement placement = PlaceInVma({Mode::kInterleave, Nodes({1, 3})}, kLocal, 3);
  EXPECT_EQ(placement.preferred, NodeId{3});
  EXPECT_EQ(placement.allowed, NodeMask::All());  // it may fall back
  EXPECT_TRUE(placement.interleave);
}

TEST(NodeMaskTest, NextAfterWrapsRound) {
  const NodeMask mask = Nodes({0, 2, 63});
  EXPECT_EQ(mask.NextAfter(NodeId{0}), NodeId{2});
  EXPECT_EQ(mask.NextAfter(NodeId{2}), NodeId{63});
  EXPECT_EQ(mask.NextAfter(NodeId{63}), NodeId{0});
  EXPECT_EQ(mask.NextAfter(NodeId{10}), NodeId{63});
  EXPECT_EQ(NodeMask().NextAfter(NodeId{1}), kNoNode);
  EXPECT_EQ(mask.count(), 3);
}

}  // namespace
}  // namespace numasim
