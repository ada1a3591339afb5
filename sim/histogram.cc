#include "sim/histogram.h"

#include <algorithm>
#include <cmath>
#include <limits>

namespace numasim::sim {

void Histogram::Settle() const {
  if (run_ == 0) return;
  const size_t bucket = BucketOf(static_cast<uint64_t>(last_));
  if (bucket >= buckets_.size()) buckets_.resize(bucket + 1);
  buckets_[bucket] += run_;
  count_ += run_;
  // Many waits of years are more than 64 bits hold.
  int64_t of_run = 0;
  const bool too_much = __builtin_mul_overflow(last_, run_, &of_run);
  if (too_much || __builtin_add_overflow(sum_, of_run, &sum_)) sum_ = std::numeric_limits<int64_t>::max();
  max_ = std::max(max_, last_);
  run_ = 0;
}

void Histogram::Merge(const Histogram& other) {
  Settle();
  other.Settle();
  if (other.buckets_.size() > buckets_.size()) buckets_.resize(other.buckets_.size());
  for (size_t b = 0; b < other.buckets_.size(); ++b) buckets_[b] += other.buckets_[b];
  count_ += other.count_;
  if (__builtin_add_overflow(sum_, other.sum_, &sum_)) sum_ = std::numeric_limits<int64_t>::max();
  max_ = std::max(max_, other.max_);
}

int64_t Histogram::LowerBound(size_t bucket) {
  if (bucket < kSub) return static_cast<int64_t>(bucket);
  const uint64_t shift = (bucket >> kSubBits) - 1;
  const uint64_t mantissa = kSub + (bucket & (kSub - 1));
  // The bound above the last bucket of 63-bit values is 2^63.
  if (std::bit_width(mantissa) + shift > 63) return std::numeric_limits<int64_t>::max();
  return static_cast<int64_t>(mantissa << shift);
}

int64_t Histogram::Quantile(double q) const {
  NUMASIM_CHECK_GE(q, 0.0);
  NUMASIM_CHECK_LE(q, 1.0);
  Settle();
  if (count_ == 0) return 0;
  const uint64_t wanted =
      std::clamp<uint64_t>(static_cast<uint64_t>(std::ceil(q * static_cast<double>(count_))), 1, count_);
  uint64_t seen = 0;
  for (size_t b = 0; b < buckets_.size(); ++b) {
    seen += buckets_[b];
    if (seen >= wanted) return std::min(LowerBound(b + 1) - 1, max_);
  }
  return max_;
}

}  // namespace numasim::sim
