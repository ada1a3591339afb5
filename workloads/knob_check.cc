#include <algorithm>
#include <cmath>
#include <string>
#include <vector>

#include "google/protobuf/descriptor.h"
#include "proto/annotations.pb.h"
#include "workloads/knob_text.h"
#include "workloads/nearest_name.h"
#include "workloads/text.h"
#include "workloads/text_message.h"
#include "workloads/units.h"

namespace numasim::workloads {
namespace {

using google::protobuf::FieldDescriptor;
using google::protobuf::Message;
using google::protobuf::Reflection;

// What is wrong with a text under its knob, as a phrase that reads on after the value; empty if nothing is.
std::string CheckText(const Knob& knob, const std::string& value) {
  if (knob.unit() == "size") return std::string(ParseSize(value).status().message());
  if (knob.unit() == "time") return std::string(ParseDuration(value).status().message());
  const std::vector<std::string_view> allowed(knob.allowed().begin(), knob.allowed().end());
  if (allowed.empty() || std::find(allowed.begin(), allowed.end(), value) != allowed.end()) return {};
  return Cat("is not known; expected one of ", Join(allowed, ", "), DidYouMean(value, allowed));
}

template <class T>
std::string CheckNumber(const Knob& knob, T value) {
  const bool small = knob.has_min() && std::cmp_less(value, knob.min());
  const bool large = knob.has_max() && std::cmp_greater(value, knob.max());
  if (!small && !large) return {};
  return Cat(small ? "is too small" : "is too large", "; expected ", RangeText(knob));
}

std::string CheckReal(const Knob& knob, double value) {
  if (!std::isfinite(value)) return "is not a number; expected digits, such as 1.5";
  const bool small = knob.has_min() && value < static_cast<double>(knob.min());
  const bool large = knob.has_max() && value > static_cast<double>(knob.max());
  if (!small && !large) return {};
  return Cat(small ? "is too small" : "is too large", "; expected ", RangeText(knob));
}

// One value of a field: `index` of a repeated one, -1 of a single one.
std::string CheckValue(const Message& message, const FieldDescriptor* field, int index, const Knob& knob) {
  const Reflection& r = *message.GetReflection();
  const bool one = index < 0;
  switch (field->cpp_type()) {
    case FieldDescriptor::CPPTYPE_STRING:
      return CheckText(knob, one ? r.GetString(message, field) : r.GetRepeatedString(message, field, index));
    case FieldDescriptor::CPPTYPE_INT32:
      return CheckNumber(knob, one ? r.GetInt32(message, field) : r.GetRepeatedInt32(message, field, index));
    case FieldDescriptor::CPPTYPE_INT64:
      return CheckNumber(knob, one ? r.GetInt64(message, field) : r.GetRepeatedInt64(message, field, index));
    case FieldDescriptor::CPPTYPE_UINT32:
      return CheckNumber(knob,
                         one ? r.GetUInt32(message, field) : r.GetRepeatedUInt32(message, field, index));
    case FieldDescriptor::CPPTYPE_UINT64:
      return CheckNumber(knob,
                         one ? r.GetUInt64(message, field) : r.GetRepeatedUInt64(message, field, index));
    case FieldDescriptor::CPPTYPE_DOUBLE:
      return CheckReal(knob, one ? r.GetDouble(message, field) : r.GetRepeatedDouble(message, field, index));
    default:
      return {};
  }
}

absl::Status CheckFields(const MessageView& view) {
  const Message& message = view.message();
  std::vector<const FieldDescriptor*> fields;
  message.GetReflection()->ListFields(message, &fields);
  for (const FieldDescriptor* field : fields) {
    if (!field->options().HasExtension(knob)) continue;
    const Knob& limits = field->options().GetExtension(knob);
    const int first = field->is_repeated() ? 0 : -1;
    const int end = field->is_repeated() ? message.GetReflection()->FieldSize(message, field) : 0;
    for (int i = first; i < end; ++i) {
      const std::string what = CheckValue(message, field, i, limits);
      if (!what.empty()) return view.Mistake(field->name(), i, what);
    }
  }
  return absl::OkStatus();
}

}  // namespace

absl::Status CheckKnobs(const MessageView& view) { return ForEachMessage(view, CheckFields); }

}  // namespace numasim::workloads
