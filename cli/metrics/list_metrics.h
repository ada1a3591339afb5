// `numasim metrics`: the metrics of a run, as compare, expect and --fail-on name them.
#ifndef NUMASIM_CLI_METRICS_LIST_METRICS_H_
#define NUMASIM_CLI_METRICS_LIST_METRICS_H_

#include <CLI/App.hpp>
#include <ostream>
#include <string>
#include <vector>

#include "absl/status/status.h"

namespace numasim {

// As given on the command line.
struct ListMetricsOptions {
  std::string trace;
  std::vector<std::string> metrics;  // globs over names; none: all
  std::string format = "text";       // text, csv or json
};

// Writes name, value and unit of each. A status names the option or the file and what would be right.
absl::Status ListMetrics(const ListMetricsOptions& options, std::ostream& out);

// Adds the subcommand to `app`. When it is called it sets *exit_status to 0, or to 1 after one message on
// standard error. `exit_status` must outlive `app`.
void AddMetricsCommand(CLI::App& app, int* exit_status);

}  // namespace numasim

#endif  // NUMASIM_CLI_METRICS_LIST_METRICS_H_
