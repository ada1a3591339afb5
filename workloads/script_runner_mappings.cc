// Mappings: mmap and what can be done with what it made.
#include <algorithm>
#include <optional>

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

bool IsHuge(Backing backing) { return backing == Backing::kHugetlb2M || backing == Backing::kHugetlb1G; }

}  // namespace

Range Clip(const std::optional<Range>& range, const Region& region) {
  if (!range.has_value()) return {0, region.bytes};
  const int64_t begin = std::min(range->offset, region.bytes);
  return {begin, std::min(range->length, region.bytes - begin)};
}

sim::Task<OpResult> ScriptRunner::Map(sim::Path& path, Owned& owned, const MapOp& op) {
  Process& process = *owned.process;
  if (owned.regions.contains(op.id)) {
    throw ScriptError(absl::StrCat(
        "ID: '", op.id, "' is a mapping already; expected a new name, or an unmap of all of it before"));
  }
  OpResult result;
  MapRequest request;
  request.pages = (op.size >> kPageShift) + (op.size % kPageSize != 0 ? 1 : 0);
  request.shared = op.shared || op.backing == Backing::kShmem;
  request.noreserve = op.noreserve;
  if (IsHuge(op.backing)) {
    request.huge = op.backing == Backing::kHugetlb2M ? HugeSize::k2M : HugeSize::k1G;
    if (op.file.has_value()) {
      const HugeOpened opened =
          co_await kernel_.hugetlb().Open(path, *op.file, *request.huge, op.size, process.cpu);
      result.error = opened.error;
      if (opened.error != Errno::kOk) co_return result;
      request.huge_file = opened.file;
    }
  }
  const MapResult mapped = co_await ops_.Map(path, process, request);
  result.error = mapped.error;
  if (mapped.error != Errno::kOk) {
    if (request.huge_file != kNoFile)
      co_await kernel_.hugetlb().CloseFile(path, request.huge_file, process.cpu);
    co_return result;
  }
  const Region region{mapped.start, op.size, request.huge, request.huge_file, op.backing == Backing::kShmem};
  owned.regions[op.id] = region;
  result.error = co_await AfterMap(path, process, region, op);
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

sim::Task<OpResult> ScriptRunner::Touch(sim::Path& path, Owned& owned, const TouchOp& op) {
  OpResult result;
  const Region& region = owned.regions.find(op.id)->second;
  const Range range = Clip(op.range, region);
  const uint64_t begin = (region.start.value << kPageShift) + static_cast<uint64_t>(range.offset);
  TouchRequest request{begin, begin + static_cast<uint64_t>(range.length), kPageSize, !op.read};
  request.stride = static_cast<uint64_t>(op.stride > 0 ? op.stride : region.page_bytes());
  result.touch = co_await ops_.Touch(path, *owned.process, request);
  if (result.touch->oom > 0) result.error = Errno::kNoMem;
  co_return result;
}

sim::Task<OpResult> ScriptRunner::Unmap(sim::Path& path, Owned& owned, const UnmapOp& op) {
  OpResult result;
  const Region region = owned.regions.find(op.id)->second;
  const Range range = Clip(op.range, region);
  if (range.length == 0 || range.offset % kPageSize != 0) {
    result.error = Errno::kInval;
  } else {
    result.error = co_await ops_.Unmap(path, *owned.process, region.PageBelow(range.offset),
                                       region.PageAbove(range.offset + range.length));
  }
  const bool covers = range.offset == 0 && range.length == region.bytes;
  if (covers && result.error == Errno::kOk) {
    co_await CloseFile(path, owned, op.id);
    owned.regions.erase(op.id);
  }
  co_return result;
}

sim::Task<Errno> ScriptRunner::Protect(sim::Path& path, Process& process, const Region& region,
                                       const ProtectOp& op) {
  const Range range = Clip(op.range, region);
  if (range.offset % kPageSize != 0) co_return Errno::kInval;
  co_return co_await ops_.Protect(path, process, region.PageBelow(range.offset),
                                  region.PageAbove(range.offset + range.length), ToAccess(op.access));
}

// With a stride other than the page, one page at every stride, until one fails.
sim::Task<OpResult> ScriptRunner::Advise(sim::Path& path, Owned& owned, const AdviseOp& op) {
  OpResult result;
  Process& process = *owned.process;
  const Region region = owned.regions.find(op.id)->second;
  Range range = Clip(op.range, region);
  if (op.stride == 0 || op.stride == region.page_bytes()) {
    result.error = co_await AdviseOnce(path, process, op.advice, region, range);
    co_return result;
  }
  const int64_t end = range.offset + range.length;
  range.length = region.page_bytes();
  for (; range.offset < end && result.error == Errno::kOk; range.offset += op.stride) {
    result.error = co_await AdviseOnce(path, process, op.advice, region, range);
  }
  co_return result;
}

sim::Task<Errno> ScriptRunner::AdviseOnce(sim::Path& path, Process& process, AdviseOp::Advice advice,
                                          const Region& region, const Range& range) {
  if (range.offset % kPageSize != 0) co_return Errno::kInval;
  co_return co_await ops_.Advise(path, process, region.PageBelow(range.offset),
                                 region.PageAbove(range.offset + range.length), advice);
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
    process.space.page_table().ForEachTable(vma.start, vma.end, [&](Vpn first, const PteTable& table) {
      const uint64_t from = vma.start > first ? static_cast<uint64_t>(vma.start - first) : 0;
      const uint64_t to = std::min(kPtesPerTable, static_cast<uint64_t>(vma.end - first));
      for (uint64_t i = from; i < to; ++i) {
        const Pte pte = table.pte[i];
        if (pte.none() || pte.zero_page()) continue;
        on_node(pte.pfn()) += kPageKb;
        if (!in_smaps) continue;
        stats.rss_kb += kPageKb;
        if (pte.anon()) stats.anon_kb += kPageKb;
      }
    });
    process.space.huge_pages().ForEach(vma.start, vma.end, [&](Vpn, const HugePte& pte) {
      const int64_t kb = kPageKb << pte.order;
      on_node(pte.pfn) += kb;
      if (!in_smaps) return;
      (pool.pages().Used(pte.pfn).mapcount > 1 ? stats.shared_hugetlb_kb : stats.private_hugetlb_kb) += kb;
    });
  }
  return stats;
}

}  // namespace numasim::workloads
