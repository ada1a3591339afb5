#include "cli/build_id.h"

#include "absl/status/status.h"
#include "absl/strings/str_cat.h"
#include "cli/stable_hash.h"
#include "cli/version.h"
#include "files/read_file.h"

namespace numasim {

absl::StatusOr<std::string> BuildId() {
  // Also of a program whose file has been replaced while it runs.
  constexpr char kProgram[] = "/proc/self/exe";
  const absl::StatusOr<std::string> program = ReadInputFile(kProgram);
  if (!program.ok()) {
    return absl::Status(program.status().code(),
                        absl::StrCat(kProgram, ": cannot be read: ", program.status().message()));
  }
  return absl::StrCat(kVersion, " (", absl::Hex(StableHash(*program), absl::kZeroPad16), ")");
}

}  // namespace numasim
