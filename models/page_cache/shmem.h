// ShmemFiles: the pages of shared memory, by file and page offset (mm/shmem.c, Linux 6.1; base pages only).
// Lives on the global LP. A file belongs to its mappings and goes with the last of them.
#ifndef NUMASIM_MODELS_PAGE_CACHE_SHMEM_H_
#define NUMASIM_MODELS_PAGE_CACHE_SHMEM_H_

#include <cstdint>
#include <vector>

#include "absl/container/btree_map.h"
#include "absl/container/btree_set.h"
#include "models/base/types.h"

namespace numasim {

class ShmemFiles {
 public:
  // FrameOwner::object can tell this many files apart.
  static constexpr int kMaxFiles = 1 << 16;

  // A new file, mapped by a process; kNoFile if there are too many.
  FileId Create(uint16_t process);
  void AddMapping(FileId file, uint16_t process) { At(file).mappers.insert(process); }
  // The process maps it no more. When it was the last the file is gone, and its pages are returned to be
  // freed.
  std::vector<Pfn> DropMapping(FileId file, uint16_t process);
  // The ids of the processes that map it (i_mmap); none where the file is gone.
  const absl::btree_set<uint16_t>& MappersOf(FileId file) const {
    return files_[static_cast<size_t>(file.value)].mappers;
  }

  // The page at an offset; kNoPfn if there is none.
  Pfn Lookup(FileId file, uint64_t index) const;
  void Insert(FileId file, uint64_t index, Pfn pfn);
  // Puts `to` in the place of `from`; false where the file has no such page (any more).
  bool Replace(FileId file, uint64_t index, Pfn from, Pfn to);

  int64_t files() const { return live_; }
  // Calls f(FileId, mappings, pages by offset) for each file that is mapped, by number.
  template <typename F>
  void ForEachFile(F f) const {
    for (size_t i = 0; i < files_.size(); ++i) {
      const File& file = files_[i];
      if (file.mappers.empty()) continue;
      f(FileId{static_cast<int32_t>(i)}, static_cast<int64_t>(file.mappers.size()), file.pages);
    }
  }

 private:
  friend class ShmemFilesPeer;  // tests plant damage

  struct File {
    absl::btree_set<uint16_t> mappers;  // ids of processes
    absl::btree_map<uint64_t, Pfn> pages;
  };
  File& At(FileId file) { return files_[static_cast<size_t>(file.value)]; }

  std::vector<File> files_;
  std::vector<int32_t> free_ids_;
  int64_t live_ = 0;
};

}  // namespace numasim

#endif  // NUMASIM_MODELS_PAGE_CACHE_SHMEM_H_
