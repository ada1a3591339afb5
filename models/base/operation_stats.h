// OperationStats: how often something was tried in a run, how often it failed and why, and how long it took
// in simulated time. Each is recorded on one LP; those of a run are merged when it has ended, in any order.
#ifndef NUMASIM_MODELS_BASE_OPERATION_STATS_H_
#define NUMASIM_MODELS_BASE_OPERATION_STATS_H_

#include <cstdint>
#include <map>
#include <string_view>

#include "sim/histogram.h"
#include "sim/time.h"

namespace numasim {

class OperationStats {
 public:
  // By reason: texts that live for ever, such as "ENOMEM".
  using Failures = std::map<std::string_view, uint64_t>;

  // That one has ended after `took`; why, where it failed.
  void Record(sim::Duration took, std::string_view failure = {}) {
    latency_.Record(took.ns);
    if (!failure.empty()) [[unlikely]]
      ++failed_[failure];
  }
  // Several that took as long, none of which failed.
  void RecordEach(sim::Duration took, uint64_t times) { latency_.Record(took.ns, times); }
  // Several that have no time of their own, and how many of such failed.
  void Count(uint64_t tried) { untimed_ += tried; }
  void CountFailed(uint64_t failed, std::string_view reason) {
    if (failed > 0) failed_[reason] += failed;
  }
  void Merge(const OperationStats& other);

  uint64_t tried() const { return untimed_ + latency_.count(); }  // those that ended, failed ones too
  const Failures& failed() const { return failed_; }
  uint64_t all_failed() const;
  // ns that each took; without those that have no time of their own.
  const sim::Histogram& latency() const { return latency_; }

 private:
  uint64_t untimed_ = 0;
  Failures failed_;
  sim::Histogram latency_;
};

}  // namespace numasim

#endif  // NUMASIM_MODELS_BASE_OPERATION_STATS_H_
