#include "cli/dump.h"

#include <algorithm>
#include <cstdint>
#include <iostream>
#include <limits>
#include <memory>

#include "absl/status/statusor.h"
#include "absl/strings/str_cat.h"
#include "cli/dump_format.h"
#include "cli/every_time.h"
#include "cli/glob_match.h"
#include "cli/standard_output.h"
#include "proto/trace_reader.h"
#include "workloads/units.h"

namespace numasim {
namespace {

using DumpFunction = absl::Status (*)(TraceReader&, const DumpView&, std::ostream&);

struct DumpFormat {
  absl::string_view name;
  DumpFunction dump;
  bool only_changing;  // leave out columns that never change, unless asked for
};

constexpr DumpFormat kFormats[] = {
    {"text", &DumpText, true},
    {"csv", &DumpCsv, false},
    {"json", &DumpJson, false},
};

absl::StatusOr<DumpFormat> FindFormat(const std::string& name) {
  for (const DumpFormat& format : kFormats) {
    if (format.name == name) return format;
  }
  return absl::InvalidArgumentError(absl::StrCat("--format ", name, ": must be text, csv or json"));
}

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

absl::StatusOr<TimeRange> ParseRange(const DumpOptions& options) {
  TimeRange range;
  absl::Status status = ParseTime("--from", options.from, &range.from_ns);
  status.Update(ParseTime("--to", options.to, &range.to_ns));
  if (!status.ok()) return status;
  if (range.from_ns <= range.to_ns) return range;
  return absl::InvalidArgumentError(absl::StrCat("--from ", options.from, " is after --to ", options.to));
}

// The least and greatest value of each column in the whole trace.
class Survey : public TraceVisitor {
 public:
  explicit Survey(size_t columns) : least_(columns, 0), greatest_(columns, 0) {}

  void OnSamples(const SampleSpan& samples) override {
    if (!any_) {
      any_ = true;
      least_.assign(samples.values.begin(), samples.values.end());
      greatest_ = least_;
    }
    for (size_t i = 0; i < least_.size(); ++i) {
      least_[i] = std::min(least_[i], samples.values[i]);
      greatest_[i] = std::max(greatest_[i], samples.values[i]);
    }
  }

  bool Changes(size_t column) const { return least_[column] != greatest_[column]; }

  size_t Width(size_t column) const {
    return std::max(absl::StrCat(Shown(least_[column])).size(),
                    absl::StrCat(Shown(greatest_[column])).size());
  }

 private:
  bool any_ = false;
  std::vector<int64_t> least_;
  std::vector<int64_t> greatest_;
};

absl::StatusOr<std::vector<size_t>> MatchColumns(const DumpOptions& options, const trace::Header& header) {
  std::vector<std::string> names;
  for (const trace::Column& column : header.column()) names.push_back(column.name());
  return MatchGlobs("--counters", options.counters, names, absl::StrCat("columns of ", options.path));
}

absl::Status DumpColumns(const DumpOptions& options, const DumpFormat& format, TraceReader& trace,
                         DumpView view, std::ostream& out) {
  if (format.only_changing) {
    Survey survey(trace.header().column_size());
    // A trace that is cut or damaged says so when it is shown.
    trace.Read(TimeRange(), &survey).IgnoreError();
    if (options.counters.empty()) {
      std::erase_if(view.columns, [&survey](size_t column) { return !survey.Changes(column); });
    }
    for (size_t column : view.columns) view.widths.push_back(survey.Width(column));
  }
  return format.dump(trace, view, out);
}

int RunDump(const DumpOptions& options) {
  const absl::Status status = DumpTrace(options, std::cout);
  if (status.ok()) return 0;
  std::cerr << "numasim dump: " << status.message() << "\n";
  return 1;
}

}  // namespace

absl::Status ReadSamples(TraceReader& trace, const DumpView& view, TraceVisitor& visitor) {
  if (view.every_ns == 0) return trace.Read(view.range, &visitor);
  EveryTime every(view.every_ns, view.range, visitor);
  // The last sample before the range is what its first multiples show.
  absl::Status status = trace.Read({std::numeric_limits<int64_t>::min(), view.range.to_ns}, &every);
  if (status.ok()) every.Finish(trace.index().last_ns());
  return status;
}

absl::Status DumpTrace(const DumpOptions& options, std::ostream& out) {
  const absl::StatusOr<DumpFormat> format = FindFormat(options.format);
  if (!format.ok()) return format.status();
  const absl::StatusOr<TimeRange> range = ParseRange(options);
  if (!range.ok()) return range.status();
  const absl::StatusOr<int64_t> every_ns = ParseEvery(options.every);
  if (!every_ns.ok()) return every_ns.status();
  absl::StatusOr<std::unique_ptr<TraceReader>> trace = TraceReader::Open(options.path);
  if (!trace.ok()) return trace.status();
  absl::StatusOr<std::vector<size_t>> columns = MatchColumns(options, (*trace)->header());
  if (!columns.ok()) return columns.status();
  const DumpView view = {.path = options.path,
                         .range = *range,
                         .columns = *std::move(columns),
                         .widths = {},
                         .every_ns = *every_ns,
                         .width = options.width};
  const absl::Status status = DumpColumns(options, *format, **trace, view, out);
  if (!out.flush()) return absl::UnavailableError("cannot write the output (is the disk full?)");
  return status;
}

void AddDumpCommand(CLI::App& app, int* exit_status) {
  CLI::App* dump = app.add_subcommand("dump", "Show what a trace holds");
  auto options = std::make_shared<DumpOptions>();
  dump->add_option("trace", options->path, "the trace, as numasim run writes it")
      ->required()
      ->type_name("TRACE.pb");
  dump->add_option("--format", options->format,
                   "text: a listing; csv: a line per sample; json: one object with everything, in which a\n"
                   "stretch of equal samples is one: `count` of them from time_ns on, interval_ns apart")
      ->type_name("text|csv|json")
      ->capture_default_str();
  dump->add_option("--counters", options->counters,
                   "columns to show, such as 'node0.*'; several by commas or by giving it again\n"
                   "(default: those that ever change; csv, json: all)")
      ->type_name("GLOB")
      ->delimiter(',')
      ->allow_extra_args(false);
  dump->add_option("--from", options->from, "first simulated time to show, such as 10ms, 1.5s, 250us")
      ->type_name("TIME");
  dump->add_option("--to", options->to, "last simulated time to show")->type_name("TIME");
  dump->add_option("--every", options->every,
                   "show what the counters are at whole multiples of this time, not every sample")
      ->type_name("TIME");
  options->width = OutputWidth();
  dump->callback([options, exit_status] { *exit_status = RunDump(*options); });
}

}  // namespace numasim
