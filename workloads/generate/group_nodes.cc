#include "workloads/generate/group_nodes.h"

#include <algorithm>

#include "absl/status/status.h"
#include "workloads/text.h"

namespace numasim::workloads {

absl::StatusOr<std::vector<NodeId>> ReadGroupNodes(const MessageView& view,
                                                   const google::protobuf::RepeatedField<int32_t>& numbers,
                                                   int nodes) {
  const int end = nodes > 0 ? nodes : kMaxNodes;
  std::vector<NodeId> read;
  for (int i = 0; i < numbers.size(); ++i) {
    const NodeId node{numbers[i]};
    if (node.value < 0 || node.value >= end)
      return view.Mistake("node", i, Cat("is a node that does not exist; expected 0 to ", end - 1));
    if (std::find(read.begin(), read.end(), node) != read.end())
      return view.Mistake("node", i, "is given twice; expected each node once");
    read.push_back(node);
  }
  return read;
}

absl::StatusOr<NodeMask> NodesToRunOn(const MemorySystem& memory, const std::vector<NodeId>& named,
                                      const std::string& place) {
  NodeMask nodes;
  for (const NodeId node : named) {
    if (node.value >= memory.node_count() || memory.node(node).cpus.empty()) {
      return absl::InvalidArgumentError(
          Cat(place, ": node: '", node.value, "' has no CPU; expected a node that has some"));
    }
    nodes.Set(node);
  }
  for (int n = 0; n < memory.node_count() && named.empty(); ++n) {
    if (!memory.node(NodeId{n}).cpus.empty()) nodes.Set(NodeId{n});
  }
  return nodes;
}

}  // namespace numasim::workloads
