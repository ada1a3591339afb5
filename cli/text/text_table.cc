#include "cli/text/text_table.h"

#include <algorithm>

#include "absl/strings/str_cat.h"

namespace numasim {

std::string PadLeft(absl::string_view text, size_t width) {
  return absl::StrCat(std::string(width - std::min(width, text.size()), ' '), text);
}

std::string PadRight(absl::string_view text, size_t width) {
  return absl::StrCat(text, std::string(width - std::min(width, text.size()), ' '));
}

std::vector<std::vector<size_t>> FoldColumns(const std::vector<size_t>& widths, size_t room) {
  std::vector<std::vector<size_t>> groups;
  size_t used = 0;
  for (size_t i = 0; i < widths.size(); ++i) {
    used += 2 + widths[i];
    if (groups.empty() || (room > 0 && used > room)) {
      groups.emplace_back();
      used = 2 + widths[i];
    }
    groups.back().push_back(i);
  }
  return groups;
}

size_t RoomBehind(size_t first_column, size_t width) {
  return width == 0 ? 0 : std::max<size_t>(1, width - std::min(width, first_column));
}

void PrintFolded(std::string line, size_t indent, size_t width, std::ostream& out) {
  while (width > indent && line.size() > width) {
    size_t end = line.rfind(' ', width);
    if (end == std::string::npos || end <= indent) end = line.find(' ', width);
    if (end == std::string::npos) break;
    out << line.substr(0, end) << "\n";
    line = std::string(indent, ' ') + line.substr(end + 1);
  }
  out << line << "\n";
}

void Table::Print(size_t width, std::ostream& out) const {
  std::vector<size_t> widths;
  for (const std::vector<std::string>& row : rows_) {
    widths.resize(std::max(widths.size(), row.size()), 0);
    for (size_t i = 0; i < row.size(); ++i) widths[i] = std::max(widths[i], row[i].size());
  }
  const std::vector<size_t> others(widths.begin() + 1, widths.end());
  bool first = true;
  for (const std::vector<size_t>& group : FoldColumns(others, RoomBehind(2 + widths[0], width))) {
    if (!std::exchange(first, false)) out << "\n";
    for (const std::vector<std::string>& row : rows_) {
      out << "  " << PadRight(row[0], widths[0]);
      for (const size_t i : group) out << "  " << PadLeft(row[i + 1], others[i]);
      out << "\n";
    }
  }
}

}  // namespace numasim
