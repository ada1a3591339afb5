#include "models/compaction/zone_compaction.h"

#include <algorithm>

namespace numasim {

void ZoneCompaction::Defer(int order) {
  considered_ = 0;
  shift_ = std::min(shift_ + 1, kMostShift);
  failed_order_ = std::min(failed_order_, order);
}

bool ZoneCompaction::Deferred(int order) {
  if (order < failed_order_) return false;
  const int limit = 1 << shift_;
  considered_ = std::min(considered_ + 1, limit);
  return considered_ < limit;
}

void ZoneCompaction::Helped(int order, bool served) {
  if (served) considered_ = shift_ = 0;
  failed_order_ = std::max(failed_order_, order + 1);
}

bool ZoneCompaction::Restarting(int order) const {
  return order >= failed_order_ && shift_ == kMostShift && considered_ >= 1 << shift_;
}

}  // namespace numasim
