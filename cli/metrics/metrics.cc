#include "cli/metrics/metrics.h"

#include <algorithm>
#include <memory>
#include <utility>
#include <vector>

#include "absl/status/status.h"
#include "absl/strings/str_cat.h"
#include "cli/metrics/column_metrics.h"
#include "cli/metrics/period_metrics.h"
#include "cli/stable_hash.h"
#include "cli/statistics/percentile.h"
#include "cli/statistics/statistics.h"
#include "proto/trace_reader.h"

namespace numasim {
namespace {

class MetricsReader : public TraceVisitor {
 public:
  MetricsReader(const trace::Header& header, const std::vector<MetricPeriod>& periods)
      : header_(header), columns_(header.column_size()) {
    for (const MetricPeriod& period : periods) periods_.emplace_back(header, period);
  }

  // What comes out does not depend on how many spans equal samples come in.
  void OnSamples(const SampleSpan& samples) override {
    for (size_t i = 0; i < columns_.size(); ++i) {
      if (any_) {
        columns_[i].Add(samples.values[i], samples.first_ns);
      } else {
        columns_[i].Begin(samples.values[i], samples.first_ns);
      }
    }
    for (PeriodMetrics& period : periods_) period.OnSamples(samples);
    any_ = true;
    last_ns_ = samples.last_ns();
  }

  void OnEvent(const trace::Event& event) override {
    Kind& kind = kinds_[event.kind()];
    kind.count += 1;
    kind.failure = kind.failure || event.has_failure();
    for (PeriodMetrics& period : periods_) period.OnEvent(event);
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
    for (const auto& [name, kind] : kinds_)
      Add(absl::StrCat("events.", name), {.info = EventInfo(kind.failure), .value = kind.count});
    for (const PeriodMetrics& period : periods_) period.Finish(metrics_);
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
    Add(column.name(), {.info = InfoOf(column), .value = static_cast<double>(totals.last())});
    if (column.gauge()) totals.AddGauge(column.name(), InfoOf(column), last_ns_, metrics_);
  }

  const trace::Header& header_;
  std::vector<ColumnTotals> columns_;
  bool any_ = false;  // a sample was seen
  int64_t last_ns_ = 0;
  std::vector<PeriodMetrics> periods_;
  std::map<std::string, Kind> kinds_;
  std::map<std::string, Metric> metrics_;
};

// Databases of sweeps keep it.
uint64_t ScenarioHash(const trace::Header& header) {
  // Lengths keep texts that only begin elsewhere apart.
  const auto with_length = [](absl::string_view text) { return absl::StrCat(text.size(), ":", text); };
  uint64_t hash = StableHash(with_length(header.scenario()));
  for (const trace::Script& script : header.script()) hash = StableHash(with_length(script.text()), hash);
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

absl::StatusOr<RunMetrics> ReadMetrics(const std::string& path, const std::vector<MetricPeriod>& periods) {
  absl::StatusOr<std::unique_ptr<TraceReader>> trace = TraceReader::Open(path);
  if (!trace.ok()) return trace.status();
  constexpr char kExpected[] = "; expected the trace of a run that went to its end";
  const trace::Footer& index = (*trace)->index();
  if (index.has_ended_by()) {
    return absl::FailedPreconditionError(
        absl::StrCat("trace ", path, " is of a run that ", index.ended_by(), " ended", kExpected));
  }
  const trace::Header& header = (*trace)->header();
  MetricsReader reader(header, periods);
  if (const absl::Status status = (*trace)->Read(TimeRange(), &reader); !status.ok())
    return absl::Status(status.code(), absl::StrCat(status.message(), kExpected));
  RunMetrics run = MetricsOf(path, header);
  run.metrics = reader.Finish(index.last_ns());
  return run;
}

struct MetricsRecorder::State {
  State(trace::Header of, const std::vector<MetricPeriod>& periods)
      : header(std::move(of)), reader(header, periods), values(header.column_size()) {}

  const trace::Header header;
  MetricsReader reader;
  std::vector<int64_t> values;  // of the last sample
  int64_t last_ns = 0;
};

MetricsRecorder::MetricsRecorder(trace::Header header, const std::vector<MetricPeriod>& periods)
    : state_(std::make_unique<State>(std::move(header), periods)) {}

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
