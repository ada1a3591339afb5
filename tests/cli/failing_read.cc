// For LD_PRELOAD: files whose name contains "broken" give their first 50 bytes, as a disk that fails would,
// and then EIO.
#include <dlfcn.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <cstdio>
#include <cstring>

namespace {

constexpr off_t kGood = 50;

// Without the C++ library, which may not be set up yet.
bool IsBroken(int descriptor) {
  char link[64];
  char name[4096];
  std::snprintf(link, sizeof(link), "/proc/self/fd/%d", descriptor);
  const ssize_t length = readlink(link, name, sizeof(name) - 1);
  if (length < 0) return false;
  name[length] = '\0';
  return std::strstr(name, "broken") != nullptr;
}

// How many of `size` bytes from `offset` on can be read; -1 where the disk fails.
ssize_t Readable(off_t offset, size_t size) {
  if (offset < kGood) return std::min<ssize_t>(kGood - offset, static_cast<ssize_t>(size));
  errno = EIO;
  return -1;
}

}  // namespace

extern "C" ssize_t read(int descriptor, void* to, size_t size) {
  static const auto real = reinterpret_cast<ssize_t (*)(int, void*, size_t)>(dlsym(RTLD_NEXT, "read"));
  if (!IsBroken(descriptor)) return real(descriptor, to, size);
  const ssize_t good = Readable(lseek(descriptor, 0, SEEK_CUR), size);
  return good < 0 ? good : real(descriptor, to, static_cast<size_t>(good));
}

extern "C" ssize_t pread(int descriptor, void* to, size_t size, off_t offset) {
  static const auto real =
      reinterpret_cast<ssize_t (*)(int, void*, size_t, off_t)>(dlsym(RTLD_NEXT, "pread"));
  if (!IsBroken(descriptor)) return real(descriptor, to, size, offset);
  const ssize_t good = Readable(offset, size);
  return good < 0 ? good : real(descriptor, to, static_cast<size_t>(good), offset);
}
