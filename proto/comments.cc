#include "proto/comments.h"

#include <algorithm>
#include <iterator>

namespace numasim {
namespace {

struct Comment {
  std::string_view name;  // of the message or field, in full
  std::string_view text;
};

constexpr Comment kComments[] = {
#include "proto/comments.inc"
};

std::string_view CommentOn(std::string_view name) {
  const auto* const found = std::ranges::find(kComments, name, &Comment::name);
  return found == std::end(kComments) ? std::string_view() : found->text;
}

}  // namespace

std::string_view CommentOf(const google::protobuf::FieldDescriptor& field) {
  return CommentOn(field.full_name());
}

std::string_view CommentOf(const google::protobuf::Descriptor& type) { return CommentOn(type.full_name()); }

}  // namespace numasim
