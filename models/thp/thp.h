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
#include "models/rmap/rmap.h"
#include "models/shmem/shmem.h"
#include "models/thp/collapse.h"
#include "models/thp/file_collapse.h"
#include "models/thp/huge_zero_page.h"
#include "models/thp/khugepaged.h"
#include "models/thp/mm_slots.h"
#include "models/thp/thp_splitter.h"
#include "sim/path.h"
#include "sim/task.h"

namespace numasim {

class TransparentHugePages {
 public:
  TransparentHugePages(MemorySystem& memory, PageAllocator& allocator, const ProcessTable& processes,
                       const Rmap& rmap, ShmemFiles& files, Shmem& shmem, ThpSplitter& splitter)
      : memory_(memory),
        allocator_(allocator),
        slots_(memory.kernel().pte_mapped_thp_retry),
        splitter_(splitter),
        collapser_(memory, allocator),
        file_collapser_(memory, allocator, files, shmem, rmap, slots_),
        khugepaged_(memory, collapser_, file_collapser_, processes, slots_) {}

  // mm_get_huge_zero_page() where there is a huge zero page, or the process has a reference already: false if
  // not, and one is to be allocated. On the process's LP, where it ends too.
  sim::Task<bool> GetZeroPage(sim::Path& path, Process& process);
  // The rest of it, with a page that was allocated and cleared: another process may have been faster, then
  // this one is freed. Counts THP_ZERO_PAGE_ALLOC.
  sim::Task<void> InstallZeroPage(sim::Path& path, Process& process, Pfn page);
  // mm_put_huge_zero_page(), when the process exits.
  sim::Task<void> PutZeroPage(sim::Path& path, Process& process);

  // What `drop_caches 2` makes of the shrinkers there are: the deferred queues, and the huge zero page.
  sim::Task<void> Shrink(sim::Path& path, CpuId cpu);

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
  HugeZeroPage zero_page_;
  MmSlots slots_;
  ThpSplitter& splitter_;
  Collapser collapser_;
  FileCollapser file_collapser_;
  Khugepaged khugepaged_;
};

}  // namespace numasim

#endif  // NUMASIM_MODELS_THP_THP_H_
