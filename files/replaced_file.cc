#include "files/replaced_file.h"

#include <fcntl.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cerrno>
#include <cstdio>
#include <cstring>
#include <ctime>
#include <filesystem>
#include <system_error>
#include <utility>

#include "absl/memory/memory.h"
#include "absl/strings/str_cat.h"

namespace numasim {
namespace {

// As many as the kernel follows.
constexpr int kMostLinks = 40;
constexpr int kMostTries = 100;

std::string ErrorText(int error) {
  if (error == EFBIG) return "File too large (see ulimit -f)";
  return std::strerror(error);
}

absl::Status Reason(int error) { return {absl::ErrnoToStatusCode(error), ErrorText(error)}; }

bool Same(const struct stat& a, const struct stat& b) { return a.st_dev == b.st_dev && a.st_ino == b.st_ino; }

// The path without links at its end. Whether anything is there does not matter.
std::string WithoutLinks(const std::string& path) {
  std::filesystem::path target = path;
  std::error_code error;
  for (int i = 0; i < kMostLinks && std::filesystem::is_symlink(target, error); ++i) {
    const std::filesystem::path next = std::filesystem::read_symlink(target, error);
    if (error) break;
    target = target.parent_path() / next;  // an absolute one replaces all
  }
  return target.string();
}

// The program's own standard output or error, where that is a file or a pipe that `file` names; else -1.
int StandardStream(const struct stat& file) {
  if (S_ISCHR(file.st_mode)) return -1;  // may be opened as often as one likes
  for (const int descriptor : {STDOUT_FILENO, STDERR_FILENO}) {
    struct stat stream = {};
    if (fstat(descriptor, &stream) == 0 && Same(stream, file)) return descriptor;
  }
  return -1;
}

// A reader may be about to open it, as in a shell's pipeline of a fifo; one that never comes is not waited
// for.
int OpenFifo(const std::string& path) {
  constexpr int kTries = 100;
  constexpr timespec kPause = {.tv_sec = 0, .tv_nsec = 10'000'000};
  int descriptor = -1;
  for (int i = 0; i < kTries; ++i) {
    descriptor = open(path.c_str(), O_WRONLY | O_NONBLOCK | O_CLOEXEC);
    if (descriptor >= 0 || errno != ENXIO) break;
    if (nanosleep(&kPause, nullptr) != 0) break;  // a signal: EINTR
    errno = ENXIO;
  }
  if (descriptor >= 0) fcntl(descriptor, F_SETFL, 0);  // what is written waits for the reader
  return descriptor;
}

}  // namespace

std::string PartialPath(const std::string& path) { return absl::StrCat(WithoutLinks(path), ".partial"); }

absl::StatusOr<std::unique_ptr<ReplacedFile>> ReplacedFile::Create(const std::string& path) {
  auto file = absl::WrapUnique(new ReplacedFile(path));
  struct stat found = {};
  absl::Status status;
  if (path.empty()) {
    status = Reason(ENOENT);
  } else if (stat(path.c_str(), &found) != 0) {
    status = file->OpenPartial();
  } else if (const int stream = StandardStream(found); stream >= 0) {
    status = file->OpenDirectly(fcntl(stream, F_DUPFD_CLOEXEC, 0));
  } else if (S_ISFIFO(found.st_mode)) {
    const int fifo = OpenFifo(path);
    status = fifo < 0 && errno == ENXIO ? absl::UnavailableError("no program reads this pipe")
                                        : file->OpenDirectly(fifo);
  } else if (!S_ISREG(found.st_mode)) {
    status = file->OpenDirectly(open(path.c_str(), O_WRONLY | O_CLOEXEC));
  } else if (access(path.c_str(), W_OK) != 0) {
    status = Reason(errno);
  } else {
    status = file->OpenPartial();
  }
  if (!status.ok()) return status;
  return file;
}

ReplacedFile::~ReplacedFile() { Discard(); }

absl::Status ReplacedFile::OpenDirectly(int descriptor) {
  descriptor_ = descriptor;
  return descriptor < 0 ? Reason(errno) : absl::OkStatus();
}

absl::Status ReplacedFile::OpenPartial() {
  target_ = WithoutLinks(path_);
  partial_ = absl::StrCat(target_, ".partial");
  for (int i = 0; i < kMostTries; ++i) {
    const absl::StatusOr<bool> opened = TryPartial();
    if (!opened.ok()) return opened.status();
    if (*opened) return CutTo(0);
  }
  return absl::UnavailableError(absl::StrCat("others write it again and again (", partial_, ")"));
}

absl::StatusOr<bool> ReplacedFile::TryPartial() {
  // Nonblocking, for a fifo of that name.
  const int descriptor =
      open(partial_.c_str(), O_WRONLY | O_CREAT | O_NOFOLLOW | O_NONBLOCK | O_CLOEXEC, 0666);
  if (descriptor < 0) {
    if (errno == ENOENT) return Reason(errno);
    return absl::Status(absl::ErrnoToStatusCode(errno), absl::StrCat(partial_, ": ", ErrorText(errno)));
  }
  struct stat opened = {};
  absl::Status status;
  if (fstat(descriptor, &opened) != 0) {
    status = Reason(errno);
  } else if (!S_ISREG(opened.st_mode)) {
    status = absl::InvalidArgumentError(absl::StrCat(partial_, " is no regular file"));
  } else if (flock(descriptor, LOCK_EX | LOCK_NB) != 0 && errno == EWOULDBLOCK) {
    // Other errors are of file systems without locks.
    status = absl::UnavailableError(absl::StrCat("another program is writing it (as ", partial_, ")"));
  }
  struct stat now = {};
  const bool still_there = status.ok() && stat(partial_.c_str(), &now) == 0 && Same(opened, now);
  if (still_there) {
    descriptor_ = descriptor;
    return true;
  }
  close(descriptor);
  if (!status.ok()) return status;
  return false;
}

absl::Status ReplacedFile::WriteAt(uint64_t offset, absl::string_view bytes) {
  while (!bytes.empty()) {
    const ssize_t written = direct()
                                ? write(descriptor_, bytes.data(), bytes.size())
                                : pwrite(descriptor_, bytes.data(), bytes.size(), static_cast<off_t>(offset));
    if (written < 0 && errno == EINTR) continue;
    if (written < 0) return Reason(errno);
    bytes.remove_prefix(static_cast<size_t>(written));
    offset += static_cast<uint64_t>(written);
  }
  return absl::OkStatus();
}

absl::Status ReplacedFile::CutTo(uint64_t end) {
  end_ = end;
  return ftruncate(descriptor_, static_cast<off_t>(end)) == 0 ? absl::OkStatus() : Reason(errno);
}

absl::Status ReplacedFile::Append(absl::string_view bytes) {
  if (absl::Status status = WriteAt(size_, bytes); !status.ok()) return status;
  size_ += bytes.size();
  if (end_ > size_) return CutTo(size_);
  return absl::OkStatus();
}

absl::Status ReplacedFile::SetTail(absl::string_view bytes) {
  if (direct()) return absl::OkStatus();
  if (absl::Status status = WriteAt(size_, bytes); !status.ok()) return status;
  const uint64_t end = size_ + bytes.size();
  if (end_ > end) return CutTo(end);
  end_ = end;
  return absl::OkStatus();
}

absl::Status ReplacedFile::Commit() {
  if (direct()) return Close();
  absl::Status status = end_ > size_ ? CutTo(size_) : absl::OkStatus();
  struct stat replaced = {};
  if (stat(target_.c_str(), &replaced) == 0) {
    // Only root may give files away; the permissions matter more.
    if (fchown(descriptor_, replaced.st_uid, replaced.st_gid) != 0) errno = 0;
    if (fchmod(descriptor_, replaced.st_mode & 07777) != 0) errno = 0;
  }
  // Some file systems report a full disk only here; those that cannot do it say EINVAL.
  if (status.ok() && fsync(descriptor_) != 0 && errno != EINVAL) status = Reason(errno);
  if (status.ok() && std::rename(partial_.c_str(), target_.c_str()) != 0) status = Reason(errno);
  if (!status.ok()) {
    Discard();
    return status;
  }
  return Close();
}

absl::Status ReplacedFile::Keep() {
  const absl::Status status = end_ > size_ ? CutTo(size_) : absl::OkStatus();
  return status.ok() ? Close() : status;
}

void ReplacedFile::Discard() {
  if (descriptor_ < 0) return;
  // While the lock is held, so that it is this writer's.
  if (!direct()) unlink(partial_.c_str());
  close(std::exchange(descriptor_, -1));
}

absl::Status ReplacedFile::Close() {
  return close(std::exchange(descriptor_, -1)) == 0 ? absl::OkStatus() : Reason(errno);
}

}  // namespace numasim
