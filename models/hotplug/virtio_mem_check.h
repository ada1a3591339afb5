// The part of the Validator that looks at a virtio-mem device: what it says is plugged is what its memory
// blocks hold. Read only while nothing runs.
#ifndef NUMASIM_MODELS_HOTPLUG_VIRTIO_MEM_CHECK_H_
#define NUMASIM_MODELS_HOTPLUG_VIRTIO_MEM_CHECK_H_

#include "models/base/problem_list.h"
#include "models/hotplug/virtio_mem.h"
#include "models/physical/memory_system.h"

namespace numasim {

// What the device has not plugged of a block that is online is set aside, and nothing else is; its counter is
// that of its sub blocks. `device`: null where the machine has none; then nothing may be set aside for a
// hypervisor.
void CheckVirtioMem(const MemorySystem& memory, const VirtioMemDriver* device, ProblemList& problems);

}  // namespace numasim

#endif  // NUMASIM_MODELS_HOTPLUG_VIRTIO_MEM_CHECK_H_
