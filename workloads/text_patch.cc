#include "workloads/text_patch.h"

#include <algorithm>
#include <memory>
#include <utility>

#include "absl/status/status.h"
#include "absl/strings/escaping.h"
#include "absl/strings/str_cat.h"
#include "google/protobuf/descriptor.h"
#include "workloads/field_path.h"
#include "workloads/text.h"
#include "workloads/text_message.h"
#include "workloads/text_outline.h"
#include "workloads/units.h"

namespace numasim::workloads {
namespace {

using google::protobuf::FieldDescriptor;
using google::protobuf::Message;
using google::protobuf::OneofDescriptor;

// A setting whose field was found.
struct Change {
  const FieldSetting* setting = nullptr;
  FieldPath path;
  std::string value;  // as TextFormat has it
};

absl::Status MistakeIn(const FieldSetting& setting, std::string_view what) {
  return absl::InvalidArgumentError(Cat(setting.given, ": ", what));
}

// What is neither a text nor a list is one word: nothing that could be more than a value gets into the text.
bool IsWord(std::string_view value) {
  return !value.empty() && value.find_first_not_of(
                               "0123456789abcdefghijklmnopqrstuvwxyz"
                               "ABCDEFGHIJKLMNOPQRSTUVWXYZ+-._") == std::string_view::npos;
}

const char* ExpectedOf(const FieldDescriptor* field) {
  switch (field->cpp_type()) {
    case FieldDescriptor::CPPTYPE_BOOL:
      return "true or false";
    case FieldDescriptor::CPPTYPE_ENUM:
      return "a name of the enumeration";
    case FieldDescriptor::CPPTYPE_DOUBLE:
    case FieldDescriptor::CPPTYPE_FLOAT:
      return "a number";
    default:
      return "a whole number";
  }
}

// One value as TextFormat has it.
absl::StatusOr<std::string> OneValueText(const FieldSetting& setting, const FieldDescriptor* field,
                                         std::string_view value) {
  if (field->cpp_type() == FieldDescriptor::CPPTYPE_STRING)
    return Cat("\"", absl::Utf8SafeCEscape(ForAbsl(value)), "\"");
  if (!IsWord(value))
    return MistakeIn(setting,
                     Cat(Quoted(value), " is no value of ", field->name(), "; expected ", ExpectedOf(field)));
  return std::string(value);
}

absl::StatusOr<std::string> ValueText(const FieldSetting& setting, const FieldStep& step) {
  const std::string_view value = setting.value;
  if (!step.field->is_repeated() || step.index >= 0) return OneValueText(setting, step.field, value);
  std::vector<std::string_view> parts = {value};
  if (value.starts_with('[') && value.ends_with(']')) {
    const std::string_view inside = Trim(value.substr(1, value.size() - 2));
    if (inside.empty()) return std::string("[]");
    parts = Split(inside, ',');
  }
  std::string list;
  for (const std::string_view part : parts) {
    const absl::StatusOr<std::string> one = OneValueText(setting, step.field, Trim(part));
    if (!one.ok()) return one.status();
    Append(list, list.empty() ? "[" : ", ", *one);
  }
  return list + "]";
}

// Whether the field takes the value, by its type and its knob. Tried in a message of its own, so that what is
// said is said of the setting and not of a place in a text that nobody sees.
absl::Status TryValue(const Message& root, const FieldSetting& setting, const FieldStep& step,
                      const std::string& value) {
  const google::protobuf::Descriptor* const type = step.field->containing_type();
  google::protobuf::MessageFactory* const factory = root.GetReflection()->GetMessageFactory();
  const std::unique_ptr<Message> message(factory->GetPrototype(type)->New());
  TextMessage text;
  absl::Status status = text.Parse("", Cat(step.field->name(), ": ", value), *message);
  if (status.ok()) status = CheckKnobs(text.View());
  if (status.ok()) return status;
  // ":1:9: copies: '-1' is ..."
  const std::string_view said = FromAbsl(status.message());
  const size_t place_end = said.find(": ");
  return MistakeIn(setting, place_end == std::string_view::npos ? said : said.substr(place_end + 2));
}

absl::StatusOr<std::vector<Change>> FindChanges(const Message& root,
                                                const std::vector<FieldSetting>& settings) {
  std::vector<Change> changes;
  for (const FieldSetting& setting : settings) {
    absl::StatusOr<FieldPath> path = FindField(root, setting.path);
    if (!path.ok()) return MistakeIn(setting, FromAbsl(path.status().message()));
    absl::StatusOr<std::string> value = ValueText(setting, path->back());
    if (!value.ok()) return value.status();
    if (absl::Status status = TryValue(root, setting, path->back(), *value); !status.ok()) return status;
    changes.push_back({&setting, *std::move(path), *std::move(value)});
  }
  return changes;
}

// Two changes of which the later undoes the earlier: the same field, or fields that exclude each other.
bool Clash(const FieldPath& a, const FieldPath& b) {
  for (size_t i = 0; i < std::min(a.size(), b.size()); ++i) {
    if (a[i].field == b[i].field && a[i].index == b[i].index) continue;
    // All of a repeated field, and one value of it.
    if (a[i].field == b[i].field) return a[i].index < 0 || b[i].index < 0;
    const OneofDescriptor* const oneof = a[i].field->real_containing_oneof();
    return oneof != nullptr && oneof == b[i].field->real_containing_oneof();
  }
  return true;
}

absl::Status CheckClashes(const std::vector<Change>& changes) {
  for (size_t i = 0; i < changes.size(); ++i) {
    for (size_t j = 0; j < i; ++j) {
      if (!Clash(changes[i].path, changes[j].path)) continue;
      const std::string first = FieldPathText(changes[j].path);
      return MistakeIn(*changes[i].setting, Cat("sets again what ", changes[j].setting->given, " sets (",
                                                first, "); expected one of them only"));
    }
  }
  return absl::OkStatus();
}

// "thp { enabled: "never" }": what stands for the steps from `first` on.
std::string Statement(const FieldPath& path, size_t first, const std::string& value) {
  const std::string& name = path[first].field->name();
  if (first + 1 == path.size()) return Cat(name, ": ", value);
  return Cat(name, " { ", Statement(path, first + 1, value), " }");
}

// The text with another one in a part's place, on as many lines as before.
std::string Replaced(const std::string& text, const TextRange& part, const std::string& by) {
  const std::string_view old = std::string_view(text).substr(part.begin, part.end - part.begin);
  const auto lines = static_cast<size_t>(std::count(old.begin(), old.end(), '\n'));
  return Cat(std::string_view(text).substr(0, part.begin), by, std::string(lines, '\n'),
             std::string_view(text).substr(part.end));
}

std::string Inserted(const std::string& text, const OutlinedMessage& message, const std::string& statement) {
  const std::string_view before = std::string_view(text).substr(0, message.inside);
  const std::string_view behind = std::string_view(text).substr(message.inside);
  const bool spaced = behind.starts_with(' ') || behind.starts_with('\n') || behind.starts_with('\r');
  return Cat(before, message.inside == 0 ? "" : " ", statement, spaced ? "" : " ", behind);
}

bool IsWritten(const OutlinedMessage& message, const FieldDescriptor* field) {
  return std::any_of(message.fields.begin(), message.fields.end(),
                     [&](const OutlinedField& written) { return written.name == field->name(); });
}

// Values of the field, through all places where it is written.
std::vector<const OutlinedValue*> ValuesOf(const OutlinedMessage& message, const FieldDescriptor* field) {
  std::vector<const OutlinedValue*> values;
  for (const OutlinedField& written : message.fields) {
    if (written.name != field->name()) continue;
    for (const OutlinedValue& value : written.value) values.push_back(&value);
  }
  return values;
}

// Puts the list where the field is written first, and takes it away everywhere else.
std::string WithList(std::string text, const OutlinedMessage& message, const Change& change) {
  const std::string& name = change.path.back().field->name();
  const auto first = std::find_if(message.fields.begin(), message.fields.end(),
                                  [&](const OutlinedField& field) { return field.name == name; });
  // From the end, so that places before stay what they are.
  for (auto at = message.fields.rbegin(); at != message.fields.rend(); ++at) {
    if (at->name != name) continue;
    if (at.base() - 1 == first) return Replaced(text, at->values, change.value);
    text = Replaced(text, at->range, "");
  }
  return text;
}

// Sets what the path's steps from `first` on name in `message`, none of which is written yet.
std::string WithNew(const std::string& text, const OutlinedMessage& message, const Change& change,
                    size_t first) {
  const std::string statement = Statement(change.path, first, change.value);
  const OneofDescriptor* const oneof = change.path[first].field->real_containing_oneof();
  for (int i = 0; oneof != nullptr && i < oneof->field_count(); ++i) {
    for (const OutlinedField& other : message.fields) {
      if (other.name == oneof->field(i)->name()) return Replaced(text, other.range, statement);
    }
  }
  return Inserted(text, message, statement);
}

std::string Applied(const std::string& text, const Change& change) {
  const OutlinedMessage root = OutlineText(text);
  const OutlinedMessage* message = &root;
  for (size_t i = 0; i < change.path.size(); ++i) {
    const FieldStep& step = change.path[i];
    const std::vector<const OutlinedValue*> values = ValuesOf(*message, step.field);
    const bool last = i + 1 == change.path.size();
    // A list that is written may be empty.
    if (last && step.field->is_repeated() && step.index < 0 && IsWritten(*message, step.field))
      return WithList(text, *message, change);
    if (values.empty()) return WithNew(text, *message, change, i);
    const OutlinedValue& value = *values[static_cast<size_t>(std::max(step.index, 0))];
    if (last) return Replaced(text, value.range, change.value);
    message = value.message.get();
  }
  return text;
}

}  // namespace

absl::StatusOr<FieldSetting> ParseFieldSetting(std::string_view option, std::string_view text) {
  const size_t equals = text.find('=');
  if (equals == std::string_view::npos || equals == 0) {
    return absl::InvalidArgumentError(Cat(option, " ", text,
                                          ": is no setting; expected PATH=VALUE, such as "
                                          "workload.script[guests].copies=4"));
  }
  return FieldSetting{.given = Cat(option, " ", text),
                      .path = std::string(text.substr(0, equals)),
                      .value = std::string(text.substr(equals + 1))};
}

absl::StatusOr<std::string> PatchText(const std::string& file, const std::string& text, const Message& type,
                                      const std::vector<FieldSetting>& settings) {
  const std::unique_ptr<Message> message(type.New());
  TextMessage original;
  if (absl::Status status = original.Parse(file, text, *message); !status.ok()) return status;
  const absl::StatusOr<std::vector<Change>> changes = FindChanges(*message, settings);
  if (!changes.ok()) return changes.status();
  if (absl::Status status = CheckClashes(*changes); !status.ok()) return status;
  std::string patched = text;
  for (const Change& change : *changes) patched = Applied(patched, change);
  return patched;
}

absl::Status WithSettings(const absl::Status& status, const std::vector<FieldSetting>& settings) {
  if (status.ok() || settings.empty()) return status;
  std::string given;
  for (const FieldSetting& setting : settings) Append(given, given.empty() ? "with " : ", ", setting.given);
  return absl::Status(status.code(), absl::StrCat(given, ": ", status.message()));
}

}  // namespace numasim::workloads
