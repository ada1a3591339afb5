// A protobuf message read from text that knows where in the text each of its fields stands.
//
// TextMessage owns the text's locations; MessageView is a cheap view of one (nested) message of it, for rules
// that check fields and say where a mistake is: "FILE:LINE:COL: FIELD: 'VALUE' is ...; expected ...".
#ifndef NUMASIM_WORKLOADS_TEXT_MESSAGE_H_
#define NUMASIM_WORKLOADS_TEXT_MESSAGE_H_

#include <functional>
#include <map>
#include <string>
#include <string_view>
#include <vector>

#include "absl/status/status.h"
#include "google/protobuf/message.h"
#include "google/protobuf/text_format.h"

namespace numasim::workloads {

// A place in a text, counted from 1; 0 where there is none.
struct TextPlace {
  int line = 0;
  int column = 0;
};

class MessageView {
 public:
  const google::protobuf::Message& message() const { return *message_; }

  // The field's name from the root: "machine.node[1].memory". `index` counts the values of a repeated field.
  std::string PathOf(std::string_view field, int index = -1) const;
  // Where the field stands; where the message begins if the field is not set.
  TextPlace PlaceOf(std::string_view field, int index = -1) const;
  // "FILE:LINE" of the field.
  std::string FileAndLine(std::string_view field, int index = -1) const;

  // The nested message, which must exist.
  MessageView Nested(std::string_view field, int index = -1) const;

  // A mistake in the value of a field. `what` reads on after the value: "is ...; expected ...".
  absl::Status Mistake(std::string_view field, int index, std::string_view what) const;
  absl::Status Mistake(std::string_view field, std::string_view what) const {
    return Mistake(field, -1, what);
  }
  // "FILE:LINE: PATH: 'VALUE' WHAT", of a field that is not as it was probably meant.
  std::string Warning(std::string_view field, std::string_view what) const;
  // A mistake that has no value, such as a field that is missing: `what` reads on after the field's name and
  // a colon.
  absl::Status MistakeWithoutValue(std::string_view field, std::string_view what, int index = -1) const;

 private:
  friend class TextMessage;
  using Tree = google::protobuf::TextFormat::ParseInfoTree;

  MessageView(const std::string* file, const google::protobuf::Message* message, const Tree* tree,
              std::string path, TextPlace place)
      : file_(file), message_(message), tree_(tree), path_(std::move(path)), place_(place) {}

  const google::protobuf::FieldDescriptor* FieldNamed(std::string_view name) const;
  std::string ValueOf(std::string_view field, int index) const;
  absl::Status At(TextPlace place, std::string_view text) const;

  const std::string* file_;
  const google::protobuf::Message* message_;
  const Tree* tree_;  // null where nothing is known of places
  std::string path_;  // with a '.' at its end unless empty
  TextPlace place_;
};

class TextMessage {
 public:
  // Reads `text` into `message`, which must outlive this. The first mistake is InvalidArgument with `file`,
  // line, column, and for an unknown field the name that was probably meant.
  absl::Status Parse(const std::string& file, const std::string& text, google::protobuf::Message& message);

  // The whole message, after a Parse that was good.
  MessageView View() const;

 private:
  std::string file_;
  const google::protobuf::Message* message_ = nullptr;
  google::protobuf::TextFormat::ParseInfoTree tree_;
};

// Whether a file is named as a message in text format: what another file says of it may then be quoted. Of a
// password file, say, nothing may show.
bool IsNamedAsTextMessage(std::string_view name);
inline constexpr std::string_view kTextMessageEndings = ".textproto, .txtpb or .pbtxt";

// The names of a message type's fields, by commas.
std::string FieldNames(const google::protobuf::Descriptor& type);

// The mistake that a message type has no field of that name: "PATH: is not a field of ...; expected one of
// ...".
std::string NotAField(const google::protobuf::Descriptor& type, std::string_view path, std::string_view name);

// Calls `check` on the message and then on each message inside, in the order of their fields' numbers, until
// one returns a mistake.
absl::Status ForEachMessage(const MessageView& view,
                            const std::function<absl::Status(const MessageView&)>& check);

// "FILE:LINE" of every field that is set, of the message and of those inside, by its name from the root, such
// as "kernel.cma.area[0].size".
std::map<std::string, std::string> PlacesByPath(const MessageView& view);

// Checks every field of the message against its knob option of proto/annotations.proto: sizes and times
// parse, numbers are from min to max, words are among the allowed.
absl::Status CheckKnobs(const MessageView& view);

// Sets in `lower` every field that is set in `upper`. Unlike MergeFrom, a repeated field replaces what was
// there.
void Overlay(const google::protobuf::Message& upper, google::protobuf::Message& lower);

}  // namespace numasim::workloads

#endif  // NUMASIM_WORKLOADS_TEXT_MESSAGE_H_
