#include "sim/long_windows.h"

#include <algorithm>

namespace numasim::sim::internal {
namespace {

// A window that is expected to take less is not worth it: to hand it to threads that sleep takes some 10 us.
constexpr double kLeastWorkNs = 50'000;
// How much of the average each window leaves of what was before it.
constexpr double kFade = 0.75;
// The gain's average fades over about this time: threads that compete for a CPU run for some milliseconds and
// then hang for some.
constexpr double kMemoryNs = 30e6;
// So much more CPU time than one thread has must come of it.
constexpr double kWorthIt = 1.1;
constexpr int64_t kGreatestInterval = 2'000'000'000;

}  // namespace

bool LongWindows::Parallel(int64_t length, int64_t now_ns) const {
  if (now_ns < put_off_until_ns_) return false;
  return work_.value * static_cast<double>(length) > kLeastWorkNs * work_.weight;
}

void LongWindows::CountWork(int64_t length, int64_t work_ns) {
  work_.Add(static_cast<double>(work_ns), static_cast<double>(length), kFade);
}

void LongWindows::RanParallel(int64_t length, int64_t took_ns, int64_t cpu_ns, int64_t now_ns) {
  CountWork(length, cpu_ns);
  const auto took = static_cast<double>(took_ns);
  gain_.Add(static_cast<double>(cpu_ns), took, std::max(0.0, 1 - took / kMemoryNs));
  // One or two windows say nothing.
  if (gain_.weight < kMemoryNs / 10) return;
  if (gain_.value >= kWorthIt * gain_.weight) {
    interval_ns_ = std::max(kLeastInterval, interval_ns_ / 2);
    return;
  }
  put_off_until_ns_ = now_ns + interval_ns_;
  interval_ns_ = std::min(2 * interval_ns_, kGreatestInterval);
  gain_ = Average();
}

}  // namespace numasim::sim::internal
