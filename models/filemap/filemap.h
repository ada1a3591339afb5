// Filemap: the page cache of files of the disk as paths (mm/filemap.c, mm/readahead.c, Linux 6.1): what a
// read() or a fault brings into memory, and what drop_caches takes out of it. No state of its own: files and
// their pages are ShmemFiles', the order of their use is each node's Lru.
//
// Files are holes: a page that is not there is allocated and cleared, and nothing is read from the disk.
// Pages are never dirty; what is written to them by way of a mapping is lost when reclaim takes them, which
// nobody here could notice.
//
// Every call may be made on any LP and ends on the same, unless it says otherwise.
#ifndef NUMASIM_MODELS_FILEMAP_FILEMAP_H_
#define NUMASIM_MODELS_FILEMAP_FILEMAP_H_

#include <cstdint>
#include <span>
#include <vector>

#include "models/address_space/process.h"
#include "models/base/errno.h"
#include "models/base/folio.h"
#include "models/base/types.h"
#include "models/filemap/evictor.h"
#include "models/filemap/mapped_pages.h"
#include "models/page_cache/shmem.h"
#include "models/physical/memory_system.h"
#include "models/physical/page_allocator.h"
#include "models/rmap/rmap.h"
#include "sim/path.h"
#include "sim/task.h"

namespace numasim {

class Filemap {
 public:
  // VM_READAHEAD_PAGES: 128 KiB are brought at once (read_ahead_kb).
  static constexpr uint64_t kReadahead = 32;

  Filemap(MemorySystem& memory, PageAllocator& allocator, ShmemFiles& files, const Rmap& rmap)
      : memory_(memory),
        allocator_(allocator),
        files_(files),
        mapped_pages_(memory, files, rmap),
        evictor_(memory, files, rmap) {}

  struct ReadResult {
    Errno error = Errno::kOk;  // kNoMem; kIntr: the process was killed
    int64_t bytes = 0;
  };
  // pread() of an open file, in calls of 128 KiB, up to its end. On the LP of the process's node, by a path
  // that holds its CPU.
  sim::Task<ReadResult> Read(sim::Path& path, Process& process, FileId file, int64_t offset, int64_t length);

  // filemap_fault() of a page that the file lacks: brings it, and what is round it (do_sync_mmap_readahead).
  // At the file's home, where it ends. False where memory has ended; another path may have taken the page
  // again.
  sim::Task<bool> ReadAround(sim::Path& path, Process& process, FileId file, uint64_t index);

  // drop_pagecache_sb(): takes all pages out of the files of the disk that nobody maps.
  sim::Task<void> DropCaches(sim::Path& path, CpuId cpu);
  // reclaim_clean_pages_from_list(): of pages of one node that were isolated to be migrated, those of the
  // disk's files are taken out of these instead, also where processes map them. What is left in `pages` is
  // still to be migrated. On the LP of that node, where it ends.
  sim::Task<void> ReclaimClean(sim::Path& path, Node& node, CpuId cpu, std::vector<Folio>& pages);

 private:
  // Pages [from, to) of a file.
  struct Range {
    uint64_t from, to;
    uint64_t size() const { return to - from; }
  };
  // The most that one call looks at: a piece and what is read ahead of it.
  static constexpr size_t kMostPages = 2 * kReadahead;

  sim::LpId HomeOf(FileId file) const { return memory_.node(file.home).lp; }
  static Range Wanted(ShmemFile& file, Range piece);
  static std::vector<uint64_t> Missing(const Mapping& mapping, Range range);
  sim::Task<Errno> ReadPiece(sim::Path& path, Process& process, FileId file, Range piece);
  sim::Task<bool> Fill(sim::Path& path, Process& process, FileId file, Range range, Range needed);
  sim::Task<std::vector<Pfn>> Allocate(sim::Path& path, Process& process, FileId file,
                                       std::span<const uint64_t> indices, Range needed);
  sim::Task<void> Insert(sim::Path& path, CpuId cpu, FileId file, std::span<const uint64_t> indices,
                         std::span<const Pfn> pages);
  sim::Task<void> Refault(sim::Path& path, FileId file, Pfn page, Mapping::Shadow shadow);
  sim::Task<void> MarkAccessed(sim::Path& path, CpuId cpu, FileId file, Range range);
  void MarkHere(const Node& node, CpuId cpu, FileId file, std::span<const Pfn> pages) const;
  sim::Task<void> DropFile(sim::Path& path, FileId file, CpuId cpu);
  sim::Task<void> FindUnmapped(sim::Path& path, FileId file);

  MemorySystem& memory_;
  PageAllocator& allocator_;
  ShmemFiles& files_;
  MappedPages mapped_pages_;
  Evictor evictor_;
};

}  // namespace numasim

#endif  // NUMASIM_MODELS_FILEMAP_FILEMAP_H_
