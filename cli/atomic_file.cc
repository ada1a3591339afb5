#include "cli/atomic_file.h"

#include <filesystem>
#include <memory>
#include <system_error>

#include "absl/status/statusor.h"
#include "absl/strings/str_cat.h"
#include "files/replaced_file.h"

namespace numasim {

absl::Status WriteFileAtomically(const std::string& path, absl::string_view contents) {
  absl::StatusOr<std::unique_ptr<ReplacedFile>> file = ReplacedFile::Create(path);
  absl::Status status = file.status();
  if (status.ok()) status = (*file)->Append(contents);
  if (status.ok()) status = (*file)->Commit();
  return status.ok() ? status : CannotBeWritten(path, status);
}

absl::Status CannotBeWritten(const std::string& path, const absl::Status& reason) {
  return {reason.code(), absl::StrCat(path, ": cannot be written: ", reason.message())};
}

absl::Status CheckIsNoInput(absl::string_view option, const std::string& output,
                            const std::vector<std::string>& inputs) {
  const std::string partial = PartialPath(output);
  for (const std::string& input : inputs) {
    std::error_code not_there;
    if (std::filesystem::equivalent(output, input, not_there)) {
      return absl::InvalidArgumentError(absl::StrCat(option, ": '", output, "' is an input of this run (",
                                                     input, "); expected another file"));
    }
    if (std::filesystem::equivalent(partial, input, not_there)) {
      return absl::InvalidArgumentError(absl::StrCat(option, ": '", output, "' is written as ", partial,
                                                     " at first, which is an input of this run (", input,
                                                     "); expected another file"));
    }
  }
  return absl::OkStatus();
}

}  // namespace numasim
