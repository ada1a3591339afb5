// EventLine: a line of a trace's text, taken apart: ftrace's own ("cat trace", `trace-cmd report`) and that
// of `perf script`. Scanned by hand, as a trace has millions of lines.
#ifndef NUMASIM_WORKLOADS_ALLOC_TRACE_EVENT_LINE_H_
#define NUMASIM_WORKLOADS_ALLOC_TRACE_EVENT_LINE_H_

#include <cstdint>
#include <optional>
#include <string_view>

namespace numasim::workloads {

// "TASK-PID [CPU] FLAGS TIME: SYSTEM:NAME: FIELDS", views of the line. The columns between CPU and time are
// not everywhere, nor is the period that perf writes before the name.
struct EventLine {
  uint32_t cpu = 0;
  int64_t time_ns = 0;
  std::string_view system;  // as perf writes it; empty in ftrace
  std::string_view name;
  std::string_view fields;
};

// False: the line is no event.
bool ReadEventLine(std::string_view line, EventLine& out);

// How many events a line such as "CPU:3 [LOST 120 EVENTS]" says are missing, at least 1; none: it is no such
// line.
std::optional<int64_t> LostEvents(std::string_view line);

// What the events of the page allocator have in their fields; views, or numbers as they stand there.
struct EventFields {
  std::string_view page;
  std::string_view pfn;
  std::string_view order;
  std::string_view migratetype;
  std::string_view gfp_flags;
};

// Of "page=.. pfn=.. order=..": whichever are there, in any order, among others.
void ReadEventFields(std::string_view fields, EventFields& out);

// "0x1a", or "26"; none: no such number, or too large for 64 bits.
std::optional<uint64_t> ParseUnsigned(std::string_view text);

}  // namespace numasim::workloads

#endif  // NUMASIM_WORKLOADS_ALLOC_TRACE_EVENT_LINE_H_
