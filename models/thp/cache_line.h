// CacheLine: one that all CPUs write, such as a counter of references. It goes from CPU to CPU, one at a time
// in the order in which they ask for it: who writes it after another CPU did waits for
// CostModel.cache_line_ns. Lives on an LP, where its writers are.
#ifndef NUMASIM_MODELS_THP_CACHE_LINE_H_
#define NUMASIM_MODELS_THP_CACHE_LINE_H_

#include <string_view>

#include "models/base/types.h"
#include "models/physical/memory_system.h"
#include "sim/locks.h"
#include "sim/path.h"
#include "sim/task.h"

namespace numasim {

class CacheLine {
 public:
  // The trace has its traffic among the locks, by `name`: a wait for the line, and the transfer as a hold.
  CacheLine(MemorySystem& memory, sim::LpId lp, std::string_view name)
      : transfer_(memory.costs().cache_line), line_(memory.engine(), lp, name) {}

  sim::Task<void> Write(sim::Path& path, CpuId cpu) {
    co_await line_.Acquire(path);
    if (cpu != owner_) co_await path.Take(transfer_);
    owner_ = cpu;
    line_.Release(path);
  }

 private:
  sim::Duration transfer_;
  sim::SpinLock line_;
  CpuId owner_{-1};  // who has it: nobody at first
};

}  // namespace numasim

#endif  // NUMASIM_MODELS_THP_CACHE_LINE_H_
