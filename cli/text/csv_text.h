// Cells of CSV tables.
#ifndef NUMASIM_CLI_TEXT_CSV_TEXT_H_
#define NUMASIM_CLI_TEXT_CSV_TEXT_H_

#include <string>
#include <vector>

namespace numasim {

// As RFC 4180 quotes.
std::string CsvField(const std::string& text);

// A line of such cells, with its end.
std::string CsvLine(const std::vector<std::string>& cells);

// The shortest text that reads back as the same number; whole numbers without an exponent.
std::string CsvNumber(double value);

}  // namespace numasim

#endif  // NUMASIM_CLI_TEXT_CSV_TEXT_H_
