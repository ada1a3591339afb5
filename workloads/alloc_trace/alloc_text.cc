#include "workloads/alloc_trace/alloc_text.h"

#include <algorithm>
#include <filesystem>
#include <iterator>
#include <optional>
#include <span>
#include <utility>

#include "proto/scenario.pb.h"
#include "workloads/alloc_trace/alloc_trace.h"
#include "workloads/alloc_trace/gzip.h"
#include "workloads/generate/part_text.h"
#include "workloads/text.h"
#include "workloads/units.h"

namespace numasim::workloads {
namespace {

using AllocationsText = numasim::Workload::Allocations;

constexpr std::string_view kEndings[] = {".ftrace", ".perf", ".trace", ".dat", ".llfree", ".log", ".txt"};
constexpr std::string_view kOfLogsToo[] = {".log", ".txt"};
constexpr std::string_view kPacked = ".gz";

bool IsOneOf(const std::string& ending, std::span<const std::string_view> endings) {
  return std::find(endings.begin(), endings.end(), ending) != endings.end();
}

// Without ".gz".
std::string EndingOf(const std::filesystem::path& name) {
  return name.extension() == kPacked ? name.stem().extension().string() : name.extension().string();
}

// Builds one plan. Each step returns the first mistake that it finds.
class Reader {
 public:
  Reader(const MessageView& view, const GuestsContext& context)
      : view_(view), context_(context), text_(static_cast<const AllocationsText&>(view.message())) {}

  absl::StatusOr<AllocPlan> Read();

 private:
  absl::Status ReadName();
  absl::Status ReadTrace();
  absl::StatusOr<std::string> BytesOf(const std::string& name) const;
  absl::StatusOr<TraceFormat> FormatOf(std::string_view bytes) const;
  absl::Status ReadStart();

  const MessageView& view_;
  const GuestsContext& context_;
  const AllocationsText& text_;
  AllocPlan plan_;
};

absl::StatusOr<AllocPlan> Reader::Read() {
  using Step = absl::Status (Reader::*)();
  for (const Step step : {&Reader::ReadName, &Reader::ReadTrace, &Reader::ReadStart}) {
    if (absl::Status status = (this->*step)(); !status.ok()) return status;
  }
  return std::move(plan_);
}

absl::Status Reader::ReadName() {
  constexpr PartWords kWords{
      .field = "allocations", .what = "a replay", .expected = "a name for the replay", .example = "trace"};
  return ReadPartName(view_, text_, kWords, plan_);
}

// Of the file, unpacked.
absl::StatusOr<std::string> Reader::BytesOf(const std::string& name) const {
  absl::StatusOr<std::string> bytes = context_.files.read(view_, "trace", text_.trace());
  if (!bytes.ok() || !IsGzip(*bytes)) return bytes;
  return Gunzip(name, *bytes, kMostUnpacked);
}

absl::StatusOr<TraceFormat> Reader::FormatOf(std::string_view bytes) const {
  if (text_.has_format()) return *TraceFormatNamed(text_.format());
  const std::optional<TraceFormat> found = FindTraceFormat(bytes);
  if (found.has_value()) return *found;
  return view_.Mistake("trace",
                       "is none of the traces that are known by their beginning (ftrace, perf, trace.dat, "
                       "llfree); expected one");
}

absl::Status Reader::ReadTrace() {
  if (!text_.has_trace())
    return view_.MistakeWithoutValue("trace", "is missing; expected such as trace: \"boot.ftrace\"");
  // A mistake in a trace may quote it. Of another file, a password file say, nothing may show.
  if (!IsNamedAsTrace(text_.trace()))
    return view_.Mistake("trace", Cat("is not named as a trace; expected a name that ends in one of ",
                                      Join(kEndings, ", "), ", with .gz behind it or without"));
  const std::string name = context_.files.display(text_.trace());
  const absl::StatusOr<std::string> bytes = BytesOf(name);
  if (!bytes.ok()) return bytes.status();
  const absl::StatusOr<TraceFormat> format = FormatOf(*bytes);
  if (!format.ok()) return format.status();
  absl::StatusOr<AllocTrace> trace =
      ParseAllocTrace(name, *bytes, *format, text_.has_count() ? text_.count() : INT64_MAX);
  if (!trace.ok()) return trace.status();
  const auto events = static_cast<int64_t>(trace->events.size());
  if (text_.has_count() && events < text_.count())
    return view_.Mistake("count", Cat("is more than the trace has events; expected at most ", events));
  for (std::string& note : trace->Notes(name)) context_.warnings.push_back(std::move(note));
  plan_.trace = std::make_shared<const AllocTrace>(*std::move(trace));
  return absl::OkStatus();
}

absl::Status Reader::ReadStart() {
  plan_.start_ns = *ParseDuration(text_.start());
  int64_t end = 0;
  if (!__builtin_add_overflow(plan_.start_ns, plan_.trace->events.back().time_ns, &end))
    return absl::OkStatus();
  return view_.Mistake("start",
                       "puts the end of the trace after the end of simulated time (292 years); expected an "
                       "earlier one, or fewer events (count)");
}

}  // namespace

bool IsNamedAsTrace(const std::string& name) { return IsOneOf(EndingOf(name), kEndings); }

bool IsNamedAsTraceOnly(const std::string& name) {
  const bool packed = std::filesystem::path(name).extension() == kPacked;
  return IsNamedAsTrace(name) && (packed || !IsOneOf(EndingOf(name), kOfLogsToo));
}

absl::StatusOr<AllocPlan> ReadAllocations(const MessageView& view, const GuestsContext& context) {
  return Reader(view, context).Read();
}

}  // namespace numasim::workloads
