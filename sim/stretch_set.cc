#include "sim/stretch_set.h"

#include "sim/check.h"
#include "sim/lp.h"
#include "sim/stretch.h"

namespace numasim::sim::internal {

void StretchSet::Add(Stretch& stretch, Path& path, int64_t next, uint64_t order) {
  const int64_t lands = stretch.Lands(SimTime{next}).ns;
  members_.push_back(Member{&stretch, &path, next, lands, order, true, 0, order});
  next_landing_ = std::min(next_landing_, lands);
}

void StretchSet::Clear() {
  members_.clear();
  next_landing_ = kEndOfTime;
  instant_ = kNone;
}

int64_t StretchSet::NextStep() const {
  int64_t next = kEndOfTime;
  for (const Member& member : members_) next = std::min(next, member.next);
  return next;
}

void StretchSet::RunBefore(Lp& lp, int64_t until) {
  constexpr int64_t kAll = std::numeric_limits<int64_t>::max();
  for (Member& member : members_) {
    if (member.next >= until) continue;
    const Stretch::Ran ran = member.stretch->RunSteps(SimTime{member.next}, SimTime{until}, kAll);
    lp.events += static_cast<uint64_t>(ran.steps);
    member.next = ran.next.ns;
    member.pushed = ran.last.ns;
    // No event was handled since the last of them, so the counter is as it was then.
    member.order = lp.next_order;
    member.drawn = false;
    NUMASIM_DCHECK_LE(member.next, member.lands);
  }
}

void StretchSet::FindNextLanding() {
  next_landing_ = kEndOfTime;
  for (const Member& member : members_) next_landing_ = std::min(next_landing_, member.lands);
}

void StretchSet::Plan() {
  for (Member& member : members_) member.lands = member.stretch->Lands(SimTime{member.next}).ns;
  FindNextLanding();
}

void StretchSet::PlanAgain(Member& member) {
  member.lands = member.stretch->Lands(SimTime{member.next}).ns;
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
