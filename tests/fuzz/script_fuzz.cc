// Any text as a script: it is refused with a message, or what it says prints as a script that says the same.
#include <cstddef>
#include <cstdint>
#include <cstdlib>
#include <string>
#include <string_view>

#include "workloads/script.h"

namespace numasim::workloads {
namespace {

void Check(bool holds) {
  if (!holds) std::abort();
}

std::string Printed(const Script& script) {
  std::string text;
  if (script.machine) text += ToString(*script.machine) + "\n";
  for (const Op& op : script.ops) text += ToString(op) + "\n";
  return text;
}

void ParsePrintParse(std::string_view text) {
  const absl::StatusOr<Script> script = ParseScript(text, "fuzz.mm");
  if (!script.ok()) return Check(std::string(script.status().message()).starts_with("fuzz.mm:"));
  const std::string printed = Printed(*script);
  const absl::StatusOr<Script> again = ParseScript(printed, "printed.mm");
  Check(again.ok());
  Check(again->machine.has_value() == script->machine.has_value());
  Check(again->ops.size() == script->ops.size());
  for (size_t i = 0; i < script->ops.size(); ++i) {
    Check(again->ops[i].process == script->ops[i].process);
    Check(again->ops[i].kind == script->ops[i].kind);
  }
  Check(Printed(*again) == printed);
}

}  // namespace
}  // namespace numasim::workloads

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  numasim::workloads::ParsePrintParse({reinterpret_cast<const char*>(data), size});
  return 0;
}
