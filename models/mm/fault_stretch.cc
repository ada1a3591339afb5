#include "models/mm/fault_stretch.h"

#include <algorithm>

#include "sim/check.h"

namespace numasim {

void FaultStretch::Follow(const Vma& vma, Entry* entry, const AllocRequest& request, sim::Duration each) {
  Stop();
  // Where no time passes there is nothing to be told apart.
  if (each.ns <= 0) return;
  reach_ = loop_.ReachFrom(vma, entry);
  each_ = each;
  AllocRequest next = request;
  next.owner.index += static_cast<uint64_t>(reach_.pages);
  supply_.Start(next, reach_.pages);
}

void FaultStretch::Stop() {
  stage_ = Stage::kMapped;
  reach_.left = 0;
  clear_ = 0;
}

// How many of the accesses that are to come find nothing, one after another: up to `most`.
int64_t FaultStretch::ClearAhead(int64_t most) {
  most = std::min(most, reach_.left);
  while (clear_ < most && reach_.Next(clear_ + 1).none()) ++clear_;
  return std::min(clear_, most);
}

sim::SimTime FaultStretch::Lands(sim::SimTime next) {
  if (reach_.left > 0 || stage_ != Stage::kMapped) supply_.Look();
  return LandsAgain(next);
}

sim::SimTime FaultStretch::LandsAgain(sim::SimTime next) {
  const bool mapped = stage_ == Stage::kMapped;
  if ((mapped && reach_.left == 0) || !loop_.Undisturbed(reach_)) return next;
  if (stage_ == Stage::kReleased || stage_ == Stage::kCounted)
    return next + costs_.clear_page + costs_.map_page;
  if (!mapped) return next;
  return next + each_ * ClearAhead(supply_.at_hand());
}

bool FaultStretch::RunsInTurn(sim::SimTime next) {
  if (!loop_.Undisturbed(reach_)) return false;
  switch (stage_) {
    case Stage::kMapped:
      return supply_.at_hand() == 0 && supply_.MayRefill() && ClearAhead(1) == 1;
    case Stage::kEntered:
      return supply_.at_hand() == 0 && supply_.MayRefill() && !supply_.locked();
    case Stage::kHolding:
      return !supply_.someone_waits();
    case Stage::kCleared:
      return ClearAhead(1) == 1;
    case Stage::kReleased:
    case Stage::kCounted:
      break;
  }
  return false;
}

bool FaultStretch::MayStepAt(sim::SimTime next, sim::SimTime time) const {
  return stage_ != Stage::kMapped || (time - next).ns % each_.ns == 0;
}

sim::Stretch::Ran FaultStretch::RunSteps(sim::SimTime next, sim::SimTime until, int64_t most) {
  Ran ran{0, next, next};
  while (ran.steps < most && ran.next < until) {
    const int64_t pages = stage_ == Stage::kMapped ? supply_.at_hand() : 0;
    ran.last = ran.next;
    if (pages == 0) {
      ran.next += RunStep(ran.next);
      ++ran.steps;
      continue;
    }
    const int64_t fit = (until - ran.next - sim::Duration{1}) / each_ + 1;
    const int64_t count = std::min({most - ran.steps, fit, pages});
    ran.last += each_ * (count - 1);
    ran.next = ran.last + each_;
    ran.steps += count;
    MapRun(count, ran.last);
  }
  return ran;
}

// The next `run` accesses have these pages.
void FaultStretch::MapPages(Pfn first, uint32_t run) {
  bool none = true;
  for (int64_t i = 0; i < run; ++i) none &= reach_.Next(i + 1).none();
  NUMASIM_CHECK(none);
  for (int64_t i = 0; i < run; ++i) reach_.Next(i + 1) = Entry::NewAnon(first + i);
  reach_.Advance(run);
}

// `count` faults with pages at hand begin, and those before them are over, the last at `last`.
void FaultStretch::MapRun(int64_t count, sim::SimTime last) {
  supply_.Take(count, [this](Pfn first, uint32_t run) { MapPages(first, run); });
  clear_ -= std::min(clear_, count);
  loop_.Pass(count, each_, last);
}

// Does what is to be done now. Returns how long it is to the next step.
sim::Duration FaultStretch::RunStep(sim::SimTime now) {
  switch (stage_) {
    case Stage::kMapped:
      return BeginNext(now);
    case Stage::kEntered:
      stage_ = Stage::kHolding;
      return supply_.Refill();
    case Stage::kHolding:
      stage_ = Stage::kReleased;
      return supply_.ReleaseLock();
    case Stage::kReleased:
      supply_.Count();
      stage_ = Stage::kCounted;
      return {};
    case Stage::kCounted:
      stage_ = Stage::kCleared;
      return costs_.clear_page + costs_.map_page;
    case Stage::kCleared:
      NUMASIM_CHECK(reach_.entry->none());
      *reach_.entry = Entry::NewAnon(supply_.fresh());
      return BeginNext(now);
  }
  return {};
}

// The fault that is under way is over, and the next one begins, with a page if there is one.
sim::Duration FaultStretch::BeginNext(sim::SimTime now) {
  reach_.Advance();
  clear_ -= std::min<int64_t>(clear_, 1);
  loop_.Pass(1, now - *loop_.began, now);
  if (supply_.at_hand() == 0) {
    stage_ = Stage::kEntered;
    return costs_.fault;
  }
  stage_ = Stage::kMapped;
  supply_.Take(1, [this](Pfn pfn, uint32_t) { *reach_.entry = Entry::NewAnon(pfn); });
  return each_;
}

}  // namespace numasim
