#include "cli/export/export.h"

#include <unistd.h>

#include <CLI/Config.hpp>
#include <CLI/Formatter.hpp>
#include <iostream>
#include <memory>

#include "absl/status/status.h"
#include "absl/strings/str_cat.h"
#include "cli/atomic_file.h"
#include "cli/dump/trace_label.h"
#include "cli/export/packet_stream.h"
#include "cli/export/perfetto.h"
#include "cli/signals.h"
#include "cli/standard_output.h"
#include "cli/text/size_text.h"
#include "cli/warnings.h"
#include "files/replaced_file.h"
#include "proto/trace_reader.h"

namespace numasim {
namespace {

// Writes `trace` to the path of `*outcome`, and fills in the rest.
absl::Status WriteFile(TraceReader& trace, const TraceSelection& selection, ExportOutcome* outcome) {
  const absl::StatusOr<std::unique_ptr<ReplacedFile>> file = ReplacedFile::Create(outcome->path);
  if (!file.ok()) return CannotBeWritten(outcome->path, file.status());
  PacketStream packets(**file);
  const absl::Status read = WritePerfetto(trace, selection, packets);
  if (!read.ok() && !absl::IsDataLoss(read)) return read;
  outcome->cut = std::string(read.message());
  absl::Status written = packets.Flush();
  if (absl::IsCancelled(written)) return written;
  outcome->bytes = (*file)->size();
  written.Update((*file)->Commit());
  return written.ok() ? written : CannotBeWritten(outcome->path, written);
}

int RunExport(const ExportOptions& options) {
  const EndSignals signals;
  const absl::StatusOr<ExportOutcome> outcome = ExportTrace(options);
  if (absl::IsCancelled(outcome.status())) {
    std::cerr << "numasim export: " << outcome.status().message() << " ended it; nothing is written\n";
    return 128 + EndSignals::Noted();
  }
  if (!outcome.ok()) {
    std::cerr << "numasim export: " << outcome.status().message() << "\n";
    return 1;
  }
  if (!outcome->cut.empty())
    PrintWarnings({absl::StrCat(outcome->cut, "; the file has what is before")}, std::cerr);
  if (!IsSameOutput(outcome->path, STDOUT_FILENO)) {
    std::cout << "perfetto: " << outcome->path << " (" << SizeForPeople(static_cast<int64_t>(outcome->bytes))
              << "), for https://ui.perfetto.dev\n";
  }
  return 0;
}

}  // namespace

absl::StatusOr<ExportOutcome> ExportTrace(const ExportOptions& options) {
  if (!options.perfetto) return absl::InvalidArgumentError("the form is missing; expected --perfetto");
  ExportOutcome outcome;
  outcome.path = options.out.empty() ? TraceLabel(options.trace) + ".perfetto-trace" : options.out;
  if (absl::Status status = CheckIsNoInput("--out", outcome.path, {options.trace}); !status.ok())
    return status;
  const absl::StatusOr<SelectedTrace> selected = OpenSelected(options.trace, options);
  if (!selected.ok()) return selected.status();
  const absl::Status status = WriteFile(*selected->trace, selected->selection, &outcome);
  if (!status.ok()) return status;
  return outcome;
}

void AddExportCommand(CLI::App& app, int* exit_status) {
  CLI::App* command = app.add_subcommand("export", "Write a trace in a form that other programs show");
  command->footer("A trace that is cut is written as far as it goes, with a warning.");
  auto options = std::make_shared<ExportOptions>();
  command->add_option("TRACE", options->trace, "the trace, as numasim run writes it")->required();
  command->add_flag("--perfetto", options->perfetto, "for Perfetto, https://ui.perfetto.dev");
  command->add_option("--out", options->out,
                      "the file; default: the trace's name with .perfetto-trace, in this folder");
  AddSelectionOptions(*command, "all", options.get());
  command->callback([command, options, exit_status] {
    if (command->count("--out") > 0 && options->out.empty()) {
      std::cerr << "numasim export: --out: is empty; expected the name of the file\n";
      *exit_status = 1;
      return;
    }
    *exit_status = RunExport(*options);
  });
}

}  // namespace numasim
