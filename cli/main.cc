// numasim: a simulator of the Linux NUMA memory system.
#include <CLI/App.hpp>
#include <CLI/Config.hpp>
#include <CLI/Formatter.hpp>

#include "cli/conform.h"
#include "cli/dump.h"
#include "cli/run.h"
#include "cli/snapshot.h"

int main(int argc, char** argv) {
  CLI::App app("numasim: a discrete-event simulator of the Linux NUMA memory system");
  app.require_subcommand(1);
  int exit_status = 0;
  numasim::AddRunCommand(app, &exit_status);
  numasim::AddConformCommand(app, &exit_status);
  numasim::AddDumpCommand(app, &exit_status);
  numasim::AddSnapshotCommand(app, &exit_status);
  try {
    app.parse(argc, argv);
  } catch (const CLI::ParseError& error) {
    return app.exit(error) == 0 ? 0 : 1;
  }
  return exit_status;
}
