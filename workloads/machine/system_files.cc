#include "workloads/machine/system_files.h"

#include <algorithm>
#include <filesystem>
#include <system_error>

#include "absl/status/status.h"
#include "absl/strings/str_cat.h"
#include "files/read_file.h"
#include "workloads/machine/proc_files.h"

namespace numasim::workloads {
namespace {

absl::Status CannotRead(absl::string_view path, absl::StatusCode code, absl::string_view reason) {
  return {code, absl::StrCat(path, ": cannot be read: ", reason)};
}

}  // namespace

std::string SystemFiles::PathOf(absl::string_view path) const { return absl::StrCat(root_, path); }

absl::StatusOr<std::string> SystemFiles::Read(absl::string_view path) const {
  const std::string full_path = PathOf(path);
  absl::StatusOr<std::string> text = ReadInputFile(full_path);
  if (text.ok()) {
    files_read_.insert(full_path);
    return text;
  }
  return CannotRead(full_path, text.status().code(), std::string(text.status().message()));
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

absl::StatusOr<std::vector<std::string>> SystemFiles::List(absl::string_view path) const {
  std::vector<std::string> names;
  std::error_code error;
  std::filesystem::directory_iterator entry(PathOf(path), error);
  for (; !error && entry != std::filesystem::directory_iterator(); entry.increment(error)) {
    names.push_back(entry->path().filename().string());
  }
  if (error && error != std::errc::no_such_file_or_directory) {
    return CannotRead(PathOf(path), absl::ErrnoToStatusCode(error.value()), error.message());
  }
  std::sort(names.begin(), names.end());
  return names;
}

}  // namespace numasim::workloads
