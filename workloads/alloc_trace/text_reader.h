// Reads traces that are text: what ftrace and `trace-cmd report` print, and what `perf script` prints.
#ifndef NUMASIM_WORKLOADS_ALLOC_TRACE_TEXT_READER_H_
#define NUMASIM_WORKLOADS_ALLOC_TRACE_TEXT_READER_H_

#include <array>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

#include "absl/status/status.h"
#include "workloads/alloc_trace/alloc_trace_builder.h"
#include "workloads/alloc_trace/event_line.h"
#include "workloads/log_lines.h"

namespace numasim::workloads {

// Makes PageEvents of events' fields, which are the same in every format that has names for them. Lives where
// it is used.
class EventMaker {
 public:
  explicit EventMaker(AllocTraceBuilder& trace) : trace_(trace) {}

  // One event of any kind, of line `line`: it is added, skipped, or counted as another kind's.
  void Add(int64_t line, const EventLine& event);

 private:
  struct KnownFlags {
    std::string text;
    GfpFlags gfp;
    bool has_unknown = false;  // so that it is counted each time
  };

  void AddOfKind(int64_t line, const EventLine& event, PageEventKind kind);
  GfpFlags FlagsOf(std::string_view text);
  GfpFlags ReadFlags(std::string_view text, bool& has_unknown);

  AllocTraceBuilder& trace_;
  // A trace has few different sets of flags: those seen last, by a hash of their text.
  std::array<KnownFlags, 64> known_flags_;
};

// Which of the two a line is of; none: it is no event.
enum class TextTrace : uint8_t { kFtrace, kPerf };
std::optional<TextTrace> TraceOfLine(std::string_view line);

// All lines. Comments and empty lines are passed over; lines that are no events of this kind of trace are
// skipped.
void ReadTextTrace(LogLines& lines, TextTrace kind, AllocTraceBuilder& trace);

}  // namespace numasim::workloads

#endif  // NUMASIM_WORKLOADS_ALLOC_TRACE_TEXT_READER_H_
