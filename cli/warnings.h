// Warnings: what a run does not do that its input asks for, told on stderr. They change no exit status.
#ifndef NUMASIM_CLI_WARNINGS_H_
#define NUMASIM_CLI_WARNINGS_H_

#include <ostream>
#include <string>
#include <vector>

namespace numasim {

// One line each.
inline void PrintWarnings(const std::vector<std::string>& warnings, std::ostream& out) {
  for (const std::string& warning : warnings) out << "numasim: warning: " << warning << "\n";
}

}  // namespace numasim

#endif  // NUMASIM_CLI_WARNINGS_H_
