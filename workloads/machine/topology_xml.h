// What a topology file must have before hwloc may see it: hwloc trusts what it reads, and crashes where a set
// is missing.
#ifndef NUMASIM_WORKLOADS_MACHINE_TOPOLOGY_XML_H_
#define NUMASIM_WORKLOADS_MACHINE_TOPOLOGY_XML_H_

#include <string>

#include "absl/status/status.h"

namespace numasim::workloads {

// InvalidArgument, with `name`, the line and the element, if `text` is not well-formed XML, not a topology,
// or one whose objects lack an attribute that they need.
absl::Status CheckTopologyXml(const std::string& name, const std::string& text);

}  // namespace numasim::workloads

#endif  // NUMASIM_WORKLOADS_MACHINE_TOPOLOGY_XML_H_
