#include "cli/slurm/sweep_task.h"

#include <cstdint>
#include <cstdlib>
#include <iostream>
#include <memory>
#include <sstream>
#include <string>
#include <vector>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "absl/strings/numbers.h"
#include "absl/strings/str_cat.h"
#include "cli/build_id.h"
#include "cli/signals.h"
#include "cli/slurm/reports.h"
#include "cli/slurm/work.pb.h"
#include "cli/slurm/work_folder.h"
#include "cli/sweep/study.h"
#include "cli/sweep/sweep_progress.h"
#include "cli/sweep/sweep_runner.h"
#include "cli/sweep/sweep_scenarios.h"
#include "cli/thread_count.h"

namespace numasim {
namespace {

using slurm::ReportWriter;

// What the sweep has written for the task.
struct TaskFiles {
  slurm::Input input;
  slurm::Job job;
  int task = 0;
};

absl::StatusOr<TaskFiles> ReadTask(const std::string& job_folder) {
  const char* const number = std::getenv("SLURM_ARRAY_TASK_ID");
  TaskFiles files;
  absl::Status status = slurm::ReadMessage(slurm::JobPath(job_folder), files.job);
  if (!status.ok()) return status;
  if (number == nullptr || !absl::SimpleAtoi(number, &files.task) || files.task < 0 ||
      files.task >= files.job.task_size()) {
    return absl::InvalidArgumentError(absl::StrCat(
        "SLURM_ARRAY_TASK_ID: ", number == nullptr ? "is not set" : absl::StrCat("'", number, "' is no task"),
        "; expected 0 to ", files.job.task_size() - 1, ", by numasim sweep --engine slurm"));
  }
  status = slurm::ReadMessage(slurm::InputPath(job_folder + "/.."), files.input);
  if (!status.ok()) return status;
  return files;
}

absl::StatusOr<std::vector<SweepRun>> RunsOf(const TaskFiles& files, const LoadedStudy& study) {
  std::vector<SweepRun> runs;
  for (const slurm::Run& run : files.job.task(files.task).run()) {
    const absl::StatusOr<SweepRun> of_study = slurm::RunOf(study, run.number());
    if (!of_study.ok()) return of_study.status();
    runs.push_back(*of_study);
  }
  return runs;
}

absl::Status RunAll(const TaskFiles& files, ReportWriter& reports) {
  const absl::StatusOr<std::string> program = BuildId();
  if (!program.ok()) return program.status();
  if (files.input.program() != *program) {
    return absl::FailedPreconditionError(absl::StrCat("the tasks run numasim ", *program, "; expected ",
                                                      files.input.program(), ", which the sweep runs"));
  }
  const absl::StatusOr<LoadedStudy> study = slurm::StudyOf(files.input);
  if (!study.ok()) return study.status();
  const absl::StatusOr<std::vector<SweepRun>> runs = RunsOf(files, *study);
  if (!runs.ok()) return runs.status();
  const SweepScenarios scenarios = SweepScenarios::FromFiles(*study, slurm::FilesOf(files.input));
  const absl::StatusOr<int> threads = ThreadsToUse(files.input.threads());
  if (!threads.ok()) return threads.status();
  std::ostringstream printed;
  SweepProgress progress(/*line=*/false, printed);
  SweepRunner runner(*study, scenarios, reports, progress,
                     {.threads = *threads,
                      .traces = files.input.traces(),
                      .stop = [] { return EndSignals::Noted() != 0; },
                      .check_metrics = files.job.check_metrics() && files.task == 0});
  absl::Status status = runner.Run(*runs);
  if (status.ok() && EndSignals::Noted() == 0) status = reports.AddEnded(runner.warnings(), printed.str());
  return status;
}

absl::Status RunTask(const std::string& job_folder) {
  const absl::StatusOr<TaskFiles> files = ReadTask(job_folder);
  if (!files.ok()) return files.status();
  const absl::StatusOr<std::unique_ptr<ReportWriter>> reports =
      ReportWriter::Create(slurm::ReportPath(job_folder, static_cast<size_t>(files->task)));
  if (!reports.ok()) return reports.status();
  const absl::Status status = RunAll(*files, **reports);
  // Where the report cannot be written either, the log has the message.
  if (!status.ok()) (void)(*reports)->AddError(std::string(status.message()));
  return status;
}

}  // namespace

void AddSweepTaskCommand(CLI::App& app, int* exit_status) {
  CLI::App* command = app.add_subcommand(kSweepTask, "Run a task of numasim sweep --engine slurm");
  command->group("");
  auto folder = std::make_shared<std::string>();
  command->add_option("FOLDER", *folder, "the job's, as the sweep made it")->required();
  command->callback([folder, exit_status] {
    const EndSignals signals;
    const absl::Status status = RunTask(*folder);
    if (!status.ok()) std::cerr << "numasim " << kSweepTask << ": " << status.message() << "\n";
    *exit_status = EndSignals::Noted() != 0 ? 128 + EndSignals::Noted() : status.ok() ? 0 : 1;
  });
}

}  // namespace numasim
