// A line per sample, for spreadsheets and data frames.
#include "absl/strings/match.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/str_replace.h"
#include "cli/dump_format.h"

namespace numasim {
namespace {

// As RFC 4180 quotes.
std::string CsvField(const std::string& text) {
  if (text.find_first_of(",\"\r\n") == std::string::npos) return text;
  return absl::StrCat("\"", absl::StrReplaceAll(text, {{"\"", "\"\""}}), "\"");
}

class CsvLines : public TraceVisitor {
 public:
  CsvLines(const DumpView& view, std::ostream& out) : view_(view), out_(out) {}

  void OnSamples(const SampleSpan& samples) override {
    values_.clear();
    for (size_t column : view_.columns) absl::StrAppend(&values_, ",", samples.values[column]);
    values_.push_back('\n');
    for (int64_t i = 0; i < samples.count; ++i) {
      out_ << samples.first_ns + i * samples.interval_ns << values_;
    }
  }

 private:
  const DumpView& view_;
  std::ostream& out_;
  std::string values_;
};

}  // namespace

absl::Status DumpCsv(TraceReader& trace, const DumpView& view, std::ostream& out) {
  out << "time_ns";
  for (size_t column : view.columns)
    out << "," << CsvField(trace.header().column(static_cast<int>(column)).name());
  out << "\n";
  CsvLines lines(view, out);
  return trace.Read(view.range, &lines);
}

}  // namespace numasim
