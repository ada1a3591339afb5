#include "cli/run/measured_run.h"

#include <memory>
#include <utility>

#include "absl/status/status.h"
#include "cli/run/trace_header.h"
#include "cli/run/trace_sink.h"
#include "sim/engine.h"
#include "sim/run_control.h"
#include "workloads/simulation.h"

namespace numasim {

using workloads::Simulation;

absl::StatusOr<MeasuredRun> MeasureRun(const workloads::LoadedScenario& scenario, uint64_t seed,
                                       const std::vector<MetricPeriod>& periods,
                                       const std::function<bool()>& stop) {
  absl::StatusOr<std::unique_ptr<Simulation>> simulation =
      Simulation::Create(scenario, {.threads = 1, .seed = seed});
  if (!simulation.ok()) return simulation.status();
  absl::StatusOr<trace::Header> header = AddColumns(**simulation, seed);
  if (!header.ok()) return header.status();
  MetricsRecorder recorder(*std::move(header), periods);
  sim::Engine& engine = (*simulation)->engine();
  TraceSink sink(engine, recorder);
  engine.SetSampler(sim::Nanoseconds(scenario.trace_interval_ns), &sink);
  bool stopped = false;
  engine.SetProgress([&](sim::SimTime, uint64_t) {
    if (stopped || !stop()) return;
    stopped = true;
    sim::StopRun(engine);
  });
  const absl::Status status = (*simulation)->Run();
  if (stopped) return absl::CancelledError("the run was given up");
  if (!status.ok()) return status;
  sink.WriteEnd(**simulation);
  return MeasuredRun{.metrics = recorder.Finish(), .warnings = (*simulation)->warnings()};
}

}  // namespace numasim
