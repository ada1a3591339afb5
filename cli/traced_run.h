// TracedRun: one run of a scenario whose counters go to a trace file. Owns the simulation and the trace; used
// by `numasim run`, and by tests that look at the simulation afterwards. Lives on no LP.
#ifndef NUMASIM_CLI_TRACED_RUN_H_
#define NUMASIM_CLI_TRACED_RUN_H_

#include <cstdint>
#include <functional>
#include <memory>
#include <optional>
#include <string>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "cli/summary.h"
#include "cli/trace_sink.h"
#include "proto/trace_writer.h"
#include "sim/engine.h"
#include "workloads/scenario.h"
#include "workloads/simulation.h"

namespace numasim {

struct TracedRunOptions {
  std::string trace_path;
  std::optional<uint64_t> seed;  // instead of the scenario's
  int threads = 1;
  sim::Scheme scheme = sim::Scheme::kAuto;
};

// Reads what `numasim run` is given: a script if its name ends in .mm, else a scenario. An error names file,
// line, field and what would be right.
absl::StatusOr<workloads::LoadedScenario> LoadInput(const std::string& path);

class TracedRun {
 public:
  // Builds the simulation and begins its trace. `scenario` must outlive the run. An error leaves no file.
  static absl::StatusOr<std::unique_ptr<TracedRun>> Create(const workloads::LoadedScenario& scenario,
                                                           const TracedRunOptions& options);
  ~TracedRun();

  // Runs to the end and completes the trace. An error of the run or of writing leaves no file.
  absl::Status Run();

  workloads::Simulation& simulation() { return *simulation_; }
  // Of the run and its trace, when Run has returned.
  const RunFacts& facts() const { return facts_; }

 private:
  TracedRun() = default;

  std::unique_ptr<workloads::Simulation> simulation_;
  std::unique_ptr<TraceWriter> writer_;
  std::unique_ptr<TraceSink> sink_;
  RunFacts facts_;
};

}  // namespace numasim

#endif  // NUMASIM_CLI_TRACED_RUN_H_
