// BatchSystem: runs the jobs of one plan: submits them, lets the scheduler start them, gives each its nodes
// and CPUs and its memory, and counts. Owned by the Simulation; lives on the global LP, where all its state
// is. A job's path comes there between the system calls of its processes.
#ifndef NUMASIM_WORKLOADS_BATCH_BATCH_SYSTEM_H_
#define NUMASIM_WORKLOADS_BATCH_BATCH_SYSTEM_H_

#include <array>
#include <cstdint>
#include <map>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "absl/status/statusor.h"
#include "models/base/operation_stats.h"
#include "models/kernel.h"
#include "proto/counters.h"
#include "sim/path.h"
#include "sim/task.h"
#include "workloads/batch/batch_plan.h"
#include "workloads/batch/batch_scheduler.h"
#include "workloads/batch/node_placement.h"
#include "workloads/generate/guest.h"
#include "workloads/generate/workload_part.h"

namespace numasim::workloads {

class BatchSystem final : public WorkloadPart {
 public:
  // The machine has CPUs.
  BatchSystem(Kernel& kernel, const BatchPlan& plan, uint64_t seed);

  // Before the run: places the first submission.
  void Begin(OnEnd on_end) override;

  // All jobs have come and gone. Read, as all below, on the global LP or while nothing runs.
  bool ended() const override { return submitted_all_ && waiting_.empty() && running_.empty(); }
  const BatchPlan& plan() const { return plan_; }
  int64_t counter(BatchCounter c) const { return counters_[c]; }
  // "batch.jobs.running" and so on.
  std::vector<MemorySystem::CounterColumn> Columns() const override;
  // A wait: from a job's submission to its start. A start: of its processes, to the end of their first
  // touches. A growth: a part of its memory that comes later.
  const OperationStats& waits() const { return waits_; }
  const OperationStats& starts() const { return starts_; }
  const OperationStats& growths() const { return growths_; }
  // Jobs refused, by what the machine lacks; failed starts and growths by error and the nodes that had
  // nothing: each such job was killed.
  const Shortages& shortages() const { return shortages_; }
  std::vector<const Process*> LiveProcesses() const override;
  // How many of its jobs are done, 0 to 1.
  double ShareDone(sim::SimTime now) const override;

 private:
  // A job that runs.
  struct Running {
    std::string name;
    JobDemand demand;
    int64_t run_ns = 0;
    sim::SimTime started;
    NodePlacement::Places places;
    std::vector<CpuId> cpus;                        // of each process
    std::vector<std::unique_ptr<Guest>> processes;  // one on each node where it has CPUs
    int64_t counted_pages = 0;                      // of touched_pages
  };
  struct Waiting {
    JobDemand demand;
    sim::SimTime since;
  };

  sim::Task<void> Submit(sim::Path& path);
  sim::Task<void> SizeUp(sim::Path& path);
  void SubmitJob(sim::Path& path, size_t number);
  void Refuse(sim::Path& path, const Job& job, const char* why);
  void StartJobs(sim::Path& path);
  void StartJob(sim::Path& path, size_t number, const Waiting& waited, bool backfilled);
  void AddProcesses(Running& job) const;
  sim::Task<void> Run(sim::Path& path, size_t number);
  sim::Task<bool> StartProcesses(sim::Path& path, Running& job);
  sim::Task<bool> LiveOut(sim::Path& path, Running& job);
  sim::Task<bool> Grow(sim::Path& path, Running& job, int step);
  sim::Task<void> End(sim::Path& path, size_t number, bool killed);
  CpuId TakeCpu(NodeId node);
  void CountRunning(const Running& job, int64_t sign);
  void CountTouched(Running& job);
  std::string NameOf(size_t number) const;

  Kernel& kernel_;
  const BatchPlan plan_;  // with its log
  uint64_t seed_;
  OnEnd on_end_;
  GuestHabits habits_;
  std::optional<BatchScheduler> scheduler_;  // there when the machine has been looked at, as is
  std::optional<NodePlacement> nodes_;
  std::vector<int64_t> processes_on_;  // by CPU
  std::map<size_t, Waiting> waiting_;  // by the job's number
  std::map<size_t, Running> running_;  // likewise
  bool submitted_all_ = false;
  int64_t millicpus_ = 0;
  std::array<int64_t, BatchCounter_ARRAYSIZE> counters_ = {};
  OperationStats waits_;
  OperationStats starts_;
  OperationStats growths_;
  Shortages shortages_;
};

}  // namespace numasim::workloads

#endif  // NUMASIM_WORKLOADS_BATCH_BATCH_SYSTEM_H_
