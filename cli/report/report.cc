#include "cli/report/report.h"

#include <unistd.h>

#include <CLI/Config.hpp>
#include <CLI/Formatter.hpp>
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
#include "cli/report/report_trace.h"
#include "cli/standard_output.h"
#include "cli/warnings.h"

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
  const std::vector<std::string> labels = ReportLabels(options.traces);
  ReportOutcome outcome;
  outcome.path = options.out.empty() ? ReportLabels({options.traces.front()}).front() + ".html" : options.out;
  if (absl::Status status = CheckIsNoInput("--out", outcome.path, options.traces); !status.ok())
    return status;
  std::vector<std::unique_ptr<ReportTrace>> traces;
  for (size_t i = 0; i < labels.size(); ++i) {
    absl::StatusOr<std::unique_ptr<ReportTrace>> trace = ReadReportTrace(options.traces[i], labels[i]);
    if (!trace.ok()) return trace.status();
    if (!(*trace)->cut.empty()) {
      outcome.warnings.push_back(absl::StrCat((*trace)->cut, "; the report shows what is before"));
    }
    traces.push_back(*std::move(trace));
  }
  const size_t page_bytes = PageBeforeData().size() + PageAfterData().size();
  const absl::Status status = WriteFileAtomically(
      outcome.path,
      absl::StrCat(PageBeforeData(), PageData(traces, kMostPageBytes - page_bytes), PageAfterData()));
  if (!status.ok()) return status;
  return outcome;
}

void AddReportCommand(CLI::App& app, int* exit_status) {
  CLI::App* report = app.add_subcommand("report", "Show traces in one HTML file, for a browser");
  report->footer(
      "The file needs no network. Several traces are drawn over one another. A trace that is cut is shown "
      "as\n"
      "far as it goes, with a warning.");
  auto options = std::make_shared<ReportOptions>();
  report->add_option("TRACE", options->traces, "the traces, as numasim run writes them")
      ->required()
      ->type_name("TRACE.pb");
  report
      ->add_option("--out", options->out,
                   "the page; default: the first trace's name with .html, in this folder")
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
