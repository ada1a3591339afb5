#include "cli/help/field_facts.h"

#include <utility>
#include <vector>

#include "proto/annotations.pb.h"
#include "proto/comments.h"
#include "workloads/knob_text.h"
#include "workloads/text.h"

namespace numasim {
namespace {

using google::protobuf::FieldDescriptor;
using workloads::Cat;

std::string TextTakes(const Knob& about) {
  if (about.allowed_size() > 0) {
    const std::vector<std::string_view> words(about.allowed().begin(), about.allowed().end());
    return Cat("one of ", workloads::Join(words, ", "));
  }
  if (about.unit() == "size") return "a size such as 64M";
  if (about.unit() == "time") return "a time such as 10ms";
  if (about.unit() == "as its holder") return "a text in the unit of the distribution";
  return "a text";
}

std::string NumberTakes(std::string_view what, const Knob& about) {
  const std::string range = workloads::RangeText(about);
  return range.empty() ? std::string(what) : Cat(what, range.starts_with("at ") ? ", " : " ", range);
}

// One value of the field.
std::string ValueTakes(const FieldDescriptor& field, const Knob& about) {
  switch (field.cpp_type()) {
    case FieldDescriptor::CPPTYPE_MESSAGE:
      return about.unit().empty() ? field.message_type()->name()
                                  : Cat(field.message_type()->name(), " of a ", about.unit());
    case FieldDescriptor::CPPTYPE_STRING:
      return TextTakes(about);
    case FieldDescriptor::CPPTYPE_BOOL:
      return "true or false";
    case FieldDescriptor::CPPTYPE_DOUBLE:
      return NumberTakes("a number", about);
    case FieldDescriptor::CPPTYPE_UINT32:
    case FieldDescriptor::CPPTYPE_UINT64:
      if (!about.has_min() && !about.has_max()) return NumberTakes("a whole number of 0 or more", about);
      return NumberTakes("a whole number", about);
    default:
      return NumberTakes("a whole number", about);
  }
}

std::string DefaultOf(const FieldDescriptor& field) {
  if (!field.has_default_value()) return {};
  switch (field.cpp_type()) {
    case FieldDescriptor::CPPTYPE_STRING:
      return field.default_value_string();
    case FieldDescriptor::CPPTYPE_BOOL:
      return field.default_value_bool() ? "true" : "false";
    case FieldDescriptor::CPPTYPE_INT32:
      return Cat(field.default_value_int32());
    case FieldDescriptor::CPPTYPE_INT64:
      return Cat(field.default_value_int64());
    case FieldDescriptor::CPPTYPE_UINT64:
      return Cat(field.default_value_uint64());
    case FieldDescriptor::CPPTYPE_DOUBLE:
      return Cat(field.default_value_double());
    default:
      return {};
  }
}

std::string DescriptionOf(const FieldDescriptor& field) {
  const std::string_view own = CommentOf(field);
  if (!own.empty() || field.message_type() == nullptr) return std::string(own);
  return std::string(CommentOf(*field.message_type()));
}

}  // namespace

FieldEntry FactsOf(const FieldDescriptor& field, std::string path) {
  const Knob& about = field.options().GetExtension(knob);
  FieldEntry entry;
  entry.path = std::move(path);
  entry.takes = Cat(field.is_repeated() ? "any number of: " : "", ValueTakes(field, about));
  entry.default_to = DefaultOf(field);
  entry.description = DescriptionOf(field);
  entry.kernel_name = about.kernel_name();
  // What costs stand for is said by where their defaults come from.
  (entry.description.empty() ? entry.description : entry.source) = about.source();
  return entry;
}

}  // namespace numasim
