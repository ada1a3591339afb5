#include "cli/slurm/slurm_engine.h"

#include <algorithm>
#include <filesystem>
#include <random>
#include <system_error>
#include <thread>

#include "absl/memory/memory.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/str_format.h"
#include "absl/strings/str_join.h"
#include "cli/atomic_file.h"
#include "cli/build_id.h"
#include "cli/slurm/sweep_task.h"
#include "cli/slurm/work_folder.h"

namespace numasim {
namespace {

namespace fs = std::filesystem;
using std::chrono::steady_clock;

// A task may be lost by no fault of its own, to a node that fails or to other users; but what was lost three
// times is more likely to lose its task each time.
constexpr int kMostLost = 3;
// Slurm numbers the tasks of an array up to 1,000, where nothing else is configured (MaxArraySize).
constexpr size_t kMostTasks = 1000;
constexpr size_t kUsualTasks = 100;
// Runs its arguments: so none of them needs quoting for a shell.
constexpr char kScript[] = "#!/bin/sh\nexec \"$@\"\n";

// No two sweeps have it.
std::string RandomName() {
  std::random_device random;
  return absl::StrFormat("numasim-%08x%08x", random(), random());
}

absl::StatusOr<std::string> ThisProgram() {
  std::error_code error;
  std::string path = fs::read_symlink("/proc/self/exe", error);
  if (!error && fs::exists(path, error)) return path;
  return absl::UnavailableError(
      absl::StrCat("--engine slurm: the program is not where it was when it started, ", path,
                   "; expected it to stay there for the tasks"));
}

// Polling is to cost neither Slurm nor the file system much, and the sweep no more than a tenth of its time.
steady_clock::duration PollInterval(steady_clock::duration running) {
  return std::clamp<steady_clock::duration>(running / 10, std::chrono::milliseconds(500),
                                            std::chrono::seconds(30));
}

}  // namespace

SlurmEngine::SlurmEngine(const LoadedStudy& study, SweepStore& store, SweepProgress& progress,
                         SlurmOptions options)
    : study_(study),
      store_(store),
      progress_(progress),
      options_(std::move(options)),
      folder_(slurm::WorkFolderOf(options_.database)) {}

absl::StatusOr<std::unique_ptr<SlurmEngine>> SlurmEngine::Create(const LoadedStudy& study,
                                                                 const SweepScenarios& scenarios,
                                                                 SweepStore& store, SweepProgress& progress,
                                                                 SlurmOptions options) {
  auto engine = absl::WrapUnique(new SlurmEngine(study, store, progress, std::move(options)));
  if (absl::Status status = engine->SetUp(scenarios); !status.ok()) return status;
  return engine;
}

absl::Status SlurmEngine::SetUp(const SweepScenarios& scenarios) {
  absl::Status status = TakeOver(scenarios);
  if (!status.ok()) return status;
  // Written anew also where there was one: options may have changed.
  absl::StatusOr<slurm::Input> input = slurm::MakeInput(study_, scenarios);
  if (!input.ok()) return input.status();
  input->set_traces(options_.traces);
  input->set_threads(options_.threads);
  status = slurm::MakeFolders(folder_);
  if (status.ok()) status = WriteFileAtomically(slurm::ScriptPath(folder_), kScript);
  if (status.ok()) status = slurm::WriteMessage(slurm::InputPath(folder_), *input);
  return status;
}

// What the folder of an earlier process has.
absl::Status SlurmEngine::TakeOver(const SweepScenarios& scenarios) {
  slurm::Input input;
  absl::Status status = slurm::ReadMessage(slurm::InputPath(folder_), input);
  if (absl::IsNotFound(status)) return absl::OkStatus();
  if (options_.restart) return Discard();
  if (!status.ok()) return status;
  const absl::StatusOr<bool> same = IsOfThisSweep(input, scenarios);
  if (!same.ok()) return same.status();
  if (!*same) return Discard();
  status = ReadJobs();
  if (!status.ok()) return status;
  // An error that a task has reported was that sweep's: if its reason is still there, it comes again.
  errors_end_ = false;
  status = Gather();
  errors_end_ = true;
  return status;
}

absl::StatusOr<bool> SlurmEngine::IsOfThisSweep(const slurm::Input& input, const SweepScenarios& scenarios) {
  const absl::StatusOr<LoadedStudy> before = slurm::StudyOf(input);
  if (!before.ok()) return before.status();
  const absl::StatusOr<std::string> program = BuildId();
  if (!program.ok()) return program.status();
  return IdentityOf(*before, slurm::FilesOf(input), input.program()) ==
         IdentityOf(study_, scenarios.files(), *program);
}

// Jobs are numbered as they were submitted: where two have a run, the later one got it because it was lost.
absl::Status SlurmEngine::ReadJobs() {
  const absl::StatusOr<std::map<int, std::string>> folders = slurm::JobFolders(folder_);
  if (!folders.ok()) return folders.status();
  for (const auto& [number, folder] : *folders) {
    last_job_ = number;
    slurm::Job proto;
    const absl::Status status = slurm::ReadMessage(slurm::JobPath(folder), proto);
    // The process was lost before it had a job to submit; or nobody can tell the job's name any more.
    if (absl::IsNotFound(status) || (options_.restart && absl::IsDataLoss(status))) continue;
    if (!status.ok()) return status;
    std::error_code error;
    Keep(number, folder, std::move(proto), fs::exists(slurm::SubmittedPath(folder), error));
  }
  return absl::OkStatus();
}

// The folder is of another sweep, or what it has is to be forgotten.
absl::Status SlurmEngine::Discard() {
  absl::Status status = ReadJobs();
  if (status.ok()) status = slurm::Cancel(JobNames());
  if (!status.ok()) return status;
  jobs_.clear();
  owners_.clear();
  lost_.clear();
  last_job_ = 0;
  return RemoveFolder();
}

// Out of the way first, in one step: a folder that is there in part would be taken for one that has no jobs.
absl::Status SlurmEngine::RemoveFolder() {
  std::error_code error;
  if (!fs::exists(folder_, error)) return absl::OkStatus();
  const std::string aside = absl::StrCat(folder_, ".", RandomName());
  fs::rename(folder_, aside, error);
  if (!error) fs::remove_all(aside, error);
  if (!error) return absl::OkStatus();
  return absl::UnavailableError(absl::StrCat(folder_, ": cannot be removed: ", error.message()));
}

std::vector<std::string> SlurmEngine::JobNames() const {
  std::vector<std::string> names;
  for (const auto& [number, job] : jobs_) names.push_back(job.proto.name());
  return names;
}

absl::Status SlurmEngine::Run(const std::vector<SweepRun>& runs) {
  const auto finished = [&] {
    return static_cast<size_t>(std::count_if(runs.begin(), runs.end(), [&](const SweepRun& run) {
      return store_.finished().contains(run.number);
    }));
  };
  progress_.Begin(runs.size(), finished(), store_.failed());
  started_ = steady_clock::now();
  while (finished() < runs.size()) {
    if (absl::Status status = Advance(runs); !status.ok()) return status;
    if (finished() < runs.size() && !Wait()) return absl::OkStatus();
  }
  return GatherEnds();
}

// A task says that it has ended, and with which warnings, right after its last result: that is worth a
// moment.
absl::Status SlurmEngine::GatherEnds() {
  constexpr int kTries = 20;
  for (int i = 0; i < kTries; ++i) {
    absl::Status status = Gather();
    if (status.ok()) status = NoteOver(std::nullopt);
    if (!status.ok()) return status;
    if (std::all_of(jobs_.begin(), jobs_.end(), [](const auto& job) { return job.second.tasks.empty(); }))
      break;
    std::this_thread::sleep_for(std::chrono::milliseconds(100));
  }
  RemoveOverJobs();
  return absl::OkStatus();
}

absl::Status SlurmEngine::Advance(const std::vector<SweepRun>& runs) {
  // First the queue: what a task that is not in it any more has reported, is there.
  const std::optional<slurm::QueuedTasks> queued = Queued();
  absl::Status status = Gather();
  if (status.ok()) status = NoteOver(queued);
  if (status.ok()) status = SubmitMissing(runs);
  // Only now, when what a job has lost is in the folder of another.
  if (status.ok()) RemoveOverJobs();
  return status;
}

void SlurmEngine::RemoveOverJobs() {
  for (auto job = jobs_.begin(); job != jobs_.end();) {
    std::error_code error;
    if (job->second.tasks.empty()) fs::remove_all(job->second.folder, error);
    job = job->second.tasks.empty() ? jobs_.erase(job) : std::next(job);
  }
}

// Nothing if Slurm does not answer: then nobody knows which tasks are lost.
std::optional<slurm::QueuedTasks> SlurmEngine::Queued() {
  if (jobs_.empty()) return slurm::QueuedTasks();
  absl::StatusOr<slurm::QueuedTasks> queued = slurm::AskQueue(JobNames());
  WarnOnce(queued.status());
  if (!queued.ok()) return std::nullopt;
  return *std::move(queued);
}

absl::Status SlurmEngine::Gather() {
  for (auto& [number, job] : jobs_) {
    for (auto& [task_number, task] : job.tasks) {
      const Owner owner = {number, task_number};
      const absl::Status status =
          task.reports.TakeNew([&](const slurm::Report& report) { return Take(owner, task, report); });
      if (!status.ok()) return status;
    }
  }
  return absl::OkStatus();
}

absl::Status SlurmEngine::Take(const Owner& of, Task& task, const slurm::Report& report) {
  switch (report.kind_case()) {
    case slurm::Report::kBegun:
      task.begun.insert(report.begun());
      return absl::OkStatus();
    case slurm::Report::kResult:
      return TakeResult(of, report.result().run(), report);
    case slurm::Report::kFailure:
      return TakeResult(of, report.failure().run(), report);
    case slurm::Report::kError:
      return errors_end_ ? absl::FailedPreconditionError(report.error()) : absl::OkStatus();
    case slurm::Report::kEnded:
      task.ended = true;
      warnings_.insert(report.ended().warning().begin(), report.ended().warning().end());
      if (!report.ended().printed().empty()) progress_.Print(report.ended().printed());
      return absl::OkStatus();
    case slurm::Report::KIND_NOT_SET:
      break;
  }
  return absl::DataLossError(
      absl::StrCat(folder_, ": a task reports something that this version does not know"));
}

absl::Status SlurmEngine::TakeResult(const Owner& of, int64_t run, const slurm::Report& report) {
  // A failure of a run that another task has got since, as --retry gives it one, is of the past.
  const auto owner = owners_.find(run);
  if (report.has_failure() && owner != owners_.end() && !(owner->second == of)) return absl::OkStatus();
  if (owner != owners_.end()) owners_.erase(owner);
  if (store_.finished().contains(run)) return absl::OkStatus();
  const absl::StatusOr<SweepRun> of_study = slurm::RunOf(study_, run);
  if (!of_study.ok()) return of_study.status();
  const absl::Status status = report.has_result() ? store_.Add(*of_study, slurm::ResultOf(report.result()))
                                                  : store_.AddFailure(*of_study, report.failure().message());
  if (status.ok()) progress_.Ended(report.has_failure());
  return status;
}

// Forgets the tasks that have ended, and those that neither wait nor run.
absl::Status SlurmEngine::NoteOver(const std::optional<slurm::QueuedTasks>& queued) {
  const auto is_queued = [&](const Job& job, size_t task) {
    if (!queued.has_value()) return true;
    const auto tasks = queued->find(job.proto.name());
    return tasks != queued->end() && tasks->second.contains(task);
  };
  for (auto& [number, job] : jobs_) {
    if (queued.has_value() && queued->contains(job.proto.name())) job.submitted = true;
    for (auto task = job.tasks.begin(); task != job.tasks.end();) {
      if (!task->second.ended && is_queued(job, task->first)) {
        ++task;
        continue;
      }
      if (absl::Status status = NoteLost(number, job, task->first, task->second); !status.ok()) return status;
      task = job.tasks.erase(task);
    }
  }
  return absl::OkStatus();
}

// The task is over; its runs without a result are nobody's now.
absl::Status SlurmEngine::NoteLost(int number, const Job& job, size_t task_number, const Task& task) {
  for (const slurm::Run& run : job.proto.task(static_cast<int>(task_number)).run()) {
    const auto owner = owners_.find(run.number());
    if (owner == owners_.end() || owner->second.job != number || owner->second.task != task_number) continue;
    owners_.erase(owner);
    if (store_.finished().contains(run.number())) continue;
    if (absl::Status status = CountLost(job, task_number, task, run.number()); !status.ok()) return status;
  }
  return absl::OkStatus();
}

absl::Status SlurmEngine::CountLost(const Job& job, size_t task_number, const Task& task, int64_t run) {
  // Slurm may never have had the job.
  if (!job.submitted) return absl::OkStatus();
  Lost& lost = lost_[run];
  if (task.begun.contains(run)) ++lost.running;
  if (task.begun.empty()) ++lost.not_begun;
  const std::string last = slurm::LastLine(slurm::LogPath(job.folder, task_number));
  const std::string said = last.empty() ? "it said nothing" : absl::StrCat("it said last: ", last);
  if (lost.not_begun >= kMostLost) {
    return absl::FailedPreconditionError(
        absl::StrCat("--engine slurm: a task ended before its first run, ", kMostLost, " times; ", said));
  }
  if (lost.running < kMostLost) return absl::OkStatus();
  const absl::StatusOr<SweepRun> of_study = slurm::RunOf(study_, run);
  if (!of_study.ok()) return of_study.status();
  const absl::Status status = store_.AddFailure(
      *of_study, absl::StrCat("its task was lost while it ran, ", kMostLost, " times; ", said));
  if (status.ok()) progress_.Ended(/*failed=*/true);
  return status;
}

// The runs that have neither a result nor a task that is to give it, dealt out anew.
std::vector<slurm::Task> SlurmEngine::TasksFor(const std::vector<SweepRun>& runs) {
  std::vector<slurm::Task> tasks;
  std::vector<slurm::Run> together;
  for (const SweepRun& run : runs) {
    if (store_.finished().contains(run.number) || owners_.contains(run.number)) continue;
    const slurm::Run with_lost = WithLost(run.number);
    if (with_lost.lost() > 0) {
      *tasks.emplace_back().add_run() = with_lost;
    } else {
      together.push_back(with_lost);
    }
  }
  const size_t per_task = options_.runs_per_task > 0 ? static_cast<size_t>(options_.runs_per_task)
                                                     : (together.size() + kUsualTasks - 1) / kUsualTasks;
  for (size_t i = 0; i < together.size(); ++i) {
    if (i % per_task == 0) tasks.emplace_back();
    *tasks.back().add_run() = together[i];
  }
  return tasks;
}

slurm::Run SlurmEngine::WithLost(int64_t run) const {
  slurm::Run with_lost;
  with_lost.set_number(run);
  const auto lost = lost_.find(run);
  if (lost == lost_.end()) return with_lost;
  with_lost.set_lost(lost->second.running);
  with_lost.set_not_begun(lost->second.not_begun);
  return with_lost;
}

absl::Status SlurmEngine::SubmitMissing(const std::vector<SweepRun>& runs) {
  const std::vector<slurm::Task> tasks = TasksFor(runs);
  for (size_t first = 0; first < tasks.size(); first += kMostTasks) {
    const auto begin = tasks.begin() + static_cast<std::ptrdiff_t>(first);
    const size_t count = std::min(kMostTasks, tasks.size() - first);
    const absl::Status status = SubmitJob({begin, begin + static_cast<std::ptrdiff_t>(count)});
    if (status.ok()) continue;
    // Others go on meanwhile: it is tried again when they are looked at next.
    const bool others =
        std::any_of(jobs_.begin(), jobs_.end(), [](const auto& job) { return !job.second.tasks.empty(); });
    if (!others) return status;
    WarnOnce(status);
    return absl::OkStatus();
  }
  return absl::OkStatus();
}

absl::Status SlurmEngine::SubmitJob(std::vector<slurm::Task> tasks) {
  const absl::StatusOr<std::string> program = ThisProgram();
  if (!program.ok()) return program.status();
  // Never again another job's: Slurm may take a job though sbatch fails, and its tasks know the folder alone.
  const int number = ++last_job_;
  const std::string folder = fs::absolute(slurm::JobFolder(folder_, number));
  slurm::Job job;
  job.set_name(RandomName());
  job.set_check_metrics(number == 1);
  for (slurm::Task& task : tasks) *job.add_task() = std::move(task);
  absl::Status status = slurm::MakeFolders(folder);
  if (status.ok()) status = slurm::WriteMessage(slurm::JobPath(folder), job);
  if (status.ok()) {
    status = slurm::Submit({.name = job.name(),
                            .tasks = static_cast<size_t>(job.task_size()),
                            .cpus = options_.threads,
                            .script = slurm::ScriptPath(folder_),
                            .command = {*program, kSweepTask, folder},
                            .logs = folder,
                            .options = options_.sbatch});
  }
  if (status.ok()) status = WriteFileAtomically(slurm::SubmittedPath(folder), "");
  if (!status.ok()) {
    (void)slurm::Cancel({job.name()});
    std::error_code error;
    fs::remove_all(folder, error);
    return status;
  }
  Keep(number, folder, std::move(job), /*submitted=*/true);
  return absl::OkStatus();
}

void SlurmEngine::Keep(int number, std::string folder, slurm::Job proto, bool submitted) {
  Job& job = jobs_[number];
  job = {.folder = std::move(folder), .proto = std::move(proto), .submitted = submitted, .tasks = {}};
  for (size_t task = 0; task < static_cast<size_t>(job.proto.task_size()); ++task) {
    job.tasks.emplace(task,
                      Task{.reports = slurm::ReportReader(slurm::ReportPath(job.folder, task)), .begun = {}});
    for (const slurm::Run& run : job.proto.task(static_cast<int>(task)).run()) {
      owners_[run.number()] = {number, task};
      lost_[run.number()] = {run.lost(), run.not_begun()};
    }
  }
}

// Tells what Slurm says, but not each time that it is asked.
void SlurmEngine::WarnOnce(const absl::Status& status) {
  if (!status.ok() && warned_.insert(std::string(status.message())).second)
    progress_.Print(absl::StrCat("numasim: warning: ", status.message(), "; trying again\n"));
}

// Until it is time to look again; false if the sweep is to end.
bool SlurmEngine::Wait() {
  const steady_clock::time_point now = steady_clock::now();
  const steady_clock::time_point until = now + PollInterval(now - started_);
  while (!options_.stop()) {
    progress_.Show();
    if (steady_clock::now() >= until) return true;
    std::this_thread::sleep_for(std::chrono::milliseconds(100));
  }
  return false;
}

absl::Status SlurmEngine::End() {
  if (options_.leave()) return absl::OkStatus();
  const std::vector<std::string> names = JobNames();
  absl::Status status = slurm::Cancel(names);
  if (!status.ok()) {
    return absl::UnavailableError(absl::StrCat(
        status.message(), "; of these jobs some may still be there: ", absl::StrJoin(names, ", "),
        "; the same command goes on with them"));
  }
  errors_end_ = false;
  status = Gather();
  return status.ok() ? RemoveFolder() : status;
}

}  // namespace numasim
