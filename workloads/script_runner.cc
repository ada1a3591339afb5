#include "workloads/script_runner.h"

#include <utility>
#include <variant>
#include <vector>

#include "absl/strings/str_cat.h"
#include "workloads/kernel_settings.h"
#include "workloads/model_values.h"
#include "workloads/not_modelled.h"
#include "workloads/operation_groups.h"

namespace numasim::workloads {
namespace {

// Operations of the system that do not run on its CPU: those of the script itself, writes of settings, which
// the global LP serves, and the wait for khugepaged, which takes the CPU itself when it scans.
template <class Kind>
concept WithoutCpu = AnyOf<Kind, SpawnOp, SleepOp, ThpOp, SysctlOp, KhugepagedSetOp, KhugepagedOp>;

std::string Complaint(const LineName& place, const Op& op, const std::string& what) {
  return absl::StrCat(PlaceAndText(op, place), ": ", what);
}

sim::Task<OpResult> Answer(Errno error) { co_return error; }

// The mapping that an operation is on; null if it is on none.
const std::string* MappingOf(const OpKind& kind) {
  return std::visit(
      []<class Kind>(const Kind& op) -> const std::string* {
        if constexpr (MappingKind<Kind>) return &op.id;
        return nullptr;
      },
      kind);
}

// A script that takes no time would be gone through without a pause, and neither other paths nor the run
// loop, which hears of signals, would have their turn: let an event come between.
sim::Task<void> GiveWay(sim::Path& path) {
  path.Start(path.lp(), sim::Duration{0}, path.name(), [](sim::Path&) -> sim::Task<void> { co_return; });
  co_await path.Take(sim::Duration{0});
}

}  // namespace

ScriptRunner::ScriptRunner(Kernel& kernel, std::string name, LineName place)
    : memory_(kernel.memory()),
      ops_(kernel.ops()),
      kernel_(kernel),
      contig_(kernel.contig()),
      name_(std::move(name)),
      place_(std::move(place)) {}

sim::LpId ScriptRunner::HomeOf(const Op& op) const {
  const auto found = processes_.find(op.process);
  if (found == processes_.end()) return memory_.global_lp();
  return LpOf(*found->second.process);
}

sim::LpId ScriptRunner::LpOf(const Process& process) const {
  return memory_.node(memory_.NodeOfCpu(process.cpu)).lp;
}

std::string ScriptRunner::Where() const {
  if (current_ == nullptr) return "before its first operation";
  return Complaint(place_, *current_, absl::StrCat("loop ", loop_ + 1));
}

std::vector<const Process*> ScriptRunner::LiveProcesses() const {
  std::vector<const Process*> live;
  for (const auto& [name, owned] : processes_) {
    if (owned.process->alive) live.push_back(owned.process.get());
  }
  return live;
}

sim::Task<void> ScriptRunner::Run(sim::Path& path, const Script& script, const std::string& of, int loops,
                                  OperationLog& log) {
  sim::SimTime began;
  for (loop_ = 0; loop_ < loops; ++loop_) {
    if (loop_ > 0 && path.now() == began) co_await GiveWay(path);
    began = path.now();
    for (const Op& op : script.ops) {
      current_ = &op;
      co_await PerformAndCount(path, op, of, log);
    }
    while (!processes_.empty()) {
      Op exit;
      exit.process = processes_.begin()->first;
      exit.kind = ExitOp{};
      exit.text = OperationName(exit.kind);
      exit.line = processes_.begin()->second.line;
      co_await PerformAndCount(path, exit, of, log);
    }
    while (!cma_ranges_.empty()) {
      const std::string name = cma_ranges_.begin()->first;
      co_await ReleaseCma(path, name);
    }
  }
  path.set_place({});
}

sim::Task<void> ScriptRunner::PerformAndCount(sim::Path& path, const Op& op, const std::string& of,
                                              OperationLog& log) {
  const sim::SimTime began = path.now();
  path.set_place({&of, op.line});
  const OpResult result = co_await Perform(path, op);
  Count(op, result);
  OperationLog::OfLp& here = log.at(path.lp());
  const Errno error = result.error != Errno::kOk ? result.error : result.unmet;
  here.Record(OperationName(op.kind), path.now() - began, error);
  path.LogSpan(kSpanOfOperation, op.text, began, error == Errno::kOk ? "" : ErrnoName(error));
  if (result.touch.has_value()) here.RecordAccesses(*result.touch, result.beyond);
}

std::string ScriptRunner::Doing() const { return current_ == nullptr ? "" : PlaceAndText(*current_, place_); }

void ScriptRunner::Count(const Op& op, const OpResult& result) {
  ++counts_.operations;
  const std::string name(OperationName(op.kind));
  const auto add = [&](bool of_parts, std::string what, int64_t count) {
    if (count > 0) counts_.failures[Failure{of_parts, std::move(what), op.line}] += count;
  };
  if (result.error != Errno::kOk) add(false, absl::StrCat(name, " ", ErrnoName(result.error)), 1);
  if (result.unmet != Errno::kOk) add(false, absl::StrCat(name, " not met: ", ErrnoName(result.unmet)), 1);
  if (result.moved.has_value()) add(true, "move: pages that stayed", result.moved->stayed());
  if (result.blocks_lack) add(false, absl::StrCat(name, " ", ErrnoName(Errno::kNoEnt)), 1);
  if (!result.touch.has_value()) return;
  counts_.accesses += result.touch->ok;
  add(true, "accesses: out of memory; each ended its touch", result.touch->oom);
  add(true, "accesses: SIGSEGV", result.touch->sigsegv);
  add(true, "accesses: beyond the end of the mapping", result.beyond);
  add(true, "accesses: SIGBUS", result.touch->sigbus);
}

ScriptRunner::Subject ScriptRunner::Find(const Op& op) {
  Subject subject;
  const auto found = processes_.find(op.process);
  if (op.process.empty() || found == processes_.end()) return subject;
  subject.owned = &found->second;
  const std::string* const name = MappingOf(op.kind);
  if (name == nullptr) return subject;
  const auto region = subject.owned->regions.find(*name);
  if (region != subject.owned->regions.end())
    subject.mapping.emplace(Mapped{*subject.owned, *name, region->second});
  return subject;
}

sim::Task<OpResult> ScriptRunner::Perform(sim::Path& path, const Op& op) {
  const Subject subject = Find(op);
  const std::string missing = MissingPart(op.kind);
  if (!missing.empty()) throw ScriptError(Complaint(place_, op, missing));
  if (op.process.empty()) co_return co_await Begin(path, op.kind, subject);
  // It was killed, or its spawn or fork failed.
  if (subject.owned == nullptr) co_return killed_.contains(op.process) ? Errno::kNoEnt : Errno::kSrch;
  co_return co_await OnProcessCpu(path, op, subject);
}

// The operation itself. On the LP of the process, with its CPU.
sim::Task<OpResult> ScriptRunner::InCall(sim::Path& path, const Op& op, const Subject& subject) {
  Process& process = *subject.owned->process;
  process.in_call = true;
  OpResult result;
  std::string problem;
  try {
    result = co_await Begin(path, op.kind, subject);
  } catch (const ScriptError& e) {
    problem = e.what();
  }
  if (!problem.empty()) throw ScriptError(Complaint(place_, op, problem));
  process.in_call = false;
  co_return result;
}

sim::Task<OpResult> ScriptRunner::OnProcessCpu(sim::Path& path, const Op& op, const Subject& subject) {
  Process& process = *subject.owned->process;
  co_await path.HopTo(LpOf(process), memory_.costs().hop);
  co_await memory_.cpu(process.cpu).Acquire(path);
  bool killed = process.killed;
  OpResult result;
  if (!killed) {
    result = co_await InCall(path, op, subject);
    killed = process.killed && process.alive;  // an exit was faster
  }
  if (killed) {
    co_await ops_.ExitKilled(path, process);
    co_await CloseAll(path, *subject.owned);
    result = OpResult(Errno::kKilled);
    killed_.insert(op.process);
  }
  memory_.cpu(process.cpu).Release(path);  // not the same CPU after a `cpu`
  // ENOENT: the mapping has no file, and was not even looked at.
  if (!killed && subject.mapping.has_value() && result.error != Errno::kNoEnt) {
    result.process = &process;
    result.region = subject.mapping->region;
  }
  if (killed || std::holds_alternative<ExitOp>(op.kind)) processes_.erase(op.process);
  co_return result;
}

sim::Task<OpResult> ScriptRunner::OnSystemCpu(sim::Path& path, sim::Task<OpResult> work) {
  co_await path.HopTo(memory_.node(memory_.NodeOfCpu(kSystemCpu)).lp, memory_.costs().hop);
  co_await memory_.cpu(kSystemCpu).Acquire(path);
  OpResult result = co_await work;
  memory_.cpu(kSystemCpu).Release(path);
  co_return result;
}

sim::Task<OpResult> ScriptRunner::Begin(sim::Path& path, const OpKind& kind, const Subject& subject) {
  return std::visit(
      [&]<class Kind>(const Kind& op) -> sim::Task<OpResult> {
        if constexpr (MappingKind<Kind>) {
          return subject.mapping.has_value() ? Do(path, *subject.mapping, op) : Answer(Errno::kNoEnt);
        } else if constexpr (ProcessKind<Kind>) {
          return Do(path, *subject.owned, op);
        } else if constexpr (WithoutCpu<Kind>) {
          return Do(path, op);
        } else {
          return OnSystemCpu(path, Do(path, op));
        }
      },
      kind);
}

sim::Task<OpResult> ScriptRunner::Do(sim::Path& path, const SpawnOp& op) {
  auto process = std::make_unique<Process>(absl::StrCat(name_, "/", op.name));
  co_await path.HopTo(LpOf(*process), memory_.costs().hop);
  co_await memory_.cpu(process->cpu).Acquire(path);
  const Errno error = co_await ops_.Spawn(path, *process);
  memory_.cpu(process->cpu).Release(path);
  if (error != Errno::kOk) co_return error;
  Owned& owned = processes_[op.name];
  owned.process = std::move(process);
  owned.line = LineNow();
  killed_.erase(op.name);
  co_return error;
}

sim::Task<OpResult> ScriptRunner::Do(sim::Path& path, const SleepOp& op) {
  co_await path.Take(sim::Nanoseconds(op.nanoseconds));
  co_return Errno::kOk;
}

sim::Task<OpResult> ScriptRunner::Do(sim::Path& path, const ThpOp& op) {
  co_await WriteThp(path, kernel_, op);
  co_return Errno::kOk;
}

sim::Task<OpResult> ScriptRunner::Do(sim::Path& path, const KhugepagedSetOp& op) {
  co_return co_await WriteKhugepaged(path, kernel_, op);
}

sim::Task<OpResult> ScriptRunner::Do(sim::Path& path, const KhugepagedOp& op) {
  co_return co_await kernel_.thp().khugepaged().RunScans(path, kSystemCpu, op.scans);
}

// drop_caches_sysctl_handler()
sim::Task<OpResult> ScriptRunner::Do(sim::Path& path, const DropCachesOp& op) {
  const sim::LpId home = path.lp();
  co_await path.Take(memory_.costs().syscall);
  if ((op.what & 1) != 0) co_await kernel_.filemap().DropCaches(path, kSystemCpu);
  if ((op.what & 2) != 0) co_await kernel_.shrinkers().Drop(path, kSystemCpu);
  co_await path.GoTo(home, memory_.costs().hop);
  co_return Errno::kOk;
}

sim::Task<OpResult> ScriptRunner::Do(sim::Path& path, const CompactOp&) {
  co_await path.Take(memory_.costs().sysctl);
  co_await kernel_.compactor().CompactAll(path, kSystemCpu);
  co_return Errno::kOk;
}

sim::Task<OpResult> ScriptRunner::Do(sim::Path& path, const SysctlOp& op) {
  co_return co_await WriteSysctl(path, kernel_, op.name, op.value);
}

sim::Task<OpResult> ScriptRunner::Do(sim::Path& path, Owned& owned, const CpuOp& op) {
  co_await ops_.MoveToCpu(path, *owned.process, CpuId{op.cpu});
  co_return Errno::kOk;
}

// oom_score_adj_write()
sim::Task<OpResult> ScriptRunner::Do(sim::Path& path, Owned& owned, const OomScoreAdjOp& op) {
  co_await path.Take(memory_.costs().sysctl);
  if (op.value < OomScoreAdj::kNever || op.value > OomScoreAdj::kMost) co_return Errno::kInval;
  owned.process->oom_score_adj = op.value;
  co_return Errno::kOk;
}

sim::Task<OpResult> ScriptRunner::Do(sim::Path& path, Owned& owned, const PolicyOp& op) {
  const MemPolicy wanted = ToMemPolicy(op.policy);
  co_return co_await ops_.SetPolicy(path, *owned.process, wanted);
}

sim::Task<OpResult> ScriptRunner::Do(sim::Path& path, Owned& owned, const ForkOp& op) {
  auto child = std::make_unique<Process>(absl::StrCat(name_, "/", op.child));
  const Errno error = co_await ops_.Fork(path, *owned.process, *child);
  if (error != Errno::kOk) co_return error;
  Owned& heir = processes_[op.child];
  killed_.erase(op.child);
  heir.process = std::move(child);
  heir.line = LineNow();
  heir.regions = owned.regions;
  heir.pipes = owned.pipes;
  co_await ReOpenFiles(path, heir);
  co_return Errno::kOk;
}

sim::Task<OpResult> ScriptRunner::Do(sim::Path& path, Owned& owned, const ExitOp&) {
  co_await ops_.Exit(path, *owned.process);
  co_await CloseAll(path, owned);
  co_return Errno::kOk;
}

sim::Task<void> ScriptRunner::CloseAll(sim::Path& path, Owned& owned) {
  co_await CloseFiles(path, owned);
  while (!owned.pipes.empty()) {
    co_await ClosePipes(path, owned, owned.pipes.begin()->second, 1);
    owned.pipes.erase(owned.pipes.begin());
  }
}

}  // namespace numasim::workloads
