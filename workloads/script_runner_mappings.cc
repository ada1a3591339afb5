// Mappings: mmap and what can be done with what it made.
#include <algorithm>
#include <optional>
#include <utility>
#include <vector>

#include "absl/strings/str_cat.h"
#include "workloads/model_values.h"
#include "workloads/script_runner.h"

namespace numasim::workloads {
namespace {

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

// The pages that hold some of a range of bytes.
struct PageRange {
  Vpn begin;
  Vpn end;
};
PageRange PagesIn(const Range& range, const Region& region) {
  return {region.PageBelow(range.offset), region.PageAbove(range.offset + range.length)};
}

int64_t Accesses(int64_t length, int64_t stride) { return length / stride + (length % stride != 0 ? 1 : 0); }

bool IsHuge(Backing backing) { return backing == Backing::kHugetlb2M || backing == Backing::kHugetlb1G; }

MapRequest RequestOf(const MapOp& op) {
  MapRequest request;
  request.pages = (op.size >> kPageShift) + (op.size % kPageSize != 0 ? 1 : 0);
  request.shared = op.shared || op.backing == Backing::kShmem;
  request.noreserve = op.noreserve;
  if (IsHuge(op.backing)) request.huge = op.backing == Backing::kHugetlb2M ? HugeSize::k2M : HugeSize::k1G;
  return request;
}

}  // namespace

Range Clip(const std::optional<Range>& range, const Region& region) {
  if (!range.has_value()) return {0, region.bytes};
  const int64_t begin = std::min(range->offset, region.bytes);
  return {begin, std::min(range->length, region.bytes - begin)};
}

sim::Task<OpResult> ScriptRunner::Do(sim::Path& path, Owned& owned, const MapOp& op) {
  Process& process = *owned.process;
  if (owned.regions.contains(op.id)) {
    throw ScriptError(absl::StrCat(
        "ID: '", op.id, "' is a mapping already; expected a new name, or an unmap of all of it before"));
  }
  MapRequest request = RequestOf(op);
  const OpResult opened = co_await OpenFile(path, op, process.cpu, request);
  if (opened.error != Errno::kOk) co_return opened;
  const MapResult mapped = co_await ops_.Map(path, process, request);
  const Region region{mapped.start, op.size, request.huge, request.file};
  if (mapped.error != Errno::kOk) {
    co_await Close(path, region, process.cpu);
    co_return mapped.error;
  }
  owned.regions[op.id] = region;
  OpResult result(co_await AfterMap(path, process, region, op));
  if (result.error != Errno::kOk) {
    // The mapping stays, its file is closed.
    co_await CloseFile(path, owned, op.id);
    co_return result;
  }
  result.process = &process;
  result.region = region;
  co_return result;
}

// MAP_POPULATE, which is mmap's own, then mbind, then madvise.
sim::Task<Errno> ScriptRunner::AfterMap(sim::Path& path, Process& process, const Region& region,
                                        const MapOp& op) {
  if (op.populate) co_await ops_.PopulateMapping(path, process, region.start, region.end());
  if (op.policy.has_value()) {
    const MemPolicy wanted = ToMemPolicy(*op.policy);
    const Errno error = co_await ops_.Bind(path, process, region.start, region.end(), wanted);
    if (error != Errno::kOk) co_return error;
  }
  if (!op.thp.has_value()) co_return Errno::kOk;
  const Advice advice = *op.thp == MapOp::Thp::kHugepage ? Advice::kHugepage : Advice::kNohugepage;
  co_return co_await ops_.Advise(path, process, region.start, region.end(), advice);
}

sim::Task<OpResult> ScriptRunner::Do(sim::Path& path, const Mapped& on, const TouchOp& op) {
  OpResult result;
  const Range range = Clip(op.range, on.region);
  const uint64_t begin = (on.region.start.value << kPageShift) + static_cast<uint64_t>(range.offset);
  TouchRequest request{begin, begin + static_cast<uint64_t>(range.length), kPageSize, !op.read};
  const int64_t stride = op.stride > 0 ? op.stride : on.region.page_bytes();
  request.stride = static_cast<uint64_t>(stride);
  result.touch = co_await ops_.Touch(path, on.process(), request);
  if (result.touch->oom > 0) {
    result.error = Errno::kNoMem;
  } else if (op.range.has_value()) {
    result.beyond = Accesses(op.range->length, stride) - Accesses(range.length, stride);
  }
  co_return result;
}

sim::Task<OpResult> ScriptRunner::Do(sim::Path& path, const Mapped& on, const UnmapOp& op) {
  const Range range = Clip(op.range, on.region);
  if (range.length == 0 || range.offset % kPageSize != 0) co_return Errno::kInval;
  const PageRange pages = PagesIn(range, on.region);
  const Errno error = co_await ops_.Unmap(path, on.process(), pages.begin, pages.end);
  const bool covers = range.offset == 0 && range.length == on.region.bytes;
  if (covers && error == Errno::kOk) {
    co_await CloseFile(path, on.owner, on.name);
    on.owner.regions.erase(on.name);
  }
  co_return error;
}

sim::Task<OpResult> ScriptRunner::Do(sim::Path& path, const Mapped& on, const ProtectOp& op) {
  const Range range = Clip(op.range, on.region);
  if (range.offset % kPageSize != 0) co_return Errno::kInval;
  const PageRange pages = PagesIn(range, on.region);
  co_return co_await ops_.Protect(path, on.process(), pages.begin, pages.end, ToAccess(op.access));
}

sim::Task<OpResult> ScriptRunner::Do(sim::Path& path, const Mapped& on, const LockOp& op) {
  const PageRange pages = PagesIn(Clip(op.range, on.region), on.region);
  co_return co_await ops_.Lock(path, on.process(), pages.begin, pages.end);
}

// With a stride other than the page, one page at every stride, until one fails.
sim::Task<OpResult> ScriptRunner::Do(sim::Path& path, const Mapped& on, const AdviseOp& op) {
  Range range = Clip(op.range, on.region);
  const int64_t page_bytes = on.region.page_bytes();
  if (op.stride == 0 || op.stride == page_bytes) co_return co_await AdviseOnce(path, on, op.advice, range);
  Errno error = Errno::kOk;
  const int64_t end = range.offset + range.length;
  range.length = page_bytes;
  for (; range.offset < end && error == Errno::kOk; range.offset += op.stride) {
    error = co_await AdviseOnce(path, on, op.advice, range);
  }
  co_return error;
}

sim::Task<Errno> ScriptRunner::AdviseOnce(sim::Path& path, const Mapped& on, AdviseOp::Advice advice,
                                          const Range& range) {
  if (range.offset % kPageSize != 0) co_return Errno::kInval;
  const PageRange pages = PagesIn(range, on.region);
  co_return co_await ops_.Advise(path, on.process(), pages.begin, pages.end, advice);
}

// A status array that is zero before says node 0 where the kernel writes none: so a program reads it, and the
// recorder too.
sim::Task<OpResult> ScriptRunner::Do(sim::Path& path, const Mapped& on, const MoveOp& op) {
  const NodeId node{op.node};
  const Vpn begin = on.region.start;
  const Vpn end = on.region.end();
  OpResult result;
  const int order = on.region.huge.has_value() ? OrderOf(*on.region.huge) : 0;
  result.moved = co_await ops_.MovePages(path, on.process(), begin, end, node, order);
  result.error = result.moved->error;
  (op.node == 0 ? result.moved->moved : result.moved->not_moved) += std::exchange(result.moved->unwritten, 0);
  co_return result;
}

sim::Task<OpResult> ScriptRunner::Do(sim::Path& path, const Mapped& on, const BindOp& op) {
  const MemPolicy wanted = ToMemPolicy(op.policy);
  co_return co_await ops_.Bind(path, on.process(), on.region.start, on.region.end(), wanted);
}

sim::Task<OpResult> ScriptRunner::Do(sim::Path& path, const Mapped& on, const PinOp& op) {
  // The mapping was rounded up to whole pages; beyond them there is nothing, and it is all pages or none.
  Region whole = on.region;
  whole.bytes = (whole.bytes + whole.page_bytes() - 1) / whole.page_bytes() * whole.page_bytes();
  const Range range = Clip(op.range, whole);
  if (op.range.has_value() && op.range->length > range.length) co_return Errno::kFault;
  if (range.length == 0) co_return Errno::kInval;
  const PageRange pages = PagesIn(range, on.region);
  const PinResult pinned = co_await ops_.Pin(path, on.process(), pages.begin, pages.end);
  if (pinned.error == Errno::kOk) on.owner.pins[on.name].push_back(pinned.pin);
  co_return pinned.error;
}

sim::Task<OpResult> ScriptRunner::Do(sim::Path& path, Owned& owned, const UnpinOp& op) {
  const auto found = owned.pins.find(op.id);
  if (found == owned.pins.end()) co_return Errno::kNoEnt;
  const std::vector<uint64_t> pins = std::move(found->second);
  owned.pins.erase(found);
  for (const uint64_t pin : pins) co_await ops_.Unpin(path, *owned.process, pin, op.irq);
  co_return Errno::kOk;
}

// smaps shows VMAs that lie in the mapping as it was asked for; numa_maps those that begin in it. They differ
// where its size was rounded up to whole pages.
MappingStats StatsOf(const MemorySystem& memory, const HugetlbPool& pool, const Process& process,
                     const Region& region) {
  constexpr int64_t kPageKb = kPageSize / 1024;
  MappingStats stats;
  stats.node_kb.assign(static_cast<size_t>(memory.node_count()), 0);
  const auto on_node = [&](Pfn pfn) -> int64_t& {
    return stats.node_kb[static_cast<size_t>(memory.ZoneOf(pfn)->node().value)];
  };
  for (const auto& [start, vma] : process.space.vmas()) {
    if (vma.start < region.start || vma.start >= region.end()) continue;
    const bool in_smaps = (vma.end - region.start) << kPageShift <= region.bytes;
    process.space.page_table().Walk(vma.start, vma.end, [&](Vpn, const Entry& entry, int order) {
      if (entry.zero_page()) return;
      const int64_t kb = kPageKb << order;
      on_node(entry.pfn()) += kb;
      if (!in_smaps) return;
      if (vma.hugetlb()) {
        const bool shared = pool.pages().Used(entry.pfn()).mapcount > 1;
        (shared ? stats.shared_hugetlb_kb : stats.private_hugetlb_kb) += kb;
        return;
      }
      stats.rss_kb += kb;
      if (order > 0 && vma.shmem()) stats.shmem_pmd_kb += kb;
      if (entry.anon()) stats.anon_kb += kb;
      if (entry.anon() && order > 0) stats.anon_huge_kb += kb;
    });
  }
  return stats;
}

}  // namespace numasim::workloads
