// For LD_PRELOAD: files whose name contains "broken" give their first 50 bytes, as a disk that fails would,
// and then EIO; those with "broken_at_N" their first N.
#include <dlfcn.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <cstdio>
#include <cstdlib>
#include <cstring>

namespace {

constexpr off_t kWhole = -1;

// How many bytes of a file can be read. Without the C++ library, which may not be set up yet.
off_t GoodBytes(int descriptor) {
  char link[64];
  char name[4096];
  std::snprintf(link, sizeof(link), "/proc/self/fd/%d", descriptor);
  const ssize_t length = readlink(link, name, sizeof(name) - 1);
  if (length < 0) return kWhole;
  name[length] = '\0';
  if (std::strstr(name, "broken") == nullptr) return kWhole;
  const char* const at = std::strstr(name, "broken_at_");
  return at == nullptr ? 50 : std::atol(at + std::strlen("broken_at_"));
}

// How many of `size` bytes from `offset` on can be read, where `good` can; -1 where the disk fails.
ssize_t Readable(off_t good, off_t offset, size_t size) {
  if (offset < good) return std::min<ssize_t>(good - offset, static_cast<ssize_t>(size));
  errno = EIO;
  return -1;
}

}  // namespace

extern "C" ssize_t read(int descriptor, void* to, size_t size) {
  static const auto real = reinterpret_cast<ssize_t (*)(int, void*, size_t)>(dlsym(RTLD_NEXT, "read"));
  const off_t good = GoodBytes(descriptor);
  if (good == kWhole) return real(descriptor, to, size);
  const ssize_t readable = Readable(good, lseek(descriptor, 0, SEEK_CUR), size);
  return readable < 0 ? readable : real(descriptor, to, static_cast<size_t>(readable));
}

extern "C" ssize_t pread(int descriptor, void* to, size_t size, off_t offset) {
  static const auto real =
      reinterpret_cast<ssize_t (*)(int, void*, size_t, off_t)>(dlsym(RTLD_NEXT, "pread"));
  const off_t good = GoodBytes(descriptor);
  if (good == kWhole) return real(descriptor, to, size, offset);
  const ssize_t readable = Readable(good, offset, size);
  return readable < 0 ? readable : real(descriptor, to, static_cast<size_t>(readable), offset);
}

// What pread() is called where files may be larger than 2 GiB by a setting of the C library.
extern "C" ssize_t pread64(int descriptor, void* to, size_t size, off_t offset) {
  return pread(descriptor, to, size, offset);
}
