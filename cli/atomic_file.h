// Output files of the subcommands: they appear whole or not at all, and never in the place of an input.
#ifndef NUMASIM_CLI_ATOMIC_FILE_H_
#define NUMASIM_CLI_ATOMIC_FILE_H_

#include <string>
#include <vector>

#include "absl/status/status.h"
#include "absl/strings/string_view.h"

namespace numasim {

// Writes `contents` to `path` as a ReplacedFile. The error names the path and the reason.
absl::Status WriteFileAtomically(const std::string& path, absl::string_view contents);

// The error where a ReplacedFile of this path gives a `reason`.
absl::Status CannotBeWritten(const std::string& path, const absl::Status& reason);

// An error if writing `output` as a ReplacedFile would overwrite one of the `inputs`, by its name, a link or
// another name of the same file. `option` is where the output was named, for the message.
absl::Status CheckIsNoInput(absl::string_view option, const std::string& output,
                            const std::vector<std::string>& inputs);

}  // namespace numasim

#endif  // NUMASIM_CLI_ATOMIC_FILE_H_
