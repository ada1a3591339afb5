#include "cli/trace_sink.h"

#include "absl/types/span.h"
#include "models/physical/memory_system.h"

namespace numasim {
namespace {

trace::Histogram ToProto(const sim::Histogram& from) {
  trace::Histogram to;
  to.set_sum(from.sum());
  to.set_max(from.max());
  for (size_t b = 0; b < from.buckets().size(); ++b) {
    if (from.buckets()[b] == 0) continue;
    trace::Histogram::Bucket& bucket = *to.add_bucket();
    bucket.set_low(sim::Histogram::LowerBound(b));
    bucket.set_high(sim::Histogram::LowerBound(b + 1) - 1);
    bucket.set_count(from.buckets()[b]);
  }
  return to;
}

}  // namespace

void TraceSink::OnSample(sim::SimTime t, std::span<const int64_t> values) {
  // The last sample, of the final state, may fall on the time of a regular one.
  if (t <= last_) return;
  last_ = t;
  writer_.AddSample(t.ns, absl::MakeConstSpan(values.data(), values.size()));
}

void TraceSink::OnRepeat(sim::SimTime first, sim::Duration interval, int64_t count) {
  last_ = first + interval * (count - 1);
  writer_.AddRepeat(first.ns, interval.ns, count);
}

void TraceSink::OnLog(const sim::LogRecord& record) {
  trace::Event event;
  event.set_time_ns(record.time.ns);
  event.set_lp(engine_.lp_name(record.lp));
  event.set_kind(LogKindName(record.kind));
  event.set_path(record.path);
  event.set_detail(record.detail);
  // What comes after " at " is of this one event; before it is the reason, which many may share.
  ++events_[{event.kind(), event.detail().substr(0, event.detail().find(" at "))}];
  writer_.AddEvent(std::move(event));
}

void TraceSink::WriteLocks() {
  for (const sim::LockStats* lock : engine_.lock_stats()) {
    if (lock->acquisitions == 0 && lock->try_failed == 0) continue;
    trace::LockStats stats;
    stats.set_name(lock->name);
    stats.set_kind(sim::LockKindName(lock->kind));
    stats.set_acquired(lock->acquisitions);
    stats.set_contended(lock->contended);
    *stats.mutable_wait_ns() = ToProto(lock->wait);
    *stats.mutable_hold_ns() = ToProto(lock->hold);
    writer_.AddLockStats(std::move(stats));
  }
}

}  // namespace numasim
