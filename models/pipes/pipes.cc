#include "models/pipes/pipes.h"

#include <algorithm>
#include <utility>

#include "models/base/gfp.h"
#include "models/mempolicy/placed_alloc.h"
#include "models/physical/kernel_pages.h"
#include "sim/check.h"

namespace numasim {
namespace {

// 256 struct pipe_buffer of 40 bytes each: more than kmalloc's caches have, so pages of their own
// (kmalloc_large). The 16 buffers that a pipe begins with are in a slab page with others, and not counted.
constexpr int kArrayOrder = 2;
constexpr int64_t kWritePages = 16;

constexpr FrameOwner kOwner{FrameOwner::kKernel, 1, kInPipes, 0};

}  // namespace

sim::Task<Errno> Pipes::AddMemory(sim::Path& path, Process& process, GfpFlags gfp, int order, Pipe& pipe) {
  const Placement place = PlaceForTask(process, memory_.NodeOfCpu(process.cpu));
  AllocRequest request = RequestFor(gfp, place, process.cpu, kOwner);
  request.order = order;
  request.task = process.task;
  const Pfn pfn = co_await allocator_.AllocPlaced(path, request, place.retry_anywhere);
  if (pfn == kNoPfn) co_return Errno::kNoMem;
  pipe.memory.emplace_back(pfn, order);
  co_return Errno::kOk;
}

sim::Task<Errno> Pipes::Fill(sim::Path& path, Process& process, int64_t pages, Pipe& pipe) {
  NUMASIM_CHECK(pages <= kPages);
  const Costs& costs = memory_.costs();
  co_await path.Take(costs.syscall * 2);
  Errno error = co_await AddMemory(path, process, kGfpKernel | kGfpNoWarn, kArrayOrder, pipe);
  while (pages > 0 && error == Errno::kOk && !process.killed) {
    const int64_t asked = std::min(kWritePages, pages);
    int64_t written = 0;
    while (written < asked && error == Errno::kOk) {
      error = co_await AddMemory(path, process, kGfpHighuser, 0, pipe);
      if (error == Errno::kOk) ++written;
      // Who had to wake up kswapd gives way to it (might_sleep() of prepare_alloc_pages).
      co_await memory_.cpu(process.cpu).MaybeYield(path);
    }
    co_await path.Take(costs.syscall + costs.copy_page * written);
    pages -= written;
  }
  co_return error;
}

sim::Task<void> Pipes::Close(sim::Path& path, CpuId cpu, Pipe& pipe) {
  std::vector<Folio> memory = std::exchange(pipe.memory, {});
  co_await path.Take(memory_.costs().syscall);
  if (memory.empty()) co_return;
  std::ranges::rotate(memory, memory.begin() + 1);  // free_pipe_info(): the array is freed last
  co_await allocator_.Release(path, cpu, memory);
}

}  // namespace numasim
