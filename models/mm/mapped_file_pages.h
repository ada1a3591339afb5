// How many pages of files are mapped, those of shared memory among them (nr_mapped of /proc/vmstat:
// NR_FILE_MAPPED, page_add_file_rmap() and page_remove_rmap() of mm/rmap.c, Linux 6.1).
//
// The kernel has a count of mappings in each page. Here a page of a file has none but of PMDs, so that faults
// and munmap() need not go where the page is; so all page tables are asked, and only while nothing runs.
#ifndef NUMASIM_MODELS_MM_MAPPED_FILE_PAGES_H_
#define NUMASIM_MODELS_MM_MAPPED_FILE_PAGES_H_

#include <cstdint>
#include <span>
#include <vector>

#include "models/address_space/process.h"
#include "models/physical/memory_system.h"

namespace numasim {

// In base pages, by the node that a page is on; each counts once, whoever maps it how often. Not hugetlb's,
// and not copies of private mappings.
std::vector<int64_t> MappedFilePages(const MemorySystem& memory, std::span<const Process* const> processes);

}  // namespace numasim

#endif  // NUMASIM_MODELS_MM_MAPPED_FILE_PAGES_H_
