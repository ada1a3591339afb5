// `numasim dump`: shows what a trace holds, as a listing for people, as CSV or as JSON.
#ifndef NUMASIM_CLI_DUMP_DUMP_H_
#define NUMASIM_CLI_DUMP_DUMP_H_

#include <CLI/CLI.hpp>
#include <ostream>
#include <string>

#include "absl/status/status.h"
#include "cli/dump/trace_selection.h"

namespace numasim {

// As given on the command line.
struct DumpOptions : SelectionOptions {
  std::string path;
  std::string format = "text";  // text, csv or json
  std::string table;            // of csv, which is one; empty: that of the counters
  size_t width = 0;             // of text, in characters; 0: any
};

// Writes what is asked for to `out`. Without globs text shows the columns that ever change, CSV and JSON all.
// Everything readable of a cut or damaged trace is written before the status says so. A status names the
// option or the file, the value and what would be right.
absl::Status DumpTrace(const DumpOptions& options, std::ostream& out);

// Adds the subcommand to `app`. When it is chosen it writes to standard output, or one message to standard
// error, and sets `*exit_status` to 0 or 1.
void AddDumpCommand(CLI::App& app, int* exit_status);

}  // namespace numasim

#endif  // NUMASIM_CLI_DUMP_DUMP_H_
