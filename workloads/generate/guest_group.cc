#include "workloads/generate/guest_group.h"

#include <algorithm>
#include <utility>

#include "workloads/counter_columns.h"
#include "workloads/generate/group_nodes.h"
#include "workloads/generate/node_memory.h"
#include "workloads/integer_math.h"
#include "workloads/text.h"
#include "workloads/units.h"

namespace numasim::workloads {
namespace {

// More at once than there can be processes; a guest beyond is refused at once, as fork() would refuse it.
constexpr size_t kMostInFlight = ProcessTable::kIds;

// The n-th of the nodes, modulo their number.
NodeId NthOf(NodeMask nodes, int64_t n) { return InterleaveNode(nodes, static_cast<uint64_t>(n)); }

}  // namespace

absl::StatusOr<std::unique_ptr<GuestGroup>> GuestGroup::Create(Kernel& kernel, const GuestPlan& plan,
                                                               uint64_t seed,
                                                               std::vector<std::string>& warnings) {
  auto group = std::unique_ptr<GuestGroup>(new GuestGroup(kernel, plan, seed));
  const MemorySystem& memory = kernel.memory();
  group->next_cpu_.resize(static_cast<size_t>(memory.node_count()));
  const absl::StatusOr<NodeMask> nodes = NodesToRunOn(memory, plan.nodes, plan.place);
  if (!nodes.ok()) return nodes.status();
  group->nodes_ = *nodes;
  const bool one_node = plan.nodes.empty() && group->nodes_.count() == 1;
  if (one_node && plan.other_node)
    warnings.push_back(
        Cat(plan.place, ": on_failure.other_node has no effect: the machine has one node with CPUs"));
  if (one_node && plan.placement != GuestPlan::Placement::kRoundRobin)
    warnings.push_back(Cat(plan.place, ": placement has no effect: the machine has one node with CPUs"));
  return group;
}

void GuestGroup::Begin(OnEnd on_end) {
  on_end_ = std::move(on_end);
  MemorySystem& memory = kernel_.memory();
  memory.engine().Start(memory.global_lp(), sim::SimTime{plan_.start_ns}, plan_.name,
                        [this](sim::Path& path) { return Arrive(path); });
}

std::vector<MemorySystem::CounterColumn> GuestGroup::Columns() const {
  std::vector<MemorySystem::CounterColumn> columns;
  AppendColumns<GuestCounter>(Cat("guests.", plan_.name, "."), "guests_", counters_,
                              kernel_.memory().global_lp(), columns);
  return columns;
}

std::vector<const Process*> GuestGroup::LiveProcesses() const {
  std::vector<const Process*> live;
  for (const auto& [number, guest] : in_flight_) {
    if (const Process* const process = guest->LiveProcess(); process != nullptr) live.push_back(process);
  }
  return live;
}

double GuestGroup::ShareDone(sim::SimTime now) const {
  if (ended()) return 1;
  const auto gone =
      static_cast<double>(counters_[GUESTS_FINISHED] + counters_[GUESTS_DIED] + counters_[GUESTS_DROPPED]);
  std::optional<int64_t> all = plan_.count;
  if (const auto* of = std::get_if<TimesArrival>(&plan_.arrival); of != nullptr && !all.has_value())
    all = std::ssize(of->times);
  if (all.has_value()) return gone / static_cast<double>(*all);
  if (!plan_.until_ns.has_value()) return 0;
  return std::min(1.0, static_cast<double>(now.ns) / static_cast<double>(*plan_.until_ns));
}

// ---- Arrivals ----

sim::Task<void> GuestGroup::Arrive(sim::Path& path) {
  if (const auto* loop = std::get_if<ClosedLoop>(&plan_.arrival)) {
    BeginLoop(path, *loop);
  } else {
    co_await OpenLoop(path);
  }
  arrivals_ended_ = true;
  co_await EndIfLast(path);
}

sim::Task<void> GuestGroup::OpenLoop(sim::Path& path) {
  ArrivalTimes times(plan_, seed_);
  for (int64_t number = 0;; ++number) {
    const std::optional<int64_t> time = times.Next();
    if (!time.has_value()) co_return;
    co_await path.Take(sim::Nanoseconds(*time - path.now().ns));
    StartPath(path, number, sim::Duration{0});
  }
}

// Guest k is followed by guest k + loop.guests, so that the numbers of those who come do not depend on who
// goes first.
void GuestGroup::BeginLoop(sim::Path& path, const ClosedLoop& loop) {
  for (int64_t number = 0; number < loop.guests; ++number) StartPath(path, number, sim::Duration{0});
}

void GuestGroup::StartPath(sim::Path& path, int64_t number, sim::Duration delay) {
  ++coming_;
  path.Start(path.lp(), delay, Cat(plan_.name, "#", number),
             [this, number](sim::Path& guests) { return Live(guests, number); });
}

void GuestGroup::Follow(sim::Path& path, int64_t number) {
  const auto* const loop = std::get_if<ClosedLoop>(&plan_.arrival);
  if (loop == nullptr) return;
  const int64_t next = number + loop->guests;
  if (plan_.count.has_value() && next >= *plan_.count) return;
  sim::RandomStream random = plan_.StreamOf(seed_, "pause", next);
  const int64_t pause = loop->pause.Draw(random);
  int64_t at = 0;
  if (__builtin_add_overflow(path.now().ns, pause, &at) || at == sim::kNever.ns) return;
  if (plan_.until_ns.has_value() && at >= *plan_.until_ns) return;
  StartPath(path, next, sim::Nanoseconds(pause));
}

// ---- A guest ----

sim::Task<void> GuestGroup::Live(sim::Path& path, int64_t number) {
  --coming_;
  ++counters_[GUESTS_ARRIVED];
  const sim::SimTime arrived = path.now();
  if (in_flight_.size() >= kMostInFlight) {
    NoteStart(path, {.error = Errno::kAgain}, arrived);
  } else {
    auto arriving = std::make_unique<Guest>(kernel_, plan_, ChoicesOf(plan_, seed_, number),
                                            Cat(plan_.name, "#", number), LogKind::kGuestFailed);
    const auto [at, added] = in_flight_.emplace(number, std::move(arriving));
    NUMASIM_CHECK(added);
    Guest& guest = *at->second;
    const MemoryOutcome outcome = co_await StartWithRetries(path, guest, number);
    NoteStart(path, outcome, arrived);
    if (outcome.ok()) {
      CountLive(guest, 1);
      if (!co_await LiveOut(path, guest)) co_return;  // it stays
    }
    in_flight_.erase(number);
  }
  Follow(path, number);
  co_await EndIfLast(path);
}

sim::Task<MemoryOutcome> GuestGroup::StartWithRetries(sim::Path& path, Guest& guest, int64_t number) {
  sim::RandomStream nodes = plan_.StreamOf(seed_, "node", number);
  sim::RandomStream waits = plan_.StreamOf(seed_, "retry", number);
  for (int retry = 0;; ++retry) {
    MemoryOutcome outcome = co_await StartOnSomeNode(path, guest, number + retry, nodes);
    if (outcome.ok() || retry == plan_.retries) co_return outcome;
    ++counters_[GUESTS_RETRIED];
    co_await path.Take(sim::Nanoseconds(plan_.retry_after.Draw(waits)));
  }
}

// On the node that is its turn, and where that fails and the plan says so, on the others.
sim::Task<MemoryOutcome> GuestGroup::StartOnSomeNode(sim::Path& path, Guest& guest, int64_t turn,
                                                     sim::RandomStream& random) {
  for (NodeMask left = nodes_;;) {
    const NodeId node = co_await ChooseNode(path, guest, left, turn, random);
    left.Clear(node);
    const sim::SimTime began = path.now();
    MemoryOutcome outcome =
        co_await guest.Start(path, NextCpu(node), guest.choices().TouchedAfter(1, plan_.steps));
    attempts_.Record(path.now() - began, outcome.failure());
    path.LogSpan("attempt", plan_.name, began, outcome.failure());
    if (!outcome.ok()) ++counters_[GUESTS_FAILED_ATTEMPTS];
    NoteShortage(shortages_, "attempt", outcome);
    if (outcome.ok() || !plan_.other_node || left.empty()) co_return outcome;
  }
}

sim::Task<NodeId> GuestGroup::ChooseNode(sim::Path& path, const Guest& guest, NodeMask among, int64_t turn,
                                         sim::RandomStream& random) {
  switch (plan_.placement) {
    case GuestPlan::Placement::kMostFree:
      co_return co_await MostFree(path, guest, among);
    case GuestPlan::Placement::kRandom:
      co_return NthOf(among, static_cast<int64_t>(random.Uniform(static_cast<uint64_t>(among.count()))));
    case GuestPlan::Placement::kRoundRobin:
      break;
  }
  // In the order of all nodes, passing over those that are not among them any more.
  const NodeId first = NthOf(nodes_, turn);
  co_return among.Has(first) ? first : among.NextAfter(first);
}

// What a tool on the host would read in sysfs. Of those alike the first.
sim::Task<NodeId> GuestGroup::MostFree(sim::Path& path, const Guest& guest, NodeMask among) {
  MemorySystem& memory = kernel_.memory();
  const std::optional<HugeSize> size = HugeSizeOf(guest.choices().pages);
  NodeId best = among.First();
  int64_t most = -1;
  for (NodeMask rest = among; !rest.empty(); rest.Clear(rest.First())) {
    const NodeId node = rest.First();
    if (!size.has_value()) co_await path.HopTo(memory.node(node).lp, memory.costs().hop);
    const int64_t free =
        size.has_value() ? FreeHugePagesOf(kernel_, node, *size) : FreePagesOf(memory.node(node));
    if (free <= most) continue;
    most = free;
    best = node;
  }
  co_await path.GoTo(memory.global_lp(), memory.costs().hop);
  co_return best;
}

CpuId GuestGroup::NextCpu(NodeId node) {
  const std::vector<CpuId>& cpus = kernel_.memory().node(node).cpus;
  return cpus[next_cpu_[static_cast<size_t>(node.value)]++ % cpus.size()];
}

// From its start to its exit. False: it stays.
sim::Task<bool> GuestGroup::LiveOut(sim::Path& path, Guest& guest) {
  const std::optional<int64_t> lifetime = guest.choices().lifetime_ns;
  if (!lifetime.has_value()) co_return false;
  const int64_t born = path.now().ns;
  bool died = false;
  for (int step = 1; step <= plan_.steps && !died; ++step) {
    const int64_t until = InProportion(*lifetime, step, plan_.steps);
    const int64_t lived = path.now().ns - born;
    if (until > lived) co_await path.Take(sim::Nanoseconds(until - lived));
    if (step == plan_.steps) break;
    died = !co_await Grow(path, guest, step);
  }
  CountLive(guest, -1);
  if (!co_await guest.Exit(path)) died = true;
  ++counters_[died ? GUESTS_DIED : GUESTS_FINISHED];
  co_return true;
}

sim::Task<bool> GuestGroup::Grow(sim::Path& path, Guest& guest, int step) {
  const int64_t before = guest.touched_pages();
  const sim::SimTime began = path.now();
  const MemoryOutcome outcome =
      co_await guest.GrowTo(path, guest.choices().TouchedAfter(step + 1, plan_.steps));
  growths_.Record(path.now() - began, outcome.failure());
  path.LogSpan("grow", plan_.name, began, outcome.failure());
  NoteShortage(shortages_, "grow", outcome);
  counters_[GUESTS_TOUCHED_PAGES] += guest.touched_pages() - before;
  co_return outcome.ok();
}

// ---- Counting ----

void GuestGroup::CountLive(const Guest& guest, int64_t sign) {
  counters_[GUESTS_LIVE] += sign;
  counters_[GUESTS_MAPPED_PAGES] += sign * guest.choices().base_pages();
  counters_[GUESTS_TOUCHED_PAGES] += sign * guest.touched_pages();
}

void GuestGroup::NoteStart(sim::Path& path, const MemoryOutcome& outcome, sim::SimTime arrived) {
  starts_.Record(path.now() - arrived, outcome.failure());
  path.LogSpan("start", plan_.name, arrived, outcome.failure());
  ++counters_[outcome.ok() ? GUESTS_STARTED : GUESTS_DROPPED];
}

sim::Task<void> GuestGroup::EndIfLast(sim::Path& path) {
  if (ended()) co_await on_end_(path);
}

}  // namespace numasim::workloads
