// `numasim export`: a trace in a form that other programs show.
#ifndef NUMASIM_CLI_EXPORT_EXPORT_H_
#define NUMASIM_CLI_EXPORT_EXPORT_H_

#include <CLI/App.hpp>
#include <cstdint>
#include <string>

#include "absl/status/statusor.h"
#include "cli/dump/trace_selection.h"

namespace numasim {

// As given on the command line.
struct ExportOptions : SelectionOptions {
  std::string trace;
  bool perfetto = false;  // the form; there is one
  std::string out;        // empty: the trace's name with .perfetto-trace, in this folder
};

struct ExportOutcome {
  std::string path;  // of what was written
  uint64_t bytes = 0;
  std::string cut;  // why the trace is not there to its end; "" if it is
};

// Writes the file as a ReplacedFile: whole or not at all. A status names the option or the file, what is
// wrong with it and what would be right; it is kCancelled if a signal ended it.
absl::StatusOr<ExportOutcome> ExportTrace(const ExportOptions& options);

// Adds the subcommand to `app`. When it is chosen it says on standard output what it wrote, warns on standard
// error of a trace that is cut, and sets `*exit_status` to 0; or after one message on standard error to 1, or
// to 128 and the signal that ended it. `exit_status` must outlive `app`.
void AddExportCommand(CLI::App& app, int* exit_status);

}  // namespace numasim

#endif  // NUMASIM_CLI_EXPORT_EXPORT_H_
