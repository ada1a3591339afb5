#include "workloads/batch/log_lines.h"

#include "workloads/text.h"

namespace numasim::workloads {

absl::Status LogLines::Mistake(std::string_view what) const {
  return absl::InvalidArgumentError(Cat(name_, ":", number_, ": ", what));
}

bool LogLines::NextOfRecord(std::string_view& line) {
  if (rest_.empty() || !status_.ok()) return false;
  ++number_;
  // Not further than a line may be long: the whole file may be one.
  const size_t end = rest_.substr(0, kLongest + 1).find('\n');
  if (end == std::string_view::npos && rest_.size() > kLongest) {
    status_ = Mistake(Cat("is longer than ", kLongest, " bytes; expected a log with a line for each job"));
    return false;
  }
  line = rest_.substr(0, end);
  rest_.remove_prefix(end == std::string_view::npos ? rest_.size() : end + 1);
  if (line.ends_with('\r')) line.remove_suffix(1);
  if (line.find('\0') == std::string_view::npos) return true;
  status_ = Mistake("holds a NUL byte; expected text, not a binary file");
  return false;
}

bool LogLines::Next(std::string_view& line) {
  while (NextOfRecord(line)) {
    if (line.find_first_not_of(" \t") != std::string_view::npos) return true;
  }
  return false;
}

void SplitAtBlanks(std::string_view line, std::vector<std::string_view>& fields) {
  constexpr std::string_view kBlanks = " \t";
  fields.clear();
  for (size_t at = line.find_first_not_of(kBlanks); at != std::string_view::npos;) {
    const size_t end = line.find_first_of(kBlanks, at);
    fields.push_back(line.substr(at, end - at));
    at = line.find_first_not_of(kBlanks, end);
  }
}

}  // namespace numasim::workloads
