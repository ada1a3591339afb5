// A pledge: until when a path sends nothing to another LP, whatever it does on its own. An LP on which all
// that is pending has pledged so is no reason for the others to wait: the run loop lets them run up to the
// end of the pledges, and the lookahead.
//
//   class Copies : public Pledge { .. };
//   Copies copies(..);
//   const PledgeScope scope(path, copies);  // for the length of a loop, say
//
// How it works (Lp::OutTime, StretchSet):
// - After each window an LP is asked for the earliest time at which something on it may send: the earliest
// event
//   of a path that has pledged nothing, or the end of a pledge. What comes from other LPs is no part of it:
//   it comes behind the earliest such time of all LPs by the lookahead, and so does what it brings about.
// - So a pledge need hold only as long as nothing happens on the LP but what paths with pledges do, and is
//   asked for anew after anything else.
// - It is the path's own to know that it is where the pledge was made for: one that has to go another way
// voids
//   its pledge (Path::VoidPledge) until it is back.
// - It also pledges not to wake or start a path that has pledged nothing: that one could send.
// - A pledge that is broken is an error of the model: the run stops with a message.
//
// With Engine::Options::step_by_step nobody is asked, and the result is the same to the last byte.
#ifndef NUMASIM_SIM_PLEDGE_H_
#define NUMASIM_SIM_PLEDGE_H_

#include "sim/path.h"
#include "sim/time.h"

namespace numasim::sim {

class Pledge {
 public:
  Pledge(const Pledge&) = delete;
  Pledge& operator=(const Pledge&) = delete;

  // Until when, exclusively, as things are now on the LP, where the path's next step is at `next` or, if it
  // waits for another path, later. `next` or before: nothing is pledged. All pledges of the LP are asked at
  // the same moment, and each may count on the others to be kept.
  virtual SimTime Until(SimTime next) const = 0;

 protected:
  Pledge() = default;
  ~Pledge() = default;

 private:
  friend class Path;
  friend class PledgeScope;

  internal::Lp* lp_ = nullptr;  // where it counts
};

// As long as it lives the path keeps the pledge, on the LP where it is now; one at a time. Elsewhere it is a
// path that has pledged nothing.
class PledgeScope {
 public:
  PledgeScope(Path& path, Pledge& pledge);
  PledgeScope(const PledgeScope&) = delete;
  PledgeScope& operator=(const PledgeScope&) = delete;
  ~PledgeScope();

  // The path is again where the pledge was made for (Path::VoidPledge).
  void Renew();

 private:
  Path* path_;  // null: step by step
};

}  // namespace numasim::sim

#endif  // NUMASIM_SIM_PLEDGE_H_
