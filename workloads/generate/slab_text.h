// Reads the caches of a workload (Workload.Slab of a scenario) into plans.
#ifndef NUMASIM_WORKLOADS_GENERATE_SLAB_TEXT_H_
#define NUMASIM_WORKLOADS_GENERATE_SLAB_TEXT_H_

#include "absl/status/statusor.h"
#include "workloads/generate/guests_text.h"
#include "workloads/generate/slab_plan.h"
#include "workloads/text_message.h"

namespace numasim::workloads {

// `view` is of a checked Workload.Slab.
absl::StatusOr<SlabPlan> ReadSlab(const MessageView& view, const GuestsContext& context);

}  // namespace numasim::workloads

#endif  // NUMASIM_WORKLOADS_GENERATE_SLAB_TEXT_H_
