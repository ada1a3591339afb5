// Counts of non-negative values in fixed buckets, 32 to a power of two, so a quantile is at most 1/32 too
// high. The idea of HdrHistogram. Recording is O(1); memory grows with the greatest value seen, at most 15
// KiB.
#ifndef NUMASIM_SIM_HISTOGRAM_H_
#define NUMASIM_SIM_HISTOGRAM_H_

#include <bit>
#include <cstddef>
#include <cstdint>
#include <vector>

#include "sim/check.h"

namespace numasim::sim {

class Histogram {
 public:
  // Page faults are recorded here. A run of equal values, as their times mostly are, is counted by its length
  // until another value comes, or somebody asks.
  void Record(int64_t value) { Record(value, 1); }
  // So many of that value.
  void Record(int64_t value, uint64_t times) {
    NUMASIM_DCHECK_GE(value, 0);
    if (value != last_) [[unlikely]] {
      Settle();
      last_ = value;
    }
    run_ += times;
  }

  void Merge(const Histogram& other);

  uint64_t count() const { return count_ + run_; }
  int64_t sum() const { return Settled().sum_; }  // the greatest number where it is more
  int64_t max() const { return Settled().max_; }  // 0 when empty
  double mean() const { return count() == 0 ? 0 : static_cast<double>(sum()) / static_cast<double>(count()); }

  // The least bucket bound that at least a share `q` of the values do not exceed, 0 <= q <= 1; never above
  // max(). 0 when empty.
  int64_t Quantile(double q) const;

  // The buckets in order of value. Bucket b counts the values LowerBound(b) <= v < LowerBound(b + 1).
  const std::vector<uint64_t>& buckets() const { return Settled().buckets_; }
  static int64_t LowerBound(size_t bucket);

 private:
  static constexpr int kSubBits = 5;
  static constexpr uint64_t kSub = uint64_t{1} << kSubBits;

  static size_t BucketOf(uint64_t value) {
    if (value < kSub) return value;
    const int shift = std::bit_width(value) - 1 - kSubBits;
    return (static_cast<uint64_t>(shift) << kSubBits) + (value >> shift);
  }
  // Puts the run of equal values where it belongs.
  void Settle() const;
  const Histogram& Settled() const {
    Settle();
    return *this;
  }

  int64_t last_ = 0;          // the value of the run
  mutable uint64_t run_ = 0;  // its length: what the others do not have yet
  mutable std::vector<uint64_t> buckets_;
  mutable uint64_t count_ = 0;
  mutable int64_t sum_ = 0;
  mutable int64_t max_ = 0;
};

}  // namespace numasim::sim

#endif  // NUMASIM_SIM_HISTOGRAM_H_
