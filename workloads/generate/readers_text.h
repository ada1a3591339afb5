// Workload.Readers of a scenario to a ReadersPlan.
#ifndef NUMASIM_WORKLOADS_GENERATE_READERS_TEXT_H_
#define NUMASIM_WORKLOADS_GENERATE_READERS_TEXT_H_

#include "absl/status/statusor.h"
#include "workloads/generate/guests_text.h"
#include "workloads/generate/readers_plan.h"
#include "workloads/text_message.h"

namespace numasim::workloads {

// `view` is of a Workload.Readers whose knobs CheckKnobs has passed. Otherwise as ReadGuests.
absl::StatusOr<ReadersPlan> ReadReaders(const MessageView& view, const GuestsContext& context);

}  // namespace numasim::workloads

#endif  // NUMASIM_WORKLOADS_GENERATE_READERS_TEXT_H_
