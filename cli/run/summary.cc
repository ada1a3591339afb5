#include "cli/run/summary.h"

#include <algorithm>
#include <cmath>
#include <memory>
#include <vector>

#include "absl/strings/str_cat.h"
#include "absl/strings/str_format.h"
#include "absl/strings/str_join.h"
#include "cli/run/summary_over_time.h"
#include "cli/run/summary_ranges.h"
#include "cli/text/size_text.h"
#include "cli/text/text_table.h"
#include "cli/text/time_text.h"
#include "models/hugetlb/pool.h"
#include "models/physical/memory_system.h"
#include "workloads/units.h"

namespace numasim {
namespace {

// Groups of failures that are shown; the trace has all.
constexpr size_t kShownEvents = 10;
constexpr size_t kShownScripts = 20;
// Lines of scripts that are shown of a kind of failure.
constexpr size_t kShownLines = 3;

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
      free += zone->unused_pages();
      largest = std::max(largest, zone->buddy().LargestFreeOrder());
    }
    const std::string largest_text = largest < 0 ? "none" : absl::StrFormat("order %d", largest);
    out << absl::StrFormat("  %-6d %5d %11s %11s %13s %12d %12d %10d\n", n,
                           static_cast<int>(node.cpus.size()), SizeForPeople(managed * kPageSize),
                           SizeForPeople(free * kPageSize), largest_text, node.counters[NUMA_HIT],
                           node.counters[NUMA_MISS], node.counters[ALLOC_FAILED]);
  }
}

// Of transparent huge pages, where there were any: how much of the anonymous memory is mapped by them now,
// and what came about.
void PrintThp(const MemorySystem& memory, std::ostream& out) {
  constexpr NodeCounter kEvents[] = {THP_FAULT_ALLOC, THP_FAULT_FALLBACK, THP_COLLAPSE_ALLOC, THP_SPLIT_PAGE,
                                     THP_MIGRATION_SUCCESS};
  int64_t events = 0;
  for (int n = 0; n < memory.node_count(); ++n) {
    for (const NodeCounter c : kEvents) events += memory.node(NodeId{n}).counters[c];
  }
  if (events == 0) return;
  out << absl::StrFormat("  %-6s %12s %8s %12s %12s %12s %10s %10s\n", "thp", "anonymous", "by PMDs",
                         "faults", "fallbacks", "collapsed", "split", "moved");
  for (int n = 0; n < memory.node_count(); ++n) {
    const auto& counters = memory.node(NodeId{n}).counters;
    const int64_t pages = counters[NR_ANON_PAGES];
    const double share = 100.0 * static_cast<double>(counters[NR_ANON_THPS] * kPageblockPages) /
                         static_cast<double>(std::max(pages, int64_t{1}));
    out << absl::StrFormat("  %-6d %12s %8s %12d %12d %12d %10d %10d\n", n, SizeForPeople(pages * kPageSize),
                           pages == 0 ? "" : absl::StrFormat("%.1f%%", share), counters[kEvents[0]],
                           counters[kEvents[1]], counters[kEvents[2]], counters[kEvents[3]],
                           counters[kEvents[4]]);
  }
}

using Of = workloads::Simulation::Operations::Of;

// A line for each script: its operations, and the accesses of its touches.
void PrintScripts(const std::vector<workloads::Simulation::Operations>& all, std::ostream& out) {
  Table table;
  table.AddRow({"script", "operations", "failed", "accesses", "failed"});
  size_t scripts = 0;
  for (const workloads::Simulation::Operations& operations : all) {
    if (operations.of != Of::kScript || ++scripts > kShownScripts) continue;
    OperationStats accesses;
    uint64_t tried = 0;
    uint64_t failed = 0;
    for (const auto& [name, stats] : operations.table) {
      if (name == workloads::kAccess) {
        accesses = stats;
        continue;
      }
      tried += stats.tried();
      failed += stats.all_failed();
    }
    table.AddRow({operations.name, absl::StrCat(tried), absl::StrCat(failed), absl::StrCat(accesses.tried()),
                  absl::StrCat(accesses.all_failed())});
  }
  if (scripts == 0) return;
  table.Print(/*width=*/0, out);
  if (scripts > kShownScripts)
    out << absl::StrFormat("  and %d more scripts; see numasim dump\n", scripts - kShownScripts);
}

// A line for each kind of what takes time in the whole machine: faults, collapses.
void PrintTimed(const std::vector<workloads::Simulation::Operations>& all, std::ostream& out) {
  Table table;
  table.AddRow({"latency", "times", "failed", "mean", "99%", "max"});
  bool any = false;
  for (const workloads::Simulation::Operations& operations : all) {
    if (operations.of != Of::kMachine) continue;
    for (const auto& [name, stats] : operations.table) {
      const sim::Histogram& latency = stats.latency();
      table.AddRow({std::string(name), absl::StrCat(stats.tried()), absl::StrCat(stats.all_failed()),
                    TimeText(std::llround(latency.mean())), TimeText(latency.Quantile(0.99)),
                    TimeText(latency.max())});
      any = true;
    }
  }
  if (any) table.Print(/*width=*/0, out);
}

bool EverUsed(const HugetlbPool& pool, HugeSize size) {
  const Hstate& h = pool.hstate(size);
  const bool any = std::any_of(h.counters().begin(), h.counters().end(), [](int64_t c) { return c != 0; });
  const bool tried = pool.counter(HTLB_BUDDY_ALLOC_SUCCESS) + pool.counter(HTLB_BUDDY_ALLOC_FAIL) > 0;
  return any || h.resize_lock().stats().acquisitions > 0 || (tried && size == HugeSize::k2M);
}

void PrintPool(const Hstate& h, std::ostream& out) {
  constexpr const char* kRow = "  %-6s %5s %11d %11d %11s %11d\n";
  const char* const name = kHugeSizeNames[h.size()];
  out << absl::StrFormat(kRow, name, "all", h.counter(NR_HUGEPAGES), h.counter(FREE_HUGEPAGES),
                         absl::StrCat(static_cast<uint64_t>(h.counter(RESV_HUGEPAGES))),
                         h.counter(SURPLUS_HUGEPAGES));
  for (int n = 0; n < h.nodes(); ++n) {
    const HugetlbCounters& counters = h.node(NodeId{n}).counters;
    out << absl::StrFormat(kRow, "", absl::StrCat(n), counters[NR_HUGEPAGES], counters[FREE_HUGEPAGES], "",
                           counters[SURPLUS_HUGEPAGES]);
  }
}

void PrintLock(const sim::LockStats& stats, std::ostream& out) {
  if (stats.acquisitions == 0) return;
  out << absl::StrFormat("  %-22s %13d %14s %14s\n", stats.name, stats.acquisitions,
                         TimeText(stats.wait.max()), TimeText(stats.hold.max()));
}

void PrintPools(const HugetlbPool& pool, std::ostream& out) {
  std::vector<const Hstate*> used;
  for (const HugeSize size : kHugeSizes) {
    if (EverUsed(pool, size)) used.push_back(&pool.hstate(size));
  }
  if (used.empty()) return;
  out << absl::StrFormat("  %-6s %5s %11s %11s %11s %11s\n", "pool", "node", "nr", "free", "resv", "surplus");
  for (const Hstate* h : used) PrintPool(*h, out);
  out << absl::StrFormat("  %-22s %13s %14s %14s\n", "lock", "acquisitions", "longest wait", "longest hold");
  PrintLock(pool.lock().stats(), out);
  for (const Hstate* h : used) PrintLock(h->resize_lock().stats(), out);
}

// What became of the guests of each group, and why some did not get their memory.
void PrintGuests(const std::vector<std::unique_ptr<workloads::GuestGroup>>& groups, std::ostream& out) {
  if (groups.empty()) return;
  constexpr GuestCounter kShown[] = {GUESTS_ARRIVED, GUESTS_STARTED,  GUESTS_RETRIED, GUESTS_DROPPED,
                                     GUESTS_DIED,    GUESTS_FINISHED, GUESTS_LIVE};
  size_t width = 14;
  for (const auto& group : groups) width = std::max(width, group->plan().name.size());
  const int name_width = static_cast<int>(width);
  out << absl::StrFormat("  %-*s", name_width, "guests");
  for (const char* const title : {"arrived", "started", "retried", "dropped", "died", "finished", "live"})
    out << absl::StrFormat(" %9s", title);
  out << absl::StrFormat(" %11s\n", "memory");
  for (const auto& group : groups) {
    out << absl::StrFormat("  %-*s", name_width, group->plan().name);
    for (const GuestCounter c : kShown) out << absl::StrFormat(" %9d", group->counter(c));
    out << absl::StrFormat(" %11s\n", SizeForPeople(group->counter(GUESTS_TOUCHED_PAGES) * kPageSize));
  }
}

// What became of the jobs of each batch system, how long they waited, and what they had at the end.
void PrintBatches(const std::vector<std::unique_ptr<workloads::BatchSystem>>& batches, std::ostream& out) {
  if (batches.empty()) return;
  Table table;
  table.AddRow({"batch", "jobs", "refused", "started", "waited", "backfilled", "killed", "finished",
                "waiting", "running", "mean wait", "longest"});
  for (const auto& batch : batches) {
    std::vector<std::string> row = {batch->plan().name, absl::StrCat(batch->plan().log.jobs.size())};
    for (const BatchCounter c : {BATCH_REFUSED, BATCH_STARTED, BATCH_WAITED, BATCH_BACKFILLED, BATCH_KILLED,
                                 BATCH_FINISHED, BATCH_WAITING, BATCH_RUNNING})
      row.push_back(absl::StrCat(batch->counter(c)));
    const sim::Histogram& waits = batch->waits().latency();
    row.push_back(TimeText(std::llround(waits.mean())));
    row.push_back(TimeText(waits.max()));
    table.AddRow(std::move(row));
  }
  table.Print(/*width=*/0, out);
}

// What became of the events of each allocation trace.
void PrintReplays(const std::vector<std::unique_ptr<workloads::AllocReplay>>& replays, std::ostream& out) {
  if (replays.empty()) return;
  constexpr std::pair<AllocationsCounter, const char*> kShown[] = {
      {ALLOCATIONS_ALLOCATED, "allocated"},       {ALLOCATIONS_FREED, "freed"},
      {ALLOCATIONS_FREED_UNSEEN, "freed unseen"}, {ALLOCATIONS_FREES_LOST, "frees lost"},
      {ALLOCATIONS_FAILED, "failed here"},        {ALLOCATIONS_FAILED_IN_TRACE, "in trace"},
      {ALLOCATIONS_FAILED_IN_BOTH, "in both"}};
  Table table;
  std::vector<std::string> titles = {"allocations", "events"};
  for (const auto& [counter, title] : kShown) titles.emplace_back(title);
  titles.insert(titles.end(), {"live at the end", "late by"});
  table.AddRow(std::move(titles));
  for (const auto& replay : replays) {
    std::vector<std::string> row = {replay->plan().name, absl::StrCat(replay->plan().trace->events.size())};
    for (const auto& [counter, title] : kShown) row.push_back(absl::StrCat(replay->counter(counter)));
    row.push_back(SizeForPeople(replay->counter(ALLOCATIONS_LIVE_PAGES) * kPageSize));
    row.push_back(TimeText(replay->latest().ns));
    table.AddRow(std::move(row));
  }
  table.Print(/*width=*/0, out);
}

// What each churn or cache did, and the memory that it has at the end.
template <typename Part, typename Counter>
void PrintKernelParts(const std::vector<std::unique_ptr<Part>>& parts, const std::vector<std::string>& titles,
                      const std::vector<Counter>& counters, Counter pages, std::ostream& out) {
  if (parts.empty()) return;
  Table table;
  table.AddRow(titles);
  for (const auto& part : parts) {
    std::vector<std::string> row = {part->plan().name};
    for (const Counter c : counters) row.push_back(absl::StrCat(part->counter(c)));
    row.push_back(SizeForPeople(part->counter(pages) * kPageSize));
    table.AddRow(std::move(row));
  }
  table.Print(/*width=*/0, out);
}

// What the readers of each group did.
void PrintReaders(const std::vector<std::unique_ptr<workloads::Readers>>& groups, std::ostream& out) {
  if (groups.empty()) return;
  Table table;
  table.AddRow({"readers", "files read", "read", "failed", "killed"});
  for (const auto& group : groups)
    table.AddRow({group->plan().name, absl::StrCat(group->counter(READERS_FILES)),
                  SizeForPeople(group->counter(READERS_PAGES) * kPageSize),
                  absl::StrCat(group->counter(READERS_FAILED)),
                  absl::StrCat(group->counter(READERS_KILLED))});
  table.Print(/*width=*/0, out);
}

void AddShortages(const std::string& of, const workloads::Shortages& shortages,
                  std::vector<ShortageKind>& all) {
  for (const auto& [shortage, count] : shortages)
    all.push_back({absl::StrCat(of, ": ", shortage.operation, " ", shortage.error), shortage.nodes, count});
}

}  // namespace

std::vector<ShortageKind> AllShortages(const workloads::Simulation& simulation) {
  std::vector<ShortageKind> all;
  for (const auto& group : simulation.groups())
    AddShortages(absl::StrCat("guests ", group->plan().name), group->shortages(), all);
  for (const auto& batch : simulation.batches())
    AddShortages(absl::StrCat("batch ", batch->plan().name), batch->shortages(), all);
  for (const auto& replay : simulation.replays())
    AddShortages(absl::StrCat("allocations ", replay->plan().name), replay->shortages(), all);
  return all;
}

std::string LineText(const workloads::Simulation::FailedLine& failed) {
  const std::vector<workloads::Op>& ops = failed.script->script.ops;
  const auto op =
      std::find_if(ops.begin(), ops.end(), [&](const workloads::Op& at) { return at.line == failed.line; });
  const std::string text = op == ops.end() ? "" : absl::StrCat(": ", workloads::Quoted(op->text));
  return absl::StrCat(failed.script->place(failed.line), text);
}

namespace {

void PrintFailureKind(const workloads::Simulation::FailureKind& kind, std::ostream& out) {
  out << absl::StrFormat("  %10d  %s\n", kind.count, kind.what);
  const size_t shown = kind.lines.size() > kShownLines + 1 ? kShownLines : kind.lines.size();
  for (size_t i = 0; i < shown; ++i) {
    out << absl::StrFormat("  %14d  %s\n", kind.lines[i].count, LineText(kind.lines[i]));
  }
  if (shown < kind.lines.size())
    out << absl::StrFormat("  %14s  and %d more lines\n", "", kind.lines.size() - shown);
}

void PrintFailures(const workloads::Simulation& simulation, const RunFacts& facts, std::ostream& out) {
  const std::vector<workloads::Simulation::FailureKind> failures = simulation.Failures();
  const std::vector<ShortageKind> shortages = AllShortages(simulation);
  if (failures.empty() && facts.events.empty() && shortages.empty()) {
    out << "nothing failed\n";
    return;
  }
  out << "what failed\n";
  for (const ShortageKind& shortage : shortages) {
    const std::string nodes = shortage.nodes.empty() ? "" : absl::StrCat(" node=", shortage.nodes);
    out << absl::StrFormat("  %10d  %s%s\n", shortage.count, shortage.what, nodes);
  }
  for (const auto& kind : failures) PrintFailureKind(kind, out);
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

// "streams, groups of guests and churns".
std::string KindsOfStreams(const workloads::Simulation& simulation) {
  std::vector<std::string> kinds = {"streams"};
  if (!simulation.groups().empty()) kinds.push_back("groups of guests");
  if (!simulation.batches().empty()) kinds.push_back("batch systems");
  if (!simulation.replays().empty()) kinds.push_back("replays");
  if (!simulation.churns().empty()) kinds.push_back("churns");
  if (!simulation.readers().empty()) kinds.push_back("groups of readers");
  if (!simulation.slabs().empty()) kinds.push_back("slab caches");
  const std::string last = kinds.back();
  kinds.pop_back();
  return kinds.empty() ? last : absl::StrCat(absl::StrJoin(kinds, ", "), " and ", last);
}

}  // namespace

void PrintSummary(workloads::Simulation& simulation, const RunFacts& facts,
                  const std::optional<RunMetrics>& run, std::ostream& out) {
  const workloads::Simulation::Totals totals = simulation.CountAll();
  const uint64_t events = simulation.engine().events_executed();
  out << absl::StrFormat("%s: simulated %s in %.2f s, %d events, %.1f M events/s\n",
                         simulation.scenario().proto.name().empty() ? simulation.scenario().path
                                                                    : simulation.scenario().proto.name(),
                         sim::ToString(simulation.engine().now()), facts.wall_s, events,
                         static_cast<double>(events) / 1e6 / std::max(facts.wall_s, 1e-9));
  if (!facts.ended_by.empty()) out << "ended by " << facts.ended_by << " before its end\n";
  out << absl::StrFormat("%d of %d %s ended; %d operations, %d accesses\n", simulation.streams_done(),
                         simulation.streams(), KindsOfStreams(simulation), totals.operations,
                         totals.accesses);
  const std::vector<workloads::Simulation::Operations> operations = simulation.AllOperations();
  PrintScripts(operations, out);
  PrintTimed(operations, out);
  PrintNodes(simulation.memory(), out);
  PrintThp(simulation.memory(), out);
  PrintPools(simulation.kernel().pool(), out);
  PrintRanges(operations, out);
  PrintOfflining(simulation.kernel(), out);
  PrintVirtioMem(simulation.kernel().virtio_mem(), out);
  PrintGuests(simulation.groups(), out);
  PrintBatches(simulation.batches(), out);
  PrintReplays(simulation.replays(), out);
  PrintKernelParts<workloads::Churn, ChurnCounter>(
      simulation.churns(), {"churn", "allocated", "freed", "failed", "live at the end"},
      {CHURN_ALLOCATED, CHURN_FREED, CHURN_FAILED}, CHURN_LIVE_PAGES, out);
  PrintReaders(simulation.readers(), out);
  PrintKernelParts<workloads::Slab, SlabCounter>(
      simulation.slabs(), {"slab", "made", "shrunk", "failed", "objects at the end", "in"},
      {SLAB_MADE, SLAB_SHRUNK, SLAB_FAILED, SLAB_OBJECTS}, SLAB_PAGES, out);
  if (run.has_value()) PrintOverTime(*run, out);
  PrintFailures(simulation, facts, out);
  if (!facts.trace_path.empty()) {
    out << absl::StrFormat("trace: %s (%s)", facts.trace_path,
                           SizeForPeople(static_cast<int64_t>(facts.trace_bytes)));
    if (facts.trace_is_file) out << "; numasim dump " << facts.trace_path;
    out << "\n";
  }
}

}  // namespace numasim
