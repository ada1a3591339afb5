#include "workloads/machine/system_files.h"

#include <fcntl.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <cstring>
#include <filesystem>
#include <system_error>

#include "absl/cleanup/cleanup.h"
#include "absl/status/status.h"
#include "absl/strings/str_cat.h"
#include "workloads/machine/proc_files.h"

namespace numasim::workloads {
namespace {

absl::Status ErrnoError(absl::string_view path, int error) {
  return absl::ErrnoToStatus(error, absl::StrCat(path, ": cannot be read"));
}

}  // namespace

std::string SystemFiles::PathOf(absl::string_view path) const { return absl::StrCat(root_, path); }

absl::StatusOr<std::string> SystemFiles::Read(absl::string_view path) const {
  const std::string full_path = PathOf(path);
  const int descriptor = open(full_path.c_str(), O_RDONLY | O_CLOEXEC);
  if (descriptor < 0) return ErrnoError(full_path, errno);
  const absl::Cleanup closer = [descriptor] { close(descriptor); };
  std::string text;
  // Large reads: each read of a /proc file may be of another moment.
  std::vector<char> buffer(size_t{1} << 20);
  for (;;) {
    const ssize_t length = read(descriptor, buffer.data(), buffer.size());
    if (length < 0 && errno == EINTR) continue;
    if (length < 0) return ErrnoError(full_path, errno);
    if (length == 0) return text;
    text.append(buffer.data(), static_cast<size_t>(length));
  }
}

absl::StatusOr<int64_t> SystemFiles::ReadNumber(absl::string_view path) const {
  const absl::StatusOr<std::string> text = Read(path);
  if (!text.ok()) return text.status();
  return ParseNumber(*text, PathOf(path));
}

absl::StatusOr<std::optional<std::string>> SystemFiles::ReadIfPresent(absl::string_view path) const {
  absl::StatusOr<std::string> text = Read(path);
  if (text.ok()) return std::optional<std::string>(*std::move(text));
  if (absl::IsNotFound(text.status())) return std::optional<std::string>();
  return text.status();
}

absl::StatusOr<std::optional<int64_t>> SystemFiles::ReadNumberIfPresent(absl::string_view path) const {
  const absl::StatusOr<std::optional<std::string>> text = ReadIfPresent(path);
  if (!text.ok()) return text.status();
  if (!text->has_value()) return std::optional<int64_t>();
  const absl::StatusOr<int64_t> number = ParseNumber(**text, PathOf(path));
  if (!number.ok()) return number.status();
  return std::optional<int64_t>(*number);
}

absl::StatusOr<std::optional<std::string>> SystemFiles::ReadChoiceIfPresent(absl::string_view path) const {
  const absl::StatusOr<std::optional<std::string>> text = ReadIfPresent(path);
  if (!text.ok() || !text->has_value()) return text;
  absl::StatusOr<std::string> choice = ParseChoice(**text, PathOf(path));
  if (!choice.ok()) return choice.status();
  return std::optional<std::string>(*std::move(choice));
}

std::vector<std::string> SystemFiles::List(absl::string_view path) const {
  std::vector<std::string> names;
  std::error_code error;
  for (std::filesystem::directory_iterator entry(PathOf(path), error), end; !error && entry != end;
       entry.increment(error)) {
    names.push_back(entry->path().filename().string());
  }
  std::sort(names.begin(), names.end());
  return names;
}

}  // namespace numasim::workloads
