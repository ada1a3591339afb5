#include "sim/stretch_set.h"

#include "sim/check.h"
#include "sim/lp.h"
#include "sim/pledge.h"
#include "sim/stretch.h"

namespace numasim::sim::internal {

void StretchSet::Add(Stretch& stretch, Path& path, int64_t next, uint64_t order) {
  const int64_t lands = stretch.Lands(SimTime{next}).ns;
  members_.push_back(Member{&stretch, &path, next, lands, order, true, 0, order});
  next_landing_ = std::min(next_landing_, lands);
}

void StretchSet::AddEvent(const Event& event) {
  members_.push_back(Member{nullptr, event.path, event.time, event.time, event.order, true, 0, event.order});
  next_landing_ = std::min(next_landing_, event.time);
}

// In the midst of an instant all is as it happens to be.
int64_t StretchSet::OutTime(int64_t event) const {
  if (instant_ != kNone) return instant_;
  int64_t out = event;
  for (const Member& member : members_) {
    if (member.lands >= out) continue;
    const Pledge* const pledge = member.path->KeepsPledge() ? member.path->record_->pledge : nullptr;
    out = std::min(out, pledge == nullptr ? member.lands
                                          : std::max(member.lands, pledge->Until(SimTime{member.next}).ns));
  }
  return out;
}

const Path* StretchSet::NextToLand() const {
  const auto first = std::min_element(members_.begin(), members_.end(),
                                      [](const Member& a, const Member& b) { return a.lands < b.lands; });
  return first == members_.end() ? nullptr : first->path;
}

void StretchSet::Clear() {
  members_.clear();
  turns_.clear();
  next_landing_ = kEndOfTime;
  instant_ = kNone;
}

int64_t StretchSet::NextStep() const {
  int64_t next = kEndOfTime;
  for (const Member& member : members_) next = std::min(next, member.next);
  return next;
}

void StretchSet::RunBefore(Lp& lp, int64_t until) {
  for (Member& member : members_) {
    if (member.next < until) RunPrivate(lp, member, until);
  }
  turns_.clear();
}

void StretchSet::RunPrivate(Lp& lp, Member& member, int64_t until) const {
  constexpr int64_t kAll = std::numeric_limits<int64_t>::max();
  const Stretch::Ran ran = member.stretch->RunSteps(SimTime{member.next}, SimTime{until}, kAll);
  lp.events += static_cast<uint64_t>(ran.steps);
  member.next = ran.next.ns;
  member.pushed = ran.last.ns;
  // At none of these moments anything else was handled.
  member.order = CounterAt(lp, member.pushed);
  member.drawn = false;
  NUMASIM_DCHECK_LE(member.next, member.lands);
}

// What the LP's counter was at `time`, which is not before the last event.
uint64_t StretchSet::CounterAt(const Lp& lp, int64_t time) const {
  const auto later = std::upper_bound(turns_.begin(), turns_.end(), time,
                                      [](int64_t t, const Turn& turn) { return t < turn.time; });
  return later == turns_.end() ? lp.next_order : later->order;
}

// Brings those up to `time` that may have a step then. Returns the one that has; null where several have.
StretchSet::Member* StretchSet::OnlyOneAt(Lp& lp, int64_t time) {
  Member* only = nullptr;
  for (Member& member : members_) {
    if (member.next < time) {
      if (member.lands > time && !member.stretch->MayStepAt(SimTime{member.next}, SimTime{time})) continue;
      RunPrivate(lp, member, time);
    }
    if (member.next != time) continue;
    if (only != nullptr) return nullptr;
    only = &member;
  }
  return only;
}

bool StretchSet::RunAlone(Lp& lp, int64_t time) {
  // The list of turns is short again once all have come up to `time`.
  if (instant_ != kNone || turns_.size() >= kMostTurns) return false;
  Member* const only = OnlyOneAt(lp, time);
  if (only == nullptr) return false;
  lp.now = time;
  const uint64_t order = lp.next_order;
  if (!RunInTurn(lp, *only)) return false;
  turns_.push_back({time, order});
  return true;
}

void StretchSet::FindNextLanding() {
  next_landing_ = kEndOfTime;
  for (const Member& member : members_) next_landing_ = std::min(next_landing_, member.lands);
}

void StretchSet::Plan() {
  for (Member& member : members_) {
    if (member.stretch != nullptr) member.lands = member.stretch->Lands(SimTime{member.next}).ns;
  }
  FindNextLanding();
}

bool StretchSet::Precedes(const Member& a, const Member& b) {
  if (a.order != b.order) return a.order < b.order;
  // One that was not drawn is before the first that was drawn after it.
  if (a.drawn != b.drawn) return b.drawn;
  if (a.pushed != b.pushed) return a.pushed < b.pushed;
  return a.before < b.before;
}

StretchSet::Member* StretchSet::FirstAt(int64_t time, const Event& event) {
  Member* first = nullptr;
  for (Member& member : members_) {
    if (member.next == time && (first == nullptr || Precedes(member, *first))) first = &member;
  }
  const bool event_first = first != nullptr && event.time == time && event.order < first->order;
  return event_first ? nullptr : first;
}

// Whether the step at the member's `next`, which is now, is to be run by itself: where it is private, or
// where the stretch has said to be asked again, or may run it in its turn.
bool StretchSet::MayRunInTurn(Member& member) {
  if (member.stretch == nullptr) return false;
  const SimTime next{member.next};
  if (member.lands == member.next) member.lands = member.stretch->LandsAgain(next).ns;
  return member.lands > member.next || member.stretch->RunsInTurn(next);
}

bool StretchSet::RunInTurn(Lp& lp, Member& member) {
  if (!MayRunInTurn(member)) return false;
  const bool landed = member.lands == member.next;
  RunOne(lp, member);
  if (landed) member.lands = member.stretch->LandsAgain(SimTime{member.next}).ns;
  FindNextLanding();
  return true;
}

void StretchSet::RunOne(Lp& lp, Member& member) {
  const Stretch::Ran ran = member.stretch->RunSteps(SimTime{member.next}, SimTime{member.next + 1}, 1);
  lp.events += static_cast<uint64_t>(ran.steps);
  member.next = ran.next.ns;
  member.pushed = ran.last.ns;
  member.order = member.before = lp.next_order++;
  member.drawn = true;
}

Path* StretchSet::Land(Member& member) {
  Path* const path = member.path;
  member = members_.back();
  members_.pop_back();
  return path;
}

}  // namespace numasim::sim::internal
