// Files that mappings are of, on hugetlbfs, on the tmpfs and on the disk: opening and closing them, and what
// is done with them as files.
#include <string>
#include <utility>

#include "workloads/script_runner.h"

namespace numasim::workloads {

sim::Task<OpResult> ScriptRunner::OpenFile(sim::Path& path, const MapOp& op, CpuId cpu, MapRequest& request) {
  if (op.backing == Backing::kShmem) {
    // Without a name it is what mkstemp() and unlink() make: open, and nobody else finds it.
    const ShmemOpened opened = co_await kernel_.shmem().Open(path, op.file.value_or(op.id), op.size, cpu);
    if (opened.error != Errno::kOk) co_return opened.error;
    if (!op.file.has_value()) co_await kernel_.shmem().Unlink(path, op.id, cpu);
    request.file = opened.file;
  } else if (op.backing == Backing::kFile) {
    const ShmemOpened opened =
        co_await kernel_.shmem().Open(path, *op.file, op.size, cpu, ShmemFile::Mount::kDisk);
    request.file = opened.file;
    request.disk = true;
    co_return opened.error;
  } else if (op.file.has_value()) {
    const HugeOpened opened = co_await kernel_.hugetlb().Open(path, *op.file, *request.huge, op.size, cpu);
    request.file = opened.file;
    co_return opened.error;
  }
  co_return Errno::kOk;
}

sim::Task<void> ScriptRunner::Close(sim::Path& path, const Region& region, CpuId cpu) {
  if (region.open_file == kNoFile) co_return;
  if (region.huge.has_value()) {
    co_await kernel_.hugetlb().CloseFile(path, region.open_file, cpu);
  } else {
    co_await kernel_.shmem().CloseFile(path, region.open_file, cpu);
  }
}

sim::Task<void> ScriptRunner::CloseFile(sim::Path& path, Owned& owned, const std::string& id) {
  const auto found = owned.regions.find(id);
  if (found == owned.regions.end()) co_return;
  const Region region = found->second;
  found->second.open_file = kNoFile;
  co_await Close(path, region, owned.process->cpu);
}

sim::Task<void> ScriptRunner::CloseFiles(sim::Path& path, Owned& owned) {
  for (const auto& [id, region] : owned.regions) co_await Close(path, region, owned.process->cpu);
}

// fork() copies file descriptors.
sim::Task<void> ScriptRunner::ReOpenFiles(sim::Path& path, Owned& owned) {
  for (const auto& [id, region] : owned.regions) {
    if (region.open_file == kNoFile) continue;
    if (region.huge.has_value()) {
      co_await kernel_.hugetlb().ReOpen(path, region.open_file);
    } else {
      co_await kernel_.shmem().ReOpen(path, region.open_file);
    }
  }
}

// Without a file these answer as the recorder does, which has none to ask the kernel about.
sim::Task<OpResult> ScriptRunner::Do(sim::Path& path, const Mapped& on, const FallocateOp& op) {
  const FileId file = on.region.open_file;
  const Range& range = op.range;
  if (file == kNoFile) co_return Errno::kNoEnt;
  if (on.region.huge.has_value())
    co_return co_await kernel_.hugetlb().Fallocate(path, on.process(), file, range.offset, range.length);
  co_return co_await kernel_.shmem().Fallocate(path, on.process(), file, range.offset, range.length);
}

sim::Task<OpResult> ScriptRunner::Do(sim::Path& path, const Mapped& on, const PunchOp& op) {
  const FileId file = on.region.open_file;
  const CpuId cpu = on.process().cpu;
  if (file == kNoFile) co_return Errno::kNoEnt;
  if (on.region.huge.has_value())
    co_return co_await kernel_.hugetlb().Punch(path, file, op.range.offset, op.range.length, cpu);
  co_return co_await kernel_.shmem().Punch(path, file, op.range.offset, op.range.length, cpu);
}

sim::Task<OpResult> ScriptRunner::Do(sim::Path& path, const Mapped& on, const TruncateOp& op) {
  const FileId file = on.region.open_file;
  const CpuId cpu = on.process().cpu;
  if (file == kNoFile) co_return Errno::kInval;
  if (on.region.huge.has_value()) co_return co_await kernel_.hugetlb().Truncate(path, file, op.size, cpu);
  co_return co_await kernel_.shmem().Truncate(path, file, op.size, cpu);
}

// Files of hugetlbfs are as large as their mappings, and their pages are copied.
sim::Task<OpResult> ScriptRunner::Do(sim::Path& path, const Mapped& on, const ReadOp& op) {
  const Region& region = on.region;
  if (region.open_file == kNoFile) co_return Errno::kNoEnt;
  OpResult result;
  if (region.huge.has_value()) {
    result.read = Clip(op.range, region).length;
    co_await path.Take(memory_.costs().copy_page * (*result.read >> kPageShift));
    co_return result;
  }
  const Range range = op.range.value_or(Range{0, region.bytes});
  const Filemap::ReadResult got =
      co_await kernel_.filemap().Read(path, on.process(), region.open_file, range.offset, range.length);
  result.error = got.error;
  result.read = got.bytes;
  co_return result;
}

sim::Task<OpResult> ScriptRunner::Do(sim::Path& path, const UnlinkOp& op) {
  if (op.path.starts_with(Shmem::kDirectory) || op.path.starts_with(Shmem::kDiskDirectory))
    co_return co_await kernel_.shmem().Unlink(path, op.path, kSystemCpu);
  co_return co_await kernel_.hugetlb().Unlink(path, op.path, kSystemCpu);
}

}  // namespace numasim::workloads
