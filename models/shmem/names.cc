// Names: opening, closing and unlinking files of the tmpfs and of the disk, and the end of a file.
#include <utility>

#include "models/shmem/shmem.h"

namespace numasim {

std::string_view Shmem::DirectoryOf(Mount mount) {
  return mount == Mount::kDisk ? kDiskDirectory : kDirectory;
}

std::optional<std::string_view> Shmem::NameOn(Mount mount, std::string_view path) {
  if (path.starts_with(DirectoryOf(mount))) path.remove_prefix(DirectoryOf(mount).size());
  if (path.empty() || path.find('/') != std::string_view::npos) return std::nullopt;
  return path;
}

sim::Task<void> Shmem::GoHome(sim::Path& path, FileId file) const {
  co_await path.GoTo(HomeOf(file), memory_.costs().hop);
}

sim::Task<void> Shmem::GoToGlobal(sim::Path& path) const {
  co_await path.GoTo(memory_.global_lp(), memory_.costs().hop);
}

sim::Task<ShmemOpened> Shmem::Open(sim::Path& path, const std::string& name, int64_t bytes, CpuId cpu,
                                   Mount mount) {
  const sim::LpId here = path.lp();
  co_await path.Take(memory_.costs().syscall);
  const std::optional<std::string_view> own = NameOn(mount, name);
  if (!own.has_value()) co_return ShmemOpened{Errno::kNoEnt, kNoFile};
  co_await GoToGlobal(path);
  co_await directory_lock_.Acquire(path);
  ShmemFiles::Names& names = files_.names(mount);
  const auto found = names.find(*own);
  const bool made = found == names.end();
  const FileId id = made ? files_.TakeId(memory_.NodeOfCpu(cpu)) : found->second;
  if (id != kNoFile) {
    if (made) names.emplace(*own, id);
    co_await GoHome(path, id);
    ShmemFile& file = made ? files_.Make(id) : files_.FileAt(id);
    if (made) {
      file.mount = mount;
      file.bytes = bytes;  // who finds the name does not wait for the file's lock
      file.mapping.CountShadowNodes(memory_.node(id.home).counter(WORKINGSET_NODES));
    }
    file.linked = true;
    ++file.opens;
    co_await GoToGlobal(path);
  }
  directory_lock_.Release(path);
  if (id != kNoFile) {
    co_await GoHome(path, id);
    co_await Lock(path, id);
    ShmemFile& file = files_.FileAt(id);
    file.bytes = std::max(file.bytes, bytes);
    file.lock->Release(path);
  }
  co_await path.GoTo(here, memory_.costs().hop);
  co_return id == kNoFile ? ShmemOpened{Errno::kNoSpc, kNoFile} : ShmemOpened{Errno::kOk, id};
}

// Who unlinks the file after this has found its name comes to its home after this has opened it there: the
// way is as long for both.
sim::Task<ShmemOpened> Shmem::OpenExisting(sim::Path& path, const std::string& name, Mount mount) {
  const sim::LpId here = path.lp();
  co_await path.Take(memory_.costs().syscall);
  const std::optional<std::string_view> own = NameOn(mount, name);
  co_await GoToGlobal(path);
  const ShmemFiles::Names& names = files_.names(mount);
  const auto found = own.has_value() ? names.find(*own) : names.end();
  const FileId id = found == names.end() ? kNoFile : found->second;
  if (id != kNoFile) {
    co_await GoHome(path, id);
    ++files_.FileAt(id).opens;
  }
  co_await path.GoTo(here, memory_.costs().hop);
  co_return ShmemOpened{id == kNoFile ? Errno::kNoEnt : Errno::kOk, id};
}

sim::Task<void> Shmem::ReOpen(sim::Path& path, FileId file) {
  const sim::LpId here = path.lp();
  co_await GoHome(path, file);
  ++files_.FileAt(file).opens;
  co_await path.GoTo(here, memory_.costs().hop);
}

sim::Task<void> Shmem::CloseFile(sim::Path& path, FileId file, CpuId cpu) {
  const sim::LpId here = path.lp();
  co_await GoHome(path, file);
  --files_.FileAt(file).opens;
  co_await DropIfUnused(path, file, cpu);
  co_await path.GoTo(here, memory_.costs().hop);
}

sim::Task<Errno> Shmem::Unlink(sim::Path& path, const std::string& name, CpuId cpu) {
  const sim::LpId here = path.lp();
  co_await path.Take(memory_.costs().syscall);
  const Mount mount = name.starts_with(kDiskDirectory) ? Mount::kDisk : Mount::kTmpfs;
  const std::optional<std::string_view> own = NameOn(mount, name);
  if (!own.has_value()) co_return Errno::kNoEnt;
  co_await GoToGlobal(path);
  co_await directory_lock_.Acquire(path);
  ShmemFiles::Names& names = files_.names(mount);
  const auto found = names.find(*own);
  const bool there = found != names.end();
  if (there) {
    const FileId file = found->second;
    names.erase(found);
    co_await GoHome(path, file);
    files_.FileAt(file).linked = false;
    co_await DropIfUnused(path, file, cpu);
    co_await GoToGlobal(path);
  }
  directory_lock_.Release(path);
  co_await path.GoTo(here, memory_.costs().hop);
  co_return there ? Errno::kOk : Errno::kNoEnt;
}

// Those that are gone give their numbers back together.
sim::Task<void> Shmem::DropMapper(sim::Path& path, uint16_t process, CpuId cpu,
                                  std::span<const FileId> files) {
  const sim::LpId here = path.lp();
  std::vector<FileId> gone;
  for (const FileId file : files) {
    co_await GoHome(path, file);
    const ShmemFiles::Dropped dropped = files_.DropMapper(file, process);
    if (!dropped.gone) continue;
    co_await allocator_.Release(path, cpu, dropped.pages);
    gone.push_back(file);
  }
  if (!gone.empty()) co_await GoToGlobal(path);
  for (const FileId file : gone) files_.ReturnId(file);
  co_await path.GoTo(here, memory_.costs().hop);
}

// shmem_evict_inode(), when nothing refers to the file any more.
sim::Task<void> Shmem::DropIfUnused(sim::Path& path, FileId file, CpuId cpu) {
  const ShmemFiles::Dropped dropped = files_.DropIfUnused(file);
  if (!dropped.gone) co_return;
  co_await allocator_.Release(path, cpu, dropped.pages);
  co_await GoToGlobal(path);
  files_.ReturnId(file);
}

}  // namespace numasim
