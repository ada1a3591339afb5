#include "cli/metrics.h"

#include <algorithm>
#include <memory>
#include <utility>
#include <vector>

#include "absl/status/status.h"
#include "absl/strings/str_cat.h"
#include "cli/percentile.h"
#include "cli/statistics.h"
#include "proto/trace_reader.h"

namespace numasim {
namespace {

constexpr char kNanoseconds[] = "ns";

// The samples of a column, put together.
struct ColumnTotals {
  int64_t last = 0;
  int64_t least = 0;
  int64_t since_ns = 0;  // it has had this value
  int64_t peak = 0;
  double area = 0;  // the values before, times the nanoseconds for which they stood

  double AreaAt(int64_t now_ns) const {
    return area + static_cast<double>(last) * (static_cast<double>(now_ns) - static_cast<double>(since_ns));
  }
};

class MetricsReader : public TraceVisitor {
 public:
  explicit MetricsReader(const trace::Header& header) : header_(header), columns_(header.column_size()) {}

  // A value stands until a sample shows another. What comes out does not depend on how many spans equal
  // samples come in.
  void OnSamples(const SampleSpan& samples) override {
    for (size_t i = 0; i < columns_.size(); ++i) {
      ColumnTotals& column = columns_[i];
      const int64_t value = samples.values[i];
      if (any_ && value == column.last) continue;
      if (any_) column.area = column.AreaAt(samples.first_ns);
      column.least = any_ ? std::min(column.least, value) : value;
      column.peak = any_ ? std::max(column.peak, value) : value;
      column.last = value;
      column.since_ns = samples.first_ns;
    }
    if (!any_) first_ns_ = samples.first_ns;
    any_ = true;
    last_ns_ = samples.last_ns();
  }

  void OnEvent(const trace::Event& event) override {
    Kind& kind = kinds_[event.kind()];
    kind.count += 1;
    kind.failure = kind.failure || event.has_failure();
  }

  void OnLock(const trace::LockStats& lock) override {
    const std::string name = LockName(lock) + ".";
    Add(name + "acquired",
        {.info = {.unit = "times", .absent_is_zero = true}, .value = static_cast<double>(lock.acquired())});
    Add(name + "contended",
        {.info = {.unit = "times", .direction = Direction::kMoreIsWorse, .absent_is_zero = true},
         .value = static_cast<double>(lock.contended())});
    // Who never waits waits no time at all, but a lock that nobody takes is not held for a short time.
    AddTimes(name + "wait_", lock.wait_ns(), lock.contended(), /*absent_is_zero=*/true);
    if (lock.acquired() > 0)
      AddTimes(name + "hold_", lock.hold_ns(), lock.acquired(), /*absent_is_zero=*/false);
  }

  void OnOperation(const trace::OperationStats& operation) override {
    const std::string name = OperationName(operation) + ".";
    const auto tried = static_cast<double>(operation.tried());
    const auto failed = static_cast<double>(FailedTimes(operation));
    for (const trace::FailureCount& reason : operation.failed()) {
      AddFailures(absl::StrCat(name, "failed.", reason.reason()), "times", MetricInfo::Kind::kCount,
                  static_cast<double>(reason.count()));
    }
    Add(name + "tried", {.info = {.unit = "times", .absent_is_zero = true}, .value = tried});
    AddFailures(name + "failed", "times", MetricInfo::Kind::kCount, failed);
    AddFailures(name + "failed_share", kShareUnit, MetricInfo::Kind::kMean, tried > 0 ? failed / tried : 0);
    if (operation.has_latency_ns())
      AddTimes(name, operation.latency_ns(), operation.tried(), /*absent_is_zero=*/false);
  }

  // What was read. `end_ns` is the run's.
  std::map<std::string, Metric> Finish(int64_t end_ns) {
    for (size_t i = 0; i < columns_.size(); ++i) AddColumn(header_.column(static_cast<int>(i)), columns_[i]);
    for (const auto& [name, kind] : kinds_) {
      const Direction direction = kind.failure ? Direction::kMoreIsWorse : Direction::kNeither;
      Add(absl::StrCat("events.", name),
          {.info = {.unit = "events", .direction = direction, .absent_is_zero = true}, .value = kind.count});
    }
    Add("simulated_ns", {.info = {.unit = kNanoseconds,
                                  .kind = MetricInfo::Kind::kTime,
                                  .direction = Direction::kMoreIsWorse},
                         .value = static_cast<double>(end_ns)});
    return std::move(metrics_);
  }

 private:
  struct Kind {
    double count = 0;
    bool failure = false;
  };

  // Traces from before a lock's place was noted hold locks of one name; they are told apart by their order.
  void Add(const std::string& name, Metric metric) {
    std::string unique = name;
    for (int n = 2; !metrics_.emplace(unique, metric).second; ++n) unique = absl::StrCat(name, "#", n);
  }

  void AddFailures(const std::string& name, const char* unit, MetricInfo::Kind kind, double value) {
    Add(name,
        {.info = {.unit = unit, .kind = kind, .direction = Direction::kMoreIsWorse, .absent_is_zero = true},
         .value = value});
  }

  void AddTimes(const std::string& name, const trace::Histogram& times, uint64_t count, bool absent_is_zero) {
    const MetricInfo info = {.unit = kNanoseconds,
                             .kind = MetricInfo::Kind::kTime,
                             .direction = Direction::kMoreIsWorse,
                             .absent_is_zero = absent_is_zero};
    const double mean = count == 0 ? 0 : static_cast<double>(times.sum()) / static_cast<double>(count);
    Add(name + "mean_ns", {.info = info, .value = mean});
    Add(name + "99_ns", {.info = info, .value = static_cast<double>(Percentile(times, 99))});
    Add(name + "max_ns", {.info = info, .value = static_cast<double>(times.max())});
  }

  void AddColumn(const trace::Column& column, const ColumnTotals& totals) {
    MetricInfo info = {.unit = column.unit()};
    if (column.unit() == kNanoseconds) info.kind = MetricInfo::Kind::kTime;
    if (column.has_more_is_worse())
      info.direction = column.more_is_worse() ? Direction::kMoreIsWorse : Direction::kLessIsWorse;
    Add(column.name(), {.info = info, .value = static_cast<double>(totals.last)});
    if (!column.gauge()) return;
    const double time_ns = static_cast<double>(last_ns_) - static_cast<double>(first_ns_);
    const double mean = time_ns > 0 ? totals.AreaAt(last_ns_) / time_ns : static_cast<double>(totals.last);
    Add(column.name() + ".least", {.info = info, .value = static_cast<double>(totals.least)});
    Add(column.name() + ".peak", {.info = info, .value = static_cast<double>(totals.peak)});
    if (info.kind == MetricInfo::Kind::kCount) info.kind = MetricInfo::Kind::kMean;
    Add(column.name() + ".mean", {.info = info, .value = mean});
  }

  const trace::Header& header_;
  std::vector<ColumnTotals> columns_;
  bool any_ = false;  // a sample was seen
  int64_t first_ns_ = 0;
  int64_t last_ns_ = 0;
  std::map<std::string, Kind> kinds_;
  std::map<std::string, Metric> metrics_;
};

// FNV-1a: the same in every build, as databases of sweeps keep it.
uint64_t ScenarioHash(const trace::Header& header) {
  uint64_t hash = 0xcbf29ce484222325u;
  const auto add = [&hash](absl::string_view text) {
    // Lengths keep texts that only begin elsewhere apart.
    for (const unsigned char c : absl::StrCat(text.size(), ":", text)) hash = (hash ^ c) * 0x100000001b3u;
  };
  add(header.scenario());
  for (const trace::Script& script : header.script()) add(script.text());
  return hash;
}

RunMetrics MetricsOf(const std::string& path, const trace::Header& header) {
  return {.path = path,
          .scenario_name = header.scenario_name(),
          .program_version = header.program_version(),
          .seed = header.seed(),
          .scenario_hash = ScenarioHash(header),
          .metrics = {}};
}

}  // namespace

absl::StatusOr<RunMetrics> ReadMetrics(const std::string& path) {
  absl::StatusOr<std::unique_ptr<TraceReader>> trace = TraceReader::Open(path);
  if (!trace.ok()) return trace.status();
  constexpr char kExpected[] = "; expected the trace of a run that went to its end";
  const trace::Footer& index = (*trace)->index();
  if (index.has_ended_by()) {
    return absl::FailedPreconditionError(
        absl::StrCat("trace ", path, " is of a run that ", index.ended_by(), " ended", kExpected));
  }
  const trace::Header& header = (*trace)->header();
  MetricsReader reader(header);
  if (const absl::Status status = (*trace)->Read(TimeRange(), &reader); !status.ok())
    return absl::Status(status.code(), absl::StrCat(status.message(), kExpected));
  RunMetrics run = MetricsOf(path, header);
  run.metrics = reader.Finish(index.last_ns());
  return run;
}

struct MetricsRecorder::State {
  explicit State(trace::Header of) : header(std::move(of)), reader(header), values(header.column_size()) {}

  const trace::Header header;
  MetricsReader reader;
  std::vector<int64_t> values;  // of the last sample
  int64_t last_ns = 0;
};

MetricsRecorder::MetricsRecorder(trace::Header header) : state_(std::make_unique<State>(std::move(header))) {}

MetricsRecorder::~MetricsRecorder() = default;

void MetricsRecorder::AddSample(int64_t time_ns, absl::Span<const int64_t> values) {
  state_->values.assign(values.begin(), values.end());
  AddRepeat(time_ns, /*interval_ns=*/0, 1);
}

void MetricsRecorder::AddRepeat(int64_t first_ns, int64_t interval_ns, int64_t count) {
  const SampleSpan span = {first_ns, interval_ns, count, state_->values};
  state_->reader.OnSamples(span);
  state_->last_ns = std::max(state_->last_ns, span.last_ns());
}

void MetricsRecorder::AddEvent(trace::Event event) {
  state_->reader.OnEvent(event);
  state_->last_ns = std::max(state_->last_ns, event.time_ns());
}

void MetricsRecorder::AddLockStats(trace::LockStats stats) { state_->reader.OnLock(stats); }

void MetricsRecorder::AddOperationStats(trace::OperationStats stats) { state_->reader.OnOperation(stats); }

RunMetrics MetricsRecorder::Finish() {
  RunMetrics run = MetricsOf("", state_->header);
  run.metrics = state_->reader.Finish(state_->last_ns);
  return run;
}

}  // namespace numasim
