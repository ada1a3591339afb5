#include "cli/sweep/sweep.h"

#include <unistd.h>

#include <algorithm>
#include <csignal>
#include <filesystem>
#include <iostream>
#include <memory>
#include <set>
#include <sstream>
#include <string>
#include <system_error>
#include <utility>
#include <vector>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "absl/strings/str_cat.h"
#include "cli/atomic_file.h"
#include "cli/build_id.h"
#include "cli/signals.h"
#include "cli/slurm/slurm_commands.h"
#include "cli/slurm/slurm_engine.h"
#include "cli/slurm/work_folder.h"
#include "cli/standard_output.h"
#include "cli/sweep/study.h"
#include "cli/sweep/sweep_conditions.h"
#include "cli/sweep/sweep_engine.h"
#include "cli/sweep/sweep_find.h"
#include "cli/sweep/sweep_progress.h"
#include "cli/sweep/sweep_report.h"
#include "cli/sweep/sweep_runner.h"
#include "cli/sweep/sweep_scenarios.h"
#include "cli/sweep/sweep_shown.h"
#include "cli/sweep/sweep_store.h"
#include "cli/text/text_table.h"
#include "cli/thread_count.h"
#include "cli/warnings.h"

namespace numasim {
namespace {

// Runs failed, or are not as their scenario expects.
constexpr int kNotAllWell = 2;
constexpr char kLocal[] = "local";
constexpr char kSlurm[] = "slurm";

struct SweepOptions {
  std::string study;
  std::string out;  // empty: the study's name with .sqlite
  std::string csv;  // empty: none
  std::string traces;
  std::string engine = kLocal;
  int threads = 0;                  // 0: as many as the machine has; one in a task of Slurm
  int runs_per_task = 0;            // 0: see SlurmOptions
  std::vector<std::string> sbatch;  // options
  bool allow_outside_files = false;
  bool list = false;
  bool quiet = false;
  bool restart = false;
  bool retry = false;
};

// The study's name without its folder and ending, in the current folder.
std::string DefaultDatabase(const std::string& study) {
  return std::filesystem::path(study).stem().string() + ".sqlite";
}

// Results must not replace what they are made from, nor one another.
absl::Status CheckOutputs(const SweepOptions& options, const LoadedStudy& study,
                          const SweepScenarios& scenarios) {
  std::vector<std::string> inputs = {options.study, study.scenario_path};
  const std::filesystem::path folder = std::filesystem::path(study.scenario_path).parent_path();
  for (const auto& [name, text] : scenarios.files()) inputs.push_back((folder / name).string());
  if (absl::Status status = CheckIsNoInput("--out", options.out, inputs); !status.ok()) return status;
  if (options.csv.empty()) return absl::OkStatus();
  if (options.csv == options.out)
    return absl::InvalidArgumentError(
        absl::StrCat("--csv: '", options.csv, "' is --out too; expected another file"));
  inputs.push_back(options.out);
  return CheckIsNoInput("--csv", options.csv, inputs);
}

// All runs of a study, by number.
std::vector<SweepRun> RunsOf(const LoadedStudy& study) {
  std::vector<SweepRun> runs;
  runs.reserve(study.points.size() * study.seeds.size());
  for (size_t point = 0; point < study.points.size(); ++point) {
    for (size_t seed = 0; seed < study.seeds.size(); ++seed) runs.push_back(study.RunAt(point, seed));
  }
  return runs;
}

absl::Status PrintList(const LoadedStudy& study) {
  if (!study.finds.empty()) {
    return absl::InvalidArgumentError(
        absl::StrCat("--list: ", study.finds.front().place,
                     ": which runs a search needs depends on what they give; expected a study without find"));
  }
  std::ostringstream text;
  Table table;
  std::vector<std::string> titles = {"run", "point", "seed"};
  for (const LoadedParameter& parameter : study.parameters) titles.push_back(parameter.name);
  table.AddRow(std::move(titles));
  for (const SweepRun& run : RunsOf(study)) {
    std::vector<std::string> cells = {absl::StrCat(run.number), absl::StrCat(run.point),
                                      absl::StrCat(run.seed)};
    for (size_t p = 0; p < study.parameters.size(); ++p) cells.push_back(study.ValueAt(run.point, p));
    table.AddRow(std::move(cells));
  }
  table.Print(/*width=*/0, text);
  return Print(STDOUT_FILENO, text.str());
}

absl::Status MakeFolder(const std::string& folder) {
  std::error_code error;
  std::filesystem::create_directories(folder, error);
  if (!error && std::filesystem::is_directory(folder, error)) return absl::OkStatus();
  return absl::UnavailableError(
      absl::StrCat("--keep-traces: '", folder, "' is no folder and cannot be made one (",
                   error ? error.message() : "it is a file", "); expected a folder"));
}

absl::StatusOr<std::unique_ptr<SweepStore>> OpenStore(const SweepOptions& options, const LoadedStudy& study,
                                                      const SweepScenarios& scenarios) {
  const absl::StatusOr<std::string> program = BuildId();
  if (!program.ok()) return program.status();
  return SweepStore::Open(options.out, study, IdentityOf(study, scenarios.files(), *program),
                          options.restart ? SweepStore::Start::kRestart : SweepStore::Start::kGoOn);
}

// Before anything is written.
absl::Status CheckEngine(const SweepOptions& options) {
  if (options.engine == kSlurm) {
    const absl::Status status = slurm::CheckSbatchOptions(options.sbatch);
    return status.ok() ? slurm::CheckSlurm() : status;
  }
  if (options.runs_per_task > 0 || !options.sbatch.empty()) {
    return absl::InvalidArgumentError(absl::StrCat(options.sbatch.empty() ? "--runs-per-task" : "--sbatch",
                                                   ": is for Slurm; expected it with --engine slurm"));
  }
  const std::string folder = slurm::WorkFolderOf(options.out);
  std::error_code error;
  if (!std::filesystem::exists(folder, error)) return absl::OkStatus();
  return absl::FailedPreconditionError(absl::StrCat(
      folder, ": is there, so jobs of this sweep may still run; expected --engine slurm, which goes on ",
      "with them and removes it in the end"));
}

absl::StatusOr<std::unique_ptr<SweepEngine>> MakeEngine(const SweepOptions& options, const LoadedStudy& study,
                                                        const SweepScenarios& scenarios, SweepStore& store,
                                                        SweepProgress& progress, int threads) {
  const auto stop = [] { return EndSignals::Noted() != 0; };
  if (options.engine == kLocal) {
    return std::make_unique<SweepRunner>(
        study, scenarios, store, progress,
        SweepRunnerOptions{.threads = threads, .traces = options.traces, .stop = stop});
  }
  return SlurmEngine::Create(study, scenarios, store, progress,
                             {.database = options.out,
                              .restart = options.restart,
                              .threads = std::max(1, options.threads),
                              .runs_per_task = options.runs_per_task,
                              .sbatch = options.sbatch,
                              .traces = options.traces,
                              .stop = stop,
                              // Who loses the terminal comes back.
                              .leave = [] { return EndSignals::Noted() == SIGHUP; }});
}

// Where not all goes as the user may think it does.
void WarnAtStart(const SweepOptions& options, const SweepScenarios& scenarios, const SweepStore& store) {
  PrintWarnings({scenarios.warnings().begin(), scenarios.warnings().end()}, std::cerr);
  if (!options.traces.empty() && !store.finished().empty()) {
    PrintWarnings({absl::StrCat("--keep-traces: has no effect for ", store.finished().size(),
                                " runs that had finished before")},
                  std::cerr);
  }
}

absl::Status WarnAtEnd(const LoadedStudy& study, const SweepScenarios& scenarios, const SweepEngine& engine,
                       Sqlite& database) {
  std::vector<std::string> warnings;
  std::set_difference(engine.warnings().begin(), engine.warnings().end(), scenarios.warnings().begin(),
                      scenarios.warnings().end(), std::back_inserter(warnings));
  const absl::StatusOr<bool> effect = SeedsHaveEffect(database);
  if (!effect.ok()) return effect.status();
  if (study.seeds.size() > 1 && !*effect) {
    warnings.push_back(absl::StrCat(study.path,
                                    ": seeds: have no effect: the runs of each point are the same in all "
                                    "metrics that are kept"));
  }
  const absl::StatusOr<std::vector<std::string>> unknown = UnknownNames(study, database);
  if (!unknown.ok()) return unknown.status();
  warnings.insert(warnings.end(), unknown->begin(), unknown->end());
  PrintWarnings(warnings, std::cerr);
  return absl::OkStatus();
}

std::string Counted(size_t count, const char* what) {
  return absl::StrCat(count, " ", what, count == 1 ? "" : "s");
}

// What the searches of a study found.
struct Findings {
  std::string tables;
  std::string answers;
};

absl::StatusOr<Findings> RunFinds(const LoadedStudy& study, SweepStore& store, SweepEngine& engine) {
  Findings findings;
  SweepFinder finder(study, store.database(),
                     [&](const std::vector<SweepRun>& runs) { return engine.Run(runs); });
  for (const LoadedFind& find : study.finds) {
    std::vector<Found> found;
    if (absl::Status status = finder.Find(find, found); !status.ok()) return status;
    const std::string answers = FoundAnswers(study, find, found);
    absl::StrAppend(&findings.answers, answers);
    absl::StrAppend(&findings.tables, FoundTitle(study, find), FoundTable(study, found), answers, "\n");
  }
  return findings;
}

absl::Status PrintSummary(const SweepOptions& options, const LoadedStudy& study, const Findings& findings,
                          SweepStore& store) {
  std::ostringstream text;
  text << options.study << ": " << Counted(study.points.size(), "point") << ", "
       << (study.finds.empty() ? "" : "at most ") << Counted(study.seeds.size(), "seed") << " each\n"
       << findings.tables;
  if (study.finds.empty() || study.proto.show_size() > 0 || !study.columns.empty()) {
    const absl::StatusOr<std::vector<std::string>> warnings =
        PrintSweepTable(study, store.database(), OutputWidth(), text);
    if (!warnings.ok()) return warnings.status();
    PrintWarnings(*warnings, std::cerr);
  }
  text << "results: " << options.out << "\n";
  return Print(STDOUT_FILENO, text.str());
}

// What the runs gave, when all have ended.
absl::Status Report(const SweepOptions& options, const LoadedStudy& study, const Findings& findings,
                    SweepStore& store) {
  if (absl::Status status = store.MarkComplete(); !status.ok()) return status;
  if (!options.csv.empty()) {
    const absl::StatusOr<std::string> csv = SweepCsv(study, store.database());
    if (!csv.ok()) return csv.status();
    if (absl::Status status = WriteFileAtomically(options.csv, *csv); !status.ok()) return status;
  }
  // An answer is in no file.
  return options.quiet ? Print(STDOUT_FILENO, findings.answers)
                       : PrintSummary(options, study, findings, store);
}

// Runs all that the study wants. Cancelled if a signal ends it before.
absl::StatusOr<Findings> RunRuns(const LoadedStudy& study, SweepStore& store, SweepEngine& engine) {
  if (!study.finds.empty()) return RunFinds(study, store, engine);
  const std::vector<SweepRun> runs = RunsOf(study);
  if (absl::Status status = engine.Run(runs); !status.ok()) return status;
  if (store.finished().size() < runs.size()) return absl::CancelledError("the sweep was ended");
  return Findings();
}

// Runs and reports all that the study wants. Cancelled if a signal ends it before.
absl::Status RunAll(const SweepOptions& options, const LoadedStudy& study, const SweepScenarios& scenarios,
                    SweepStore& store, int threads) {
  absl::StatusOr<Findings> findings = Findings();
  {
    SweepProgress progress(!options.quiet && isatty(STDERR_FILENO) == 1, std::cerr);
    const absl::StatusOr<std::unique_ptr<SweepEngine>> engine =
        MakeEngine(options, study, scenarios, store, progress, threads);
    if (!engine.ok()) return engine.status();
    // Also those that the engine has just found.
    absl::Status status = options.retry ? store.ForgetFailures() : absl::OkStatus();
    if (status.ok()) findings = RunRuns(study, store, **engine);
    const absl::Status ended = (*engine)->End();
    if (status.ok()) status = findings.status();
    if (status.ok() || absl::IsCancelled(status)) status.Update(ended);
    if (status.ok()) status = WarnAtEnd(study, scenarios, **engine, store.database());
    if (!status.ok()) return status;
  }
  return Report(options, study, *findings, store);
}

// Says what is there when a signal ended the sweep, and returns the exit status.
int EndedEarly(const SweepOptions& options, const LoadedStudy& study, const SweepStore& store) {
  const std::string all =
      study.finds.empty() ? absl::StrCat(" of ", study.points.size() * study.seeds.size()) : "";
  std::cerr << "numasim: " << EndSignals::Name(EndSignals::Noted()) << " ended the sweep with "
            << store.finished().size() << all << " runs in " << options.out
            << "; the same command goes on with it\n";
  return 128 + EndSignals::Noted();
}

// Says which runs of a whole sweep are not well, and returns the exit status.
int ExitStatusOf(const SweepOptions& options, SweepStore& store, int64_t unmet) {
  const size_t runs = store.finished().size();
  if (store.failed() > 0) {
    std::cerr << "numasim: " << store.failed() << " of " << runs << " runs failed; the table failures of "
              << options.out << " says why";
    const absl::StatusOr<std::string> first =
        store.database().Text("SELECT message FROM failures ORDER BY run");
    if (first.ok()) std::cerr << "; the first: " << *first;
    std::cerr << "\n";
  }
  if (unmet > 0) {
    std::cerr << "numasim: " << unmet << " of " << runs
              << " runs are not as their scenario expects; the table unmet of " << options.out
              << " says in what\n";
  }
  return store.failed() > 0 || unmet > 0 ? kNotAllWell : 0;
}

// Why a sweep could not go on, and what becomes of its runs.
absl::Status WithWhatIsKept(const absl::Status& status, const SweepOptions& options,
                            const SweepStore& store) {
  return {status.code(), absl::StrCat(status.message(), "; ", options.out, " keeps ",
                                      Counted(store.finished().size(), "run"), " to go on with")};
}

absl::StatusOr<int> RunStudy(const SweepOptions& options, const LoadedStudy& study,
                             const SweepScenarios& scenarios) {
  const absl::StatusOr<int> threads = ThreadsToUse(options.threads);
  if (!threads.ok()) return threads.status();
  if (absl::Status status = CheckEngine(options); !status.ok()) return status;
  // Where a cluster runs the sweep this machine may be too small for its machines.
  if (options.engine == kLocal) {
    if (absl::Status status = CheckFinds(study, scenarios); !status.ok()) return status;
  }
  if (!options.traces.empty()) {
    if (absl::Status status = MakeFolder(options.traces); !status.ok()) return status;
  }
  // From here on a signal must leave what can be gone on with.
  const EndSignals signals;
  std::error_code error;
  const bool was_there = std::filesystem::exists(options.out, error);
  const absl::StatusOr<std::unique_ptr<SweepStore>> opened = OpenStore(options, study, scenarios);
  if (!opened.ok()) return opened.status();
  SweepStore& store = **opened;
  WarnAtStart(options, scenarios, store);
  if (absl::Status status = MakeShownView(study, store.database()); !status.ok()) return status;
  absl::Status status = RunAll(options, study, scenarios, store, *threads);
  const bool ended = absl::IsCancelled(status);
  const absl::StatusOr<int64_t> unmet = store.Unmet();
  if (absl::Status closed = store.Close(); status.ok() || ended) status = closed;
  if (!status.ok()) {
    // A database that has nothing to go on with.
    if (!was_there && store.finished().empty()) std::filesystem::remove(options.out, error);
    return store.finished().empty() ? status : WithWhatIsKept(status, options, store);
  }
  if (!unmet.ok()) return unmet.status();
  return ended ? EndedEarly(options, study, store) : ExitStatusOf(options, store, *unmet);
}

absl::StatusOr<int> Sweep(SweepOptions options) {
  const absl::StatusOr<LoadedStudy> study = LoadStudy(options.study, options.allow_outside_files);
  if (!study.ok()) return study.status();
  const absl::StatusOr<SweepScenarios> scenarios = SweepScenarios::Load(*study, options.allow_outside_files);
  if (!scenarios.ok()) return scenarios.status();
  if (absl::Status status = CheckColumns(*study); !status.ok()) return status;
  if (options.list) {
    if (absl::Status status = PrintList(*study); !status.ok()) return status;
    return 0;
  }
  if (options.out.empty()) options.out = DefaultDatabase(options.study);
  if (absl::Status status = CheckOutputs(options, *study, *scenarios); !status.ok()) return status;
  return RunStudy(options, *study, *scenarios);
}

void AddOptions(CLI::App* command, SweepOptions& options) {
  command->add_option("STUDY", options.study, "a study (.textproto)")
      ->required()
      ->type_name("STUDY.textproto");
  command
      ->add_option(
          "--out", options.out,
          "the database of results (SQLite); default: the study's name with .sqlite, in this folder.\n"
          "If it is there already, the sweep goes on where it stopped")
      ->type_name("FILE.sqlite");
  command->add_option("--csv", options.csv, "also a table of all runs, when they have ended")
      ->type_name("FILE.csv");
  command->add_option("--keep-traces", options.traces, "a folder for the trace of each run")
      ->type_name("DIR");
  command
      ->add_option("--threads", options.threads,
                   "runs at a time, of slurm in each task; the result is the same for any number")
      ->check(CLI::Range(1, 1024));
  command
      ->add_option(
          "--engine", options.engine,
          "local: runs on this machine; slurm: runs as array jobs of a cluster.\nThe result is the same")
      ->check(CLI::IsMember({kLocal, kSlurm}))
      ->capture_default_str();
  command
      ->add_option("--runs-per-task", options.runs_per_task,
                   "of slurm: runs one after the other in a task; default: as many as make 100 tasks")
      ->check(CLI::Range(1, 1'000'000));
  command
      ->add_option("--sbatch", options.sbatch,
                   "of slurm: an option for sbatch, as --sbatch=--time=2:00:00; as often as needed")
      ->type_name("OPTION")
      ->allow_extra_args(false);
  CLI::Option* const list = command->add_flag("--list", options.list, "shows the runs, and runs none");
  command->add_flag("--restart", options.restart, "forgets what is in the database, and begins anew");
  command->add_flag("--retry", options.retry, "runs those again that failed");
  command->add_flag("--allow-outside-files", options.allow_outside_files,
                    "the study and its scenario may name files outside their own folders");
  command->add_flag("--quiet", options.quiet, "no progress, no table");
  for (const char* of_runs : {"--out", "--csv", "--keep-traces", "--threads", "--engine", "--runs-per-task",
                              "--sbatch", "--restart", "--retry", "--quiet"}) {
    list->excludes(command->get_option(of_runs));
  }
}

}  // namespace

void AddSweepCommand(CLI::App& app, int* exit_status) {
  CLI::App* command =
      app.add_subcommand("sweep", "Run a scenario with many values of its parameters and many seeds");
  command->footer(
      "A run that fails is noted, and the others go on. Exit status: 0: all runs succeeded; 2: some failed,\n"
      "or are not as their scenario's expect says; 1: wrong input; 130, 143: ended by Ctrl-C or SIGTERM, to "
      "go on with.");
  auto options = std::make_shared<SweepOptions>();
  AddOptions(command, *options);
  command->callback([command, options, exit_status] {
    for (const char* name : {"--out", "--csv", "--keep-traces"}) {
      if (command->count(name) == 0 || !command->get_option(name)->as<std::string>().empty()) continue;
      std::cerr << "numasim sweep: " << name << ": is empty; expected a name\n";
      *exit_status = 1;
      return;
    }
    const absl::StatusOr<int> result = Sweep(*options);
    if (!result.ok()) std::cerr << "numasim sweep: " << result.status().message() << "\n";
    *exit_status = result.ok() ? *result : 1;
  });
}

}  // namespace numasim
