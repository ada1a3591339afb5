// Compactor: moves pages in use from the low end of a zone to free memory at its high end, so that large
// blocks come free (mm/compaction.c, Linux 6.1). A compaction is a path on the LP of the zone's node; what it
// isolates is moved by Migrator. What zones remember lives on their nodes' LPs (ZoneCompaction).
//
//   IsolateForMigration  from the low end up: pages that can move, 32 at a time
//   FreeScanner          from the high end down: pages to move to
//
// It ends where both meet, where a block of the wanted order is free, or where it has to give up.
#ifndef NUMASIM_MODELS_COMPACTION_COMPACTION_H_
#define NUMASIM_MODELS_COMPACTION_COMPACTION_H_

#include <cstdint>
#include <optional>
#include <vector>

#include "absl/functional/function_ref.h"
#include "models/compaction/compact_control.h"
#include "models/compaction/zone_compaction.h"
#include "models/migrate/migration.h"
#include "models/physical/memory_system.h"
#include "models/physical/page_allocator.h"
#include "models/physical/pressure.h"
#include "sim/path.h"
#include "sim/task.h"

namespace numasim {

class Compactor {
 public:
  Compactor(MemorySystem& memory, PageAllocator& allocator, Migrator& migrator);

  // try_to_compact_pages(): for a request of an order above 0. Ends on any LP.
  sim::Task<CompactResult> CompactFor(sim::Path& path, const AllocRequest& request, CompactPriority priority);
  // compaction_defer_reset(): what was made was allocated. On the LP of the zone's node.
  void Helped(const Zone& zone, int order);
  // compaction_zonelist_suitable(): whether some zone would have enough to work with if `reclaimable(zone)`
  // pages more came free. Ends on any LP.
  sim::Task<bool> EnoughIfReclaimed(sim::Path& path, const AllocRequest& request,
                                    absl::FunctionRef<int64_t(const Zone&)> reclaimable);

  // A write to /proc/sys/vm/compact_memory (compact_nodes). Begins and ends on any LP.
  sim::Task<void> CompactAll(sim::Path& path, CpuId cpu);

  // For kswapd and kcompactd, on the LP of the node.
  // reset_isolation_suitable(): clears the skip hints of its zones, where a direct compaction went through.
  sim::Task<void> ResetHints(sim::Path& path, const Node& node);
  // kcompactd_do_work(): for a block of this order from zones up to `highest`.
  sim::Task<void> CompactInBackground(sim::Path& path, CpuId cpu, Node& node, int order, ZoneType highest);
  // proactive_compact_node(): for kcompactd too.
  sim::Task<void> CompactProactively(sim::Path& path, CpuId cpu, Node& node);

 private:
  // enum compact_result, in its order: of several zones the greatest counts.
  enum class Outcome : uint8_t {
    kSkipped,
    kDeferred,
    kContinue,
    kComplete,
    kPartialSkipped,
    kContended,
    kSuccess
  };
  // Of one compaction, from round to round.
  struct Progress {
    // Where pages were moved out of since the CPU's lists were drained (last_migrated_pfn).
    std::optional<ScanPosition> emptied;
    // An asynchronous compaction has found nothing to move yet, and others need not look there either.
    bool nothing_yet;
  };
  sim::Task<Outcome> CompactZone(sim::Path& path, CpuId cpu, CompactControl& control);
  static Outcome Judge(const CompactControl& control);
  static void Begin(CompactControl& control);
  sim::Task<Outcome> Step(sim::Path& path, CpuId cpu, CompactControl& control, TargetSource& targets,
                          Progress& progress);
  sim::Task<Outcome> DrainBehind(sim::Path& path, CpuId cpu, CompactControl& control, Progress& progress);
  static Outcome Finished(CompactControl& control);
  sim::Task<Errno> MoveIsolated(sim::Path& path, CpuId cpu, CompactControl& control, TargetSource& targets);
  sim::Task<void> ReleaseTargets(sim::Path& path, CpuId cpu, CompactControl& control);
  sim::Task<Outcome> TryZone(sim::Path& path, const AllocRequest& request, CompactPriority priority,
                             Zone& zone);
  static bool InVain(Outcome outcome) {
    return outcome == Outcome::kComplete || outcome == Outcome::kPartialSkipped;
  }
  static CompactResult ResultOf(Outcome outcome);
  ZoneCompaction& StateOf(const Zone& zone);

  MemorySystem& memory_;
  PageAllocator& allocator_;
  Migrator& migrator_;
  std::vector<ZoneCompaction> states_;  // in the order of memory_.zones(); each on its zone's LP
};

}  // namespace numasim

#endif  // NUMASIM_MODELS_COMPACTION_COMPACTION_H_
