#include "workloads/scenario.h"

#include <algorithm>
#include <filesystem>
#include <limits>
#include <memory>
#include <set>
#include <utility>

#include "files/read_file.h"
#include "google/protobuf/text_format.h"
#include "sim/time.h"
#include "workloads/alloc_trace/alloc_text.h"
#include "workloads/batch/batch_text.h"
#include "workloads/generate/churn_text.h"
#include "workloads/generate/guests_text.h"
#include "workloads/generate/readers_text.h"
#include "workloads/generate/slab_text.h"
#include "workloads/kernel_args.h"
#include "workloads/machine_rules.h"
#include "workloads/script_copies.h"
#include "workloads/text.h"
#include "workloads/text_message.h"
#include "workloads/units.h"

namespace numasim::workloads {
namespace {

// The machine in a snapshot, which must be described there and then.
absl::StatusOr<Machine> ReadSnapshot(const std::string& name, const std::string& text) {
  Machine machine;
  TextMessage message;
  absl::Status status = message.Parse(name, text, machine);
  if (status.ok()) status = CheckKnobs(message.View());
  if (status.ok()) status = CheckMachineSource(message.View());
  if (status.ok() && !IsDescribed(machine)) {
    status = message.View().MistakeWithoutValue(
        "node", "is missing; expected a machine with nodes or zones of its own");
  }
  if (status.ok()) status = CheckMachine(message.View(), machine);
  if (!status.ok()) return status;
  return machine;
}

// The knobs that a machine brings, those of its boot arguments, and over these the scenario's own.
KernelKnobs KernelOf(const Machine& machine, const KernelKnobs& own) {
  KernelKnobs kernel;
  const KernelArgs args = ParseKernelArgs(machine.kernel_args(), LimitsOf(machine).nodes);
  if (args.thp_enabled.has_value()) kernel.mutable_thp()->set_enabled(*args.thp_enabled);
  Overlay(machine.kernel(), kernel);
  Overlay(own, kernel);
  return kernel;
}

// Builds one LoadedScenario. Each step returns the first mistake it finds.
class ScenarioLoader {
 public:
  ScenarioLoader(const std::string& path, const std::string& text, const ScenarioReaders& readers)
      : readers_(readers) {
    loaded_.path = path;
    loaded_.text = text;
  }

  absl::Status Load();

  LoadedScenario Take() { return std::move(loaded_); }

 private:
  absl::Status LoadMachine(const MessageView& scenario);
  absl::Status LoadMachineFile(const MessageView& view, const Machine& machine);
  void WarnOfKernelArgs(const MessageView& view, const std::string& kernel_args);
  absl::Status LoadKernel(const MessageView& scenario);
  absl::Status LoadTimes(const MessageView& scenario);
  absl::Status LoadExpectations(const MessageView& scenario);
  absl::Status LoadWorkload(const MessageView& scenario);
  absl::Status LoadScript(const MessageView& view, const Workload::Script& proto);
  // What of the workload has a name of its own and is read by itself: `count` of the field, each by `read`.
  template <typename Plan>
  using ReadPlan = absl::StatusOr<Plan> (*)(const MessageView& view, const GuestsContext& context);
  template <typename Plan>
  absl::Status LoadPlans(const MessageView& workload, std::string_view field, int count, ReadPlan<Plan> read,
                         std::vector<Plan>& plans);
  // Of a part of the workload that would begin at the end of simulated time.
  absl::Status CheckStart(const MessageView& view, int64_t start_ns) const;
  // Of a time of a part of the workload that does not come before the run stops.
  void WarnIfLate(const MessageView& view, std::string_view field, int64_t time_ns);
  InputFiles Files();
  absl::Status TakeName(const MessageView& view, const std::string& name);
  absl::Status ReadScriptFile(const MessageView& view, const std::string& name, LoadedScript& loaded);
  absl::Status ReadInlineScript(const MessageView& view, const Workload::Script& proto, LoadedScript& loaded);
  absl::Status ParseCopies(const std::string& text, const LineName& name_of_line, LoadedScript& loaded);
  absl::Status NameScript(const MessageView& view, const Workload::Script& proto, LoadedScript& loaded);
  // The text of the file that a field names, read once.
  absl::StatusOr<std::string> FileOf(const MessageView& view, std::string_view field,
                                     const std::string& name);

  // A file's path from where the program runs.
  std::string DisplayName(const std::string& name) const {
    return (std::filesystem::path(loaded_.path).parent_path() / name).string();
  }

  // A script's own machine line is ignored, so it never gives the limits.
  MachineLimits ScriptLimits() const {
    return IsDescribed(loaded_.machine) ? loaded_.limits : MachineLimits();
  }

  const ScenarioReaders& readers_;
  LoadedScenario loaded_;
  std::set<std::string> names_;
};

absl::Status ScenarioLoader::Load() {
  TextMessage text;
  absl::Status status = text.Parse(loaded_.path, loaded_.text, loaded_.proto);
  if (!status.ok()) return status;
  const MessageView scenario = text.View();
  status = CheckKnobs(scenario);
  if (status.ok()) status = LoadMachine(scenario);
  if (status.ok()) status = LoadKernel(scenario);
  if (status.ok()) status = LoadTimes(scenario);
  if (status.ok()) status = LoadExpectations(scenario);
  if (status.ok()) status = LoadWorkload(scenario);
  if (loaded_.proto.seed() != Scenario().seed() && !loaded_.random()) {
    loaded_.warnings.push_back(Cat(scenario.FileAndLine("seed"), ": seed: ", loaded_.proto.seed(),
                                   " has no effect: nothing in this run is random"));
  }
  return status;
}

absl::Status ScenarioLoader::LoadExpectations(const MessageView& scenario) {
  for (int i = 0; i < loaded_.proto.expect_size(); ++i) {
    absl::StatusOr<Condition> condition = ParseCondition(loaded_.proto.expect(i));
    if (!condition.ok()) return scenario.Mistake("expect", i, FromAbsl(condition.status().message()));
    loaded_.expectations.push_back({*std::move(condition), scenario.FileAndLine("expect", i)});
  }
  return absl::OkStatus();
}

absl::Status ScenarioLoader::LoadMachine(const MessageView& scenario) {
  if (!loaded_.proto.has_machine()) {
    return scenario.MistakeWithoutValue("machine",
                                        "is missing; expected machine { node { memory: \"64G\" } }");
  }
  const MessageView view = scenario.Nested("machine");
  const Machine& machine = loaded_.proto.machine();
  loaded_.machine = machine;
  loaded_.machine_place = scenario.FileAndLine("machine");
  absl::Status status = CheckMachineSource(view);
  if (!status.ok()) return status;
  if (!IsDescribed(machine)) status = LoadMachineFile(view, machine);
  if (!status.ok() || !IsDescribed(loaded_.machine)) return status;
  if (!IsDescribed(machine) && machine.has_kernel_args() && loaded_.machine.zone_size() > 0)
    WarnOfKernelArgs(view, machine.kernel_args());
  loaded_.limits = LimitsOf(loaded_.machine);
  return CheckMachine(view, loaded_.machine);
}

// A recorded machine has been booted already.
void ScenarioLoader::WarnOfKernelArgs(const MessageView& view, const std::string& kernel_args) {
  const KernelArgs args = ParseKernelArgs(kernel_args, LimitsOf(loaded_.machine).nodes);
  if (args.huge_pages.empty() && !args.movablecore.has_value()) return;
  loaded_.warnings.push_back(
      Cat(view.FileAndLine("kernel_args"), ": machine.kernel_args: ", Quoted(kernel_args),
          ": hugepages= and movablecore= have no effect, as this machine was recorded after its boot; "
          "expected 'pool 2M all COUNT' at the start of a script"));
}

absl::Status ScenarioLoader::LoadMachineFile(const MessageView& view, const Machine& machine) {
  const bool lstopo = machine.has_lstopo_file();
  const bool boot_state = machine.has_boot_state_file();
  const std::string_view field = lstopo ? "lstopo_file" : boot_state ? "boot_state_file" : "snapshot_file";
  const std::string name = lstopo       ? machine.lstopo_file()
                           : boot_state ? machine.boot_state_file()
                                        : machine.snapshot_file();
  const absl::StatusOr<std::string> text = FileOf(view, field, name);
  if (!text.ok()) return text.status();
  loaded_.machine_place = DisplayName(name);
  const bool is_text_message = !lstopo && !boot_state;
  if (is_text_message && !IsNamedAsTextMessage(name))
    return view.Mistake(
        field, Cat("is not named as a snapshot; expected a name that ends in ", kTextMessageEndings));
  if (!is_text_message && readers_.read_machine == nullptr) return absl::OkStatus();
  absl::StatusOr<Machine> from_file = is_text_message
                                          ? ReadSnapshot(DisplayName(name), *text)
                                          : readers_.read_machine(machine, DisplayName(name), *text);
  if (!from_file.ok()) return from_file.status();
  loaded_.machine = Completed(*std::move(from_file), machine);
  return absl::OkStatus();
}

// A machine brings the knobs it was recorded with; the scenario's own take precedence.
absl::Status ScenarioLoader::LoadKernel(const MessageView& scenario) {
  absl::Status status;
  if (loaded_.proto.has_kernel()) {
    const MessageView kernel = scenario.Nested("kernel");
    status = CheckKernel(kernel, loaded_.limits.nodes);
    loaded_.kernel_places = PlacesByPath(kernel);
  }
  loaded_.kernel = KernelOf(loaded_.machine, loaded_.proto.kernel());
  return status;
}

absl::Status ScenarioLoader::LoadTimes(const MessageView& scenario) {
  loaded_.trace_interval_ns = *ParseDuration(loaded_.proto.trace().interval());
  if (loaded_.trace_interval_ns == 0) {
    return scenario.Nested("trace").Mistake("interval",
                                            "is no time between samples; expected more than 0, such as 1ms");
  }
  if (!loaded_.proto.has_stop_after()) return absl::OkStatus();
  loaded_.stop_after_ns = *ParseDuration(loaded_.proto.stop_after());
  if (*loaded_.stop_after_ns == 0) {
    return scenario.Mistake("stop_after",
                            "stops the run before it begins; expected more than 0, such as 10s");
  }
  return absl::OkStatus();
}

absl::Status ScenarioLoader::LoadWorkload(const MessageView& scenario) {
  const Workload& workload = loaded_.proto.workload();
  if (workload.script_size() + workload.guests_size() + workload.batch_size() + workload.allocations_size() +
          workload.churn_size() + workload.readers_size() + workload.slab_size() ==
      0) {
    return scenario.MistakeWithoutValue("workload.script",
                                        "is missing; expected at least one, such as script { file: "
                                        "\"load.mm\" }, or guests { .. }, or batch { .. }, or allocations { "
                                        ".. }, or churn { .. }, or readers { .. }, or slab { .. }");
  }
  const MessageView view = scenario.Nested("workload");
  for (int i = 0; i < workload.script_size(); ++i) {
    const absl::Status status = LoadScript(view.Nested("script", i), workload.script(i));
    if (!status.ok()) return status;
  }
  absl::Status status = LoadPlans(view, "guests", workload.guests_size(), ReadGuests, loaded_.guests);
  if (status.ok()) status = LoadPlans(view, "batch", workload.batch_size(), ReadBatch, loaded_.batches);
  if (status.ok())
    status =
        LoadPlans(view, "allocations", workload.allocations_size(), ReadAllocations, loaded_.allocations);
  if (status.ok()) status = LoadPlans(view, "churn", workload.churn_size(), ReadChurn, loaded_.churns);
  if (status.ok()) status = LoadPlans(view, "readers", workload.readers_size(), ReadReaders, loaded_.readers);
  if (status.ok()) status = LoadPlans(view, "slab", workload.slab_size(), ReadSlab, loaded_.slabs);
  return status;
}

InputFiles ScenarioLoader::Files() {
  return {[this](const MessageView& at, std::string_view field, const std::string& name) {
            return FileOf(at, field, name);
          },
          [this](const std::string& name) { return DisplayName(name); }};
}

absl::Status ScenarioLoader::TakeName(const MessageView& view, const std::string& name) {
  if (names_.insert(name).second) return absl::OkStatus();
  return view.Mistake("name", "is another group's or script's name too; expected a name of its own");
}

template <typename Plan>
absl::Status ScenarioLoader::LoadPlans(const MessageView& workload, std::string_view field, int count,
                                       ReadPlan<Plan> read, std::vector<Plan>& plans) {
  const InputFiles files = Files();
  for (int i = 0; i < count; ++i) {
    const MessageView view = workload.Nested(field, i);
    absl::StatusOr<Plan> plan =
        read(view, {files, loaded_.limits.nodes, loaded_.stop_after_ns, loaded_.warnings});
    if (!plan.ok()) return plan.status();
    if (absl::Status status = TakeName(view, plan->name); !status.ok()) return status;
    if (absl::Status status = CheckStart(view, plan->start_ns); !status.ok()) return status;
    WarnIfLate(view, "start", plan->start_ns);
    // To end with the run is no mistake.
    if constexpr (requires { plan->until_ns; }) WarnIfLate(view, "until", plan->until_ns.value_or(0) - 1);
    plans.push_back(*std::move(plan));
  }
  return absl::OkStatus();
}

absl::Status ScenarioLoader::CheckStart(const MessageView& view, int64_t start_ns) const {
  // With a stop_after it only has no effect.
  if (start_ns < sim::kNever.ns || loaded_.stop_after_ns.has_value()) return absl::OkStatus();
  return view.Mistake("start",
                      "is the end of simulated time, when nothing begins any more; expected an earlier time");
}

void ScenarioLoader::WarnIfLate(const MessageView& view, std::string_view field, int64_t time_ns) {
  if (!loaded_.stop_after_ns.has_value() || time_ns < *loaded_.stop_after_ns) return;
  loaded_.warnings.push_back(
      view.Warning(field, Cat("has no effect: the run stops at ", loaded_.proto.stop_after())));
}

absl::Status ScenarioLoader::LoadScript(const MessageView& view, const Workload::Script& proto) {
  LoadedScript loaded;
  loaded.start_ns = *ParseDuration(proto.start());
  loaded.stagger_ns = *ParseDuration(proto.stagger());
  loaded.loops = proto.loops();
  loaded.copies = proto.copies();
  if (absl::Status status = CheckStart(view, loaded.start_ns); !status.ok()) return status;
  WarnIfLate(view, "start", loaded.start_ns);
  if (loaded.copies == 0)
    loaded_.warnings.push_back(view.Warning("copies", "is none: nobody performs the script"));
  if (proto.has_stagger() && loaded.copies == 1) {
    loaded_.warnings.push_back(view.Warning("stagger", "has no effect: there is one copy"));
  }
  int64_t last_start = 0;
  if (__builtin_mul_overflow(loaded.stagger_ns, int64_t{loaded.copies} - 1, &last_start) ||
      __builtin_add_overflow(last_start, loaded.start_ns, &last_start) ||
      (last_start == sim::kNever.ns && !loaded_.stop_after_ns.has_value())) {
    return view.Mistake("stagger", "starts the last copy too late; expected all to start within 9223372036s");
  }
  if (proto.has_file() && proto.line_size() > 0) {
    return view.MistakeWithoutValue("line", "is given beside file; expected either a file or lines");
  }
  if (!proto.has_file() && proto.line_size() == 0) {
    return view.MistakeWithoutValue("file",
                                    "is missing; expected file: \"load.mm\", or lines with the operations");
  }
  absl::Status status = NameScript(view, proto, loaded);
  if (!status.ok()) return status;
  status =
      proto.has_file() ? ReadScriptFile(view, proto.file(), loaded) : ReadInlineScript(view, proto, loaded);
  if (loaded.copies > 0) loaded_.scripts.push_back(std::move(loaded));
  return status;
}

absl::Status ScenarioLoader::ParseCopies(const std::string& text, const LineName& name_of_line,
                                         LoadedScript& loaded) {
  absl::StatusOr<std::vector<Script>> copies =
      ParseScriptOfCopies(text, loaded.copies, name_of_line, ScriptLimits());
  if (!copies.ok()) return copies.status();
  loaded.script = copies->front();
  if (copies->size() > 1) loaded.of_copy = *std::move(copies);
  return absl::OkStatus();
}

absl::Status ScenarioLoader::NameScript(const MessageView& view, const Workload::Script& proto,
                                        LoadedScript& loaded) {
  if (proto.has_name()) {
    loaded.name = proto.name();
    if (names_.insert(loaded.name).second) return absl::OkStatus();
    return view.Mistake("name", "is another script's name too; expected a name of its own");
  }
  const std::string stem = proto.has_file() ? std::filesystem::path(proto.file()).stem().string() : "script";
  loaded.name = stem;
  for (int number = 2; !names_.insert(loaded.name).second; ++number) loaded.name = Cat(stem, "-", number);
  return absl::OkStatus();
}

absl::Status ScenarioLoader::ReadScriptFile(const MessageView& view, const std::string& name,
                                            LoadedScript& loaded) {
  const absl::StatusOr<std::string> text = FileOf(view, "file", name);
  if (!text.ok()) return text.status();
  // A mistake in a script quotes it. Of another file, a password file say, nothing may show.
  if (std::filesystem::path(name).extension() != ".mm")
    return view.Mistake("file", "is not named as a script; expected a name that ends in .mm");
  loaded.place = [file = DisplayName(name)](int line) { return Cat(file, ":", line); };
  return ParseCopies(*text, loaded.place, loaded);
}

absl::Status ScenarioLoader::ReadInlineScript(const MessageView& view, const Workload::Script& proto,
                                              LoadedScript& loaded) {
  std::string text;
  for (int i = 0; i < proto.line_size(); ++i) {
    if (proto.line(i).find('\n') != std::string::npos) {
      return view.Mistake("line", i, "holds more than one line; expected one operation in each line field");
    }
    Append(text, proto.line(i), "\n");
  }
  const auto name_of_line = [&view, &loaded](int line) {
    return Cat(view.FileAndLine("line", line - 1), ": script ", Quoted(loaded.name), " line ", line);
  };
  absl::Status status = ParseCopies(text, name_of_line, loaded);
  if (!status.ok()) return status;
  std::vector<std::string> places;
  for (int line = 1; line <= proto.line_size(); ++line) places.push_back(name_of_line(line));
  loaded.place = [places = std::move(places)](int line) { return places[static_cast<size_t>(line) - 1]; };
  return status;
}

absl::StatusOr<std::string> ScenarioLoader::FileOf(const MessageView& view, std::string_view field,
                                                   const std::string& name) {
  if (const auto known = loaded_.files.find(name); known != loaded_.files.end()) return known->second;
  absl::StatusOr<std::string> text = readers_.read_file(name);
  if (!text.ok()) {
    return view.Mistake(field, Cat("cannot be read (", text.status().message(),
                                   "); expected a file, by its path from the "
                                   "scenario's folder"));
  }
  // The whole run's trace would be little else.
  constexpr size_t kMostKept = size_t{64} << 20;
  if (text->size() <= kMostKept) {
    loaded_.files.emplace(name, *text);
  } else {
    loaded_.warnings.push_back(
        view.Warning(field, Cat("is larger than ", kMostKept >> 20,
                                " MiB: the run's trace does not keep it, and cannot be run again")));
  }
  return text;
}

// Whether a file, where links lead to, lies in the folder of a scenario or below: the folder as it is named,
// or the one that a link to the scenario leads to. A file that does not exist is judged by its name.
bool IsInFolderOf(const std::string& scenario, const std::filesystem::path& file) {
  std::error_code error;
  const std::filesystem::path named = std::filesystem::absolute(scenario, error).parent_path();
  const std::filesystem::path target = std::filesystem::weakly_canonical(scenario, error).parent_path();
  const std::filesystem::path place =
      std::filesystem::weakly_canonical(std::filesystem::absolute(file, error), error);
  if (error) return false;
  for (const std::filesystem::path& folder : {std::filesystem::weakly_canonical(named, error), target}) {
    const auto [end, ignored] = std::mismatch(folder.begin(), folder.end(), place.begin(), place.end());
    if (!error && end == folder.end()) return true;
  }
  return false;
}

}  // namespace

bool LoadedScenario::random() const {
  return !slabs.empty() ||
         std::any_of(guests.begin(), guests.end(), [](const GuestPlan& plan) { return plan.random(); }) ||
         std::any_of(batches.begin(), batches.end(), [](const BatchPlan& plan) { return plan.random(); }) ||
         std::any_of(churns.begin(), churns.end(), [](const ChurnPlan& plan) { return plan.random(); }) ||
         std::any_of(readers.begin(), readers.end(), [](const ReadersPlan& plan) { return plan.random(); });
}

absl::Status NoSuchCounter(const LoadedScenario& scenario, int index) {
  Scenario proto;
  TextMessage text;
  const absl::Status status = text.Parse(scenario.path, scenario.text, proto);
  if (!status.ok()) return status;
  return text.View().Nested("trace").Mistake(
      "counters", index,
      "matches no counter; expected a glob over names such as node0.numa_hit or node*.Normal.*");
}

absl::StatusOr<LoadedScenario> ParseScenario(const std::string& path, const std::string& text,
                                             const ScenarioReaders& readers) {
  ScenarioLoader loader(path, text, readers);
  if (absl::Status status = loader.Load(); !status.ok()) return status;
  return loader.Take();
}

ScenarioReaders FileReaders(const std::string& path, MachineReader read_machine, bool allow_outside_files) {
  const auto read_file = [path, allow_outside_files](const std::string& name) -> absl::StatusOr<std::string> {
    const std::filesystem::path file = std::filesystem::path(path).parent_path() / name;
    if (allow_outside_files || IsInFolderOf(path, file)) return ReadInputFile(file.string());
    return absl::PermissionDeniedError(
        "it is outside the scenario's folder, which needs --allow-outside-files");
  };
  return {read_file, std::move(read_machine)};
}

absl::StatusOr<LoadedScenario> LoadScenario(const std::string& path, MachineReader read_machine,
                                            bool allow_outside_files,
                                            const std::vector<FieldSetting>& settings) {
  absl::StatusOr<std::string> text = ReadInputFile(path);
  if (!text.ok()) return absl::Status(text.status().code(), Cat(path, ": ", text.status().message()));
  if (!settings.empty()) text = PatchText(path, *text, Scenario(), settings);
  if (!text.ok()) return text.status();
  absl::StatusOr<LoadedScenario> loaded =
      ParseScenario(path, *text, FileReaders(path, std::move(read_machine), allow_outside_files));
  if (!loaded.ok()) return WithSettings(loaded.status(), settings);
  return loaded;
}

Machine MachineFromLine(const MachineLine& line) {
  Machine machine;
  for (int64_t memory : line.node_mem) {
    Machine::Node* const node = machine.add_node();
    node->set_memory(SizeText(memory));
    node->set_cpus(line.cpus_per_node);
  }
  if (line.virtio_mem) {
    machine.mutable_virtio_mem()->set_node(line.virtio_mem->node);
    machine.mutable_virtio_mem()->set_max(SizeText(line.virtio_mem->max));
    machine.mutable_virtio_mem()->set_plugged(SizeText(line.virtio_mem->plugged));
  }
  if (line.disk) machine.set_disk(SizeText(*line.disk));
  if (!line.kernel_args.empty()) machine.set_kernel_args(line.kernel_args);
  return machine;
}

const std::string& LoadedScenario::PlaceOf(std::string_view message) const {
  // "kernel.cma.area[0].size: ..": a field's own place comes before that of the message it belongs to.
  for (std::string_view path = message.substr(0, message.find(':')); !path.empty();
       path = path.substr(0, path.rfind('.') == path.npos ? 0 : path.rfind('.'))) {
    const auto place = kernel_places.find(std::string(path));
    if (place != kernel_places.end()) return place->second;
  }
  return machine_place;
}

absl::StatusOr<LoadedScenario> ScenarioFromScript(const std::string& path, const std::string& text) {
  absl::StatusOr<Script> script = ParseScript(text, path);
  if (!script.ok()) return script.status();
  if (!script->machine) {
    return absl::InvalidArgumentError(
        Cat(path, ":1: machine: is missing; expected a first line such as 'machine nodes=2 node_mem=1G'"));
  }
  int64_t total = 0;
  for (const int64_t memory : script->machine->node_mem) {
    const std::string problem = NodeMemoryProblem(memory, total);
    if (!problem.empty())
      return absl::InvalidArgumentError(
          Cat(path, ":", script->machine->line, ": node_mem: ", Quoted(SizeText(memory)), " ", problem));
  }
  const std::filesystem::path file(path);
  LoadedScenario loaded;
  loaded.path = path;
  loaded.machine = MachineFromLine(*script->machine);
  loaded.machine_place = Cat(path, ":", script->machine->line);
  loaded.limits = LimitsOf(loaded.machine);
  loaded.kernel = KernelOf(loaded.machine, KernelKnobs());
  loaded.files.emplace(file.filename().string(), text);
  loaded.scripts.push_back({.name = file.stem().string(),
                            .script = *std::move(script),
                            .place = [path](int line) { return Cat(path, ":", line); }});
  loaded.proto.set_name(file.stem().string());
  *loaded.proto.mutable_machine() = loaded.machine;
  loaded.proto.mutable_workload()->add_script()->set_file(file.filename().string());
  loaded.trace_interval_ns = *ParseDuration(loaded.proto.trace().interval());
  google::protobuf::TextFormat::PrintToString(loaded.proto, &loaded.text);
  return loaded;
}

}  // namespace numasim::workloads
