// Node: one NUMA node (pg_data_t): its zones and counters. Owned by MemorySystem, lives on an LP of its own.
#ifndef NUMASIM_MODELS_PHYSICAL_NODE_H_
#define NUMASIM_MODELS_PHYSICAL_NODE_H_

#include <array>
#include <cstdint>
#include <memory>
#include <vector>

#include "models/base/kernel_config.h"
#include "models/base/types.h"
#include "models/physical/lru.h"
#include "models/physical/lru_lock.h"
#include "models/physical/split_queue.h"
#include "models/physical/zone.h"
#include "proto/counters.h"
#include "sim/lp.h"

namespace numasim {

struct Node {
  NodeId id;
  sim::LpId lp;
  std::vector<CpuId> cpus;
  // By ZoneType; null where the node has no such zone.
  PerZoneType<std::unique_ptr<Zone>> zones;
  std::array<int64_t, NodeCounter_ARRAYSIZE> counters = {};
  ThpSettings thp;
  SplitQueue split_queue;
  // The anon_vmas whose pages a process here copies as it writes to them, in a CopyStretch.
  std::vector<uint16_t> copied_from;
  int drawing = 0;                    // LocalPledges of loops that may take pages here
  std::unique_ptr<Lru> lru;           // null on a machine without a disk
  std::unique_ptr<LruLock> lru_lock;  // likewise
  int64_t total_pages = 0;            // totalram_pages(), a copy like `thp`
  VmSettings vm = {};                 // a copy too
  bool kswapd_runs = false;           // its kswapd is at work, not asleep

  Zone* zone(ZoneType type) const { return zones[type].get(); }
  int64_t& counter(NodeCounter c) { return counters[c]; }
};

}  // namespace numasim

#endif  // NUMASIM_MODELS_PHYSICAL_NODE_H_
