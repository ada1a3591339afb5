#include "files/read_file.h"

#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cerrno>
#include <cstring>
#include <vector>

#include "absl/cleanup/cleanup.h"
#include "absl/status/status.h"

namespace numasim {
namespace {

absl::Status Reason(int error) { return {absl::ErrnoToStatusCode(error), std::strerror(error)}; }

}  // namespace

absl::StatusOr<std::string> ReadInputFile(const std::string& path) {
  const int descriptor = open(path.c_str(), O_RDONLY | O_CLOEXEC);
  if (descriptor < 0) return Reason(errno);
  const absl::Cleanup closer = [descriptor] { close(descriptor); };
  struct stat file = {};
  if (fstat(descriptor, &file) != 0) return Reason(errno);
  if (S_ISDIR(file.st_mode)) return absl::FailedPreconditionError("it is a folder");
  std::string text;
  // Large reads: each read of a /proc file may be of another moment.
  std::vector<char> buffer(size_t{1} << 20);
  for (;;) {
    const ssize_t length = read(descriptor, buffer.data(), buffer.size());
    if (length < 0 && errno == EINTR) continue;
    if (length < 0) return Reason(errno);
    if (length == 0) return text;
    text.append(buffer.data(), static_cast<size_t>(length));
  }
}

}  // namespace numasim
