// Operations on the HugeTLB pool and on mounts of hugetlbfs.
#include "workloads/model_values.h"
#include "workloads/script_runner.h"

namespace numasim::workloads {

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

sim::Task<OpResult> ScriptRunner::Do(sim::Path& path, const UnlinkHugetlbOp& op) {
  co_return co_await kernel_.hugetlb().Unlink(path, op.file, kSystemCpu);
}

}  // namespace numasim::workloads
