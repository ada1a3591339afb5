#include "workloads/script_runner.h"

#include <algorithm>
#include <utility>
#include <variant>
#include <vector>

#include "absl/container/flat_hash_map.h"
#include "absl/strings/numbers.h"
#include "absl/strings/str_cat.h"
#include "workloads/model_values.h"

namespace numasim::workloads {
namespace {

bool IsOneOf(std::string_view name, std::initializer_list<std::string_view> names) {
  return std::find(names.begin(), names.end(), name) != names.end();
}

// Which backings the mappings of a name have in a script, as far as base pages go.
struct BasePages {
  bool anon = false;
  bool shmem = false;
};

// The same by name. Found when it is first asked for: most scripts have no operation that asks.
class BasePagesOfScript {
 public:
  explicit BasePagesOfScript(const Script& script) : script_(script) {}

  BasePages operator()(const std::string& id) {
    if (!names_.has_value()) Find();
    const auto found = names_->find(id);
    return found == names_->end() ? BasePages() : found->second;
  }

 private:
  void Find() {
    names_.emplace();
    for (const Op& op : script_.ops) {
      const auto* map = std::get_if<MapOp>(&op.kind);
      if (map == nullptr) continue;
      if (map->backing == Backing::kAnon) (*names_)[map->id].anon = true;
      if (map->backing == Backing::kShmem) (*names_)[map->id].shmem = true;
    }
  }

  const Script& script_;
  std::optional<absl::flat_hash_map<std::string_view, BasePages>> names_;
};

// What can be done with huge pages, but not yet with base pages, as NotModelledPart says it.
std::string NotModelledOf(const OpKind& kind, BasePagesOfScript& of) {
  if (const auto* advise = std::get_if<AdviseOp>(&kind)) {
    const BasePages base = of(advise->id);
    if (advise->advice == AdviseOp::Advice::kRemove && base.shmem) return "advise remove of base pages";
    const bool collapse = advise->advice == AdviseOp::Advice::kCollapse;
    return collapse && (base.anon || base.shmem) ? "advise collapse of base pages" : "";
  }
  if (const auto* move = std::get_if<MoveOp>(&kind)) {
    return of(move->id).anon || of(move->id).shmem ? "move of base pages" : "";
  }
  const std::string* file = nullptr;
  if (const auto* fallocate = std::get_if<FallocateOp>(&kind)) file = &fallocate->id;
  if (const auto* punch = std::get_if<PunchOp>(&kind)) file = &punch->id;
  if (const auto* truncate = std::get_if<TruncateOp>(&kind)) file = &truncate->id;
  return file != nullptr && of(*file).shmem ? "this on a file of the tmpfs" : "";
}

// What the models cannot do yet, in the operation's own words; empty if they can.
std::string NotModelledPart(const OpKind& kind) {
  if (const auto* map = std::get_if<MapOp>(&kind)) {
    if (map->backing == Backing::kHugetlb2M || map->backing == Backing::kHugetlb1G) return "";
    if (map->file.has_value()) return "map of a file (tmpfs is mounted huge=always)";
    return "";
  }
  if (const auto* thp = std::get_if<ThpOp>(&kind)) {
    return thp->knob == ThpOp::Knob::kEnabled ? "" : "thp with anything but `enabled`";
  }
  if (const auto* sysctl = std::get_if<SysctlOp>(&kind)) {
    if (IsOneOf(sysctl->name, {"vm.min_free_kbytes", "vm.watermark_scale_factor",
                               "vm.percpu_pagelist_high_fraction", "vm.max_map_count"})) {
      return "";
    }
    return absl::StrCat("sysctl ", sysctl->name);
  }
  const std::string_view name = OperationName(kind);
  const bool missing = IsOneOf(name, {"khugepaged", "khugepaged_set", "drop_caches", "compact"});
  return missing ? std::string(name) : "";
}

// "FILE:LINE: 'OPERATION'"
std::string PlaceAndText(const ScriptRunner::Place& place, const Op& op) {
  return absl::StrCat(place(op.line), ": '", op.text.empty() ? ToString(op) : op.text, "'");
}

std::string Complaint(const ScriptRunner::Place& place, const Op& op, const std::string& what) {
  return absl::StrCat(PlaceAndText(place, op), ": ", what);
}

// A script that takes no time would be gone through without a pause, and neither other paths nor the run
// loop, which hears of signals, would have their turn: let an event come between.
sim::Task<void> GiveWay(sim::Path& path) {
  path.Start(path.lp(), sim::Duration{0}, path.name(), [](sim::Path&) -> sim::Task<void> { co_return; });
  co_await path.Take(sim::Duration{0});
}

}  // namespace

ScriptRunner::ScriptRunner(Kernel& kernel, std::string name, Place place)
    : memory_(kernel.memory()),
      ops_(kernel.ops()),
      kernel_(kernel),
      contig_(kernel.contig()),
      name_(std::move(name)),
      place_(std::move(place)) {}

std::string ScriptRunner::FirstNotModelled(const Script& script, const Place& place) {
  BasePagesOfScript base_pages(script);
  for (const Op& op : script.ops) {
    std::string part = NotModelledPart(op.kind);
    if (part.empty()) part = NotModelledOf(op.kind, base_pages);
    if (!part.empty()) return Complaint(place, op, absl::StrCat(part, " is not modelled yet"));
  }
  return "";
}

sim::LpId ScriptRunner::HomeOf(const Op& op) const {
  const auto found = processes_.find(op.process);
  if (found == processes_.end()) return memory_.global_lp();
  return memory_.node(memory_.NodeOfCpu(found->second.process->cpu)).lp;
}

std::string ScriptRunner::Where() const {
  if (current_ == nullptr) return "before its first operation";
  return Complaint(place_, *current_, absl::StrCat("loop ", loop_ + 1));
}

std::vector<const Process*> ScriptRunner::LiveProcesses() const {
  std::vector<const Process*> live;
  for (const auto& [name, owned] : processes_) live.push_back(owned.process.get());
  return live;
}

sim::Task<void> ScriptRunner::Run(sim::Path& path, const Script& script, int loops) {
  sim::SimTime began;
  for (loop_ = 0; loop_ < loops; ++loop_) {
    if (loop_ > 0 && path.now() == began) co_await GiveWay(path);
    began = path.now();
    for (const Op& op : script.ops) {
      current_ = &op;
      const OpResult result = co_await Perform(path, op);
      Count(op, result);
    }
    while (!processes_.empty()) {
      Op exit;
      exit.process = processes_.begin()->first;
      exit.kind = ExitOp{};
      const OpResult result = co_await Perform(path, exit);
      Count(exit, result);
    }
    while (!cma_ranges_.empty()) {
      const std::string name = cma_ranges_.begin()->first;
      co_await ReleaseCma(path, name);
    }
  }
}

std::string ScriptRunner::Doing() const { return current_ == nullptr ? "" : PlaceAndText(place_, *current_); }

void ScriptRunner::Count(const Op& op, const OpResult& result) {
  ++counts_.operations;
  const std::string name(OperationName(op.kind));
  const auto add = [&](bool of_accesses, std::string what, int64_t count) {
    if (count > 0) counts_.failures[Failure{of_accesses, std::move(what), op.line}] += count;
  };
  if (result.error != Errno::kOk) add(false, absl::StrCat(name, " ", ErrnoName(result.error)), 1);
  if (result.unmet != Errno::kOk) add(false, absl::StrCat(name, " not met: ", ErrnoName(result.unmet)), 1);
  if (!result.touch.has_value()) return;
  counts_.accesses += result.touch->ok;
  add(true, "accesses: out of memory; each ended its touch", result.touch->oom);
  add(true, "accesses: SIGSEGV", result.touch->sigsegv);
  add(true, "accesses: SIGBUS", result.touch->sigbus);
}

sim::Task<OpResult> ScriptRunner::Perform(sim::Path& path, const Op& op) {
  const std::string part = NotModelledPart(op.kind);
  if (!part.empty()) throw NotModelled(Complaint(place_, op, absl::StrCat(part, " is not modelled yet")));
  if (op.process.empty()) co_return co_await PerformSystem(path, op);
  const auto found = processes_.find(op.process);
  if (found == processes_.end()) {  // its spawn or fork failed
    OpResult missing;
    missing.error = Errno::kSrch;
    co_return missing;
  }
  Owned& owned = found->second;
  co_await path.HopTo(HomeOf(op), memory_.costs().hop);
  co_await memory_.cpu(owned.process->cpu).Acquire(path);
  OpResult result;
  std::string problem;
  try {
    result = co_await PerformProcess(path, op, owned);
  } catch (const NotModelled& e) {
    problem = e.what();
  } catch (const ScriptError& e) {
    problem = e.what();
  }
  if (!problem.empty()) throw ScriptError(Complaint(place_, op, problem));
  memory_.cpu(owned.process->cpu).Release(path);
  if (std::holds_alternative<ExitOp>(op.kind)) processes_.erase(found);
  co_return result;
}

sim::Task<OpResult> ScriptRunner::PerformSystem(sim::Path& path, const Op& op) {
  OpResult result;
  if (const auto* spawn = std::get_if<SpawnOp>(&op.kind)) {
    result.error = co_await Spawn(path, spawn->name);
  } else if (const auto* thp = std::get_if<ThpOp>(&op.kind)) {
    result.error = co_await SetThp(path, *thp);
  } else if (const auto* sysctl = std::get_if<SysctlOp>(&op.kind)) {
    result.error = co_await SetSysctl(path, *sysctl);
  } else if (const auto* sleep = std::get_if<SleepOp>(&op.kind)) {
    co_await path.Take(sim::Nanoseconds(sleep->nanoseconds));
  } else if (std::holds_alternative<CmaAllocOp>(op.kind) || std::holds_alternative<CmaReleaseOp>(op.kind) ||
             std::holds_alternative<OfflineBlockOp>(op.kind) ||
             std::holds_alternative<VirtioMemOp>(op.kind)) {
    result = co_await PerformContigSystem(path, op);
  } else {
    result.error = co_await PerformHugetlbSystem(path, op);
  }
  co_return result;
}

sim::Task<OpResult> ScriptRunner::PerformProcess(sim::Path& path, const Op& op, Owned& owned) {
  Process& process = *owned.process;
  OpResult result;
  if (const auto* cpu = std::get_if<CpuOp>(&op.kind)) {
    co_await ops_.MoveToCpu(path, process, CpuId{cpu->cpu});
    co_return result;
  }
  if (const auto* policy = std::get_if<PolicyOp>(&op.kind)) {
    const MemPolicy wanted = ToMemPolicy(policy->policy);
    result.error = co_await ops_.SetPolicy(path, process, wanted);
    co_return result;
  }
  if (const auto* fork = std::get_if<ForkOp>(&op.kind)) {
    result.error = co_await Fork(path, owned, fork->child);
    co_return result;
  }
  if (std::holds_alternative<ExitOp>(op.kind)) {
    co_await ops_.Exit(path, process);
    co_await CloseFiles(path, owned);
    co_return result;
  }
  if (const auto* pool = std::get_if<ProcessPoolOp>(&op.kind)) {
    result.error = co_await kernel_.hugetlb().ResizeBy(path, process, ToHugeSize(pool->page), pool->mempolicy,
                                                       pool->count);
    co_return result;
  }
  if (const auto* map = std::get_if<MapOp>(&op.kind)) co_return co_await Map(path, owned, *map);
  if (const auto* unpin = std::get_if<UnpinOp>(&op.kind)) {
    result.error = co_await Unpin(path, owned, *unpin);
    co_return result;
  }

  // What is left is on a mapping that exists.
  const std::string* id = nullptr;
  std::visit(
      [&](const auto& kind) {
        if constexpr (requires { kind.id; }) id = &kind.id;
      },
      op.kind);
  const auto found = owned.regions.find(*id);
  if (found == owned.regions.end()) {
    result.error = Errno::kNoEnt;
    co_return result;
  }
  const Region region = found->second;
  if (const auto* touch = std::get_if<TouchOp>(&op.kind)) {
    result = co_await Touch(path, owned, *touch);
  } else if (const auto* unmap = std::get_if<UnmapOp>(&op.kind)) {
    result = co_await Unmap(path, owned, *unmap);
  } else if (const auto* advise = std::get_if<AdviseOp>(&op.kind)) {
    result = co_await Advise(path, owned, *advise);
  } else if (const auto* protect = std::get_if<ProtectOp>(&op.kind)) {
    result.error = co_await Protect(path, process, region, *protect);
  } else if (const auto* lock = std::get_if<LockOp>(&op.kind)) {
    const Range range = Clip(lock->range, region);
    const Vpn begin = region.PageBelow(range.offset);
    const Vpn end = region.PageAbove(range.offset + range.length);
    result.error = co_await ops_.Lock(path, process, begin, end);
  } else if (const auto* bind = std::get_if<BindOp>(&op.kind)) {
    const MemPolicy wanted = ToMemPolicy(bind->policy);
    result.error = co_await ops_.Bind(path, process, region.start, region.end(), wanted);
  } else if (const auto* pin = std::get_if<PinOp>(&op.kind)) {
    result.error = co_await Pin(path, owned, *pin);
  } else if (const auto* move = std::get_if<MoveOp>(&op.kind)) {
    if (!region.huge.has_value()) throw NotModelled("move of base pages is not modelled yet");
    result.moved = co_await kernel_.hugetlb().Move(path, process, region.start, region.end(),
                                                   OrderOf(*region.huge), NodeId{move->node});
    result.error = result.moved->error;
  } else {
    result.error = co_await OnHugetlbFile(path, process, region, op.kind);
  }
  result.process = &process;
  result.region = region;
  co_return result;
}

sim::Task<Errno> ScriptRunner::Spawn(sim::Path& path, const std::string& process_name) {
  auto process = std::make_unique<Process>(absl::StrCat(name_, "/", process_name));
  co_await path.HopTo(memory_.node(memory_.NodeOfCpu(process->cpu)).lp, memory_.costs().hop);
  co_await memory_.cpu(process->cpu).Acquire(path);
  const Errno error = co_await ops_.Spawn(path, *process);
  memory_.cpu(process->cpu).Release(path);
  if (error == Errno::kOk) processes_[process_name].process = std::move(process);
  co_return error;
}

sim::Task<Errno> ScriptRunner::Fork(sim::Path& path, Owned& parent, const std::string& child_name) {
  auto child = std::make_unique<Process>(absl::StrCat(name_, "/", child_name));
  const Errno error = co_await ops_.Fork(path, *parent.process, *child);
  if (error != Errno::kOk) co_return error;
  Owned& owned = processes_[child_name];
  owned.process = std::move(child);
  owned.regions = parent.regions;
  for (const auto& [id, region] : owned.regions) {
    if (region.open_file != kNoFile) co_await kernel_.hugetlb().ReOpen(path, region.open_file);
  }
  co_return Errno::kOk;
}

sim::Task<Errno> ScriptRunner::Pin(sim::Path& path, Owned& owned, const PinOp& op) {
  const Region region = owned.regions.find(op.id)->second;
  const Range range = Clip(op.range, region);
  if (range.length == 0) co_return Errno::kInval;
  const PinResult pinned = co_await ops_.Pin(path, *owned.process, region.PageBelow(range.offset),
                                             region.PageAbove(range.offset + range.length));
  if (pinned.error == Errno::kOk) owned.pins[op.id].push_back(pinned.pin);
  co_return pinned.error;
}

sim::Task<Errno> ScriptRunner::Unpin(sim::Path& path, Owned& owned, const UnpinOp& op) {
  const auto found = owned.pins.find(op.id);
  if (found == owned.pins.end()) co_return Errno::kNoEnt;
  const std::vector<uint64_t> pins = std::move(found->second);
  owned.pins.erase(found);
  for (const uint64_t pin : pins) co_await ops_.Unpin(path, *owned.process, pin, op.irq);
  co_return Errno::kOk;
}

sim::Task<Errno> ScriptRunner::SetThp(sim::Path& path, const ThpOp& op) {
  co_await path.HopTo(memory_.global_lp(), memory_.costs().hop);
  co_await path.Take(memory_.costs().sysctl);
  ThpSettings::Enabled& enabled = memory_.thp().enabled;
  enabled = op.value == "never"     ? ThpSettings::Enabled::kNever
            : op.value == "madvise" ? ThpSettings::Enabled::kMadvise
                                    : ThpSettings::Enabled::kAlways;
  memory_.reserves().ThpChanged(enabled != ThpSettings::Enabled::kNever);
  co_await memory_.ApplySettings(path);
  co_return Errno::kOk;
}

sim::Task<Errno> ScriptRunner::SetSysctl(sim::Path& path, const SysctlOp& op) {
  co_await path.HopTo(memory_.global_lp(), memory_.costs().hop);
  co_await path.Take(memory_.costs().sysctl);
  int value = 0;
  if (!absl::SimpleAtoi(op.value, &value)) co_return Errno::kInval;
  Reserves& reserves = memory_.reserves();
  if (op.name == "vm.min_free_kbytes") {
    if (value < 0) co_return Errno::kInval;
    reserves.SetMinFreeKbytes(value);
  } else if (op.name == "vm.watermark_scale_factor") {
    if (value < 1 || value > 3000) co_return Errno::kInval;
    reserves.SetWatermarkScaleFactor(value);
  } else if (op.name == "vm.max_map_count") {
    if (value < 0) co_return Errno::kInval;
    memory_.SetMaxMapCount(value);
  } else {
    if (value < 0 || (value > 0 && value < 8)) co_return Errno::kInval;
    reserves.SetPcpHighFraction(value);
  }
  co_await memory_.ApplySettings(path);
  co_return Errno::kOk;
}

}  // namespace numasim::workloads
