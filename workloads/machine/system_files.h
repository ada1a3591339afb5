// The files of one machine under /proc and /sys, or of a copy of them below another directory. Errors name
// the file by the path that was opened.
#ifndef NUMASIM_WORKLOADS_MACHINE_SYSTEM_FILES_H_
#define NUMASIM_WORKLOADS_MACHINE_SYSTEM_FILES_H_

#include <cstdint>
#include <optional>
#include <set>
#include <string>
#include <utility>
#include <vector>

#include "absl/status/statusor.h"
#include "absl/strings/string_view.h"

namespace numasim::workloads {

class SystemFiles {
 public:
  // `root` is the directory that has proc/ and sys/; empty stands for /.
  explicit SystemFiles(std::string root) : root_(std::move(root)) {}

  std::string PathOf(absl::string_view path) const;

  // The whole file. NotFound, PermissionDenied or Unavailable if it cannot be read.
  absl::StatusOr<std::string> Read(absl::string_view path) const;

  // The whole number that is alone in the file.
  absl::StatusOr<int64_t> ReadNumber(absl::string_view path) const;

  // As above, but nothing if there is no such file: a feature the kernel was built without.
  absl::StatusOr<std::optional<std::string>> ReadIfPresent(absl::string_view path) const;
  absl::StatusOr<std::optional<int64_t>> ReadNumberIfPresent(absl::string_view path) const;
  absl::StatusOr<std::optional<std::string>> ReadChoiceIfPresent(absl::string_view path) const;

  // The paths of all files that could be read so far.
  const std::set<std::string>& files_read() const { return files_read_; }

  // The names in a directory, sorted; empty if there is no such directory.
  absl::StatusOr<std::vector<std::string>> List(absl::string_view path) const;

 private:
  std::string root_;
  mutable std::set<std::string> files_read_;
};

}  // namespace numasim::workloads

#endif  // NUMASIM_WORKLOADS_MACHINE_SYSTEM_FILES_H_
