// What takes the reports of a run: the writer of its trace, or whoever else makes something of them.
#ifndef NUMASIM_PROTO_TRACE_OUTPUT_H_
#define NUMASIM_PROTO_TRACE_OUTPUT_H_

#include <cstdint>

#include "absl/types/span.h"
#include "proto/trace.pb.h"

namespace numasim {

// Called by one thread at a time, in the order of simulated time. Times are simulated nanoseconds, not
// negative.
class TraceOutput {
 public:
  virtual ~TraceOutput() = default;

  // The time of each sample is later than that of the one before; `values` has one value per column.
  virtual void AddSample(int64_t time_ns, absl::Span<const int64_t> values) = 0;

  // `count` samples from `first_ns` on, `interval_ns` apart, that show the last sample's values again. There
  // has been a sample; `count` and `interval_ns` are at least 1.
  virtual void AddRepeat(int64_t first_ns, int64_t interval_ns, int64_t count) = 0;

  // May be reported later than samples of the same time or after.
  virtual void AddEvent(trace::Event event) = 0;
  // Of the whole run, at its end.
  virtual void AddLockStats(trace::LockStats stats) = 0;
};

}  // namespace numasim

#endif  // NUMASIM_PROTO_TRACE_OUTPUT_H_
