// PageEvent: what a trace says of one step of the page allocator, whatever the trace's format. An AllocTrace
// is a value: part of the plan that was read with it, read from everywhere.
#ifndef NUMASIM_WORKLOADS_ALLOC_TRACE_PAGE_EVENT_H_
#define NUMASIM_WORKLOADS_ALLOC_TRACE_PAGE_EVENT_H_

#include <cstdint>
#include <string>
#include <vector>

#include "models/base/gfp.h"
#include "models/base/types.h"
#include "workloads/log_lines.h"

namespace numasim::workloads {

enum class PageEventKind : uint8_t {
  kAlloc,        // mm_page_alloc
  kAllocFailed,  // mm_page_alloc of no page; `pfn` is kNoPfn
  kFree,         // mm_page_free
  // mm_page_free_batched: a second word on a page of which mm_page_free has told already, if that is traced.
  kFreeBatched,
  kFallback,  // mm_page_alloc_extfrag: served from another migratetype's free list
};

// Small, as there are millions of them.
struct PageEvent {
  int64_t time_ns = 0;  // of the trace's own clock; in an AllocTrace from its first event
  Pfn pfn = {};         // in the trace's machine
  GfpFlags gfp = {};    // of allocations, those that the models know
  uint16_t cpu = 0;
  uint8_t order = 0;
  PageEventKind kind : 4 = PageEventKind::kAlloc;
  Migratetype type : 4 = Migratetype::kUnmovable;  // that allocations asked for

  friend bool operator==(const PageEvent&, const PageEvent&) = default;
};
static_assert(sizeof(PageEvent) == 24);

// How often a trace has something that is not known.
struct NameCount {
  std::string name;
  int64_t count = 0;
};

struct AllocTrace {
  std::vector<PageEvent> events;      // by time, those of one instant in the trace's order
  std::vector<SkippedLines> skipped;  // in the order of their first lines
  std::vector<NameCount> others;      // events of other kinds, likewise
  std::vector<NameCount> gfp_names;   // flags that no kernel is known to have, likewise
  int64_t lost = 0;                   // events that the trace says it lacks
  int64_t out_of_order = 0;           // events that the trace has behind a later one

  // What a reader of a run should know of the trace, a line each: what was skipped, sorted, or is not known.
  std::vector<std::string> Notes(const std::string& name) const;
};

}  // namespace numasim::workloads

#endif  // NUMASIM_WORKLOADS_ALLOC_TRACE_PAGE_EVENT_H_
