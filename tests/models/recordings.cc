#include "tests/models/recordings.h"

#include <algorithm>
#include <filesystem>
#include <fstream>
#include <sstream>

#include "absl/strings/match.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/strip.h"
#include "sim/check.h"
#include "workloads/machine/boot_state.h"
#include "workloads/machine/resolve.h"

namespace numasim {
namespace {

constexpr const char* kFolder = "tests/kernel_truth";
constexpr const char* kSuffix = ".truth.json";

}  // namespace

std::vector<std::string> RecordingNames() {
  std::vector<std::string> names;
  for (const auto& entry : std::filesystem::directory_iterator(kFolder)) {
    const std::string file = entry.path().filename().string();
    if (absl::EndsWith(file, kSuffix)) names.emplace_back(absl::StripSuffix(file, kSuffix));
  }
  std::sort(names.begin(), names.end());
  NUMASIM_CHECK(!names.empty());
  return names;
}

MachineConfig RecordedMachine(const std::string& name) {
  const std::string file = absl::StrCat(kFolder, "/", name, kSuffix);
  std::ifstream in(file);
  std::stringstream text;
  text << in.rdbuf();
  auto boot = workloads::ParseBootState(file, text.str());
  NUMASIM_CHECK_EQ(boot.status().ToString(), "OK");
  std::vector<std::string> warnings;
  auto config = workloads::ResolveMachine(boot->machine, KernelKnobs(), warnings);
  NUMASIM_CHECK_EQ(config.status().ToString(), "OK");
  return *config;
}

}  // namespace numasim
