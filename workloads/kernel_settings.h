// Settings of the running kernel that operations write: sysctls and those of transparent_hugepage/.
//
// Plain functions. Those that write start on any LP and end on the global one, which owns the settings; each
// write takes the cost model's `sysctl`. What they are handed must stay put until they end.
#ifndef NUMASIM_WORKLOADS_KERNEL_SETTINGS_H_
#define NUMASIM_WORKLOADS_KERNEL_SETTINGS_H_

#include <string>
#include <string_view>

#include "models/base/errno.h"
#include "sim/path.h"
#include "sim/task.h"

namespace numasim {
class MemorySystem;
}  // namespace numasim

namespace numasim::workloads {

// `name` is with its "vm.".
bool IsModelledSysctl(std::string_view name);

// The sysctl must be one that is modelled. EINVAL for a value that is no number in the sysctl's range.
sim::Task<Errno> WriteSysctl(sim::Path& path, MemorySystem& memory, const std::string& name,
                             const std::string& value);

// `value` is one of the three words of transparent_hugepage/enabled.
sim::Task<void> WriteThpEnabled(sim::Path& path, MemorySystem& memory, const std::string& value);

// `value` is one of the six words of transparent_hugepage/shmem_enabled.
sim::Task<void> WriteShmemEnabled(sim::Path& path, MemorySystem& memory, const std::string& value);

}  // namespace numasim::workloads

#endif  // NUMASIM_WORKLOADS_KERNEL_SETTINGS_H_
