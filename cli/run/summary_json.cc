// The summary of a run for programs.
#include <nlohmann/json.hpp>

#include "cli/run/summary.h"
#include "models/hotplug/virtio_mem.h"

namespace numasim {
namespace {

using Json = nlohmann::ordered_json;
using workloads::Simulation;

Json OperationsJson(const Simulation& simulation) {
  Json json = Json::array();
  for (const Simulation::Operations& operations : simulation.AllOperations()) {
    for (const auto& [name, stats] : operations.table) {
      Json& entry = json.emplace_back(Json::object());
      if (!operations.name.empty()) entry["script"] = operations.name;
      entry["operation"] = name;
      entry["tried"] = stats.tried();
      entry["failed"] = Json::object();
      for (const auto& [reason, count] : stats.failed()) entry["failed"][std::string(reason)] = count;
      const sim::Histogram& latency = stats.latency();
      if (latency.count() == 0) continue;
      entry["mean_ns"] = latency.mean();
      entry["99_ns"] = latency.Quantile(0.99);
      entry["max_ns"] = latency.max();
    }
  }
  return json;
}

// In the order of the text. A failure that no line of a script stands for has no lines.
Json FailuresJson(const Simulation& simulation) {
  Json json = Json::array();
  for (const ShortageKind& shortage : AllShortages(simulation)) {
    Json& entry = json.emplace_back(Json{{"what", shortage.what}, {"count", shortage.count}});
    if (!shortage.nodes.empty()) entry["node"] = shortage.nodes;
    entry["lines"] = Json::array();
  }
  for (const Simulation::FailureKind& kind : simulation.Failures()) {
    Json lines = Json::array();
    for (const Simulation::FailedLine& line : kind.lines)
      lines.push_back({{"at", LineText(line)}, {"count", line.count}});
    json.push_back({{"what", kind.what}, {"count", kind.count}, {"lines", std::move(lines)}});
  }
  return json;
}

// What kept memory where it was, and how much of it, in `unit`.
Json InTheWayJson(const Obstacles& obstacles, int64_t unit) {
  Json json = Json::object();
  for (const auto& [obstacle, amount] : obstacles) json[obstacle.Text()] = amount * unit;
  return json;
}

Json VirtioMemJson(const VirtioMemDriver& device) {
  const auto bytes = [&device](VirtioMemCounter c) { return device.counter(c) * kPageSize; };
  return {{"node", device.zone().node().value},
          {"can_have_bytes", device.max_pages() * kPageSize},
          {"asked_for_bytes", bytes(VIRTIO_MEM_REQUESTED)},
          {"plugged_bytes", bytes(VIRTIO_MEM_PLUGGED)},
          {"requests_not_met", device.counter(VIRTIO_MEM_FAILED)},
          {"requests_ns", device.counter(VIRTIO_MEM_NS)},
          {"asked_more_bytes", bytes(VIRTIO_MEM_ASKED_MORE)},
          {"given_bytes", bytes(VIRTIO_MEM_GIVEN)},
          {"asked_back_bytes", bytes(VIRTIO_MEM_ASKED_BACK)},
          {"returned_bytes", bytes(VIRTIO_MEM_RETURNED)},
          {"tried_in_vain_bytes", bytes(VIRTIO_MEM_STAYED)},
          {"unplug_ns", device.counter(VIRTIO_MEM_UNPLUG_NS)},
          {"in_the_way_bytes", InTheWayJson(device.stayed(), kPageSize)}};
}

// Of each node, whether or not there was any.
Json OffliningJson(const Kernel& kernel) {
  Json json = Json::array();
  for (int n = 0; n < kernel.memory().node_count(); ++n) {
    const MemoryHotplug::Outcomes& node = kernel.hotplug().outcomes(NodeId{n});
    json.push_back({{"node", n},
                    {"tried", node.counters[OFFLINE_TRIED]},
                    {"went", node.counters[BLOCKS_OFFLINED]},
                    {"stayed", node.counters[OFFLINE_FAILED]},
                    {"came_online", node.counters[BLOCKS_ONLINED]},
                    {"offline_ns", node.counters[OFFLINE_NS]},
                    {"in_the_way", InTheWayJson(node.stayed, 1)}});
  }
  return json;
}

Json EventsJson(const RunFacts& facts) {
  Json json = Json::array();
  for (const auto& [what, count] : facts.events)
    json.push_back({{"kind", what.first}, {"reason", what.second}, {"count", count}});
  return json;
}

}  // namespace

void PrintSummaryJson(Simulation& simulation, const RunFacts& facts, const std::optional<RunMetrics>& run,
                      std::ostream& out) {
  Json json = {{"name", simulation.scenario().proto.name()},
               {"scenario", simulation.scenario().path},
               {"simulated_ns", simulation.engine().now().ns},
               {"wall_s", facts.wall_s},
               {"simulation_events", simulation.engine().events_executed()},
               {"streams", simulation.streams()},
               {"streams_ended", simulation.streams_done()},
               {"trace", facts.trace_path},
               {"operations", OperationsJson(simulation)},
               {"failures", FailuresJson(simulation)},
               {"events", EventsJson(facts)}};
  if (const VirtioMemDriver* const device = simulation.kernel().virtio_mem(); device != nullptr)
    json["virtio_mem"] = VirtioMemJson(*device);
  json["offlining"] = OffliningJson(simulation.kernel());
  if (!facts.ended_by.empty()) json["ended_by"] = facts.ended_by;
  if (run.has_value()) {
    json["seed"] = run->seed;
    json["metrics"] = Json::object();
    for (const auto& [name, metric] : run->metrics) json["metrics"][name] = metric.value;
  }
  // Names and texts of scripts may hold bytes that are no UTF-8.
  out << json.dump(1, ' ', false, Json::error_handler_t::replace) << "\n";
}

}  // namespace numasim
