#include "models/compaction/kcompactd.h"

#include <algorithm>

#include "absl/strings/str_cat.h"
#include "models/compaction/suitability.h"
#include "models/physical/node_zones.h"

namespace numasim {

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
  if (state.awake || !NodeSuits(node, state.order, *state.highest)) return;
  state.awake = true;
  path.Start(node.lp, sim::Duration{0}, absl::StrCat("kcompactd", node.id.value),
             [this, &node](sim::Path& thread) { return Thread(thread, node); });
}

// kcompactd(), from when it is woken up until it sleeps again. What was asked for meanwhile is done too where
// it is for a larger block; else it is done with.
sim::Task<void> Kcompactds::Thread(sim::Path& path, Node& node) {
  State& state = StateOf(node);
  const std::optional<CpuId> cpu = memory_.CpuForThread(node);
  if (cpu.has_value()) co_await memory_.cpu(*cpu).AcquireAwoken(path);
  while (state.order > 0) {
    const int order = state.order;
    const ZoneType highest = state.highest.value_or(ZoneType::kMovable);
    ++node.counter(COMPACT_DAEMON_WAKE);
    co_await compactor_.CompactInBackground(path, cpu.value_or(CpuId{0}), node, order, highest);
    if (state.order <= order) state.order = 0;
    if (state.highest >= highest) state.highest.reset();
  }
  state.awake = false;
  if (cpu.has_value()) memory_.cpu(*cpu).Release(path);
}

}  // namespace numasim
