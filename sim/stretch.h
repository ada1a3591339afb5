// A stretch: steps of a path, one after another, that nobody else can see or change until something happens
// on the LP. Step by step each of them is an event, a way through the queue and back. As a stretch they are
// run together, just before the next event of the LP, and before each sample: whoever could look finds the
// state that he would have found, and the steps between two looks cost no more than what they do.
//
//   class Touches : public Stretch { .. };
//   Touches touches(..);
//   co_await path.Take(d, touches);  // d passes, and then the steps as far as they are private
//
// How it works (StretchSet, Lp::RunWithStretches):
// - A step is private if it touches nothing but its LP's state, and can be done now or later with the same
//   result as long as no event is handled in between. So private steps of several paths commute.
// - A step that is not private may be run in its turn: at its place among all that happens at its time, but
//   without an event. It may meet such steps of other stretches, as one that takes a lock does. What private
//   steps look at it leaves as it is, so the other stretches need not be brought up to its time.
// - After each event of the LP every stretch there tells anew how far it is private: the path goes on by
//   itself where it is no more, as an event. That time, the landing, is the LP's next event for the run loop,
//   so windows reach over the private steps.
// - A step at the very time of an event is run by itself, in the order that it has among events.
//
// A model derives from it. It belongs to the path's coroutine, and lives until the path goes on. With
// Engine::Options::step_by_step there are none, and the result is the same to the last byte.
#ifndef NUMASIM_SIM_STRETCH_H_
#define NUMASIM_SIM_STRETCH_H_

#include <coroutine>
#include <cstdint>

#include "sim/path.h"
#include "sim/time.h"

namespace numasim::sim {

class Stretch {
 public:
  Stretch(const Stretch&) = delete;
  Stretch& operator=(const Stretch&) = delete;

  // What steps were run.
  struct Ran {
    int64_t steps;  // at least one
    SimTime last;   // when the last of them was
    SimTime next;   // when the one after it is
  };
  // Runs the step at `next` and those after it that are before `until`, `most` at most; all are private.
  // The engine's and the path's clocks do not follow.
  virtual Ran RunSteps(SimTime next, SimTime until, int64_t most) = 0;
  // The time of the first step from the one at `next` on that is not private, as things are now: `next`
  // itself if that one is not. It may be an earlier step than the first, but `next`; then it is asked again
  // there.
  virtual SimTime Lands(SimTime next) = 0;
  // The same where only steps of stretches have been run since it was asked last, and no event.
  virtual SimTime LandsAgain(SimTime next) { return Lands(next); }
  // Whether the step at `next`, which is now and is not private, can be run in its turn. Else the path goes
  // on.
  virtual bool RunsInTurn(SimTime next) { return false; }
  // Whether a step may be at just `time`, which is behind `next` and before it lands. Where a stretch comes
  // to a time at which others have steps from steps of another length, that step must be one that is run in
  // its turn: so it gets its place among them.
  virtual bool MayStepAt(SimTime next, SimTime time) const { return true; }

 protected:
  Stretch() = default;
  ~Stretch() = default;
};

class Path::StretchAwaiter : public TakeAwaiter {
 public:
  StretchAwaiter(Path* path, Duration d, Stretch& stretch) : TakeAwaiter(path, d), stretch_(stretch) {}

  bool await_ready() {
    begins_ = Begins();
    return !begins_ && TakeAwaiter::await_ready();
  }
  void await_suspend(std::coroutine_handle<> self) const {
    if (!begins_) return TakeAwaiter::await_suspend(self);
    path_->innermost = self;
    path_->lp_->Begin(stretch_, *path_, d_.ns);
  }

 private:
  // With one step only there is nothing to be saved.
  bool Begins() const {
    const SimTime now = path_->now();
    if (path_->lp_->shared->step_by_step || d_.ns < 0 || d_.ns >= kFar - now.ns) return false;
    const SimTime next = now + d_;
    return stretch_.Lands(next) > next;
  }
  // No stretch may reach the end of time.
  static constexpr int64_t kFar = kNever.ns / 2;

  Stretch& stretch_;
  bool begins_ = false;
};

inline Path::StretchAwaiter Path::Take(Duration d, Stretch& stretch) {
  return StretchAwaiter(this, d, stretch);
}

}  // namespace numasim::sim

#endif  // NUMASIM_SIM_STRETCH_H_
