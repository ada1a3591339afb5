// ShmemFiles: the files of shared memory, each with its pages (mm/shmem.c, Linux 6.1; base pages only). A
// file belongs to its mappings and goes with the last of them.
//
// A file's Mapping lives on the LP of the node where it was made, so that readers of different files do not
// meet. Only numbers, which tell files apart in frames (FrameOwner::object), are the global LP's: a file gets
// one before it is made and gives it back when it is gone. A path finds the file by its FileId, which says
// where its home is; the process has that in its VMA, and who begins with a frame asks the global LP (IdOf).
#ifndef NUMASIM_MODELS_PAGE_CACHE_SHMEM_H_
#define NUMASIM_MODELS_PAGE_CACHE_SHMEM_H_

#include <cstdint>
#include <memory>
#include <vector>

#include "absl/container/btree_map.h"
#include "absl/container/flat_hash_map.h"
#include "models/base/folio.h"
#include "models/base/types.h"
#include "models/page_cache/mapping.h"

namespace numasim {

class ShmemFiles {
 public:
  // FrameOwner::object can tell this many files apart.
  static constexpr int kMaxFiles = 1 << 16;

  explicit ShmemFiles(int nodes);

  // --- global LP ---
  // A number for a file that is to be made on `home`; kNoFile if there are too many.
  FileId TakeId(NodeId home);
  // The file is gone, and no frame names it any more.
  void ReturnId(FileId file);
  // The file that has the number; kNoFile if none has.
  FileId IdOf(uint64_t number) const {
    return number < ids_.size() ? ids_[static_cast<size_t>(number)] : kNoFile;
  }
  int64_t files() const { return static_cast<int64_t>(ids_.size() - free_numbers_.size()); }

  // --- LP of the file's home ---
  Mapping& Make(FileId file);
  // The file must be there.
  Mapping& At(FileId file) { return *Find(file); }
  // Null where it is gone: a path that has not asked a VMA of the file may come behind the last mapping.
  Mapping* Find(FileId file) const {
    const Home& home = *homes_[static_cast<size_t>(file.home.value)];
    const auto found = home.files.find(file.value);
    return found == home.files.end() ? nullptr : found->second.get();
  }
  // The process maps it no more. When it was the last the file is gone, and what it had is returned, to be
  // freed before its number is returned.
  struct Dropped {
    bool gone = false;
    std::vector<Folio> pages;
  };
  Dropped DropMapper(FileId file, uint16_t process);

  // --- while nothing runs ---
  // Calls f(FileId, const Mapping&) for each file, by home and number.
  template <typename F>
  void ForEachFile(F f) const {
    for (size_t n = 0; n < homes_.size(); ++n) {
      const absl::btree_map<int32_t, const Mapping*> by_number = FilesOf(*homes_[n]);
      for (const auto& [number, mapping] : by_number) {
        f(FileId{number, NodeId{static_cast<int32_t>(n)}}, *mapping);
      }
    }
  }

 private:
  friend class ShmemFilesPeer;  // tests plant damage

  // The files of one node, by number.
  struct Home {
    absl::flat_hash_map<int32_t, std::unique_ptr<Mapping>> files;
  };
  static absl::btree_map<int32_t, const Mapping*> FilesOf(const Home& home);

  std::vector<std::unique_ptr<Home>> homes_;  // by node, each on its LP
  // Global LP.
  std::vector<FileId> ids_;  // by number; kNoFile: free
  std::vector<int32_t> free_numbers_;
};

}  // namespace numasim

#endif  // NUMASIM_MODELS_PAGE_CACHE_SHMEM_H_
