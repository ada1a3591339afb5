// Prints a C++ initializer of {name, comment} for each message and field of a set of descriptors that protoc
// wrote with --include_source_info and --include_imports. Run by the build.
#include <cstdio>
#include <fstream>
#include <string>
#include <vector>

#include "absl/strings/ascii.h"
#include "absl/strings/escaping.h"
#include "absl/strings/str_join.h"
#include "absl/strings/str_split.h"
#include "google/protobuf/descriptor.h"
#include "google/protobuf/descriptor.pb.h"

namespace {

// The lines of a comment as one.
std::string Paragraph(const std::string& comment) {
  std::vector<std::string> lines;
  for (const absl::string_view line : absl::StrSplit(comment, '\n')) {
    const absl::string_view text = absl::StripAsciiWhitespace(line);
    if (!text.empty()) lines.emplace_back(text);
  }
  return absl::StrJoin(lines, " ");
}

template <class Declaration>
void PrintComment(const Declaration& declaration) {
  google::protobuf::SourceLocation location;
  if (!declaration.GetSourceLocation(&location)) return;
  const std::string comment = Paragraph(location.leading_comments + location.trailing_comments);
  if (comment.empty()) return;
  std::printf("{\"%s\", \"%s\"},\n", declaration.full_name().c_str(), absl::CEscape(comment).c_str());
}

void PrintMessage(const google::protobuf::Descriptor& type) {
  PrintComment(type);
  for (int i = 0; i < type.field_count(); ++i) PrintComment(*type.field(i));
  for (int i = 0; i < type.nested_type_count(); ++i) PrintMessage(*type.nested_type(i));
}

}  // namespace

int main(int argc, char** argv) {
  google::protobuf::FileDescriptorSet files;
  std::ifstream in(argc == 2 ? argv[1] : "", std::ios::binary);
  if (!files.ParseFromIstream(&in)) {
    std::fprintf(stderr, "print_comments: expected a file of descriptors\n");
    return 1;
  }
  google::protobuf::DescriptorPool pool;
  for (const google::protobuf::FileDescriptorProto& proto : files.file()) {
    const google::protobuf::FileDescriptor* const file = pool.BuildFile(proto);
    if (file == nullptr) return 1;
    for (int i = 0; file->package() == "numasim" && i < file->message_type_count(); ++i)
      PrintMessage(*file->message_type(i));
  }
  return 0;
}
