// What a script needs that a machine or the models lack, as far as it can be told before anything runs.
//
// Plain functions; each returns a message "FILE:LINE: FIELD: 'VALUE' is ...; expected ..." for the first
// operation that cannot be, or an empty string. What only the run can tell is a result of the operation.
#ifndef NUMASIM_WORKLOADS_REQUIREMENTS_H_
#define NUMASIM_WORKLOADS_REQUIREMENTS_H_

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "workloads/script.h"

namespace numasim::workloads {

// What a machine has beside nodes and CPUs.
struct Devices {
  std::vector<std::string> cma_areas;
  std::optional<int64_t> virtio_mem_max;  // bytes; unset: no virtio-mem device
  int64_t virtio_mem_block = 0;           // bytes in which the device grows and shrinks
  bool disk = false;
};

// CMA areas, a virtio-mem device and a disk that are not there, and sizes that no hypervisor would ask the
// device for.
std::string FirstWithoutDevice(const Script& script, const LineName& place, const Devices& devices);

// A map under a name that is a mapping already: one of anonymous memory that the kernel cannot have refused,
// on a machine with `total_pages`, where a process may have `max_map_count` VMAs and nobody changes that. Of
// others only the run can tell.
std::string FirstMappedTwice(const Script& script, const LineName& place, int64_t total_pages,
                             int64_t max_map_count);

// Whether the script changes vm.max_map_count.
bool SetsMaxMapCount(const Script& script);

}  // namespace numasim::workloads

#endif  // NUMASIM_WORKLOADS_REQUIREMENTS_H_
