// Tables for spreadsheets and data frames. This file has that of the samples.
#include <cstdint>
#include <limits>

#include "absl/strings/match.h"
#include "absl/strings/str_cat.h"
#include "cli/dump/dump_format.h"
#include "cli/text/csv_text.h"
#include "cli/text/time_text.h"

namespace numasim {
namespace {

class CsvLines : public TraceVisitor {
 public:
  CsvLines(const DumpView& view, std::ostream& out) : view_(view), out_(out) {}

  void OnSamples(const SampleSpan& samples) override {
    values_.clear();
    for (size_t column : view_.columns) absl::StrAppend(&values_, ",", Shown(samples.values[column]));
    values_.push_back('\n');
    for (int64_t i = 0; i < samples.count && out_; ++i) {
      out_ << samples.first_ns + i * samples.interval_ns << values_;
    }
  }

 private:
  const DumpView& view_;
  std::ostream& out_;
  std::string values_;
};

// More than this is no table that anything can read, and most of it would be the same line again: a trace
// counts equal samples instead of keeping them.
constexpr uint64_t kMostLines = 100'000'000;
constexpr int64_t kGoodLines = 1'000'000;

class CountLines : public TraceVisitor {
 public:
  void OnSamples(const SampleSpan& samples) override {
    if (lines_ == 0) first_ns_ = samples.first_ns;
    last_ns_ = samples.last_ns();
    const auto count = static_cast<uint64_t>(samples.count);
    if (__builtin_add_overflow(lines_, count, &lines_)) lines_ = std::numeric_limits<uint64_t>::max();
  }

  uint64_t lines() const { return lines_; }

  // A power of ten that leaves at most kGoodLines.
  int64_t GoodEvery() const {
    int64_t every_ns = 1;
    while (every_ns < (last_ns_ - first_ns_) / kGoodLines) every_ns *= 10;
    return every_ns;
  }

 private:
  uint64_t lines_ = 0;
  int64_t first_ns_ = 0;
  int64_t last_ns_ = 0;
};

absl::Status CheckLines(TraceReader& trace, const DumpView& view) {
  if (view.every_ns == 0 && trace.index().samples() <= kMostLines) return absl::OkStatus();
  CountLines count;
  // A trace that is cut or damaged says so when it is shown.
  ReadSamples(trace, view, count).IgnoreError();
  if (count.lines() <= kMostLines) return absl::OkStatus();
  return absl::InvalidArgumentError(
      absl::StrCat("--format csv: would be ", count.lines(), " lines; expected at most ", kMostLines,
                   ": give --every, such as --every ", TimeText(count.GoodEvery()),
                   ", or a shorter time by --from and --to"));
}

}  // namespace

absl::Status DumpCsv(TraceReader& trace, const DumpView& view, std::ostream& out) {
  return view.table->dump(trace, view, out);
}

absl::Status DumpCsvCounters(TraceReader& trace, const DumpView& view, std::ostream& out) {
  if (absl::Status status = CheckLines(trace, view); !status.ok()) return status;
  out << "time_ns";
  for (size_t column : view.columns)
    out << "," << CsvField(trace.header().column(static_cast<int>(column)).name());
  out << "\n";
  CsvLines lines(view, out);
  return ReadSamples(trace, view, lines);
}

}  // namespace numasim
