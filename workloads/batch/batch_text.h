// Reads the batch systems of a scenario's workload section with their logs, and checks them.
#ifndef NUMASIM_WORKLOADS_BATCH_BATCH_TEXT_H_
#define NUMASIM_WORKLOADS_BATCH_BATCH_TEXT_H_

#include "absl/status/statusor.h"
#include "workloads/batch/batch_plan.h"
#include "workloads/generate/guests_text.h"
#include "workloads/text_message.h"

namespace numasim::workloads {

// `view` is of a Workload.Batch whose knobs CheckKnobs has passed. A mistake is InvalidArgument with file,
// line and field, of the scenario or of the log. What of the log is left out goes to the context's warnings.
absl::StatusOr<BatchPlan> ReadBatch(const MessageView& view, const GuestsContext& context);

}  // namespace numasim::workloads

#endif  // NUMASIM_WORKLOADS_BATCH_BATCH_TEXT_H_
