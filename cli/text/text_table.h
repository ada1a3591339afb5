// Text in columns for people, folded where a line is too narrow for it.
#ifndef NUMASIM_CLI_TEXT_TEXT_TABLE_H_
#define NUMASIM_CLI_TEXT_TEXT_TABLE_H_

#include <cstddef>
#include <ostream>
#include <string>
#include <utility>
#include <vector>

#include "absl/strings/string_view.h"

namespace numasim {

// With blanks before it, or behind it, up to `width` characters.
std::string PadLeft(absl::string_view text, size_t width);
std::string PadRight(absl::string_view text, size_t width);

// Splits columns of these widths, each with a gap of two before it, into as many lines' worth as are needed
// to fit `room`. Each gets one at least. `room` 0: all fit.
std::vector<std::vector<size_t>> FoldColumns(const std::vector<size_t>& widths, size_t room);

// What is left of a line of `width` (0: any) behind its first column, for FoldColumns().
size_t RoomBehind(size_t first_column, size_t width);

// A line, and where it is too long for `width` (0: any) more, indented, that begin at a word.
void PrintFolded(std::string line, size_t indent, size_t width, std::ostream& out);

// Rows of cells, each column as wide as its widest cell, the first to the left. What does not fit beside it
// follows below.
class Table {
 public:
  void AddRow(std::vector<std::string> cells) { rows_.push_back(std::move(cells)); }
  // `width` in characters; 0: any. There is a row at least.
  void Print(size_t width, std::ostream& out) const;

 private:
  std::vector<std::vector<std::string>> rows_;
};

}  // namespace numasim

#endif  // NUMASIM_CLI_TEXT_TEXT_TABLE_H_
