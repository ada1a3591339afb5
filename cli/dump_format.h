// The forms in which `numasim dump` shows a trace.
#ifndef NUMASIM_CLI_DUMP_FORMAT_H_
#define NUMASIM_CLI_DUMP_FORMAT_H_

#include <cstddef>
#include <cstdint>
#include <ostream>
#include <string>
#include <vector>

#include "absl/status/status.h"
#include "proto/trace_reader.h"

namespace numasim {

// What to show of a trace.
struct DumpView {
  std::string path;             // of the trace, as given
  TimeRange range;              // of samples and events
  std::vector<size_t> columns;  // in the header's order
  std::vector<size_t> widths;   // digits each of them needs, text only
  int64_t every_ns = 0;         // 0: every sample
  size_t width = 0;             // of a line, text only; 0: any
};

// Shows `visitor` the samples that are wanted, and the events of the time.
absl::Status ReadSamples(TraceReader& trace, const DumpView& view, TraceVisitor& visitor);

// A counter as the kernel shows it, whose counters are unsigned: below zero it has wrapped round.
constexpr uint64_t Shown(int64_t counter) { return static_cast<uint64_t>(counter); }

// "part_movable": the name of models/physical/pageblock_use.h.
std::string PageblockUseName(trace::PageblockMap::Use use);

// Each writes all that is readable to `out` and returns what reading returned.
absl::Status DumpText(TraceReader& trace, const DumpView& view, std::ostream& out);
absl::Status DumpCsv(TraceReader& trace, const DumpView& view, std::ostream& out);
absl::Status DumpJson(TraceReader& trace, const DumpView& view, std::ostream& out);

// For lock statistics, which are of the whole run: reading nothing else looks only at the blocks that hold
// them.
inline constexpr TimeRange kNoTime = {.from_ns = 0, .to_ns = -1};

}  // namespace numasim

#endif  // NUMASIM_CLI_DUMP_FORMAT_H_
