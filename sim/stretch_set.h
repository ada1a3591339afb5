// The stretches under way on one LP (see sim/stretch.h), and in which order their steps and the LP's events
// come. Owned by the LP, and touched only by the thread that runs it. Internal to sim.
//
// Step by step each step would be an event. Events of one time go by (source LP, sequence at the sender), and
// a step's sequence is drawn when the one before it ends. Here that moment is not lived through, but where no
// event was handled at it, the LP's counter tells what would have been drawn: more than all before, less than
// all after. Where an event is handled at the very time of a step, the step is run by itself, in its turn,
// and draws a number like an event. The same where a step of another stretch is run in its turn; of such
// moments a list is kept, since stretches that have no step then stay behind. So no two stretches that draw
// by the counter alone can have come to the same moment from different ones, and the numbers that they drew
// last decide between them.
#ifndef NUMASIM_SIM_STRETCH_SET_H_
#define NUMASIM_SIM_STRETCH_SET_H_

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <limits>
#include <vector>

#include "sim/event.h"

namespace numasim::sim {

class Stretch;

namespace internal {

struct Lp;

class StretchSet {
 public:
  // A stretch under way; it is that path's, which goes on where it lands. Or the event of a path that has
  // made a pledge, which lands at once.
  struct Member {
    Stretch* stretch;  // null: an event
    Path* path;
    int64_t next;   // when its next step is
    int64_t lands;  // when a step is that is not private, as things are; not before `next`
    // What the next step's sequence is, or, if it was not drawn, the least of those drawn after it.
    uint64_t order;
    bool drawn;
    int64_t pushed;   // when the step before it was
    uint64_t before;  // the sequence drawn last
  };

  bool empty() const { return members_.empty() && instant_ == kNone; }

  // Another one, whose first step is at `next`, with the sequence drawn for it.
  void Add(Stretch& stretch, Path& path, int64_t next, uint64_t order);
  // An event of a path that has made a pledge (sim/pledge.h).
  void AddEvent(const Event& event);
  void Clear();

  // The time of what comes next of the stretches' landings and the queue, whose next event is at `event`.
  int64_t NextTime(int64_t event) const {
    return instant_ != kNone ? instant_ : std::min(event, next_landing_);
  }
  // When something may be sent to another LP, as the pledges are now; the queue's next event, of a path that
  // has made none, is at `event`.
  int64_t OutTime(int64_t event) const;
  // Whose landing is next; null where there is none.
  const Path* NextToLand() const;
  // The time of the earliest step; the end of time where there is none.
  int64_t NextStep() const;
  // Runs the steps before `until`, which no landing or event precedes.
  void RunBefore(Lp& lp, int64_t until);
  // At `time`, where somebody lands and no event is: where that stretch alone has a step then, and the step
  // can be run in its turn, runs it. False where it is not so; then nothing has happened but private steps.
  bool RunAlone(Lp& lp, int64_t time);
  // Asks all where they land: after an event, which may have changed anything.
  void Plan();

  // Of the instant `time`, at which an event or a landing is: which stretch comes before all others that have
  // a step then, and before the event of this order. Null where the event does.
  Member* FirstAt(int64_t time, const Event& event);
  // Runs that one's step, where it is private or can be run in its turn. Else false: its path is to go on.
  bool RunInTurn(Lp& lp, Member& member);
  // Its path, which is to go on; the stretch is over.
  Path* Land(Member& member);

  // An instant was left before its last event, and will be gone on with.
  void LeaveAt(int64_t time) { instant_ = time; }
  void EnterInstant() { instant_ = kNone; }

 private:
  static constexpr size_t kMostTurns = 4096;
  static constexpr int64_t kNone = -1;
  static constexpr int64_t kEndOfTime = std::numeric_limits<int64_t>::max();

  // A moment at which a step was run in its turn, since all stretches were at the same time last.
  struct Turn {
    int64_t time;
    uint64_t order;  // the LP's counter before it
  };

  static bool Precedes(const Member& a, const Member& b);
  void FindNextLanding();
  void RunPrivate(Lp& lp, Member& member, int64_t until) const;
  uint64_t CounterAt(const Lp& lp, int64_t time) const;
  Member* OnlyOneAt(Lp& lp, int64_t time);
  static bool MayRunInTurn(Member& member);
  void RunOne(Lp& lp, Member& member);

  std::vector<Member> members_;
  std::vector<Turn> turns_;  // by time
  int64_t next_landing_ = kEndOfTime;
  int64_t instant_ = kNone;
};

}  // namespace internal
}  // namespace numasim::sim

#endif  // NUMASIM_SIM_STRETCH_SET_H_
