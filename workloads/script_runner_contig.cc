// Operations on contiguous ranges: CMA areas.
#include <bit>
#include <string>
#include <utility>
#include <variant>

#include "workloads/script_runner.h"

namespace numasim::workloads {

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
  }
  memory_.cpu(kCpu).Release(path);
  co_return result;
}

sim::Task<Errno> ScriptRunner::AllocCma(sim::Path& path, const CmaAllocOp& op) {
  constexpr CpuId kCpu{0};
  constexpr FrameOwner kDriver{FrameOwner::kContig, 1, 0, 0};
  CmaArea* const area = contig_.cma().Find(op.area);
  if (area == nullptr) co_return Errno::kNoEnt;
  const int64_t pages = (op.size + kPageSize - 1) >> kPageShift;
  const int64_t align = op.align.value_or(kPageSize) >> kPageShift;
  if (align < 1 || !std::has_single_bit(static_cast<uint64_t>(align))) co_return Errno::kInval;
  const int order = std::countr_zero(static_cast<uint64_t>(align));
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
