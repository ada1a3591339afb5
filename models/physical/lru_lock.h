// LruLock: lruvec->lru_lock of a node, which guards its lists of the page cache (mm/swap.c, mm/vmscan.c,
// Linux 6.1). Part of Node, on its LP.
//
// Who adds pages to the lists, or moves them, takes it for 15 of its CPU's at once (struct folio_batch): the
// lists change at once here, and the time for a batch passes when it is full. Reclaim takes it to isolate
// pages, and again to put back those that stay. Who frees a page takes it in the kernel too, and who isolates
// one to move it: not here.
#ifndef NUMASIM_MODELS_PHYSICAL_LRU_LOCK_H_
#define NUMASIM_MODELS_PHYSICAL_LRU_LOCK_H_

#include <cstddef>
#include <cstdint>
#include <string_view>
#include <vector>

#include "models/base/cost_model.h"
#include "models/base/types.h"
#include "sim/engine.h"
#include "sim/locks.h"
#include "sim/path.h"
#include "sim/task.h"

namespace numasim {

class LruLock {
 public:
  static constexpr int32_t kBatch = 15;  // PAGEVEC_SIZE

  // `costs` must outlive it.
  LruLock(sim::Engine& engine, sim::LpId lp, std::string_view name, const Costs& costs, int cpus)
      : costs_(costs), lock_(engine, lp, name), batched_(static_cast<size_t>(cpus)) {}

  sim::SpinLock::Acquirer Acquire(sim::Path& path) { return lock_.Acquire(path); }
  // After so many pages were taken off the lists or put on them.
  sim::Task<void> Release(sim::Path& path, CpuId cpu, int64_t pages) {
    const bool moves = last_ != cpu;
    last_ = cpu;
    co_await path.Take((moves ? costs_.lru_lock : sim::Duration()) + costs_.lru_page * pages);
    lock_.Release(path);
  }
  // The same of pages that changed their place before anybody else could look.
  sim::Task<void> Hold(sim::Path& path, CpuId cpu, int64_t pages) {
    co_await Acquire(path);
    co_await Release(path, cpu, pages);
  }

  // The CPU has changed the place of one.
  void Batch(CpuId cpu) { ++BatchOf(cpu); }
  // What is full of the CPU's batch.
  sim::Task<void> MoveFull(sim::Path& path, CpuId cpu) {
    while (BatchOf(cpu) >= kBatch) {
      BatchOf(cpu) -= kBatch;
      co_await Hold(path, cpu, kBatch);
    }
  }

 private:
  int32_t& BatchOf(CpuId cpu) { return batched_[static_cast<size_t>(cpu.value)]; }

  const Costs& costs_;
  sim::SpinLock lock_;
  std::vector<int32_t> batched_;  // pages, by CPU
  CpuId last_{-1};                // who had the lock's cache line
};

}  // namespace numasim

#endif  // NUMASIM_MODELS_PHYSICAL_LRU_LOCK_H_
