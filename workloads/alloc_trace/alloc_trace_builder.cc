#include "workloads/alloc_trace/alloc_trace_builder.h"

#include <algorithm>
#include <utility>

#include "workloads/text.h"

namespace numasim::workloads {
namespace {

// Beyond so many names the rest is counted together: a damaged trace may have a new one on each line.
constexpr size_t kMostNames = 64;
constexpr std::string_view kMoreNames = "others";
constexpr size_t kShownNames = 4;

// "sched_switch (12), sys_enter (3), .."
std::string NamesText(const std::vector<NameCount>& counts) {
  std::string text;
  for (size_t i = 0; i < std::min(counts.size(), kShownNames); ++i)
    Append(text, i == 0 ? "" : ", ", counts[i].name, " (", counts[i].count, ")");
  if (counts.size() > kShownNames) text += ", ..";
  return text;
}

}  // namespace

std::vector<std::string> AllocTrace::Notes(const std::string& name) const {
  std::vector<std::string> notes;
  for (const SkippedLines& lines : skipped)
    notes.push_back(Cat(name, ": skipped ", SkippedText(lines, " that ")));
  if (!others.empty()) notes.push_back(Cat(name, ": passed over events of other kinds: ", NamesText(others)));
  if (lost > 0)
    notes.push_back(Cat(name, ": the trace lacks ", lost,
                        " events that its buffers had no room for; what they freed stays allocated"));
  if (out_of_order > 0)
    notes.push_back(
        Cat(name, ": ", out_of_order, " of ", events.size(), " events stood behind a later one; sorted"));
  if (!gfp_names.empty())
    notes.push_back(
        Cat(name, ": flags that no kernel is known to have count for nothing: ", NamesText(gfp_names)));
  return notes;
}

void AllocTraceBuilder::Count(std::vector<NameCount>& counts, std::string_view name) {
  const auto is_it = [&](const NameCount& known) { return known.name == name; };
  auto found = std::find_if(counts.begin(), counts.end(), is_it);
  if (found == counts.end() && counts.size() >= kMostNames) {
    if (counts.size() == kMostNames) counts.push_back({std::string(kMoreNames)});
    found = counts.end() - 1;
  }
  if (found == counts.end()) found = counts.insert(found, {std::string(name)});
  ++found->count;
}

void AllocTraceBuilder::Sort() {
  std::vector<PageEvent>& events = trace_.events;
  int64_t latest = events.front().time_ns;
  for (const PageEvent& event : events) {
    if (event.time_ns < latest) ++trace_.out_of_order;
    latest = std::max(latest, event.time_ns);
  }
  if (trace_.out_of_order == 0) return;
  std::stable_sort(events.begin(), events.end(),
                   [](const PageEvent& a, const PageEvent& b) { return a.time_ns < b.time_ns; });
}

absl::StatusOr<AllocTrace> AllocTraceBuilder::Finish(const std::string& name) {
  if (trace_.events.empty())
    return absl::InvalidArgumentError(
        Cat(name, ": holds no event of the page allocator", WhyNothingIsLeft(trace_.skipped),
            trace_.others.empty() ? "" : "; of other kinds: ", NamesText(trace_.others),
            "; expected mm_page_alloc and mm_page_free (and mm_page_free_batched, mm_page_alloc_extfrag)"));
  Sort();
  const int64_t first = trace_.events.front().time_ns;
  for (PageEvent& event : trace_.events) event.time_ns -= first;
  return std::move(trace_);
}

}  // namespace numasim::workloads
