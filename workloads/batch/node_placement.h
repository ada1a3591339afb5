// NodePlacement: on which nodes a job that starts gets its CPUs and its memory, and what is booked on each.
// Owned by a BatchSystem, with which it lives on the global LP. It books what jobs asked for; what they use,
// the nodes know.
#ifndef NUMASIM_WORKLOADS_BATCH_NODE_PLACEMENT_H_
#define NUMASIM_WORKLOADS_BATCH_NODE_PLACEMENT_H_

#include <cstdint>
#include <vector>

#include "models/base/types.h"
#include "workloads/batch/batch_scheduler.h"

namespace numasim::workloads {

// kPack: where least CPUs are left then, so that wide jobs find room. kSpread: where most are free.
enum class JobPlacement : uint8_t { kPack, kSpread };

class NodePlacement {
 public:
  struct Place {
    NodeId node;
    BatchRoom room;  // without CPUs: memory alone, for want of it where the CPUs are
  };
  // Those with CPUs first, of which there is at least one.
  using Places = std::vector<Place>;

  // What each node has, by number.
  NodePlacement(JobPlacement placement, std::vector<BatchRoom> nodes)
      : placement_(placement), nodes_(nodes), free_(std::move(nodes)) {}

  // One node that has it all, if there is one; else CPUs of several, those with most free ones first, and of
  // each memory in proportion, or from another node where it has too little. Where the machine does not have
  // so much free, as the log's own start times may ask for, nodes are booked beyond what they have.
  Places Book(const BatchRoom& room);
  void Return(const Places& places);

 private:
  // The best of the nodes for the whole job; none: it fits on no node.
  NodeId BestNode(const BatchRoom& room) const;
  Places OnSeveral(const BatchRoom& room) const;
  // Moves memory that a place's node has not to nodes that have it; together they have it all.
  void SpillMemory(Places& places) const;
  NodeId MostFreeCpus(const std::vector<BatchRoom>& rooms) const;
  BatchRoom FreeInAll() const;

  JobPlacement placement_;
  std::vector<BatchRoom> nodes_;  // as given
  std::vector<BatchRoom> free_;   // may be negative
};

}  // namespace numasim::workloads

#endif  // NUMASIM_WORKLOADS_BATCH_NODE_PLACEMENT_H_
