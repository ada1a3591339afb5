// Operations on the HugeTLB pool, on hugetlbfs and on mappings of huge pages.
#include <string>
#include <utility>

#include "workloads/model_values.h"
#include "workloads/script_runner.h"

namespace numasim::workloads {

sim::Task<void> ScriptRunner::CloseFile(sim::Path& path, Owned& owned, const std::string& id) {
  const auto found = owned.regions.find(id);
  if (found == owned.regions.end() || found->second.open_file == kNoFile) co_return;
  const FileId file = std::exchange(found->second.open_file, kNoFile);
  co_await kernel_.hugetlb().CloseFile(path, file, owned.process->cpu);
}

sim::Task<void> ScriptRunner::CloseFiles(sim::Path& path, Owned& owned) {
  for (const auto& [id, region] : owned.regions) {
    if (region.open_file == kNoFile) continue;
    co_await kernel_.hugetlb().CloseFile(path, region.open_file, owned.process->cpu);
  }
}

// Without a file these answer as the recorder does, which has none to ask the kernel about.
sim::Task<OpResult> ScriptRunner::Do(sim::Path& path, const Mapped& on, const FallocateOp& op) {
  if (on.region.open_file == kNoFile) co_return Errno::kNoEnt;
  co_return co_await kernel_.hugetlb().Fallocate(path, on.process(), on.region.open_file, op.range.offset,
                                                 op.range.length);
}

sim::Task<OpResult> ScriptRunner::Do(sim::Path& path, const Mapped& on, const PunchOp& op) {
  if (on.region.open_file == kNoFile) co_return Errno::kNoEnt;
  co_return co_await kernel_.hugetlb().Punch(path, on.region.open_file, op.range.offset, op.range.length,
                                             on.process().cpu);
}

sim::Task<OpResult> ScriptRunner::Do(sim::Path& path, const Mapped& on, const TruncateOp& op) {
  if (on.region.open_file == kNoFile) co_return Errno::kInval;
  co_return co_await kernel_.hugetlb().Truncate(path, on.region.open_file, op.size, on.process().cpu);
}

sim::Task<OpResult> ScriptRunner::Do(sim::Path& path, Owned& owned, const ProcessPoolOp& op) {
  co_return co_await kernel_.hugetlb().ResizeBy(path, *owned.process, ToHugeSize(op.page), op.mempolicy,
                                                op.count);
}

sim::Task<OpResult> ScriptRunner::Do(sim::Path& path, const PoolOp& op) {
  const NodeId node = op.target.node == PoolTarget::kAllNodes ? kNoNode : NodeId{op.target.node};
  co_return co_await kernel_.hugetlb().Resize(path, kSystemCpu, ToHugeSize(op.page), node, op.count);
}

sim::Task<OpResult> ScriptRunner::Do(sim::Path& path, const OvercommitOp& op) {
  co_return co_await kernel_.hugetlb().SetOvercommit(path, ToHugeSize(op.page), op.count);
}

sim::Task<OpResult> ScriptRunner::Do(sim::Path& path, const DemoteOp& op) {
  co_return co_await kernel_.hugetlb().Demote(path, kSystemCpu, NodeId{op.node}, op.count);
}

sim::Task<OpResult> ScriptRunner::Do(sim::Path& path, const MountHugetlbfsOp& op) {
  const HugetlbMountRequest request{op.directory, ToHugeSize(op.page), op.size, op.min_size};
  co_return co_await kernel_.hugetlb().Mount(path, request, kSystemCpu);
}

sim::Task<OpResult> ScriptRunner::Do(sim::Path& path, const UmountOp& op) {
  co_return co_await kernel_.hugetlb().Unmount(path, op.directory, kSystemCpu);
}

sim::Task<OpResult> ScriptRunner::Do(sim::Path& path, const UnlinkOp& op) {
  co_return co_await kernel_.hugetlb().Unlink(path, op.path, kSystemCpu);
}

sim::Task<OpResult> ScriptRunner::Do(sim::Path& path, const UnlinkHugetlbOp& op) {
  co_return co_await kernel_.hugetlb().Unlink(path, op.file, kSystemCpu);
}

}  // namespace numasim::workloads
