#include "cli/report/report.h"

#include <unistd.h>

#include <CLI/Config.hpp>
#include <CLI/Formatter.hpp>
#include <algorithm>
#include <filesystem>
#include <iostream>
#include <memory>
#include <system_error>
#include <utility>

#include "absl/status/status.h"
#include "absl/strings/str_cat.h"
#include "cli/atomic_file.h"
#include "cli/report/page.h"
#include "cli/report/page_data.h"
#include "cli/report/report_sweep.h"
#include "cli/report/report_trace.h"
#include "cli/report/sweep_page_data.h"
#include "cli/standard_output.h"
#include "cli/sweep/sqlite.h"
#include "cli/warnings.h"
#include "proto/trace_reader.h"

namespace numasim {
namespace {

// As many as page/theme.js has patterns of lines.
constexpr size_t kMostTraces = 6;

absl::Status CheckTraces(const std::vector<std::string>& traces) {
  if (traces.size() > kMostTraces) {
    return absl::InvalidArgumentError(absl::StrCat("TRACE: ", traces.size(), " traces; expected at most ",
                                                   kMostTraces,
                                                   ", whose lines can be told apart in one plot"));
  }
  for (size_t i = 0; i < traces.size(); ++i) {
    for (size_t j = 0; j < i; ++j) {
      std::error_code not_there;
      if (!std::filesystem::equivalent(traces[i], traces[j], not_there)) continue;
      return absl::InvalidArgumentError(absl::StrCat(
          "TRACE: '", traces[i], "' is ", traces[i] == traces[j] ? "given twice" : "the same file as '",
          traces[i] == traces[j] ? "" : traces[j] + "'", "; expected each trace once"));
    }
  }
  return absl::OkStatus();
}

// A database is shown alone.
absl::Status CheckDatabases(const std::vector<std::string>& inputs) {
  std::vector<std::string> databases, others;
  for (const std::string& input : inputs) (IsDatabase(input) ? databases : others).push_back(input);
  if (databases.size() > 1) {
    return absl::InvalidArgumentError(
        absl::StrCat("TRACE: '", databases[0], "' and '", databases[1],
                     "' are databases of sweeps; expected one alone (numasim compare compares two)"));
  }
  if (databases.empty() || others.empty()) return absl::OkStatus();
  return absl::InvalidArgumentError(absl::StrCat("TRACE: '", databases[0], "' is a database, beside '",
                                                 others[0],
                                                 "'; expected traces, or one sweep's database alone"));
}

std::string PageText(const Page& page, const std::string& data) {
  return absl::StrCat(page.before_data, data, page.after_data);
}

// How many bytes of data there is room for.
size_t RoomIn(const Page& page) { return kMostPageBytes - page.before_data.size() - page.after_data.size(); }

absl::StatusOr<ReportOutcome> WriteTraces(const ReportOptions& options) {
  const std::vector<std::string> labels = ReportLabels(options.traces);
  ReportOutcome outcome;
  outcome.path = options.out.empty() ? ReportLabels({options.traces.front()}).front() + ".html" : options.out;
  if (absl::Status status = CheckIsNoInput("--out", outcome.path, options.traces); !status.ok())
    return status;
  std::vector<std::unique_ptr<ReportTrace>> traces;
  for (size_t i = 0; i < labels.size(); ++i) {
    absl::StatusOr<std::unique_ptr<ReportTrace>> trace = ReadReportTrace(options.traces[i], labels[i]);
    if (!trace.ok()) return AlsoExpecting(", or the database of a sweep (.sqlite)", trace.status());
    if (!(*trace)->cut.empty()) {
      outcome.warnings.push_back(absl::StrCat((*trace)->cut, "; the report shows what is before"));
    }
    traces.push_back(*std::move(trace));
  }
  const Page page = TracePage();
  const absl::Status status =
      WriteFileAtomically(outcome.path, PageText(page, PageData(traces, RoomIn(page))));
  if (!status.ok()) return status;
  return outcome;
}

// What of a sweep is not as one may think that it is.
std::vector<std::string> SweepWarnings(const ReportSweep& sweep) {
  std::vector<std::string> warnings;
  if (!sweep.complete) {
    warnings.push_back(absl::StrCat(sweep.path, ": holds the first ", sweep.runs.size(),
                                    " runs of a sweep that has not come to its end; the report shows these"));
  }
  const auto failed =
      std::count_if(sweep.runs.begin(), sweep.runs.end(), [](const StoredRun& run) { return run.failed; });
  if (failed > 0) {
    warnings.push_back(absl::StrCat(sweep.path, ": ", failed, " of ", sweep.runs.size(),
                                    " runs failed; the report shows the others"));
  }
  return warnings;
}

absl::StatusOr<ReportOutcome> WriteSweep(const ReportOptions& options) {
  const std::string& database = options.traces.front();
  ReportOutcome outcome;
  outcome.path =
      options.out.empty() ? std::filesystem::path(database).stem().string() + ".html" : options.out;
  if (absl::Status status = CheckIsNoInput("--out", outcome.path, options.traces); !status.ok())
    return status;
  const absl::StatusOr<std::unique_ptr<ReportSweep>> sweep = ReadReportSweep(database);
  if (!sweep.ok()) return sweep.status();
  const Page page = SweepPage();
  const absl::StatusOr<std::string> data = SweepPageData(**sweep, RoomIn(page));
  if (!data.ok()) return data.status();
  if (absl::Status status = WriteFileAtomically(outcome.path, PageText(page, *data)); !status.ok())
    return status;
  outcome.warnings = SweepWarnings(**sweep);
  return outcome;
}

int RunReport(const ReportOptions& options) {
  const absl::StatusOr<ReportOutcome> outcome = WriteReport(options);
  if (!outcome.ok()) {
    std::cerr << "numasim report: " << outcome.status().message() << "\n";
    return 1;
  }
  PrintWarnings(outcome->warnings, std::cerr);
  if (!IsSameOutput(outcome->path, STDOUT_FILENO)) std::cout << "report: " << outcome->path << "\n";
  return 0;
}

}  // namespace

absl::StatusOr<ReportOutcome> WriteReport(const ReportOptions& options) {
  if (absl::Status status = CheckTraces(options.traces); !status.ok()) return status;
  if (absl::Status status = CheckDatabases(options.traces); !status.ok()) return status;
  return IsDatabase(options.traces.front()) ? WriteSweep(options) : WriteTraces(options);
}

void AddReportCommand(CLI::App& app, int* exit_status) {
  CLI::App* report = app.add_subcommand("report", "Show traces, or a sweep, in one HTML file, for a browser");
  report->footer(
      "The file needs no network. Several traces are drawn over one another. A trace that is cut, and a "
      "sweep\n"
      "that has not ended, are shown as far as they go, with a warning.");
  auto options = std::make_shared<ReportOptions>();
  report
      ->add_option("TRACE", options->traces,
                   "the traces, as numasim run writes them; or the database of one sweep")
      ->required()
      ->type_name("TRACE.pb|SWEEP.sqlite");
  report
      ->add_option("--out", options->out,
                   "the page; default: the first one's name with .html, in this folder")
      ->type_name("FILE.html");
  report->callback([report, options, exit_status] {
    if (report->count("--out") > 0 && options->out.empty()) {
      std::cerr << "numasim report: --out: is empty; expected the name of the page\n";
      *exit_status = 1;
      return;
    }
    *exit_status = RunReport(*options);
  });
}

}  // namespace numasim
