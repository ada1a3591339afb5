// Collapser: makes a huge page of base pages of anonymous memory (hpage_collapse_scan_pmd and
// collapse_huge_page of mm/khugepaged.c, Linux 6.1), for khugepaged and MADV_COLLAPSE. No state of its own.
//
// Entries are the process's, mapcounts are where the pages are: a scan takes note of the entries, asks the
// nodes of their pages, and judges when it is back. What it decided on may have changed meanwhile, so all is
// looked at again with mmap_lock held for writing and the entries held, before anything is changed:
//
//   mmap_lock read    scan                        which node has most of it?
//   no lock           a huge page from that node
//   mmap_lock read    still such a VMA and table?
//   mmap_lock write   isolate (the scan's rules again), copy, huge entry in place of the table
#ifndef NUMASIM_MODELS_THP_COLLAPSE_H_
#define NUMASIM_MODELS_THP_COLLAPSE_H_

#include <array>
#include <cstdint>
#include <vector>

#include "models/address_space/process.h"
#include "models/base/types.h"
#include "models/physical/memory_system.h"
#include "models/physical/page_allocator.h"
#include "models/thp/scan.h"
#include "sim/path.h"
#include "sim/task.h"

namespace numasim {

class Collapser {
 public:
  Collapser(MemorySystem& memory, PageAllocator& allocator) : memory_(memory), allocator_(allocator) {}

  // Scans the 2 MiB from `first` on, which a VMA that may have huge pages covers, and collapses them where
  // they are fit for it. `cpu` allocates and frees. On the process's LP, with mmap_lock held for reading;
  // where it came to allocating, it is held no more.
  struct Outcome {
    ScanResult result;
    bool mmap_locked;
  };
  sim::Task<Outcome> ScanPmd(sim::Path& path, CpuId cpu, Process& process, Vpn first, CollapseLimits limits);

  // hugepage_vma_revalidate()
  ScanResult Revalidate(Process& process, Vpn first, const CollapseLimits& limits) const;

 private:
  // An entry's page, as its node knows it.
  struct Seen {
    Entry entry;
    bool shared = false;  // page_mapcount() > 1
    bool held = false;    // is_refcount_suitable() is false
    bool locked = false;  // is being moved
  };
  using Range = std::array<Seen, kThpPages>;
  sim::Task<void> Look(sim::Path& path, Process& process, Vpn first, const CollapseLimits& limits,
                       Range& range) const;
  ScanResult Judge(Node& home, const Range& range, const CollapseLimits& limits) const;
  NodeLoads LoadsOf(const Range& range) const;
  sim::Task<ScanResult> Collapse(sim::Path& path, CpuId cpu, Process& process, Vpn first,
                                 CollapseLimits limits, NodeLoads loads);
  sim::Task<ScanResult> TryCollapse(sim::Path& path, CpuId cpu, Process& process, Vpn first,
                                    CollapseLimits limits, NodeLoads loads);
  sim::Task<ScanResult> Replace(sim::Path& path, CpuId cpu, Process& process, Vpn first,
                                CollapseLimits limits, Pfn page);

  MemorySystem& memory_;
  PageAllocator& allocator_;
};

}  // namespace numasim

#endif  // NUMASIM_MODELS_THP_COLLAPSE_H_
