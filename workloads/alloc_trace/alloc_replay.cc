#include "workloads/alloc_trace/alloc_replay.h"

#include <algorithm>
#include <optional>
#include <span>
#include <utility>

#include "models/physical/kernel_pages.h"
#include "workloads/alloc_trace/gfp_names.h"
#include "workloads/counter_columns.h"
#include "workloads/text.h"

namespace numasim::workloads {
namespace {

int64_t PagesOf(int order) { return int64_t{1} << order; }

}  // namespace

AllocReplay::AllocReplay(Kernel& kernel, const AllocPlan& plan, std::vector<std::string>& warnings)
    : kernel_(kernel), plan_(plan), counters_(static_cast<size_t>(kernel.memory().node_count())) {
  const std::vector<PageEvent>& events = plan_.trace->events;
  tells_frees_ = std::any_of(events.begin(), events.end(),
                             [](const PageEvent& event) { return event.kind == PageEventKind::kFree; });
  NoteOtherMachine(warnings);
}

void AllocReplay::NoteOtherMachine(std::vector<std::string>& warnings) const {
  const MemorySystem& memory = kernel_.memory();
  const auto cpus = static_cast<uint16_t>(std::min(memory.cpu_count(), int{UINT16_MAX}));
  int64_t elsewhere = 0;
  uint16_t last_cpu = 0;
  for (const PageEvent& event : plan_.trace->events) {
    last_cpu = std::max(last_cpu, event.cpu);
    if (event.pfn != kNoPfn && memory.ZoneOf(event.pfn) == nullptr) ++elsewhere;
  }
  if (last_cpu >= cpus)
    warnings.push_back(Cat(plan_.place, ": the trace has CPU ", last_cpu, ", and the machine CPUs 0 to ",
                           cpus - 1, "; a CPU's number modulo ", cpus, " stands for it"));
  if (elsewhere > 0)
    warnings.push_back(
        Cat(plan_.place, ": ", elsewhere, " of ", plan_.trace->events.size(),
            " events are of frames that the machine does not have; they go to their CPU's node"));
}

void AllocReplay::Begin(OnEnd on_end) {
  on_end_ = std::move(on_end);
  MemorySystem& memory = kernel_.memory();
  memory.engine().Start(memory.global_lp(), sim::SimTime{plan_.start_ns}, plan_.name,
                        [this](sim::Path& path) { return Run(path); });
}

// ---- Counting ----

std::vector<MemorySystem::CounterColumn> AllocReplay::Columns() const {
  std::vector<MemorySystem::CounterColumn> columns;
  const auto counts = [](const Node&) { return true; };
  AppendNodeColumns<AllocationsCounter>(Cat("allocations.", plan_.name, "."), "allocations_", counters_,
                                        kernel_.memory(), counts, columns);
  return columns;
}

int64_t AllocReplay::counter(AllocationsCounter c) const { return SumOverNodes(counters_, c); }

double AllocReplay::ShareDone(sim::SimTime /*now*/) const {
  return static_cast<double>(next_) / static_cast<double>(plan_.trace->events.size());
}

int64_t& AllocReplay::CounterOn(NodeId node, AllocationsCounter c) {
  return counters_[static_cast<size_t>(node.value)][c];
}

// What is no block of this machine counts on the node where it would be.
sim::Task<void> AllocReplay::Count(sim::Path& path, const PageEvent& event, AllocationsCounter c) {
  const NodeId node = NodeOf(event);
  co_await path.GoTo(kernel_.memory().node(node).lp, kernel_.memory().costs().hop);
  ++CounterOn(node, c);
}

void AllocReplay::NoteShortage(const PageEvent& event) {
  const char* const type = kMigratetypeNames[event.type];
  ++shortages_[{Cat("order=", int{event.order}, " ", type), "ENOMEM", Cat(NodeOf(event).value)}];
}

// ---- What an event asks for ----

CpuId AllocReplay::CpuOf(const PageEvent& event) const {
  return CpuId{static_cast<int32_t>(event.cpu) % kernel_.memory().cpu_count()};
}

NodeId AllocReplay::NodeOf(const PageEvent& event) const {
  const Zone* const zone = kernel_.memory().ZoneOf(event.pfn);
  return zone != nullptr ? zone->node() : kernel_.memory().NodeOfCpu(CpuOf(event));
}

Node& AllocReplay::NodeOfBlock(Pfn block) const {
  return kernel_.memory().node(kernel_.memory().ZoneOf(block)->node());
}

// Its pages count as the kernel's own: nobody moves them, as nobody would tell the trace's frames.
AllocRequest AllocReplay::RequestOf(const PageEvent& event) const {
  return {.gfp = GfpWithType(event.gfp, event.type),
          .order = event.order,
          .preferred = NodeOf(event),
          .cpu = CpuOf(event),
          .owner = {.kind = FrameOwner::kKernel, .mapcount = 0, .object = kReplayed, .index = 0}};
}

// mm_page_free_batched tells once more of a page that is freed in a batch, behind its mm_page_free. Alone it
// tells of the free itself.
bool AllocReplay::FreesAgain(const PageEvent& event) const {
  return event.kind == PageEventKind::kFreeBatched && tells_frees_;
}

// ---- The path ----

sim::Task<void> AllocReplay::Run(sim::Path& path) {
  // Far enough for a line of the table to come from memory, and near enough for it to be still there.
  constexpr size_t kAhead = 12;
  const std::vector<PageEvent>& events = plan_.trace->events;
  for (; next_ < events.size(); ++next_) {
    const PageEvent& event = events[next_];
    if (next_ + kAhead < events.size()) blocks_.Prefetch(events[next_ + kAhead].pfn);
    const sim::Duration until = sim::SimTime{plan_.start_ns + event.time_ns} - path.now();
    if (until.ns > 0) {
      co_await path.Take(until);
    } else {
      latest_ = std::max(latest_, sim::Duration{-until.ns});
    }
    if (!ReplayHere(path, event)) co_await ReplayAnywhere(path, event);
  }
  co_await path.GoTo(kernel_.memory().global_lp(), kernel_.memory().costs().hop);
  ended_ = true;
  co_await on_end_(path);
}

// The common cases, without a coroutine: on the LP where the path is, from and to the CPU's PCP lists. False:
// it is none of them, and nothing is done.
bool AllocReplay::ReplayHere(const sim::Path& path, const PageEvent& event) {
  switch (event.kind) {
    case PageEventKind::kAlloc:
      return AllocateHere(path, event);
    case PageEventKind::kFree:
    case PageEventKind::kFreeBatched:
      return FreesAgain(event) || FreeHere(path, event);
    default:
      return false;
  }
}

bool AllocReplay::AllocateHere(const sim::Path& path, const PageEvent& event) {
  const AllocRequest request = RequestOf(event);
  if (blocks_.Find(event.pfn).has_value()) return false;
  const Pfn block = kernel_.allocator().TryAllocHere(path, request);
  if (block == kNoPfn) return false;
  blocks_.Insert(event.pfn, {block, event.order});
  ++CounterOn(request.preferred, ALLOCATIONS_ALLOCATED);
  CounterOn(request.preferred, ALLOCATIONS_LIVE_PAGES) += PagesOf(event.order);
  return true;
}

bool AllocReplay::FreeHere(const sim::Path& path, const PageEvent& event) {
  const std::optional<FrameTable::Block> block = blocks_.Find(event.pfn);
  if (!block.has_value() || block->order != event.order || block->pfn == kNoPfn) return false;
  if (!kernel_.allocator().TryFreeHere(path, CpuOf(event), block->order, block->pfn)) return false;
  blocks_.Erase(event.pfn);
  const NodeId node = NodeOfBlock(block->pfn).id;
  ++CounterOn(node, ALLOCATIONS_FREED);
  CounterOn(node, ALLOCATIONS_LIVE_PAGES) -= PagesOf(event.order);
  return true;
}

sim::Task<void> AllocReplay::ReplayAnywhere(sim::Path& path, const PageEvent& event) {
  switch (event.kind) {
    case PageEventKind::kAlloc:
      return Allocate(path, event);
    case PageEventKind::kAllocFailed:
      return TryToFail(path, event);
    case PageEventKind::kFallback:
      return Count(path, event, ALLOCATIONS_FALLBACKS_IN_TRACE);
    default:
      return Free(path, event);
  }
}

sim::Task<void> AllocReplay::Allocate(sim::Path& path, const PageEvent& event) {
  MemorySystem& memory = kernel_.memory();
  const AllocRequest request = RequestOf(event);
  if (blocks_.Find(event.pfn).has_value()) {
    co_await Count(path, event, ALLOCATIONS_FREES_LOST);
    co_await FreeOne(path, request.cpu, event.pfn);
  }
  co_await path.GoTo(memory.node(request.preferred).lp, memory.costs().hop);
  const Pfn block = co_await kernel_.allocator().Alloc(path, request);
  blocks_.Insert(event.pfn, {block, event.order});
  if (block == kNoPfn) {
    ++CounterOn(request.preferred, ALLOCATIONS_FAILED);
    NoteShortage(event);
    co_return;
  }
  const Node& node = NodeOfBlock(block);
  co_await path.GoTo(node.lp, memory.costs().hop);
  ++CounterOn(node.id, ALLOCATIONS_ALLOCATED);
  CounterOn(node.id, ALLOCATIONS_LIVE_PAGES) += PagesOf(event.order);
}

// Of an allocation that failed in the trace: it is made here too, for what it does on its way, and what it
// got is given back at once.
sim::Task<void> AllocReplay::TryToFail(sim::Path& path, const PageEvent& event) {
  MemorySystem& memory = kernel_.memory();
  AllocRequest request = RequestOf(event);
  request.gfp |= kGfpNoWarn;
  co_await path.GoTo(memory.node(request.preferred).lp, memory.costs().hop);
  const Pfn block = co_await kernel_.allocator().Alloc(path, request);
  ++CounterOn(request.preferred, block == kNoPfn ? ALLOCATIONS_FAILED_IN_BOTH : ALLOCATIONS_FAILED_IN_TRACE);
  if (block != kNoPfn)
    co_await kernel_.allocator().FreeBlocks(path, request.cpu, request.order, std::span(&block, 1));
}

sim::Task<void> AllocReplay::Free(sim::Path& path, const PageEvent& event) {
  const std::optional<FrameTable::Block> block = blocks_.Find(event.pfn);
  const bool begins_one = block.has_value() && block->order <= event.order;
  const bool whole = begins_one && block->order == event.order;
  if (whole || (!begins_one && co_await CutOut(path, event))) {
    co_await FreeOne(path, CpuOf(event), event.pfn);
  } else if (!co_await FreeParts(path, event)) {
    co_await Count(path, event, ALLOCATIONS_FREED_UNSEEN);
  }
}

// Frees what stands for the block that begins at `traced`.
sim::Task<void> AllocReplay::FreeOne(sim::Path& path, CpuId cpu, Pfn traced) {
  const FrameTable::Block block = *blocks_.Find(traced);
  blocks_.Erase(traced);
  co_await Release(path, cpu, block);
}

sim::Task<void> AllocReplay::Release(sim::Path& path, CpuId cpu, FrameTable::Block block) {
  if (block.pfn == kNoPfn) co_return;
  const Node& node = NodeOfBlock(block.pfn);
  co_await path.GoTo(node.lp, kernel_.memory().costs().hop);
  ++CounterOn(node.id, ALLOCATIONS_FREED);
  CounterOn(node.id, ALLOCATIONS_LIVE_PAGES) -= PagesOf(block.order);
  co_await kernel_.allocator().FreeBlocks(path, cpu, block.order, std::span(&block.pfn, 1));
}

// Several blocks that are freed as one: what is allocated of them. False: nothing is.
sim::Task<bool> AllocReplay::FreeParts(sim::Path& path, const PageEvent& event) {
  const Pfn end = event.pfn + PagesOf(event.order);
  bool any = false;
  for (Pfn at = event.pfn; at < end;) {
    const std::optional<FrameTable::Block> block = blocks_.Find(at);
    if (block.has_value()) co_await FreeOne(path, CpuOf(event), at);
    any |= block.has_value();
    at = at + (block.has_value() ? PagesOf(block->order) : 1);
  }
  co_return any;
}

// A part of a block that is freed by itself: the block becomes smaller ones (split_page), down to that part.
// False: no block has it, or one that was given out over a part of such a block.
sim::Task<bool> AllocReplay::CutOut(sim::Path& path, const PageEvent& event) {
  for (int order = event.order + 1; order <= kMaxOrder; ++order) {
    const Pfn head{event.pfn.value >> order << order};
    const std::optional<FrameTable::Block> block = blocks_.Find(head);
    if (!block.has_value() || block->order != order) continue;
    co_await Count(path, event, ALLOCATIONS_SPLIT);
    for (int larger = order; larger > event.order; --larger) {
      if (!co_await Halve(path, event, Pfn{event.pfn.value >> larger << larger})) co_return false;
    }
    co_return true;
  }
  co_return false;
}

// Of the block that begins at `traced` and holds the event's page. Whether a half of it still does.
sim::Task<bool> AllocReplay::Halve(sim::Path& path, const PageEvent& event, Pfn traced) {
  const FrameTable::Block block = *blocks_.Find(traced);
  const int half = block.order - 1;
  Pfn upper = kNoPfn;
  if (block.pfn != kNoPfn) {
    co_await path.GoTo(NodeOfBlock(block.pfn).lp, kernel_.memory().costs().hop);
    Zone& zone = *kernel_.memory().ZoneOf(block.pfn);
    zone.Halve(zone.frames().Index(block.pfn), block.order);
    upper = block.pfn + PagesOf(half);
  }
  blocks_.Erase(traced);
  blocks_.Insert(traced, {block.pfn, half});
  const Pfn beside = traced + PagesOf(half);
  if (!blocks_.Find(beside).has_value()) {
    blocks_.Insert(beside, {upper, half});
  } else {
    // The trace has given out what it had not freed: this block is all that is left of the older one.
    co_await Count(path, event, ALLOCATIONS_FREES_LOST);
    co_await Release(path, CpuOf(event), {upper, half});
    co_return event.pfn < beside;
  }
  co_return true;
}

}  // namespace numasim::workloads
