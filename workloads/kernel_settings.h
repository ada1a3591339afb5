// Settings of the running kernel that operations write: sysctls and transparent_hugepage/...
//
// Plain functions. Those that write start on any LP and end on the global one, which owns the settings; each
// write takes the cost model's `sysctl`. What they are handed must stay put until they end.
#ifndef NUMASIM_WORKLOADS_KERNEL_SETTINGS_H_
#define NUMASIM_WORKLOADS_KERNEL_SETTINGS_H_

#include <string>
#include <string_view>
#include <vector>

#include "models/base/errno.h"
#include "sim/path.h"
#include "sim/task.h"
#include "workloads/operations.h"

namespace numasim {
class Kernel;
class MemorySystem;
}  // namespace numasim

namespace numasim::workloads {

// `name` is with its "vm.".
bool IsModelledSysctl(std::string_view name);
std::vector<std::string_view> ModelledSysctls();

// The sysctl must be one that is modelled. EINVAL for a value that is no number in the sysctl's range.
sim::Task<Errno> WriteSysctl(sim::Path& path, Kernel& kernel, const std::string& name,
                             const std::string& value);

// transparent_hugepage/...: `op.value` is a word that the knob takes.
sim::Task<void> WriteThp(sim::Path& path, Kernel& kernel, const ThpOp& op);
// transparent_hugepage/khugepaged/...: EINVAL for a value outside the knob's range.
sim::Task<Errno> WriteKhugepaged(sim::Path& path, Kernel& kernel, const KhugepagedSetOp& op);

}  // namespace numasim::workloads

#endif  // NUMASIM_WORKLOADS_KERNEL_SETTINGS_H_
