#include "cli/text/failure_text.h"

#include "absl/strings/str_cat.h"

namespace numasim {
namespace {

using google::protobuf::FieldDescriptor;
using google::protobuf::Message;
using google::protobuf::Reflection;

std::vector<int64_t> ListOf(const Message& message, const FieldDescriptor& field) {
  const Reflection& fields = *message.GetReflection();
  std::vector<int64_t> list;
  list.reserve(static_cast<size_t>(fields.FieldSize(message, &field)));
  for (int i = 0; i < fields.FieldSize(message, &field); ++i) {
    list.push_back(fields.GetRepeatedInt32(message, &field, i));
  }
  return list;
}

FieldValue ValueOf(const Message& message, const FieldDescriptor& field) {
  const Reflection& fields = *message.GetReflection();
  if (field.is_repeated()) return ListOf(message, field);
  switch (field.cpp_type()) {
    case FieldDescriptor::CPPTYPE_MESSAGE:
      return &fields.GetMessage(message, &field);
    case FieldDescriptor::CPPTYPE_INT32:
      return int64_t{fields.GetInt32(message, &field)};
    case FieldDescriptor::CPPTYPE_INT64:
      return fields.GetInt64(message, &field);
    default:
      return fields.GetString(message, &field);
  }
}

// "0-3,5"
std::string RangesText(const std::vector<int64_t>& rising) {
  std::string text;
  for (size_t first = 0, last = 0; first < rising.size(); first = ++last) {
    while (last + 1 < rising.size() && rising[last + 1] - 1 == rising[last]) ++last;
    absl::StrAppend(&text, text.empty() ? "" : ",", rising[first]);
    if (last > first) absl::StrAppend(&text, "-", rising[last]);
  }
  return text;
}

// "name=value" of each field; a message is left out.
std::string FieldsText(const Message& message) {
  std::string text;
  ForEachField(message, [&text](const std::string& name, const FieldValue& value) {
    if (std::holds_alternative<const Message*>(value)) return;
    absl::StrAppend(&text, text.empty() ? "" : " ", name, "=", FieldText(value));
  });
  return text;
}

bool IsSet(const Message& message, const FieldDescriptor& field) {
  const Reflection& fields = *message.GetReflection();
  return field.is_repeated() ? fields.FieldSize(message, &field) > 0 : fields.HasField(message, &field);
}

}  // namespace

void ForEachField(const Message& message,
                  const std::function<void(const std::string&, const FieldValue&)>& f) {
  const google::protobuf::Descriptor& type = *message.GetDescriptor();
  for (int i = 0; i < type.field_count(); ++i) {
    const FieldDescriptor& field = *type.field(i);
    if (IsSet(message, field)) f(field.json_name(), ValueOf(message, field));
  }
}

std::string FieldText(const FieldValue& value) {
  if (const auto* list = std::get_if<std::vector<int64_t>>(&value)) return RangesText(*list);
  if (const auto* number = std::get_if<int64_t>(&value)) return absl::StrCat(*number);
  if (const auto* text = std::get_if<std::string>(&value)) return *text;
  return "";
}

std::vector<std::pair<std::string, std::string>> AllFields(const Message& message) {
  std::vector<std::pair<std::string, std::string>> all;
  const google::protobuf::Descriptor& type = *message.GetDescriptor();
  for (int i = 0; i < type.field_count(); ++i) {
    const FieldDescriptor& field = *type.field(i);
    const FieldValue value = ValueOf(message, field);
    if (const auto* const* part = std::get_if<const Message*>(&value)) {
      // That of a message that is not set is one in which nothing is.
      for (const auto& [name, text] : AllFields(**part))
        all.emplace_back(absl::StrCat(field.json_name(), ".", name), text);
    } else {
      all.emplace_back(field.json_name(), IsSet(message, field) ? FieldText(value) : "");
    }
  }
  return all;
}

std::string ReasonText(const trace::Event& event) {
  return event.has_failure() ? FieldsText(event.failure()) : event.detail();
}

std::string DetailText(const trace::Event& event) {
  std::string text = ReasonText(event);
  if (event.failure().has_at()) absl::StrAppend(&text, " at ", FieldsText(event.failure().at()));
  return text;
}

}  // namespace numasim
