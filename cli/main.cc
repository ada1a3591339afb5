// numasim: a simulator of the Linux NUMA memory system.
#include <CLI/App.hpp>
#include <CLI/Config.hpp>
#include <CLI/Formatter.hpp>
#include <iostream>

#include "cli/conform.h"
#include "cli/dump.h"
#include "cli/run.h"
#include "cli/snapshot.h"

namespace {

// What is wrong if no subcommand was named: what stands in its place, and what could.
void PrintNoSubcommand(const CLI::App& app, int argc, char** argv) {
  std::cerr << "numasim: ";
  if (argc > 1) {
    std::cerr << "'" << argv[1] << "' is no subcommand";
  } else {
    std::cerr << "a subcommand is missing";
  }
  std::cerr << "; expected one of";
  const char* separator = " ";
  for (const CLI::App* known : app.get_subcommands([](const CLI::App*) { return true; })) {
    std::cerr << separator << known->get_name();
    separator = ", ";
  }
  std::cerr << "; see numasim --help\n";
}

}  // namespace

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
    if (app.get_subcommands().empty() && error.get_exit_code() != 0) {
      PrintNoSubcommand(app, argc, argv);
      return 1;
    }
    return app.exit(error) == 0 ? 0 : 1;
  }
  return exit_status;
}
