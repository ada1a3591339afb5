// The nodes on whose CPUs a group of a workload runs: as a scenario names them, and on the machine.
#ifndef NUMASIM_WORKLOADS_GENERATE_GROUP_NODES_H_
#define NUMASIM_WORKLOADS_GENERATE_GROUP_NODES_H_

#include <cstdint>
#include <string>
#include <vector>

#include "absl/status/statusor.h"
#include "google/protobuf/repeated_field.h"
#include "models/base/types.h"
#include "models/physical/memory_system.h"
#include "workloads/text_message.h"

namespace numasim::workloads {

// The field `node` of a message, which has these numbers, on a machine of so many nodes (0: not known yet).
// A mistake, with file and line, where one does not exist or is there twice.
absl::StatusOr<std::vector<NodeId>> ReadGroupNodes(const MessageView& view,
                                                   const google::protobuf::RepeatedField<int32_t>& numbers,
                                                   int nodes);

// These nodes; all that have CPUs where none is named. A mistake of the group at `place` where one has none.
absl::StatusOr<NodeMask> NodesToRunOn(const MemorySystem& memory, const std::vector<NodeId>& named,
                                      const std::string& place);

}  // namespace numasim::workloads

#endif  // NUMASIM_WORKLOADS_GENERATE_GROUP_NODES_H_
