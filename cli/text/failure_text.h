// What the trace says of a failure, as text. It knows no field by name: proto/trace.proto is the list.
#ifndef NUMASIM_CLI_TEXT_FAILURE_TEXT_H_
#define NUMASIM_CLI_TEXT_FAILURE_TEXT_H_

#include <google/protobuf/message.h>

#include <cstdint>
#include <functional>
#include <string>
#include <utility>
#include <variant>
#include <vector>

#include "proto/trace.pb.h"

namespace numasim {

using FieldValue = std::variant<std::string, int64_t, std::vector<int64_t>, const google::protobuf::Message*>;

// Calls f(name in JSON, value) for each field that is set, in the order of the .proto file. A field must be a
// string, a signed integer or several of these, or a message.
void ForEachField(const google::protobuf::Message& message,
                  const std::function<void(const std::string&, const FieldValue&)>& f);

// The text of a field's value: nodes as "0-2,5", "" of a message.
std::string FieldText(const FieldValue& value);

// Name and text of every field, set or not ("" then), in the same order for all messages of a type. Those of
// a message in it are named "at.pfn".
std::vector<std::pair<std::string, std::string>> AllFields(const google::protobuf::Message& message);

// What an event says beyond its kind: "size=2M node=0-1 errno=ENOMEM function=hugetlb_acct_memory at
// pages=6".
std::string DetailText(const trace::Event& event);
// The same up to " at ": what many failures may share.
std::string ReasonText(const trace::Event& event);

}  // namespace numasim

#endif  // NUMASIM_CLI_TEXT_FAILURE_TEXT_H_
