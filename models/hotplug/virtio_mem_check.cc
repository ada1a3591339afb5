#include "models/hotplug/virtio_mem_check.h"

#include <bit>
#include <cstdint>

#include "models/contig/contig_range.h"
#include "models/physical/isolation.h"

namespace numasim {
namespace {

constexpr FrameIndex kBlock = kPageblockPages;

void CheckSubBlocks(const VirtioMemDriver& device, size_t block, ProblemList& problems) {
  const FrameStore& frames = device.zone().frames();
  for (int i = 0; i < VirtioMemDriver::kSubBlocks; ++i) {
    const Pfn start = device.IdOf(block).start() + i * VirtioMemDriver::kSubBlockPages;
    const bool plugged = device.PluggedOf(block) >> i & 1;
    const FrameIndex begin = frames.Index(start);
    bool right = true;
    ForEachBlock(frames, begin, begin + kBlock, [&](const FrameStore::Head& head) {
      const FrameOwner* const owner = OwnerOf(frames, head);
      const bool aside = owner != nullptr && owner->kind == FrameOwner::kOffline;
      right = right && head.kind != FrameKind::kUnmanaged && aside != plugged;
    });
    if (right) continue;
    problems.Add("virtio_mem: the sub block at pfn ", start.value, " is ",
                 plugged ? "plugged" : "not plugged", ", but what is there is ",
                 ContigRanges::UserOf(device.zone(), start).Text());
  }
}

}  // namespace

void CheckVirtioMem(const MemorySystem& memory, const VirtioMemDriver* device, ProblemList& problems) {
  int64_t plugged = 0;
  int64_t aside = 0;  // not plugged, of blocks that are online
  for (size_t block = 0; device != nullptr && block < device->blocks(); ++block) {
    const int count = std::popcount(device->PluggedOf(block));
    plugged += count * VirtioMemDriver::kSubBlockPages;
    const MemoryBlock* const found = memory.blocks().Find(device->IdOf(block));
    if (found == nullptr && count != 0) {
      problems.Add("virtio_mem: of memory block ", device->IdOf(block).value, ", which does not exist, ",
                   count, " sub blocks are plugged");
    }
    if (found == nullptr || !found->online) continue;
    aside += (VirtioMemDriver::kSubBlocks - count) * VirtioMemDriver::kSubBlockPages;
    CheckSubBlocks(*device, block, problems);
  }
  if (device != nullptr) {
    problems.Expect(device->counter(VIRTIO_MEM_PLUGGED), plugged, "virtio_mem: the count of plugged pages");
    const int64_t moved = device->counter(VIRTIO_MEM_GIVEN) - device->counter(VIRTIO_MEM_RETURNED);
    problems.Expect(moved, plugged - device->zone().extent().hot.plugged,
                    "virtio_mem: the count of pages that came, less those that went,");
  }
  int64_t offline = 0;
  for (const Zone* zone : memory.zones()) {
    ForEachBlock(zone->frames(), 0, zone->frames().frames(), [&](const FrameStore::Head& head) {
      const FrameOwner* const owner = OwnerOf(zone->frames(), head);
      if (owner != nullptr && owner->kind == FrameOwner::kOffline) offline += int64_t{1} << head.order;
    });
  }
  problems.Expect(offline, aside, "the count of pages set aside for the hypervisor");
}

}  // namespace numasim
