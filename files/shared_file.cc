#include "files/shared_file.h"

#include <sys/mman.h>
#include <unistd.h>

#include "files/descriptor_io.h"

namespace numasim {

SharedFile::SharedFile() : descriptor_(memfd_create("numasim", MFD_CLOEXEC)) {}

SharedFile::~SharedFile() {
  if (descriptor_ >= 0) close(descriptor_);
}

bool SharedFile::Write(const std::string& text) const { return WriteAll(descriptor_, text) == 0; }

std::string SharedFile::Read() const {
  std::string text;
  ReadToEnd(descriptor_, 0, &text);
  return text;
}

}  // namespace numasim
