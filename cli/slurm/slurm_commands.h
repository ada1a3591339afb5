// Slurm as it is used here: by its commands, and by the names of jobs. A job's name is chosen and noted
// before the job is submitted, so that no moment at which the submitter may be killed leaves a job that
// nobody finds.
#ifndef NUMASIM_CLI_SLURM_SLURM_COMMANDS_H_
#define NUMASIM_CLI_SLURM_SLURM_COMMANDS_H_

#include <cstddef>
#include <map>
#include <set>
#include <string>
#include <vector>

#include "absl/status/status.h"
#include "absl/status/statusor.h"

namespace numasim::slurm {

// By the job's name, the numbers of tasks that wait or run.
using QueuedTasks = std::map<std::string, std::set<size_t>>;

// FailedPrecondition, with what would be right, if this host has no Slurm to submit to.
absl::Status CheckSlurm();

// An error if one of these arguments of sbatch is no option, or is one of those that Submit sets.
absl::Status CheckSbatchOptions(const std::vector<std::string>& options);

// An array job of `tasks` tasks, from 0, that have `cpus` CPUs each.
struct Submission {
  std::string name;
  size_t tasks = 0;
  int cpus = 1;
  // A script that runs its arguments as a command, and these: every task's. They know their number by the
  // environment, as SLURM_ARRAY_TASK_ID.
  std::string script;
  std::vector<std::string> command;
  std::string logs;                  // the folder that gets what each task prints, as NUMBER.log
  std::vector<std::string> options;  // of sbatch, besides
};
absl::Status Submit(const Submission& submission);

// Of the jobs of these names; a job is in it only where a task waits or runs.
absl::StatusOr<QueuedTasks> AskQueue(const std::vector<std::string>& names);

// Ends what waits and what runs of the jobs.
absl::Status Cancel(const std::vector<std::string>& names);

}  // namespace numasim::slurm

#endif  // NUMASIM_CLI_SLURM_SLURM_COMMANDS_H_
