#include "sim/cpu.h"

#include <utility>

namespace numasim::sim {

Cpu::Cpu(Engine& engine, LpId lp, std::string name, Duration quantum)
    : lp_(lp), name_(std::move(name)), quantum_(quantum) {
  NUMASIM_CHECK_GE(lp.value, 0);
  NUMASIM_CHECK_LT(lp.value, engine.lp_count());
  NUMASIM_CHECK_GT(quantum, Nanoseconds(0));
}

void Cpu::HandOn() {
  Path& path = waiters_.Pop();
  Grant(path);
  internal::Sleep::GoOn(path);
}

void Cpu::Regain(Path& path) {
  if (holder_ == nullptr) {
    Grant(path);
    internal::Sleep::GoOn(path);
  } else {
    waiters_.Push(path, &name_);
  }
}

void Cpu::TakeOver(const Path* from, Path* to) {
  NUMASIM_CHECK_EQ(holder_, from);
  holder_ = to;
}

Duration Cpu::busy_time(SimTime now) const {
  return Duration{busy_ns_} + (holder_ == nullptr ? Duration{} : now - since_);
}

}  // namespace numasim::sim
