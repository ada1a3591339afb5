// RoomIndex: where in an address space there is room, for mappings that begin at a multiple of some size.
// Owned by its AddressSpace, which tells it of every gap that changes.
//
// It plays the part of the gaps in the kernel's maple tree. Boundaries, the multiples of the alignment, are
// leaves of a radix tree; each node knows the most room below each of its children, so the lowest gap that is
// large enough is found by going down once. Nodes are made when a gap first needs them.
#ifndef NUMASIM_MODELS_ADDRESS_SPACE_ROOM_INDEX_H_
#define NUMASIM_MODELS_ADDRESS_SPACE_ROOM_INDEX_H_

#include <array>
#include <cstdint>
#include <memory>
#include <optional>
#include <vector>

#include "models/base/types.h"

namespace numasim {

class RoomIndex {
 public:
  // For mappings at multiples of 2^order pages, below `end`.
  RoomIndex(int order, Vpn end);

  // [begin, end) is a gap between mappings: there is room from the first boundary in it. Pages are less than
  // 2^32.
  void Add(Vpn begin, Vpn end);
  // It is a gap no more.
  void Forget(Vpn begin, Vpn end);
  // The lowest boundary from which `pages` have room; nothing if there is none.
  std::optional<Vpn> FirstWith(int64_t pages) const;

 private:
  static constexpr int kBits = 7;
  static constexpr uint64_t kFanout = uint64_t{1} << kBits;
  struct Node {
    std::array<uint32_t, kFanout> most = {};      // pages of room from a boundary, or at most below a child
    std::vector<std::unique_ptr<Node>> children;  // none in a leaf
  };

  void Set(Vpn begin, Vpn end, bool gap);
  uint32_t SetBelow(Node& node, int level, uint64_t boundary, uint32_t pages, uint32_t most);

  int order_;
  int levels_ = 1;
  Node root_;
};

}  // namespace numasim

#endif  // NUMASIM_MODELS_ADDRESS_SPACE_ROOM_INDEX_H_
