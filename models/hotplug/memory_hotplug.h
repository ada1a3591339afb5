// MemoryHotplug: takes memory blocks offline (offline_pages, mm/memory_hotplug.c of Linux 6.1). Its lock is
// on the global LP, where the memory blocks are; the range itself is worked on on the LP of its node.
#ifndef NUMASIM_MODELS_HOTPLUG_MEMORY_HOTPLUG_H_
#define NUMASIM_MODELS_HOTPLUG_MEMORY_HOTPLUG_H_

#include <array>
#include <cstdint>
#include <memory>
#include <vector>

#include "models/base/folio.h"
#include "models/contig/contig_range.h"
#include "models/hotplug/obstacles.h"
#include "models/physical/memory_system.h"
#include "proto/counters.h"
#include "sim/locks.h"
#include "sim/path.h"
#include "sim/task.h"

namespace numasim {

class MemoryHotplug {
 public:
  MemoryHotplug(MemorySystem& memory, HugetlbPool& pool, ContigRanges& ranges, Migrator& migrator,
                sim::Duration patience);

  // Takes a block offline: what is in use goes to other nodes, free huge pages are dissolved and not
  // replaced. kBusy: something cannot move, or a reservation needs a huge page; kInval: holes, or several
  // zones, or offline already; kIntr: it went on for longer than `patience` (pages that are pinned), and a
  // signal ended it. Begins and ends on any LP. A failure is an event in the trace.
  sim::Task<Errno> Offline(sim::Path& path, CpuId cpu, MemoryBlockId id);

  // device_hotplug_lock and mem_hotplug_lock, which who adds memory holds too. Global LP.
  sim::Mutex& lock() { return *lock_; }
  // What became of a node's memory blocks since the start; of a block of several nodes, the first one's. On
  // the global LP.
  struct Outcomes {
    std::array<int64_t, HotplugCounter_ARRAYSIZE> counters = {};
    Obstacles stayed;  // blocks that did not go, each time
  };
  const Outcomes& outcomes(NodeId node) const { return outcomes_[static_cast<size_t>(node.value)]; }
  // A device's block of the node came online. On the global LP.
  void CountOnlined(NodeId node) { ++counter(node, BLOCKS_ONLINED); }
  // Its counters as columns of a trace ("node0.offline_tried").
  std::vector<MemorySystem::CounterColumn> Columns() const;
  // The driver of the device whose memory is in `zone` may not work on a block while that goes offline:
  // offlining takes the driver's lock too, inside its own (MEM_GOING_OFFLINE).
  void SetDriver(const Zone& zone, sim::Mutex& lock) {
    driver_zone_ = &zone;
    driver_lock_ = &lock;
  }

 private:
  int64_t& counter(NodeId node, HotplugCounter c) {
    return outcomes_[static_cast<size_t>(node.value)].counters[c];
  }
  void Count(NodeId node, const ContigResult& result, sim::Duration took);
  // What of Offline() has the lock; the result says whose the frame in the way was.
  sim::Task<ContigResult> OfflineLocked(sim::Path& path, CpuId cpu, MemoryBlockId id);
  // `managed`: by how many pages the machine's count goes down; less than the range where a driver had taken
  // some of it before.
  sim::Task<ContigResult> OfflinePages(sim::Path& path, CpuId cpu, Zone& zone, FrameIndex begin,
                                       FrameIndex end, int64_t& managed);
  bool IsOfDriver(const Zone& zone, MemoryBlockId id) const {
    return &zone == driver_zone_ && id.start() >= zone.extent().hot.start;
  }
  sim::Task<ContigResult> EmptyRange(sim::Path& path, CpuId cpu, Zone& zone, FrameIndex begin,
                                     FrameIndex end);
  // Of an attempt to empty a range: whether all in use that it saw were base pages that somebody holds, and
  // how many references the zone had dropped by then. No more than that comes to an isolated range, so until
  // another one is dropped the next attempt would see the same.
  struct Held {
    bool all = false;
    uint64_t refs_dropped = 0;
  };
  // What of a range can move.
  struct Movable {
    std::vector<Folio> base, huge;  // isolated
    std::vector<Pfn> maybe_huge;    // what may be the first frame of a huge page in use
    bool any = false;
  };
  static Movable ScanMovable(Zone& zone, FrameIndex begin, FrameIndex end, Held& held);
  sim::Task<void> IsolateHuge(sim::Path& path, Movable& found);
  sim::Task<bool> MigrateRange(sim::Path& path, CpuId cpu, Zone& zone, FrameIndex begin, FrameIndex end,
                               bool log, Held& held);
  sim::Task<ContigResult> DissolveRange(sim::Path& path, CpuId cpu, Zone& zone, FrameIndex begin,
                                        FrameIndex end);

  MemorySystem& memory_;
  HugetlbPool& pool_;
  ContigRanges& ranges_;
  Migrator& migrator_;
  sim::Duration patience_;
  std::unique_ptr<sim::Mutex> lock_;
  std::vector<Outcomes> outcomes_;     // by node
  const Zone* driver_zone_ = nullptr;  // null: there is no such device
  sim::Mutex* driver_lock_ = nullptr;
};

}  // namespace numasim

#endif  // NUMASIM_MODELS_HOTPLUG_MEMORY_HOTPLUG_H_
