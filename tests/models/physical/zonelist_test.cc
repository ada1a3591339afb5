// Fallback orders, derived by hand from find_next_best_node() and build_zonelists() of Linux 6.1: least
// distance first; a node below the own number counts one more, as does a node with CPUs; among equals, the
// one that starts a distance for fewer nodes before this one, then the lower number.
#include "models/physical/zonelist.h"

#include <algorithm>
#include <vector>

#include "gmock/gmock.h"
#include "gtest/gtest.h"

namespace numasim {
namespace {

using ::testing::ElementsAre;

std::vector<std::vector<int>> Orders(const DistanceMatrix& distance, std::vector<NodeShape> nodes = {}) {
  nodes.resize(distance.size());
  std::vector<std::vector<int>> orders;
  for (const auto& order : FallbackOrder(distance, nodes)) {
    orders.emplace_back();
    for (NodeId node : order) orders.back().push_back(node.value);
  }
  return orders;
}

DistanceMatrix Flat(size_t nodes) {
  DistanceMatrix distance(nodes, std::vector<int>(nodes, 20));
  for (size_t n = 0; n < nodes; ++n) distance[n][n] = 10;
  return distance;
}

TEST(ZonelistTest, OneNodeHasOnlyItself) { EXPECT_THAT(Orders({{10}}), ElementsAre(ElementsAre(0))); }

TEST(ZonelistTest, NearerNodesComeFirst) {
  const DistanceMatrix row = {{10, 20, 30, 40}, {20, 10, 20, 30}, {30, 20, 10, 20}, {40, 30, 20, 10}};
  // Node 1: 0 and 2 are as near, but 2 comes after it. Node 2: likewise 3 before 1.
  EXPECT_THAT(Orders(row), ElementsAre(ElementsAre(0, 1, 2, 3), ElementsAre(1, 2, 0, 3),
                                       ElementsAre(2, 3, 1, 0), ElementsAre(3, 2, 1, 0)));
}

TEST(ZonelistTest, EquallyFarNodesFollowTheOwnNumberRound) {
  // Each node's first remote node carries its load, but the preference for later nodes outweighs any load:
  // 0: 1 2 3 (load 1: 1). 1: 2 and 3 cost less than 0; 2 and 3 have no load, 2 first. 2: 3, then 0 before 1
  // (load 1). 3: 0 has no load; then 1 and 2 have load 1 each, so the lower number.
  EXPECT_THAT(Orders(Flat(4)), ElementsAre(ElementsAre(0, 1, 2, 3), ElementsAre(1, 2, 3, 0),
                                           ElementsAre(2, 3, 0, 1), ElementsAre(3, 0, 1, 2)));
}

TEST(ZonelistTest, NodesAsFarTakeTurnsAtBeingNext) {
  // Nodes 0 and 1 are near each other, 2 and 3 equally far from both. Node 0: 1, then 2 starts the distance
  // 30 and gets a load. Node 1: 0, then 3, for 2 has a load and 3 has none.
  const DistanceMatrix pairs = {{10, 20, 30, 30}, {20, 10, 30, 30}, {30, 30, 10, 20}, {30, 30, 20, 10}};
  // Loads: node 0 gave 1 to 1 and to 2; node 1 gave 1 to 0 and to 3. Node 2: 3, then 0 and 1 with a load of 1
  // each: 0, which gets another. Node 3: 2, then 1.
  EXPECT_THAT(Orders(pairs), ElementsAre(ElementsAre(0, 1, 2, 3), ElementsAre(1, 0, 3, 2),
                                         ElementsAre(2, 3, 0, 1), ElementsAre(3, 2, 1, 0)));
}

TEST(ZonelistTest, NodesWithoutCpusComeBeforeOthersAsFar) {
  std::vector<NodeShape> nodes(3);
  nodes[2].has_cpus = false;
  EXPECT_THAT(Orders(Flat(3), nodes)[0], ElementsAre(0, 2, 1));
  // One step of distance outweighs it.
  DistanceMatrix distance = Flat(3);
  distance[0][2] = 22;
  EXPECT_THAT(Orders(distance, nodes)[0], ElementsAre(0, 1, 2));
}

TEST(ZonelistTest, NodesWithoutMemoryServeNobodyButFallBackThemselves) {
  std::vector<NodeShape> nodes(3);
  nodes[1].has_memory = false;
  // Node 0: only 2 is left. Node 1 has nothing of its own: 2 comes after it.
  EXPECT_THAT(Orders(Flat(3), nodes), ElementsAre(ElementsAre(0, 2), ElementsAre(2, 0), ElementsAre(2, 0)));
}

TEST(ZonelistTest, EveryNodeWithMemoryIsInEachOrderOnce) {
  for (size_t count : {2, 5, 8, 64}) {
    for (const auto& order : Orders(Flat(count))) {
      std::vector<int> sorted = order;
      std::sort(sorted.begin(), sorted.end());
      ASSERT_EQ(sorted.size(), count);
      for (size_t n = 0; n < count; ++n) EXPECT_EQ(sorted[n], static_cast<int>(n));
    }
  }
}

}  // namespace
}  // namespace numasim
