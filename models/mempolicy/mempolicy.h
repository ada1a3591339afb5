// Memory policies (mm/mempolicy.c, Linux 6.1): of a task (set_mempolicy) and of a VMA (mbind). Values; pure
// functions.
#ifndef NUMASIM_MODELS_MEMPOLICY_MEMPOLICY_H_
#define NUMASIM_MODELS_MEMPOLICY_MEMPOLICY_H_

#include <cstdint>

#include "models/base/types.h"

namespace numasim {

struct MemPolicy {
  enum class Mode : uint8_t { kDefault, kBind, kPreferred, kPreferredMany, kInterleave, kLocal };
  Mode mode = Mode::kDefault;
  NodeMask nodes;  // empty for kDefault and kLocal

  bool IsDefault() const { return mode == Mode::kDefault; }
  friend bool operator==(const MemPolicy&, const MemPolicy&) = default;
};

// Where to look for a page, as a policy says.
struct Placement {
  NodeId preferred;
  NodeMask allowed = NodeMask::All();
  bool interleave = false;  // counted as interleave_hit where the preferred node serves it
  // MPOL_PREFERRED_MANY: where `allowed` has nothing, try once more on any node.
  bool retry_anywhere = false;
};

// The n-th page of something interleaved over `nodes` goes here (offset_il_node).
constexpr NodeId InterleaveNode(NodeMask nodes, uint64_t n) {
  const int target = static_cast<int>(n % static_cast<uint64_t>(nodes.count()));
  NodeId node = nodes.First();
  for (int i = 0; i < target; ++i) node = nodes.NextAfter(node);
  return node;
}

// The placement for any mode but interleave, for a CPU of node `local` (policy_node, policy_nodemask).
constexpr Placement PlaceNear(const MemPolicy& policy, NodeId local) {
  switch (policy.mode) {
    case MemPolicy::Mode::kBind:
      return {local, policy.nodes};
    case MemPolicy::Mode::kPreferred:
      return {policy.nodes.First()};
    case MemPolicy::Mode::kPreferredMany:
      return {local, policy.nodes, false, true};
    default:
      return {local};
  }
}

// The placement of a page of a VMA: `index` is its page offset in the file or address space (interleave_nid).
constexpr Placement PlaceInVma(const MemPolicy& policy, NodeId local, uint64_t index) {
  if (policy.mode != MemPolicy::Mode::kInterleave) return PlaceNear(policy, local);
  return {InterleaveNode(policy.nodes, index), NodeMask::All(), true};
}

}  // namespace numasim

#endif  // NUMASIM_MODELS_MEMPOLICY_MEMPOLICY_H_
