// How paths that have a CPU leave it to others for a while: WithoutCpu, CondResched.
#ifndef NUMASIM_MODELS_PHYSICAL_WITHOUT_CPU_H_
#define NUMASIM_MODELS_PHYSICAL_WITHOUT_CPU_H_

#include "sim/cpu.h"
#include "sim/path.h"
#include "sim/task.h"
#include "sim/time.h"

namespace numasim {

// Gives the path's CPU away, if it has one, does work(), a Task<void>, and takes the CPU again: whom the path
// waits for may need it. work() begins on the CPU's LP, where the path is afterwards, or stays where a path
// without a CPU is.
template <typename Work>
sim::Task<void> WithoutCpu(sim::Path& path, sim::Duration hop, Work work) {
  sim::Cpu* const cpu = path.cpu();
  if (cpu == nullptr) {
    co_await work();
    co_return;
  }
  co_await path.GoTo(cpu->lp(), hop);
  cpu->Release(path);
  co_await work();
  co_await path.GoTo(cpu->lp(), hop);
  co_await cpu->Acquire(path);
}

// cond_resched(): lets others have the CPU whose turn it is, where the path is on the CPU's LP.
inline sim::Task<void> CondResched(sim::Path& path) {
  sim::Cpu* const cpu = path.cpu();
  if (cpu != nullptr && cpu->lp() == path.lp()) co_await cpu->MaybeYield(path);
}

}  // namespace numasim

#endif  // NUMASIM_MODELS_PHYSICAL_WITHOUT_CPU_H_
