// Which part of a trace a subcommand shows: some of its columns, some of its time, all samples or the state
// at multiples of a time. dump and export take the same options for it.
#ifndef NUMASIM_CLI_DUMP_TRACE_SELECTION_H_
#define NUMASIM_CLI_DUMP_TRACE_SELECTION_H_

#include <CLI/App.hpp>
#include <cstddef>
#include <cstdint>
#include <memory>
#include <string>
#include <vector>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "proto/trace_reader.h"

namespace numasim {

// As given on the command line.
struct SelectionOptions {
  std::vector<std::string> counters;  // globs over column names; none: all
  std::string from;                   // times with a unit, such as "10ms"; empty: the trace's own ends
  std::string to;
  std::string every;  // a time; empty: every sample
};

struct TraceSelection {
  TimeRange range;              // of samples and events
  std::vector<size_t> columns;  // in the header's order
  int64_t every_ns = 0;         // 0: every sample
};

// Adds --counters, --from, --to and --every. `all_counters` is the help's word for what none of --counters
// gives. `options` must outlive `command`.
void AddSelectionOptions(CLI::App& command, const std::string& all_counters, SelectionOptions* options);

struct SelectedTrace {
  std::unique_ptr<TraceReader> trace;
  TraceSelection selection;
};

// Opens a trace, and says what the options choose of it. A status names the option or the file, the value and
// what would be right.
absl::StatusOr<SelectedTrace> OpenSelected(const std::string& path, const SelectionOptions& options);

// Shows `visitor` the samples that are chosen, the events of the time, and the statistics, which are of the
// whole run. Returns what reading returned.
absl::Status ReadSamples(TraceReader& trace, const TraceSelection& selection, TraceVisitor& visitor);

}  // namespace numasim

#endif  // NUMASIM_CLI_DUMP_TRACE_SELECTION_H_
