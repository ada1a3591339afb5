// HugetlbFiles: hugetlbfs as a table (fs/hugetlbfs/inode.c, Linux 6.1): mounts, names, files with their page
// cache and reservations. Owned by Hugetlb, lives on the global LP. Pure state; Hugetlb's paths change it.
#ifndef NUMASIM_MODELS_HUGETLB_FILES_H_
#define NUMASIM_MODELS_HUGETLB_FILES_H_

#include <cstdint>
#include <functional>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include "absl/container/btree_map.h"
#include "absl/container/btree_set.h"
#include "models/base/huge_size.h"
#include "models/base/types.h"
#include "models/hugetlb/resv_map.h"
#include "models/hugetlb/subpool.h"
#include "models/page_cache/mapping.h"
#include "sim/engine.h"
#include "sim/locks.h"

namespace numasim {

struct HugeFile {
  FileId id;
  HugeSize page_size = HugeSize::k2M;
  int mount = -1;       // -1: of an anonymous mapping
  bool linked = false;  // has a name
  int64_t opens = 0;    // file descriptors, and paths that need it to stay
  int64_t bytes = 0;    // i_size
  ResvMap resv;
  // Its home is the global LP: every fault on it goes there for the fault mutex and hugetlb_lock.
  Mapping mapping;
  Subpool* subpool = nullptr;
  std::unique_ptr<sim::Mutex> lock;  // i_rwsem, only ever taken for writing
  // hugetlb_vma_lock of all shared mappings: read by faults, so that who unmaps waits for those under way.
  std::unique_ptr<sim::RwSem> vma_lock;

  bool InUse() const { return linked || opens > 0 || mapping.mapped(); }
};

struct HugetlbMount {
  std::string directory;  // "" for the default mount of its page size
  HugeSize page_size = HugeSize::k2M;
  std::unique_ptr<Subpool> subpool;  // null: no limit and nothing reserved
  absl::btree_map<std::string, FileId> names;
  absl::btree_set<int32_t> files;  // with a name or without
};

class HugetlbFiles {
 public:
  HugetlbFiles(sim::Engine& engine, sim::LpId lp);

  HugeFile& At(FileId id) { return *files_[id.value]; }
  const HugeFile& At(FileId id) const { return *files_[id.value]; }

  // A file without a name, on a mount or (-1) for an anonymous mapping.
  HugeFile& Create(HugeSize page_size, int mount);
  // Forgets a file that nothing uses and that has no pages.
  void Remove(FileId id);
  // Calls f(const HugeFile&) for each file, by number.
  template <typename F>
  void ForEach(F f) const {
    for (const auto& file : files_) {
      if (file != nullptr) f(*file);
    }
  }
  // Calls f(const Subpool&) for each mount that has one, the oldest first.
  template <typename F>
  void ForEachSubpool(F f) const {
    for (const HugetlbMount& mount : mounts_) {
      if (mount.subpool != nullptr) f(*mount.subpool);
    }
  }
  int64_t files() const { return static_cast<int64_t>(files_.size() - free_ids_.size()); }

  // The mount and name of "NAME" (on the default mount of a page size) or "/DIR/NAME"; mount -1: no such
  // mount.
  struct Place {
    int mount = -1;
    std::string name;
  };
  Place Resolve(std::string_view path, HugeSize page_size) const;
  // The newest mount on a directory; -1 if there is none.
  int FindMount(std::string_view directory) const;
  int AddMount(HugetlbMount mount);
  void Unmounted(int index);
  // Whether a file of the mount is open or mapped.
  bool MountBusy(int index) const;
  HugetlbMount& mount(int index) { return mounts_[index]; }

 private:
  sim::Engine& engine_;
  sim::LpId lp_;
  std::vector<std::unique_ptr<HugeFile>> files_;
  std::vector<int32_t> free_ids_;
  std::vector<HugetlbMount> mounts_;  // the default mounts first, by page size
  // What is mounted on a directory, the newest last.
  absl::btree_map<std::string, std::vector<int>, std::less<>> mounted_;
};

}  // namespace numasim

#endif  // NUMASIM_MODELS_HUGETLB_FILES_H_
