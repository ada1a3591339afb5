// Prints proto/counters.h: the counters of proto/counters.proto as plain enums, so that what counts need not
// read protobuf's headers. Run by the build.
#include <cstdio>

#include "google/protobuf/descriptor.h"
#include "proto/counters.pb.h"

int main() {
  const google::protobuf::FileDescriptor& file = *numasim::counters::NodeCounter_descriptor()->file();
  std::printf(
      "// Made from %s by the build.\n#ifndef NUMASIM_PROTO_COUNTERS_H_\n#define NUMASIM_PROTO_COUNTERS_H_\n",
      file.name().c_str());
  std::printf("\nnamespace numasim {\n");
  for (int e = 0; e < file.enum_type_count(); ++e) {
    const google::protobuf::EnumDescriptor& type = *file.enum_type(e);
    int size = 0;
    std::printf("\nenum %s : int {\n", type.name().c_str());
    for (int v = 0; v < type.value_count(); ++v) {
      const google::protobuf::EnumValueDescriptor& value = *type.value(v);
      std::printf("  %s = %d,\n", value.name().c_str(), value.number());
      if (value.number() >= size) size = value.number() + 1;
    }
    std::printf("};\ninline constexpr int %s_ARRAYSIZE = %d;\n", type.name().c_str(), size);
  }
  std::printf("\n}  // namespace numasim\n\n#endif  // NUMASIM_PROTO_COUNTERS_H_\n");
  return 0;
}
