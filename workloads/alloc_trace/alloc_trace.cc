#include "workloads/alloc_trace/alloc_trace.h"

#include <algorithm>
#include <iterator>

#include "workloads/alloc_trace/alloc_trace_builder.h"
#include "workloads/alloc_trace/llfree_reader.h"
#include "workloads/alloc_trace/text_reader.h"
#include "workloads/alloc_trace/trace_dat_reader.h"
#include "workloads/log_lines.h"

namespace numasim::workloads {
namespace {

// In the order of TraceFormat.
constexpr std::string_view kNames[] = {"ftrace", "perf", "trace.dat", "llfree"};
constexpr std::string_view kExpected = "a trace with a line for each event";

absl::Status ReadText(const std::string& name, std::string_view bytes, TextTrace kind,
                      AllocTraceBuilder& trace) {
  // Events of text are rarely shorter; what is too much of the reserve is never touched.
  constexpr size_t kShortest = 96;
  trace.Reserve(bytes.size() / kShortest);
  LogLines lines(name, bytes, kExpected);
  ReadTextTrace(lines, kind, trace);
  return lines.status();
}

absl::Status Read(const std::string& name, std::string_view bytes, TraceFormat format,
                  AllocTraceBuilder& trace) {
  switch (format) {
    case TraceFormat::kFtrace:
      return ReadText(name, bytes, TextTrace::kFtrace, trace);
    case TraceFormat::kPerf:
      return ReadText(name, bytes, TextTrace::kPerf, trace);
    case TraceFormat::kTraceDat:
      return ReadTraceDat(name, bytes, trace);
    case TraceFormat::kLlfree:
      break;
  }
  return ReadLlfreeTrace(name, bytes, trace);
}

}  // namespace

std::optional<TraceFormat> TraceFormatNamed(std::string_view name) {
  const auto* const found = std::find(std::begin(kNames), std::end(kNames), name);
  if (found == std::end(kNames)) return std::nullopt;
  return static_cast<TraceFormat>(found - std::begin(kNames));
}

std::optional<TraceFormat> FindTraceFormat(std::string_view bytes) {
  if (IsTraceDat(bytes)) return TraceFormat::kTraceDat;
  // Before the first event there are comments, and what `trace-cmd report` and perf have to say.
  constexpr int kLines = 1000;
  LogLines lines("", bytes, kExpected);
  std::string_view line;
  for (int i = 0; i < kLines && lines.Next(line); ++i) {
    const std::optional<TextTrace> text = TraceOfLine(line);
    if (text.has_value()) return *text == TextTrace::kFtrace ? TraceFormat::kFtrace : TraceFormat::kPerf;
  }
  return IsLlfreeTrace(bytes) ? std::optional(TraceFormat::kLlfree) : std::nullopt;
}

absl::StatusOr<AllocTrace> ParseAllocTrace(const std::string& name, std::string_view bytes,
                                           TraceFormat format, int64_t most) {
  AllocTraceBuilder trace(most);
  if (absl::Status status = Read(name, bytes, format, trace); !status.ok()) return status;
  return trace.Finish(name);
}

}  // namespace numasim::workloads
