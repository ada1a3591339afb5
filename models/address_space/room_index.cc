#include "models/address_space/room_index.h"

#include <algorithm>

#include "sim/check.h"

namespace numasim {

RoomIndex::RoomIndex(int order, Vpn end) : order_(order) {
  while ((end.value >> order) > uint64_t{1} << (kBits * levels_)) ++levels_;
}

void RoomIndex::Add(Vpn begin, Vpn end) { Set(begin, end, true); }
void RoomIndex::Forget(Vpn begin, Vpn end) { Set(begin, end, false); }

void RoomIndex::Set(Vpn begin, Vpn end, bool gap) {
  const uint64_t boundary = (begin.value + (uint64_t{1} << order_) - 1) >> order_;
  const uint64_t first = boundary << order_;
  if (first >= end.value) return;            // too small to have a boundary in it
  constexpr uint32_t kUnasked = UINT32_MAX;  // nobody keeps how much room there is in all
  SetBelow(root_, levels_ - 1, boundary, gap ? static_cast<uint32_t>(end.value - first) : 0, kUnasked);
}

// Returns the most room that is now below `node`, where it was `most` before. All of the node is looked at
// only where what had the most has it no more.
uint32_t RoomIndex::SetBelow(Node& node, int level, uint64_t boundary, uint32_t pages, uint32_t most) {
  const uint64_t at = boundary >> (kBits * level);
  NUMASIM_CHECK(level < levels_ - 1 || at < kFanout);
  uint32_t& here = node.most[at % kFanout];
  const uint32_t before = here;
  if (level == 0) {
    here = pages;
  } else {
    if (node.children.empty()) node.children.resize(kFanout);
    std::unique_ptr<Node>& child = node.children[at % kFanout];
    if (child == nullptr) child = std::make_unique<Node>();
    here = SetBelow(*child, level - 1, boundary, pages, before);
  }
  if (here >= most) return here;
  return before < most ? most : *std::max_element(node.most.begin(), node.most.end());
}

std::optional<Vpn> RoomIndex::FirstWith(int64_t pages) const {
  const auto enough = [pages](uint32_t most) { return int64_t{most} >= pages; };
  const Node* node = &root_;
  uint64_t boundary = 0;
  for (int level = levels_ - 1;; --level) {
    const auto child = std::find_if(node->most.begin(), node->most.end(), enough);
    if (child == node->most.end()) return std::nullopt;  // at the root, or nowhere
    const auto at = static_cast<uint64_t>(child - node->most.begin());
    boundary = boundary << kBits | at;
    if (level == 0) return Vpn{boundary << order_};
    node = node->children[at].get();
  }
}

}  // namespace numasim
