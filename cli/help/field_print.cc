// The reference of fields as text and as Markdown.
#include <string>
#include <utility>

#include "absl/strings/str_replace.h"
#include "cli/help/field_reference.h"
#include "cli/text/text_table.h"
#include "workloads/text.h"

namespace numasim {
namespace {

using workloads::Cat;

// What is known of the field beside what it takes, one after another.
std::string Sentences(const FieldEntry& field) {
  std::string text = field.description;
  const auto add = [&text](std::string_view what, const std::string& value) {
    if (!value.empty())
      workloads::Append(text, text.empty() ? "" : text.ends_with('.') ? " " : ". ", what, value, ".");
  };
  add("The kernel's ", field.kernel_name);
  add("Source: ", field.source);
  return text;
}

void PrintField(const FieldEntry& field, size_t width, std::ostream& out) {
  PrintFolded(Cat("  ", field.path, ": ", field.takes,
                  field.default_to.empty() ? "" : Cat("; default ", field.default_to)),
              6, width, out);
  const std::string sentences = Sentences(field);
  if (!sentences.empty()) PrintFolded(Cat("      ", sentences), 6, width, out);
}

// A text in a cell of a table.
std::string Cell(const std::string& text) { return absl::StrReplaceAll(text, {{"|", "\\|"}}); }

// The last name of a path.
std::string_view LastName(std::string_view path) { return path.substr(path.rfind('.') + 1); }

void PrintRow(const FieldEntry& field, std::ostream& out) {
  out << "| `" << LastName(field.path) << "` | " << Cell(field.takes) << " | "
      << (field.default_to.empty() ? "" : Cat("`", field.default_to, "`")) << " | " << Cell(Sentences(field))
      << " |\n";
}

}  // namespace

void PrintFields(const std::vector<FieldSection>& sections, size_t width, std::ostream& out) {
  bool first = true;
  for (const FieldSection& section : sections) {
    if (!std::exchange(first, false)) out << "\n";
    if (!section.title.empty()) PrintFolded(section.title, 2, width, out);
    if (!section.description.empty()) PrintFolded(Cat("  ", section.description), 2, width, out);
    for (const FieldEntry& field : section.fields) PrintField(field, width, out);
  }
}

void PrintFieldsMarkdown(const std::vector<FieldSection>& sections, std::ostream& out) {
  for (const FieldSection& section : sections) {
    if (!section.title.empty()) out << "\n## " << section.title << "\n\n";
    if (!section.description.empty()) out << section.description << "\n\n";
    out << "| field | takes | default | is |\n| --- | --- | --- | --- |\n";
    for (const FieldEntry& field : section.fields) PrintRow(field, out);
  }
}

}  // namespace numasim
