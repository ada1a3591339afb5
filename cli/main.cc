// numasim: a simulator of the Linux NUMA memory system.
#include <CLI/App.hpp>
#include <CLI/Config.hpp>
#include <CLI/Formatter.hpp>
#include <exception>
#include <iostream>
#include <string>

#include "cli/compare/compare.h"
#include "cli/conform.h"
#include "cli/dump/dump.h"
#include "cli/export/export.h"
#include "cli/help/completion.h"
#include "cli/help/help.h"
#include "cli/metrics/list_metrics.h"
#include "cli/report/report.h"
#include "cli/run/replay.h"
#include "cli/run/run.h"
#include "cli/signals.h"
#include "cli/slurm/sweep_task.h"
#include "cli/snapshot.h"
#include "cli/sweep/sweep.h"
#include "cli/unknown_option.h"
#include "cli/version.h"
#include "sim/host_memory.h"

namespace {

// What was printed may still wait to be written.
int WithOutputWritten(int exit_status) {
  if (std::cout.flush() || exit_status != 0) return exit_status;
  std::cerr << "numasim: standard output cannot be written (is it closed, or the disk full?)\n";
  return 1;
}

}  // namespace

int main(int argc, char** argv) {
  numasim::sim::ExitWhenOutOfMemory();
  numasim::sim::SaveAddressSpace();
  numasim::PrepareProcess();
  CLI::App app("numasim: a discrete-event simulator of the Linux NUMA memory system", "numasim");
  app.require_subcommand(1);
  int exit_status = 0;
  numasim::AddRunCommand(app, &exit_status);
  numasim::AddReplayCommand(app, &exit_status);
  numasim::AddSweepCommand(app, &exit_status);
  numasim::AddConformCommand(app, &exit_status);
  numasim::AddDumpCommand(app, &exit_status);
  numasim::AddMetricsCommand(app, &exit_status);
  numasim::AddCompareCommand(app, &exit_status);
  numasim::AddReportCommand(app, &exit_status);
  numasim::AddExportCommand(app, &exit_status);
  numasim::AddSnapshotCommand(app, &exit_status);
  numasim::AddSweepTaskCommand(app, &exit_status);
  numasim::AddCompletionCommand(app);
  numasim::AddHelpCommand(app, &exit_status);
  app.set_version_flag("--version", std::string("numasim ") + numasim::kVersion, "Show the version");
  try {
    app.parse(argc, argv);
  } catch (const CLI::ParseError& error) {
    if (error.get_exit_code() != 0) {
      std::cerr << "numasim" << numasim::WrongUsage(app, error, argc, argv) << "\n";
      return 1;
    }
    return WithOutputWritten(app.exit(error) == 0 ? 0 : 1);
  } catch (const std::exception& error) {
    // A mistake of the program's own; still no reason for a user to see an abort.
    std::cerr << "numasim: internal error: " << error.what() << "; please report it with the input\n";
    return 1;
  }
  return WithOutputWritten(exit_status);
}
