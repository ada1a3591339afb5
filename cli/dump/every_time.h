// `numasim dump --every T`: the state at whole multiples of T, instead of all samples.
#ifndef NUMASIM_CLI_DUMP_EVERY_TIME_H_
#define NUMASIM_CLI_DUMP_EVERY_TIME_H_

#include <cstdint>
#include <vector>

#include "proto/trace_reader.h"

namespace numasim {

// Hands on, for each multiple of `every_ns` in `range`, up to the last sample, what the last sample at or
// before it shows, also where that lies before the range: it is to be shown all samples up to the range's
// end. As a trace's stretches of equal samples come, so they go: what they cost does not depend on their
// length.
class EveryTime : public TraceVisitor {
 public:
  EveryTime(int64_t every_ns, TimeRange range, TraceVisitor& to)
      : every_ns_(every_ns), range_(range), to_(to) {}

  void OnSamples(const SampleSpan& samples) override;
  void OnEvent(const trace::Event& event) override;
  void OnLock(const trace::LockStats& lock) override { to_.OnLock(lock); }
  void OnOperation(const trace::OperationStats& operation) override { to_.OnOperation(operation); }
  void OnSpan(const trace::Span& span) override { to_.OnSpan(span); }
  void OnPageblocks(const trace::PageblockMap& map) override { to_.OnPageblocks(map); }
  // To be called when all have been shown: the trace goes to `last_ns`.
  void Finish(int64_t last_ns);

 private:
  // The multiples from from_ns_ to `to_ns` with the values that are held.
  void ShowUpTo(int64_t to_ns);

  const int64_t every_ns_;
  const TimeRange range_;
  TraceVisitor& to_;
  bool any_ = false;
  int64_t from_ns_ = 0;
  std::vector<int64_t> held_;
};

}  // namespace numasim

#endif  // NUMASIM_CLI_DUMP_EVERY_TIME_H_
