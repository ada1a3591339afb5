// Reads trace.dat, what `trace-cmd record` writes, with libtracecmd.
#ifndef NUMASIM_WORKLOADS_ALLOC_TRACE_TRACE_DAT_READER_H_
#define NUMASIM_WORKLOADS_ALLOC_TRACE_TRACE_DAT_READER_H_

#include <string>
#include <string_view>

#include "absl/status/status.h"
#include "workloads/alloc_trace/alloc_trace_builder.h"

namespace numasim::workloads {

// Whether `bytes` begin as a trace.dat does.
bool IsTraceDat(std::string_view bytes);

// All events, by time. A file may hold anything, so the library reads it in a process of its own. What it
// makes is a line of ftrace's text for each event, with the names that the traced kernel itself has for its
// flags; lines that are skipped have the numbers of these. InvalidArgument where libtracecmd cannot read it.
absl::Status ReadTraceDat(const std::string& name, std::string_view bytes, AllocTraceBuilder& trace);

}  // namespace numasim::workloads

#endif  // NUMASIM_WORKLOADS_ALLOC_TRACE_TRACE_DAT_READER_H_
