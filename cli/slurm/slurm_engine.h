// Runs of a sweep on a cluster, by Slurm.
//
//   - The runs that have no result yet are dealt out to the tasks of array jobs, many runs a task. A task
//   writes each
//     result into a file of its own (cli/slurm/reports.h); this process alone writes the database. It polls
//     those files and Slurm's queue.
//   - A task that is no longer in the queue, and did not report its end, was lost. Its runs without a result
//   are
//     submitted again in another job. The runs that it was at when it was lost get a task each: what killed
//     the task then takes no other run with it. A run that has lost its task three times has failed.
//   - What was submitted, and how often a run lost its task, is in the work folder (cli/slurm/work_folder.h)
//   before
//     Slurm has the job. So when this process is lost the next one takes over its jobs: those that still run,
//     and what the others have reported. A result that is in the database already is passed over.
#ifndef NUMASIM_CLI_SLURM_SLURM_ENGINE_H_
#define NUMASIM_CLI_SLURM_SLURM_ENGINE_H_

#include <chrono>
#include <cstddef>
#include <cstdint>
#include <functional>
#include <map>
#include <memory>
#include <optional>
#include <set>
#include <string>
#include <utility>
#include <vector>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "cli/slurm/reports.h"
#include "cli/slurm/slurm_commands.h"
#include "cli/slurm/work.pb.h"
#include "cli/sweep/study.h"
#include "cli/sweep/sweep_engine.h"
#include "cli/sweep/sweep_progress.h"
#include "cli/sweep/sweep_scenarios.h"
#include "cli/sweep/sweep_store.h"

namespace numasim {

struct SlurmOptions {
  std::string database;             // the folder is beside it
  bool restart = false;             // nothing of an earlier sweep is taken over
  int threads = 1;                  // runs at a time in each task
  int runs_per_task = 0;            // 0: as many as make a hundred tasks
  std::vector<std::string> sbatch;  // options
  std::string traces;               // the folder that traces go to; empty: none are kept
  std::function<bool()> stop;       // asked about every 100 ms: the sweep is to end
  std::function<bool()> leave;      // whether jobs are left as they are then
};

class SlurmEngine final : public SweepEngine {
 public:
  // Makes the work folder, or takes over the jobs of one that is of this sweep, with what they have reported
  // so far. Jobs of another sweep are ended. All must outlive the engine.
  static absl::StatusOr<std::unique_ptr<SlurmEngine>> Create(const LoadedStudy& study,
                                                             const SweepScenarios& scenarios,
                                                             SweepStore& store, SweepProgress& progress,
                                                             SlurmOptions options);

  // An error is of the database or the folder, of Slurm while no job is left, or of what befalls every task.
  absl::Status Run(const std::vector<SweepRun>& runs) override;

  // Ends the jobs that are left, keeps what they have reported, and removes the folder; unless they are to be
  // left.
  absl::Status End() override;

  const std::set<std::string>& warnings() const override { return warnings_; }

 private:
  // A task that is not over.
  struct Task {
    slurm::ReportReader reports;
    std::set<int64_t> begun;  // runs
    bool ended = false;       // it says so
  };
  struct Job {
    std::string folder;
    slurm::Job proto;
    bool submitted = false;  // it is known that Slurm has taken it
    std::map<size_t, Task> tasks;
  };
  // Which task a run is to have its result of: the last one that got it.
  struct Owner {
    int job = 0;
    size_t task = 0;

    bool operator==(const Owner&) const = default;
  };
  // How often a run lost its task.
  struct Lost {
    int running = 0;
    int not_begun = 0;  // nor any other run
  };

  SlurmEngine(const LoadedStudy& study, SweepStore& store, SweepProgress& progress, SlurmOptions options);

  absl::Status SetUp(const SweepScenarios& scenarios);
  absl::StatusOr<bool> IsOfThisSweep(const slurm::Input& input, const SweepScenarios& scenarios);
  absl::Status TakeOver(const SweepScenarios& scenarios);
  absl::Status ReadJobs();
  absl::Status Discard();
  absl::Status RemoveFolder();
  std::vector<std::string> JobNames() const;

  absl::Status Advance(const std::vector<SweepRun>& runs);
  absl::Status GatherEnds();
  void RemoveOverJobs();
  std::optional<slurm::QueuedTasks> Queued();
  absl::Status Gather();
  absl::Status Take(const Owner& of, Task& task, const slurm::Report& report);
  absl::Status TakeResult(const Owner& of, int64_t run, const slurm::Report& report);
  absl::Status NoteOver(const std::optional<slurm::QueuedTasks>& queued);
  absl::Status NoteLost(int number, const Job& job, size_t task_number, const Task& task);
  absl::Status CountLost(const Job& job, size_t task_number, const Task& task, int64_t run);
  std::vector<slurm::Task> TasksFor(const std::vector<SweepRun>& runs);
  slurm::Run WithLost(int64_t run) const;
  absl::Status SubmitMissing(const std::vector<SweepRun>& runs);
  absl::Status SubmitJob(std::vector<slurm::Task> tasks);
  void Keep(int number, std::string folder, slurm::Job proto, bool submitted);
  void WarnOnce(const absl::Status& status);
  bool Wait();

  const LoadedStudy& study_;
  SweepStore& store_;
  SweepProgress& progress_;
  const SlurmOptions options_;
  const std::string folder_;
  std::map<int, Job> jobs_;  // of which tasks are not over, by number
  int last_job_ = 0;
  std::map<int64_t, Owner> owners_;  // of runs without a result
  std::map<int64_t, Lost> lost_;
  std::set<std::string> warnings_;
  std::set<std::string> warned_;  // what Slurm has said
  bool errors_end_ = true;        // an error that a task reports ends the sweep
  std::chrono::steady_clock::time_point started_;
};

}  // namespace numasim

#endif  // NUMASIM_CLI_SLURM_SLURM_ENGINE_H_
