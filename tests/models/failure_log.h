// FailureLog: keeps the failures that a machine logs. Handed to an engine that must not outlive it, or not
// run any more.
#ifndef NUMASIM_TESTS_MODELS_FAILURE_LOG_H_
#define NUMASIM_TESTS_MODELS_FAILURE_LOG_H_

#include <any>
#include <cstdint>
#include <span>
#include <vector>

#include "models/base/failure.h"
#include "sim/engine.h"

namespace numasim {

class FailureLog : public sim::SampleSink {
 public:
  void OnSample(sim::SimTime, std::span<const int64_t>) override {}
  void OnRepeat(sim::SimTime, sim::Duration, int64_t) override {}
  void OnLog(const sim::LogRecord& record) override { all.push_back(std::any_cast<Failure>(record.facts)); }
  std::vector<Failure> all;
};

}  // namespace numasim

#endif  // NUMASIM_TESTS_MODELS_FAILURE_LOG_H_
