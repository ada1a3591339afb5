#include "models/mm/copy_stretch.h"

#include <algorithm>

#include "models/physical/thp_page.h"
#include "sim/check.h"

namespace numasim {
namespace {

// How many pages ahead are looked at. Each look has to be made again after every event of the LP; but where
// the last of them comes before such an event, the LP has to stop for another look.
constexpr int64_t kAhead = 8;

}  // namespace

// The owner of the page of the entry, where that is a base page on the process's node; else null.
FrameOwner* CopyStretch::OwnerOf(Entry entry) const {
  if (!entry.present() || !entry.anon() || entry.writable() || entry.exclusive()) return nullptr;
  Zone& zone = *memory_.ZoneOf(entry.pfn());
  const FrameIndex frame = zone.frames().Index(entry.pfn());
  if (zone.node() != loop_.home.id || ThpPage::Holds(zone.frames(), frame)) return nullptr;
  return zone.IsMigrating(frame, 0) ? nullptr : &zone.frames().owner(frame, 0);
}

bool CopyStretch::IsShared(Entry entry) const {
  const FrameOwner* const owner = OwnerOf(entry);
  return owner != nullptr && owner->mapcount > 1 && owner->object == source_;
}

bool CopyStretch::Begins(const Vma& vma, Entry* entry, const AllocRequest& request) {
  const FrameOwner* const owner = OwnerOf(*entry);
  if (owner == nullptr || owner->mapcount < 2) return false;
  std::vector<uint16_t>& sources = loop_.home.copied_from;
  source_ = owner->object;
  if (std::find(sources.begin(), sources.end(), source_) != sources.end()) return false;
  sources.push_back(static_cast<uint16_t>(source_));
  reach_ = loop_.ReachFrom(vma, entry);
  request_ = request;
  stage_ = Stage::kEntered;
  return true;
}

void CopyStretch::End() { std::erase(loop_.home.copied_from, source_); }

sim::Duration CopyStretch::AfterStage(Stage stage) const {
  const Costs& costs = memory_.costs();
  switch (stage) {
    case Stage::kEntered:
      return costs.pcp_alloc;
    case Stage::kTook:
      return costs.copy_page + costs.map_page;
    case Stage::kCopied:
      return sim::Duration{0};
    case Stage::kDropped:
      return costs.fault;
  }
  return {};
}

// A page that is shared stays so until the process gives up its mapping, and one that is not yet mapped by
// the copy is looked at once more before that: whatever an event has changed is seen here before the next
// step.
sim::SimTime CopyStretch::Lands(sim::SimTime next) {
  if (reach_.entry == nullptr || !loop_.Undisturbed(reach_)) return next;
  const int64_t at_hand = allocator_.CountAtHand(loop_.home, request_);
  Stage stage = stage_;
  for (int64_t ahead = 0, taken = 0; ahead < kAhead;) {
    const Entry entry = reach_.Next(ahead);
    const bool dropped = stage == Stage::kDropped;
    if (dropped && ahead == reach_.left) return next;
    if (stage == Stage::kEntered && (taken++ >= at_hand || !IsShared(entry))) return next;
    if (stage == Stage::kCopied && ahead == 0 && (entry != old_ || !IsShared(entry))) return next;
    if (dropped && !IsShared(reach_.Next(ahead + 1))) return next;
    next += AfterStage(stage);
    ahead += dropped ? 1 : 0;
    stage = dropped ? Stage::kEntered : static_cast<Stage>(static_cast<int>(stage) + 1);
  }
  return next;
}

sim::Stretch::Ran CopyStretch::RunSteps(sim::SimTime next, sim::SimTime until, int64_t most) {
  Ran ran{0, next, next};
  for (; ran.steps < most && ran.next < until; ++ran.steps) {
    ran.last = ran.next;
    ran.next += RunStep(ran.next);
  }
  return ran;
}

// Does what is to be done now. Returns how long it is to the next step.
sim::Duration CopyStretch::RunStep(sim::SimTime now) {
  const Stage done = stage_;
  switch (done) {
    case Stage::kEntered:
      TakePage();
      break;
    case Stage::kTook:
      stage_ = Stage::kCopied;
      break;
    case Stage::kCopied:
      MapCopy();
      break;
    case Stage::kDropped:
      BeginNext(now);
      break;
  }
  return AfterStage(done);
}

void CopyStretch::TakePage() {
  old_ = *reach_.entry;
  allocator_.TakeAtHand(loop_.home, request_, 1, reach_.pages, [this](Pfn pfn) { fresh_ = pfn; });
  stage_ = Stage::kTook;
}

void CopyStretch::MapCopy() {
  FrameOwner& owner = *OwnerOf(old_);
  NUMASIM_CHECK(*reach_.entry == old_ && owner.mapcount > 1);
  *reach_.entry = Entry::NewAnon(fresh_);
  --owner.mapcount;
  stage_ = Stage::kDropped;
}

void CopyStretch::BeginNext(sim::SimTime now) {
  loop_.Pass(1, now - *loop_.began, now);
  reach_.Advance();
  stage_ = Stage::kEntered;
}

}  // namespace numasim
