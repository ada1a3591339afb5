#include "cli/slurm/slurm_commands.h"

#include <cstdint>
#include <utility>

#include "absl/strings/match.h"
#include "absl/strings/numbers.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/str_join.h"
#include "absl/strings/str_replace.h"
#include "absl/strings/str_split.h"
#include "cli/slurm/command.h"
#include "workloads/units.h"

namespace numasim::slurm {
namespace {

using workloads::Quoted;

// Options of sbatch that Submit sets, or that would make the tasks something else; the short form, if it has
// one.
constexpr std::pair<absl::string_view, absl::string_view> kOwnOptions[] = {
    {"--array", "-a"},    {"--job-name", "-J"},      {"--output", "-o"}, {"--error", "-e"},
    {"--chdir", "-D"},    {"--cpus-per-task", "-c"}, {"--ntasks", "-n"}, {"--requeue", ""},
    {"--no-requeue", ""}, {"--parsable", ""},        {"--wrap", ""},     {"--wait", "-W"},
    {"--clusters", "-M"}, {"--test-only", ""},       {"--help", "-h"},   {"--version", "-V"}};

absl::Status CheckSbatchOption(const std::string& option) {
  const std::string what = absl::StrCat("--sbatch: ", Quoted(option));
  if (!absl::StartsWith(option, "-") || option == "-" || option == "--") {
    return absl::InvalidArgumentError(
        absl::StrCat(what, " is no option of sbatch; expected one as --sbatch=--partition=NAME"));
  }
  const absl::string_view name = absl::string_view(option).substr(0, option.find('='));
  for (const auto& [own, letter] : kOwnOptions) {
    // sbatch takes a beginning of a name for the name, and a value right behind a letter.
    const bool same = absl::StartsWith(name, "--") ? absl::StartsWith(own, name)
                                                   : !letter.empty() && absl::StartsWith(name, letter);
    if (!same) continue;
    const absl::string_view instead = own == "--cpus-per-task" ? "--threads" : "another option";
    return absl::InvalidArgumentError(
        absl::StrCat(what, " is what the sweep itself sets (", own, "); expected ", instead));
  }
  return absl::OkStatus();
}

}  // namespace

absl::Status CheckSlurm() {
  const absl::StatusOr<std::string> version = RunCommand({"sbatch", "--version"});
  if (version.ok()) return absl::OkStatus();
  return absl::FailedPreconditionError(absl::StrCat(
      "--engine slurm: ", version.status().message(),
      "; expected a machine from which jobs are submitted to Slurm, with sbatch, squeue and scancel"));
}

absl::Status CheckSbatchOptions(const std::vector<std::string>& options) {
  for (const std::string& option : options) {
    if (absl::Status status = CheckSbatchOption(option); !status.ok()) return status;
  }
  return absl::OkStatus();
}

absl::Status Submit(const Submission& submission) {
  std::vector<std::string> arguments = {"sbatch"};
  arguments.insert(arguments.end(), submission.options.begin(), submission.options.end());
  // A task that is lost is not begun anew by Slurm, which knows nothing of the runs that have ended: the
  // sweep submits what is missing. In names of files % begins what sbatch replaces.
  arguments.insert(
      arguments.end(),
      {"--parsable", "--no-requeue", absl::StrCat("--array=0-", submission.tasks - 1), "--ntasks=1",
       absl::StrCat("--cpus-per-task=", submission.cpus), absl::StrCat("--job-name=", submission.name),
       absl::StrCat("--output=", absl::StrReplaceAll(submission.logs, {{"%", "%%"}}), "/%a.log"),
       submission.script});
  arguments.insert(arguments.end(), submission.command.begin(), submission.command.end());
  return RunCommand(arguments).status();
}

absl::StatusOr<QueuedTasks> AskQueue(const std::vector<std::string>& names) {
  // The states are those of tasks that may yet report; a user's SQUEUE_STATES is to hide none of them.
  const absl::StatusOr<std::string> lines =
      RunCommand({"squeue", "--noheader", "--array", "--states=PD,CF,R,S,ST,CG",
                  absl::StrCat("--name=", absl::StrJoin(names, ",")), "--format=%K %j"});
  if (!lines.ok()) return lines.status();
  QueuedTasks queued;
  for (const absl::string_view line : absl::StrSplit(*lines, '\n', absl::SkipWhitespace())) {
    const std::pair<absl::string_view, absl::string_view> words =
        absl::StrSplit(absl::StripAsciiWhitespace(line), absl::MaxSplits(' ', 1));
    uint64_t task = 0;
    if (!absl::SimpleAtoi(words.first, &task)) {
      return absl::UnavailableError(absl::StrCat("squeue: says ", Quoted(std::string(line)),
                                                 "; expected a task's number and its job's name"));
    }
    queued[std::string(absl::StripAsciiWhitespace(words.second))].insert(task);
  }
  return queued;
}

absl::Status Cancel(const std::vector<std::string>& names) {
  for (const std::string& name : names) {
    if (absl::Status status = RunCommand({"scancel", absl::StrCat("--name=", name)}).status(); !status.ok())
      return status;
  }
  return absl::OkStatus();
}

}  // namespace numasim::slurm
