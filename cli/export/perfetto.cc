#include "cli/export/perfetto.h"

#include <algorithm>
#include <cstdint>
#include <optional>
#include <string>
#include <variant>
#include <vector>

#include "cli/export/instants.h"
#include "cli/export/track_tree.h"
#include "cli/statistics/percentile.h"
#include "cli/statistics/statistics.h"
#include "cli/text/failure_text.h"

namespace numasim {
namespace {

// A value stands in Perfetto until the next one, as in a trace until a sample shows another.
class CounterPackets {
 public:
  CounterPackets(const trace::Header& header, const TraceSelection& selection, TrackTree& tracks,
                 PacketStream& packets)
      : columns_(selection.columns), packets_(packets), last_(selection.columns.size()) {
    for (const size_t column : columns_)
      tracks_.push_back(tracks.OfCounter(header.column(static_cast<int>(column))));
  }

  void Add(const SampleSpan& samples) {
    // Then the rest of the trace is only passed over.
    if (!packets_.writes()) return;
    for (size_t i = 0; i < columns_.size(); ++i) {
      const int64_t value = samples.values[columns_[i]];
      if (any_ && value == last_[i]) continue;
      last_[i] = value;
      perfetto::TracePacket& packet = packets_.Add();
      packet.set_timestamp(static_cast<uint64_t>(samples.first_ns));
      perfetto::TrackEvent& event = *packet.mutable_track_event();
      event.set_type(perfetto::TrackEvent::TYPE_COUNTER);
      event.set_track_uuid(tracks_[i]);
      event.set_counter_value(value);
    }
    any_ = true;
  }

 private:
  const std::vector<size_t>& columns_;
  PacketStream& packets_;
  std::vector<uint64_t> tracks_;
  bool any_ = false;
  std::vector<int64_t> last_;
};

// The fields of a failure that are set, by the names of JSON.
void AddFields(const google::protobuf::Message& message, Values values) {
  ForEachField(message, [&values](const std::string& name, const FieldValue& value) {
    perfetto::DebugAnnotation& added = values.Add(name);
    if (const auto* const* part = std::get_if<const google::protobuf::Message*>(&value)) {
      AddFields(**part, values.In(added));
    } else if (const auto* list = std::get_if<std::vector<int64_t>>(&value)) {
      for (const int64_t number : *list) added.add_array_values()->set_int_value(number);
    } else if (const auto* number = std::get_if<int64_t>(&value)) {
      added.set_int_value(*number);
    } else {
      added.set_string_value(std::get<std::string>(value));
    }
  });
}

// A histogram in few numbers and in full; nothing of one of no times.
void AddTimes(const std::string& prefix, const trace::Histogram& times, uint64_t count, Values values) {
  const std::optional<TimesSummary> summary = SummaryOf(times, count);
  if (!summary.has_value()) return;
  values.Add(prefix + "mean_ns").set_int_value(summary->mean);
  values.Add(prefix + "50_ns").set_int_value(summary->median);
  values.Add(prefix + "99_ns").set_int_value(summary->percentile_99);
  values.Add(prefix + "max_ns").set_int_value(summary->max);
  perfetto::DebugAnnotation& buckets = values.Add(prefix + "times");
  for (const trace::Histogram::Bucket& bucket : times.bucket()) {
    Values entries = values.In(*buckets.add_array_values());
    entries.Add("low_ns").set_int_value(bucket.low());
    entries.Add("high_ns").set_int_value(bucket.high());
    entries.Add("count").set_uint_value(bucket.count());
  }
}

void AddReasons(const trace::OperationStats& operation, Values values) {
  if (operation.failed_size() == 0) return;
  Values reasons = values.In(values.Add("reasons"));
  for (const trace::FailureCount& reason : operation.failed())
    reasons.Add(reason.reason()).set_uint_value(reason.count());
}

// What is of the whole run is at `end_ns`.
class PerfettoPackets : public TraceVisitor {
 public:
  PerfettoPackets(const trace::Header& header, const TraceSelection& selection, int64_t end_ns,
                  PacketStream& packets)
      : end_ns_(end_ns),
        tracks_(header, packets),
        counters_(header, selection, tracks_, packets),
        instants_(packets) {}

  void AddRun(const trace::Header& header, const trace::Footer& index, int64_t time_ns) {
    Values values = instants_.Add(time_ns, tracks_.run(), "run", "run");
    values.Add("scenario").set_string_value(header.scenario_name());
    values.Add("numasim").set_string_value(header.program_version());
    values.Add("seed").set_uint_value(header.seed());
    values.Add("sampling_interval_ns").set_int_value(header.sampling_interval_ns());
    if (index.has_ended_by()) values.Add("ended_by").set_string_value(index.ended_by());
  }

  void OnSamples(const SampleSpan& samples) override { counters_.Add(samples); }

  void OnEvent(const trace::Event& event) override {
    const uint64_t track = tracks_.OfEvent(event);
    Values values =
        instants_.Add(event.time_ns(), track, event.has_failure() ? "failure" : "event", event.kind());
    values.Add("path").set_string_value(event.path());
    AddFields(event.failure(), values);
    if (event.has_detail()) values.Add("detail").set_string_value(event.detail());
  }

  void OnSpan(const trace::Span& span) override {
    const uint64_t track = tracks_.OfSpan(span);
    Values values = instants_.Begin(span.began_ns(), track, span.kind(), span.name());
    values.Add("lp").set_string_value(span.lp());
    if (span.has_failed()) values.Add("failed").set_string_value(span.failed());
    instants_.End(span.ended_ns(), track);
  }

  void OnLock(const trace::LockStats& lock) override {
    const uint64_t track = tracks_.OfLock(lock);
    Values values = instants_.Add(end_ns_, track, "lock", LockName(lock));
    values.Add("kind").set_string_value(lock.kind());
    values.Add("acquired").set_uint_value(lock.acquired());
    values.Add("contended").set_uint_value(lock.contended());
    AddTimes("wait_", lock.wait_ns(), lock.contended(), values);
    AddTimes("hold_", lock.hold_ns(), lock.acquired(), values);
  }

  void OnOperation(const trace::OperationStats& operation) override {
    const uint64_t track = tracks_.OfOperation(operation);
    Values values = instants_.Add(end_ns_, track, "operation", OperationName(operation));
    values.Add("tried").set_uint_value(operation.tried());
    values.Add("failed").set_uint_value(FailedTimes(operation));
    AddReasons(operation, values);
    AddTimes("", operation.latency_ns(), operation.has_latency_ns() ? operation.tried() : 0, values);
  }

 private:
  const int64_t end_ns_;
  TrackTree tracks_;
  CounterPackets counters_;
  Instants instants_;
};

}  // namespace

absl::Status WritePerfetto(TraceReader& trace, const TraceSelection& selection, PacketStream& packets) {
  const trace::Footer& index = trace.index();
  const int64_t end_ns = std::min(index.last_ns(), selection.range.to_ns);
  PerfettoPackets visitor(trace.header(), selection, end_ns, packets);
  const int64_t first_ns = std::max(index.first_ns(), selection.range.from_ns);
  visitor.AddRun(trace.header(), index, std::min(first_ns, end_ns));
  return ReadSamples(trace, selection, visitor);
}

}  // namespace numasim
