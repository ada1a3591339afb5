// Pressure: what the allocator sets in motion where memory is short (Linux 6.1: kswapd, compaction, reclaim,
// the OOM killer). The allocator calls it where __alloc_pages_slowpath() does and decides by its answers
// whether to go on; it knows nothing of how it is done. Without one the slow path is one walk of the
// zonelist.
//
// Every hook may be called on the LP of any node, and may end on another: the allocator goes where it looks
// next.
#ifndef NUMASIM_MODELS_PHYSICAL_PRESSURE_H_
#define NUMASIM_MODELS_PHYSICAL_PRESSURE_H_

#include <cstdint>

#include "sim/path.h"
#include "sim/task.h"

namespace numasim {

struct AllocRequest;
class Zone;

// enum compact_priority: the lower, the harder it tries.
enum class CompactPriority : uint8_t { kSyncFull, kSyncLight, kAsync };

// What of enum compact_result the slow path tells apart.
enum class CompactResult : uint8_t {
  kSkipped,    // COMPACT_SKIPPED: too few free pages to work with, in every zone
  kDeferred,   // COMPACT_DEFERRED: has failed too often of late
  kWithdrawn,  // COMPACT_CONTENDED and COMPACT_PARTIAL_SKIPPED: broke off
  kComplete,   // COMPACT_COMPLETE: went through a zone and made no block
  kSuccess,    // COMPACT_SUCCESS: there may be a block now
};

// What out_of_memory() came to.
enum class OomAnswer : uint8_t {
  kNobody,  // there is nobody to kill
  kRetry,   // some other process was killed, or is about to be gone
  kSelf,    // who asks was killed
};

class Pressure {
 public:
  virtual ~Pressure() = default;

  // wake_all_kswapds(): of the nodes that the request may be served from. The caller does not wait.
  virtual void WakeKswapds(sim::Path& path, const AllocRequest& request) = 0;

  // wakeup_kswapd() of the zone's node, on its LP: the zone has mixed pageblocks.
  virtual void WakeKswapd(sim::Path& /*path*/, const Zone& /*zone*/) {}

  // try_to_compact_pages(), for a request of an order above 0.
  virtual sim::Task<CompactResult> DirectCompact(sim::Path& path, const AllocRequest& request,
                                                 CompactPriority priority) = 0;

  // compaction_defer_reset(): what compaction made of the zone has served the request. On the LP of its node.
  virtual void CompactionHelped(const Zone&, int /*order*/) {}

  // __perform_reclaim(), and drain_all_pages() where the pages would not be found else: how many pages came
  // free.
  virtual sim::Task<int64_t> DirectReclaim(sim::Path& path, const AllocRequest& request) = 0;

  // Whether some zone of the request could serve it if all that can be reclaimed there were (the question of
  // should_reclaim_retry), or, `for_compaction`, whether compaction would have enough to work with then
  // (compaction_zonelist_suitable).
  virtual sim::Task<bool> EnoughToReclaim(sim::Path& path, const AllocRequest& request,
                                          bool for_compaction) = 0;

  // out_of_memory()
  virtual sim::Task<OomAnswer> OutOfMemory(sim::Path& path, const AllocRequest& request) = 0;
};

}  // namespace numasim

#endif  // NUMASIM_MODELS_PHYSICAL_PRESSURE_H_
