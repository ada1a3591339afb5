// Counts of non-negative values in fixed buckets, 32 to a power of two, so a quantile is at most 1/32 too
// high. The idea of HdrHistogram. Recording is O(1); memory grows with the greatest value seen, at most 15
// KiB.
#ifndef NUMASIM_SIM_HISTOGRAM_H_
#define NUMASIM_SIM_HISTOGRAM_H_

#include <algorithm>
#include <bit>
#include <cstddef>
#include <cstdint>
#include <limits>
#include <vector>

#include "sim/check.h"

namespace numasim::sim {

class Histogram {
 public:
  void Record(int64_t value) {
    NUMASIM_DCHECK_GE(value, 0);
    const size_t bucket = BucketOf(static_cast<uint64_t>(value));
    if (bucket >= buckets_.size()) [[unlikely]]
      Grow(bucket);
    ++buckets_[bucket];
    ++count_;
    // Many waits of years are more than 64 bits hold.
    if (__builtin_add_overflow(sum_, value, &sum_)) [[unlikely]]
      sum_ = std::numeric_limits<int64_t>::max();
    max_ = std::max(max_, value);
  }

  void Merge(const Histogram& other);

  uint64_t count() const { return count_; }
  int64_t sum() const { return sum_; }  // the greatest number where it is more
  int64_t max() const { return max_; }  // 0 when empty
  double mean() const { return count_ == 0 ? 0 : static_cast<double>(sum_) / static_cast<double>(count_); }

  // The least bucket bound that at least a share `q` of the values do not exceed, 0 <= q <= 1; never above
  // max(). 0 when empty.
  int64_t Quantile(double q) const;

  // The buckets in order of value. Bucket b counts the values LowerBound(b) <= v < LowerBound(b + 1).
  const std::vector<uint64_t>& buckets() const { return buckets_; }
  static int64_t LowerBound(size_t bucket);

 private:
  static constexpr int kSubBits = 5;
  static constexpr uint64_t kSub = uint64_t{1} << kSubBits;

  static size_t BucketOf(uint64_t value) {
    if (value < kSub) return value;
    const int shift = std::bit_width(value) - 1 - kSubBits;
    return (static_cast<uint64_t>(shift) << kSubBits) + (value >> shift);
  }
  void Grow(size_t bucket);

  std::vector<uint64_t> buckets_;
  uint64_t count_ = 0;
  int64_t sum_ = 0;
  int64_t max_ = 0;
};

}  // namespace numasim::sim

#endif  // NUMASIM_SIM_HISTOGRAM_H_
