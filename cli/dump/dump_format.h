// The forms in which `numasim dump` shows a trace.
#ifndef NUMASIM_CLI_DUMP_DUMP_FORMAT_H_
#define NUMASIM_CLI_DUMP_DUMP_FORMAT_H_

#include <cstddef>
#include <cstdint>
#include <ostream>
#include <string>
#include <vector>

#include "absl/status/status.h"
#include "absl/strings/string_view.h"
#include "cli/dump/trace_selection.h"
#include "proto/trace_reader.h"

namespace numasim {

struct CsvTable;

// What to show of a trace.
struct DumpView : TraceSelection {
  std::string path;                 // of the trace, as given
  const CsvTable* table = nullptr;  // csv only
  std::vector<size_t> widths;       // digits each column needs, text only
  size_t width = 0;                 // of a line, text only; 0: any
};

// A counter as the kernel shows it, whose counters are unsigned: below zero it has wrapped round.
constexpr uint64_t Shown(int64_t counter) { return static_cast<uint64_t>(counter); }

// Each writes all that is readable to `out` and returns what reading returned.
using DumpFunction = absl::Status (*)(TraceReader&, const DumpView&, std::ostream&);
absl::Status DumpText(TraceReader& trace, const DumpView& view, std::ostream& out);
absl::Status DumpCsv(TraceReader& trace, const DumpView& view, std::ostream& out);
absl::Status DumpJson(TraceReader& trace, const DumpView& view, std::ostream& out);

// A table that is CSV: one a file, so that whatever reads tables reads it.
struct CsvTable {
  absl::string_view name;  // as --table names it
  absl::string_view help;
  bool of_samples;  // chosen by --counters and --every
  bool of_time;     // by --from and --to; the others are of the whole run
  DumpFunction dump;
};

absl::Status DumpCsvCounters(TraceReader& trace, const DumpView& view, std::ostream& out);
absl::Status DumpCsvEvents(TraceReader& trace, const DumpView& view, std::ostream& out);
absl::Status DumpCsvSpans(TraceReader& trace, const DumpView& view, std::ostream& out);
absl::Status DumpCsvPageblocks(TraceReader& trace, const DumpView& view, std::ostream& out);
absl::Status DumpCsvLocks(TraceReader& trace, const DumpView& view, std::ostream& out);
absl::Status DumpCsvLockTimes(TraceReader& trace, const DumpView& view, std::ostream& out);
absl::Status DumpCsvOperations(TraceReader& trace, const DumpView& view, std::ostream& out);
absl::Status DumpCsvOperationFailures(TraceReader& trace, const DumpView& view, std::ostream& out);
absl::Status DumpCsvOperationTimes(TraceReader& trace, const DumpView& view, std::ostream& out);

// Empty but for a trace whose scenario wants them.
inline constexpr char kSpansTable[] = "spans";

inline constexpr CsvTable kCsvTables[] = {
    {"counters", "a line per sample", true, true, &DumpCsvCounters},
    {"events", "failures, with a column for each field", false, true, &DumpCsvEvents},
    {kSpansTable, "operations and waits one by one (trace.spans)", false, true, &DumpCsvSpans},
    {"locks", "how often, and how long in few numbers", false, false, &DumpCsvLocks},
    {"lock-times", "a line per bucket of their histograms", false, false, &DumpCsvLockTimes},
    {"operations", "as locks", false, false, &DumpCsvOperations},
    {"operation-failures", "by reason", false, false, &DumpCsvOperationFailures},
    {"operation-times", "as lock-times", false, false, &DumpCsvOperationTimes},
    {"pageblocks", "what they are used for at the end, a line per stretch of one use", false, false,
     &DumpCsvPageblocks},
};

// For lock statistics, which are of the whole run: reading nothing else looks only at the blocks that hold
// them.
inline constexpr TimeRange kNoTime = {.from_ns = 0, .to_ns = -1};

}  // namespace numasim

#endif  // NUMASIM_CLI_DUMP_DUMP_FORMAT_H_
