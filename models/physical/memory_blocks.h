// MemoryBlocks: the memory blocks of the machine (struct memory_block, drivers/base/memory.c of Linux 6.1):
// the 128 MiB units in which memory goes online and offline, /sys/devices/system/memory/memoryN. Owned by
// MemorySystem, lives on the global LP: the kernel changes it under device_hotplug_lock only.
#ifndef NUMASIM_MODELS_PHYSICAL_MEMORY_BLOCKS_H_
#define NUMASIM_MODELS_PHYSICAL_MEMORY_BLOCKS_H_

#include <compare>
#include <cstdint>
#include <optional>
#include <vector>

#include "models/base/errno.h"
#include "models/base/types.h"
#include "models/physical/zone.h"

namespace numasim {

// The number N of memoryN: its first frame's number divided by kMemoryBlockPages.
struct MemoryBlockId {
  int64_t value = 0;
  friend auto operator<=>(MemoryBlockId, MemoryBlockId) = default;
  static MemoryBlockId Of(Pfn pfn) { return {static_cast<int64_t>(pfn.value >> kMemoryBlockShift)}; }
  Pfn start() const { return Pfn{static_cast<uint64_t>(value) << kMemoryBlockShift}; }
};

struct MemoryBlock {
  Zone* zone = nullptr;  // null where it has memory of several
  NodeMask nodes;        // whose memory it has
  int64_t present = 0;   // pages; the others are holes
  bool online = false;
};

class MemoryBlocks {
 public:
  // The blocks that hold memory at boot, all of them online.
  explicit MemoryBlocks(const std::vector<Zone*>& zones);

  // The block, or null where the machine has none.
  const MemoryBlock* Find(MemoryBlockId id) const;
  bool IsOnline(Pfn pfn) const;
  // Blocks lie below this one.
  MemoryBlockId end() const { return {std::ssize(blocks_)}; }

  // The `index`th, from 0, of the online blocks that have memory of the node, by rising number.
  std::optional<MemoryBlockId> OnlineOfNode(NodeId node, int64_t index) const;

  // Why offline_pages() would not even try (EINVAL), in its own words; null where it would.
  const char* ReasonToStay(MemoryBlockId id) const;
  void SetOnline(MemoryBlockId id, bool online);

  // add_memory_driver_managed() and remove_memory(): a device's block appears, offline, and goes, offline.
  void Add(MemoryBlockId id, Zone& zone);
  void Remove(MemoryBlockId id);

 private:
  void AddRange(Zone& zone, Pfn begin, Pfn end);
  MemoryBlock& At(MemoryBlockId id);

  std::vector<MemoryBlock> blocks_;  // by id; those without present pages do not exist
};

}  // namespace numasim

#endif  // NUMASIM_MODELS_PHYSICAL_MEMORY_BLOCKS_H_
