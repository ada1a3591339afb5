#include "workloads/log_lines.h"

#include <algorithm>
#include <iterator>

#include "workloads/text.h"

namespace numasim::workloads {
namespace {

constexpr size_t kShownLines = 3;

std::string LinesText(const SkippedLines& skipped) {
  std::string text = skipped.count == 1 ? "line " : "lines ";
  for (size_t i = 0; i < skipped.first.size(); ++i) Append(text, i == 0 ? "" : ", ", skipped.first[i]);
  if (skipped.count > std::ssize(skipped.first)) text += ", ..";
  return text;
}

}  // namespace

void AddSkipped(std::vector<SkippedLines>& skipped, int64_t line, std::string_view reason) {
  auto found = std::find_if(skipped.begin(), skipped.end(),
                            [&](const SkippedLines& lines) { return lines.reason == reason; });
  if (found == skipped.end()) found = skipped.insert(found, {.reason = std::string(reason)});
  ++found->count;
  if (found->first.size() < kShownLines) found->first.push_back(line);
}

std::string SkippedText(const SkippedLines& lines, std::string_view joint) {
  return Cat(lines.count, joint, lines.reason, " (", LinesText(lines), ")");
}

std::string WhyNothingIsLeft(const std::vector<SkippedLines>& skipped) {
  std::string why;
  for (const SkippedLines& lines : skipped) Append(why, why.empty() ? ": " : ", ", SkippedText(lines, " "));
  return why;
}

absl::Status LogLines::Mistake(std::string_view what) const {
  return absl::InvalidArgumentError(Cat(name_, ":", number_, ": ", what));
}

bool LogLines::NextOfRecord(std::string_view& line) {
  if (rest_.empty() || !status_.ok()) return false;
  ++number_;
  // Not further than a line may be long: the whole file may be one.
  const size_t end = rest_.substr(0, kLongest + 1).find('\n');
  if (end == std::string_view::npos && rest_.size() > kLongest) {
    status_ = Mistake(Cat("is longer than ", kLongest, " bytes; expected ", expected_));
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
    if (SkipBlanks(line) < line.size()) return true;
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
