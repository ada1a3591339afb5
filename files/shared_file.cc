#include "files/shared_file.h"

#include <sys/mman.h>
#include <unistd.h>

#include <cerrno>
#include <cstddef>

namespace numasim {

SharedFile::SharedFile() : descriptor_(memfd_create("numasim", MFD_CLOEXEC)) {}

SharedFile::~SharedFile() {
  if (descriptor_ >= 0) close(descriptor_);
}

bool SharedFile::Write(const std::string& text) const {
  for (size_t done = 0; done < text.size();) {
    const ssize_t written = write(descriptor_, text.data() + done, text.size() - done);
    if (written < 0 && errno != EINTR) return false;
    if (written > 0) done += static_cast<size_t>(written);
  }
  return true;
}

std::string SharedFile::Read() const {
  std::string text;
  char buffer[1 << 16];
  for (;;) {
    const ssize_t length = pread(descriptor_, buffer, sizeof buffer, static_cast<off_t>(text.size()));
    if (length < 0 && errno == EINTR) continue;
    if (length <= 0) return text;
    text.append(buffer, static_cast<size_t>(length));
  }
}

}  // namespace numasim
