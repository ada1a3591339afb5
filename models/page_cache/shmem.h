// ShmemFiles: the pages of shared memory, by file and page offset (mm/shmem.c, Linux 6.1; base pages only).
// Lives on the global LP. A file belongs to its mappings and goes with the last of them.
#ifndef NUMASIM_MODELS_PAGE_CACHE_SHMEM_H_
#define NUMASIM_MODELS_PAGE_CACHE_SHMEM_H_

#include <cstdint>
#include <vector>

#include "models/base/types.h"
#include "models/page_cache/mapping.h"

namespace numasim {

class ShmemFiles {
 public:
  // FrameOwner::object can tell this many files apart.
  static constexpr int kMaxFiles = 1 << 16;

  // A new file, mapped by a process; kNoFile if there are too many.
  FileId Create(uint16_t process);
  // The process maps it no more. When it was the last the file is gone, and its pages are returned to be
  // freed.
  std::vector<Pfn> DropMapping(FileId file, uint16_t process);

  Mapping& At(FileId file) { return files_[static_cast<size_t>(file.value)]; }
  const Mapping& At(FileId file) const { return files_[static_cast<size_t>(file.value)]; }

  int64_t files() const { return live_; }
  // Calls f(FileId, const Mapping&) for each file that is mapped, by number.
  template <typename F>
  void ForEachFile(F f) const {
    for (size_t i = 0; i < files_.size(); ++i) {
      if (files_[i].mapped()) f(FileId{static_cast<int32_t>(i)}, files_[i]);
    }
  }

 private:
  std::vector<Mapping> files_;
  std::vector<int32_t> free_ids_;
  int64_t live_ = 0;
};

}  // namespace numasim

#endif  // NUMASIM_MODELS_PAGE_CACHE_SHMEM_H_
