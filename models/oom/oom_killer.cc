#include "models/oom/oom_killer.h"

#include <algorithm>

#include "absl/strings/str_cat.h"
#include "models/physical/without_cpu.h"

namespace numasim {
namespace {

// Processes that an event names; the kernel's table has all.
constexpr size_t kNamed = 10;

// mempolicy_in_oom_domain(): whether the end of the process could bring memory on these nodes.
bool MayHaveMemoryOn(const Process& process, NodeMask nodes) {
  return process.policy.mode != MemPolicy::Mode::kBind ||
         !NodeMask(process.policy.nodes.bits() & nodes.bits()).empty();
}

// What oom_badness() makes of it.
int64_t PointsOf(int64_t pages, int adj, int64_t total_pages) { return pages + adj * (total_pages / 1000); }

std::string RowText(const std::string& name, int64_t pages, int adj, const std::vector<int64_t>& node_pages) {
  std::string text = absl::StrCat(name, " ", pages);
  if (adj != 0) absl::StrAppend(&text, " adj:", adj);
  for (size_t n = 0; n < node_pages.size(); ++n) {
    if (node_pages[n] > 0) absl::StrAppend(&text, " node", n, ":", node_pages[n]);
  }
  return text;
}

}  // namespace

// ---- who ----

void OomKiller::ForgetGone() {
  std::erase_if(victims_, [this](const Victim& victim) {
    const ProcessTable::Entry entry = processes_.Find(victim.id);
    return entry.process == nullptr || entry.birth != victim.birth;
  });
}

bool OomKiller::IsVictim(TaskId task) const {
  return std::ranges::any_of(victims_, [task](const Victim& victim) { return victim.id == task; });
}

NodeMask OomKiller::AskedNodes(const AllocRequest& request) const {
  return NodeMask(request.allowed.bits() & memory_.all_nodes().bits());
}

// constrained_alloc(): whether a policy keeps the request from some memory. Else any process may be killed.
bool OomKiller::Constrained(const AllocRequest& request) const {
  return (memory_.nodes_with_memory().bits() & ~AskedNodes(request).bits()) != 0;
}

// What oom_badness() counts: get_mm_rss(), which has no huge pages of HugeTLB, and the page tables. Nobody
// swaps.
OomKiller::Candidate OomKiller::Look(const Process& process, uint64_t birth) const {
  Candidate candidate{process.id, birth, process.name, 0, process.oom_score_adj, {}};
  candidate.node_pages.resize(static_cast<size_t>(memory_.node_count()));
  const AddressSpace& space = process.space;
  for (const auto& [start, vma] : space.vmas()) {
    if (vma.hugetlb()) continue;
    space.page_table().Walk(vma.start, vma.end, [&](Vpn, const Entry& entry, int order) {
      if (!entry.present() || entry.zero_page()) return;
      const auto node = static_cast<size_t>(memory_.ZoneOf(entry.pfn())->node().value);
      candidate.node_pages[node] += int64_t{1} << order;
      candidate.pages += int64_t{1} << order;
    });
  }
  candidate.pages += space.page_table().tables() + std::ssize(process.base_tables);
  return candidate;
}

// The memory that the request may have, on the global LP.
int64_t OomKiller::TotalPages(const AllocRequest& request) const {
  if (!Constrained(request)) return memory_.managed_pages();
  int64_t pages = 0;
  for (NodeMask rest = AskedNodes(request); !rest.empty(); rest.Clear(rest.First()))
    pages += memory_.present_pages(rest.First());
  return pages;
}

// select_bad_process(): visits each process that lives, and lists those that may be killed. Begins and ends
// on the global LP.
sim::Task<OomKiller::Selection> OomKiller::Select(sim::Path& path, const AllocRequest& request) {
  struct Known {
    const Process* process;
    uint64_t birth;
    bool victim;
  };
  const sim::LpId global = memory_.global_lp();
  const NodeMask asked = Constrained(request) ? AskedNodes(request) : NodeMask::All();
  Selection selection;
  std::vector<TaskId> visited;  // of the victims
  for (int n = 0; n < memory_.node_count() && !selection.victim_goes; ++n) {
    const Node& node = memory_.node(NodeId{n});
    std::vector<Known> here;
    for (int id = 0; id < processes_.ids(); ++id) {
      const auto task = static_cast<TaskId>(id);
      const ProcessTable::Entry entry = processes_.Find(task);
      if (entry.process != nullptr && !entry.moving && entry.home == node.lp)
        here.push_back({entry.process, entry.birth, IsVictim(task)});
    }
    if (here.empty()) continue;
    co_await path.GoTo(node.lp, memory_.costs().hop);
    for (const Known& known : here) {
      const Process& process = *known.process;
      if (known.victim) visited.push_back(process.id);
      if (!MayHaveMemoryOn(process, asked)) continue;
      selection.victim_goes |= known.victim;
      const bool runs = process.alive && process.task == process.id && !process.exiting;
      const bool may_go = process.oom_score_adj != OomScoreAdj::kNever;
      if (runs && may_go && !known.victim && !selection.victim_goes)
        selection.candidates.push_back(Look(process, known.birth));
    }
    co_await path.Take(memory_.costs().cache_line * std::ssize(here));
    co_await path.GoTo(global, memory_.costs().hop);
  }
  // One between two nodes, or that has come to one that was visited before.
  for (const Victim& victim : victims_)
    selection.victim_goes |= std::ranges::find(visited, victim.id) == visited.end();
  const int64_t total = TotalPages(request);
  std::ranges::sort(selection.candidates, [total](const Candidate& a, const Candidate& b) {
    const int64_t of_a = PointsOf(a.pages, a.adj, total);
    const int64_t of_b = PointsOf(b.pages, b.adj, total);
    return of_a != of_b ? of_a > of_b : a.birth > b.birth;  // of those alike the youngest
  });
  co_return selection;
}

// ---- the kill ----

void OomKiller::Report(sim::Path& path, const Candidate& victim, const AllocRequest& request,
                       const std::vector<Candidate>& candidates) const {
  const NodeMask asked = AskedNodes(request);
  Failure failure{.kind = LogKind::kOomKill,
                  .error = Errno::kNoMem,
                  .function = "out_of_memory",
                  .reason = Constrained(request) ? "CONSTRAINT_MEMORY_POLICY" : "CONSTRAINT_NONE",
                  .nodes = asked,
                  .preferred = request.preferred,
                  .order = request.order};
  failure.victim = victim.name;
  failure.pages = victim.pages;
  for (size_t i = 0; i < std::min(candidates.size(), kNamed); ++i) {
    const Candidate& one = candidates[i];
    absl::StrAppend(&failure.tasks, i == 0 ? "" : "; ",
                    RowText(one.name, one.pages, one.adj, one.node_pages));
  }
  memory_.LogFailure(path, std::move(failure));
}

// oom_reap_task(), and the exit of a process that wakes up only to die. Whoever owns the process waits until
// it is not alive any more, and has nothing else to do with it.
void OomKiller::StartReaper(sim::Path& path, Process& process) {
  process.exiting = true;
  path.Start(path.lp(), sim::Duration{0}, "oom_reaper",
             [this, &process](sim::Path& reaper) { return reap_(reaper, process); });
}

// oom_kill_process(). False: it was gone, or on its way to another node. Begins and ends on the global LP.
sim::Task<bool> OomKiller::KillProcess(sim::Path& path, const Candidate& victim, const AllocRequest& request,
                                       const std::vector<Candidate>& candidates) {
  const ProcessTable::Entry entry = processes_.Find(victim.id);
  if (entry.process == nullptr || entry.birth != victim.birth || entry.moving) co_return false;
  victims_.push_back({victim.id, victim.birth});
  co_await path.GoTo(entry.home, memory_.costs().hop);
  Process& process = *entry.process;
  process.killed = true;
  ++memory_.node(memory_.NodeOfCpu(process.cpu)).counter(OOM_KILL);
  Report(path, victim, request, candidates);
  if (!process.in_call && !process.exiting) StartReaper(path, process);
  co_await path.GoTo(memory_.global_lp(), memory_.costs().hop);
  co_return true;
}

// schedule_timeout_killable(1): without the CPU, which the victim may need.
sim::Task<void> OomKiller::SleepOneTick(sim::Path& path) const {
  const Costs& costs = memory_.costs();
  co_await WithoutCpu(path, costs.hop, [&]() -> sim::Task<void> { co_await path.Take(costs.timeslice); });
}

sim::Task<OomAnswer> OomKiller::Kill(sim::Path& path, const AllocRequest& request) {
  co_await path.GoTo(memory_.global_lp(), memory_.costs().hop);
  ForgetGone();
  if (IsVictim(request.task)) co_return OomAnswer::kSelf;
  if (busy_) {
    co_await SleepOneTick(path);
    co_return OomAnswer::kRetry;
  }
  busy_ = true;
  const Selection selection = co_await Select(path, request);
  const std::vector<Candidate>& candidates = selection.candidates;
  const bool kills = !selection.victim_goes && !candidates.empty() &&
                     co_await KillProcess(path, candidates.front(), request, candidates);
  busy_ = false;
  if (!selection.victim_goes && candidates.empty()) co_return OomAnswer::kNobody;
  if (kills && candidates.front().id == request.task) co_return OomAnswer::kSelf;
  co_await SleepOneTick(path);
  co_return OomAnswer::kRetry;
}

}  // namespace numasim
