// `numasim compare`: says in what the runs before and after a change differ, and whether that is worse.
#ifndef NUMASIM_CLI_COMPARE_COMPARE_H_
#define NUMASIM_CLI_COMPARE_COMPARE_H_

#include <CLI/App.hpp>
#include <cstddef>
#include <ostream>
#include <string>
#include <vector>

#include "absl/status/statusor.h"

namespace numasim {

// As given on the command line.
struct CompareOptions {
  // A trace, a folder whose *.pb are the traces of one run each, or the database of a sweep.
  std::string base;
  std::string changed;  // the same, of what is compared with it
  // Choices among the points of sweeps, "PARAMETER=VALUE" each: for both sides, and for one of them beside
  // these.
  std::vector<std::string> where;
  std::vector<std::string> where_base;
  std::vector<std::string> where_new;
  std::vector<std::string> metrics;  // globs over the names of metrics; none: all
  std::string level = "0.05";
  std::string min_effect = "1%";
  std::string format = "text";  // text, json or markdown
  size_t width = 0;             // of text, in characters; 0: any
};

struct CompareOutcome {
  bool worse = false;                 // in one metric at least
  std::vector<std::string> warnings;  // what could not be done as asked for
};

// Writes the comparison to `out`. A status names the option or the file, what is wrong with it and what would
// be right.
absl::StatusOr<CompareOutcome> CompareTraces(const CompareOptions& options, std::ostream& out);

// Adds the subcommand to `app`. When it is chosen it writes to standard output, warnings to standard error,
// and sets `*exit_status` to 0 if nothing is worse and 2 if something is; or to 1 after one message on
// standard error. `exit_status` must outlive `app`.
void AddCompareCommand(CLI::App& app, int* exit_status);

}  // namespace numasim

#endif  // NUMASIM_CLI_COMPARE_COMPARE_H_
