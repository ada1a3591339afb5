// `numasim dump --every T`: the state at whole multiples of T, instead of all samples.
#ifndef NUMASIM_CLI_EVERY_TIME_H_
#define NUMASIM_CLI_EVERY_TIME_H_

#include <cstdint>
#include <vector>

#include "proto/trace_reader.h"

namespace numasim {

// Hands on, for each multiple of `every_ns` up to the last sample, what the last sample at or before it
// shows. As a trace's stretches of equal samples come, so they go: what they cost does not depend on their
// length.
class EveryTime : public TraceVisitor {
 public:
  EveryTime(int64_t every_ns, TraceVisitor& to) : every_ns_(every_ns), to_(to) {}

  void OnSamples(const SampleSpan& samples) override;

 private:
  // The multiples from from_ns_ to `to_ns` with the values that are held.
  void ShowUpTo(int64_t to_ns);

  const int64_t every_ns_;
  TraceVisitor& to_;
  bool any_ = false;
  int64_t from_ns_ = 0;
  std::vector<int64_t> held_;
};

}  // namespace numasim

#endif  // NUMASIM_CLI_EVERY_TIME_H_
