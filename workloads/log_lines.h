// What all readers of logs and traces share: LogLines goes through the lines of the text, and SkippedLines
// tells of those that could not be used. What LogLines gives are views of the text, which must outlive them.
// Lives where it is used.
#ifndef NUMASIM_WORKLOADS_LOG_LINES_H_
#define NUMASIM_WORKLOADS_LOG_LINES_H_

#include <cstdint>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "absl/status/status.h"

namespace numasim::workloads {

class LogLines {
 public:
  // No line of a log that anybody has is near to this.
  static constexpr size_t kLongest = size_t{1} << 16;

  // `name` is the file's, for messages, and `expected` what it should be.
  LogLines(std::string name, std::string_view text,
           std::string_view expected = "a log with a line for each job")
      : name_(std::move(name)), rest_(text), expected_(expected) {}

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
  std::string_view expected_;
  int64_t number_ = 0;
  absl::Status status_;
};

// Lines that were of no use, for one reason.
struct SkippedLines {
  std::string reason;  // reads on after "the line": "has no run time"
  int64_t count = 0;
  std::vector<int64_t> first = {};  // line numbers, a few
};

// One more, at its place in the order of the reasons' first lines.
void AddSkipped(std::vector<SkippedLines>& skipped, int64_t line, std::string_view reason);
// "12 has no run time (lines 3, 4, 9, ..)", the count with `joint` behind it: " that ".
std::string SkippedText(const SkippedLines& lines, std::string_view joint);
// Of a file in which nothing is left, ": 3 has no run time (line 1, ..), ..": the reasons why; "" for none.
std::string WhyNothingIsLeft(const std::vector<SkippedLines>& skipped);

// Where the first character that is neither blank nor tab stands; the line's size if there is none. A loop,
// as lines are many and blanks in front of them few: find_first_not_of() makes a call for each.
inline size_t SkipBlanks(std::string_view line) {
  size_t at = 0;
  while (at < line.size() && (line[at] == ' ' || line[at] == '\t')) ++at;
  return at;
}

// The parts of a line between blanks and tabs.
void SplitAtBlanks(std::string_view line, std::vector<std::string_view>& fields);

}  // namespace numasim::workloads

#endif  // NUMASIM_WORKLOADS_LOG_LINES_H_
