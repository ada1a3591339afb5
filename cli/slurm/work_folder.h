// The folder beside a sweep's database, NAME.sqlite.slurm, through which the sweep and its tasks on a cluster
// speak. All see it under the same path. The sweep makes it, and removes it in the end.
//
//   input.pb            Input: everything that a run needs
//   task.sh             what Slurm runs for each task: its arguments, as a command
//   job-1/, job-2/ ..   jobs that were submitted one after the other
//     job.pb            Job: its name, and which runs each task has; written before it is submitted
//     submitted         is there when Slurm has taken the job
//     0.report, 0.log   what task 0 reports (cli/slurm/reports.h), and what it prints
#ifndef NUMASIM_CLI_SLURM_WORK_FOLDER_H_
#define NUMASIM_CLI_SLURM_WORK_FOLDER_H_

#include <cstddef>
#include <cstdint>
#include <map>
#include <string>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "cli/slurm/work.pb.h"
#include "cli/sweep/study.h"
#include "cli/sweep/sweep_scenarios.h"

namespace numasim::slurm {

// Of a sweep's database.
std::string WorkFolderOf(const std::string& database);

std::string InputPath(const std::string& folder);
std::string ScriptPath(const std::string& folder);
std::string JobFolder(const std::string& folder, int number);
// In a job's folder.
std::string JobPath(const std::string& job_folder);
std::string SubmittedPath(const std::string& job_folder);
std::string ReportPath(const std::string& job_folder, size_t task);
std::string LogPath(const std::string& job_folder, size_t task);

// Every status names the file.
absl::Status MakeFolders(const std::string& path);
absl::Status WriteMessage(const std::string& path, const google::protobuf::MessageLite& message);
absl::Status ReadMessage(const std::string& path, google::protobuf::MessageLite& message);
// The folders of jobs, by number.
absl::StatusOr<std::map<int, std::string>> JobFolders(const std::string& folder);
// The last line that the file has; empty if there is none.
std::string LastLine(const std::string& path);

absl::StatusOr<Input> MakeInput(const LoadedStudy& study, const SweepScenarios& scenarios);
// What MakeInput was given, but for the files' mistakes and warnings, of which there were none or they were
// told.
absl::StatusOr<LoadedStudy> StudyOf(const Input& input);
std::map<std::string, std::string> FilesOf(const Input& input);

// By SweepRun::number, as files have it; an error if the study does not have so many.
absl::StatusOr<SweepRun> RunOf(const LoadedStudy& study, int64_t number);

}  // namespace numasim::slurm

#endif  // NUMASIM_CLI_SLURM_WORK_FOLDER_H_
