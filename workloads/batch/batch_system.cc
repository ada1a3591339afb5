#include "workloads/batch/batch_system.h"

#include <algorithm>
#include <utility>

#include "workloads/counter_columns.h"
#include "workloads/generate/distribution_text.h"
#include "workloads/generate/node_memory.h"
#include "workloads/integer_math.h"
#include "workloads/text.h"

namespace numasim::workloads {
namespace {

// Why a job is refused.
constexpr char kTooManyCpus[] = "more CPUs than the machine has";
constexpr char kTooMuchMemory[] = "more memory than the machine has";

}  // namespace

BatchSystem::BatchSystem(Kernel& kernel, const BatchPlan& plan, uint64_t seed)
    : kernel_(kernel), plan_(plan.WithLog(seed)), seed_(seed) {}

void BatchSystem::Begin(OnEnd on_end) {
  on_end_ = std::move(on_end);
  MemorySystem& memory = kernel_.memory();
  memory.engine().Start(memory.global_lp(), sim::SimTime{plan_.start_ns}, plan_.name,
                        [this](sim::Path& path) { return Submit(path); });
}

std::vector<MemorySystem::CounterColumn> BatchSystem::Columns() const {
  std::vector<MemorySystem::CounterColumn> columns;
  AppendColumns<BatchCounter>(Cat("batch.", plan_.name, "."), "batch_", counters_,
                              kernel_.memory().global_lp(), columns);
  return columns;
}

std::vector<const Process*> BatchSystem::LiveProcesses() const {
  std::vector<const Process*> live;
  for (const auto& [number, job] : running_) {
    for (const auto& process : job.processes) {
      if (process->LiveProcess() != nullptr) live.push_back(process->LiveProcess());
    }
  }
  return live;
}

double BatchSystem::ShareDone(sim::SimTime /*now*/) const {
  const int64_t done = counters_[BATCH_REFUSED] + counters_[BATCH_KILLED] + counters_[BATCH_FINISHED];
  return static_cast<double>(done) / static_cast<double>(plan_.log.jobs.size());
}

std::string BatchSystem::NameOf(size_t number) const {
  const Job& job = plan_.log.jobs[number];
  return job.id.empty() ? Cat(plan_.name, "#line", job.line) : Cat(plan_.name, "#", job.id);
}

// ---- Submission ----

sim::Task<void> BatchSystem::Submit(sim::Path& path) {
  co_await SizeUp(path);
  const std::vector<size_t> order = plan_.Order();
  for (const size_t number : order) {
    const std::optional<int64_t> at = plan_.TimeOf(plan_.log.jobs[number]);
    if (!at.has_value()) break;
    // To look at the machine has taken a moment, before which the first jobs may have come.
    if (*at > path.now().ns) co_await path.Take(sim::Nanoseconds(*at - path.now().ns));
    SubmitJob(path, number);
  }
  submitted_all_ = true;
  if (ended()) co_await on_end_(path);
}

// What the scheduler may give out: CPUs of each node, and a share of the memory that is free there now, of
// the kind that jobs use.
sim::Task<void> BatchSystem::SizeUp(sim::Path& path) {
  MemorySystem& memory = kernel_.memory();
  const std::optional<HugeSize> size = HugeSizeOf(plan_.pages);
  std::vector<BatchRoom> nodes;
  BatchRoom all;
  for (int n = 0; n < memory.node_count(); ++n) {
    const Node& node = memory.node(NodeId{n});
    if (!size.has_value()) co_await path.HopTo(node.lp, memory.costs().hop);
    const int64_t free = size.has_value() ? FreeHugePagesOf(kernel_, node.id, *size) : FreePagesOf(node);
    const int64_t bytes = free * UnitOf(plan_.pages) * static_cast<int64_t>(kPageSize);
    nodes.push_back({std::ssize(node.cpus) * 1000, InProportion(bytes, plan_.bookable, kWholeShare)});
    all.Add(nodes.back());
  }
  co_await path.GoTo(memory.global_lp(), memory.costs().hop);
  scheduler_.emplace(all, plan_.backfill_depth);
  nodes_.emplace(plan_.placement, std::move(nodes));
}

void BatchSystem::SubmitJob(sim::Path& path, size_t number) {
  const Job& job = plan_.log.jobs[number];
  ++counters_[BATCH_SUBMITTED];
  const JobDemand demand = DemandOf(plan_, seed_, number);
  if (demand.booked.millicpus > scheduler_->machine().millicpus) return Refuse(path, job, kTooManyCpus);
  if (demand.booked.bytes > scheduler_->machine().bytes) return Refuse(path, job, kTooMuchMemory);
  if (plan_.policy == BatchPolicy::kLogStartTimes)
    return StartJob(path, number, {demand, path.now()}, /*backfilled=*/false);
  waiting_.emplace(number, Waiting{demand, path.now()});
  ++counters_[BATCH_WAITING];
  scheduler_->Submit({static_cast<int64_t>(number), demand.booked, demand.limit_ns});
  StartJobs(path);
}

void BatchSystem::Refuse(sim::Path& path, const Job& job, const char* why) {
  ++counters_[BATCH_REFUSED];
  ++shortages_[{"refused:", why, ""}];
  Failure failure;
  failure.kind = LogKind::kJobFailed;
  failure.error = Errno::kInval;
  failure.function = "submit";
  failure.reason = why;
  failure.pages = UpToWhole(job.bytes_to_book(), static_cast<int64_t>(kPageSize));
  kernel_.memory().LogFailure(path, std::move(failure));
}

void BatchSystem::StartJobs(sim::Path& path) {
  for (const BatchScheduler::Start& start : scheduler_->StartNow(path.now().ns)) {
    const auto found = waiting_.find(static_cast<size_t>(start.job));
    const Waiting waited = found->second;
    waiting_.erase(found);
    --counters_[BATCH_WAITING];
    StartJob(path, static_cast<size_t>(start.job), waited, start.backfilled);
  }
}

void BatchSystem::StartJob(sim::Path& path, size_t number, const Waiting& waited, bool backfilled) {
  ++counters_[BATCH_STARTED];
  if (backfilled) ++counters_[BATCH_BACKFILLED];
  if (path.now() > waited.since) ++counters_[BATCH_WAITED];
  waits_.Record(path.now() - waited.since);
  path.LogSpan("wait", plan_.name, waited.since);
  Running& job = running_[number];
  job.name = NameOf(number);
  job.demand = waited.demand;
  job.run_ns = plan_.log.jobs[number].run_ns;
  job.started = path.now();
  job.places = nodes_->Book(job.demand.booked);
  AddProcesses(job);
  CountRunning(job, 1);
  path.Start(path.lp(), sim::Duration{0}, job.name,
             [this, number](sim::Path& own) { return Run(own, number); });
}

// One process on each node where the job has CPUs, with pages in proportion to these: the pages up to the
// CPUs that were given out so far, so that together they are as many as the job has.
void BatchSystem::AddProcesses(Running& job) const {
  static const GuestPolicy kNoPolicy;
  const int64_t pages = job.demand.bytes / (UnitOf(plan_.pages) * static_cast<int64_t>(kPageSize));
  int64_t millicpus = 0;
  int64_t given = 0;
  for (const NodePlacement::Place& place : job.places) {
    if (place.room.millicpus == 0) continue;
    millicpus += place.room.millicpus;
    GuestChoices choices;
    choices.pages = plan_.pages;
    choices.policy = &kNoPolicy;
    choices.units = InProportion(pages, millicpus, job.demand.booked.millicpus) - given;
    choices.touched = choices.units;
    given += choices.units;
    job.processes.push_back(
        std::make_unique<Guest>(kernel_, habits_, choices, job.name, LogKind::kJobFailed));
  }
}

// The one with the fewest processes of jobs.
CpuId BatchSystem::TakeCpu(NodeId node) {
  const std::vector<CpuId>& cpus = kernel_.memory().node(node).cpus;
  const auto processes = [this](CpuId cpu) -> int64_t& {
    const auto index = static_cast<size_t>(cpu.value);
    if (index >= processes_on_.size()) processes_on_.resize(index + 1);
    return processes_on_[index];
  };
  const CpuId least = *std::min_element(cpus.begin(), cpus.end(),
                                        [&](CpuId a, CpuId b) { return processes(a) < processes(b); });
  ++processes(least);
  return least;
}

// ---- A job ----

sim::Task<void> BatchSystem::Run(sim::Path& path, size_t number) {
  Running& job = running_.at(number);
  const bool started = co_await StartProcesses(path, job);
  bool lived = started && co_await LiveOut(path, job);
  for (const auto& process : job.processes) {
    if (process->started() && !co_await process->Exit(path)) lived = false;
  }
  co_await End(path, number, /*killed=*/!lived);
}

// All of them with their first part of the memory, or false.
sim::Task<bool> BatchSystem::StartProcesses(sim::Path& path, Running& job) {
  const sim::SimTime began = path.now();
  MemoryOutcome outcome;
  for (size_t p = 0; p < job.processes.size() && outcome.ok(); ++p) {
    job.cpus.push_back(TakeCpu(job.places[p].node));
    Guest& process = *job.processes[p];
    const int64_t units = UnitsAfter(plan_, job.demand, process.choices().units, 0);
    outcome = co_await process.Start(path, job.cpus.back(), units);
    CountTouched(job);
  }
  starts_.Record(path.now() - began, outcome.failure());
  path.LogSpan("start", plan_.name, began, outcome.failure());
  NoteShortage(shortages_, "start", outcome);
  co_return outcome.ok();
}

// To the end of its run time, counted from its start; false: it did not get its memory.
sim::Task<bool> BatchSystem::LiveOut(sim::Path& path, Running& job) {
  const int64_t growing = InProportion(job.run_ns, job.demand.over, kWholeShare);
  for (int step = 1; step <= plan_.steps; ++step) {
    const int64_t until = step == plan_.steps ? job.run_ns : InProportion(growing, step, plan_.steps);
    const int64_t lived = path.now().ns - job.started.ns;
    if (until > lived) co_await path.Take(sim::Nanoseconds(until - lived));
    if (step < plan_.steps && !co_await Grow(path, job, step)) co_return false;
  }
  co_return true;
}

sim::Task<bool> BatchSystem::Grow(sim::Path& path, Running& job, int step) {
  const sim::SimTime began = path.now();
  MemoryOutcome outcome;
  for (size_t p = 0; p < job.processes.size() && outcome.ok(); ++p) {
    Guest& process = *job.processes[p];
    if (process.choices().units == 0) continue;
    outcome = co_await process.GrowTo(path, UnitsAfter(plan_, job.demand, process.choices().units, step));
    CountTouched(job);
  }
  growths_.Record(path.now() - began, outcome.failure());
  path.LogSpan("grow", plan_.name, began, outcome.failure());
  NoteShortage(shortages_, "grow", outcome);
  co_return outcome.ok();
}

sim::Task<void> BatchSystem::End(sim::Path& path, size_t number, bool killed) {
  Running& job = running_.at(number);
  CountRunning(job, -1);
  ++counters_[killed ? BATCH_KILLED : BATCH_FINISHED];
  for (const CpuId cpu : job.cpus) --processes_on_[static_cast<size_t>(cpu.value)];
  nodes_->Return(job.places);
  running_.erase(number);
  if (plan_.policy != BatchPolicy::kLogStartTimes) {
    scheduler_->End(static_cast<int64_t>(number));
    StartJobs(path);
  }
  if (ended()) co_await on_end_(path);
}

// ---- Counting ----

void BatchSystem::CountRunning(const Running& job, int64_t sign) {
  millicpus_ += sign * job.demand.booked.millicpus;
  counters_[BATCH_RUNNING] += sign;
  counters_[BATCH_CPUS] = UpToWhole(millicpus_, 1000);
  counters_[BATCH_BOOKED_PAGES] += sign * UpToWhole(job.demand.booked.bytes, static_cast<int64_t>(kPageSize));
  if (sign < 0) counters_[BATCH_TOUCHED_PAGES] -= job.counted_pages;
}

// What its processes have touched since this was counted last.
void BatchSystem::CountTouched(Running& job) {
  int64_t pages = 0;
  for (const auto& process : job.processes) {
    if (process->started()) pages += process->touched_pages();
  }
  counters_[BATCH_TOUCHED_PAGES] += pages - job.counted_pages;
  job.counted_pages = pages;
}

}  // namespace numasim::workloads
