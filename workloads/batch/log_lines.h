// LogLines: goes through the lines of a log's text. What it gives are views of the text, which must outlive
// them. Lives where it is used.
#ifndef NUMASIM_WORKLOADS_BATCH_LOG_LINES_H_
#define NUMASIM_WORKLOADS_BATCH_LOG_LINES_H_

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "absl/status/status.h"

namespace numasim::workloads {

class LogLines {
 public:
  // No line of a log that anybody has is near to this.
  static constexpr size_t kLongest = size_t{1} << 16;

  // `name` is the file's, for messages.
  LogLines(std::string name, std::string_view text) : name_(std::move(name)), rest_(text) {}

  // Takes the next line that is not blank, without its end ("\n" or "\r\n"). False at the end, and after a
  // line that is too long or holds a NUL byte: status() tells of that.
  bool Next(std::string_view& line);
  // As Next, blank or not: the rest of a record that goes over several lines.
  bool NextOfRecord(std::string_view& line);
  // Of the line that Next gave last, from 1.
  int64_t number() const { return number_; }
  const absl::Status& status() const { return status_; }
  const std::string& name() const { return name_; }
  // "FILE:LINE: WHAT", of the line that Next gave last.
  absl::Status Mistake(std::string_view what) const;

 private:
  std::string name_;
  std::string_view rest_;
  int64_t number_ = 0;
  absl::Status status_;
};

// The parts of a line between blanks and tabs.
void SplitAtBlanks(std::string_view line, std::vector<std::string_view>& fields);

}  // namespace numasim::workloads

#endif  // NUMASIM_WORKLOADS_BATCH_LOG_LINES_H_
