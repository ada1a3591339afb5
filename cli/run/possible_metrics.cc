#include "cli/run/possible_metrics.h"

#include <cstdint>
#include <set>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "cli/text/absent_count.h"
#include "models/base/timed.h"
#include "workloads/operation_log.h"
#include "workloads/script.h"

namespace numasim {
namespace {

// A process that lives when its script ends exits, and a touch counts its accesses, without a line for them.
std::set<std::string_view> OperationsOf(const workloads::LoadedScript& script) {
  std::set<std::string_view> names = {workloads::kAccess, workloads::OperationName(workloads::ExitOp{})};
  for (const workloads::Op& op : script.script.ops) names.insert(workloads::OperationName(op.kind));
  return names;
}

// The recorder names the metrics: it is told of one of each kind.
void AddOperation(const std::string& of, std::string_view operation, MetricsRecorder& recorder) {
  trace::OperationStats stats;
  if (!of.empty()) stats.set_script(of);
  stats.set_operation(std::string(operation));
  stats.set_tried(1);
  for (const std::string& reason : FailureReasons()) {
    trace::FailureCount& failed = *stats.add_failed();
    failed.set_reason(reason);
    failed.set_count(1);
  }
  if (operation != workloads::kAccess) stats.mutable_latency_ns();
  recorder.AddOperationStats(std::move(stats));
}

}  // namespace

RunMetrics PossibleMetrics(const workloads::Simulation& simulation, const trace::Header& header,
                           const std::vector<MetricPeriod>& periods) {
  MetricsRecorder recorder(header, periods);
  const std::vector<int64_t> zeros(static_cast<size_t>(header.column_size()));
  // A period has metrics where the run reaches it.
  std::set<int64_t> times = {0};
  for (const MetricPeriod& period : periods) times.insert(period.from_ns);
  for (const int64_t time : times) recorder.AddSample(time, zeros);
  for (const std::string& kind : EventKinds()) {
    trace::Event event;
    event.set_kind(kind);
    recorder.AddEvent(std::move(event));
  }
  for (const workloads::LoadedScript& script : simulation.scenario().scripts) {
    for (const std::string_view operation : OperationsOf(script))
      AddOperation(script.name, operation, recorder);
  }
  for (const auto& group : simulation.groups()) {
    for (const char* const operation : {"start", "attempt", "grow"})
      AddOperation(group->plan().name, operation, recorder);
  }
  for (const auto& batch : simulation.batches()) {
    for (const char* const operation : {"wait", "start", "grow"})
      AddOperation(batch->plan().name, operation, recorder);
  }
  for (const char* const kind : kTimedNames) AddOperation("", kind, recorder);
  return recorder.Finish();
}

}  // namespace numasim
