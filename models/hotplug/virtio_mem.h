// VirtioMemDriver: the driver of a virtio-mem device, by which a hypervisor gives a guest memory and asks for
// it back (drivers/virtio/virtio_mem.c of Linux 6.1, its sub block mode). A memory block of 128 MiB has 64
// sub blocks of 2 MiB, which are plugged and unplugged one by one; a block that has none left goes offline
// and away. A block that an administrator took offline stays the device's: nobody uses it, so its sub blocks
// come and go without further ado. The driver's state is on the global LP, like the memory blocks; the memory
// itself on the LP of its node.
//
// A block that an administrator took offline stays the device's: what is plugged of it can be unplugged
// without moving anything, and the rest plugged.
//
// Not modelled: the driver's own retry of a request that could not be met, 50 s later and then ever less
// often. Ask again instead.
#ifndef NUMASIM_MODELS_HOTPLUG_VIRTIO_MEM_H_
#define NUMASIM_MODELS_HOTPLUG_VIRTIO_MEM_H_

#include <array>
#include <cstdint>
#include <memory>
#include <vector>

#include "models/contig/contig_range.h"
#include "models/hotplug/memory_hotplug.h"
#include "models/hotplug/obstacles.h"
#include "models/physical/memory_system.h"
#include "proto/counters.h"
#include "sim/locks.h"
#include "sim/path.h"
#include "sim/task.h"

namespace numasim {

class VirtioMemDriver {
 public:
  // What is plugged of one memory block, sub block by sub block; a block without any is not there.
  using SubBlocks = uint64_t;
  static constexpr int kSubBlocks = 64;
  static constexpr int64_t kSubBlockPages = kPageblockPages;

  // `zone` is the one whose extent has the device's range. What it has at boot is plugged.
  VirtioMemDriver(MemorySystem& memory, ContigRanges& ranges, MemoryHotplug& hotplug, Zone& zone);

  struct Result {
    Errno error = Errno::kOk;  // of the last step that failed; then `plugged` is not what was asked for
    int64_t plugged = 0;       // pages, once the request was dealt with
  };
  // The hypervisor asks for a size of `pages`, at most what the device may grow to: plugs or unplugs as much
  // as can be. kInval: no multiple of a sub block, or too large. Begins and ends on any LP.
  sim::Task<Result> Request(sim::Path& path, CpuId cpu, int64_t pages);

  int64_t max_pages() const { return zone_.extent().hot.pages; }
  const Zone& zone() const { return zone_; }
  int64_t counter(VirtioMemCounter c) const { return counters_[c]; }
  // What kept memory that was asked back: VIRTIO_MEM_STAYED in parts, in pages.
  const Obstacles& stayed() const { return stayed_; }

  // The memory blocks that the device may have, counted from 0: which one it is, and what is plugged of it.
  size_t blocks() const { return blocks_.size(); }
  MemoryBlockId IdOf(size_t block) const {
    return MemoryBlockId{MemoryBlockId::Of(zone_.extent().hot.start).value + static_cast<int64_t>(block)};
  }
  SubBlocks PluggedOf(size_t block) const { return blocks_[block]; }

  // Its counters as columns of a trace ("virtio_mem_plugged").
  std::vector<MemorySystem::CounterColumn> Columns() const;

 private:
  friend class VirtioMemPeer;  // plants damage in tests

  // What a block is; those that an administrator took offline are asked for last, and given back first.
  enum class BlockState : uint8_t { kNone, kOffline, kOnline };
  BlockState StateOf(size_t block) const;
  Pfn StartOf(size_t block, int sub_block) const { return IdOf(block).start() + sub_block * kSubBlockPages; }

  sim::Task<Errno> Unplug(sim::Path& path, CpuId cpu, int64_t sub_blocks);
  sim::Task<void> UnplugOffline(sim::Path& path, size_t block, int64_t& sub_blocks);
  sim::Task<Errno> UnplugFrom(sim::Path& path, CpuId cpu, size_t block, int64_t& sub_blocks);
  sim::Task<ContigResult> UnplugSubBlocks(sim::Path& path, CpuId cpu, size_t block, int first, int count);
  sim::Task<ContigResult> FakeOffline(sim::Path& path, CpuId cpu, Pfn start, int64_t pages);
  // Sub blocks that could not be unplugged, and are given up for this request.
  void CountStayed(int count, const ContigResult& result);
  sim::Task<void> RemoveIfEmpty(sim::Path& path, CpuId cpu, size_t block);
  sim::Task<Errno> Plug(sim::Path& path, int64_t sub_blocks);
  sim::Task<void> PlugInto(sim::Path& path, size_t block, int64_t& sub_blocks);
  sim::Task<void> FakeOnline(sim::Path& path, Pfn start, int64_t pages);
  sim::Task<void> AddBlock(sim::Path& path, size_t block, int64_t& sub_blocks);
  // The only place where what is plugged changes, and so where what comes and goes is counted.
  void SetPlugged(size_t block, int first, int count, bool plugged);

  MemorySystem& memory_;
  ContigRanges& ranges_;
  MemoryHotplug& hotplug_;
  Zone& zone_;
  std::unique_ptr<sim::Mutex> request_lock_;  // one request at a time, as one work item does them
  std::unique_ptr<sim::Mutex> lock_;          // hotplug_mutex: no block goes on- or offline meanwhile
  std::vector<SubBlocks> blocks_;
  std::array<int64_t, VirtioMemCounter_ARRAYSIZE> counters_ = {};
  Obstacles stayed_;
};

}  // namespace numasim

#endif  // NUMASIM_MODELS_HOTPLUG_VIRTIO_MEM_H_
