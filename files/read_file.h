// How every input of the program is read: a script, a scenario and what it names, a boot state, a topology, a
// file under /proc. (A trace is read piece by piece, see proto/trace_reader.h.)
#ifndef NUMASIM_FILES_READ_FILE_H_
#define NUMASIM_FILES_READ_FILE_H_

#include <cstddef>
#include <cstdint>
#include <string>

#include "absl/status/statusor.h"

namespace numasim {

struct ReadLimits {
  int64_t bytes = int64_t{1} << 30;
  int pipe_patience_ms = 60'000;  // how long a pipe may give nothing
};

// The file as a whole: either all of it or the reason why not, without the path, such as "No such file or
// directory" (NotFound). A read that fails half-way is a failure, not the file's end. A regular file or a
// pipe: a device is refused, a larger file (ResourceExhausted) and a pipe that nobody writes to
// (DeadlineExceeded) too.
absl::StatusOr<std::string> ReadInputFile(const std::string& path, const ReadLimits& limits = {});

// Its first bytes, so many at most, to tell what it is: nothing of what is no regular file (a pipe would be
// read but once, and is waited for) or cannot be read, which who reads all of it tells.
std::string BeginningOf(const std::string& path, size_t bytes);

}  // namespace numasim

#endif  // NUMASIM_FILES_READ_FILE_H_
