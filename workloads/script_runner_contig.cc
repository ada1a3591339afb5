// Operations on contiguous ranges and memory blocks: CMA areas, virtio-mem, offlining.
#include <bit>
#include <iterator>
#include <string>
#include <utility>
#include <variant>
#include <vector>

#include "workloads/script_runner.h"

namespace numasim::workloads {
namespace {

// Those of the node's online blocks whose places among them, counted from 0, are in the range.
std::vector<MemoryBlockId> OnlineBlocks(const MemoryBlocks& blocks, NodeId node, const BlockRange& range) {
  std::vector<MemoryBlockId> ids;
  int64_t place = 0;
  for (MemoryBlockId id{0}; id < blocks.end() && place <= range.last; ++id.value) {
    const MemoryBlock* const block = blocks.Find(id);
    if (block == nullptr || !block->online || !block->nodes.Has(node)) continue;
    if (place++ >= range.first) ids.push_back(id);
  }
  return ids;
}

}  // namespace

Devices DevicesOf(const Kernel& kernel) {
  Devices devices;
  devices.disk = kernel.memory().disk_pages() > 0;
  for (const auto& area : kernel.contig().cma().areas()) devices.cma_areas.push_back(area->name);
  if (kernel.virtio_mem() == nullptr) return devices;
  devices.virtio_mem_max = kernel.virtio_mem()->max_pages() << kPageShift;
  devices.virtio_mem_block = VirtioMemDriver::kSubBlockPages << kPageShift;
  return devices;
}

// The hypervisor only says what it wants; how far the driver came is in the size that is plugged afterwards.
sim::Task<OpResult> ScriptRunner::Do(sim::Path& path, const VirtioMemOp& op) {
  constexpr int64_t kSubBlockSize = VirtioMemDriver::kSubBlockPages << kPageShift;
  VirtioMemDriver* const device = kernel_.virtio_mem();
  if (device == nullptr) co_return Errno::kNoEnt;
  if (op.size % kSubBlockSize != 0) co_return Errno::kInval;
  const VirtioMemDriver::Result answer = co_await device->Request(path, kSystemCpu, op.size >> kPageShift);
  OpResult result;
  (answer.error == Errno::kInval ? result.error : result.unmet) = answer.error;
  result.plugged = answer.plugged << kPageShift;
  co_return result;
}

sim::Task<OpResult> ScriptRunner::Do(sim::Path& path, const OfflineBlockOp& op) {
  OpResult result;
  const sim::LpId home = path.lp();
  co_await path.HopTo(memory_.global_lp(), memory_.costs().hop);
  const std::vector<MemoryBlockId> ids = OnlineBlocks(memory_.blocks(), NodeId{op.node}, op.blocks);
  co_await path.HopTo(home, memory_.costs().hop);
  const bool all_there = std::ssize(ids) - 1 == op.blocks.last - op.blocks.first;
  int64_t offlined = 0;
  for (const MemoryBlockId id : ids) {
    const Errno error = co_await kernel_.hotplug().Offline(path, kSystemCpu, id);
    if (error == Errno::kOk) ++offlined;
    if (result.error == Errno::kOk) result.error = error;
  }
  if (!all_there && result.error != Errno::kOk) result.blocks_lack = true;
  if (!all_there && result.error == Errno::kOk) result.error = Errno::kNoEnt;
  if (op.blocks.first == op.blocks.last) {
    if (all_there) result.block = ids.front().value;
  } else {
    result.offlined = offlined;
  }
  co_return result;
}

sim::Task<OpResult> ScriptRunner::Do(sim::Path& path, const CmaAllocOp& op) {
  constexpr FrameOwner kDriver{FrameOwner::kContig, 1, 0, 0};
  CmaArea* const area = contig_.cma().Find(op.area);
  if (area == nullptr) co_return Errno::kNoEnt;
  const int64_t pages = op.size / kPageSize + (op.size % kPageSize != 0 ? 1 : 0);
  const int64_t align = op.align.value_or(kPageSize);
  if (align < kPageSize || !std::has_single_bit(static_cast<uint64_t>(align))) co_return Errno::kInval;
  const int order = std::countr_zero(static_cast<uint64_t>(align)) - kPageShift;
  co_await ReleaseCma(path, op.name);
  const Pfn start = co_await contig_.cma().Alloc(path, kSystemCpu, *area, pages, order, kDriver);
  if (start == kNoPfn) co_return Errno::kNoMem;
  cma_ranges_[op.name] = {area, start, pages};
  co_return Errno::kOk;
}

sim::Task<OpResult> ScriptRunner::Do(sim::Path& path, const CmaReleaseOp& op) {
  co_return co_await ReleaseCma(path, op.name);
}

sim::Task<Errno> ScriptRunner::ReleaseCma(sim::Path& path, const std::string& name) {
  const auto found = cma_ranges_.find(name);
  if (found == cma_ranges_.end()) co_return Errno::kNoEnt;
  const CmaRange range = found->second;
  cma_ranges_.erase(found);
  co_await contig_.cma().Release(path, *range.area, range.start, range.pages);
  co_return Errno::kOk;
}

}  // namespace numasim::workloads
