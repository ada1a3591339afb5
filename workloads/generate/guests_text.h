// Reads the groups of guests of a scenario's workload section, and checks them.
#ifndef NUMASIM_WORKLOADS_GENERATE_GUESTS_TEXT_H_
#define NUMASIM_WORKLOADS_GENERATE_GUESTS_TEXT_H_

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "absl/status/statusor.h"
#include "workloads/generate/distribution_text.h"
#include "workloads/generate/guest_plan.h"
#include "workloads/text_message.h"

namespace numasim::workloads {

struct GuestsContext {
  const InputFiles& files;
  int nodes = 0;  // of the machine; 0: not known
  std::optional<int64_t> stop_after_ns;
  std::vector<std::string>& warnings;
};

// `view` is of a Workload.Guests whose knobs CheckKnobs has passed. A mistake is InvalidArgument with file,
// line and field. What it asks for and cannot have an effect is a mistake too, or a warning where it depends
// on the machine.
absl::StatusOr<GuestPlan> ReadGuests(const MessageView& view, const GuestsContext& context);

}  // namespace numasim::workloads

#endif  // NUMASIM_WORKLOADS_GENERATE_GUESTS_TEXT_H_
