// Reads the replays of allocation traces of a scenario's workload section with their traces, and checks them.
#ifndef NUMASIM_WORKLOADS_ALLOC_TRACE_ALLOC_TEXT_H_
#define NUMASIM_WORKLOADS_ALLOC_TRACE_ALLOC_TEXT_H_

#include <string>
#include <string_view>

#include "absl/status/statusor.h"
#include "workloads/alloc_trace/alloc_plan.h"
#include "workloads/generate/guests_text.h"
#include "workloads/text_message.h"

namespace numasim::workloads {

// Whether a file of this name can be an allocation trace, and if so, whether it can be nothing else that is
// replayed.
bool IsNamedAsTrace(const std::string& name);
bool IsNamedAsTraceOnly(const std::string& name);

// `view` is of a Workload.Allocations whose knobs CheckKnobs has passed. A mistake is InvalidArgument with
// file, line and field, of the scenario or of the trace. What of the trace is left out goes to the context's
// warnings.
absl::StatusOr<AllocPlan> ReadAllocations(const MessageView& view, const GuestsContext& context);

}  // namespace numasim::workloads

#endif  // NUMASIM_WORKLOADS_ALLOC_TRACE_ALLOC_TEXT_H_
