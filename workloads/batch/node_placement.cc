#include "workloads/batch/node_placement.h"

#include <algorithm>
#include <utility>

#include "sim/check.h"
#include "workloads/integer_math.h"

namespace numasim::workloads {
// Ties go to the first node, so that the order is the same in every run.
NodeId NodePlacement::BestNode(const BatchRoom& room) const {
  NodeId best = kNoNode;
  int64_t best_free = 0;
  for (size_t n = 0; n < free_.size(); ++n) {
    const int64_t free = free_[n].millicpus;
    if (!free_[n].Holds(room)) continue;
    const bool better = placement_ == JobPlacement::kPack ? free < best_free : free > best_free;
    if (best != kNoNode && !better) continue;
    best = NodeId{static_cast<int32_t>(n)};
    best_free = free;
  }
  return best;
}

NodeId NodePlacement::MostFreeCpus(const std::vector<BatchRoom>& rooms) const {
  const auto most = std::max_element(rooms.begin(), rooms.end(), [](const BatchRoom& a, const BatchRoom& b) {
    return a.millicpus < b.millicpus;
  });
  return NodeId{static_cast<int32_t>(most - rooms.begin())};
}

BatchRoom NodePlacement::FreeInAll() const {
  BatchRoom all;
  for (const BatchRoom& free : free_) all.Add(free);
  return all;
}

NodePlacement::Places NodePlacement::OnSeveral(const BatchRoom& room) const {
  // Of a machine that is booked out, nodes are taken as if they were empty.
  const bool booked_out = FreeInAll().millicpus < room.millicpus;
  std::vector<BatchRoom> left = booked_out ? nodes_ : free_;
  Places places;
  BatchRoom rest = room;
  while (rest.millicpus > 0) {
    const NodeId node = MostFreeCpus(left);
    BatchRoom& here = left[static_cast<size_t>(node.value)];
    // A job with more CPUs than there are ends on the first node.
    const int64_t taken = here.millicpus > 0 ? std::min(here.millicpus, rest.millicpus) : rest.millicpus;
    const int64_t bytes =
        taken == rest.millicpus ? rest.bytes : InProportion(room.bytes, taken, room.millicpus);
    places.push_back({node, {taken, bytes}});
    rest.Sub(places.back().room);
    here.millicpus -= taken;
  }
  return places;
}

void NodePlacement::SpillMemory(Places& places) const {
  std::vector<BatchRoom> left = free_;
  int64_t homeless = 0;
  for (Place& place : places) {
    BatchRoom& here = left[static_cast<size_t>(place.node.value)];
    const int64_t fits = std::clamp<int64_t>(here.bytes, 0, place.room.bytes);
    homeless += place.room.bytes - fits;
    place.room.bytes = fits;
    here.bytes -= fits;
  }
  for (size_t n = 0; n < left.size() && homeless > 0; ++n) {
    const int64_t taken = std::clamp<int64_t>(left[n].bytes, 0, homeless);
    if (taken > 0) places.push_back({NodeId{static_cast<int32_t>(n)}, {0, taken}});
    homeless -= taken;
  }
  NUMASIM_CHECK_EQ(homeless, 0);
}

NodePlacement::Places NodePlacement::Book(const BatchRoom& room) {
  Places places;
  if (const NodeId best = BestNode(room); best != kNoNode) {
    places = {{best, room}};
  } else {
    places = OnSeveral(room);
    // Memory that no node has is booked where the CPUs are.
    if (FreeInAll().bytes >= room.bytes) SpillMemory(places);
  }
  for (const Place& place : places) free_[static_cast<size_t>(place.node.value)].Sub(place.room);
  return places;
}

void NodePlacement::Return(const Places& places) {
  for (const Place& place : places) free_[static_cast<size_t>(place.node.value)].Add(place.room);
}

}  // namespace numasim::workloads
