// Shmem: what is done with files of shared memory as files (mm/shmem.c, Linux 6.1): names on the tmpfs, which
// is mounted on /shm with huge=always, what comes into them, and what truncation, holes and fallocate make of
// their pages. Faults on them are AddressSpaceOps'. It has the directory's lock and no other state.
//
// What is the same for files of the disk, on /disk, is done here too: names, truncation and holes.
//
// A huge page of a file is in its Mapping as one. Each PMD that maps it has a reference to it, which the
// page's node counts; base entries that map parts of it have none, as those that map base pages of files.
//
// Every call may be made on any LP and ends on the same, unless it says otherwise.
#ifndef NUMASIM_MODELS_SHMEM_SHMEM_H_
#define NUMASIM_MODELS_SHMEM_SHMEM_H_

#include <cstdint>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "models/address_space/process.h"
#include "models/base/errno.h"
#include "models/base/folio.h"
#include "models/base/types.h"
#include "models/mempolicy/mempolicy.h"
#include "models/page_cache/shmem.h"
#include "models/physical/memory_system.h"
#include "models/physical/page_allocator.h"
#include "models/rmap/rmap.h"
#include "sim/locks.h"
#include "sim/path.h"
#include "sim/task.h"

namespace numasim {

struct ShmemOpened {
  Errno error = Errno::kOk;
  FileId file;
};

class Shmem {
 public:
  // Where the tmpfs is mounted, with a slash at its end.
  static constexpr std::string_view kDirectory = "/shm/";
  static constexpr std::string_view kDiskDirectory = "/disk/";  // the same of the disk
  using Mount = ShmemFile::Mount;

  Shmem(MemorySystem& memory, PageAllocator& allocator, ShmemFiles& files, const Rmap& rmap)
      : memory_(memory),
        allocator_(allocator),
        files_(files),
        rmap_(rmap),
        directory_lock_(memory.engine(), memory.global_lp(), "tmpfs.i_rwsem") {}

  // open(O_CREAT) of "NAME" or "/shm/NAME" ("/disk/NAME"), and ftruncate() where the file is smaller. A file
  // that is made is at home on the CPU's node. kNoEnt: no such directory; kNoSpc: too many files.
  sim::Task<ShmemOpened> Open(sim::Path& path, const std::string& name, int64_t bytes, CpuId cpu,
                              Mount mount = Mount::kTmpfs);
  // open() without O_CREAT, which takes no lock (lookup_fast). kNoEnt: there is no such file.
  sim::Task<ShmemOpened> OpenExisting(sim::Path& path, const std::string& name, Mount mount);
  // fork() copies a file descriptor.
  sim::Task<void> ReOpen(sim::Path& path, FileId file);
  sim::Task<void> CloseFile(sim::Path& path, FileId file, CpuId cpu);
  sim::Task<Errno> Unlink(sim::Path& path, const std::string& name, CpuId cpu);
  // The process has no VMA of these files any more.
  sim::Task<void> DropMapper(sim::Path& path, uint16_t process, CpuId cpu, std::span<const FileId> files);

  // ftruncate(), fallocate(FALLOC_FL_PUNCH_HOLE | FALLOC_FL_KEEP_SIZE), fallocate() of a file that the caller
  // has open or mapped. kNoMem: what was allocated is given back.
  sim::Task<Errno> Truncate(sim::Path& path, FileId file, int64_t bytes, CpuId cpu);
  sim::Task<Errno> Punch(sim::Path& path, FileId file, int64_t offset, int64_t length, CpuId cpu);
  sim::Task<Errno> Fallocate(sim::Path& path, Process& process, FileId file, int64_t offset, int64_t length);

  // Pages [from, to) of a file.
  struct Range {
    uint64_t from, to;
  };
  enum class Unmapping : uint8_t { kRange, kToSplit };
  // From the file's home, where the file has these pages no more, or has locked them; ends there.
  sim::Task<void> UnmapRange(sim::Path& path, FileId file, Range range, Unmapping why, CpuId cpu);

  // Who asks for a page that a file lacks.
  struct Claim {
    CpuId cpu;
    MemPolicy policy;          // the mapping's, or the task's
    const Vma* vma = nullptr;  // null where no mapping asks
    TaskId task = kNoTask;
  };
  // kRaced: another path was faster, and the page is there or is being collapsed.
  enum class Added : uint8_t { kAdded, kRaced, kBeyondEnd, kNoMem };
  // shmem_get_folio_gfp() of a page that the file lacked, and that was not locked, when the path came to its
  // home, where it is and stays.
  sim::Task<Added> AddPage(sim::Path& path, FileId file, uint64_t index, Claim claim);

  // shmem_is_huge(): whether a page that the file lacks at `index` is to come as part of a huge page. `vma`
  // is null where no mapping asks for it.
  static bool WantsHugePage(const ShmemFile& file, const ThpSettings& thp, const Vma* vma, uint64_t index);

 private:
  static constexpr int64_t kEndOfFiles = INT64_MAX;  // MAX_LFS_FILESIZE

  // The file's own name, without the directory; none where the path leads elsewhere.
  static std::optional<std::string_view> NameOn(Mount mount, std::string_view path);
  static std::string_view DirectoryOf(Mount mount);
  sim::LpId HomeOf(FileId file) const { return memory_.node(file.home).lp; }
  sim::Task<void> GoHome(sim::Path& path, FileId file) const;
  sim::Task<void> GoToGlobal(sim::Path& path) const;
  // These begin at the file's home; DropIfUnused ends on the global LP where the file is gone.
  sim::Task<void> Lock(sim::Path& path, FileId file);
  sim::Task<void> DropIfUnused(sim::Path& path, FileId file, CpuId cpu);
  sim::Task<void> RemovePages(sim::Path& path, FileId file, int64_t begin, int64_t end, CpuId cpu);
  sim::Task<void> RemoveWhole(sim::Path& path, FileId file, Range range, CpuId cpu);
  sim::Task<void> RemoveAdded(sim::Path& path, FileId file, uint64_t index, CpuId cpu);
  sim::Task<bool> SplitAt(sim::Path& path, FileId file, uint64_t index, Range range, CpuId cpu);
  sim::Task<void> WaitForCollapse(sim::Path& path, FileId file, Range range);
  sim::Task<bool> AddHugePage(sim::Path& path, FileId file, uint64_t first, const Claim& claim);
  sim::Task<Pfn> AllocHuge(sim::Path& path, FileId file, uint64_t first, const Claim& claim);

  MemorySystem& memory_;
  PageAllocator& allocator_;
  ShmemFiles& files_;
  const Rmap& rmap_;
  // Of the tmpfs's directory, on the global LP: an open that may create, and an unlink, have it alone. While
  // one holds it every name has its file.
  sim::Mutex directory_lock_;
};

}  // namespace numasim

#endif  // NUMASIM_MODELS_SHMEM_SHMEM_H_
