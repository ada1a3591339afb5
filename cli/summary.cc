#include "cli/summary.h"

#include <algorithm>
#include <vector>

#include "absl/strings/str_format.h"
#include "models/memory_system.h"

namespace numasim {
namespace {

// Groups of failures that are shown; the trace has all.
constexpr size_t kShownEvents = 10;

void PrintNodes(const MemorySystem& memory, std::ostream& out) {
  out << absl::StrFormat("  %-6s %5s %11s %11s %13s %12s %12s %10s\n", "node", "CPUs", "memory", "free",
                         "largest free", "numa_hit", "numa_miss", "failed");
  for (int n = 0; n < memory.node_count(); ++n) {
    const Node& node = memory.node(NodeId{n});
    int64_t managed = 0;
    int64_t free = 0;
    int largest = -1;
    for (const auto& zone : node.zones) {
      if (zone == nullptr) continue;
      managed += zone->managed();
      free += zone->buddy().free_pages() + zone->counter(PCP_PAGES);
      largest = std::max(largest, zone->buddy().LargestFreeOrder());
    }
    const std::string largest_text = largest < 0 ? "none" : absl::StrFormat("order %d", largest);
    out << absl::StrFormat("  %-6d %5d %11s %11s %13s %12d %12d %10d\n", n,
                           static_cast<int>(node.cpus.size()), SizeForPeople(managed * kPageSize),
                           SizeForPeople(free * kPageSize), largest_text, node.counters[NUMA_HIT],
                           node.counters[NUMA_MISS], node.counters[ALLOC_FAILED]);
  }
}

void PrintFailures(const workloads::ScriptRunner::Counts& totals, const RunFacts& facts, std::ostream& out) {
  const bool any =
      !totals.failed.empty() || totals.sigsegv + totals.sigbus + totals.oom > 0 || !facts.events.empty();
  if (!any) {
    out << "nothing failed\n";
    return;
  }
  out << "what failed\n";
  for (const auto& [what, count] : totals.failed) out << absl::StrFormat("  %10d  %s\n", count, what);
  if (totals.oom > 0) {
    out << absl::StrFormat("  %10d  accesses: out of memory; each ended its touch\n", totals.oom);
  }
  if (totals.sigsegv > 0) out << absl::StrFormat("  %10d  accesses: SIGSEGV\n", totals.sigsegv);
  if (totals.sigbus > 0) out << absl::StrFormat("  %10d  accesses: SIGBUS\n", totals.sigbus);
  std::vector<std::pair<int64_t, std::string>> groups;
  for (const auto& [what, count] : facts.events) groups.emplace_back(-count, what.first + ": " + what.second);
  std::sort(groups.begin(), groups.end());
  for (size_t i = 0; i < groups.size() && i < kShownEvents; ++i) {
    out << absl::StrFormat("  %10d  %s\n", -groups[i].first, groups[i].second);
  }
  if (groups.size() > kShownEvents) {
    out << absl::StrFormat("  and %d more kinds; see numasim dump\n", groups.size() - kShownEvents);
  }
}

}  // namespace

std::string SizeForPeople(int64_t bytes) {
  static constexpr const char* kUnits[] = {"B", "KiB", "MiB", "GiB", "TiB"};
  double value = static_cast<double>(bytes);
  size_t unit = 0;
  while (value >= 1024 && unit + 1 < std::size(kUnits)) {
    value /= 1024;
    ++unit;
  }
  return unit == 0 ? absl::StrFormat("%d B", bytes) : absl::StrFormat("%.1f %s", value, kUnits[unit]);
}

void PrintSummary(workloads::Simulation& simulation, const RunFacts& facts, std::ostream& out) {
  const workloads::ScriptRunner::Counts totals = simulation.Totals();
  const uint64_t events = simulation.engine().events_executed();
  out << absl::StrFormat("%s: simulated %s in %.2f s, %d events, %.1f M events/s\n",
                         simulation.scenario().proto.name().empty() ? simulation.scenario().path
                                                                    : simulation.scenario().proto.name(),
                         sim::ToString(simulation.engine().now()), facts.wall_s, events,
                         static_cast<double>(events) / 1e6 / std::max(facts.wall_s, 1e-9));
  out << absl::StrFormat("%d of %d streams ended; %d operations, %d accesses\n", simulation.streams_done(),
                         simulation.streams(), totals.operations, totals.accesses);
  PrintNodes(simulation.memory(), out);
  PrintFailures(totals, facts, out);
  if (!facts.trace_path.empty()) {
    out << absl::StrFormat("trace: %s (%s); numasim dump %s\n", facts.trace_path,
                           SizeForPeople(static_cast<int64_t>(facts.trace_bytes)), facts.trace_path);
  }
}

}  // namespace numasim
