#include "cli/help/operation_reference.h"

#include <algorithm>
#include <set>

#include "absl/status/status.h"
#include "cli/text/text_table.h"
#include "workloads/line_io.h"
#include "workloads/text.h"
#include "workloads/units.h"

namespace numasim {
namespace {

using workloads::Cat;
using workloads::FieldMeaning;
using workloads::Operation;

std::string Sentences(const OperationEntry& entry) {
  return Cat(entry.help.summary, entry.help.details.empty() ? "" : " ", entry.help.details);
}

// `text` below the line that it belongs to.
void PrintIndented(std::string_view text, size_t indent, size_t width, std::ostream& out) {
  PrintFolded(Cat(std::string(indent, ' '), text), indent, width, out);
}

// Calls `title` before the first entry of each topic, and `print` for each entry.
template <class Title, class Print>
void ForEachByTopic(const std::vector<OperationEntry>& entries, Title title, Print print) {
  const OperationEntry* before = nullptr;
  for (const OperationEntry& entry : entries) {
    if (before == nullptr || before->help.topic != entry.help.topic) title(TopicTitle(entry.help.topic));
    print(entry);
    before = &entry;
  }
}

}  // namespace

std::vector<OperationEntry> AllOperations() {
  const workloads::MachineLineHelp& machine = workloads::MachineHelp();
  std::vector<OperationEntry> entries = {{"machine", machine.form(), machine.meanings(), machine.help}};
  for (const Operation& operation : workloads::Operations()) {
    entries.push_back({operation.name, operation.form(), operation.meanings(), operation.help});
  }
  std::ranges::stable_sort(entries, {}, [](const OperationEntry& entry) { return entry.help.topic; });
  return entries;
}

std::vector<std::string> OperationNames() {
  std::set<std::string> names;
  for (const OperationEntry& entry : AllOperations()) names.emplace(entry.name);
  return {names.begin(), names.end()};
}

absl::StatusOr<std::vector<OperationEntry>> OperationsNamed(const std::string& name) {
  std::vector<OperationEntry> entries = AllOperations();
  std::erase_if(entries, [&name](const OperationEntry& entry) { return entry.name != name; });
  if (!entries.empty()) return entries;
  const std::vector<std::string> names = OperationNames();
  const std::vector<std::string_view> known(names.begin(), names.end());
  return absl::InvalidArgumentError(
      Cat("NAME: ", workloads::Quoted(name), " ", workloads::NotOneOf(name, known)));
}

void ListOperations(const std::vector<OperationEntry>& entries, size_t width, std::ostream& out) {
  const auto title = [&out, first = true](std::string_view topic) mutable {
    out << (std::exchange(first, false) ? "" : "\n") << topic << "\n";
  };
  ForEachByTopic(entries, title, [width, &out](const OperationEntry& entry) {
    PrintFolded(Cat("  ", entry.form), 6, width, out);
    PrintIndented(entry.help.summary, 8, width, out);
  });
}

void PrintOperations(const std::vector<OperationEntry>& entries, size_t width, std::ostream& out) {
  bool first = true;
  for (const OperationEntry& entry : entries) {
    if (!std::exchange(first, false)) out << "\n";
    PrintFolded(entry.form, 4, width, out);
    PrintIndented(Sentences(entry), 2, width, out);
    if (!entry.meanings.empty()) out << "\n";
    size_t widest = 0;
    for (const FieldMeaning& field : entry.meanings) widest = std::max(widest, field.form.size());
    for (const FieldMeaning& field : entry.meanings)
      PrintFolded(Cat("  ", PadRight(field.form, widest), "  ", field.meaning), widest + 4, width, out);
    out << "\n  Example: " << entry.help.example << "\n";
  }
}

void PrintOperationsMarkdown(const std::vector<OperationEntry>& entries, std::ostream& out) {
  const auto title = [&out](std::string_view topic) { out << "\n## " << topic << "\n"; };
  ForEachByTopic(entries, title, [&out](const OperationEntry& entry) {
    out << "\n### `" << entry.form << "`\n\n" << Sentences(entry) << "\n";
    if (!entry.meanings.empty()) out << "\n";
    for (const FieldMeaning& field : entry.meanings)
      out << "- `" << field.form << "`: " << field.meaning << "\n";
    out << "\nExample: `" << entry.help.example << "`\n";
  });
}

}  // namespace numasim
