#include "cli/standard_output.h"

#include <sys/ioctl.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cstdlib>
#include <cstring>

#include "absl/strings/numbers.h"
#include "absl/strings/str_cat.h"
#include "files/descriptor_io.h"

namespace numasim {

absl::Status Print(int descriptor, absl::string_view text) {
  const int error = WriteAll(descriptor, text);
  if (error == 0) return absl::OkStatus();
  return {absl::ErrnoToStatusCode(error),
          absl::StrCat(descriptor == STDERR_FILENO ? "standard error" : "standard output",
                       " cannot be written: ", std::strerror(error))};
}

bool IsSameOutput(const std::string& path, int descriptor) {
  struct stat file = {};
  struct stat stream = {};
  if (stat(path.c_str(), &file) != 0 || fstat(descriptor, &stream) != 0) return false;
  // Nothing mixes in /dev/null, and a terminal shows everything.
  return !S_ISCHR(file.st_mode) && file.st_dev == stream.st_dev && file.st_ino == stream.st_ino;
}

size_t OutputWidth() {
  winsize size = {};
  if (ioctl(STDOUT_FILENO, TIOCGWINSZ, &size) == 0 && size.ws_col > 0) return size.ws_col;
  constexpr size_t kUsual = 80;
  const char* const columns = std::getenv("COLUMNS");
  size_t width = 0;
  return columns != nullptr && absl::SimpleAtoi(columns, &width) && width > 0 ? width : kUsual;
}

}  // namespace numasim
