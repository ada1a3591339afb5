// One JSON object with everything, written as it is read: a trace may be larger than memory.
#include <nlohmann/json.hpp>

#include "cli/dump/dump_format.h"
#include "cli/dump/pageblock_stretches.h"
#include "cli/text/failure_text.h"

namespace numasim {
namespace {

using Json = nlohmann::ordered_json;

constexpr char kSamplesForm[] =
    "values are in the order of columns; an element with a count is that many samples with these values, the "
    "first at time_ns, interval_ns apart; one without is one sample";

// Scenario and script texts may hold any bytes.
std::string Print(const Json& json) { return json.dump(-1, ' ', false, Json::error_handler_t::replace); }

// A member of the outermost object whose value is an array, element by element.
class ArrayMember {
 public:
  ArrayMember(const char* name, std::ostream& out) : out_(out) { out_ << ",\n\"" << name << "\": ["; }
  void Add(const Json& element) {
    out_ << (any_ ? ",\n" : "\n") << Print(element);
    any_ = true;
  }
  void End() { out_ << "]"; }

 private:
  std::ostream& out_;
  bool any_ = false;
};

Json HeaderJson(const trace::Header& header) {
  Json scripts = Json::array();
  for (const trace::Script& script : header.script()) {
    scripts.push_back({{"name", script.name()}, {"text", script.text()}});
  }
  return {{"scenario_name", header.scenario_name()},
          {"scenario", header.scenario()},
          {"scripts", std::move(scripts)},
          {"program_version", header.program_version()},
          {"seed", header.seed()},
          {"sampling_interval_ns", header.sampling_interval_ns()}};
}

Json ColumnsJson(const trace::Header& header, const DumpView& view) {
  Json columns = Json::array();
  for (size_t i : view.columns) {
    const trace::Column& column = header.column(static_cast<int>(i));
    Json json = {{"name", column.name()}, {"unit", column.unit()}, {"gauge", column.gauge()}};
    if (column.has_more_is_worse()) json["more_is_worse"] = column.more_is_worse();
    columns.push_back(std::move(json));
  }
  return columns;
}

class JsonSamples : public TraceVisitor {
 public:
  JsonSamples(const DumpView& view, std::ostream& out) : view_(view), array_("samples", out) {}

  void OnSamples(const SampleSpan& samples) override {
    Json json = {{"time_ns", samples.first_ns}};
    if (samples.count > 1) {
      json["interval_ns"] = samples.interval_ns;
      json["count"] = samples.count;
    }
    Json& values = json["values"] = Json::array();
    for (size_t column : view_.columns) values.push_back(Shown(samples.values[column]));
    array_.Add(json);
  }
  void End() { array_.End(); }

 private:
  const DumpView& view_;
  ArrayMember array_;
};

// The fields of a failure that are set.
Json FieldsJson(const google::protobuf::Message& message) {
  Json json = Json::object();
  ForEachField(message, [&json](const std::string& name, const FieldValue& value) {
    if (const auto* const* part = std::get_if<const google::protobuf::Message*>(&value)) {
      json[name] = FieldsJson(**part);
    } else if (const auto* nodes = std::get_if<std::vector<int64_t>>(&value)) {
      json[name] = *nodes;
    } else if (const auto* number = std::get_if<int64_t>(&value)) {
      json[name] = *number;
    } else {
      json[name] = std::get<std::string>(value);
    }
  });
  return json;
}

class JsonEvents : public TraceVisitor {
 public:
  explicit JsonEvents(std::ostream& out) : array_("events", out) {}
  void OnEvent(const trace::Event& event) override {
    Json json = {
        {"time_ns", event.time_ns()}, {"lp", event.lp()}, {"kind", event.kind()}, {"path", event.path()}};
    if (event.has_failure()) {
      json["failure"] = FieldsJson(event.failure());
    } else {
      json["detail"] = event.detail();
    }
    array_.Add(json);
  }
  void End() { array_.End(); }

 private:
  ArrayMember array_;
};

Json HistogramJson(const trace::Histogram& histogram) {
  Json buckets = Json::array();
  for (const trace::Histogram::Bucket& bucket : histogram.bucket()) {
    buckets.push_back({{"low", bucket.low()}, {"high", bucket.high()}, {"count", bucket.count()}});
  }
  return {{"sum", histogram.sum()}, {"max", histogram.max()}, {"buckets", std::move(buckets)}};
}

class JsonSpans : public TraceVisitor {
 public:
  explicit JsonSpans(std::ostream& out) : array_("spans", out) {}
  void OnSpan(const trace::Span& span) override {
    Json json = {{"began_ns", span.began_ns()}, {"ended_ns", span.ended_ns()}, {"lp", span.lp()},
                 {"kind", span.kind()},         {"path", span.path()},         {"name", span.name()}};
    if (span.has_failed()) json["failed"] = span.failed();
    array_.Add(json);
  }
  void End() { array_.End(); }

 private:
  ArrayMember array_;
};

class JsonLocks : public TraceVisitor {
 public:
  explicit JsonLocks(std::ostream& out) : array_("locks", out) {}
  void OnLock(const trace::LockStats& lock) override {
    array_.Add({{"name", lock.name()},
                {"lp", lock.lp()},
                {"kind", lock.kind()},
                {"acquired", lock.acquired()},
                {"contended", lock.contended()},
                {"wait_ns", HistogramJson(lock.wait_ns())},
                {"hold_ns", HistogramJson(lock.hold_ns())}});
  }
  void End() { array_.End(); }

 private:
  ArrayMember array_;
};

class JsonOperations : public TraceVisitor {
 public:
  explicit JsonOperations(std::ostream& out) : array_("operations", out) {}
  void OnOperation(const trace::OperationStats& operation) override {
    Json failed = Json::object();
    for (const trace::FailureCount& reason : operation.failed()) failed[reason.reason()] = reason.count();
    Json json = {{"operation", operation.operation()},
                 {"tried", operation.tried()},
                 {"failed", std::move(failed)},
                 {"latency_ns", HistogramJson(operation.latency_ns())}};
    if (operation.has_script()) json["script"] = operation.script();
    array_.Add(json);
  }
  void End() { array_.End(); }

 private:
  ArrayMember array_;
};

class JsonPageblocks : public TraceVisitor {
 public:
  explicit JsonPageblocks(std::ostream& out) : array_("pageblocks", out) {}
  void OnPageblocks(const trace::PageblockMap& map) override {
    Json runs = Json::array();
    for (const PageblockStretch& run : PageblockStretches(map))
      runs.push_back({{"use", PageblockUseName(run.use)}, {"count", run.count}});
    array_.Add({{"zone", map.zone()}, {"first_pfn", map.first_pfn()}, {"runs", std::move(runs)}});
  }
  void End() { array_.End(); }

 private:
  ArrayMember array_;
};

template <typename Visitor>
void ShowPart(TraceReader& trace, const TimeRange& range, Visitor visitor, absl::Status* status) {
  status->Update(trace.Read(range, &visitor));
  visitor.End();
}

}  // namespace

absl::Status DumpJson(TraceReader& trace, const DumpView& view, std::ostream& out) {
  absl::Status status;
  out << "{\"header\": " << Print(HeaderJson(trace.header()))
      << ",\n\"columns\": " << Print(ColumnsJson(trace.header(), view))
      << ",\n\"samples_form\": " << Print(kSamplesForm);
  JsonSamples samples(view, out);
  status.Update(ReadSamples(trace, view, samples));
  samples.End();
  ShowPart(trace, view.range, JsonEvents(out), &status);
  ShowPart(trace, view.range, JsonSpans(out), &status);
  ShowPart(trace, kNoTime, JsonLocks(out), &status);
  ShowPart(trace, kNoTime, JsonOperations(out), &status);
  ShowPart(trace, kNoTime, JsonPageblocks(out), &status);
  out << ",\n\"complete\": " << (status.ok() ? "true" : "false");
  if (trace.index().has_ended_by()) out << ",\n\"ended_by\": " << Print(trace.index().ended_by());
  out << "}\n";
  return status;
}

}  // namespace numasim
