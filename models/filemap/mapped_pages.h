// MappedPages: what page tables say of base pages of a disk's file, and how they lose their mappings
// (folio_referenced, try_to_unmap of mm/rmap.c, Linux 6.1). No state of its own.
//
// The pages are locked in their file's Mapping, so that no fault maps one of them meanwhile. Every call is
// made at the file's home and ends there.
#ifndef NUMASIM_MODELS_FILEMAP_MAPPED_PAGES_H_
#define NUMASIM_MODELS_FILEMAP_MAPPED_PAGES_H_

#include <cstdint>
#include <span>

#include "models/base/types.h"
#include "models/page_cache/shmem.h"
#include "models/physical/memory_system.h"
#include "models/rmap/rmap.h"
#include "sim/path.h"
#include "sim/task.h"

namespace numasim {

// A page, and what was found of it.
struct MappedPage {
  uint64_t index;
  Pfn pfn;
  int64_t entries = 0;  // that map it
  int64_t young = 0;    // of these, that were used since the last look
  bool mlocked = false;
};

class MappedPages {
 public:
  MappedPages(const MemorySystem& memory, ShmemFiles& files, const Rmap& rmap)
      : memory_(memory), files_(files), rmap_(rmap) {}

  // Counts the entries of the pages.
  sim::Task<void> Count(sim::Path& path, FileId file, std::span<MappedPage> pages) const;
  // The same; those that are young are old from now on.
  sim::Task<void> Look(sim::Path& path, FileId file, std::span<MappedPage> pages) const;
  // Takes all their entries away.
  sim::Task<void> Unmap(sim::Path& path, FileId file, std::span<MappedPage> pages) const;

 private:
  template <typename F>
  sim::Task<void> ForEachEntry(sim::Path& path, FileId file, std::span<MappedPage> pages, F f) const;

  const MemorySystem& memory_;
  ShmemFiles& files_;
  const Rmap& rmap_;
};

}  // namespace numasim

#endif  // NUMASIM_MODELS_FILEMAP_MAPPED_PAGES_H_
