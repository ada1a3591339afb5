// The reference of the fields of scenarios and studies, made of their declarations in proto/: type, unit,
// range, default, allowed values, and the comment as description.
#ifndef NUMASIM_CLI_HELP_FIELD_REFERENCE_H_
#define NUMASIM_CLI_HELP_FIELD_REFERENCE_H_

#include <cstddef>
#include <ostream>
#include <string>
#include <string_view>
#include <vector>

#include "absl/status/statusor.h"

namespace numasim {

// A field as a reference shows it.
struct FieldEntry {
  std::string path;         // "kernel.thp.enabled"; of a study "study.design"
  std::string takes;        // "a size such as 64M", "one of always, madvise, never"
  std::string default_to;   // empty: there is none
  std::string description;  // the comment; of a message without one that of its type; else the source
  std::string kernel_name;  // empty: there is none
  std::string source;       // where the default comes from; empty: that is not said
};

// A message and its fields, or one field alone.
struct FieldSection {
  std::string title;  // "kernel.thp (Thp)"; of a field alone empty
  std::string description;
  std::vector<FieldEntry> fields;
};

// What is at `path` and below: a section for each message. The empty path is all there is. A message type
// that several fields hold has one section where all is shown, and else only if the path is that of such a
// field. Brackets, as in workload.script[2].copies, are passed over. The mistake names the fields that there
// are.
absl::StatusOr<std::vector<FieldSection>> FieldsAt(std::string_view path);

// All paths that FieldsAt() shows without an argument.
std::vector<std::string> FieldPaths();

// `width` in characters; 0: any.
void PrintFields(const std::vector<FieldSection>& sections, size_t width, std::ostream& out);
void PrintFieldsMarkdown(const std::vector<FieldSection>& sections, std::ostream& out);

}  // namespace numasim

#endif  // NUMASIM_CLI_HELP_FIELD_REFERENCE_H_
