// `numasim report`: one HTML file that shows traces, or a sweep, in a browser, without a network.
#ifndef NUMASIM_CLI_REPORT_REPORT_H_
#define NUMASIM_CLI_REPORT_REPORT_H_

#include <CLI/App.hpp>
#include <cstddef>
#include <string>
#include <vector>

#include "absl/status/statusor.h"

namespace numasim {

// As given on the command line.
struct ReportOptions {
  std::vector<std::string> traces;  // shown over one another; each another file. Or a sweep's
                                    // database, alone
  std::string out;                  // the page; empty: the first one's name with .html, in this folder
};

// A page is no larger than this, as far as thinning the counters, or leaving out metrics, can do it.
inline constexpr size_t kMostPageBytes = 4'900'000;

struct ReportOutcome {
  std::string path;                   // of the page
  std::vector<std::string> warnings;  // what is not there to its end
};

// Writes the page as a ReplacedFile: whole or not at all. A status names the option or the file, what is
// wrong with it and what would be right.
absl::StatusOr<ReportOutcome> WriteReport(const ReportOptions& options);

// Adds the subcommand to `app`. When it is chosen it says on standard output what it wrote, warns on standard
// error, and sets `*exit_status` to 0; or to 1 after one message on standard error. `exit_status` must
// outlive `app`.
void AddReportCommand(CLI::App& app, int* exit_status);

}  // namespace numasim

#endif  // NUMASIM_CLI_REPORT_REPORT_H_
