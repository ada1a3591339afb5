#include "workloads/generate/guest.h"

#include <utility>

#include "workloads/generate/permutation.h"
#include "workloads/model_values.h"
#include "workloads/text.h"
#include "workloads/units.h"

namespace numasim::workloads {
namespace {

std::optional<Advice> AdviceOf(GuestPages pages) {
  if (pages == GuestPages::k4K) return Advice::kNohugepage;
  if (pages == GuestPages::kThp) return Advice::kHugepage;
  return std::nullopt;
}

}  // namespace

void NoteShortage(Shortages& shortages, const char* operation, const MemoryOutcome& outcome) {
  if (!outcome.ok()) ++shortages[{operation, outcome.failure(), NodeListText(outcome.nodes)}];
}

Guest::Guest(Kernel& kernel, const GuestHabits& habits, const GuestChoices& choices, std::string name,
             LogKind failure_kind)
    : kernel_(kernel),
      habits_(habits),
      choices_(choices),
      name_(std::move(name)),
      failure_kind_(failure_kind) {}

sim::Task<void> Guest::GoToCpu(sim::Path& path) {
  MemorySystem& memory = kernel_.memory();
  co_await path.HopTo(memory.node(memory.NodeOfCpu(process_->cpu)).lp, memory.costs().hop);
  co_await memory.cpu(process_->cpu).Acquire(path);
  process_->in_call = !process_->killed;
}

sim::Task<void> Guest::LeaveCpu(sim::Path& path) {
  MemorySystem& memory = kernel_.memory();
  process_->in_call = false;
  memory.cpu(process_->cpu).Release(path);
  co_await path.HopTo(memory.global_lp(), memory.costs().hop);
}

sim::Task<MemoryOutcome> Guest::Start(sim::Path& path, CpuId cpu, int64_t units) {
  process_ = std::make_unique<Process>(name_);
  process_->cpu = cpu;
  touched_ = 0;
  co_await GoToCpu(path);
  MemoryOutcome outcome = co_await StartOnCpu(path, units);
  co_await LeaveCpu(path);
  if (!outcome.ok()) process_.reset();
  co_return outcome;
}

sim::Task<MemoryOutcome> Guest::StartOnCpu(sim::Path& path, int64_t units) {
  AddressSpaceOps& ops = kernel_.ops();
  const Errno spawned = co_await ops.Spawn(path, *process_);
  if (spawned != Errno::kOk) {
    const bool memory = spawned == Errno::kNoMem;
    co_return Failed(
        path,
        {.error = spawned, .function = "copy_process", .nodes = memory ? NodesOf(MemPolicy()) : NodeMask()},
        choices_.units);
  }
  if (choices_.units == 0) co_return MemoryOutcome{};
  MemoryOutcome outcome = co_await MapMemory(path);
  if (outcome.ok()) outcome = co_await UseFirst(path, units);
  if (process_->killed) outcome = Killed(path);
  if (!outcome.ok()) co_await ops.Exit(path, *process_);
  co_return outcome;
}

MemPolicy Guest::PolicyHere() const {
  MemPolicy policy = ToMemPolicy(choices_.policy->policy);
  if (choices_.policy->own) policy.nodes = NodeMask::Of(kernel_.memory().NodeOfCpu(process_->cpu));
  return policy;
}

NodeMask Guest::NodesOf(const MemPolicy& policy) const {
  const NodeMask all = kernel_.memory().nodes_with_memory();
  return policy.mode == MemPolicy::Mode::kBind ? NodeMask(policy.nodes.bits() & all.bits()) : all;
}

MapRequest Guest::RequestOfAll() const {
  MapRequest request;
  request.pages = choices_.base_pages();
  request.huge = HugeSizeOf(choices_.pages);
  return request;
}

// set_mempolicy or mbind, mmap between, and madvise. A mapping that is refused was counted against the nodes
// of the policy that was the process's by then.
sim::Task<MemoryOutcome> Guest::MapMemory(sim::Path& path) {
  AddressSpaceOps& ops = kernel_.ops();
  const MemPolicy policy = PolicyHere();
  const bool of_mapping = habits_.policy_of_mapping && !policy.IsDefault();
  if (!of_mapping && !policy.IsDefault()) {
    const Errno error = co_await ops.SetPolicy(path, *process_, policy);
    if (error != Errno::kOk)
      co_return Failed(path, {.error = error, .function = "do_set_mempolicy"}, choices_.units);
  }
  const MapResult mapped = co_await ops.Map(path, *process_, RequestOfAll());
  if (mapped.error != Errno::kOk) {
    const NodeMask nodes = NodesOf(of_mapping ? MemPolicy() : policy);
    co_return Failed(path, {.error = mapped.error, .function = "do_mmap", .nodes = nodes}, choices_.units);
  }
  memory_ = mapped.start;
  const Vpn end = memory_ + choices_.base_pages();
  if (of_mapping) {
    const Errno error = co_await ops.Bind(path, *process_, memory_, end, policy);
    if (error != Errno::kOk) co_return Failed(path, {.error = error, .function = "do_mbind"}, choices_.units);
  }
  const std::optional<Advice> advice = AdviceOf(choices_.pages);
  if (!advice.has_value()) co_return MemoryOutcome{};
  const Errno error = co_await ops.Advise(path, *process_, memory_, end, *advice);
  if (error == Errno::kOk) co_return MemoryOutcome{};
  co_return Failed(path, {.error = error, .function = "do_madvise"}, choices_.units);
}

sim::Task<MemoryOutcome> Guest::UseFirst(sim::Path& path, int64_t units) {
  if (!habits_.populate) co_return co_await TouchUnits(path, 0, units);
  const Vpn end = memory_ + choices_.base_pages();
  const Errno error = co_await kernel_.ops().Advise(path, *process_, memory_, end, Advice::kPopulateWrite);
  if (error != Errno::kOk) {
    co_return Failed(path, {.error = error, .function = "madvise_populate", .nodes = NodesOf(PolicyHere())},
                     choices_.units);
  }
  touched_ = choices_.units;
  co_return MemoryOutcome{};
}

// Of the pages in the order in which the guest uses them, those from `first` to `end`.
sim::Task<MemoryOutcome> Guest::TouchUnits(sim::Path& path, int64_t first, int64_t end) {
  const uint64_t bytes = static_cast<uint64_t>(UnitOf(choices_.pages)) << kPageShift;
  const uint64_t begin = memory_.value << kPageShift;
  const bool at_random = habits_.order == GuestHabits::Order::kRandom;
  const Permutation order(static_cast<uint64_t>(choices_.units), choices_.order_key);
  const int64_t at_once = at_random ? 1 : end - first;
  for (int64_t i = first; i < end; i += at_once) {
    const uint64_t unit = at_random ? order.At(static_cast<uint64_t>(i)) : static_cast<uint64_t>(i);
    TouchRequest request;
    request.begin = begin + unit * bytes;
    request.end = request.begin + static_cast<uint64_t>(at_once) * bytes;
    request.stride = bytes;
    request.ends_at_sigbus = true;
    const TouchCounts counts = co_await kernel_.ops().Touch(path, *process_, request);
    touched_ += counts.ok;
    if (counts.ok == at_once) continue;
    const bool sigbus = counts.sigbus > 0;
    co_return Failed(path,
                     {.error = sigbus ? Errno::kFault : Errno::kNoMem,
                      .sigbus = sigbus,
                      .function = "handle_mm_fault",
                      .nodes = NodesOf(PolicyHere()),
                      .got = touched_},
                     choices_.touched);
  }
  co_return MemoryOutcome{};
}

sim::Task<MemoryOutcome> Guest::GrowTo(sim::Path& path, int64_t units) {
  co_await GoToCpu(path);
  MemoryOutcome outcome;
  if (!process_->killed) outcome = co_await TouchUnits(path, touched_, units);
  if (process_->killed) outcome = Killed(path);
  co_await LeaveCpu(path);
  co_return outcome;
}

sim::Task<bool> Guest::Exit(sim::Path& path) {
  co_await GoToCpu(path);
  const bool killed = process_->killed;
  if (killed) {
    co_await kernel_.ops().ExitKilled(path, *process_);
  } else {
    co_await kernel_.ops().Exit(path, *process_);
  }
  co_await LeaveCpu(path);
  process_.reset();
  co_return !killed;
}

MemoryOutcome Guest::Killed(sim::Path& path) {
  return Failed(path, {.error = Errno::kKilled, .function = "out_of_memory", .got = touched_},
                choices_.touched);
}

// What the trace tells of it.
MemoryOutcome Guest::Failed(sim::Path& path, MemoryOutcome outcome, int64_t wanted) {
  Failure failure;
  failure.kind = failure_kind_;
  failure.error = outcome.error;
  failure.function = outcome.function;
  if (outcome.sigbus) failure.reason = "SIGBUS";
  failure.nodes = outcome.nodes;
  failure.size = HugeSizeOf(choices_.pages);
  failure.pages = wanted;
  failure.got = outcome.got;
  kernel_.memory().LogFailure(path, std::move(failure));
  return outcome;
}

}  // namespace numasim::workloads
