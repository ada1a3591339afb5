#include "cli/dump/every_time.h"

#include <algorithm>

namespace numasim {

void EveryTime::OnSamples(const SampleSpan& samples) {
  if (any_) ShowUpTo(samples.first_ns - 1);
  any_ = true;
  from_ns_ = std::max(samples.first_ns, range_.from_ns);
  held_.assign(samples.values.begin(), samples.values.end());
  ShowUpTo(samples.last_ns());
}

void EveryTime::OnEvent(const trace::Event& event) {
  if (range_.Contains(event.time_ns())) to_.OnEvent(event);
}

void EveryTime::Finish(int64_t last_ns) {
  if (any_) ShowUpTo(last_ns);
}

void EveryTime::ShowUpTo(int64_t to_ns) {
  to_ns = std::min(to_ns, range_.to_ns);
  int64_t first_ns = from_ns_ / every_ns_ * every_ns_;
  if (first_ns < from_ns_ && __builtin_add_overflow(first_ns, every_ns_, &first_ns)) return;
  if (first_ns > to_ns) return;
  const int64_t count = (to_ns - first_ns) / every_ns_ + 1;
  to_.OnSamples({first_ns, count == 1 ? 0 : every_ns_, count, held_});
  from_ns_ = to_ns + 1;
}

}  // namespace numasim
