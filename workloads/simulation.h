// Simulation: one run of a scenario. Owns the engine, the models on it, a runner for each stream of the
// workload, and its other parts.
#ifndef NUMASIM_WORKLOADS_SIMULATION_H_
#define NUMASIM_WORKLOADS_SIMULATION_H_

#include <cstdint>
#include <functional>
#include <memory>
#include <string>
#include <vector>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "models/contig/contig.h"
#include "models/kernel.h"
#include "models/mm/address_space_ops.h"
#include "sim/engine.h"
#include "sim/run_control.h"
#include "workloads/alloc_trace/alloc_replay.h"
#include "workloads/batch/batch_system.h"
#include "workloads/generate/churn.h"
#include "workloads/generate/guest_group.h"
#include "workloads/generate/readers.h"
#include "workloads/generate/slab.h"
#include "workloads/generate/workload_part.h"
#include "workloads/operation_log.h"
#include "workloads/scenario.h"
#include "workloads/script_runner.h"

namespace numasim::workloads {

class Simulation {
 public:
  struct Options {
    int threads = 1;
    uint64_t seed = 1;
    sim::Scheme scheme = sim::Scheme::kAuto;
    bool step_by_step = false;  // see sim::Engine::Options
  };

  // Builds the machine and places every stream at its start. An error names the field, or the operation that
  // is not modelled yet.
  static absl::StatusOr<std::unique_ptr<Simulation>> Create(const LoadedScenario& scenario,
                                                            const Options& options);
  ~Simulation();

  // Runs to the end of the workload, or to the scenario's stop_after. DeadlineExceeded never: a workload that
  // cannot go on because everything waits is FailedPrecondition and says who waits for what, one that would
  // go on after the end of simulated time, 292 years, is OutOfRange and says which operation that is.
  absl::Status Run();

  sim::Engine& engine() { return engine_; }
  const Kernel& kernel() const { return *kernel_; }
  MemorySystem& memory() { return kernel_->memory(); }
  const Contig& contig() const { return kernel_->contig(); }
  const LoadedScenario& scenario() const { return scenario_; }
  // The scenario's warnings, and those of the machine that was built for it.
  const std::vector<std::string>& warnings() const { return warnings_; }
  // Over all streams. Read while nothing runs.
  struct Totals {
    int64_t operations = 0;
    int64_t accesses = 0;
  };
  Totals CountAll() const;
  // What failed in all streams, each kind with the lines of scripts where it did, those with most failures
  // first. Copies of a script and loops of it count as its lines. Operations come before accesses. Read while
  // nothing runs.
  struct FailedLine {
    int64_t count = 0;
    const LoadedScript* script = nullptr;
    int line = 0;
  };
  struct FailureKind {
    std::string what;
    int64_t count = 0;
    std::vector<FailedLine> lines;
  };
  std::vector<FailureKind> Failures() const;
  // What was done, by kind of operation: first of each script, then of each group of guests and each
  // batch system, in their order, then of the whole machine (Timed). Read while nothing runs.
  struct Operations {
    enum class Of { kScript, kGuests, kBatch, kMachine };
    Of of = Of::kMachine;
    std::string name;  // of the script, the group or the batch system
    OperationTable table;
  };
  std::vector<Operations> AllOperations() const;
  // Scripts' streams, and the other parts of the workload.
  int64_t streams() const { return static_cast<int64_t>(runners_.size() + parts_.size()); }
  int64_t streams_done() const;
  // The groups of guests, in the scenario's order.
  const std::vector<std::unique_ptr<GuestGroup>>& groups() const { return groups_; }
  const std::vector<std::unique_ptr<BatchSystem>>& batches() const { return batches_; }
  const std::vector<std::unique_ptr<AllocReplay>>& replays() const { return replays_; }
  const std::vector<std::unique_ptr<Churn>>& churns() const { return churns_; }
  const std::vector<std::unique_ptr<Readers>>& readers() const { return readers_; }
  const std::vector<std::unique_ptr<Slab>>& slabs() const { return slabs_; }
  // Every counter of the machine and of the workload, in the order of a trace.
  std::vector<MemorySystem::CounterColumn> Columns() const;
  // The processes that live, by stream and name. Read while nothing runs.
  std::vector<const Process*> LiveProcesses() const;
  // How much of all streams' operations is done, 0 to 1. For the progress callback.
  double ShareDone() const;
  // The simulated time that the run takes at least, from what its streams sleep; all of it if there is a
  // stop_after.
  sim::SimTime KnownEnd() const;
  // The name of a path that is next to run. For the progress callback.
  std::string NextPath() const { return sim::NextPath(engine_); }
  // Where a stream is in its script, by the name of its path; empty if no stream has that name. For the
  // progress callback.
  std::string WhereIs(const std::string& path) const;

 private:
  struct Stream {
    std::string name;  // also of its path
    const LoadedScript* script = nullptr;
    const Script* of_copy = nullptr;  // what it performs
    std::unique_ptr<ScriptRunner> runner;
    bool done = false;  // written by the stream's path, read while nothing runs
  };

  Simulation(const LoadedScenario& scenario, const Options& options);
  absl::Status AddGroups(const LoadedScenario& scenario, uint64_t seed);
  void AddStreams();
  sim::Task<void> EndWithLast(sim::Path& path);
  // What is wrong where a run without an end has come to its end: somebody still waits.
  absl::Status Stuck(const std::vector<sim::BlockedPath>& blocked) const;
  // The same where one of them would go on after the end of simulated time.
  absl::Status AfterEndOfTime(const std::vector<sim::BlockedPath>& blocked) const;
  // What of the scenario a path belongs to, with its place in front; empty if it is one of the machine's own.
  std::string WhoseIs(const std::string& path) const;

  const LoadedScenario& scenario_;
  std::vector<std::string> warnings_;
  sim::Engine engine_;
  std::unique_ptr<Kernel> kernel_;
  std::vector<std::unique_ptr<Stream>> runners_;
  std::vector<std::unique_ptr<OperationLog>> logs_;  // of each script
  std::vector<std::unique_ptr<GuestGroup>> groups_;
  std::vector<std::unique_ptr<BatchSystem>> batches_;
  std::vector<std::unique_ptr<AllocReplay>> replays_;
  std::vector<std::unique_ptr<Churn>> churns_;
  std::vector<std::unique_ptr<Readers>> readers_;
  std::vector<std::unique_ptr<Slab>> slabs_;
  std::vector<WorkloadPart*> parts_;  // all of these, in that order
  size_t streams_ended_ = 0;          // global LP
  bool left_daemons_ =
      false;  // the run was ended with the last stream, and what would go on for ever with it
};

}  // namespace numasim::workloads

#endif  // NUMASIM_WORKLOADS_SIMULATION_H_
