// AllocTraceBuilder: collects the events of a trace while one of the formats' readers goes through it.
#ifndef NUMASIM_WORKLOADS_ALLOC_TRACE_ALLOC_TRACE_BUILDER_H_
#define NUMASIM_WORKLOADS_ALLOC_TRACE_ALLOC_TRACE_BUILDER_H_

#include <algorithm>
#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "absl/status/statusor.h"
#include "workloads/alloc_trace/page_event.h"

namespace numasim::workloads {

class AllocTraceBuilder {
 public:
  // At most so many events are taken.
  explicit AllocTraceBuilder(int64_t most) : most_(static_cast<uint64_t>(most)) {}

  void Reserve(size_t events) { trace_.events.reserve(std::min<uint64_t>(events, most_)); }
  // Times are of the trace's own clock.
  void Add(const PageEvent& event) { trace_.events.push_back(event); }
  bool full() const { return trace_.events.size() >= most_; }
  // A line, or an entry, that is no event that can be replayed; `reason` reads on after "the line".
  void Skip(int64_t line, std::string_view reason) { AddSkipped(trace_.skipped, line, reason); }
  void CountOther(std::string_view kind) { Count(trace_.others, kind); }
  void CountGfpName(std::string_view name) { Count(trace_.gfp_names, name); }
  void CountLost(int64_t events) { trace_.lost += events; }

  // All of it, sorted, its times counted from the first event. InvalidArgument where there is no event.
  absl::StatusOr<AllocTrace> Finish(const std::string& name);

 private:
  static void Count(std::vector<NameCount>& counts, std::string_view name);
  void Sort();

  uint64_t most_;
  AllocTrace trace_;
};

}  // namespace numasim::workloads

#endif  // NUMASIM_WORKLOADS_ALLOC_TRACE_ALLOC_TRACE_BUILDER_H_
