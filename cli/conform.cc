#include "cli/conform.h"

#include <iostream>
#include <memory>
#include <string>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "absl/strings/str_cat.h"
#include "cli/atomic_file.h"
#include "cli/signals.h"
#include "cli/warnings.h"
#include "files/read_file.h"
#include "workloads/conform.h"
#include "workloads/machine/boot_state.h"
#include "workloads/script.h"

namespace numasim {
namespace {

struct ConformOptions {
  std::string script;
  std::string boot;
  std::string json;
};

absl::StatusOr<std::string> Read(const std::string& path) {
  auto text = ReadInputFile(path);
  if (text.ok()) return text;
  return absl::Status(text.status().code(), absl::StrCat(path, ": ", text.status().message()));
}

// Of scripts that run on this machine.
workloads::MachineLimits LimitsOf(const Machine& machine) {
  return {machine.distance_size(), machine.cpus().node_of_cpu_size()};
}

// Cancelled if a signal ends it before.
absl::Status ConformAndWrite(const ConformOptions& options) {
  absl::Status output = CheckIsNoInput("--json", options.json, {options.script, options.boot});
  if (!output.ok()) return output;
  const auto script_text = Read(options.script);
  if (!script_text.ok()) return script_text.status();
  const auto boot_text = Read(options.boot);
  if (!boot_text.ok()) return boot_text.status();
  auto boot = workloads::ParseBootState(options.boot, *boot_text);
  if (!boot.ok()) return boot.status();
  auto script = workloads::ParseScript(*script_text, options.script, LimitsOf(boot->machine));
  if (!script.ok()) return script.status();
  const EndSignals signals;
  auto conformance = workloads::Conform(*script, options.script, *boot, options.boot,
                                        [] { return EndSignals::Noted() != 0; });
  if (!conformance.ok()) return conformance.status();
  PrintWarnings(conformance->warnings, std::cerr);
  return WriteFileAtomically(options.json, conformance->steps.dump(1) + "\n");
}

// Returns the exit status, after a message if it is not 0.
int RunConform(const ConformOptions& options) {
  const absl::Status status = ConformAndWrite(options);
  if (absl::IsCancelled(status)) {
    std::cerr << "numasim: " << EndSignals::Name(EndSignals::Noted()) << " ended the run at "
              << status.message() << "; nothing is written\n";
    return 128 + EndSignals::Noted();
  }
  if (!status.ok()) std::cerr << "numasim: " << status.message() << "\n";
  return status.ok() ? 0 : 1;
}

}  // namespace

void AddConformCommand(CLI::App& app, int* exit_status) {
  CLI::App* command = app.add_subcommand(
      "conform", "Run a script from a recorded boot state and write what each step answers and counts");
  auto options = std::make_shared<ConformOptions>();
  command->add_option("SCRIPT", options->script, "the operations (.mm)")->required()->type_name("SCRIPT.mm");
  command
      ->add_option("--boot", options->boot, "the recorded machine and boot state (JSON; only step 0 is used)")
      ->required()
      ->type_name("BOOT.json");
  command->add_option("--json", options->json, "where the steps go")->required()->type_name("OUT.json");
  command->callback([options, exit_status] { *exit_status = RunConform(*options); });
}

}  // namespace numasim
