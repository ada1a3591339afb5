// Files that appear whole or not at all: written under a temporary name beside the target and renamed when
// complete, so that a full disk or a killed program leaves what was there before.
#ifndef NUMASIM_CLI_ATOMIC_FILE_H_
#define NUMASIM_CLI_ATOMIC_FILE_H_

#include <string>

#include "absl/status/status.h"
#include "absl/strings/string_view.h"

namespace numasim {

// Writes `contents` to `path`. A link is followed; a target that is no regular file (/dev/stdout, a pipe) is
// written directly. The error names the path and the reason.
absl::Status WriteFileAtomically(const std::string& path, absl::string_view contents);

}  // namespace numasim

#endif  // NUMASIM_CLI_ATOMIC_FILE_H_
