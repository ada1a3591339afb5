// A path: one kernel path (a fault, a pool resize, a scan) as a coroutine that takes simulated time and moves
// between LPs. The engine owns it from Start to its end, and the function it runs with it. A path is on one
// LP at a time and touches only that LP's state.
#ifndef NUMASIM_SIM_PATH_H_
#define NUMASIM_SIM_PATH_H_

#include <any>
#include <coroutine>
#include <cstddef>
#include <cstdint>
#include <functional>
#include <string>

#include "sim/check.h"
#include "sim/log_record.h"
#include "sim/lp.h"
#include "sim/task.h"
#include "sim/time.h"

namespace numasim::sim {

class Cpu;
class Engine;
class Path;
class Pledge;
class PledgeScope;
class Stretch;

using PathFn = std::function<Task<void>(Path&)>;

namespace internal {
class RunLoop;
class Sleep;
class StretchSet;
class TeamRunner;
class WaitQueue;

// What of a path not every step touches.
struct PathRecord {
  uint64_t id = 0;
  Lp* birth = nullptr;  // whose store it is from
  Path* next_free = nullptr;
  Cpu* cpu = nullptr;              // that it holds
  Pledge* pledge = nullptr;        // that it keeps
  Cpu* cpu_after_sleep = nullptr;  // given up while asleep, to be had again before it goes on
  // While it waits: the name of what for, who waits behind it, since when, and the lock's own mark.
  const std::string* waits_for = nullptr;
  Path* behind = nullptr;
  int64_t waits_since = 0;
  uint64_t wait_mode = 0;
  bool live = false;
  bool pledge_void = false;  // the pledge does not count until it is renewed
  bool idles = false;        // its next event is none that others in TakeWhileIdle() wait for
  ProgramPlace place;
  Task<void> root;
  PathFn fn;
  std::string name;
};
}  // namespace internal

class Path : private internal::ResumePoint {
 public:
  Path() = default;
  Path(const Path&) = delete;
  Path& operator=(const Path&) = delete;
  ~Path();

  SimTime now() const { return {lp_->now}; }
  LpId lp() const { return lp_->id; }
  Engine& engine() const { return *lp_->shared->engine; }
  const std::string& name() const { return record_->name; }
  // Unique in the run: the LP it was started from in the upper half (0: from outside the run), a count below.
  uint64_t id() const { return record_->id; }
  // The CPU it holds; none while it sleeps.
  Cpu* cpu() const { return record_->cpu; }
  // Whether it keeps a pledge here (sim/pledge.h).
  bool KeepsPledge() const;
  // What it does next is not what its pledge, if it keeps one, was made for: that does not count until it is
  // renewed (PledgeScope::Renew). To be called before the path gives way.
  void VoidPledge() { record_->pledge_void = true; }

  class TakeAwaiter;
  class IdleAwaiter;
  class HopAwaiter;
  class GoAwaiter;
  class StretchAwaiter;

  // co_await: simulated time passes; d >= 0. With zero it goes behind what is pending at this instant
  // already. A path that would go on at the end of simulated time or later, also by HopTo or Start, never
  // does: it stays blocked, see BlockedPath::after_end_of_time.
  TakeAwaiter Take(Duration d);
  // The same, and then what `stretch` does, as far as that is private: see sim/stretch.h. Where nothing of it
  // is, only d passes.
  StretchAwaiter Take(Duration d, Stretch& stretch);

  // co_await: simulated time passes, `period` > 0 or a multiple of it: as much as it takes to the next event
  // on this LP, or to after it; what others that wait like this go on with is none. Meanwhile nothing is
  // pending for the path: where all others have ended, or wait like this, the run ends. For who looks from
  // time to time whether something has changed here.
  IdleAwaiter TakeWhileIdle(Duration period);

  // co_await: goes on at `dest`, `latency` later, which is at least the engine's lookahead (checked). To the
  // LP it is on it is Take(0).
  HopAwaiter HopTo(LpId dest, Duration latency);
  // The same, but nothing at all where the path is on that LP already.
  GoAwaiter GoTo(LpId dest, Duration latency);

  // Starts another path on `lp`, `delay` from now: at least the lookahead where that is another LP (checked).
  void Start(LpId lp, Duration delay, std::string name, PathFn fn);

  // What the path follows is here now: shown in what the path logs from now on. Paths that it starts do not
  // have it.
  void set_place(ProgramPlace place) { record_->place = place; }

  // A record for the trace's log: a text for a person, or facts of a type that the trace's sink knows.
  void Log(int32_t kind, std::string detail, std::any facts = {});
  // A record of what the path did or waited for since `began`, where the engine records spans. `kind` and
  // `failed`, which is "" where nothing failed, live for ever.
  void LogSpan(const char* kind, const std::string& name, SimTime began, const char* failed = "") {
    if (lp_->shared->records_spans) [[unlikely]]
      AddSpan(kind, name, began, failed);
  }

 private:
  void AddSpan(const char* kind, const std::string& name, SimTime began, const char* failed);

  friend class Cpu;
  friend class Engine;
  friend class PledgeScope;
  friend struct internal::Lp;
  friend class internal::PathStore;
  friend class internal::RunLoop;
  friend class internal::TeamRunner;
  friend class internal::Sleep;
  friend class internal::StretchSet;
  friend class internal::WaitQueue;

  // Goes on where it stands, for the run loop.
  void Resume() {
    if (!innermost && !Begin()) [[unlikely]]
      return;
    innermost.resume();
    if (next) [[unlikely]]
      GoOnWithParents();
  }
  // Asks the cache for the frame that Resume will read, which may lie elsewhere.
  void PrefetchCoroutine() const {
    // A number, as there is no coroutine before the path's first step.
    const auto frame = reinterpret_cast<uintptr_t>(innermost.address());
    __builtin_prefetch(reinterpret_cast<const void*>(frame));
    __builtin_prefetch(reinterpret_cast<const void*>(frame + 64));
  }
  bool Begin();  // false when there is nothing to go on with
  void GoOnWithParents();
  void End();
  void Fail(const std::exception_ptr& error);
  void ReturnToStore();
  void Reset();  // drops the coroutine and its function

  [[noreturn]] void BadDuration(const char* what, Duration d, Duration least) const;
  // Its next step would be at kNever or later.
  void WaitForEver(int64_t since);
  // What such a path waits for.
  static const std::string& AfterEndOfTime();

  // With ResumePoint half a cache line; the coroutine's frame follows, see PathSlot.
  internal::Lp* lp_ = nullptr;
  internal::PathRecord* record_ = nullptr;
};

namespace internal {

// A path, and beside it the frame of its coroutine if that is small: for a step of a flat path the cache and
// the page tables then have one place to fetch.
struct alignas(64) PathSlot {
  static constexpr size_t kFrame = 160;
  Path path;
  std::byte frame[kFrame];
};
static_assert(sizeof(PathSlot) == 192);
// So the frame does not begin at a cache line, as FramePool::Offer wants.
static_assert(sizeof(Path) == 32);

// Asks the cache for a path and the frame beside it.
inline void Prefetch(const Path* path) {
  const auto slot = reinterpret_cast<uintptr_t>(path);
  __builtin_prefetch(reinterpret_cast<const void*>(slot));
  __builtin_prefetch(reinterpret_cast<const void*>(slot + 64));
}

}  // namespace internal

class Path::TakeAwaiter {
 public:
  TakeAwaiter(Path* path, Duration d) : path_(path), d_(d) {}

  bool await_ready() const {
    internal::Lp& lp = *path_->lp_;
    // As unsigned numbers one comparison covers d < 0 as well; the limit is never before now.
    if (static_cast<uint64_t>(d_.ns) >= static_cast<uint64_t>(lp.limit - lp.now)) return false;
    lp.now += d_.ns;
    ++lp.events;
    return true;
  }
  void await_suspend(std::coroutine_handle<> self) const {
    internal::Lp& lp = *path_->lp_;
    if (d_.ns < 0) [[unlikely]]
      path_->BadDuration("Take", d_, Duration{0});
    path_->innermost = self;
    if (d_.ns >= kNever.ns - lp.now) [[unlikely]]
      return path_->WaitForEver(lp.now);
    lp.Schedule(lp.now + d_.ns, path_);
  }
  void await_resume() const {}

 protected:
  Path* path_;
  Duration d_;
};

class Path::IdleAwaiter {
 public:
  IdleAwaiter(Path* path, Duration period) : path_(path), period_(period) {}

  bool await_ready() const { return false; }
  void await_suspend(std::coroutine_handle<> self) const {
    internal::Lp& lp = *path_->lp_;
    if (period_.ns <= 0) [[unlikely]]
      path_->BadDuration("TakeWhileIdle", period_, Nanoseconds(1));
    path_->innermost = self;
    if (period_.ns >= kNever.ns - lp.now) [[unlikely]]
      return path_->WaitForEver(lp.now);
    lp.Idle(path_, period_.ns);
  }
  void await_resume() const { path_->record_->idles = false; }

 private:
  Path* path_;
  Duration period_;
};

class Path::HopAwaiter {
 public:
  HopAwaiter(Path* path, internal::Lp* to, Duration latency) : path_(path), to_(to), latency_(latency) {}

  bool await_ready() const {
    internal::Lp& lp = *path_->lp_;
    if (to_ != &lp || lp.now >= lp.limit) return false;
    ++lp.events;
    return true;
  }
  void await_suspend(std::coroutine_handle<> self) const {
    internal::Lp& lp = *path_->lp_;
    path_->innermost = self;
    if (to_ == &lp) {
      lp.Schedule(lp.now, path_);
      return;
    }
    const Duration least{lp.shared->lookahead};
    if (latency_ < least) [[unlikely]]
      path_->BadDuration("HopTo", latency_, least);
    if (latency_.ns >= kNever.ns - lp.now) [[unlikely]]
      return path_->WaitForEver(lp.now);
    path_->lp_ = to_;
    lp.Send(*to_, lp.now + latency_.ns, path_);
  }
  void await_resume() const {}

 protected:
  Path* path_;
  internal::Lp* to_;
  Duration latency_;
};

class Path::GoAwaiter : public HopAwaiter {
 public:
  using HopAwaiter::HopAwaiter;
  bool await_ready() const { return to_ == path_->lp_; }
};

inline Path::TakeAwaiter Path::Take(Duration d) { return TakeAwaiter(this, d); }
inline Path::IdleAwaiter Path::TakeWhileIdle(Duration period) { return IdleAwaiter(this, period); }

}  // namespace numasim::sim

#endif  // NUMASIM_SIM_PATH_H_
