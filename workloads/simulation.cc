#include "workloads/simulation.h"

#include <algorithm>
#include <map>
#include <utility>

#include "absl/numeric/int128.h"
#include "absl/strings/str_cat.h"
#include "models/compaction/contiguity.h"
#include "sim/host_memory.h"
#include "sim/run_control.h"
#include "workloads/host_need.h"
#include "workloads/machine/resolve.h"
#include "workloads/not_modelled.h"
#include "workloads/requirements.h"

namespace numasim::workloads {
namespace {

std::string FirstNotModelled(const LoadedScenario& scenario) {
  for (const LoadedScript& loaded : scenario.scripts) {
    for (const Script& script : loaded.Scripts()) {
      std::string problem = workloads::FirstNotModelled(script, loaded.place);
      if (!problem.empty()) return problem;
    }
  }
  return "";
}

// What of the scripts cannot be done on the machine as it has come out.
std::string FirstImpossible(const LoadedScenario& scenario, const Devices& devices, const Node& first) {
  const bool sets_max_map_count =
      std::any_of(scenario.scripts.begin(), scenario.scripts.end(),
                  [](const LoadedScript& script) { return SetsMaxMapCount(script.script); });
  for (const LoadedScript& loaded : scenario.scripts) {
    for (const Script& script : loaded.Scripts()) {
      std::string problem = FirstWithoutDevice(script, loaded.place, devices);
      if (problem.empty() && !sets_max_map_count)
        problem = FirstMappedTwice(script, loaded.place, first.total_pages, first.vm.max_map_count);
      if (!problem.empty()) return problem;
    }
  }
  return "";
}

// With the place that it is about in front.
std::string Placed(const LoadedScenario& scenario, const std::string& message) {
  return absl::StrCat(scenario.PlaceOf(message), ": ", message);
}

}  // namespace

Simulation::Simulation(const LoadedScenario& scenario, const Options& options)
    : scenario_(scenario),
      warnings_(scenario.warnings),
      engine_({.threads = options.threads,
               .lookahead = sim::Nanoseconds(scenario.proto.cost_model().hop_ns()),
               .seed = options.seed,
               .scheme = options.scheme,
               .step_by_step = options.step_by_step}) {
  if (scenario.proto.trace().spans()) engine_.RecordSpans();
}

Simulation::~Simulation() { engine_.DropPaths(); }

absl::StatusOr<std::unique_ptr<Simulation>> Simulation::Create(const LoadedScenario& scenario,
                                                               const Options& options) {
  if (const std::string problem = FirstNotModelled(scenario); !problem.empty())
    return absl::UnimplementedError(problem);
  auto simulation = std::unique_ptr<Simulation>(new Simulation(scenario, options));
  std::vector<std::string> warnings;
  auto config = ResolveMachine(scenario.machine, scenario.kernel, warnings);
  if (!config.ok())
    return absl::InvalidArgumentError(Placed(scenario, std::string(config.status().message())));
  const HostNeed need = EstimateHostNeed(*config, scenario);
  const sim::HostMemory host = sim::FreeHostMemory();
  if (absl::Status status = CheckHostNeed(need, host); !status.ok())
    return absl::Status(status.code(), absl::StrCat(scenario.machine_place, ": ", status.message()));
  if (need.at_start + need.broken_up > host.resident) warnings.push_back(BrokenUpWarning(need, host));
  auto kernel = Kernel::Boot(simulation->engine_, *config, KernelConfig(scenario.kernel),
                             Costs(scenario.proto.cost_model()), warnings);
  if (!kernel.ok())
    return absl::InvalidArgumentError(Placed(scenario, std::string(kernel.status().message())));
  simulation->kernel_ = *std::move(kernel);
  for (const std::string& warning : warnings) simulation->warnings_.push_back(Placed(scenario, warning));
  const Devices devices = DevicesOf(simulation->kernel());
  const Node& first = simulation->memory().node(NodeId{0});
  if (const std::string problem = FirstImpossible(scenario, devices, first); !problem.empty())
    return absl::InvalidArgumentError(problem);
  if (absl::Status status = simulation->AddGroups(scenario, options.seed); !status.ok()) return status;
  simulation->AddStreams();
  return simulation;
}

absl::Status Simulation::AddGroups(const LoadedScenario& scenario, uint64_t seed) {
  for (const GuestPlan& plan : scenario.guests) {
    auto group = GuestGroup::Create(*kernel_, plan, seed, warnings_);
    if (!group.ok()) return group.status();
    groups_.push_back(*std::move(group));
  }
  for (const BatchPlan& plan : scenario.batches)
    batches_.push_back(std::make_unique<BatchSystem>(*kernel_, plan, seed));
  for (const AllocPlan& plan : scenario.allocations)
    replays_.push_back(std::make_unique<AllocReplay>(*kernel_, plan, warnings_));
  for (const ChurnPlan& plan : scenario.churns) {
    auto churn = Churn::Create(*kernel_, plan, seed);
    if (!churn.ok()) return churn.status();
    churns_.push_back(*std::move(churn));
  }
  int64_t files = 0;
  for (const ReadersPlan& plan : scenario.readers) {
    files += plan.files;
    if (files >= ShmemFiles::kMaxFiles)
      return absl::InvalidArgumentError(absl::StrCat(plan.place,
                                                     ": files: with those of all readers before it ", files,
                                                     " files are more than there can be; expected fewer "
                                                     "than ",
                                                     ShmemFiles::kMaxFiles, " in all"));
    auto readers = Readers::Create(*kernel_, plan, seed);
    if (!readers.ok()) return readers.status();
    readers_.push_back(*std::move(readers));
  }
  for (const SlabPlan& plan : scenario.slabs) {
    auto slab = Slab::Create(*kernel_, plan, seed);
    if (!slab.ok()) return slab.status();
    slabs_.push_back(*std::move(slab));
  }
  const auto add = [this](const auto& all) {
    for (const auto& part : all) parts_.push_back(part.get());
  };
  add(groups_);
  add(batches_);
  add(replays_);
  add(churns_);
  add(readers_);
  add(slabs_);
  return absl::OkStatus();
}

void Simulation::AddStreams() {
  kernel_->thp().khugepaged().RunAsThread();
  kernel_->kcompactds().RunAsThreads();
  for (const LoadedScript& script : scenario_.scripts) {
    logs_.push_back(std::make_unique<OperationLog>(engine_));
    OperationLog* const log = logs_.back().get();
    for (int copy = 0; copy < script.copies; ++copy) {
      const std::string name = script.copies == 1 ? script.name : absl::StrCat(script.name, "#", copy);
      runners_.push_back(std::make_unique<Stream>());
      Stream* const stream = runners_.back().get();
      stream->name = name;
      stream->script = &script;
      stream->of_copy = &script.OfCopy(copy);
      stream->runner = std::make_unique<ScriptRunner>(*kernel_, name, script.place);
      const sim::SimTime start{script.start_ns + script.stagger_ns * copy};
      engine_.Start(kernel_->memory().global_lp(), start, name,
                    [this, stream, log](sim::Path& path) -> sim::Task<void> {
                      co_await stream->runner->Run(path, *stream->of_copy, stream->script->name,
                                                   stream->script->loops, *log);
                      stream->done = true;
                      co_await EndWithLast(path);
                    });
    }
  }
  const auto end_one = [this](sim::Path& path) { return EndWithLast(path); };
  for (WorkloadPart* const part : parts_) part->Begin(end_one);
}

std::vector<MemorySystem::CounterColumn> Simulation::Columns() const {
  std::vector<MemorySystem::CounterColumn> columns = kernel_->Columns();
  if (scenario_.proto.trace().contiguity()) {
    for (auto& column : ContiguityColumns(kernel_->memory())) columns.push_back(std::move(column));
  }
  for (const WorkloadPart* const part : parts_) {
    for (auto& column : part->Columns()) columns.push_back(std::move(column));
  }
  return columns;
}

// khugepaged would go on for ever, and kcompactds for a while longer.
sim::Task<void> Simulation::EndWithLast(sim::Path& path) {
  MemorySystem& memory = kernel_->memory();
  co_await path.GoTo(memory.global_lp(), memory.costs().hop);
  if (++streams_ended_ < static_cast<size_t>(streams())) co_return;
  if (!kernel_->thp().khugepaged().pending() && memory.vm().compaction_proactiveness == 0) co_return;
  left_daemons_ = true;
  sim::EndRunHere(path);
}

absl::Status Simulation::Run() {
  const sim::SimTime end = scenario_.stop_after_ns ? sim::SimTime{*scenario_.stop_after_ns} : sim::kNever;
  if (absl::Status status = engine_.Run(end); !status.ok()) return status;
  const std::vector<sim::BlockedPath> blocked = engine_.blocked_paths();
  const bool ended = scenario_.stop_after_ns.has_value() || sim::RunWasStopped(engine_) || left_daemons_;
  if (blocked.empty() || ended) return absl::OkStatus();
  return Stuck(blocked);
}

absl::Status Simulation::Stuck(const std::vector<sim::BlockedPath>& blocked) const {
  if (std::ranges::any_of(blocked, &sim::BlockedPath::after_end_of_time)) return AfterEndOfTime(blocked);
  return absl::FailedPreconditionError(
      absl::StrCat("deadlock at ", sim::ToString(engine_.now()), ": ", blocked.size(),
                   " paths wait, the first, ", blocked.front().path, ", for ", blocked.front().waits_for));
}

// The machine's daemons come to the end of time too; they are named only where nobody of the workload waits.
absl::Status Simulation::AfterEndOfTime(const std::vector<sim::BlockedPath>& blocked) const {
  const auto of_workload = [this](const sim::BlockedPath& path) { return !WhoseIs(path.path).empty(); };
  const auto is_late = &sim::BlockedPath::after_end_of_time;
  auto found = std::ranges::find_if(
      blocked, [&](const sim::BlockedPath& path) { return path.after_end_of_time && of_workload(path); });
  if (found == blocked.end()) found = std::ranges::find_if(blocked, of_workload);
  if (found == blocked.end()) found = std::ranges::find_if(blocked, is_late);
  const sim::BlockedPath& late = *found;
  const std::string whose = WhoseIs(late.path);
  return absl::OutOfRangeError(absl::StrCat(
      whose.empty() ? absl::StrCat("'", late.path, "'") : whose, ": begins at ", sim::ToString(late.since),
      " and ends after ", sim::ToString(sim::Duration{sim::kNever.ns}),
      " (292 years), the end of simulated time; expected shorter sleeps, fewer loops, an earlier "
      "start, or a stop_after"));
}

std::string Simulation::WhoseIs(const std::string& path) const {
  for (const auto& stream : runners_) {
    if (stream->name != path) continue;
    const std::string doing = stream->runner->Doing();
    return doing.empty() ? absl::StrCat("'", path, "'") : doing;
  }
  // A part's paths are called after it: "vms#3".
  const std::string part = path.substr(0, path.find('#'));
  std::string place;
  const auto look_in = [&](const auto& plans) {
    for (const auto& plan : plans) {
      if (plan.name == part) place = plan.place;
    }
  };
  look_in(scenario_.guests);
  look_in(scenario_.batches);
  look_in(scenario_.allocations);
  look_in(scenario_.churns);
  look_in(scenario_.readers);
  look_in(scenario_.slabs);
  return place.empty() ? "" : absl::StrCat(place, ": '", path, "'");
}

Simulation::Totals Simulation::CountAll() const {
  Totals totals;
  for (const auto& stream : runners_) {
    totals.operations += stream->runner->counts().operations;
    totals.accesses += stream->runner->counts().accesses;
  }
  return totals;
}

std::vector<Simulation::FailureKind> Simulation::Failures() const {
  // Streams of one script follow each other, so that its place among all scripts puts its lines in the file's
  // order.
  std::map<std::pair<bool, std::string>, std::map<std::pair<const LoadedScript*, int>, int64_t>> kinds;
  for (const auto& stream : runners_) {
    for (const auto& [failure, count] : stream->runner->counts().failures) {
      kinds[{failure.of_parts, failure.what}][{stream->script, failure.line}] += count;
    }
  }
  std::vector<FailureKind> failures;
  for (const auto& [kind, lines] : kinds) {
    FailureKind& failure = failures.emplace_back();
    failure.what = kind.second;
    for (const auto& [at, count] : lines) {
      failure.count += count;
      failure.lines.push_back({count, at.first, at.second});
    }
    std::stable_sort(failure.lines.begin(), failure.lines.end(),
                     [](const FailedLine& a, const FailedLine& b) { return a.count > b.count; });
  }
  return failures;
}

std::vector<Simulation::Operations> Simulation::AllOperations() const {
  std::vector<Operations> all;
  for (size_t i = 0; i < logs_.size(); ++i)
    all.push_back({Operations::Of::kScript, scenario_.scripts[i].name, logs_[i]->Sum()});
  for (const auto& group : groups_) {
    Operations& guests = all.emplace_back();
    guests.of = Operations::Of::kGuests;
    guests.name = group->plan().name;
    guests.table = {{"start", group->starts()}, {"attempt", group->attempts()}, {"grow", group->growths()}};
    std::erase_if(guests.table, [](const auto& entry) { return entry.second.tried() == 0; });
  }
  for (const auto& batch : batches_) {
    Operations& jobs = all.emplace_back();
    jobs.of = Operations::Of::kBatch;
    jobs.name = batch->plan().name;
    jobs.table = {{"wait", batch->waits()}, {"start", batch->starts()}, {"grow", batch->growths()}};
    std::erase_if(jobs.table, [](const auto& entry) { return entry.second.tried() == 0; });
  }
  Operations& machine = all.emplace_back();
  const TimedStats timed = kernel_->memory().AllTimed();
  for (size_t kind = 0; kind < timed.size(); ++kind) {
    if (timed[kind].tried() > 0) machine.table[kTimedNames[kind]] = timed[kind];
  }
  return all;
}

int64_t Simulation::streams_done() const {
  return std::ranges::count_if(runners_, [](const auto& stream) { return stream->done; }) +
         std::ranges::count_if(parts_, [](const WorkloadPart* part) { return part->ended(); });
}

std::vector<const Process*> Simulation::LiveProcesses() const {
  std::vector<const Process*> live;
  for (const auto& stream : runners_) {
    const std::vector<const Process*> of_stream = stream->runner->LiveProcesses();
    live.insert(live.end(), of_stream.begin(), of_stream.end());
  }
  for (const WorkloadPart* const part : parts_) {
    const std::vector<const Process*> of_part = part->LiveProcesses();
    live.insert(live.end(), of_part.begin(), of_part.end());
  }
  return live;
}

sim::SimTime Simulation::KnownEnd() const {
  if (scenario_.stop_after_ns.has_value()) return sim::SimTime{*scenario_.stop_after_ns};
  absl::int128 end = 0;
  for (const AllocPlan& plan : scenario_.allocations) end = std::max(end, absl::int128(plan.end_ns()));
  for (const ChurnPlan& plan : scenario_.churns)
    end = std::max(end, plan.start_ns + absl::int128(plan.pause_ns) * plan.rounds);
  for (const ReadersPlan& plan : scenario_.readers)
    end = std::max(end, absl::int128(plan.until_ns.value_or(0)));
  for (const SlabPlan& plan : scenario_.slabs) end = std::max(end, absl::int128(plan.until_ns.value_or(0)));
  for (const LoadedScript& script : scenario_.scripts) {
    absl::int128 slept = 0;
    for (const Op& op : script.script.ops) {
      if (const auto* sleep = std::get_if<SleepOp>(&op.kind)) slept += sleep->nanoseconds;
    }
    const absl::int128 last_start = script.start_ns + absl::int128(script.stagger_ns) * (script.copies - 1);
    end = std::max(end, last_start + slept * script.loops);
  }
  return sim::SimTime{static_cast<int64_t>(std::min(end, absl::int128(sim::kNever.ns)))};
}

std::string Simulation::WhereIs(const std::string& path) const {
  for (const auto& stream : runners_) {
    if (stream->runner->name() == path && !stream->done) return stream->runner->Where();
  }
  return "";
}

double Simulation::ShareDone() const {
  double done = 0;
  double all = 0;
  for (const auto& stream : runners_) {
    const auto operations = static_cast<double>(stream->of_copy->ops.size()) * stream->script->loops;
    all += operations;
    // Processes that exit with their stream count as operations too.
    done += stream->done ? operations
                         : std::min(operations, static_cast<double>(stream->runner->counts().operations));
  }
  // A part counts as much as all scripts together.
  double shares = runners_.empty() ? 0 : all == 0 ? 1 : done / all;
  for (const WorkloadPart* const part : parts_) shares += part->ShareDone(engine_.now());
  const size_t parts = parts_.size() + (runners_.empty() ? 0 : 1);
  return parts == 0 ? 1 : shares / static_cast<double>(parts);
}

}  // namespace numasim::workloads
