// What the scans of anonymous memory and of files have in common (mm/khugepaged.c, Linux 6.1): their results,
// their limits, and from where they have the huge page.
#ifndef NUMASIM_MODELS_THP_SCAN_H_
#define NUMASIM_MODELS_THP_SCAN_H_

#include <array>
#include <cstdint>

#include "models/address_space/process.h"
#include "models/base/folio.h"
#include "models/base/types.h"
#include "models/physical/memory_system.h"
#include "models/physical/page_allocator.h"
#include "models/thp/thp_allowed.h"
#include "sim/path.h"
#include "sim/task.h"

namespace numasim {

// enum scan_result: what became of a range.
enum class ScanResult : uint8_t {
  kSucceed,
  kFail,
  kPmdNull,            // there is no PMD table
  kPmdNone,            // nothing is mapped
  kPmdMapped,          // it is a huge page already
  kExceedNonePte,      // more than max_ptes_none entries are empty
  kExceedSwapPte,      // more than max_ptes_swap are swapped out, or migration entries
  kExceedSharedPte,    // more than max_ptes_shared pages are mapped elsewhere too
  kPteNonPresent,      // an entry is no mapping
  kPteMappedHugepage,  // it is a huge page that base entries map
  kPageRo,             // no entry is writable
  kPageLock,           // a page is being moved
  kPageCount,          // somebody holds a page
  kPageNull,           // what is mapped is no page of anonymous memory; the file has no page
  kAnyProcess,         // the process exits
  kVmaNull,            // there is no VMA any more
  kVmaCheck,           // or none that may have huge pages
  kAddressRange,       // or a smaller one
  kAllocHugePageFail,
  kTruncated  // the file has nothing of it any more
};

// As the tracepoints of khugepaged show it (include/trace/events/huge_memory.h).
const char* ScanResultName(ScanResult result);

// What bounds a scan (struct collapse_control with the settings of khugepaged).
struct CollapseLimits {
  bool khugepaged = true;  // else MADV_COLLAPSE, which minds none of the others
  int64_t max_ptes_none = kThpPages - 1;
  int64_t max_ptes_swap = kThpPages / 8;
  int64_t max_ptes_shared = kThpPages / 2;
  GfpFlags gfp = kGfpTranshuge;  // how the huge page is asked for
};

// How many pages of a range each node has (cc->node_load).
class NodeLoads {
 public:
  void Add(NodeId node) { ++pages_[static_cast<size_t>(node.value)]; }
  // alloc_charge_hpage(): a huge page from the first node that has the most, or one that has as many; kNoPfn
  // if there is none. Counted on `counts`, on whose LP the path begins and ends.
  sim::Task<Pfn> AllocHugePage(sim::Path& path, PageAllocator& allocator, MemorySystem& memory, Node& counts,
                               CpuId cpu, GfpFlags gfp, FrameOwner owner) const;

 private:
  std::array<int64_t, kMaxNodes> pages_ = {};
};

// That a collapse which began then has ended as `result`, on the path's LP.
void RecordCollapse(MemorySystem& memory, const sim::Path& path, sim::SimTime began, ScanResult result);

// find_pmd_or_thp_or_none(): kSucceed where there is a PTE table. On the process's LP.
ScanResult FindPteTable(Process& process, Vpn first);

}  // namespace numasim

#endif  // NUMASIM_MODELS_THP_SCAN_H_
