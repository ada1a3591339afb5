// What the trace says of a failure, as text. It knows no field by name: proto/trace.proto is the list.
#ifndef NUMASIM_CLI_FAILURE_TEXT_H_
#define NUMASIM_CLI_FAILURE_TEXT_H_

#include <google/protobuf/message.h>

#include <cstdint>
#include <functional>
#include <string>
#include <variant>
#include <vector>

#include "proto/trace.pb.h"

namespace numasim {

using FieldValue = std::variant<std::string, int64_t, std::vector<int64_t>, const google::protobuf::Message*>;

// Calls f(name in JSON, value) for each field that is set, in the order of the .proto file. A field must be a
// string, a signed integer or several of these, or a message.
void ForEachField(const google::protobuf::Message& message,
                  const std::function<void(const std::string&, const FieldValue&)>& f);

// What an event says beyond its kind: "size=2M node=0-1 errno=ENOMEM function=hugetlb_acct_memory at
// pages=6".
std::string DetailText(const trace::Event& event);
// The same up to " at ": what many failures may share.
std::string ReasonText(const trace::Event& event);

}  // namespace numasim

#endif  // NUMASIM_CLI_FAILURE_TEXT_H_
