#include "cli/text/csv_text.h"

#include <charconv>
#include <cmath>
#include <iterator>

#include "absl/strings/str_cat.h"
#include "absl/strings/str_join.h"
#include "absl/strings/str_replace.h"

namespace numasim {

std::string CsvField(const std::string& text) {
  if (text.find_first_of(",\"\r\n") == std::string::npos) return text;
  return absl::StrCat("\"", absl::StrReplaceAll(text, {{"\"", "\"\""}}), "\"");
}

std::string CsvLine(const std::vector<std::string>& cells) {
  const auto add = [](std::string* to, const std::string& cell) { to->append(CsvField(cell)); };
  return absl::StrCat(absl::StrJoin(cells, ",", add), "\n");
}

std::string CsvNumber(double value) {
  constexpr double kExact = 9007199254740992;  // 2^53
  if (value == std::round(value) && std::abs(value) <= kExact)
    return absl::StrCat(static_cast<int64_t>(value));
  char text[32];
  const std::to_chars_result end = std::to_chars(std::begin(text), std::end(text), value);
  return {std::begin(text), end.ptr};
}

}  // namespace numasim
