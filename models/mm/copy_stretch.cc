#include "models/mm/copy_stretch.h"

#include <algorithm>

#include "models/physical/thp_page.h"
#include "sim/check.h"

namespace numasim {
namespace {

// How many pages ahead are looked at, at first and at most: twice as many each time that no event came in
// between. Each look has to be made again after every event of the LP; but where the last of them comes
// before such an event, the LP has to stop for another look, which is at those behind.
constexpr int64_t kLeastAhead = 2;
constexpr int64_t kMostAhead = 64;

// kDropped, kEntered, kTook and kCopied, where a page is at hand.
constexpr int64_t kStepsOfAFault = 4;

// Of faults that have a page at hand.
constexpr CopyStretch::Stage NextStage(CopyStretch::Stage stage) {
  using Stage = CopyStretch::Stage;
  switch (stage) {
    case Stage::kEntered:
      return Stage::kTook;
    case Stage::kTook:
      return Stage::kCopied;
    case Stage::kCopied:
      return Stage::kDropped;
    case Stage::kHolding:
      return Stage::kReleased;
    case Stage::kReleased:
      return Stage::kTook;
    case Stage::kDropped:
      break;
  }
  return Stage::kEntered;
}

}  // namespace

// The owner of the page of the entry, where that is a base page on the process's node; else null.
FrameOwner* CopyStretch::OwnerOf(Entry entry) const {
  if (!entry.present() || !entry.anon() || entry.writable() || entry.exclusive()) return nullptr;
  if (zone_ == nullptr || !zone_->frames().Contains(entry.pfn())) zone_ = memory_.ZoneOf(entry.pfn());
  FrameStore& frames = zone_->frames();
  const FrameIndex frame = frames.Index(entry.pfn());
  if (zone_->node() != loop_.home.id || ThpPage::Holds(frames, frame)) return nullptr;
  const bool held = frames.state(frame, 0) != FrameStore::Code(FrameKind::kAllocated, 0);
  return held && zone_->IsMigrating(frame, 0) ? nullptr : &frames.owner(frame, 0);
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
  supply_.Start(request, reach_.pages);
  sure_ = 0;
  refilled_ = false;
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
    case Stage::kDropped:
      return costs.fault;
    case Stage::kHolding:  // as long as the refill took, which RunStep() knows
    case Stage::kReleased:
    case Stage::kCopied:
      break;
  }
  return {};
}

// How long it is from the step that is next to the one at `stage`, of a fault with its page at hand.
sim::Duration CopyStretch::Until(Stage stage) const {
  sim::Duration time;
  for (Stage at = stage_; at != stage; at = NextStage(at)) time += AfterStage(at);
  return time;
}

// Whether the step that is next is one of a refill, or the first after one.
bool CopyStretch::IsForTurn() const {
  switch (stage_) {
    case Stage::kEntered:
      return supply_.at_hand() == 0;
    case Stage::kHolding:
    case Stage::kReleased:
      return true;
    case Stage::kTook:
      return refilled_;
    case Stage::kCopied:
    case Stage::kDropped:
      break;
  }
  return false;
}

sim::SimTime CopyStretch::Lands(sim::SimTime next) {
  sure_ = 0;
  ahead_ = kLeastAhead;
  supply_.Look();
  return LandsAgain(next);
}

// A page that is shared stays so until the process gives up its mapping, and one that is not yet mapped by
// the copy is looked at once more before that: whatever an event has changed is seen here before the next
// step.
sim::SimTime CopyStretch::LandsAgain(sim::SimTime next) {
  if (reach_.entry == nullptr || !loop_.Undisturbed(reach_) || IsForTurn()) return next;
  if (stage_ == Stage::kEntered && !IsShared(*reach_.entry)) return next;
  const bool took = stage_ == Stage::kTook || stage_ == Stage::kCopied;
  if (took && (*reach_.entry != old_ || !IsShared(old_))) return next + Until(Stage::kCopied);
  const int64_t most = std::min(reach_.left, sure_ + ahead_);
  ahead_ = std::min(2 * ahead_, kMostAhead);
  while (sure_ < most && IsShared(reach_.Next(sure_ + 1))) ++sure_;
  // One more than there are pages may begin: to enter the kernel takes none.
  const int64_t pages = supply_.at_hand() - (stage_ == Stage::kEntered ? 1 : 0);
  const sim::Duration period = Period();
  const sim::SimTime dropped = next + Until(Stage::kDropped);
  return sure_ > pages ? dropped + period * pages + memory_.costs().fault : dropped + period * sure_;
}

bool CopyStretch::RunsInTurn(sim::SimTime next) {
  if (reach_.entry == nullptr || !loop_.Undisturbed(reach_) || !IsForTurn()) return false;
  if (stage_ == Stage::kEntered) return supply_.MayRefill() && !supply_.locked() && IsShared(*reach_.entry);
  return stage_ != Stage::kHolding || !supply_.someone_waits();
}

bool CopyStretch::MayStepAt(sim::SimTime next, sim::SimTime time) const {
  const int64_t period = Period().ns;
  if (IsForTurn() || period == 0) return true;
  int64_t left = (time - next).ns % period;
  for (Stage at = stage_; left > 0; at = NextStage(at)) left -= AfterStage(at).ns;
  return left == 0;
}

sim::Stretch::Ran CopyStretch::RunSteps(sim::SimTime next, sim::SimTime until, int64_t most) {
  Ran ran{0, next, next};
  while (ran.steps < most && ran.next < until) {
    const int64_t faults = stage_ == Stage::kDropped ? WholeFaults(ran.next, until, most - ran.steps) : 0;
    if (faults > 0) {
      CopyRun(faults, ran.next);
      ran.last = ran.next = ran.next + Period() * faults;
      ran.steps += faults * kStepsOfAFault;
      continue;
    }
    ran.last = ran.next;
    ran.next += RunStep(ran.next);
    ++ran.steps;
  }
  return ran;
}

// How many faults can begin from now on, with pages at hand, and map their copies before `until`, in `most`
// steps.
int64_t CopyStretch::WholeFaults(sim::SimTime now, sim::SimTime until, int64_t most) const {
  const sim::Duration period = Period();
  if (period.ns == 0) return 0;
  const int64_t fit = (until - now - sim::Duration{1}) / period;
  return std::min({fit, most / kStepsOfAFault, sure_, supply_.at_hand()});
}

// So many faults, one after another, each from the end of the one before it to where its copy is mapped.
void CopyStretch::CopyRun(int64_t faults, sim::SimTime now) {
  loop_.Pass(1, now - *loop_.began, now);
  if (faults > 1) loop_.Pass(faults - 1, Period(), now + Period() * (faults - 1));
  sure_ -= faults;
  supply_.Take(faults, [this](Pfn first, uint32_t run) {
    for (uint32_t i = 0; i < run; ++i) {
      reach_.Advance();
      old_ = *reach_.entry;
      fresh_ = first + i;
      MapCopy();
    }
  });
}

sim::Duration CopyStretch::Period() const {
  const Costs& costs = memory_.costs();
  return costs.fault + costs.pcp_alloc + costs.copy_page + costs.map_page;
}

// Does what is to be done now. Returns how long it is to the next step.
sim::Duration CopyStretch::RunStep(sim::SimTime now) {
  const Stage done = stage_;
  switch (done) {
    case Stage::kEntered:
      return TakePage();
    case Stage::kHolding:
      stage_ = Stage::kReleased;
      return supply_.ReleaseLock();
    case Stage::kReleased:
      supply_.Count();
      stage_ = Stage::kTook;
      break;
    case Stage::kTook:
      refilled_ = false;
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

sim::Duration CopyStretch::TakePage() {
  old_ = *reach_.entry;
  if (supply_.at_hand() > 0) {
    supply_.Take(1, [this](Pfn pfn, uint32_t) { fresh_ = pfn; });
    stage_ = Stage::kTook;
    return AfterStage(Stage::kEntered);
  }
  const sim::Duration held = supply_.Refill();
  fresh_ = supply_.fresh();
  refilled_ = true;
  stage_ = Stage::kHolding;
  return held;
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
  sure_ -= std::min<int64_t>(sure_, 1);
  stage_ = Stage::kEntered;
}

}  // namespace numasim
