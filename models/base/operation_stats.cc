#include "models/base/operation_stats.h"

namespace numasim {

void OperationStats::Merge(const OperationStats& other) {
  untimed_ += other.untimed_;
  for (const auto& [reason, count] : other.failed_) failed_[reason] += count;
  latency_.Merge(other.latency_);
}

uint64_t OperationStats::all_failed() const {
  uint64_t all = 0;
  for (const auto& [reason, count] : failed_) all += count;
  return all;
}

}  // namespace numasim
