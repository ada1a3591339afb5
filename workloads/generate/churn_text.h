// Workload.Churn of a scenario to a ChurnPlan.
#ifndef NUMASIM_WORKLOADS_GENERATE_CHURN_TEXT_H_
#define NUMASIM_WORKLOADS_GENERATE_CHURN_TEXT_H_

#include "absl/status/statusor.h"
#include "workloads/generate/churn_plan.h"
#include "workloads/generate/guests_text.h"
#include "workloads/text_message.h"

namespace numasim::workloads {

// `view` is of a Workload.Churn whose knobs CheckKnobs has passed. Otherwise as ReadGuests.
absl::StatusOr<ChurnPlan> ReadChurn(const MessageView& view, const GuestsContext& context);

}  // namespace numasim::workloads

#endif  // NUMASIM_WORKLOADS_GENERATE_CHURN_TEXT_H_
