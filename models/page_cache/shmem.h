// ShmemFiles: the files of shared memory (mm/shmem.c, Linux 6.1) and those of the disk that were opened, each
// with its pages, as a table: paths of Shmem, Filemap and AddressSpaceOps change it. A file lives as long as
// a name, an open file descriptor or a mapping refers to it; pages of one that only has a name go where
// reclaim takes them, if it is on the disk.
//
// A file's Mapping lives on the LP of the node where it was made, so that readers of different files do not
// meet. Only names, and numbers, which tell files apart in frames (FrameOwner::object), are the global LP's:
// a file gets one before it is made and gives it back when it is gone. A path finds the file by its FileId,
// which says where its home is; the process has that in its VMA, and who begins with a frame asks the global
// LP (IdOf).
#ifndef NUMASIM_MODELS_PAGE_CACHE_SHMEM_H_
#define NUMASIM_MODELS_PAGE_CACHE_SHMEM_H_

#include <cstdint>
#include <functional>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include "absl/container/btree_map.h"
#include "absl/container/flat_hash_map.h"
#include "models/base/folio.h"
#include "models/base/types.h"
#include "models/page_cache/mapping.h"
#include "sim/locks.h"

namespace numasim {

struct ShmemFile {
  enum class Mount : uint8_t {
    kInternal,  // shm_mnt: what MAP_SHARED | MAP_ANONYMOUS maps; never has a name
    kTmpfs,     // mounted on /shm
    kDisk       // of the disk's file system, mounted on /disk: no shared memory
  };
  Mount mount = Mount::kInternal;
  bool linked = false;  // has a name
  int64_t opens = 0;    // file descriptors, and paths that need it to stay
  int64_t bytes = 0;    // i_size
  Mapping mapping;
  // Of the disk: where the pages begin that readahead brought last and that nobody has read yet (the folio
  // with PG_readahead); a read that gets there brings the next.
  uint64_t readahead = 0;
  std::unique_ptr<sim::Mutex> lock;  // i_rwsem; null until it is first taken

  bool of_disk() const { return mount == Mount::kDisk; }
  bool InUse() const { return linked || opens > 0 || mapping.mapped(); }
  // No page from here on: an access gets SIGBUS.
  uint64_t EndIndex() const { return static_cast<uint64_t>((bytes + kPageSize - 1) >> kPageShift); }
};

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
  // The names on the tmpfs, or on the disk (its directory).
  using Names = absl::btree_map<std::string, FileId, std::less<>>;
  Names& names(ShmemFile::Mount mount = ShmemFile::Mount::kTmpfs) {
    return mount == ShmemFile::Mount::kDisk ? disk_names_ : names_;
  }
  const Names& names(ShmemFile::Mount mount = ShmemFile::Mount::kTmpfs) const {
    return mount == ShmemFile::Mount::kDisk ? disk_names_ : names_;
  }

  // --- LP of the file's home ---
  ShmemFile& Make(FileId file);
  // The file must be there.
  ShmemFile& FileAt(FileId file) { return *FindFile(file); }
  Mapping& At(FileId file) { return FileAt(file).mapping; }
  // Null where it is gone: a path that has not asked a VMA of the file may come behind the last mapping.
  ShmemFile* FindFile(FileId file) const {
    const Home& home = *homes_[static_cast<size_t>(file.home.value)];
    const auto found = home.files.find(file.value);
    return found == home.files.end() ? nullptr : found->second.get();
  }
  Mapping* Find(FileId file) const {
    ShmemFile* const found = FindFile(file);
    return found == nullptr ? nullptr : &found->mapping;
  }
  // The disk's files that are at home there, by number.
  std::vector<FileId> DiskFilesOf(NodeId home) const;
  // When nothing refers to the file any more it is gone, and what it had is returned, to be freed before its
  // number is returned.
  struct Dropped {
    bool gone = false;
    std::vector<Folio> pages;
  };
  Dropped DropIfUnused(FileId file);
  // The process maps it no more.
  Dropped DropMapper(FileId file, uint16_t process) {
    At(file).DropMapper(process);
    return DropIfUnused(file);
  }

  // --- while nothing runs ---
  // Calls f(FileId, const ShmemFile&) for each file, by home and number.
  template <typename F>
  void ForEachFile(F f) const {
    for (size_t n = 0; n < homes_.size(); ++n) {
      const absl::btree_map<int32_t, const ShmemFile*> by_number = FilesOf(*homes_[n]);
      for (const auto& [number, file] : by_number) f(FileId{number, NodeId{static_cast<int32_t>(n)}}, *file);
    }
  }

 private:
  friend class ShmemFilesPeer;  // tests plant damage

  // The files of one node, by number.
  struct Home {
    absl::flat_hash_map<int32_t, std::unique_ptr<ShmemFile>> files;
  };
  static absl::btree_map<int32_t, const ShmemFile*> FilesOf(const Home& home);

  std::vector<std::unique_ptr<Home>> homes_;  // by node, each on its LP
  // Global LP.
  std::vector<FileId> ids_;  // by number; kNoFile: free
  std::vector<int32_t> free_numbers_;
  Names names_, disk_names_;
};

}  // namespace numasim

#endif  // NUMASIM_MODELS_PAGE_CACHE_SHMEM_H_
