// The reference of the script language's operations, made of their declarations.
#ifndef NUMASIM_CLI_HELP_OPERATION_REFERENCE_H_
#define NUMASIM_CLI_HELP_OPERATION_REFERENCE_H_

#include <cstddef>
#include <ostream>
#include <string>
#include <string_view>
#include <vector>

#include "absl/status/statusor.h"
#include "workloads/operation_table.h"

namespace numasim {

struct OperationEntry {
  std::string_view name;
  std::string form;
  std::vector<workloads::FieldMeaning> meanings;
  workloads::LineHelp help;
};

// The machine line and all operations, those of one topic together.
std::vector<OperationEntry> AllOperations();

// Each name once, in the order of the alphabet.
std::vector<std::string> OperationNames();

// Those of that name: a process and the system may both have one. The mistake names what there is.
absl::StatusOr<std::vector<OperationEntry>> OperationsNamed(const std::string& name);

// The form and what it does of each, by topic. `width` in characters; 0: any.
void ListOperations(const std::vector<OperationEntry>& entries, size_t width, std::ostream& out);

// All that is known of each.
void PrintOperations(const std::vector<OperationEntry>& entries, size_t width, std::ostream& out);
void PrintOperationsMarkdown(const std::vector<OperationEntry>& entries, std::ostream& out);

}  // namespace numasim

#endif  // NUMASIM_CLI_HELP_OPERATION_REFERENCE_H_
