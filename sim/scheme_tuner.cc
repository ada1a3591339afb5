#include "sim/scheme_tuner.h"

#include <algorithm>

namespace numasim::sim::internal {
namespace {

constexpr int64_t kBlockNs = 200'000;
constexpr int64_t kLeastInterval = 10'000'000;
constexpr int64_t kGreatestInterval = 2'000'000'000;
constexpr int64_t kLeastBetweenDecisions = 4'000'000;
// The threads must be this much faster to be worth the CPUs they take.
constexpr double kWorthIt = 1.1;
// The average over the threads' blocks fades over about this time.
constexpr double kMemoryNs = 30e6;

}  // namespace

void SchemeTuner::Start(int64_t now_ns, uint64_t events) {
  block_start_ns_ = now_ns;
  block_start_events_ = events;
  block_end_events_ = events + 2000;
  if (interval_ns_ == 0) {
    interval_ns_ = kLeastInterval;
    next_try_ns_ = now_ns + 2 * kBlockNs;
  }
}

void SchemeTuner::Enter(Phase phase, bool parallel) {
  phase_ = phase;
  parallel_ = parallel;
}

void SchemeTuner::PutOff(int64_t now_ns, double lost_ns) {
  next_try_ns_ = now_ns + std::max(interval_ns_, static_cast<int64_t>(100 * std::max(0.0, lost_ns)));
  interval_ns_ = std::min(interval_ns_ * 2, kGreatestInterval);
}

void SchemeTuner::Steady(int64_t now_ns, double rate) {
  steady_rate_ = rate;
  bool doubtful = false;
  if (settled_parallel_) {
    doubtful = average_events_ < kWorthIt * inline_rate_ * average_ns_ || rate < 0.7 * inline_rate_;
    if (now_ns - settled_since_ns_ > 1'000'000'000) interval_ns_ = kLeastInterval;
  }
  if (now_ns >= next_try_ns_ || (doubtful && now_ns - last_decision_ns_ >= kLeastBetweenDecisions)) {
    Enter(Phase::kWarmUp, !settled_parallel_);
  }
}

void SchemeTuner::Decide(int64_t now_ns, double settled_rate) {
  last_decision_ns_ = now_ns;
  if (settled_parallel_) {
    inline_rate_ = try_rate_;
    if (average_events_ >= kWorthIt * try_rate_ * average_ns_) {
      next_try_ns_ = now_ns + 5 * interval_ns_;
      return Enter(Phase::kSteady, true);
    }
    settled_parallel_ = false;
    PutOff(now_ns, average_ns_ - average_events_ / try_rate_);
    return Enter(Phase::kSteady, false);
  }
  inline_rate_ = settled_rate;
  if (try_rate_ < kWorthIt * settled_rate) {
    PutOff(now_ns, try_ns_ * (1 - try_rate_ / settled_rate));
    return Enter(Phase::kSteady, false);
  }
  settled_parallel_ = true;
  settled_since_ns_ = now_ns;
  next_try_ns_ = now_ns + 5 * interval_ns_;
  average_events_ = try_rate_ * try_ns_;
  average_ns_ = try_ns_;
  Enter(Phase::kSteady, true);
}

void SchemeTuner::EndBlock(int64_t now_ns, uint64_t events) {
  const double ns = static_cast<double>(std::max<int64_t>(1, now_ns - block_start_ns_));
  const double ran = static_cast<double>(events - block_start_events_);
  const double rate = ran / ns;
  if (settled_parallel_ && phase_ == Phase::kSteady) {
    const double fade = std::max(0.0, 1 - ns / kMemoryNs);
    average_events_ = average_events_ * fade + ran;
    average_ns_ = average_ns_ * fade + ns;
  }
  switch (phase_) {
    case Phase::kSteady:
      Steady(now_ns, rate);
      break;
    case Phase::kWarmUp:
      try_ns_ = ns;
      Enter(Phase::kTry, parallel_);
      break;
    case Phase::kTry:
      try_rate_ = rate;
      try_ns_ = ns;
      Enter(Phase::kConfirm, settled_parallel_);
      break;
    case Phase::kConfirm:
      Decide(now_ns, std::max(rate, steady_rate_));
      break;
  }
  block_start_ns_ = now_ns;
  block_start_events_ = events;
  // As many events as take about a block's time; a block that hung says nothing about that.
  const auto wanted = static_cast<uint64_t>(std::max(rate, steady_rate_) * static_cast<double>(kBlockNs));
  block_end_events_ = events + std::clamp<uint64_t>(wanted, 16, 1'000'000);
}

}  // namespace numasim::sim::internal
