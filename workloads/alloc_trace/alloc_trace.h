// Reads traces of the kernel's page allocator, in the formats that people have them in, all into PageEvents.
//
// Traces are dirty: a line that is no event, or one that cannot be right, is skipped, counted and listed in
// AllocTrace::skipped; events of other kinds are counted, and so are events that the trace says it lost. A
// file without any event of the page allocator is a mistake.
#ifndef NUMASIM_WORKLOADS_ALLOC_TRACE_ALLOC_TRACE_H_
#define NUMASIM_WORKLOADS_ALLOC_TRACE_ALLOC_TRACE_H_

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

#include "absl/status/statusor.h"
#include "workloads/alloc_trace/page_event.h"

namespace numasim::workloads {

enum class TraceFormat : uint8_t {
  kFtrace,    // what /sys/kernel/tracing/trace holds, and `trace-cmd report` prints
  kPerf,      // what `perf script` prints
  kTraceDat,  // what `trace-cmd record` writes
  kLlfree,    // the binary traces of LLFree's replay
};

// "ftrace", "perf", "trace.dat", "llfree".
std::optional<TraceFormat> TraceFormatNamed(std::string_view name);

// The format that the first bytes show; none where they are of none of these.
std::optional<TraceFormat> FindTraceFormat(std::string_view bytes);

// Of what is packed with gzip, at most so much is unpacked: a trace of some 30 million events as text.
inline constexpr int64_t kMostUnpacked = int64_t{4} << 30;

// The first `most` events of a trace, all that there are by default. `name` is the file's, for messages.
// InvalidArgument with the file, and the line where there is one: a text with a line longer than
// LogLines::kLongest, no event at all, a binary file that is damaged.
absl::StatusOr<AllocTrace> ParseAllocTrace(const std::string& name, std::string_view bytes,
                                           TraceFormat format, int64_t most = INT64_MAX);

}  // namespace numasim::workloads

#endif  // NUMASIM_WORKLOADS_ALLOC_TRACE_ALLOC_TRACE_H_
