// Waiting for something to have happened. Owned by the model; each lives on one LP and is used only by paths
// there (checked). A waiter gives up its CPU.
#ifndef NUMASIM_SIM_SYNC_H_
#define NUMASIM_SIM_SYNC_H_

#include <coroutine>
#include <cstdint>
#include <string>

#include "sim/engine.h"
#include "sim/path.h"
#include "sim/wait_queue.h"

namespace numasim::sim {

// What the two below have in common: paths wait until it is open.
class WaitBase {
 public:
  WaitBase(const WaitBase&) = delete;
  WaitBase& operator=(const WaitBase&) = delete;

  class Waiter {
   public:
    Waiter(WaitBase* on, Path* path) : on_(on), path_(path) {}
    bool await_ready() const {
      on_->CheckIsHere(*path_);
      return on_->open_;
    }
    void await_suspend(std::coroutine_handle<> self) const {
      on_->waiters_.Push(*path_, self, &on_->name_);
      internal::Sleep::Begin(*path_);
    }
    void await_resume() const {}

   private:
    WaitBase* on_;
    Path* path_;
  };

  // co_await: goes on when it is open, at once where it is already.
  Waiter Wait(Path& path) { return Waiter(this, &path); }

  LpId lp() const { return lp_; }
  const std::string& name() const { return name_; }

 protected:
  WaitBase(Engine& engine, LpId lp, std::string name, bool open);
  ~WaitBase() = default;

  void CheckIsHere(const Path& path) const { NUMASIM_CHECK_EQ(path.lp().value, lp_.value); }
  void Open();

  LpId lp_;
  std::string name_;
  bool open_;
  internal::WaitQueue waiters_;
};

// struct completion with complete_all(): done once and for all, until Reset.
class Completion : public WaitBase {
 public:
  Completion(Engine& engine, LpId lp, std::string name) : WaitBase(engine, lp, std::move(name), false) {}

  // Wakes all who wait, in the order they came, and lets pass all who come later.
  void Signal(Path& path) {
    CheckIsHere(path);
    Open();
  }
  // reinit_completion(). Requires that nobody waits.
  void Reset();
  bool done() const { return open_; }
};

// Counts outstanding work, and is open at zero: for joining paths that were started.
class Latch : public WaitBase {
 public:
  Latch(Engine& engine, LpId lp, std::string name, int64_t count = 0);

  void Add(Path& path, int64_t n = 1);
  // One piece is done; at zero all who wait go on. Requires count() > 0.
  void CountDown(Path& path);
  int64_t count() const { return count_; }

 private:
  int64_t count_;
};

}  // namespace numasim::sim

#endif  // NUMASIM_SIM_SYNC_H_
