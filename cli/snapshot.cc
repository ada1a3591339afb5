#include "cli/snapshot.h"

#include <unistd.h>

#include <CLI/Config.hpp>
#include <CLI/Formatter.hpp>
#include <iostream>
#include <memory>
#include <string>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "absl/strings/str_cat.h"
#include "cli/atomic_file.h"
#include "cli/standard_output.h"
#include "workloads/machine/snapshot.h"

namespace numasim {
namespace {

struct SnapshotOptions {
  std::string out;
  workloads::SnapshotSource source;
};

absl::Status RunSnapshot(const SnapshotOptions& options) {
  if (!options.source.root.empty() && options.source.topology_xml.empty()) {
    return absl::InvalidArgumentError(
        "--root needs --topology: hwloc's view of that machine, written there with `lstopo FILE.xml`");
  }
  const absl::StatusOr<workloads::Snapshot> snapshot = workloads::TakeSnapshot(options.source);
  if (!snapshot.ok()) return snapshot.status();
  const std::string text = workloads::SnapshotText(*snapshot);
  if (options.out.empty()) return Print(STDOUT_FILENO, text);
  if (absl::Status status = CheckIsNoInput("--out", options.out, snapshot->files); !status.ok())
    return status;
  return WriteFileAtomically(options.out, text);
}

}  // namespace

void AddSnapshotCommand(CLI::App& app, int* exit_status) {
  CLI::App* command =
      app.add_subcommand("snapshot", "Record this machine's memory as a scenario's machine section");
  command->footer(
      "A scenario starts from the file with  machine { snapshot_file: \"FILE\" }.\n"
      "As root it also records how free blocks are split by migratetype.");
  auto options = std::make_shared<SnapshotOptions>();
  command->add_option("--out", options->out, "Write to FILE instead of standard output")->type_name("FILE");
  command
      ->add_option("--root", options->source.root, "Read DIR/proc and DIR/sys, copied from another machine")
      ->type_name("DIR");
  command
      ->add_option("--topology", options->source.topology_xml,
                   "Take nodes and CPUs from hwloc XML (`lstopo FILE.xml`) instead of this machine")
      ->type_name("FILE.xml");
  command->callback([options, exit_status] {
    const absl::Status status = RunSnapshot(*options);
    if (!status.ok()) std::cerr << "numasim snapshot: " << status.message() << "\n";
    *exit_status = status.ok() ? 0 : 1;
  });
}

}  // namespace numasim
