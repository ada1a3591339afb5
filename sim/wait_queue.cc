#include "sim/wait_queue.h"

#include "sim/cpu.h"
#include "sim/engine.h"

namespace numasim::sim::internal {

void WaitQueue::Push(Path& path, std::coroutine_handle<> self, const std::string* what, uint64_t mode) {
  path.innermost = self;
  path.record_->wait_mode = mode;
  Push(path, what);
}

void WaitQueue::PushFront(Path& path, std::coroutine_handle<> self, const std::string* what) {
  Path* const behind = first_;
  first_ = nullptr;
  Path* const last = last_;
  Push(path, self, what, 0);
  if (behind == nullptr) return;
  path.record_->behind = behind;
  last_ = last;
}

void WaitQueue::Push(Path& path, const std::string* what) {
  NUMASIM_DCHECK(path.record_->waits_for == nullptr);
  path.record_->waits_for = what;
  path.record_->waits_since = path.lp_->now;
  path.record_->behind = nullptr;
  if (first_ == nullptr) {
    first_ = &path;
  } else {
    last_->record_->behind = &path;
  }
  last_ = &path;
}

bool WaitQueue::OnlyPledges() const {
  for (const Path* path = first_; path != nullptr; path = path->record_->behind) {
    if (!path->KeepsPledge()) return false;
  }
  return true;
}

Path& WaitQueue::Pop() {
  Path& path = *first_;
  first_ = path.record_->behind;
  path.record_->behind = nullptr;
  path.record_->waits_for = nullptr;
  return path;
}

// `holder` is on another LP: only its identity is used.
Task<void> Sleep::LeaveRemoteCpu(Path& messenger, Cpu* cpu, const Path* holder) {
  cpu->TakeOver(holder, &messenger);
  cpu->Release(messenger);
  co_return;
}

Task<void> Sleep::RegainRemoteCpu(Path& messenger, Cpu* cpu, LpId home, Path* sleeper) {
  co_await cpu->Acquire(messenger);
  cpu->TakeOver(&messenger, sleeper);
  co_await messenger.HopTo(home, messenger.engine().options().lookahead);
  sleeper->record_->cpu = cpu;
  GoOn(*sleeper);
}

void Sleep::Begin(Path& path) {
  Cpu* const cpu = path.record_->cpu;
  if (cpu == nullptr) return;
  path.record_->cpu_after_sleep = cpu;
  if (cpu->lp() == path.lp()) {
    cpu->Release(path);
    return;
  }
  path.record_->cpu = nullptr;
  Path* const sleeper = &path;
  path.Start(cpu->lp(), path.engine().options().lookahead, "leave " + cpu->name(),
             [cpu, sleeper](Path& messenger) { return LeaveRemoteCpu(messenger, cpu, sleeper); });
}

void Sleep::Wake(Path& path) {
  Cpu* const cpu = std::exchange(path.record_->cpu_after_sleep, nullptr);
  if (cpu == nullptr) {
    GoOn(path);
  } else if (cpu->lp() == path.lp()) {
    cpu->Regain(path);
  } else {
    const LpId home = path.lp();
    Path* const sleeper = &path;
    path.Start(
        cpu->lp(), path.engine().options().lookahead, "regain " + cpu->name(),
        [cpu, home, sleeper](Path& messenger) { return RegainRemoteCpu(messenger, cpu, home, sleeper); });
  }
}

}  // namespace numasim::sim::internal
