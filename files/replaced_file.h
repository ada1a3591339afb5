// A file that its users see whole or not at all. It is written as NAME.partial beside its target and takes
// the target's place when it is complete: until then, and if the writer fails or is killed, what was there
// before stays.
//
//   - While it is written it is locked: a second writer of the same name is refused.
//   - A target that is a link is followed, so the link stays.
//   - A target that is no regular file (a pipe, /dev/null), or that is the program's own standard output, is
//     written directly: there is nothing to be put in its place. A fifo that no program reads is refused.
#ifndef NUMASIM_FILES_REPLACED_FILE_H_
#define NUMASIM_FILES_REPLACED_FILE_H_

#include <cstdint>
#include <memory>
#include <string>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "absl/strings/string_view.h"

namespace numasim {

// What is written instead of `path` until it is complete: links are followed.
std::string PartialPath(const std::string& path);

// Every status is the reason alone, without the path, such as "No space left on device".
class ReplacedFile {
 public:
  static absl::StatusOr<std::unique_ptr<ReplacedFile>> Create(const std::string& path);

  ReplacedFile(const ReplacedFile&) = delete;
  ReplacedFile& operator=(const ReplacedFile&) = delete;
  ~ReplacedFile();  // discards what is neither committed nor kept

  absl::Status Append(absl::string_view bytes);

  // Bytes behind the end that stand in for what is to come: whatever is written next takes their place. They
  // are what a reader of a killed run finds last. Nothing is written where a file is written directly.
  absl::Status SetTail(absl::string_view bytes);

  // Puts the file, without a tail, in its target's place, with the permissions of what it replaces.
  absl::Status Commit();

  // Leaves it under its partial name for good.
  absl::Status Keep();

  // Removes it.
  void Discard();

  bool direct() const { return partial_.empty(); }
  // Where the bytes are before Commit; the path as given if they are written directly.
  const std::string& place() const { return direct() ? path_ : partial_; }
  uint64_t size() const { return size_; }  // without the tail

 private:
  explicit ReplacedFile(std::string path) : path_(std::move(path)) {}

  absl::Status OpenDirectly(int descriptor);
  absl::Status OpenPartial();
  // A new try is needed if another writer has just renamed or removed the file that was opened.
  absl::StatusOr<bool> TryPartial();
  absl::Status WriteAt(uint64_t offset, absl::string_view bytes);
  absl::Status CutTo(uint64_t end);
  absl::Status Close();

  const std::string path_;  // as given
  std::string target_;      // without links
  std::string partial_;     // empty: written directly
  int descriptor_ = -1;
  uint64_t size_ = 0;
  uint64_t end_ = 0;  // with the tail
};

}  // namespace numasim

#endif  // NUMASIM_FILES_REPLACED_FILE_H_
