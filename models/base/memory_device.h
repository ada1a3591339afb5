// MemoryDevice: a device that plugs memory into the machine and unplugs it while it runs (virtio-mem).
#ifndef NUMASIM_MODELS_BASE_MEMORY_DEVICE_H_
#define NUMASIM_MODELS_BASE_MEMORY_DEVICE_H_

#include <cstdint>

#include "models/base/types.h"

namespace numasim {

struct MemoryDevice {
  NodeId node;
  ZoneType type = ZoneType::kNormal;  // of the zone that its memory is brought online to
  int64_t pages = 0;                  // what it may grow to: whole memory blocks
  int64_t plugged = 0;                // at boot: whole memory blocks
};

}  // namespace numasim

#endif  // NUMASIM_MODELS_BASE_MEMORY_DEVICE_H_
