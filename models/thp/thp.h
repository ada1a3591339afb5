// TransparentHugePages: what the kernel has of them beside address spaces: the huge zero page, what splits
// pages, and khugepaged. Faults on them are AddressSpaceOps'. Which LP owns what is told by each part.
#ifndef NUMASIM_MODELS_THP_THP_H_
#define NUMASIM_MODELS_THP_THP_H_

#include <vector>

#include "models/address_space/process.h"
#include "models/address_space/process_table.h"
#include "models/page_cache/shmem.h"
#include "models/physical/memory_system.h"
#include "models/physical/page_allocator.h"
#include "models/reclaim/shrinkers.h"
#include "models/rmap/rmap.h"
#include "models/shmem/shmem.h"
#include "models/thp/cache_line.h"
#include "models/thp/collapse.h"
#include "models/thp/file_collapse.h"
#include "models/thp/huge_zero_page.h"
#include "models/thp/khugepaged.h"
#include "models/thp/mm_slots.h"
#include "models/thp/thp_shrinkers.h"
#include "models/thp/thp_splitter.h"
#include "sim/path.h"
#include "sim/task.h"

namespace numasim {

class TransparentHugePages {
 public:
  TransparentHugePages(MemorySystem& memory, PageAllocator& allocator, const ProcessTable& processes,
                       const Rmap& rmap, ShmemFiles& files, Shmem& shmem, ThpSplitter& splitter,
                       Shrinkers& shrinkers)
      : memory_(memory),
        allocator_(allocator),
        zero_page_refs_(memory.kernel().zero_page_refs),
        zero_page_(zero_page_refs_ != ZeroPageRefs::kNone),
        zero_page_line_(memory, memory.global_lp(), "huge_zero_refcount"),
        slots_(memory.kernel().pte_mapped_thp_retry),
        splitter_(splitter),
        collapser_(memory, allocator),
        file_collapser_(memory, allocator, files, shmem, rmap, slots_),
        khugepaged_(memory, collapser_, file_collapser_, processes, slots_),
        zero_page_shrinker_(memory, allocator, zero_page_),
        split_shrinker_(memory, splitter) {
    shrinkers.Register(zero_page_shrinker_);
    shrinkers.Register(split_shrinker_);
  }

  // mm_get_huge_zero_page() where there is a huge zero page, or the process needs no reference any more:
  // false if not, and one is to be allocated. On the process's LP, where it ends too.
  sim::Task<bool> GetZeroPage(sim::Path& path, Process& process);
  // The rest of it, with a page that was allocated and cleared: another process may have been faster, then
  // this one is freed. Counts THP_ZERO_PAGE_ALLOC.
  sim::Task<void> InstallZeroPage(sim::Path& path, Process& process, Pfn page);
  // How many references of the process stand for mappings that are no more; 0 where mappings have none.
  int64_t StaleZeroPageRefs(const Process& process) const {
    if (zero_page_refs_ != ZeroPageRefs::kMapping) return 0;
    return process.zero_page_refs - process.space.page_table().huge_zero_pages();
  }
  // put_huge_zero_page() of so many, one by one: others get at the cache line in between.
  sim::Task<void> PutZeroPage(sim::Path& path, Process& process, int64_t refs);

  ThpSplitter& splitter() { return splitter_; }
  Collapser& collapser() { return collapser_; }
  FileCollapser& file_collapser() { return file_collapser_; }
  Khugepaged& khugepaged() { return khugepaged_; }
  const Khugepaged& khugepaged() const { return khugepaged_; }
  const HugeZeroPage& zero_page() const { return zero_page_; }

  std::vector<MemorySystem::CounterColumn> Columns() const;

 private:
  MemorySystem& memory_;
  PageAllocator& allocator_;
  ZeroPageRefs zero_page_refs_;
  HugeZeroPage zero_page_;
  CacheLine zero_page_line_;  // where its references are counted
  MmSlots slots_;
  ThpSplitter& splitter_;
  Collapser collapser_;
  FileCollapser file_collapser_;
  Khugepaged khugepaged_;
  HugeZeroPageShrinker zero_page_shrinker_;
  DeferredSplitShrinker split_shrinker_;
};

}  // namespace numasim

#endif  // NUMASIM_MODELS_THP_THP_H_
