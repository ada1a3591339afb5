// The comments of scenario.proto and study.proto, which C++'s descriptors do not hold.
#ifndef NUMASIM_PROTO_COMMENTS_H_
#define NUMASIM_PROTO_COMMENTS_H_

#include <string_view>

#include "google/protobuf/descriptor.h"

namespace numasim {

// What the comment before or behind the declaration says, as one paragraph; empty if there is none.
std::string_view CommentOf(const google::protobuf::FieldDescriptor& field);
std::string_view CommentOf(const google::protobuf::Descriptor& type);

}  // namespace numasim

#endif  // NUMASIM_PROTO_COMMENTS_H_
