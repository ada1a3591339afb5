// ThpSplitter: splits anonymous huge pages into base pages (split_huge_page_to_list and the shrinker of the
// deferred queues, mm/huge_memory.c, Linux 6.1). No state of its own: queues are the nodes'.
#ifndef NUMASIM_MODELS_THP_THP_SPLITTER_H_
#define NUMASIM_MODELS_THP_THP_SPLITTER_H_

#include <cstdint>
#include <vector>

#include "models/address_space/process_table.h"
#include "models/base/folio.h"
#include "models/base/types.h"
#include "models/physical/memory_system.h"
#include "models/physical/page_allocator.h"
#include "models/physical/thp_page.h"
#include "models/rmap/rmap.h"
#include "sim/path.h"
#include "sim/task.h"

namespace numasim {

class ThpSplitter {
 public:
  ThpSplitter(MemorySystem& memory, PageAllocator& allocator, const Rmap& rmap)
      : memory_(memory), allocator_(allocator), rmap_(rmap) {}

  // split_huge_page() of one that the caller has a reference of (Zone::TakeRef), which is gone when it
  // succeeds: every PMD that maps it is split, then the page is, and the parts that nothing maps are freed.
  // False where somebody else holds it; the reference stays the caller's. Begins and ends on the LP of its
  // node.
  sim::Task<bool> Split(sim::Path& path, CpuId cpu, Pfn head);

  // The same of a page that the caller has isolated: true, and the base pages that processes map are isolated
  // and appended to `parts`.
  sim::Task<bool> SplitIsolated(sim::Path& path, CpuId cpu, Pfn head, std::vector<Folio>& parts);

  // deferred_split_scan() of that node's queue: splits so many of the pages that are mapped in part only, the
  // first ones. Those that cannot be split come last from now on. On the node's LP, where it ends.
  struct Queued {
    int64_t tried = 0;
    int64_t split = 0;
  };
  sim::Task<Queued> SplitQueued(sim::Path& path, CpuId cpu, Node& node, int64_t most);

 private:
  // Splits the PMDs of a page that is marked as migrating, then whether it can be split itself.
  sim::Task<bool> SplitMappings(sim::Path& path, Node& node, Zone& zone, FrameIndex head) const;
  sim::Task<int64_t> SplitPmds(sim::Path& path, Folio page, FrameOwner owner) const;
  static std::vector<Pfn> BecomeBasePages(Node& node, Zone& zone, const ThpPage& page);

  MemorySystem& memory_;
  PageAllocator& allocator_;
  const Rmap& rmap_;
};

}  // namespace numasim

#endif  // NUMASIM_MODELS_THP_THP_SPLITTER_H_
