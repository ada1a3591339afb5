#include "files/descriptor_io.h"

#include <unistd.h>

#include <cerrno>
#include <cstddef>

namespace numasim {

int WriteAll(int descriptor, absl::string_view bytes) {
  while (!bytes.empty()) {
    const ssize_t written = write(descriptor, bytes.data(), bytes.size());
    if (written < 0 && errno == EINTR) continue;
    if (written < 0) return errno;
    bytes.remove_prefix(static_cast<size_t>(written));
  }
  return 0;
}

int ReadToEnd(int descriptor, off_t offset, std::string* bytes) {
  char buffer[1 << 16];
  for (;;) {
    const ssize_t length = pread(descriptor, buffer, sizeof buffer, offset);
    if (length < 0 && errno == EINTR) continue;
    if (length < 0) return errno;
    if (length == 0) return 0;
    bytes->append(buffer, static_cast<size_t>(length));
    offset += length;
  }
}

}  // namespace numasim
