// Changes to fields of a message's text, as `numasim run SCENARIO --set PATH=VALUE` and the parameters of a
// study ask for them. They are made in the text itself: a value that is written is replaced in its place, one
// that is not is inserted behind its message's opening brace. So comments stay, and every line keeps its
// number.
//
// A path is names of fields with dots between; of a repeated field one value is chosen by its number, from 0,
// or, where its messages have a name, by that: workload.script[guests].copies, machine.node[1].memory.
#ifndef NUMASIM_WORKLOADS_TEXT_PATCH_H_
#define NUMASIM_WORKLOADS_TEXT_PATCH_H_

#include <string>
#include <string_view>
#include <vector>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "google/protobuf/message.h"

namespace numasim::workloads {

struct FieldSetting {
  std::string given;  // names it in messages: "--set workload.script[guests].copies=4"
  std::string path;
  // As a user thinks of it: texts without quotes. Of a repeated field as a whole, "[4, 4, 0]" is several
  // values.
  std::string value;
};

// "PATH=VALUE". `option` is what messages have before it.
absl::StatusOr<FieldSetting> ParseFieldSetting(std::string_view option, std::string_view text);

// `text`, which is of a message of `type`'s type, with these fields set. All paths are of the text as it is
// given, and no two may be of one field. Where a field is one of several that exclude each other (oneof), it
// takes the other's place. A mistake in the text itself is as TextMessage tells it, with `file`; any other
// begins with FieldSetting::given.
absl::StatusOr<std::string> PatchText(const std::string& file, const std::string& text,
                                      const google::protobuf::Message& type,
                                      const std::vector<FieldSetting>& settings);

// What is wrong with a patched text, or with what was made of it, said with what was set in it; unchanged
// where nothing was.
absl::Status WithSettings(const absl::Status& status, const std::vector<FieldSetting>& settings);

}  // namespace numasim::workloads

#endif  // NUMASIM_WORKLOADS_TEXT_PATCH_H_
