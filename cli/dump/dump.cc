#include "cli/dump/dump.h"

#include <algorithm>
#include <cstdint>
#include <iostream>
#include <memory>
#include <vector>

#include "absl/status/statusor.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/str_join.h"
#include "cli/dump/dump_format.h"
#include "cli/standard_output.h"
#include "proto/trace_reader.h"
#include "workloads/units.h"

namespace numasim {
namespace {

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

// The first option that is given and says nothing of the table; "" if there is none.
std::string OptionOfOtherTable(const DumpOptions& options, const CsvTable& table) {
  if (!table.of_samples && !options.counters.empty()) return "--counters " + options.counters.front();
  if (!table.of_samples && !options.every.empty()) return "--every " + options.every;
  if (!table.of_time && !options.from.empty()) return "--from " + options.from;
  if (!table.of_time && !options.to.empty()) return "--to " + options.to;
  return "";
}

std::string TableNames(const char* between) {
  return absl::StrJoin(kCsvTables, between,
                       [](std::string* to, const CsvTable& table) { absl::StrAppend(to, table.name); });
}

absl::StatusOr<const CsvTable*> FindTable(const DumpOptions& options) {
  if (options.table.empty()) return &kCsvTables[0];
  if (options.format != "csv") {
    return absl::InvalidArgumentError(absl::StrCat("--table ", options.table, ": is of --format csv; ",
                                                   options.format, " shows everything that a trace has"));
  }
  for (const CsvTable& table : kCsvTables) {
    if (table.name != options.table) continue;
    const std::string other = OptionOfOtherTable(options, table);
    if (other.empty()) return &table;
    return absl::InvalidArgumentError(
        absl::StrCat(other, ": has no effect on --table ", table.name, ", which is of ",
                     table.of_time ? "no counters" : "the whole run and of no counters"));
  }
  return absl::InvalidArgumentError(absl::StrCat("--table: ", workloads::Quoted(options.table),
                                                 " is no table; expected one of ", TableNames(", ")));
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

std::string TableHelp() {
  std::string help = "which table csv is; by default the first of";
  for (const CsvTable& table : kCsvTables) absl::StrAppend(&help, "\n", table.name, ": ", table.help);
  return help;
}

int RunDump(const DumpOptions& options) {
  const absl::Status status = DumpTrace(options, std::cout);
  if (status.ok()) return 0;
  std::cerr << "numasim dump: " << status.message() << "\n";
  return 1;
}

}  // namespace

absl::Status DumpTrace(const DumpOptions& options, std::ostream& out) {
  const absl::StatusOr<DumpFormat> format = FindFormat(options.format);
  if (!format.ok()) return format.status();
  const absl::StatusOr<const CsvTable*> table = FindTable(options);
  if (!table.ok()) return table.status();
  const absl::StatusOr<SelectedTrace> selected = OpenSelected(options.path, options);
  if (!selected.ok()) return selected.status();
  if (options.table == kSpansTable && selected->trace->index().spans() == 0) {
    return absl::FailedPreconditionError(
        absl::StrCat("--table ", kSpansTable, ": ", options.path,
                     " has none; expected the trace of a run with trace.spans=true"));
  }
  const DumpView view = {selected->selection, options.path, *table, /*widths=*/{}, options.width};
  const absl::Status status = DumpColumns(options, *format, *selected->trace, view, out);
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
                   "text: a listing; csv: one table; json: one object with everything, in which a\n"
                   "stretch of equal samples is one: `count` of them from time_ns on, interval_ns apart")
      ->type_name("text|csv|json")
      ->capture_default_str();
  dump->add_option("--table", options->table, TableHelp())->type_name(TableNames("|"));
  AddSelectionOptions(*dump, "those that ever change; csv, json: all", options.get());
  options->width = OutputWidth();
  dump->callback([options, exit_status] { *exit_status = RunDump(*options); });
}

}  // namespace numasim
