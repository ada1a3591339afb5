// The forms in which `numasim compare` shows a comparison.
#ifndef NUMASIM_CLI_COMPARE_COMPARE_FORMAT_H_
#define NUMASIM_CLI_COMPARE_COMPARE_FORMAT_H_

#include <cstddef>
#include <ostream>
#include <string>
#include <vector>

#include "cli/compare/comparison.h"

namespace numasim {

struct CompareReport {
  std::string base_path;  // as given
  std::string changed_path;
  const Side& base;
  const Side& changed;
  const CompareRules& rules;
  const Comparison& comparison;
  std::vector<std::string> notes;  // on what was compared, a sentence each
  size_t width = 0;                // of a line, text only; 0: any
};

void CompareText(const CompareReport& report, std::ostream& out);
void CompareMarkdown(const CompareReport& report, std::ostream& out);
// One object with every metric.
void CompareJson(const CompareReport& report, std::ostream& out);

}  // namespace numasim

#endif  // NUMASIM_CLI_COMPARE_COMPARE_FORMAT_H_
