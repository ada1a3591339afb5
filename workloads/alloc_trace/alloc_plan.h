// AllocPlan: the replay of an allocation trace in a scenario, read and checked, with the trace. A value: part
// of the LoadedScenario, read from everywhere.
#ifndef NUMASIM_WORKLOADS_ALLOC_TRACE_ALLOC_PLAN_H_
#define NUMASIM_WORKLOADS_ALLOC_TRACE_ALLOC_PLAN_H_

#include <cstdint>
#include <memory>
#include <string>

#include "workloads/alloc_trace/page_event.h"

namespace numasim::workloads {

struct AllocPlan {
  std::string name;
  std::string place;  // "FILE:LINE: allocations 'NAME'", for messages
  // Large, and never changed: copies of the plan share it.
  std::shared_ptr<const AllocTrace> trace;
  int64_t start_ns = 0;  // of the first event

  // When the last event is, in ns of the run.
  int64_t end_ns() const { return start_ns + trace->events.back().time_ns; }
};

}  // namespace numasim::workloads

#endif  // NUMASIM_WORKLOADS_ALLOC_TRACE_ALLOC_PLAN_H_
