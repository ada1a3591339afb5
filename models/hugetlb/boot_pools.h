// The pools of huge pages that a machine has when the simulation starts (hugetlb_hstate_alloc_pages,
// Linux 6.1).
#ifndef NUMASIM_MODELS_HUGETLB_BOOT_POOLS_H_
#define NUMASIM_MODELS_HUGETLB_BOOT_POOLS_H_

#include <string>
#include <vector>

#include "absl/status/status.h"
#include "models/base/machine_config.h"
#include "models/hugetlb/pool.h"
#include "models/physical/memory_system.h"

namespace numasim {

// Makes the pools. A described machine makes them as the kernel does, gigantic pages from the highest free
// ranges, others through the PCP lists of CPU 0, after its CMA areas. A recorded one has them already, where
// MemorySystem has put them. To be called once, before the engine runs. An error names the field that asks
// for more than there is; of a boot argument that does, a warning tells how much it got.
absl::Status BootPools(MemorySystem& memory, HugetlbPool& pool, const MachineConfig& machine,
                       std::vector<std::string>& warnings);

}  // namespace numasim

#endif  // NUMASIM_MODELS_HUGETLB_BOOT_POOLS_H_
