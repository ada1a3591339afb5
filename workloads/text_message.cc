#include "workloads/text_message.h"

#include <algorithm>
#include <optional>
#include <utility>

#include "absl/strings/ascii.h"
#include "google/protobuf/descriptor.h"
#include "google/protobuf/io/tokenizer.h"
#include "workloads/input_text.h"
#include "workloads/nearest_name.h"
#include "workloads/text.h"
#include "workloads/units.h"

namespace numasim::workloads {
namespace {

using google::protobuf::Descriptor;
using google::protobuf::DescriptorPool;
using google::protobuf::FieldDescriptor;
using google::protobuf::Message;
using google::protobuf::Reflection;
using google::protobuf::TextFormat;

// Keeps the first error of the parser.
class FirstError : public google::protobuf::io::ErrorCollector {
 public:
  void AddError(int line, int column, const std::string& message) override {
    if (!message_.empty()) return;
    place_ = {line + 1, column + 1};
    message_ = message;
  }

  TextPlace place() const { return place_; }
  const std::string& message() const { return message_; }

 private:
  TextPlace place_;
  std::string message_;
};

// The part of `text` between `before` and the next '"'; empty if `before` is not there.
std::string_view QuotedAfter(std::string_view text, std::string_view before) {
  const size_t begin = text.find(before);
  if (begin == std::string_view::npos) return {};
  const std::string_view rest = text.substr(begin + before.size());
  return rest.substr(0, rest.find('"'));
}

std::vector<std::string_view> NamesOfFields(const Descriptor& type) {
  std::vector<std::string_view> names;
  names.reserve(static_cast<size_t>(type.field_count()));
  for (int i = 0; i < type.field_count(); ++i) names.push_back(type.field(i)->name());
  return names;
}

// The parser's words for an unknown field, in ours and with the names there are; empty for any other message.
std::string UnknownField(const std::string& message) {
  const std::string_view type_name = QuotedAfter(message, "Message type \"");
  const std::string_view field = QuotedAfter(message, "has no field named \"");
  const Descriptor* const type =
      type_name.empty() ? nullptr
                        : DescriptorPool::generated_pool()->FindMessageTypeByName(std::string(type_name));
  if (field.empty() || type == nullptr) return {};
  return NotAField(*type, field, field);
}

// The line of the text that a place is in.
std::string_view LineAt(std::string_view text, TextPlace place) {
  for (int line = 1; line < place.line; ++line) {
    const size_t end = text.find('\n');
    if (end == std::string_view::npos) return {};
    text.remove_prefix(end + 1);
  }
  return text.substr(0, text.find('\n'));
}

// The word or number around a place, as it is written: "64G", where the parser stops at the 'G'.
std::string_view WordAt(std::string_view text, TextPlace place) {
  const auto is_part = [](unsigned char c) {
    return absl::ascii_isalnum(c) || c == '_' || c == '.' || c == '-';
  };
  const std::string_view line = LineAt(text, place);
  size_t begin = std::min(line.size(), static_cast<size_t>(std::max(0, place.column - 1)));
  size_t end = begin;
  while (begin > 0 && is_part(static_cast<unsigned char>(line[begin - 1]))) --begin;
  while (end < line.size() && is_part(static_cast<unsigned char>(line[end]))) ++end;
  return line.substr(begin, end - begin);
}

// The type of the fields of that name in the message type or one nested in it; nothing if there is no such
// field.
std::optional<FieldDescriptor::CppType> TypeOfField(const Descriptor& type, std::string_view name) {
  if (const FieldDescriptor* const field = type.FindFieldByName(std::string(name)); field != nullptr)
    return field->cpp_type();
  std::optional<FieldDescriptor::CppType> found;
  for (int i = 0; i < type.nested_type_count() && !found; ++i)
    found = TypeOfField(*type.nested_type(i), name);
  return found;
}

// The same of all message types of a file: what a parser that stopped in the middle was probably looking for.
std::optional<FieldDescriptor::CppType> TypeOfField(const google::protobuf::FileDescriptor& file,
                                                    std::string_view name) {
  std::optional<FieldDescriptor::CppType> found;
  for (int i = 0; i < file.message_type_count() && !found; ++i)
    found = TypeOfField(*file.message_type(i), name);
  return found;
}

// What is wrong with a whole number, as the parser saw it.
std::string NotAnInteger(std::string_view got, std::string_view word) {
  if (got == "-" && word.size() > 1)
    return Cat(Quoted(word), " is negative; expected a whole number of 0 or more");
  if (got.starts_with('"') || got.starts_with('\'')) {
    const std::string_view inside = got.substr(1, std::max<size_t>(got.size(), 2) - 2);
    return Cat(Quoted(inside), " is in quotes; expected a number without");
  }
  if (word.empty()) return "is without a value; expected a whole number";
  return Cat(Quoted(word), " is not a whole number; expected digits only");
}

// What is wrong with a value that is of another type than its field, after the field's name; empty if the
// parser complains of something else. `word` is what stands where it stopped.
std::string WrongType(std::string_view message, std::string_view field, FieldDescriptor::CppType type,
                      std::string_view word) {
  const bool of_integer = ConsumePrefix(message, "Expected integer, got: ");
  const bool too_large = message.starts_with("Integer out of range");
  if (type == FieldDescriptor::CPPTYPE_BOOL) {
    const bool of_bool =
        message.starts_with("Expected identifier") || message.starts_with("Invalid value for boolean");
    return of_integer || too_large || of_bool
               ? Cat(Quoted(word), " is not true or false; expected one of them")
               : "";
  }
  if (of_integer) return NotAnInteger(message, word);
  if (too_large) return Cat(Quoted(word), " is out of range; expected a smaller number");
  const bool of_text = ConsumePrefix(message, "Expected string, got: ");
  if (!of_text && message != "Need space between number and identifier.") return {};
  if (word.empty()) return Cat("is without a value; expected ", field, ": \"...\"");
  if (type != FieldDescriptor::CPPTYPE_STRING)
    return Cat(Quoted(word), " is not a number; expected digits only");
  return Cat(Quoted(word), " is not in quotes; expected ", field, ": \"", word, "\"");
}

// What is wrong where a text ends too early; empty if it does not.
std::string EndsEarly(std::string_view message) {
  if (message == "Unexpected end of string." || message.starts_with("String literals cannot"))
    return "a text in quotes begins and does not end in its line; expected a second '\"'";
  if (message == "Expected identifier, got: " || message == "Expected \"}\", found \"\".")
    return "the file ends inside of { .. }; expected a '}'";
  return {};
}

// The name before the last ':' of the text's line up to a place: the field whose value stands there.
std::string_view FieldBefore(std::string_view text, TextPlace place) {
  text = LineAt(text, place).substr(0, static_cast<size_t>(std::max(0, place.column - 1)));
  const size_t colon = text.rfind(':');
  if (colon == std::string_view::npos) return {};
  text = Trim(text.substr(0, colon));
  size_t begin = text.size();
  while (begin > 0 && (absl::ascii_isalnum(text[begin - 1]) || text[begin - 1] == '_')) --begin;
  return text.substr(begin);
}

// The parser's message in our words where we know what is behind it, and with the field's name.
std::string Explained(const FirstError& error, std::string_view text, const Descriptor& type) {
  if (std::string unknown = UnknownField(error.message()); !unknown.empty()) return unknown;
  if (std::string early = EndsEarly(error.message()); !early.empty()) return early;
  const std::string_view field = FieldBefore(text, error.place());
  if (field.empty()) return error.message();
  const auto type_of_field = TypeOfField(*type.file(), field);
  const std::string wrong =
      type_of_field ? WrongType(error.message(), field, *type_of_field, WordAt(text, error.place())) : "";
  return Cat(field, ": ", wrong.empty() ? error.message() : wrong);
}

std::string FileLineColumn(std::string_view file, TextPlace place) {
  if (place.line == 0) return std::string(file);
  return Cat(file, ":", place.line, ":", place.column);
}

// Clears the repeated fields of `lower` that are set in `upper`, at every depth.
void ClearReplaced(const Message& upper, Message& lower) {
  const Reflection& reflection = *upper.GetReflection();
  std::vector<const FieldDescriptor*> fields;
  reflection.ListFields(upper, &fields);
  for (const FieldDescriptor* field : fields) {
    if (field->is_repeated()) {
      reflection.ClearField(&lower, field);
    } else if (field->cpp_type() == FieldDescriptor::CPPTYPE_MESSAGE) {
      ClearReplaced(reflection.GetMessage(upper, field), *reflection.MutableMessage(&lower, field));
    }
  }
}

// With the number of each value where the field is repeated, else -1; by the fields' numbers.
std::vector<std::pair<const FieldDescriptor*, int>> FieldsThatAreSet(const Message& message) {
  const Reflection& reflection = *message.GetReflection();
  std::vector<const FieldDescriptor*> fields;
  reflection.ListFields(message, &fields);
  std::vector<std::pair<const FieldDescriptor*, int>> values;
  for (const FieldDescriptor* field : fields) {
    const int first = field->is_repeated() ? 0 : -1;
    const int end = field->is_repeated() ? reflection.FieldSize(message, field) : 0;
    for (int i = first; i < end; ++i) values.emplace_back(field, i);
  }
  return values;
}

}  // namespace

std::string FieldNames(const Descriptor& type) { return Join(NamesOfFields(type), ", "); }

std::string NotAField(const Descriptor& type, std::string_view path, std::string_view name) {
  return Cat(path, ": is not a field of ", type.name(), "; expected one of ", FieldNames(type),
             DidYouMean(name, NamesOfFields(type)));
}

const FieldDescriptor* MessageView::FieldNamed(std::string_view name) const {
  return message_->GetDescriptor()->FindFieldByName(std::string(name));
}

std::string MessageView::PathOf(std::string_view field, int index) const {
  return index < 0 ? Cat(path_, field) : Cat(path_, field, "[", index, "]");
}

TextPlace MessageView::PlaceOf(std::string_view name, int index) const {
  const FieldDescriptor* const field = FieldNamed(name);
  if (tree_ == nullptr || field == nullptr) return place_;
  // A list in brackets may have the place of its beginning only.
  for (int i = field->is_repeated() ? std::max(index, 0) : -1; i >= -1; --i) {
    if (field->is_repeated() && i < 0) break;
    const TextFormat::ParseLocation location = tree_->GetLocation(field, i);
    if (location.line >= 0) return {location.line + 1, location.column + 1};
  }
  return place_;
}

std::string MessageView::FileAndLine(std::string_view field, int index) const {
  return Cat(*file_, ":", PlaceOf(field, index).line);
}

MessageView MessageView::Nested(std::string_view name, int index) const {
  const FieldDescriptor* const field = FieldNamed(name);
  const Reflection& reflection = *message_->GetReflection();
  const Message& nested = index < 0 ? reflection.GetMessage(*message_, field)
                                    : reflection.GetRepeatedMessage(*message_, field, index);
  const Tree* const tree = tree_ == nullptr ? nullptr : tree_->GetTreeForNested(field, index);
  return {file_, &nested, tree, Cat(PathOf(name, index), "."), PlaceOf(name, index)};
}

absl::Status MessageView::At(TextPlace place, std::string_view text) const {
  return absl::InvalidArgumentError(Cat(FileLineColumn(*file_, place), ": ", text));
}

std::string MessageView::ValueOf(std::string_view name, int index) const {
  const FieldDescriptor* const field = FieldNamed(name);
  std::string value;
  if (field->cpp_type() == FieldDescriptor::CPPTYPE_STRING) {
    const Reflection& reflection = *message_->GetReflection();
    value = index < 0 ? reflection.GetString(*message_, field)
                      : reflection.GetRepeatedString(*message_, field, index);
  } else {
    TextFormat::PrintFieldValueToString(*message_, field, index, &value);
  }
  return value;
}

absl::Status MessageView::Mistake(std::string_view name, int index, std::string_view what) const {
  return At(PlaceOf(name, index), Cat(PathOf(name, index), ": ", Quoted(ValueOf(name, index)), " ", what));
}

std::string MessageView::Warning(std::string_view field, std::string_view what) const {
  return Cat(FileAndLine(field), ": ", PathOf(field), ": ", Quoted(ValueOf(field, -1)), " ", what);
}

absl::Status MessageView::MistakeWithoutValue(std::string_view field, std::string_view what,
                                              int index) const {
  return At(PlaceOf(field, index), Cat(PathOf(field, index), ": ", what));
}

absl::Status TextMessage::Parse(const std::string& file, const std::string& text, Message& message) {
  file_ = file;
  message_ = &message;
  const auto mistake = [&file](const TextFault& fault) {
    return absl::InvalidArgumentError(Cat(file, ":", fault.line, ": ", fault.what));
  };
  if (const auto fault = FindTextFault(text)) return mistake(*fault);
  FirstError error;
  TextFormat::Parser parser;
  parser.RecordErrorsTo(&error);
  parser.WriteLocationsTo(&tree_);
  if (parser.ParseFromString(text, &message)) return absl::OkStatus();
  if (const auto script = FindOtherKind(text, InputKind::kScenario)) return mistake(*script);
  const std::string what = Explained(error, text, *message.GetDescriptor());
  return absl::InvalidArgumentError(Cat(FileLineColumn(file, error.place()), ": ", what));
}

MessageView TextMessage::View() const { return {&file_, message_, &tree_, "", {1, 1}}; }

absl::Status ForEachMessage(const MessageView& view,
                            const std::function<absl::Status(const MessageView&)>& check) {
  if (absl::Status status = check(view); !status.ok()) return status;
  for (const auto& [field, index] : FieldsThatAreSet(view.message())) {
    if (field->cpp_type() != FieldDescriptor::CPPTYPE_MESSAGE) continue;
    if (absl::Status status = ForEachMessage(view.Nested(field->name(), index), check); !status.ok())
      return status;
  }
  return absl::OkStatus();
}

bool IsNamedAsTextMessage(std::string_view name) {
  return name.ends_with(".textproto") || name.ends_with(".txtpb") || name.ends_with(".pbtxt");
}

std::map<std::string, std::string> PlacesByPath(const MessageView& root) {
  std::map<std::string, std::string> places;
  (void)ForEachMessage(root, [&places](const MessageView& view) {
    for (const auto& [field, index] : FieldsThatAreSet(view.message()))
      places.emplace(view.PathOf(field->name(), index), view.FileAndLine(field->name(), index));
    return absl::OkStatus();
  });
  return places;
}

void Overlay(const Message& upper, Message& lower) {
  ClearReplaced(upper, lower);
  lower.MergeFrom(upper);
}

}  // namespace numasim::workloads
