// Evictor: takes isolated pages of disk files out of these, where nobody uses them (the part of
// shrink_folio_list() that goes by page tables and files, mm/vmscan.c, Linux 6.1). No state of its own.
#ifndef NUMASIM_MODELS_FILEMAP_EVICTOR_H_
#define NUMASIM_MODELS_FILEMAP_EVICTOR_H_

#include <cstdint>
#include <span>

#include "models/base/types.h"
#include "models/filemap/mapped_pages.h"
#include "models/page_cache/shmem.h"
#include "models/physical/memory_system.h"
#include "models/rmap/rmap.h"
#include "sim/path.h"
#include "sim/task.h"

namespace numasim {

// A page that is on no list, and has a reference so that it stays what it is.
struct IsolatedPage {
  enum class Fate : uint8_t {
    kKept,        // somebody is at it, or its file has it no more
    kReferenced,  // used for the first time since the last look: it stays where it is
    kActivated,   // used again, or by several, or mlocked
    kEvicted      // its file has it no more; the file's reference is the caller's to drop
  };

  Pfn pfn;
  uint64_t file, index;
  bool referenced = false;     // PG_referenced, which the caller has taken away
  bool in_workingset = false;  // PG_workingset, for its shadow
  Fate fate = Fate::kKept;
};

class Evictor {
 public:
  // Whether pages that processes have used stay.
  enum class References : uint8_t { kAsk, kIgnore };

  Evictor(MemorySystem& memory, ShmemFiles& files, const Rmap& rmap)
      : memory_(memory), files_(files), mapped_pages_(memory, files, rmap) {}

  // Settles the fate of pages of one node, on its LP, where it ends. Their order changes.
  sim::Task<void> Evict(sim::Path& path, const Node& node, std::span<IsolatedPage> pages,
                        References references) const;

 private:
  sim::Task<void> EvictOfFile(sim::Path& path, FileId file, std::span<IsolatedPage> pages,
                              References references, Mapping::Shadow shadow) const;
  sim::Task<void> Unmap(sim::Path& path, FileId file, std::span<MappedPage> pages,
                        References references) const;

  MemorySystem& memory_;
  ShmemFiles& files_;
  MappedPages mapped_pages_;
};

}  // namespace numasim

#endif  // NUMASIM_MODELS_FILEMAP_EVICTOR_H_
