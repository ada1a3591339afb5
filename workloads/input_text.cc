#include "workloads/input_text.h"

#include <algorithm>

#include "workloads/operation_table.h"
#include "workloads/text.h"
#include "workloads/units.h"

namespace numasim::workloads {
namespace {

bool IsLineOfScenario(std::string_view line) {
  const size_t end = line.find_first_of(": {<\t");
  if (end == std::string_view::npos || end == 0) return false;
  const std::string_view rest = Trim(line.substr(end));
  return rest.starts_with(':') || rest.starts_with('{') || rest.starts_with('<');
}

bool IsLineOfScript(std::string_view line) {
  if (line.starts_with('@')) return true;
  const std::string_view word = line.substr(0, line.find_first_of(" \t"));
  const bool known = word == "machine" || FindOperation(word, false) != nullptr;
  return known && !IsLineOfScenario(line);
}

}  // namespace

std::optional<TextFault> FindTextFault(std::string_view text) {
  using std::string_view_literals::operator""sv;
  if (text.starts_with("\xEF\xBB\xBF"sv))
    return TextFault{1, "begins with a byte order mark (BOM); expected plain text without it"};
  if (text.starts_with("\xFF\xFE"sv) || text.starts_with("\xFE\xFF"sv))
    return TextFault{1, "is UTF-16 text, by its byte order mark; expected UTF-8 or ASCII"};
  const size_t nul = text.find('\0');
  if (nul == std::string_view::npos) return std::nullopt;
  const auto lines = std::count(text.begin(), text.begin() + static_cast<std::ptrdiff_t>(nul), '\n');
  return TextFault{static_cast<int>(lines) + 1, "holds a NUL byte; expected text, not a binary file"};
}

std::optional<TextFault> FindOtherKind(std::string_view text, InputKind expected) {
  for (int number = 1; !text.empty(); ++number) {
    const size_t end = text.find('\n');
    const std::string_view line = Trim(text.substr(0, end));
    text.remove_prefix(end == std::string_view::npos ? text.size() : end + 1);
    if (line.empty() || line.starts_with('#')) continue;
    if (expected == InputKind::kScenario && IsLineOfScript(line)) {
      return TextFault{number, Cat(Quoted(line),
                                   " is a line of a script; expected a scenario, or the script in a file "
                                   "whose name ends in .mm")};
    }
    if (expected == InputKind::kScript && IsLineOfScenario(line)) {
      return TextFault{number, Cat(Quoted(line),
                                   " is a line of a scenario; expected a script, or the scenario in a "
                                   "file whose name ends in .textproto")};
    }
    return std::nullopt;
  }
  return std::nullopt;
}

}  // namespace numasim::workloads
