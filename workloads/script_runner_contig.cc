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
  for (const auto& area : kernel.contig().cma().areas()) devices.cma_areas.push_back(area->name);
  if (kernel.virtio_mem() == nullptr) return devices;
  devices.virtio_mem_max = kernel.virtio_mem()->max_pages() << kPageShift;
  devices.virtio_mem_block = VirtioMemDriver::kSubBlockPages << kPageShift;
  return devices;
}

// Runs on CPU 0, as all operations of the system do.
sim::Task<OpResult> ScriptRunner::PerformContigSystem(sim::Path& path, const Op& op) {
  constexpr CpuId kCpu{0};
  OpResult result;
  co_await path.HopTo(memory_.node(memory_.NodeOfCpu(kCpu)).lp, memory_.costs().hop);
  co_await memory_.cpu(kCpu).Acquire(path);
  if (const auto* alloc = std::get_if<CmaAllocOp>(&op.kind)) {
    result.error = co_await AllocCma(path, *alloc);
  } else if (const auto* release = std::get_if<CmaReleaseOp>(&op.kind)) {
    result.error = co_await ReleaseCma(path, release->name);
  } else if (const auto* offline = std::get_if<OfflineBlockOp>(&op.kind)) {
    result = co_await OfflineBlock(path, *offline);
  } else if (const auto* device = std::get_if<VirtioMemOp>(&op.kind)) {
    result = co_await AskVirtioMem(path, device->size);
  }
  memory_.cpu(kCpu).Release(path);
  co_return result;
}

// The hypervisor only says what it wants; how far the driver came is in the size that is plugged afterwards.
sim::Task<OpResult> ScriptRunner::AskVirtioMem(sim::Path& path, int64_t size) {
  constexpr int64_t kSubBlockSize = VirtioMemDriver::kSubBlockPages << kPageShift;
  OpResult result;
  VirtioMemDriver* const device = kernel_.virtio_mem();
  if (device == nullptr || size % kSubBlockSize != 0) {
    result.error = device == nullptr ? Errno::kNoEnt : Errno::kInval;
    co_return result;
  }
  const VirtioMemDriver::Result answer = co_await device->Request(path, CpuId{0}, size >> kPageShift);
  const bool invalid = answer.error == Errno::kInval;
  result.error = invalid ? answer.error : Errno::kOk;
  result.unmet = invalid ? Errno::kOk : answer.error;
  result.plugged = answer.plugged << kPageShift;
  co_return result;
}

sim::Task<OpResult> ScriptRunner::OfflineBlock(sim::Path& path, const OfflineBlockOp& op) {
  constexpr CpuId kCpu{0};
  OpResult result;
  const sim::LpId home = path.lp();
  co_await path.HopTo(memory_.global_lp(), memory_.costs().hop);
  const std::vector<MemoryBlockId> ids = OnlineBlocks(memory_.blocks(), NodeId{op.node}, op.blocks);
  co_await path.HopTo(home, memory_.costs().hop);
  const bool all_there = std::ssize(ids) - 1 == op.blocks.last - op.blocks.first;
  int64_t offlined = 0;
  for (const MemoryBlockId id : ids) {
    const Errno error = co_await kernel_.hotplug().Offline(path, kCpu, id);
    if (error == Errno::kOk) ++offlined;
    if (result.error == Errno::kOk) result.error = error;
  }
  if (!all_there && result.error == Errno::kOk) result.error = Errno::kNoEnt;
  if (op.blocks.first == op.blocks.last) {
    if (all_there) result.block = ids.front().value;
  } else {
    result.offlined = offlined;
  }
  co_return result;
}

sim::Task<Errno> ScriptRunner::AllocCma(sim::Path& path, const CmaAllocOp& op) {
  constexpr CpuId kCpu{0};
  constexpr FrameOwner kDriver{FrameOwner::kContig, 1, 0, 0};
  CmaArea* const area = contig_.cma().Find(op.area);
  if (area == nullptr) co_return Errno::kNoEnt;
  const int64_t pages = op.size / kPageSize + (op.size % kPageSize != 0 ? 1 : 0);
  const int64_t align = op.align.value_or(kPageSize);
  if (align < kPageSize || !std::has_single_bit(static_cast<uint64_t>(align))) co_return Errno::kInval;
  const int order = std::countr_zero(static_cast<uint64_t>(align)) - kPageShift;
  co_await ReleaseCma(path, op.name);
  const Pfn start = co_await contig_.cma().Alloc(path, kCpu, *area, pages, order, kDriver);
  if (start == kNoPfn) co_return Errno::kNoMem;
  cma_ranges_[op.name] = {area, start, pages};
  co_return Errno::kOk;
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
