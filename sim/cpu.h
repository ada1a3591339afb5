// A simulated CPU: one path holds it at a time, the others wait first come first served. Owned by the model;
// lives on the LP it is given, and only paths there may acquire or release it. A path that holds it may hop
// elsewhere and keeps it meanwhile. A path that sleeps on a mutex, rwsem or completion gives it up and queues
// for it again when woken; where the lock lives on another LP, that takes the lookahead to leave and twice
// that to come back.
#ifndef NUMASIM_SIM_CPU_H_
#define NUMASIM_SIM_CPU_H_

#include <coroutine>
#include <string>

#include "sim/engine.h"
#include "sim/path.h"
#include "sim/time.h"
#include "sim/wait_queue.h"

namespace numasim::sim {

class Cpu {
 public:
  // quantum > 0: how long a path may keep it while others wait, for MaybeYield.
  Cpu(Engine& engine, LpId lp, std::string name, Duration quantum = Milliseconds(4));
  Cpu(const Cpu&) = delete;
  Cpu& operator=(const Cpu&) = delete;

  class Acquirer;
  class WakingAcquirer;
  class Yielder;

  // co_await: has the CPU. The path holds none before.
  Acquirer Acquire(Path& path);
  // The same for a thread that was woken from a long sleep: it goes before all that wait, and who holds the
  // CPU gives it up at its next MaybeYield, whatever is left of its quantum (check_preempt_wakeup: a
  // sleeper's virtual runtime is behind that of who ran meanwhile).
  WakingAcquirer AcquireAwoken(Path& path);
  // True and has the CPU, where it is free.
  bool TryAcquire(Path& path);
  // Requires that the path holds it.
  void Release(Path& path);
  // co_await: where others wait and the quantum is used up, goes behind them. As cond_resched() does.
  Yielder MaybeYield(Path& path);

  LpId lp() const { return lp_; }
  const std::string& name() const { return name_; }
  bool busy() const { return holder_ != nullptr; }
  bool has_waiters() const { return !waiters_.empty(); }
  // Held so far, up to `now` on its LP.
  Duration busy_time(SimTime now) const;
  // The same up to the last change of hands, for sampling as a column.
  const int64_t* busy_ns() const { return &busy_ns_; }

 private:
  friend class internal::Sleep;

  void CheckIsHere(const Path& path) const { NUMASIM_CHECK_EQ(path.lp().value, lp_.value); }
  void Grant(Path& path);
  void HandOn();
  // From one path to another that acts for it, without a change of hands.
  void TakeOver(const Path* from, Path* to);
  void Regain(Path& path);  // wakes it once it has the CPU
  bool ShouldYield(const Path& path) const;

  LpId lp_;
  std::string name_;
  Duration quantum_;
  Path* holder_ = nullptr;
  SimTime since_;
  int64_t busy_ns_ = 0;
  bool preempt_ = false;  // the first that waits was woken, and does not wait for the quantum's end
  internal::WaitQueue waiters_;
};

class Cpu::Acquirer {
 public:
  Acquirer(Cpu* cpu, Path* path) : cpu_(cpu), path_(path) {}
  bool await_ready() const { return cpu_->TryAcquire(*path_); }
  void await_suspend(std::coroutine_handle<> self) const { cpu_->waiters_.Push(*path_, self, &cpu_->name_); }
  void await_resume() const {}

 private:
  Cpu* cpu_;
  Path* path_;
};

class Cpu::WakingAcquirer {
 public:
  WakingAcquirer(Cpu* cpu, Path* path) : cpu_(cpu), path_(path) {}
  bool await_ready() const { return cpu_->TryAcquire(*path_); }
  void await_suspend(std::coroutine_handle<> self) const {
    cpu_->waiters_.PushFront(*path_, self, &cpu_->name_);
    cpu_->preempt_ = true;
  }
  void await_resume() const {}

 private:
  Cpu* cpu_;
  Path* path_;
};

class Cpu::Yielder {
 public:
  Yielder(Cpu* cpu, Path* path) : cpu_(cpu), path_(path) {}
  bool await_ready() const { return !cpu_->ShouldYield(*path_); }
  void await_suspend(std::coroutine_handle<> self) const {
    cpu_->waiters_.Push(*path_, self, &cpu_->name_);
    cpu_->Release(*path_);
  }
  void await_resume() const {}

 private:
  Cpu* cpu_;
  Path* path_;
};

inline Cpu::Acquirer Cpu::Acquire(Path& path) { return Acquirer(this, &path); }
inline Cpu::WakingAcquirer Cpu::AcquireAwoken(Path& path) { return WakingAcquirer(this, &path); }
inline Cpu::Yielder Cpu::MaybeYield(Path& path) { return Yielder(this, &path); }

inline void Cpu::Grant(Path& path) {
  NUMASIM_DCHECK(path.record_->cpu == nullptr);
  holder_ = &path;
  preempt_ = false;
  since_ = path.now();
  path.record_->cpu = this;
}

inline bool Cpu::TryAcquire(Path& path) {
  CheckIsHere(path);
  NUMASIM_CHECK(path.record_->cpu == nullptr);
  if (holder_ != nullptr) return false;
  Grant(path);
  return true;
}

inline void Cpu::Release(Path& path) {
  CheckIsHere(path);
  NUMASIM_CHECK_EQ(holder_, &path);
  path.record_->cpu = nullptr;
  busy_ns_ += (path.now() - since_).ns;
  holder_ = nullptr;
  if (!waiters_.empty()) HandOn();
}

inline bool Cpu::ShouldYield(const Path& path) const {
  CheckIsHere(path);
  NUMASIM_CHECK_EQ(holder_, &path);
  return !waiters_.empty() && (preempt_ || path.now() - since_ >= quantum_);
}

}  // namespace numasim::sim

#endif  // NUMASIM_SIM_CPU_H_
