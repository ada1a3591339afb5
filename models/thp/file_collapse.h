// FileCollapser: makes a huge page of what a file of shared memory has of 2 MiB (hpage_collapse_scan_file and
// collapse_file of mm/khugepaged.c, Linux 6.1), and maps huge pages of files by PMDs where base entries do
// (collapse_pte_mapped_thp), for khugepaged and MADV_COLLAPSE. No state of its own.
//
//   file's home       scan, a huge page, the 512 offsets locked: faults wait
//   processes         nothing maps them any more
//   pages' nodes      does somebody hold one? Then all stays as it was, but what was unmapped
//   file's home       the huge page in their place
//   processes         retract_page_tables(): the empty page tables go, so that faults map the page by a PMD;
//                     where mmap_lock is not to be had, MmSlots notes it for the next scan
#ifndef NUMASIM_MODELS_THP_FILE_COLLAPSE_H_
#define NUMASIM_MODELS_THP_FILE_COLLAPSE_H_

#include <cstdint>
#include <optional>
#include <vector>

#include "models/address_space/process.h"
#include "models/base/folio.h"
#include "models/base/types.h"
#include "models/page_cache/shmem.h"
#include "models/physical/memory_system.h"
#include "models/physical/page_allocator.h"
#include "models/rmap/rmap.h"
#include "models/shmem/shmem.h"
#include "models/thp/mm_slots.h"
#include "models/thp/scan.h"
#include "sim/path.h"
#include "sim/task.h"

namespace numasim {

class FileCollapser {
 public:
  FileCollapser(MemorySystem& memory, PageAllocator& allocator, ShmemFiles& files, Shmem& shmem,
                const Rmap& rmap, MmSlots& slots)
      : memory_(memory), allocator_(allocator), files_(files), shmem_(shmem), rmap_(rmap), slots_(slots) {}

  // 2 MiB of a file, from offset `index` on, that a process maps from `first` on.
  struct Place {
    FileId file;
    uint64_t index;  // a multiple of 512
    uint16_t process;
    Vpn first;
  };
  // kPteMappedHugepage: the file has a huge page there, which the process may map by base entries. Begins on
  // the process's LP, where the file was found mapped with mmap_lock held, which is not any more; nothing may
  // come between. Ends on any LP.
  sim::Task<ScanResult> Scan(sim::Path& path, CpuId cpu, Place place, CollapseLimits limits);

  // collapse_pte_mapped_thp(): a page table that maps nothing but parts of the huge page goes, and with
  // `install` the page is mapped by a PMD at once. On the process's LP, with mmap_lock held for writing.
  enum class Install : uint8_t { kNo, kPmd };
  sim::Task<ScanResult> CollapsePteMapped(sim::Path& path, CpuId cpu, Process& process, Vpn first,
                                          Install install);

 private:
  // These begin and end at the file's home.
  sim::Task<ScanResult> ScanFile(sim::Path& path, CpuId cpu, const Place& place, CollapseLimits limits);
  sim::Task<ScanResult> Collapse(sim::Path& path, CpuId cpu, const Place& place, CollapseLimits limits,
                                 Pfn huge);
  sim::Task<ScanResult> Retract(sim::Path& path, CpuId cpu, const Place& place, CollapseLimits limits,
                                Pfn huge);
  std::vector<Mapping::Page> PagesOf(const Place& place) const;
  // The first of the pages that somebody holds.
  sim::Task<std::optional<size_t>> FirstHeld(sim::Path& path, const std::vector<Mapping::Page>& pages) const;

  // What became of one process's mapping of a huge page.
  struct Retracted {
    ScanResult target = ScanResult::kFail;  // of the place that was scanned
    std::vector<Folio> tables;              // to be freed
    std::vector<Place> missed;              // mmap_lock was not to be had
    bool pmd = false;                       // the target maps it by a PMD
  };
  void RetractFrom(sim::Path& path, Process& process, const Place& place, bool khugepaged, Pfn huge,
                   Retracted& all) const;
  struct LockedPage {
    Pfn huge;  // kNoPfn: nothing is locked
    bool any;  // the file has a page there
  };
  sim::Task<LockedPage> LockPage(sim::Path& path, FileId file, uint64_t index) const;
  sim::Task<void> UnlockPage(sim::Path& path, FileId file, uint64_t index, Pfn huge) const;
  sim::Task<void> CountPmd(sim::Path& path, Pfn huge) const;
  void SetPmd(Process& process, const Vma& vma, Vpn first, Pfn huge) const;
  static ScanResult CheckParts(const PteTable& table, Pfn huge);

  MemorySystem& memory_;
  PageAllocator& allocator_;
  ShmemFiles& files_;
  Shmem& shmem_;
  const Rmap& rmap_;
  MmSlots& slots_;
};

}  // namespace numasim

#endif  // NUMASIM_MODELS_THP_FILE_COLLAPSE_H_
