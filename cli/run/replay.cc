#include "cli/run/replay.h"

#include <filesystem>
#include <memory>
#include <string>
#include <utility>
#include <vector>

#include "absl/status/statusor.h"
#include "absl/strings/str_cat.h"
#include "cli/run/scenario_run.h"
#include "cli/run/traced_run.h"
#include "files/read_file.h"
#include "google/protobuf/text_format.h"
#include "proto/scenario.pb.h"
#include "workloads/alloc_trace/alloc_text.h"
#include "workloads/alloc_trace/alloc_trace.h"
#include "workloads/scenario.h"
#include "workloads/text_patch.h"

namespace numasim {
namespace {

using workloads::FieldSetting;
using workloads::LoadedScenario;

struct ReplayOptions {
  std::string log;
  std::string machine;
  std::string boot;
  std::string format;
  std::string columns;
  std::string policy;
  std::string page_size;
  ScenarioRunOptions run;
};

void SetIfGiven(const std::string& value, std::string* (Workload::Batch::*field)(), Workload::Batch& batch) {
  if (!value.empty()) *(batch.*field)() = value;
}

// Jobs. Of the counters those that tell of them and of memory, once a minute: logs are of weeks.
void AddJobs(const ReplayOptions& options, Scenario& scenario) {
  Workload::Batch& batch = *scenario.mutable_workload()->add_batch();
  batch.set_name("jobs");
  batch.set_log(options.log);
  SetIfGiven(options.format, &Workload::Batch::mutable_format, batch);
  SetIfGiven(options.columns, &Workload::Batch::mutable_columns, batch);
  SetIfGiven(options.policy, &Workload::Batch::mutable_policy, batch);
  SetIfGiven(options.page_size, &Workload::Batch::mutable_page_size, batch);
  TraceConfig& trace = *scenario.mutable_trace();
  trace.set_interval("1m");
  for (const char* const glob : {"batch.*", "*.nr_free_pages", "*.nr_anon_*", "*_hugepages"})
    trace.add_counters(glob);
}

// Allocations of the kernel. Traces are of seconds.
void AddAllocations(const ReplayOptions& options, Scenario& scenario) {
  Workload::Allocations& allocations = *scenario.mutable_workload()->add_allocations();
  allocations.set_name("trace");
  allocations.set_trace(options.log);
  if (!options.format.empty()) allocations.set_format(options.format);
  TraceConfig& trace = *scenario.mutable_trace();
  trace.set_interval("10ms");
  for (const char* const glob : {"allocations.*", "*.nr_free_pages", "*.pcp_count", "*.pageblock_steal",
                                 "*.fallback_alloc", "*.alloc_failed"})
    trace.add_counters(glob);
}

// Whether it is a trace of allocations: by the format that is given, by the file's name, or by its beginning.
bool IsAllocTrace(const ReplayOptions& options) {
  if (!options.format.empty()) return workloads::TraceFormatNamed(options.format).has_value();
  if (!options.columns.empty() || !workloads::IsNamedAsTrace(options.log)) return false;
  if (workloads::IsNamedAsTraceOnly(options.log)) return true;
  return workloads::FindTraceFormat(BeginningOf(options.log, size_t{1} << 16)).has_value();
}

// What is given and has no effect on the kind of file that it is.
absl::Status CheckOptions(const ReplayOptions& options, bool is_trace) {
  if (options.machine.empty() == options.boot.empty())
    return absl::InvalidArgumentError(options.machine.empty()
                                          ? "--machine: is missing; expected it, or --boot"
                                          : "--boot: is given beside --machine; expected one of them");
  if (!is_trace) return absl::OkStatus();
  for (const auto& [option, value] :
       {std::pair<const char*, const std::string&>("--columns", options.columns),
        {"--policy", options.policy},
        {"--page-size", options.page_size}}) {
    if (!value.empty())
      return absl::InvalidArgumentError(absl::StrCat(option, ": '", value, "' is for logs of jobs, and ",
                                                     options.log,
                                                     " is a trace of allocations; expected none"));
  }
  return absl::OkStatus();
}

// A scenario with this one batch system, or this one trace.
std::string ScenarioText(const ReplayOptions& options, bool is_trace) {
  Scenario scenario;
  scenario.set_name(std::filesystem::path(options.log).stem().string());
  if (!options.machine.empty()) scenario.mutable_machine()->set_snapshot_file(options.machine);
  if (!options.boot.empty()) scenario.mutable_machine()->set_boot_state_file(options.boot);
  (is_trace ? AddAllocations : AddJobs)(options, scenario);
  std::string text;
  google::protobuf::TextFormat::PrintToString(scenario, &text);
  return text;
}

// Names are as they are given, from where the program runs.
absl::StatusOr<LoadedScenario> Load(const ReplayOptions& options, const std::vector<FieldSetting>& settings) {
  const std::string path = "replay.textproto";
  const bool is_trace = IsAllocTrace(options);
  if (absl::Status status = CheckOptions(options, is_trace); !status.ok()) return status;
  absl::StatusOr<std::string> text = ScenarioText(options, is_trace);
  if (!settings.empty()) text = workloads::PatchText(path, *text, Scenario(), settings);
  if (!text.ok()) return text.status();
  absl::StatusOr<LoadedScenario> loaded = workloads::ParseScenario(
      path, *text, workloads::FileReaders(path, ReadMachineFile, /*allow_outside_files=*/true));
  if (!loaded.ok()) return workloads::WithSettings(loaded.status(), settings);
  return loaded;
}

absl::StatusOr<int> Replay(const ReplayOptions& options) {
  const absl::StatusOr<std::vector<FieldSetting>> settings = ParseSettings(options.run.set);
  if (!settings.ok()) return settings.status();
  const absl::StatusOr<LoadedScenario> scenario = Load(options, *settings);
  if (!scenario.ok()) return scenario.status();
  const std::string trace_path = options.run.out.empty()
                                     ? std::filesystem::path(options.log).stem().string() + ".trace.pb"
                                     : options.run.out;
  return RunScenario(*scenario, trace_path, {options.log, options.machine, options.boot}, options.run,
                     *settings);
}

}  // namespace

void AddReplayCommand(CLI::App& app, int* exit_status) {
  CLI::App* command = app.add_subcommand("replay",
                                         "Run the jobs of a batch system's log, of a table of virtual "
                                         "machines, or a kernel's allocations on a machine");
  auto options = std::make_shared<ReplayOptions>();
  command
      ->add_option(
          "LOG", options->log,
          "a log in Standard Workload Format, what sacct -P prints, or a table in CSV;\n"
          "its name ends in .swf, .sacct, .csv, .psv, .log or .txt. Or a trace of the page allocator,\n"
          "of ftrace, perf script, trace-cmd or LLFree; its name ends in .ftrace, .perf, .trace, .dat,\n"
          ".llfree, .log or .txt, with .gz behind it or without")
      ->required()
      ->type_name("LOG.swf|LOG.csv|LOG.txt|TRACE.ftrace|TRACE.dat");
  command
      ->add_option("--machine", options->machine,
                   "the machine, as a scenario's machine section has it, or as numasim snapshot writes it")
      ->type_name("MACHINE.textproto");
  command
      ->add_option("--boot", options->boot,
                   "instead of it, the recorded state of a machine from which it begins")
      ->type_name("STATE.json");
  command->add_option("--format", options->format, "what the log is; default: as its first line shows")
      ->check(
          CLI::IsMember({"swf", "sacct", "csv", "azure", "openb", "ftrace", "perf", "trace.dat", "llfree"}));
  command
      ->add_option("--columns", options->columns,
                   "which column of a csv log is what, such as\n"
                   "'submit=created,end=deleted,cpus=cores,request=memory:M'")
      ->type_name("PART=COLUMN[:UNIT],..");
  command
      ->add_option("--policy", options->policy,
                   "who starts when: one after another, others before one that waits where they do not\n"
                   "delay it (default), or as the log says")
      ->check(CLI::IsMember({"fcfs", "easy_backfill", "log_start_times"}));
  command->add_option("--page-size", options->page_size, "the pages of the jobs' memory; default: anon")
      ->check(CLI::IsMember({"anon", "4K", "thp", "2M", "1G"}));
  AddScenarioRunOptions(command, "the log's name with .trace.pb", &options->run);
  RunOnCallback(command, &options->run, [options] { return Replay(*options); }, exit_status);
}

}  // namespace numasim
