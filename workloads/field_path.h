// Paths to fields of a message, as text and as steps through the message that they are of.
#ifndef NUMASIM_WORKLOADS_FIELD_PATH_H_
#define NUMASIM_WORKLOADS_FIELD_PATH_H_

#include <string>
#include <string_view>
#include <vector>

#include "absl/status/statusor.h"
#include "google/protobuf/descriptor.h"
#include "google/protobuf/message.h"

namespace numasim::workloads {

struct FieldStep {
  const google::protobuf::FieldDescriptor* field = nullptr;
  int index = -1;  // which value of a repeated field; -1: the field is not repeated, or all of it is meant
};

// From the root message to a field that is no message.
using FieldPath = std::vector<FieldStep>;

// Finds what `path` names in `root`; only the last field, and messages that are not repeated, may be unset.
// The mistake says which part of the path is wrong, and what there is.
absl::StatusOr<FieldPath> FindField(const google::protobuf::Message& root, std::string_view path);

// "workload.script[1].copies": the same for each way to write a path.
std::string FieldPathText(const FieldPath& path);

}  // namespace numasim::workloads

#endif  // NUMASIM_WORKLOADS_FIELD_PATH_H_
