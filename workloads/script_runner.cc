#include "workloads/script_runner.h"

#include <algorithm>
#include <utility>
#include <variant>
#include <vector>

#include "absl/strings/numbers.h"
#include "absl/strings/str_cat.h"
#include "workloads/model_values.h"

namespace numasim::workloads {
namespace {

Vma::ThpAdvice ToThpAdvice(const std::optional<MapOp::Thp>& thp) {
  if (!thp.has_value()) return Vma::ThpAdvice::kNone;
  return *thp == MapOp::Thp::kHugepage ? Vma::ThpAdvice::kHugepage : Vma::ThpAdvice::kNohugepage;
}

Access ToAccess(ProtectOp::Access access) {
  switch (access) {
    case ProtectOp::Access::kRead:
      return Access::kRead;
    case ProtectOp::Access::kReadWrite:
      return Access::kReadWrite;
    case ProtectOp::Access::kNone:
      return Access::kNone;
  }
  return Access::kNone;
}

// A range of a mapping in bytes, cut off at the mapping's end.
Range Clip(const std::optional<Range>& range, const Region& region) {
  if (!range.has_value()) return {0, region.bytes};
  const int64_t begin = std::min(range->offset, region.bytes);
  return {begin, std::min(range->length, region.bytes - begin)};
}

Vpn PageBelow(const Region& region, int64_t offset) { return region.start + (offset >> kPageShift); }
Vpn PageAbove(const Region& region, int64_t offset) {
  return region.start + ((offset + kPageSize - 1) >> kPageShift);
}

bool IsOneOf(std::string_view name, std::initializer_list<std::string_view> names) {
  return std::find(names.begin(), names.end(), name) != names.end();
}

// What the models cannot do yet, in the operation's own words; empty if they can.
std::string NotModelledPart(const OpKind& kind) {
  if (const auto* map = std::get_if<MapOp>(&kind)) {
    if (map->backing == Backing::kHugetlb2M || map->backing == Backing::kHugetlb1G) return "";
    if (map->file.has_value()) return "map of a file (tmpfs is mounted huge=always)";
    return "";
  }
  if (const auto* advise = std::get_if<AdviseOp>(&kind)) {
    switch (advise->advice) {
      case AdviseOp::Advice::kFree:
        return "advise free";
      case AdviseOp::Advice::kRemove:
        return "advise remove";
      case AdviseOp::Advice::kCollapse:
        return "advise collapse";
      default:
        return "";
    }
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
  const bool missing = IsOneOf(name, {"khugepaged", "khugepaged_set", "drop_caches", "compact", "lock"});
  return missing ? std::string(name) : "";
}

std::string Complaint(const ScriptRunner::Place& place, const Op& op, const std::string& what) {
  return absl::StrCat(place(op.line), ": '", op.text.empty() ? ToString(op) : op.text, "': ", what);
}

// A script that takes no time would be gone through without a pause, and neither other paths nor the run
// loop, which hears of signals, would have their turn: let an event come between.
sim::Task<void> GiveWay(sim::Path& path) {
  path.Start(path.lp(), sim::Duration{0}, path.name(), [](sim::Path&) -> sim::Task<void> { co_return; });
  co_await path.Take(sim::Duration{0});
}

}  // namespace

ScriptRunner::ScriptRunner(MemorySystem& memory, AddressSpaceOps& ops, Contig& contig, std::string name,
                           Place place)
    : memory_(memory), ops_(ops), contig_(contig), name_(std::move(name)), place_(std::move(place)) {}

std::string ScriptRunner::FirstNotModelled(const Script& script, const Place& place) {
  for (const Op& op : script.ops) {
    const std::string part = NotModelledPart(op.kind);
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

void ScriptRunner::Count(const Op& op, const OpResult& result) {
  ++counts_.operations;
  if (result.error != Errno::kOk) {
    ++counts_.failed[absl::StrCat(std::string(OperationName(op.kind)), " ", ErrnoName(result.error))];
  }
  if (result.unmet != Errno::kOk) {
    ++counts_
          .failed[absl::StrCat(std::string(OperationName(op.kind)), " not met: ", ErrnoName(result.unmet))];
  }
  if (!result.touch.has_value()) return;
  counts_.accesses += result.touch->ok;
  counts_.sigsegv += result.touch->sigsegv;
  counts_.sigbus += result.touch->sigbus;
  counts_.oom += result.touch->oom;
}

void ScriptRunner::Counts::Add(const Counts& other) {
  operations += other.operations;
  accesses += other.accesses;
  sigsegv += other.sigsegv;
  sigbus += other.sigbus;
  oom += other.oom;
  for (const auto& [what, count] : other.failed) failed[what] += count;
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
  }
  if (!problem.empty()) throw NotModelled(Complaint(place_, op, problem));
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
    co_await path.Take(sim::Milliseconds(sleep->milliseconds));
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
    result.error =
        co_await ops_.hugetlb().ResizeBy(path, process, ToHugeSize(pool->page), pool->mempolicy, pool->count);
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
    const Range range = Clip(protect->range, region);
    if (range.offset % kPageSize != 0) {
      result.error = Errno::kInval;
    } else if (range.length > 0) {
      result.error =
          co_await ops_.Protect(path, process, PageBelow(region, range.offset),
                                PageAbove(region, range.offset + range.length), ToAccess(protect->access));
    }
  } else if (const auto* bind = std::get_if<BindOp>(&op.kind)) {
    const MemPolicy wanted = ToMemPolicy(bind->policy);
    result.error = co_await ops_.Bind(path, process, region.start, region.end(), wanted);
  } else if (const auto* pin = std::get_if<PinOp>(&op.kind)) {
    result.error = co_await Pin(path, owned, *pin);
  } else if (const auto* move = std::get_if<MoveOp>(&op.kind)) {
    if (!region.huge.has_value()) throw NotModelled("move of base pages is not modelled yet");
    result.moved = co_await ops_.hugetlb().Move(path, process, region.start, region.end(),
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
    if (region.open_file != kNoFile) co_await ops_.hugetlb().ReOpen(path, region.open_file);
  }
  co_return Errno::kOk;
}

sim::Task<OpResult> ScriptRunner::Map(sim::Path& path, Owned& owned, const MapOp& op) {
  if (op.backing == Backing::kHugetlb2M || op.backing == Backing::kHugetlb1G) {
    co_return co_await MapHuge(path, owned, op);
  }
  OpResult result;
  MapRequest request;
  request.pages = (op.size >> kPageShift) + (op.size % kPageSize != 0 ? 1 : 0);
  request.shared = op.shared || op.backing == Backing::kShmem;
  request.noreserve = op.noreserve;
  request.thp = ToThpAdvice(op.thp);
  if (op.policy.has_value()) request.policy = ToMemPolicy(*op.policy);
  const MapResult mapped = co_await ops_.Map(path, *owned.process, request);
  result.error = mapped.error;
  if (mapped.error != Errno::kOk) {
    owned.regions.erase(op.id);
    co_return result;
  }
  const Region region{mapped.start, op.size};
  owned.regions[op.id] = region;
  if (op.populate) {
    // mmap succeeds also where MAP_POPULATE finds no memory.
    co_await ops_.Populate(path, *owned.process, region.start, region.end(), true);
  }
  result.process = owned.process.get();
  result.region = region;
  co_return result;
}

sim::Task<OpResult> ScriptRunner::Touch(sim::Path& path, Owned& owned, const TouchOp& op) {
  OpResult result;
  const Region& region = owned.regions.find(op.id)->second;
  const Range range = Clip(op.range, region);
  const uint64_t begin = (region.start.value << kPageShift) + static_cast<uint64_t>(range.offset);
  TouchRequest request{begin, begin + static_cast<uint64_t>(range.length), kPageSize, !op.read};
  if (region.huge.has_value()) request.stride = static_cast<uint64_t>(PagesOf(*region.huge) << kPageShift);
  if (op.stride > 0) request.stride = static_cast<uint64_t>(op.stride);
  result.touch = co_await ops_.Touch(path, *owned.process, request);
  if (result.touch->oom > 0) result.error = Errno::kNoMem;
  co_return result;
}

sim::Task<OpResult> ScriptRunner::Unmap(sim::Path& path, Owned& owned, const UnmapOp& op) {
  OpResult result;
  const auto found = owned.regions.find(op.id);
  const Region region = found->second;
  const Range range = Clip(op.range, region);
  if (range.length == 0 || range.offset % kPageSize != 0) {
    result.error = Errno::kInval;
  } else {
    result.error = co_await ops_.Unmap(path, *owned.process, PageBelow(region, range.offset),
                                       PageAbove(region, range.offset + range.length));
  }
  if (!op.range.has_value() && result.error == Errno::kOk) {
    co_await CloseFile(path, owned, op.id);
    owned.regions.erase(op.id);
  }
  co_return result;
}

sim::Task<OpResult> ScriptRunner::Advise(sim::Path& path, Owned& owned, const AdviseOp& op) {
  OpResult result;
  const Region region = owned.regions.find(op.id)->second;
  const Range range = Clip(op.range, region);
  const int64_t step = op.stride > 0 ? op.stride : range.length;
  const int64_t length = op.stride > 0 ? kPageSize : range.length;
  for (int64_t done = 0; done < range.length;) {
    const int64_t at = range.offset + done;
    Errno error = Errno::kInval;
    if (at % kPageSize == 0) {
      const int64_t end = at + std::min(length, range.length - done);
      error =
          co_await AdviseOnce(path, *owned.process, op.advice, PageBelow(region, at), PageAbove(region, end));
    }
    if (result.error == Errno::kOk) result.error = error;
    if (range.length - done <= step) break;
    done += step;
  }
  co_return result;
}

sim::Task<Errno> ScriptRunner::AdviseOnce(sim::Path& path, Process& process, AdviseOp::Advice advice,
                                          Vpn begin, Vpn end) {
  switch (advice) {
    case AdviseOp::Advice::kDontneed:
      co_return co_await ops_.Dontneed(path, process, begin, end);
    case AdviseOp::Advice::kHugepage:
      co_return co_await ops_.AdviseThp(path, process, begin, end, Vma::ThpAdvice::kHugepage);
    case AdviseOp::Advice::kNohugepage:
      co_return co_await ops_.AdviseThp(path, process, begin, end, Vma::ThpAdvice::kNohugepage);
    default:
      break;
  }
  co_return co_await ops_.Populate(path, process, begin, end, advice == AdviseOp::Advice::kPopulateWrite);
}

sim::Task<Errno> ScriptRunner::Pin(sim::Path& path, Owned& owned, const PinOp& op) {
  const Region region = owned.regions.find(op.id)->second;
  const Range range = Clip(op.range, region);
  if (range.length == 0) co_return Errno::kInval;
  const PinResult pinned = co_await ops_.Pin(path, *owned.process, PageBelow(region, range.offset),
                                             PageAbove(region, range.offset + range.length));
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

MappingStats StatsOf(const MemorySystem& memory, const HugetlbPool& pool, const Process& process,
                     const Region& region) {
  constexpr int64_t kPageKb = kPageSize / 1024;
  MappingStats stats;
  stats.node_kb.assign(static_cast<size_t>(memory.node_count()), 0);
  process.space.page_table().ForEachTable(region.start, region.end(), [&](Vpn first, const PteTable& table) {
    const uint64_t from = region.start > first ? static_cast<uint64_t>(region.start - first) : 0;
    const uint64_t to = std::min(kPtesPerTable, static_cast<uint64_t>(region.end() - first));
    for (uint64_t i = from; i < to; ++i) {
      const Pte pte = table.pte[i];
      if (pte.none() || pte.zero_page()) continue;
      stats.rss_kb += kPageKb;
      if (pte.anon()) stats.anon_kb += kPageKb;
      stats.node_kb[static_cast<size_t>(memory.ZoneOf(pte.pfn())->node().value)] += kPageKb;
    }
  });
  process.space.huge_pages().ForEach(region.start, region.end(), [&](Vpn, const HugePte& pte) {
    const int64_t kb = kPageKb << pte.order;
    (pool.pages().Used(pte.pfn).mapcount > 1 ? stats.shared_hugetlb_kb : stats.private_hugetlb_kb) += kb;
    stats.node_kb[static_cast<size_t>(memory.ZoneOf(pte.pfn)->node().value)] += kb;
  });
  return stats;
}

}  // namespace numasim::workloads
