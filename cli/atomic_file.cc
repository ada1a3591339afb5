#include "cli/atomic_file.h"

#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cerrno>
#include <cstdio>
#include <filesystem>
#include <system_error>

#include "absl/strings/str_cat.h"

namespace numasim {
namespace {

absl::Status WriteError(const std::string& path, int error) {
  return absl::ErrnoToStatus(error, absl::StrCat(path, ": cannot be written"));
}

// Writes all of `contents` and closes. Returns 0 or an errno.
int WriteAndClose(int descriptor, absl::string_view contents, bool sync) {
  int error = 0;
  while (!contents.empty() && error == 0) {
    const ssize_t written = write(descriptor, contents.data(), contents.size());
    if (written >= 0) {
      contents.remove_prefix(static_cast<size_t>(written));
    } else if (errno != EINTR) {
      error = errno;
    }
  }
  if (error == 0 && sync && fsync(descriptor) != 0) error = errno;
  if (close(descriptor) != 0 && error == 0) error = errno;
  return error;
}

absl::Status WriteDirectly(const std::string& path, absl::string_view contents) {
  const int descriptor = open(path.c_str(), O_WRONLY | O_CLOEXEC);
  if (descriptor < 0) return WriteError(path, errno);
  const int error = WriteAndClose(descriptor, contents, /*sync=*/false);
  return error == 0 ? absl::OkStatus() : WriteError(path, error);
}

// Creates a file of a new name beside `target`, with the permissions that open() would give it.
int CreateTemporary(const std::string& target, std::string& name) {
  for (int attempt = 0; attempt < 100; ++attempt) {
    name = absl::StrCat(target, ".tmp", getpid(), ".", attempt);
    const int descriptor = open(name.c_str(), O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, 0666);
    if (descriptor >= 0 || errno != EEXIST) return descriptor;
  }
  return -1;
}

}  // namespace

absl::Status WriteFileAtomically(const std::string& path, absl::string_view contents) {
  struct stat found{};
  const bool exists = stat(path.c_str(), &found) == 0;
  if (exists && !S_ISREG(found.st_mode)) return WriteDirectly(path, contents);
  std::error_code ignored;
  const std::string target = exists ? std::filesystem::canonical(path, ignored).string() : path;
  std::string temporary;
  const int descriptor = CreateTemporary(target, temporary);
  if (descriptor < 0) return WriteError(path, errno);
  int error = WriteAndClose(descriptor, contents, /*sync=*/true);
  if (error == 0 && std::rename(temporary.c_str(), target.c_str()) != 0) error = errno;
  if (error == 0) return absl::OkStatus();
  unlink(temporary.c_str());
  return WriteError(path, error);
}

}  // namespace numasim
