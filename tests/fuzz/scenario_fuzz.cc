// Any text as a scenario: it is refused with a message that names the place, or its text and files load again
// to the same. The files it may name are a script, a machine's snapshot, and the scenario's own text.
#include <cstddef>
#include <cstdint>
#include <cstdlib>
#include <string>

#include "google/protobuf/stubs/logging.h"
#include "workloads/scenario.h"

namespace numasim::workloads {
namespace {

void Check(bool holds) {
  if (!holds) std::abort();
}

ScenarioReaders ReadersFor(const std::string& text) {
  return {[&text](const std::string& name) -> absl::StatusOr<std::string> {
            if (name == "load.mm")
              return std::string("spawn p\n@p map a 8M anon policy=bind:0\n@p touch a\n@p exit\n");
            if (name == "host.textproto")
              return std::string("node { memory: \"4G\" cpus: 2 } node { memory: \"2G\" }");
            if (name == "self.textproto") return text;
            return absl::NotFoundError("No such file or directory");
          },
          nullptr};
}

void LoadTwice(const std::string& text) {
  const absl::StatusOr<LoadedScenario> loaded = ParseScenario("fuzz", text, ReadersFor(text));
  if (!loaded.ok()) {
    const std::string message(loaded.status().message());
    // A mistake is in the scenario or in a file that it names.
    return Check(message.starts_with("fuzz:") || message.starts_with("self:") ||
                 message.starts_with("load.mm:") || message.starts_with("host.textproto:"));
  }
  const absl::StatusOr<LoadedScenario> again = ParseScenario("fuzz", loaded->text, ReadersFor(text));
  Check(again.ok());
  Check(again->machine.SerializeAsString() == loaded->machine.SerializeAsString());
  Check(again->kernel.SerializeAsString() == loaded->kernel.SerializeAsString());
  Check(again->scripts.size() == loaded->scripts.size());
  Check(again->files == loaded->files);
}

}  // namespace
}  // namespace numasim::workloads

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  // Protobuf warns of some odd texts on standard error.
  static const google::protobuf::LogSilencer silencer;
  numasim::workloads::LoadTwice(std::string(reinterpret_cast<const char*>(data), size));
  return 0;
}
