// The binary traces that LLFree's `replay` takes (github.com/luhsra/llfree-rs): pages of 4 KiB, of which the
// first is a header and each other one has the events of one CPU.
#ifndef NUMASIM_WORKLOADS_ALLOC_TRACE_LLFREE_READER_H_
#define NUMASIM_WORKLOADS_ALLOC_TRACE_LLFREE_READER_H_

#include <string>
#include <string_view>

#include "absl/status/status.h"
#include "workloads/alloc_trace/alloc_trace_builder.h"

namespace numasim::workloads {

// Whether `bytes` can be such a trace: whole pages, and a header with nothing behind it.
bool IsLlfreeTrace(std::string_view bytes);

// All events, in the order of their times: of one microsecond allocations come before frees, as LLFree itself
// takes them. InvalidArgument where the header and the file's size do not agree. Entries that are no events
// are skipped, and counted by their number from 1.
absl::Status ReadLlfreeTrace(const std::string& name, std::string_view bytes, AllocTraceBuilder& trace);

}  // namespace numasim::workloads

#endif  // NUMASIM_WORKLOADS_ALLOC_TRACE_LLFREE_READER_H_
