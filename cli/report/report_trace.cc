#include "cli/report/report_trace.h"

#include <algorithm>
#include <map>
#include <utility>

#include "absl/status/status.h"
#include "absl/strings/str_cat.h"
#include "cli/dump/trace_label.h"
#include "proto/trace_reader.h"

namespace numasim {
namespace {

// Rows that are kept while reading: more than a plot has pixels, but few where a machine has many columns.
constexpr size_t kMostRows = 6000;
constexpr size_t kLeastRows = 128;
constexpr size_t kMostCells = 4'000'000;  // 96 MB

size_t RowsFor(size_t columns) {
  return std::clamp(kMostCells / std::max<size_t>(columns, 1), kLeastRows, kMostRows);
}

class ReportReader : public TraceVisitor {
 public:
  explicit ReportReader(ReportTrace& trace) : trace_(trace) {}

  void OnSamples(const SampleSpan& samples) override {
    // Blocks are sound one by one; whether one follows the other only its index says.
    if (samples.first_ns <= last_ns_) {
      if (out_of_order_ns_ < 0) out_of_order_ns_ = samples.first_ns;
      return;
    }
    last_ns_ = samples.last_ns();
    trace_.counters.Add(samples);
    trace_.end_ns = std::max(trace_.end_ns, last_ns_);
  }
  void OnEvent(const trace::Event& event) override {
    trace_.lanes.Add(event);
    trace_.end_ns = std::max(trace_.end_ns, event.time_ns());
    ++trace_.events;
  }
  void OnLock(const trace::LockStats& lock) override { trace_.locks.push_back(lock); }
  void OnOperation(const trace::OperationStats& operation) override {
    trace_.operations.push_back(operation);
  }
  void OnPageblocks(const trace::PageblockMap& map) override { trace_.pageblocks.push_back(map); }

  // Of the first sample that does not follow the one before it; below 0 if all do.
  int64_t out_of_order_ns() const { return out_of_order_ns_; }

 private:
  ReportTrace& trace_;
  int64_t last_ns_ = -1;
  int64_t out_of_order_ns_ = -1;
};

}  // namespace

absl::StatusOr<std::unique_ptr<ReportTrace>> ReadReportTrace(const std::string& path, std::string label) {
  absl::StatusOr<std::unique_ptr<TraceReader>> reader = TraceReader::Open(path);
  if (!reader.ok()) return reader.status();
  const size_t columns = (*reader)->header().column_size();
  auto trace = std::make_unique<ReportTrace>(ReportTrace{.path = path,
                                                         .label = std::move(label),
                                                         .header = (*reader)->header(),
                                                         .samples = (*reader)->index().samples(),
                                                         .ended_by = (*reader)->index().ended_by(),
                                                         .cut = {},
                                                         .counters = {columns, RowsFor(columns)},
                                                         .lanes = {},
                                                         .locks = {},
                                                         .operations = {},
                                                         .pageblocks = {}});
  ReportReader visitor(*trace);
  absl::Status status = (*reader)->Read(TimeRange(), &visitor);
  if (visitor.out_of_order_ns() >= 0) {
    status.Update(
        absl::DataLossError(absl::StrCat("trace ", path, " is damaged: the samples at ",
                                         visitor.out_of_order_ns(), " ns do not follow those before them")));
  }
  if (!status.ok() && !absl::IsDataLoss(status)) return status;
  trace->cut = std::string(status.message());
  return trace;
}

std::vector<std::string> ReportLabels(const std::vector<std::string>& paths) {
  std::map<std::string, int> uses;
  for (const std::string& path : paths) ++uses[TraceLabel(path)];
  std::vector<std::string> labels;
  for (const std::string& path : paths) {
    const std::string label = TraceLabel(path);
    labels.push_back(uses[label] == 1 ? label : path);
  }
  return labels;
}

}  // namespace numasim
