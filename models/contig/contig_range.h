// ContigRanges: gets ranges of frames back from whoever has them (alloc_contig_range and alloc_contig_pages,
// mm/page_alloc.c; __alloc_contig_migrate_range with isolate_migratepages_range, mm/compaction.c; Linux 6.1).
// It is also where the pool's gigantic pages come from. No state of its own: its paths run on the LP of the
// range's node, and go to the global one for huge pages and migration.
#ifndef NUMASIM_MODELS_CONTIG_CONTIG_RANGE_H_
#define NUMASIM_MODELS_CONTIG_CONTIG_RANGE_H_

#include <cstdint>
#include <vector>

#include "models/base/errno.h"
#include "models/base/failure.h"
#include "models/base/folio.h"
#include "models/base/gfp.h"
#include "models/filemap/filemap.h"
#include "models/hugetlb/hugetlb.h"
#include "models/migrate/migration.h"
#include "models/physical/isolation.h"
#include "models/physical/memory_system.h"
#include "sim/path.h"
#include "sim/task.h"

namespace numasim {

// How it went. On an error: the frame in the way, kNoPfn where there was no memory to move it to, the kernel
// function that said so, and whose the frame was then; unknown: it is to be looked up.
struct ContigResult {
  Errno error = Errno::kOk;
  Pfn blocker = kNoPfn;
  const char* function = "";
  FrameUser user = {};
  NodeMask nodes = {};  // that had no memory to move to; empty: the range's own node failed
  const char* reason = "";
};

class ContigRanges {
 public:
  ContigRanges(MemorySystem& memory, Hugetlb& hugetlb, Migrator& migrator, Filemap& filemap)
      : memory_(memory), hugetlb_(hugetlb), migrator_(migrator), filemap_(filemap) {}

  // Allocates the frames [start, start + pages), which lie in one zone, for `owner`; all pageblocks are of
  // `type`, kMovable or kCma. kBusy, kNoMem; the result says whose the frame in the way was. Begins and ends
  // on any LP. A failure is an event in the trace.
  sim::Task<ContigResult> AllocRange(sim::Path& path, CpuId cpu, Pfn start, int64_t pages, Migratetype type,
                                     FrameOwner owner);
  // Finds such a range, aligned to its size (a power of two), on `node` or else, where they are allowed, on
  // others in fallback order, for an allocation with these GFP flags; kNoPfn if there is none.
  sim::Task<Pfn> AllocPages(sim::Path& path, CpuId cpu, int64_t pages, GfpFlags gfp, NodeId node,
                            NodeMask allowed, FrameOwner owner);
  // free_contig_range(): of such frames, whole pageblocks or whole ranges.
  sim::Task<void> FreeRange(sim::Path& path, Pfn start, int64_t pages);

  // --- parts, for who takes memory away for good; on the LP of the range's node ---
  // start_isolate_page_range(); all or nothing.
  sim::Task<ContigResult> StartIsolate(sim::Path& path, Zone& zone, FrameIndex begin, FrameIndex end,
                                       Migratetype type, IsolateFor why);
  // undo_isolate_page_range()
  sim::Task<void> UndoIsolate(sim::Path& path, Zone& zone, FrameIndex begin, FrameIndex end,
                              Migratetype type);
  // Moves isolated pages away, as Migrator takes them, with so many calls of migrate_pages(). What does not
  // move is left in `pages`, still isolated. kNoMem, kBusy: the first of them is the blocker.
  sim::Task<ContigResult> MigratePages(sim::Path& path, CpuId cpu, std::vector<Folio>& pages,
                                       const MigrationTarget& target, int tries);

  // An event in the trace about the range, with what is in the way and whose it is.
  void LogFailure(sim::Path& path, LogKind kind, Pfn start, int64_t pages, const ContigResult& result) const;
  // Whose a frame is. O(1). On the LP of the frame's node. Where the caller has isolated the page itself,
  // that is not what holds it.
  static FrameUser UserOf(const Zone& zone, Pfn pfn, bool isolated = false);
  // Whose the frame in the way is: as the result says, else as UserOf() does if the path is on the frame's
  // LP; unknown elsewhere, and where no frame is in the way.
  FrameUser InTheWay(const sim::Path& path, const ContigResult& result, bool isolated = false) const;

 private:
  // What a scan of the range has taken for migration, and how far it is (struct compact_control).
  struct Scan {
    FrameIndex next;
    std::vector<Folio> base, huge;  // isolated
    ContigResult first;             // the first page that could not be taken
  };

  static ContigResult Busy(const Zone& zone, FrameIndex frame, const char* function);
  sim::Task<ContigResult> Take(sim::Path& path, CpuId cpu, Zone& zone, FrameIndex begin, FrameIndex end,
                               FrameOwner owner);
  sim::Task<ContigResult> MigrateRange(sim::Path& path, CpuId cpu, Zone& zone, FrameIndex begin,
                                       FrameIndex end, ContigResult& first);
  sim::Task<ContigResult> IsolatePages(sim::Path& path, CpuId cpu, Zone& zone, FrameIndex end, Scan& scan);
  sim::Task<ContigResult> IsolateHuge(sim::Path& path, CpuId cpu, Zone& zone, const FrameStore::Head& head,
                                      Scan& scan);
  sim::Task<ContigResult> IsolateBlock(sim::Path& path, Zone& zone, FrameIndex block, FrameIndex begin,
                                       FrameIndex end, Migratetype type, IsolateFor why);
  sim::Task<ContigResult> ClearBoundary(sim::Path& path, Zone& zone, FrameIndex boundary, bool upper);
  static FrameIndex FindCandidate(const Zone& zone, FrameIndex from, int64_t pages, int64_t& looks);

  MemorySystem& memory_;
  Hugetlb& hugetlb_;
  Migrator& migrator_;
  Filemap& filemap_;
};

}  // namespace numasim

#endif  // NUMASIM_MODELS_CONTIG_CONTIG_RANGE_H_
