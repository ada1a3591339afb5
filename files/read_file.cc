#include "files/read_file.h"

#include <fcntl.h>
#include <poll.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cerrno>
#include <cstring>
#include <filesystem>
#include <fstream>
#include <system_error>
#include <vector>

#include "absl/cleanup/cleanup.h"
#include "absl/status/status.h"
#include "absl/strings/str_cat.h"

namespace numasim {
namespace {

absl::Status Reason(int error) { return {absl::ErrnoToStatusCode(error), std::strerror(error)}; }

absl::Status TooLarge(int64_t limit) {
  return absl::ResourceExhaustedError(
      absl::StrCat("it is larger than ", limit >> 20, " MiB, the most that is read of an input"));
}

// A device may have no end, or an effect when it is opened. Pipes are what `<(...)` and `|` are made of.
absl::Status CheckKind(const struct stat& file) {
  if (S_ISDIR(file.st_mode)) return absl::FailedPreconditionError("it is a folder");
  if (S_ISREG(file.st_mode) || S_ISFIFO(file.st_mode)) return absl::OkStatus();
  return absl::FailedPreconditionError(
      absl::StrCat("it is a ", S_ISSOCK(file.st_mode) ? "socket" : "device", "; expected a file or a pipe"));
}

// Until a pipe has something to read, or its writer has closed it.
absl::Status WaitForWriter(int descriptor, int patience_ms) {
  struct pollfd pipe = {.fd = descriptor, .events = POLLIN, .revents = 0};
  for (;;) {
    const int ready = poll(&pipe, 1, patience_ms);
    if (ready > 0) return absl::OkStatus();
    if (ready < 0 && errno != EINTR) return Reason(errno);
    if (ready < 0) continue;
    return absl::DeadlineExceededError(
        absl::StrCat("it is a pipe that nobody has written to or closed for ", patience_ms / 1000.0, " s"));
  }
}

}  // namespace

absl::StatusOr<std::string> ReadInputFile(const std::string& path, const ReadLimits& limits) {
  struct stat file = {};
  if (stat(path.c_str(), &file) != 0) return Reason(errno);
  if (absl::Status status = CheckKind(file); !status.ok()) return status;
  // Without waiting for the writer of a pipe: the kernel would wait for ever.
  const int descriptor = open(path.c_str(), O_RDONLY | O_CLOEXEC | O_NONBLOCK | O_NOCTTY);
  if (descriptor < 0) return Reason(errno);
  const absl::Cleanup closer = [descriptor] { close(descriptor); };
  if (fstat(descriptor, &file) != 0) return Reason(errno);
  if (absl::Status status = CheckKind(file); !status.ok()) return status;
  if (file.st_size > limits.bytes) return TooLarge(limits.bytes);
  const bool is_pipe = S_ISFIFO(file.st_mode);
  std::string text;
  // A large one would be copied as it grows. Files under /proc have no size.
  text.reserve(static_cast<size_t>(file.st_size));
  // Large reads: each read of a /proc file may be of another moment.
  std::vector<char> buffer(size_t{1} << 20);
  for (;;) {
    if (is_pipe) {
      if (absl::Status status = WaitForWriter(descriptor, limits.pipe_patience_ms); !status.ok())
        return status;
    }
    const ssize_t length = read(descriptor, buffer.data(), buffer.size());
    if (length < 0 && (errno == EINTR || (is_pipe && errno == EAGAIN))) continue;
    if (length < 0) return Reason(errno);
    if (length == 0) return text;
    text.append(buffer.data(), static_cast<size_t>(length));
    if (static_cast<int64_t>(text.size()) > limits.bytes) return TooLarge(limits.bytes);
  }
}

std::string BeginningOf(const std::string& path, size_t bytes) {
  std::error_code error;
  if (!std::filesystem::is_regular_file(path, error)) return {};
  std::string beginning(bytes, '\0');
  std::ifstream file(path, std::ios::binary);
  file.read(beginning.data(), static_cast<std::streamsize>(bytes));
  beginning.resize(static_cast<size_t>(file.gcount()));
  return beginning;
}

}  // namespace numasim
