#include "cli/dump/trace_selection.h"

#include <CLI/Config.hpp>
#include <CLI/Formatter.hpp>
#include <limits>
#include <utility>

#include "absl/strings/str_cat.h"
#include "absl/strings/string_view.h"
#include "absl/time/time.h"
#include "cli/dump/every_time.h"
#include "cli/text/glob_match.h"
#include "workloads/units.h"

namespace numasim {
namespace {

// Leaves `*time_ns` as it is if the option is not given.
absl::Status ParseTime(absl::string_view option, const std::string& text, int64_t* time_ns) {
  if (text.empty()) return absl::OkStatus();
  const absl::StatusOr<int64_t> parsed = workloads::ParseDuration(text);
  if (!parsed.ok()) {
    return absl::InvalidArgumentError(
        absl::StrCat(option, ": ", workloads::Quoted(text), " ", parsed.status().message()));
  }
  *time_ns = *parsed;
  return absl::OkStatus();
}

absl::StatusOr<int64_t> ParseEvery(const std::string& text) {
  int64_t every_ns = 0;
  if (absl::Status status = ParseTime("--every", text, &every_ns); !status.ok()) return status;
  if (every_ns > 0 || text.empty()) return every_ns;
  return absl::InvalidArgumentError(
      absl::StrCat("--every ", text, ": is no time between samples; expected more than 0, such as 10ms"));
}

absl::StatusOr<TimeRange> ParseRange(const SelectionOptions& options) {
  TimeRange range;
  absl::Status status = ParseTime("--from", options.from, &range.from_ns);
  status.Update(ParseTime("--to", options.to, &range.to_ns));
  if (!status.ok()) return status;
  if (range.from_ns <= range.to_ns) return range;
  return absl::InvalidArgumentError(absl::StrCat("--from ", options.from, " is after --to ", options.to));
}

absl::StatusOr<std::vector<size_t>> MatchColumns(const SelectionOptions& options, const std::string& path,
                                                 const trace::Header& header) {
  std::vector<std::string> names;
  for (const trace::Column& column : header.column()) names.push_back(column.name());
  return MatchGlobs("--counters", options.counters, names, absl::StrCat("columns of ", path));
}

}  // namespace

void AddSelectionOptions(CLI::App& command, const std::string& all_counters, SelectionOptions* options) {
  command
      .add_option("--counters", options->counters,
                  "columns to show, such as 'node0.*'; several by commas or by giving it again\n(default: " +
                      all_counters + ")")
      ->type_name("GLOB")
      ->delimiter(',')
      ->allow_extra_args(false);
  command.add_option("--from", options->from, "first simulated time to show, such as 10ms, 1.5s, 250us")
      ->type_name("TIME");
  command.add_option("--to", options->to, "last simulated time to show")->type_name("TIME");
  command
      .add_option("--every", options->every,
                  "show what the counters are at whole multiples of this time, not every sample")
      ->type_name("TIME");
}

absl::StatusOr<SelectedTrace> OpenSelected(const std::string& path, const SelectionOptions& options) {
  const absl::StatusOr<TimeRange> range = ParseRange(options);
  if (!range.ok()) return range.status();
  const absl::StatusOr<int64_t> every_ns = ParseEvery(options.every);
  if (!every_ns.ok()) return every_ns.status();
  absl::StatusOr<std::unique_ptr<TraceReader>> trace = TraceReader::Open(path);
  if (!trace.ok()) return trace.status();
  const trace::Footer& index = (*trace)->index();
  if (index.has_last_ns() && range->from_ns > index.last_ns())
    return absl::InvalidArgumentError(absl::StrCat("--from ", options.from, ": is after the end of ", path,
                                                   ", ",
                                                   absl::FormatDuration(absl::Nanoseconds(index.last_ns()))));
  absl::StatusOr<std::vector<size_t>> columns = MatchColumns(options, path, (*trace)->header());
  if (!columns.ok()) return columns.status();
  return SelectedTrace{.trace = *std::move(trace),
                       .selection = {.range = *range, .columns = *std::move(columns), .every_ns = *every_ns}};
}

absl::Status ReadSamples(TraceReader& trace, const TraceSelection& selection, TraceVisitor& visitor) {
  if (selection.every_ns == 0) return trace.Read(selection.range, &visitor);
  EveryTime every(selection.every_ns, selection.range, visitor);
  // The last sample before the range is what its first multiples show.
  absl::Status status = trace.Read({std::numeric_limits<int64_t>::min(), selection.range.to_ns}, &every);
  if (status.ok()) every.Finish(trace.index().last_ns());
  return status;
}

}  // namespace numasim
