// CSV of what a trace has beside samples.
#include <cstdint>
#include <functional>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "absl/strings/str_cat.h"
#include "cli/dump/dump_format.h"
#include "cli/dump/pageblock_stretches.h"
#include "cli/statistics/percentile.h"
#include "cli/statistics/statistics.h"
#include "cli/text/csv_text.h"
#include "cli/text/failure_text.h"

namespace numasim {
namespace {

using Cells = std::vector<std::string>;

// Cells as the first and then some more.
Cells With(Cells first, const Cells& more) {
  first.insert(first.end(), more.begin(), more.end());
  return first;
}

// The names of the cells that TimesCells() makes.
Cells TimesTitles(const std::string& prefix) {
  return {prefix + "mean_ns", prefix + "50_ns", prefix + "99_ns", prefix + "max_ns"};
}

Cells TimesCells(const trace::Histogram& times, uint64_t count) {
  const std::optional<TimesSummary> summary = SummaryOf(times, count);
  if (!summary.has_value()) return Cells(4);
  return {absl::StrCat(summary->mean), absl::StrCat(summary->median), absl::StrCat(summary->percentile_99),
          absl::StrCat(summary->max)};
}

// A line for each bucket, which begins with `first`.
void AddBuckets(const Cells& first, const trace::Histogram& times, std::ostream& out) {
  for (const trace::Histogram::Bucket& bucket : times.bucket()) {
    out << CsvLine(
        With(first, {absl::StrCat(bucket.low()), absl::StrCat(bucket.high()), absl::StrCat(bucket.count())}));
  }
}

class EventLines : public TraceVisitor {
 public:
  explicit EventLines(std::ostream& out) : out_(out) {
    Cells titles = {"time_ns", "lp", "kind", "path"};
    for (const auto& [name, text] : AllFields(trace::Failure::default_instance())) titles.push_back(name);
    titles.push_back("detail");
    out_ << CsvLine(titles);
  }
  void OnEvent(const trace::Event& event) override {
    Cells cells = {absl::StrCat(event.time_ns()), event.lp(), event.kind(), event.path()};
    for (auto& [name, text] : AllFields(event.failure())) cells.push_back(std::move(text));
    cells.push_back(event.detail());
    out_ << CsvLine(cells);
  }

 private:
  std::ostream& out_;
};

class SpanRows : public TraceVisitor {
 public:
  explicit SpanRows(std::ostream& out) : out_(out) {
    out_ << CsvLine({"began_ns", "ended_ns", "lp", "kind", "path", "name", "failed"});
  }
  void OnSpan(const trace::Span& span) override {
    out_ << CsvLine({absl::StrCat(span.began_ns()), absl::StrCat(span.ended_ns()), span.lp(), span.kind(),
                     span.path(), span.name(), span.failed()});
  }

 private:
  std::ostream& out_;
};

class PageblockRows : public TraceVisitor {
 public:
  explicit PageblockRows(std::ostream& out) : out_(out) { out_ << CsvLine({"zone", "pfn", "use", "count"}); }
  void OnPageblocks(const trace::PageblockMap& map) override {
    constexpr uint64_t kPagesOfOne = 512;
    auto pfn = static_cast<uint64_t>(map.first_pfn());
    for (const PageblockStretch& run : PageblockStretches(map)) {
      out_ << CsvLine({map.zone(), absl::StrCat(pfn), PageblockUseName(run.use), absl::StrCat(run.count)});
      pfn += kPagesOfOne * run.count;
    }
  }

 private:
  std::ostream& out_;
};

// Shows each lock, or each operation, to one of two functions.
class StatsVisitor : public TraceVisitor {
 public:
  explicit StatsVisitor(std::function<void(const trace::LockStats&)> lock) : lock_(std::move(lock)) {}
  explicit StatsVisitor(std::function<void(const trace::OperationStats&)> operation)
      : operation_(std::move(operation)) {}
  void OnLock(const trace::LockStats& lock) override {
    if (lock_) lock_(lock);
  }
  void OnOperation(const trace::OperationStats& operation) override {
    if (operation_) operation_(operation);
  }

 private:
  const std::function<void(const trace::LockStats&)> lock_;
  const std::function<void(const trace::OperationStats&)> operation_;
};

absl::Status ForEachLock(TraceReader& trace, std::function<void(const trace::LockStats&)> f) {
  StatsVisitor visitor(std::move(f));
  return trace.Read(kNoTime, &visitor);
}

absl::Status ForEachOperation(TraceReader& trace, std::function<void(const trace::OperationStats&)> f) {
  StatsVisitor visitor(std::move(f));
  return trace.Read(kNoTime, &visitor);
}

}  // namespace

absl::Status DumpCsvEvents(TraceReader& trace, const DumpView& view, std::ostream& out) {
  EventLines events(out);
  return trace.Read(view.range, &events);
}

absl::Status DumpCsvSpans(TraceReader& trace, const DumpView& view, std::ostream& out) {
  SpanRows spans(out);
  return trace.Read(view.range, &spans);
}

absl::Status DumpCsvPageblocks(TraceReader& trace, const DumpView& view, std::ostream& out) {
  PageblockRows pageblocks(out);
  return trace.Read(kNoTime, &pageblocks);
}

absl::Status DumpCsvLocks(TraceReader& trace, const DumpView& view, std::ostream& out) {
  out << CsvLine(With(With({"lp", "name", "kind", "acquired", "contended"}, TimesTitles("wait_")),
                      TimesTitles("hold_")));
  return ForEachLock(trace, [&out](const trace::LockStats& lock) {
    const Cells cells = {lock.lp(), lock.name(), lock.kind(), absl::StrCat(lock.acquired()),
                         absl::StrCat(lock.contended())};
    out << CsvLine(With(With(cells, TimesCells(lock.wait_ns(), lock.contended())),
                        TimesCells(lock.hold_ns(), lock.acquired())));
  });
}

absl::Status DumpCsvLockTimes(TraceReader& trace, const DumpView& view, std::ostream& out) {
  out << CsvLine({"lp", "name", "time", "low_ns", "high_ns", "count"});
  return ForEachLock(trace, [&out](const trace::LockStats& lock) {
    AddBuckets({lock.lp(), lock.name(), "wait"}, lock.wait_ns(), out);
    AddBuckets({lock.lp(), lock.name(), "hold"}, lock.hold_ns(), out);
  });
}

absl::Status DumpCsvOperations(TraceReader& trace, const DumpView& view, std::ostream& out) {
  out << CsvLine(With({"script", "operation", "tried", "failed"}, TimesTitles("")));
  return ForEachOperation(trace, [&out](const trace::OperationStats& operation) {
    const Cells cells = {operation.script(), operation.operation(), absl::StrCat(operation.tried()),
                         absl::StrCat(FailedTimes(operation))};
    const uint64_t timed = operation.has_latency_ns() ? operation.tried() : 0;
    out << CsvLine(With(cells, TimesCells(operation.latency_ns(), timed)));
  });
}

absl::Status DumpCsvOperationFailures(TraceReader& trace, const DumpView& view, std::ostream& out) {
  out << CsvLine({"script", "operation", "reason", "count"});
  return ForEachOperation(trace, [&out](const trace::OperationStats& operation) {
    for (const trace::FailureCount& reason : operation.failed()) {
      out << CsvLine(
          {operation.script(), operation.operation(), reason.reason(), absl::StrCat(reason.count())});
    }
  });
}

absl::Status DumpCsvOperationTimes(TraceReader& trace, const DumpView& view, std::ostream& out) {
  out << CsvLine({"script", "operation", "low_ns", "high_ns", "count"});
  return ForEachOperation(trace, [&out](const trace::OperationStats& operation) {
    AddBuckets({operation.script(), operation.operation()}, operation.latency_ns(), out);
  });
}

}  // namespace numasim
