// Standard output as a place that can be full, closed, or the same as the trace's.
#ifndef NUMASIM_CLI_STANDARD_OUTPUT_H_
#define NUMASIM_CLI_STANDARD_OUTPUT_H_

#include <cstddef>
#include <string>

#include "absl/status/status.h"
#include "absl/strings/string_view.h"

namespace numasim {

// Writes `text` to the file descriptor of a standard stream; the error says why that cannot be done.
absl::Status Print(int descriptor, absl::string_view text);

// Whether what is written to `path` comes out where the standard stream's output does, and would mix with it.
bool IsSameOutput(const std::string& path, int descriptor);

// Characters in a line of standard output: of a terminal, else as COLUMNS says, else what every terminal has.
size_t OutputWidth();

}  // namespace numasim

#endif  // NUMASIM_CLI_STANDARD_OUTPUT_H_
