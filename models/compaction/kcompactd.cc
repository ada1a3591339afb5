#include "models/compaction/kcompactd.h"

#include <algorithm>
#include <string>

#include "absl/strings/str_cat.h"
#include "models/compaction/proactive.h"
#include "models/compaction/suitability.h"
#include "models/physical/node_zones.h"

namespace numasim {
namespace {

// Longer than what is left of the operation that writes a setting.
constexpr sim::Duration kNextOperation = sim::Milliseconds(1);

std::string NameOf(const Node& node) { return absl::StrCat("kcompactd", node.id.value); }

}  // namespace

// kcompactd_node_suitable()
bool Kcompactds::NodeSuits(const Node& node, int order, ZoneType highest) {
  for (const Zone& zone : PopulatedZones(node, highest)) {
    if (SuitableForCompaction(zone, {order, highest, {}}, node.vm.extfrag_threshold) ==
        Suitability::kContinue)
      return true;
  }
  return false;
}

void Kcompactds::WakeUp(sim::Path& path, Node& node, int order, ZoneType highest) {
  if (order == 0) return;
  State& state = StateOf(node);
  state.order = std::max(state.order, order);
  state.highest = std::min(state.highest.value_or(highest), highest);
  if (!state.awake && NodeSuits(node, state.order, *state.highest)) Begin(path, node);
}

void Kcompactds::Begin(sim::Path& path, Node& node) {
  StateOf(node).awake = true;
  path.Start(node.lp, sim::Duration{0}, NameOf(node),
             [this, &node](sim::Path& thread) { return Thread(thread, node); });
}

// kcompactd(), from when it is woken up until it sleeps again.
sim::Task<void> Kcompactds::Thread(sim::Path& path, Node& node) {
  const std::optional<CpuId> cpu = memory_.CpuForThread(node);
  if (cpu.has_value()) co_await memory_.cpu(*cpu).AcquireAwoken(path);
  const sim::Duration timeout = co_await Work(path, node, cpu.value_or(CpuId{0}));
  StateOf(node).awake = false;
  if (cpu.has_value()) memory_.cpu(*cpu).Release(path);
  Sleep(path, node, timeout);
}

// Until there is nothing to do. What was asked for meanwhile is done too where it is for a larger block; else
// it is done with. Returns how long it is to sleep then.
sim::Task<sim::Duration> Kcompactds::Work(sim::Path& path, Node& node, CpuId cpu) {
  State& state = StateOf(node);
  sim::Duration timeout = kInterval;
  while (state.look_now || state.order > 0) {
    if (state.look_now) {
      timeout = co_await Look(path, node, cpu);
      state.look_now = false;
      continue;
    }
    const int order = state.order;
    const ZoneType highest = state.highest.value_or(ZoneType::kMovable);
    ++node.counter(COMPACT_DAEMON_WAKE);
    co_await compactor_.CompactInBackground(path, cpu, node, order, highest);
    if (state.order <= order) state.order = 0;
    if (state.highest >= highest) state.highest.reset();
    timeout = kInterval;
  }
  co_return timeout;
}

// ---- of its own ----

// wait_event_freezable_timeout(): without an end where it is not to look.
void Kcompactds::Sleep(sim::Path& path, Node& node, sim::Duration timeout) {
  ++StateOf(node).sleeps;
  if (!as_threads_ || node.vm.compaction_proactiveness == 0) return;
  path.Start(node.lp, sim::Duration{0}, NameOf(node),
             [this, &node, timeout](sim::Path& timer) { return LookAfter(timer, node, timeout); });
}

// A look that finds nothing to do is over at once and takes no CPU; where nothing happens on the node it
// would find the same, so there is none until something has.
sim::Task<void> Kcompactds::LookAfter(sim::Path& path, Node& node, sim::Duration timeout) {
  State& state = StateOf(node);
  const uint64_t sleep = state.sleeps;
  for (;; timeout = kInterval) {
    co_await path.TakeWhileIdle(timeout);
    if (state.awake || state.sleeps != sleep) co_return;  // that sleep is over
    if (node.vm.compaction_proactiveness == 0) co_return;
    if (TimedOut(node)) break;
  }
  state.awake = true;
  co_await Thread(path, node);
}

// What is to be done when a timeout is over: what somebody asked for when it was of no use yet, else a look.
bool Kcompactds::TimedOut(const Node& node) {
  State& state = StateOf(node);
  state.look_now = state.order == 0 && ShouldCompactProactively(node);
  return state.look_now || state.order > 0;
}

// How long it sleeps after that: a compaction that was of no use is not soon tried again.
sim::Task<sim::Duration> Kcompactds::Look(sim::Path& path, Node& node, CpuId cpu) {
  constexpr int kTimesLonger = 1 << 6;  // COMPACT_MAX_DEFER_SHIFT
  if (!ShouldCompactProactively(node)) co_return kInterval;
  const int before = FragmentationScore(node);
  co_await compactor_.CompactProactively(path, cpu, node);
  co_return FragmentationScore(node) >= before ? kInterval* kTimesLonger : kInterval;
}

void Kcompactds::RunAsThreads() {
  as_threads_ = true;
  sim::Engine& engine = memory_.engine();
  for (int n = 0; n < memory_.node_count(); ++n) {
    Node& node = memory_.node(NodeId{n});
    if (node.vm.compaction_proactiveness == 0) continue;
    ++StateOf(node).sleeps;
    engine.Start(node.lp, engine.now(), NameOf(node),
                 [this, &node](sim::Path& timer) { return LookAfter(timer, node, kInterval); });
  }
}

sim::Task<void> Kcompactds::LookNow(sim::Path& path) {
  const sim::LpId home = path.lp();
  for (int n = 0; n < memory_.node_count(); ++n) {
    Node& node = memory_.node(NodeId{n});
    co_await path.GoTo(node.lp, memory_.costs().hop);
    State& state = StateOf(node);
    if (!as_threads_) {
      state.due = Later(path.now(), kNextOperation);
      continue;
    }
    state.look_now = true;
    if (!state.awake) Begin(path, node);
  }
  co_await path.GoTo(home, memory_.costs().hop);
}

sim::Task<void> Kcompactds::CatchUp(sim::Path& path) {
  const sim::LpId home = path.lp();
  for (int n = 0; n < memory_.node_count(); ++n) {
    Node& node = memory_.node(NodeId{n});
    State& state = StateOf(node);
    co_await path.GoTo(node.lp, memory_.costs().hop);
    while (state.due <= path.now()) {
      const sim::Duration timeout = co_await Look(path, node, memory_.CpuForThread(node).value_or(CpuId{0}));
      state.due = Later(path.now(), timeout);
    }
  }
  co_await path.GoTo(home, memory_.costs().hop);
}

}  // namespace numasim
