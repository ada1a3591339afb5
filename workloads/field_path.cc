#include "workloads/field_path.h"

#include <algorithm>
#include <optional>

#include "absl/status/status.h"
#include "absl/strings/ascii.h"
#include "workloads/nearest_name.h"
#include "workloads/text.h"
#include "workloads/text_message.h"
#include "workloads/units.h"

namespace numasim::workloads {
namespace {

using google::protobuf::FieldDescriptor;
using google::protobuf::Message;
using google::protobuf::Reflection;

// A field's name with what stands behind it in brackets.
struct Part {
  std::string_view name;
  std::optional<std::string_view> chosen;
  std::string_view upto;  // the path up to the end of this part
};

absl::Status Mistake(std::string_view path, std::string_view what) {
  return absl::InvalidArgumentError(Cat(path, ": ", what));
}

absl::Status Malformed(std::string_view path) {
  return absl::InvalidArgumentError(Cat(Quoted(path),
                                        " is no path; expected names of fields with dots between, such as "
                                        "workload.script[guests].copies"));
}

// Takes the first part off `rest`, which is the end of `path`.
absl::StatusOr<Part> TakePart(std::string_view path, std::string_view& rest) {
  Part part;
  const auto is_name = [](unsigned char c) { return absl::ascii_isalnum(c) || c == '_'; };
  const auto end = static_cast<size_t>(std::find_if_not(rest.begin(), rest.end(), is_name) - rest.begin());
  part.name = rest.substr(0, end);
  rest.remove_prefix(end);
  if (part.name.empty()) return Malformed(path);
  if (ConsumePrefix(rest, "[")) {
    const size_t close = rest.find(']');
    if (close == std::string_view::npos || close == 0) return Malformed(path);
    part.chosen = rest.substr(0, close);
    rest.remove_prefix(close + 1);
  }
  part.upto = path.substr(0, path.size() - rest.size());
  if (rest.empty()) return part;
  if (!ConsumePrefix(rest, ".") || rest.empty()) return Malformed(path);
  return part;
}

// The names of a repeated field's messages, "" of one without; nothing if its type has none.
std::vector<std::string> NamesOf(const Message& message, const FieldDescriptor* field) {
  std::vector<std::string> names;
  if (field->message_type() == nullptr) return names;
  const FieldDescriptor* const name = field->message_type()->FindFieldByName("name");
  if (name == nullptr || name->is_repeated() || name->cpp_type() != FieldDescriptor::CPPTYPE_STRING)
    return names;
  const Reflection& reflection = *message.GetReflection();
  for (int i = 0; i < reflection.FieldSize(message, field); ++i) {
    const Message& nested = reflection.GetRepeatedMessage(message, field, i);
    names.push_back(nested.GetReflection()->GetString(nested, name));
  }
  return names;
}

// "there are 3; expected [0] to [2], or by name [guests], [other]".
std::string WhatThereIs(int size, const std::vector<std::string>& names, std::string_view given) {
  if (size == 0) return "there is none of it; expected a field that is written, or one that is not repeated";
  std::string text = Cat("there ", size == 1 ? "is " : "are ", size, "; expected ",
                         size == 1 ? "[0]" : Cat("[0] to [", size - 1, "]"));
  std::vector<std::string_view> named;
  for (const std::string& name : names) {
    if (!name.empty()) named.push_back(name);
  }
  constexpr size_t kShown = 20;
  if (!named.empty()) {
    const std::vector<std::string_view> shown(
        named.begin(), named.begin() + static_cast<std::ptrdiff_t>(std::min(kShown, named.size())));
    Append(text, ", or by name [", Join(shown, "], ["), shown.size() < named.size() ? "], .." : "]",
           DidYouMean(given, named));
  }
  return text;
}

// Which value of a repeated field is chosen.
absl::StatusOr<int> FindIndex(const Message& message, const FieldDescriptor* field, const Part& part) {
  const int size = message.GetReflection()->FieldSize(message, field);
  const std::vector<std::string> names = NamesOf(message, field);
  if (const absl::StatusOr<int64_t> number = ParseCount(*part.chosen); number.ok() && *number < size)
    return static_cast<int>(*number);
  const auto named = std::find(names.begin(), names.end(), *part.chosen);
  if (named != names.end()) return static_cast<int>(named - names.begin());
  return Mistake(part.upto, WhatThereIs(size, names, *part.chosen));
}

absl::StatusOr<FieldStep> FindStep(const Message& message, const Part& part, bool last) {
  const FieldDescriptor* const field = message.GetDescriptor()->FindFieldByName(std::string(part.name));
  if (field == nullptr)
    return absl::InvalidArgumentError(NotAField(*message.GetDescriptor(), part.upto, part.name));
  const bool is_message = field->message_type() != nullptr;
  if (last && is_message) {
    return Mistake(part.upto,
                   Cat("is a message; expected one of its fields, ", FieldNames(*field->message_type())));
  }
  if (!last && !is_message)
    return Mistake(part.upto, "is a value and has no fields; expected no more behind it");
  if (!field->is_repeated()) {
    if (part.chosen) return Mistake(part.upto, "there is only one of it; expected it without [..]");
    return FieldStep{field, -1};
  }
  if (!part.chosen) {
    if (!is_message) return FieldStep{field, -1};
    const int size = message.GetReflection()->FieldSize(message, field);
    return Mistake(part.upto, Cat("does not say which; ", WhatThereIs(size, NamesOf(message, field), "")));
  }
  const absl::StatusOr<int> index = FindIndex(message, field, part);
  if (!index.ok()) return index.status();
  return FieldStep{field, *index};
}

const Message& Nested(const Message& message, const FieldStep& step) {
  const Reflection& reflection = *message.GetReflection();
  return step.index < 0 ? reflection.GetMessage(message, step.field)
                        : reflection.GetRepeatedMessage(message, step.field, step.index);
}

}  // namespace

absl::StatusOr<FieldPath> FindField(const Message& root, std::string_view path) {
  FieldPath steps;
  const Message* message = &root;
  std::string_view rest = path;
  do {
    const absl::StatusOr<Part> part = TakePart(path, rest);
    if (!part.ok()) return part.status();
    const absl::StatusOr<FieldStep> step = FindStep(*message, *part, /*last=*/rest.empty());
    if (!step.ok()) return step.status();
    steps.push_back(*step);
    if (!rest.empty()) message = &Nested(*message, *step);
  } while (!rest.empty());
  return steps;
}

std::string FieldPathText(const FieldPath& path) {
  std::string text;
  for (const FieldStep& step : path) {
    Append(text, text.empty() ? "" : ".", step.field->name());
    if (step.index >= 0) Append(text, "[", step.index, "]");
  }
  return text;
}

}  // namespace numasim::workloads
