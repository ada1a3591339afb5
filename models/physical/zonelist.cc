#include "models/physical/zonelist.h"

#include <cstddef>
#include <limits>

namespace numasim {
namespace {

// MAX_NUMNODES of Debian's configuration; one step of distance outweighs any node load.
constexpr int kLoadScale = 1024;

// find_next_best_node(); -1 when every node with memory is used.
int NextBest(int from, const DistanceMatrix& distance, const std::vector<NodeShape>& nodes,
             const std::vector<int>& load, std::vector<bool>& used) {
  const int count = static_cast<int>(nodes.size());
  int best = -1;
  if (!used[from]) {
    best = from;
  } else {
    int best_value = std::numeric_limits<int>::max();
    for (int n = 0; n < count; ++n) {
      const auto i = static_cast<size_t>(n);
      if (used[i] || !nodes[i].has_memory) continue;
      int value = distance[from][i];
      value += n < from ? 1 : 0;             // prefer the nodes that come after
      value += nodes[i].has_cpus ? 1 : 0;    // and those without CPUs
      value = value * kLoadScale + load[i];  // and those that are next for fewer others
      if (value < best_value) {
        best_value = value;
        best = n;
      }
    }
  }
  if (best >= 0) used[best] = true;
  return best;
}

}  // namespace

std::vector<std::vector<NodeId>> FallbackOrder(const DistanceMatrix& distance,
                                               const std::vector<NodeShape>& nodes) {
  std::vector<int> load(nodes.size(), 0);
  std::vector<std::vector<NodeId>> order(nodes.size());
  for (size_t from = 0; from < nodes.size(); ++from) {
    std::vector<bool> used(nodes.size(), false);
    int previous = static_cast<int>(from);
    for (int next = NextBest(static_cast<int>(from), distance, nodes, load, used); next >= 0;
         next = NextBest(static_cast<int>(from), distance, nodes, load, used)) {
      // Where a new distance begins, its first node carries this one's load, so that the next node picks
      // another.
      if (distance[from][next] != distance[from][previous]) {
        ++load[next];
      }
      if (nodes[next].has_memory) order[from].push_back(NodeId{next});
      previous = next;
    }
  }
  return order;
}

}  // namespace numasim
