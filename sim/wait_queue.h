// Paths that wait, first come first served, and how they sleep and wake. The links lie in the paths
// themselves: a path waits for one thing at a time. Part of locks, CPUs and completions; lives on their LP.
#ifndef NUMASIM_SIM_WAIT_QUEUE_H_
#define NUMASIM_SIM_WAIT_QUEUE_H_

#include <coroutine>
#include <string>
#include <utility>

#include "sim/path.h"

namespace numasim::sim::internal {

class WaitQueue {
 public:
  bool empty() const { return first_ == nullptr; }
  // Whether all that wait keep a pledge (sim/pledge.h): to wake them breaks none.
  bool OnlyPledges() const;

  // `what` is the name of what it waits for and must outlive the wait; `mode` is the caller's own.
  void Push(Path& path, std::coroutine_handle<> self, const std::string* what, uint64_t mode = 0);
  // The same for a path whose place to go on is known already.
  void Push(Path& path, const std::string* what);
  // The same, before all that wait.
  void PushFront(Path& path, std::coroutine_handle<> self, const std::string* what);

  // These require !empty().
  Path& Pop();
  uint64_t first_mode() const { return first_->record_->wait_mode; }
  static Duration Waited(const Path& path) { return path.now() - SimTime{path.record_->waits_since}; }

 private:
  Path* first_ = nullptr;
  Path* last_ = nullptr;
};

// What a path does around a wait.
class Sleep {
 public:
  // It gives up its CPU while it waits, as schedule() does.
  static void Begin(Path& path);
  // It goes on now, on the LP it is on, as soon as it has the CPU back that it gave up.
  static void Wake(Path& path);
  // It goes on now; for waits that keep the CPU.
  static void GoOn(Path& path) { path.lp_->Schedule(path.lp_->now, &path); }

 private:
  // Where the CPU is part of another LP, leaving it and having it back takes a message there, like the
  // interrupt of a remote wake-up.
  static Task<void> LeaveRemoteCpu(Path& messenger, Cpu* cpu, const Path* holder);
  static Task<void> RegainRemoteCpu(Path& messenger, Cpu* cpu, LpId home, Path* sleeper);
};

}  // namespace numasim::sim::internal

#endif  // NUMASIM_SIM_WAIT_QUEUE_H_
