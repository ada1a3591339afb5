// Sampling: the values of all columns at multiples of an interval, and the log records between them, to a
// sink.
#ifndef NUMASIM_SIM_SAMPLER_H_
#define NUMASIM_SIM_SAMPLER_H_

#include <cstdint>
#include <functional>
#include <span>
#include <string>
#include <vector>

#include "sim/lock_stats.h"
#include "sim/log_record.h"
#include "sim/time.h"

namespace numasim::sim {

// A counter that is sampled.
struct Column {
  std::string name;
  std::string unit;
  const int64_t* value = nullptr;
  LpId lp = {};                                // whose state it is part of
  std::function<int64_t()> compute = nullptr;  // in place of `value`: called for each sample

  int64_t Read() const { return value != nullptr ? *value : compute(); }
};

// Where samples go. Called by the thread in Engine::Run only, in order of time.
class SampleSink {
 public:
  virtual ~SampleSink() = default;
  // The state after all events before t, of every LP, in the order of the columns.
  virtual void OnSample(SimTime t, std::span<const int64_t> values) = 0;
  // Nothing happened meanwhile: the same values at first, first + interval, .. (count of them, at least 1).
  virtual void OnRepeat(SimTime first, Duration interval, int64_t count) = 0;
  // By time, LP and sequence; a record at the time of a sample follows the sample.
  virtual void OnLog(const LogRecord& record) = 0;
};

// When the next sample is due, and taking it. Part of the engine; used between windows only.
class Sampler {
 public:
  void Set(SimTime now, bool started, Duration interval, SampleSink* sink);
  SampleSink* sink() const { return sink_; }

  SimTime next() const { return next_; }

  // Takes the samples due up to and including `until`: one of the values, the rest as repeats. Requires that
  // all events before next() and none from then on have run, and that none is pending before `until`.
  void TakeUntil(SimTime until, const std::vector<Column>& columns);

  void SampleNow(SimTime now, const std::vector<Column>& columns);

 private:
  void Read(const std::vector<Column>& columns);

  Duration interval_;
  SimTime next_ = kNever;
  SampleSink* sink_ = nullptr;
  std::vector<int64_t> values_;
};

}  // namespace numasim::sim

#endif  // NUMASIM_SIM_SAMPLER_H_
