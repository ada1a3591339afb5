#include "cli/dump/trace_label.h"

#include <filesystem>

#include "absl/strings/string_view.h"
#include "absl/strings/strip.h"

namespace numasim {

std::string TraceLabel(const std::string& path) {
  const std::string name = std::filesystem::path(path).filename().string();
  absl::string_view label = name;
  absl::ConsumeSuffix(&label, ".partial");
  if (!absl::ConsumeSuffix(&label, ".trace.pb")) absl::ConsumeSuffix(&label, ".pb");
  return std::string(label.empty() ? name : label);
}

}  // namespace numasim
