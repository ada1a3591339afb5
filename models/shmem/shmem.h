// Shmem: what is done with files of shared memory as files (mm/shmem.c, Linux 6.1): names on the tmpfs, which
// is mounted on /shm, and what truncation, holes and fallocate make of their pages. Faults on them are
// AddressSpaceOps'. It has the directory's lock and no other state.
//
// Every call may be made on any LP and ends on the same.
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
#include "models/base/not_modelled.h"
#include "models/base/types.h"
#include "models/page_cache/shmem.h"
#include "models/physical/memory_system.h"
#include "models/physical/page_allocator.h"
#include "models/rmap/rmap.h"
#include "sim/locks.h"
#include "sim/path.h"
#include "sim/task.h"

namespace numasim {

inline constexpr char kHugeShmem[] =
    "a huge page of shared memory is not modelled yet; expected `thp shmem_enabled deny` before it in the "
    "script";

struct ShmemOpened {
  Errno error = Errno::kOk;
  FileId file;
};

class Shmem {
 public:
  // Where the tmpfs is mounted, with a slash at its end.
  static constexpr std::string_view kDirectory = "/shm/";

  Shmem(MemorySystem& memory, PageAllocator& allocator, ShmemFiles& files, const Rmap& rmap)
      : memory_(memory),
        allocator_(allocator),
        files_(files),
        rmap_(rmap),
        directory_lock_(memory.engine(), memory.global_lp(), "tmpfs.i_rwsem") {}

  // open(O_CREAT) of "NAME" or "/shm/NAME", and ftruncate() where the file is smaller. A file that is made is
  // at home on the CPU's node. kNoEnt: no such directory; kNoSpc: too many files.
  sim::Task<ShmemOpened> Open(sim::Path& path, const std::string& name, int64_t bytes, CpuId cpu);
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

  // shmem_is_huge(): whether a page that the file lacks at `index` is to come as part of a huge page. `vma`
  // is null where no mapping asks for it.
  static bool WantsHugePage(const ShmemFile& file, const ThpSettings& thp, const Vma* vma, uint64_t index);

 private:
  static constexpr uint64_t kEnd = ~uint64_t{0};

  // The file's own name, without the directory; none where the path leads elsewhere.
  static std::optional<std::string_view> NameOnTmpfs(std::string_view path);
  sim::LpId HomeOf(FileId file) const { return memory_.node(file.home).lp; }
  sim::Task<void> GoHome(sim::Path& path, FileId file) const;
  sim::Task<void> GoToGlobal(sim::Path& path) const;
  // These begin at the file's home; DropIfUnused ends on the global LP where the file is gone.
  sim::Task<void> Lock(sim::Path& path, FileId file);
  sim::Task<void> DropIfUnused(sim::Path& path, FileId file, CpuId cpu);
  sim::Task<void> RemovePages(sim::Path& path, FileId file, uint64_t from, uint64_t to, CpuId cpu);
  sim::Task<void> UnmapRange(sim::Path& path, FileId file, uint64_t from, uint64_t to);
  sim::Task<bool> AddPage(sim::Path& path, FileId file, uint64_t index, const MemPolicy& policy, CpuId cpu);

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
