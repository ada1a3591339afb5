// `numasim sweep-task`: a task of a sweep on a cluster. `numasim sweep --engine slurm` has it run by Slurm;
// it is no command for users.
#ifndef NUMASIM_CLI_SLURM_SWEEP_TASK_H_
#define NUMASIM_CLI_SLURM_SWEEP_TASK_H_

#include <CLI/App.hpp>

namespace numasim {

// The command's name, which --help does not show.
inline constexpr char kSweepTask[] = "sweep-task";

// Adds the subcommand to `app`. When it is called it sets *exit_status to 0; to 128 and the number of the
// signal that ended it; or to 1 after one message on standard error. `exit_status` must outlive `app`.
void AddSweepTaskCommand(CLI::App& app, int* exit_status);

}  // namespace numasim

#endif  // NUMASIM_CLI_SLURM_SWEEP_TASK_H_
