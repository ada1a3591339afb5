// Scenarios: what `numasim run` is given, read and checked as a whole before anything is simulated.
//
// LoadScenario reads the text of a Scenario message and every file it names, and returns either all of it,
// ready to be built, or the first mistake with the place where it is. A LoadedScenario is a value that the
// caller owns; nothing here lives on an LP.
#ifndef NUMASIM_WORKLOADS_SCENARIO_H_
#define NUMASIM_WORKLOADS_SCENARIO_H_

#include <cstdint>
#include <functional>
#include <map>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "absl/status/statusor.h"
#include "absl/types/span.h"
#include "proto/scenario.pb.h"
#include "workloads/alloc_trace/alloc_plan.h"
#include "workloads/batch/batch_plan.h"
#include "workloads/condition.h"
#include "workloads/generate/churn_plan.h"
#include "workloads/generate/guest_plan.h"
#include "workloads/generate/readers_plan.h"
#include "workloads/generate/slab_plan.h"
#include "workloads/script.h"
#include "workloads/text_patch.h"

namespace numasim::workloads {

// A stream of operations of the workload.
struct LoadedScript {
  std::string name = {};  // unique in the scenario
  Script script = {};     // of the first copy
  // Of each copy, where {copy} in a line makes them differ; else empty. The same operations in the same
  // lines.
  std::vector<Script> of_copy = {};
  // Where a line of the script is, for messages: "FILE:LINE".
  std::function<std::string(int line)> place = {};
  int64_t start_ns = 0;
  int loops = 1;
  int copies = 1;          // the stream runs this often,
  int64_t stagger_ns = 0;  // each copy starting this much after the one before

  const Script& OfCopy(int copy) const {
    return of_copy.empty() ? script : of_copy[static_cast<size_t>(copy)];
  }
  // All that differ.
  absl::Span<const Script> Scripts() const {
    return of_copy.empty() ? absl::MakeConstSpan(&script, 1) : absl::MakeConstSpan(of_copy);
  }
};

// A condition that the scenario expects to hold at the end.
struct Expectation {
  Condition condition;
  std::string place;  // for messages: "FILE:LINE"
};

struct LoadedScenario {
  Scenario proto;   // as written: unset fields have their defaults
  Machine machine;  // proto.machine(), with what the file it names says; see ScenarioReaders
  // Where the machine is said, for messages: "FILE:LINE", or the file that the machine section names.
  std::string machine_place;
  std::map<std::string, std::string> kernel_places;  // of proto.kernel(); see PlacesByPath
  KernelKnobs kernel;  // proto.kernel() before machine.kernel(); unset fields have their defaults
  MachineLimits limits;
  std::string path;  // as given
  std::string text;  // what ParseScenario takes
  std::vector<LoadedScript> scripts;
  std::vector<GuestPlan> guests;
  std::vector<BatchPlan> batches;
  std::vector<AllocPlan> allocations;
  std::vector<ChurnPlan> churns;
  std::vector<ReadersPlan> readers;
  std::vector<SlabPlan> slabs;
  std::optional<int64_t> stop_after_ns;
  int64_t trace_interval_ns = 0;
  std::vector<Expectation> expectations;
  // What the scenario asks for and will not get, a line each, with the place where it does.
  std::vector<std::string> warnings;
  // The text of every file the scenario names, by the name it uses: with `text` all that a second run needs.
  // Without those of more than 64 MiB.
  std::map<std::string, std::string> files;

  // Whether anything is drawn at random, so that another seed makes another run.
  bool random() const;

  // Where that is said which a message of the machine's making is about: the field of the kernel section that
  // it begins with, or the machine.
  const std::string& PlaceOf(std::string_view message) const;
};

// The machine in the text of an lstopo_file or a boot_state_file; `source` has that field set. A Status names
// the line or field of the file.
using MachineReader = std::function<absl::StatusOr<Machine>(const Machine& source, const std::string& name,
                                                            const std::string& text)>;

// How files outside the scenario are read.
struct ScenarioReaders {
  // The text of a file, by the name the scenario uses. A Status says why there is none.
  std::function<absl::StatusOr<std::string>(const std::string& name)> read_file;
  // If there is no such function, machines in files are not looked into: LoadedScenario::machine is without
  // nodes and zones then, and the node and CPU numbers of scripts are not checked.
  MachineReader read_machine;
};

// Reads a scenario whose text is given. `path` is for messages, and LoadedScenario::path.
// A mistake is InvalidArgument: "FILE:LINE:COL: FIELD: 'VALUE' is ...; expected ...".
absl::StatusOr<LoadedScenario> ParseScenario(const std::string& path, const std::string& text,
                                             const ScenarioReaders& readers);

// The mistake that the `index`th glob of trace.counters matches nothing, which shows when there are counters.
absl::Status NoSuchCounter(const LoadedScenario& scenario, int index);

// Reads files by their names relative to the folder of `path` and, unless `allow_outside_files`, in it or
// below: a scenario that somebody sent must not read any file of this machine.
ScenarioReaders FileReaders(const std::string& path, MachineReader read_machine, bool allow_outside_files);

// Reads a scenario from a file, with FileReaders for what it names, and with these of its fields set
// (`--set`): they are in LoadedScenario::text too. NotFound if there is no such file.
absl::StatusOr<LoadedScenario> LoadScenario(const std::string& path, MachineReader read_machine = nullptr,
                                            bool allow_outside_files = false,
                                            const std::vector<FieldSetting>& settings = {});

// A scenario that runs one script once, on the machine of its machine line. `path` and `text` are the
// script's file. InvalidArgument if the script has no machine line.
absl::StatusOr<LoadedScenario> ScenarioFromScript(const std::string& path, const std::string& text);

// The machine of a machine line: nodes with their memory and CPUs, the virtio-mem device, the boot arguments.
Machine MachineFromLine(const MachineLine& line);

}  // namespace numasim::workloads

#endif  // NUMASIM_WORKLOADS_SCENARIO_H_
