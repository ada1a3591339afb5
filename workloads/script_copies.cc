#include "workloads/script_copies.h"

#include <algorithm>
#include <utility>

#include "absl/status/status.h"
#include "absl/strings/match.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/str_replace.h"
#include "workloads/text.h"

namespace numasim::workloads {
namespace {

constexpr char kCopyNumber[] = "{copy}";
// Every copy has its operations in memory.
constexpr size_t kMostOperations = 1'000'000;

}  // namespace

absl::StatusOr<std::vector<Script>> ParseScriptOfCopies(const std::string& text, int copies,
                                                        const LineName& name_of_line,
                                                        const std::optional<MachineLimits>& limits) {
  const bool differ = absl::StrContains(text, kCopyNumber) && copies > 1;
  std::vector<Script> scripts;
  for (int copy = 0; copy < (differ ? copies : 1); ++copy) {
    const auto name_with_copy = [&](int line) {
      return differ ? Cat(name_of_line(line), ": copy ", copy) : name_of_line(line);
    };
    absl::StatusOr<Script> script =
        ParseScript(absl::StrReplaceAll(text, {{kCopyNumber, absl::StrCat(copy)}}), name_with_copy, limits);
    if (!script.ok()) return script.status();
    const size_t most = kMostOperations / std::max<size_t>(script->ops.size(), 1);
    if (differ && static_cast<size_t>(copies) > most) {
      return absl::InvalidArgumentError(
          Cat(name_of_line(1), ": {copy} in ", script->ops.size(), " operations of ", copies,
              " copies takes too much memory; expected at most ", most, " copies"));
    }
    scripts.push_back(*std::move(script));
  }
  return scripts;
}

}  // namespace numasim::workloads
