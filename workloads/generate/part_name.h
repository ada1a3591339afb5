// The name of a part of a workload, as the scenario gives it.
#ifndef NUMASIM_WORKLOADS_GENERATE_PART_NAME_H_
#define NUMASIM_WORKLOADS_GENERATE_PART_NAME_H_

#include <string_view>

#include "absl/status/status.h"
#include "workloads/text.h"
#include "workloads/text_message.h"
#include "workloads/units.h"

namespace numasim::workloads {

// How messages speak of such a part.
struct PartWords {
  std::string_view field;     // "churn"
  std::string_view what;      // "a workload"
  std::string_view expected;  // "a name"
  std::string_view example;   // "slab"
};

// From the field `name` of the part, `text` of whose message `view` is, to `plan.name` and `plan.place`.
template <typename Text, typename Plan>
absl::Status ReadPartName(const MessageView& view, const Text& text, const PartWords& words, Plan& plan) {
  if (!text.has_name())
    return view.MistakeWithoutValue(
        "name", Cat("is missing; expected ", words.expected, ", such as name: \"", words.example, "\""));
  if (!IsName(text.name()))
    return view.Mistake("name",
                        Cat("is no name of ", words.what, "; expected letters, digits, '_', '.' and '-'"));
  plan.name = text.name();
  plan.place = Cat(view.FileAndLine("name"), ": ", words.field, " ", Quoted(plan.name));
  return absl::OkStatus();
}

}  // namespace numasim::workloads

#endif  // NUMASIM_WORKLOADS_GENERATE_PART_NAME_H_
