// What takes the reports of a run: the writer of its trace, or whoever else makes something of them.
#ifndef NUMASIM_PROTO_TRACE_OUTPUT_H_
#define NUMASIM_PROTO_TRACE_OUTPUT_H_

#include <cstdint>
#include <utility>

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
  // By rising end, which may be earlier than samples that were reported.
  virtual void AddSpan(trace::Span span) = 0;
  // Of the whole run, at its end.
  virtual void AddLockStats(trace::LockStats stats) = 0;
  virtual void AddOperationStats(trace::OperationStats stats) = 0;
  virtual void AddPageblocks(trace::PageblockMap map) = 0;
};

// Hands all on to two others.
class BothOutputs final : public TraceOutput {
 public:
  BothOutputs(TraceOutput& first, TraceOutput& second) : first_(first), second_(second) {}

  void AddSample(int64_t time_ns, absl::Span<const int64_t> values) override {
    first_.AddSample(time_ns, values);
    second_.AddSample(time_ns, values);
  }
  void AddRepeat(int64_t first_ns, int64_t interval_ns, int64_t count) override {
    first_.AddRepeat(first_ns, interval_ns, count);
    second_.AddRepeat(first_ns, interval_ns, count);
  }
  void AddEvent(trace::Event event) override {
    first_.AddEvent(event);
    second_.AddEvent(std::move(event));
  }
  void AddSpan(trace::Span span) override {
    first_.AddSpan(span);
    second_.AddSpan(std::move(span));
  }
  void AddLockStats(trace::LockStats stats) override {
    first_.AddLockStats(stats);
    second_.AddLockStats(std::move(stats));
  }
  void AddOperationStats(trace::OperationStats stats) override {
    first_.AddOperationStats(stats);
    second_.AddOperationStats(std::move(stats));
  }
  void AddPageblocks(trace::PageblockMap map) override {
    first_.AddPageblocks(map);
    second_.AddPageblocks(std::move(map));
  }

 private:
  TraceOutput& first_;
  TraceOutput& second_;
};

}  // namespace numasim

#endif  // NUMASIM_PROTO_TRACE_OUTPUT_H_
