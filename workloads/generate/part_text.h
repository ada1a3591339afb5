// What parts of a workload have alike, as the scenario gives it: their names, and when they run.
#ifndef NUMASIM_WORKLOADS_GENERATE_PART_TEXT_H_
#define NUMASIM_WORKLOADS_GENERATE_PART_TEXT_H_

#include <cstdint>
#include <optional>
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

// From its fields `start` and `until` to `plan.start_ns` and `plan.until_ns`. Without `until` it needs the
// run's `stop_after`; `they` is "the readers".
template <typename Text, typename Plan>
absl::Status ReadPartTimes(const MessageView& view, const Text& text, std::string_view they,
                           std::optional<int64_t> stop_after_ns, Plan& plan) {
  plan.start_ns = *ParseDuration(text.start());
  if (!text.has_until()) {
    if (stop_after_ns.has_value()) return absl::OkStatus();
    return view.MistakeWithoutValue("until", Cat("is missing, and ", they,
                                                 " would never end; expected a time, or a stop_after of the "
                                                 "run"));
  }
  plan.until_ns = *ParseDuration(text.until());
  if (*plan.until_ns > plan.start_ns) return absl::OkStatus();
  return view.Mistake("until", Cat("is not after the start, ", text.start(), "; expected a later time"));
}

}  // namespace numasim::workloads

#endif  // NUMASIM_WORKLOADS_GENERATE_PART_TEXT_H_
