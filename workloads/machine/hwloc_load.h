// hwloc's part of reading a topology, kept apart from the program: hwloc stops the process that it is in
// where it meets what it does not expect, in a file as well as in /sys.
#ifndef NUMASIM_WORKLOADS_MACHINE_HWLOC_LOAD_H_
#define NUMASIM_WORKLOADS_MACHINE_HWLOC_LOAD_H_

#include <string>

#include "absl/status/statusor.h"
#include "workloads/machine/topology.h"

namespace numasim::workloads {

// The topology in the text of a file, or of the machine the program runs on. An error begins with `name`.
absl::StatusOr<Topology> LoadXmlTopology(const std::string& name, const std::string& text);
absl::StatusOr<Topology> LoadThisMachinesTopology(const std::string& name);

}  // namespace numasim::workloads

#endif  // NUMASIM_WORKLOADS_MACHINE_HWLOC_LOAD_H_
