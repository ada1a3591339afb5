// MemoryPressure: what relieves an allocation that finds too little memory: reclaim of page cache,
// compaction, and the OOM killer. No state of its own.
#ifndef NUMASIM_MODELS_PRESSURE_MEMORY_PRESSURE_H_
#define NUMASIM_MODELS_PRESSURE_MEMORY_PRESSURE_H_

#include "models/compaction/compaction.h"
#include "models/oom/oom_killer.h"
#include "models/physical/memory_system.h"
#include "models/physical/page_allocator.h"
#include "models/physical/pressure.h"
#include "models/reclaim/reclaim.h"

namespace numasim {

class MemoryPressure final : public Pressure {
 public:
  MemoryPressure(MemorySystem& memory, Reclaim& reclaim, Compactor& compactor, OomKiller& oom)
      : memory_(memory), reclaim_(reclaim), compactor_(compactor), oom_(oom) {}

  void WakeKswapds(sim::Path& path, const AllocRequest& request) override;
  void WakeKswapd(sim::Path& path, const Zone& zone) override { reclaim_.WakeKswapd(path, zone); }
  sim::Task<CompactResult> DirectCompact(sim::Path& path, const AllocRequest& request,
                                         CompactPriority priority) override;
  void CompactionHelped(const Zone& zone, int order) override { compactor_.Helped(zone, order); }
  sim::Task<int64_t> DirectReclaim(sim::Path& path, const AllocRequest& request) override;
  sim::Task<bool> EnoughToReclaim(sim::Path& path, const AllocRequest& request, bool for_compaction) override;
  sim::Task<OomAnswer> OutOfMemory(sim::Path& path, const AllocRequest& request) override;

 private:
  MemorySystem& memory_;
  Reclaim& reclaim_;
  Compactor& compactor_;
  OomKiller& oom_;
};

}  // namespace numasim

#endif  // NUMASIM_MODELS_PRESSURE_MEMORY_PRESSURE_H_
