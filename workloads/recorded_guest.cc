#include "workloads/recorded_guest.h"

#include <algorithm>
#include <memory>
#include <utility>
#include <variant>
#include <vector>

#include "absl/strings/str_cat.h"
#include "models/mempolicy/placed_alloc.h"
#include "models/physical/isolation.h"
#include "models/physical/kernel_pages.h"
#include "workloads/operation_groups.h"

namespace numasim::workloads {
namespace {

// Pages of boot's users are numbered from 0; these are numbered apart, as far up as an owner's index goes.
constexpr uint64_t kFirstNumber = uint64_t{1} << 29;

const Process* Find(const ScriptRunner& runner, const std::string& name) {
  const std::string full = absl::StrCat(runner.name(), "/", name);
  for (const Process* process : runner.LiveProcesses()) {
    if (process->name == full) return process;
  }
  return nullptr;
}

bool WritesSetting(const OpKind& kind) {
  return std::holds_alternative<ThpOp>(kind) || std::holds_alternative<KhugepagedSetOp>(kind) ||
         std::holds_alternative<SysctlOp>(kind) || std::holds_alternative<PoolOp>(kind) ||
         std::holds_alternative<OvercommitOp>(kind);
}

// Whether the CPU has freed more to its lists than they hold, and allocated little since.
bool HasFreedMuch(const Node& node, CpuId cpu) {
  return std::ranges::any_of(node.zones, [cpu](const std::unique_ptr<Zone>& zone) {
    return zone != nullptr && zone->NextUsedPcp(cpu.value) == cpu.value && zone->pcp(cpu).free_factor != 0;
  });
}

// Those whose result tells of a mapping.
bool ShowsMapping(const OpKind& kind) {
  return NamedMapping(kind) != nullptr || std::holds_alternative<MapOp>(kind);
}

}  // namespace

sim::Task<void> RecordedGuest::Follow(sim::Path& path, const Op& op, const ScriptRunner& runner) {
  return op.process.empty() ? AfterSystemOp(path, op, runner) : AfterProcessOp(path, op, runner);
}

sim::Task<void> RecordedGuest::AfterSystemOp(sim::Path& path, const Op& op, const ScriptRunner& runner) {
  if (const auto* spawn = std::get_if<SpawnOp>(&op.kind))
    co_return co_await Add(path, spawn->name, kBySpawn, runner);
  if (WritesSetting(op.kind) && !std::exchange(has_written_, true))
    co_await Give(path, recorder_, recorder_.policy, kFirstNumber, kBySetting);
}

sim::Task<void> RecordedGuest::AfterProcessOp(sim::Path& path, const Op& op, const ScriptRunner& runner) {
  const auto found = programs_.find(op.process);
  if (found == programs_.end()) co_return;
  Program& program = found->second;
  const Process* const process = Find(runner, op.process);
  if (process == nullptr) {  // it has exited, or was killed
    co_await TakeBack(path, program);
    programs_.erase(found);
    co_return;
  }
  program.cpu = process->cpu;
  if (const auto* fork = std::get_if<ForkOp>(&op.kind))
    co_return co_await Add(path, fork->child, kByFork, runner);
  // What it writes to before it sets a policy is not placed by that.
  const MemPolicy policy = std::holds_alternative<PolicyOp>(op.kind) ? MemPolicy() : process->policy;
  program.pages += co_await Give(path, *process, policy, program.number, NewPages(program, op.kind));
  if (ShowsMapping(op.kind)) co_await ReadSmaps(path, *process);
}

// How many pages of its own it writes to for the first time by such an operation.
int64_t RecordedGuest::NewPages(Program& program, const OpKind& kind) {
  int64_t pages = 0;
  if (!std::exchange(program.has_begun, true)) pages += kByFirst;
  if (std::holds_alternative<MapOp>(kind) && !std::exchange(program.has_mapped, true)) pages += kByMap;
  if (std::holds_alternative<ReadOp>(kind) && !std::exchange(program.has_read, true)) pages += kByRead;
  if (std::holds_alternative<PipesOp>(kind)) pages += kByPipes;
  return pages;
}

// A program that has just begun.
sim::Task<void> RecordedGuest::Add(sim::Path& path, const std::string& name, int64_t pages,
                                   const ScriptRunner& runner) {
  const Process* const process = Find(runner, name);
  if (process == nullptr) co_return;  // it could not begin
  Program& program = programs_[name];
  program = {.number = kFirstNumber + ++programs_so_far_, .cpu = process->cpu};
  program.pages = co_await Give(path, *process, process->policy, program.number, pages);
}

// Returns how many it got.
sim::Task<int64_t> RecordedGuest::Give(sim::Path& path, const Process& process, const MemPolicy& policy,
                                       uint64_t number, int64_t pages) {
  const MemorySystem& memory = kernel_.memory();
  const NodeId local = memory.NodeOfCpu(process.cpu);
  const Placement place = PlaceInVma(policy, local, 0);
  AllocRequest request = RequestFor(kGfpHighuserMovable | kGfpNoWarn, place, process.cpu,
                                    FrameOwner{FrameOwner::kAnon, 1, kBootUser, number});
  request.task = process.id;
  co_await path.GoTo(memory.node(local).lp, memory.costs().hop);
  int64_t got = 0;
  for (int64_t i = 0; i < pages; ++i) {
    const Pfn page = co_await kernel_.allocator().AllocPlaced(path, request, place.retry_anywhere);
    got += page != kNoPfn ? 1 : 0;
  }
  co_return got;
}

// It reads /proc/self/smaps: the slab page that the buffer for it lies in comes and goes. Where much was
// freed just before, a block of such an order flushes the CPU's lists (free_high in
// free_unref_page_commit()); else it does not show.
sim::Task<void> RecordedGuest::ReadSmaps(sim::Path& path, const Process& process) {
  constexpr int kSlabOrder = 3;  // of kmalloc-4k
  const MemorySystem& memory = kernel_.memory();
  const NodeId local = memory.NodeOfCpu(process.cpu);
  co_await path.GoTo(memory.node(local).lp, memory.costs().hop);
  if (!HasFreedMuch(memory.node(local), process.cpu)) co_return;
  AllocRequest request = RequestFor(kGfpKernel | kGfpNoWarn, Placement{local}, process.cpu,
                                    FrameOwner{FrameOwner::kKernel, 1, kBuffer, 0});
  request.order = kSlabOrder;
  const Pfn buffer = co_await kernel_.allocator().Alloc(path, request);
  if (buffer != kNoPfn) co_await kernel_.allocator().Release(path, process.cpu, Folio(buffer, kSlabOrder));
}

// Wherever they were moved to. One on its way from frame to frame is met once it has arrived, and maybe on a
// node that was looked at before: so it looks until it has all. Each is looked at again just before it is
// given back: giving back the one before may have taken time.
sim::Task<void> RecordedGuest::TakeBack(sim::Path& path, Program& program) {
  const MemorySystem& memory = kernel_.memory();
  const Costs& costs = memory.costs();
  while (program.pages > 0) {
    for (const Zone* const zone : memory.zones()) {
      co_await path.GoTo(memory.node(zone->node()).lp, costs.hop);
      for (const Folio page : PagesOn(*zone, program.number)) {
        const FrameStore& frames = zone->frames();
        if (!HasPage(*zone, program.number, frames.Find(frames.Index(page.head())))) continue;
        --program.pages;
        co_await kernel_.allocator().Release(path, program.cpu, page);
      }
    }
    if (program.pages > 0) co_await path.Take(costs.migrate_page);
  }
}

// Whether the block is a page of the program that no migration has, nor had until just now.
bool RecordedGuest::HasPage(const Zone& zone, uint64_t number, const FrameStore::Head& head) {
  const FrameOwner* const owner = OwnerOf(zone.frames(), head);
  return owner != nullptr && head.order == 0 && owner->kind == FrameOwner::kAnon &&
         owner->object == kBootUser && owner->index == number && owner->mapcount > 0 &&
         !zone.IsMigrating(head.frame, 0);
}

// On the LP of the zone's node.
std::vector<Folio> RecordedGuest::PagesOn(const Zone& zone, uint64_t number) {
  const FrameStore& frames = zone.frames();
  std::vector<Folio> found;
  ForEachBlock(frames, 0, frames.frames(), [&](const FrameStore::Head& head) {
    if (HasPage(zone, number, head)) found.emplace_back(frames.PfnOf(head.frame));
  });
  return found;
}

}  // namespace numasim::workloads
