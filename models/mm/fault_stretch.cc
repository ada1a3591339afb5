#include "models/mm/fault_stretch.h"

#include <algorithm>

#include "sim/check.h"

namespace numasim {

void FaultStretch::Follow(const Vma& vma, Entry* entry, const AllocRequest& request, sim::Duration each) {
  reach_ = loop_.ReachFrom(vma, entry);
  // Where no time passes there is nothing to be told apart.
  if (each.ns <= 0) reach_.left = 0;
  each_ = each;
  request_ = request;
  request_.owner.index += static_cast<uint64_t>(reach_.pages);
  const int64_t most = std::min(reach_.left, allocator_.CountAtHand(loop_.home, request_));
  for (reach_.left = 0; reach_.left < most && reach_.Next(reach_.left + 1).none();) ++reach_.left;
}

sim::SimTime FaultStretch::Lands(sim::SimTime next) {
  if (reach_.left == 0 || !loop_.Undisturbed(reach_)) return next;
  return next + each_ * std::min(reach_.left, allocator_.CountAtHand(loop_.home, request_));
}

sim::Stretch::Ran FaultStretch::RunSteps(sim::SimTime next, sim::SimTime until, int64_t most) {
  const int64_t steps = std::min(most, (until - next - sim::Duration{1}) / each_ + 1);
  Entry* entry = reach_.entry;
  allocator_.TakeAtHand(loop_.home, request_, steps, reach_.pages, [&](Pfn pfn) {
    entry += reach_.pages;
    NUMASIM_CHECK(entry->none());
    *entry = Entry::NewAnon(pfn);
  });
  reach_.Advance(steps);
  const sim::SimTime last = next + each_ * (steps - 1);
  loop_.Pass(steps, each_, last);
  return {steps, last, last + each_};
}

}  // namespace numasim
