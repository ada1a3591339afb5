#include "workloads/batch/node_placement.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <string>

#include "absl/strings/str_cat.h"

namespace numasim::workloads {
namespace {

// "0: 2000 10, 1: 0 5": node, thousandths of CPUs and bytes of each place.
std::string Text(const NodePlacement::Places& places) {
  std::string text;
  for (const NodePlacement::Place& place : places)
    absl::StrAppend(&text, text.empty() ? "" : ", ", place.node.value, ": ", place.room.millicpus, " ",
                    place.room.bytes);
  return text;
}

// Two nodes of 4 CPUs and 100 bytes.
NodePlacement Two(JobPlacement placement) { return NodePlacement(placement, {{4000, 100}, {4000, 100}}); }

TEST(NodePlacementTest, PackFillsANodeBeforeTheNext) {
  NodePlacement nodes = Two(JobPlacement::kPack);
  EXPECT_EQ(Text(nodes.Book({1000, 10})), "0: 1000 10");
  EXPECT_EQ(Text(nodes.Book({2000, 10})), "0: 2000 10");
  EXPECT_EQ(Text(nodes.Book({2000, 10})), "1: 2000 10");
  EXPECT_EQ(Text(nodes.Book({1000, 10})), "0: 1000 10");
}

TEST(NodePlacementTest, SpreadTakesTheNodeWithMostFreeCpus) {
  NodePlacement nodes = Two(JobPlacement::kSpread);
  EXPECT_EQ(Text(nodes.Book({1000, 10})), "0: 1000 10");
  EXPECT_EQ(Text(nodes.Book({2000, 10})), "1: 2000 10");
  EXPECT_EQ(Text(nodes.Book({1000, 10})), "0: 1000 10");
}

TEST(NodePlacementTest, NodeWithoutTheMemoryIsPassedOver) {
  NodePlacement nodes = Two(JobPlacement::kPack);
  nodes.Book({1000, 95});
  EXPECT_EQ(Text(nodes.Book({1000, 10})), "1: 1000 10");
}

TEST(NodePlacementTest, WideJobHasMemoryInProportionToItsCpus) {
  NodePlacement nodes = Two(JobPlacement::kPack);
  nodes.Book({2000, 0});
  EXPECT_EQ(Text(nodes.Book({6000, 90})), "1: 4000 60, 0: 2000 30");
}

TEST(NodePlacementTest, MemoryThatTheCpusNodesLackComesFromOthers) {
  NodePlacement nodes = Two(JobPlacement::kPack);
  EXPECT_EQ(Text(nodes.Book({1000, 150})), "0: 1000 100, 1: 0 50");
  // What is returned is there again.
  NodePlacement again = Two(JobPlacement::kPack);
  again.Return(again.Book({1000, 150}));
  EXPECT_EQ(Text(again.Book({4000, 100})), "0: 4000 100");
  EXPECT_EQ(Text(again.Book({4000, 100})), "1: 4000 100");
}

TEST(NodePlacementTest, MachineThatIsBookedOutIsBookedBeyond) {
  NodePlacement nodes = Two(JobPlacement::kPack);
  nodes.Book({4000, 100});
  nodes.Book({4000, 100});
  EXPECT_EQ(Text(nodes.Book({2000, 10})), "0: 2000 10");
  EXPECT_EQ(Text(nodes.Book({6000, 60})), "0: 4000 40, 1: 2000 20");
}

}  // namespace
}  // namespace numasim::workloads
