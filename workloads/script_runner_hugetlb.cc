// Operations on the HugeTLB pool, on hugetlbfs and on mappings of huge pages.
#include <string>
#include <utility>
#include <variant>

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

// fallocate, punch and truncate
sim::Task<Errno> ScriptRunner::OnHugetlbFile(sim::Path& path, Process& process, const Region& region,
                                             const OpKind& kind) {
  Hugetlb& hugetlb = kernel_.hugetlb();
  if (region.shmem) throw NotModelled("this on a file of the tmpfs is not modelled yet");
  // As the recorder answers, which has no file to ask the kernel about.
  if (region.open_file == kNoFile) {
    co_return std::holds_alternative<TruncateOp>(kind) ? Errno::kInval : Errno::kNoEnt;
  }
  if (const auto* fallocate = std::get_if<FallocateOp>(&kind)) {
    co_return co_await hugetlb.Fallocate(path, process, region.open_file, fallocate->range.offset,
                                         fallocate->range.length);
  }
  if (const auto* punch = std::get_if<PunchOp>(&kind)) {
    co_return co_await hugetlb.Punch(path, region.open_file, punch->range.offset, punch->range.length,
                                     process.cpu);
  }
  if (const auto* truncate = std::get_if<TruncateOp>(&kind)) {
    co_return co_await hugetlb.Truncate(path, region.open_file, truncate->size, process.cpu);
  }
  co_return Errno::kOk;
}

// Runs on CPU 0, as all operations of the system do.
sim::Task<Errno> ScriptRunner::PerformHugetlbSystem(sim::Path& path, const Op& op) {
  constexpr CpuId kCpu{0};
  Hugetlb& hugetlb = kernel_.hugetlb();
  Errno error = Errno::kOk;
  co_await path.HopTo(memory_.node(memory_.NodeOfCpu(kCpu)).lp, memory_.costs().hop);
  co_await memory_.cpu(kCpu).Acquire(path);
  if (const auto* pool = std::get_if<PoolOp>(&op.kind)) {
    const NodeId node = pool->target.node == PoolTarget::kAllNodes ? kNoNode : NodeId{pool->target.node};
    error = co_await hugetlb.Resize(path, kCpu, ToHugeSize(pool->page), node, pool->count);
  } else if (const auto* overcommit = std::get_if<OvercommitOp>(&op.kind)) {
    error = co_await hugetlb.SetOvercommit(path, ToHugeSize(overcommit->page), overcommit->count);
  } else if (const auto* demote = std::get_if<DemoteOp>(&op.kind)) {
    error = co_await hugetlb.Demote(path, kCpu, NodeId{demote->node}, demote->count);
  } else if (const auto* mount = std::get_if<MountHugetlbfsOp>(&op.kind)) {
    const HugetlbMountRequest request{mount->directory, ToHugeSize(mount->page), mount->size,
                                      mount->min_size};
    error = co_await hugetlb.Mount(path, request, kCpu);
  } else if (const auto* umount = std::get_if<UmountOp>(&op.kind)) {
    error = co_await hugetlb.Unmount(path, umount->directory, kCpu);
  } else if (const auto* unlink = std::get_if<UnlinkOp>(&op.kind)) {
    error = co_await hugetlb.Unlink(path, unlink->path, kCpu);
  } else if (const auto* unlink_hugetlb = std::get_if<UnlinkHugetlbOp>(&op.kind)) {
    error = co_await hugetlb.Unlink(path, unlink_hugetlb->file, kCpu);
  }
  memory_.cpu(kCpu).Release(path);
  co_return error;
}

}  // namespace numasim::workloads
