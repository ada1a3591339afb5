// Simulated locks. Each is owned by the model, lives on the LP it is given, and is used only by paths on that
// LP (checked). Simulated contention comes from these and from nothing else.
//
//   co_await lock.Acquire(path);
//   co_await path.Take(...);
//   lock.Release(path);
//
// All queue first come first served and hand over at release, so a waiter is never overtaken. A free lock is
// taken at once, without an event. Locks of one name on an LP share their statistics: see LockStats. A waiter
// keeps its CPU at a SpinLock and gives it up at the others. A path must not release what it does not hold,
// nor take a lock twice (checked).
#ifndef NUMASIM_SIM_LOCKS_H_
#define NUMASIM_SIM_LOCKS_H_

#include <coroutine>
#include <cstddef>
#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "sim/engine.h"
#include "sim/lock_stats.h"
#include "sim/path.h"
#include "sim/time.h"
#include "sim/wait_queue.h"

namespace numasim::sim {

// The kind of a wait for a lock (Path::LogSpan).
inline constexpr char kSpanOfLock[] = "lock_wait";

// What all locks have in common.
class LockBase {
 public:
  LockBase(const LockBase&) = delete;
  LockBase& operator=(const LockBase&) = delete;

  LpId lp() const { return stats_->lp; }
  const std::string& name() const { return stats_->name; }
  const LockStats& stats() const { return *stats_; }
  bool has_waiters() const { return !waiters_.empty(); }
  // Whether who waits keeps a pledge (sim/pledge.h), so that who pledges may release it.
  bool only_pledges_wait() const { return waiters_.OnlyPledges(); }

 protected:
  LockBase(Engine& engine, LpId lp, LockKind kind, std::string_view name)
      : stats_(engine.lp(lp).record->StatsOf(lp, kind, name)) {}
  ~LockBase() = default;

  void CountOn(Engine& engine, LpId lp) {
    stats_ = engine.lp(lp).record->StatsOf(lp, stats_->kind, stats_->name);
  }
  void CheckIsHere(const Path& path) const { NUMASIM_CHECK_EQ(path.lp().value, stats_->lp.value); }
  // Out of the queue, with its wait counted.
  Path& PopWaiter() {
    Path& path = waiters_.Pop();
    ++stats_->acquisitions;
    ++stats_->contended;
    const Duration waited = internal::WaitQueue::Waited(path);
    stats_->wait.Record(waited.ns);
    path.LogSpan(kSpanOfLock, stats_->name, SimTime{path.now().ns - waited.ns});
    return path;
  }

  LockStats* stats_;
  internal::WaitQueue waiters_;
};

// Held by one path at a time; what SpinLock and Mutex share.
class ExclusiveLock : public LockBase {
 public:
  bool TryAcquire(Path& path) {
    if (Take(path)) return true;
    ++stats_->try_failed;
    return false;
  }
  bool held() const { return holder_ != nullptr; }
  bool held_by(const Path& path) const { return holder_ == &path; }

 protected:
  using LockBase::LockBase;
  ~ExclusiveLock() = default;

  bool Take(Path& path) {
    CheckIsHere(path);
    if (holder_ != nullptr) {
      NUMASIM_CHECK_NE(holder_, &path);
      return false;
    }
    ++stats_->acquisitions;
    holder_ = &path;
    since_ = path.now();
    return true;
  }

  // The next in the queue, which holds it now and is to be woken; none where nobody waits.
  Path* Pass(Path& path) {
    CheckIsHere(path);
    NUMASIM_CHECK_EQ(holder_, &path);
    stats_->hold.Record((path.now() - since_).ns);
    since_ = path.now();
    holder_ = waiters_.empty() ? nullptr : &PopWaiter();
    return holder_;
  }

  void Enqueue(Path& path, std::coroutine_handle<> self) { waiters_.Push(path, self, &stats_->name); }

 private:
  Path* holder_ = nullptr;
  SimTime since_;
};

// spinlock_t, queued.
class SpinLock : public ExclusiveLock {
 public:
  SpinLock(Engine& engine, LpId lp, std::string_view name)
      : ExclusiveLock(engine, lp, LockKind::kSpinLock, name) {}

  class Acquirer {
   public:
    Acquirer(SpinLock* lock, Path* path) : lock_(lock), path_(path) {}
    bool await_ready() const { return lock_->Take(*path_); }
    void await_suspend(std::coroutine_handle<> self) const { lock_->Enqueue(*path_, self); }
    void await_resume() const {}

   private:
    SpinLock* lock_;
    Path* path_;
  };

  Acquirer Acquire(Path& path) { return Acquirer(this, &path); }
  void Release(Path& path) {
    if (Path* const next = Pass(path)) internal::Sleep::GoOn(*next);
  }
};

// struct mutex.
class Mutex : public ExclusiveLock {
 public:
  Mutex(Engine& engine, LpId lp, std::string_view name) : ExclusiveLock(engine, lp, LockKind::kMutex, name) {}

  class Acquirer {
   public:
    Acquirer(Mutex* lock, Path* path) : lock_(lock), path_(path) {}
    bool await_ready() const { return lock_->Take(*path_); }
    void await_suspend(std::coroutine_handle<> self) const {
      lock_->Enqueue(*path_, self);
      internal::Sleep::Begin(*path_);
    }
    void await_resume() const {}

   private:
    Mutex* lock_;
    Path* path_;
  };

  Acquirer Acquire(Path& path) { return Acquirer(this, &path); }
  void Release(Path& path) {
    if (Path* const next = Pass(path)) internal::Sleep::Wake(*next);
  }
};

// struct rw_semaphore: many readers or one writer. Fair to writers: a reader that comes while a writer waits
// queues behind it. A release lets in the first writer, or all readers before the first writer.
class RwSem : public LockBase {
 public:
  RwSem(Engine& engine, LpId lp, std::string_view name) : LockBase(engine, lp, LockKind::kRwSem, name) {}

  class Acquirer {
   public:
    Acquirer(RwSem* lock, Path* path, bool write) : lock_(lock), path_(path), write_(write) {}
    bool await_ready() const { return lock_->Take(*path_, write_); }
    void await_suspend(std::coroutine_handle<> self) const {
      lock_->waiters_.Push(*path_, self, &lock_->stats_->name, write_ ? 1 : 0);
      internal::Sleep::Begin(*path_);
    }
    void await_resume() const {}

   private:
    RwSem* lock_;
    Path* path_;
    bool write_;
  };

  Acquirer AcquireRead(Path& path) { return Acquirer(this, &path, false); }  // down_read
  Acquirer AcquireWrite(Path& path) { return Acquirer(this, &path, true); }  // down_write
  bool TryAcquireRead(Path& path) { return CountTry(Take(path, false)); }    // down_read_trylock
  bool TryAcquireWrite(Path& path) { return CountTry(Take(path, true)); }    // down_write_trylock
  void ReleaseRead(Path& path) {                                             // up_read
    NUMASIM_CHECK(!writer_);
    Drop(path);
  }
  // As if it was released and taken for reading again, each time after being held for `each`, `times` times,
  // the last at `since`. Requires that nobody waits.
  void RetakeRead(const Path& path, uint64_t times, Duration each, SimTime since);
  void ReleaseWrite(Path& path) {  // up_write
    NUMASIM_CHECK(writer_);
    writer_ = false;
    Drop(path);
  }
  // A writer becomes a reader without a gap; readers that wait first in the queue join it.
  void Downgrade(Path& path);  // downgrade_write

  // The lock goes to another LP, with what it protects. `path`, which is there now, is all that uses it:
  // nobody holds it or waits for it.
  void MoveTo(Engine& engine, const Path& path);

  bool held_for_write() const { return writer_; }
  int reader_count() const { return writer_ ? 0 : static_cast<int>(holders_.size()); }
  bool held_by(const Path& path) const;

 private:
  struct Holder {
    const Path* path;
    SimTime since;
  };

  bool Take(Path& path, bool write) {
    CheckIsHere(path);
    if (!holders_.empty()) {
      NUMASIM_CHECK(!held_by(path));
      if (write || writer_ || !waiters_.empty()) return false;
    }
    ++stats_->acquisitions;
    writer_ = write;
    holders_.push_back({&path, path.now()});
    return true;
  }
  bool CountTry(bool taken) {
    if (!taken) ++stats_->try_failed;
    return taken;
  }
  void Drop(Path& path) {
    CheckIsHere(path);
    size_t at = 0;
    while (at < holders_.size() && holders_[at].path != &path) ++at;
    NUMASIM_CHECK_LT(at, holders_.size());
    stats_->hold.Record((path.now() - holders_[at].since).ns);
    holders_[at] = holders_.back();  // their order means nothing
    holders_.pop_back();
    if (!waiters_.empty()) LetIn();
  }
  void LetIn();

  bool writer_ = false;  // the one holder is a writer
  std::vector<Holder> holders_;
};

}  // namespace numasim::sim

#endif  // NUMASIM_SIM_LOCKS_H_
