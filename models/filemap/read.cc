// read() and faults: what brings pages of a disk's file into memory.
#include <algorithm>
#include <array>

#include "models/filemap/filemap.h"
#include "models/mempolicy/placed_alloc.h"

namespace numasim {
namespace {

// What a call reads.
constexpr int64_t kPiece = static_cast<int64_t>(Filemap::kReadahead) << kPageShift;

// mapping_gfp_mask() of a regular file, and readahead_gfp_mask(): who reads ahead does not insist.
constexpr GfpFlags kFileGfp = kGfpHighuserMovable;
constexpr GfpFlags kReadaheadGfp = kFileGfp | kGfpNoRetry | kGfpNoWarn;

bool IsIn(uint64_t index, const auto& range) { return index >= range.from && index < range.to; }

}  // namespace

// generic_file_read_iter(), call by call.
sim::Task<Filemap::ReadResult> Filemap::Read(sim::Path& path, Process& process, FileId id, int64_t offset,
                                             int64_t length) {
  const sim::LpId here = path.lp();
  ReadResult result;
  while (result.bytes < length) {
    if (process.killed) result.error = Errno::kIntr;
    if (result.error != Errno::kOk) break;
    co_await path.Take(memory_.costs().syscall);
    co_await path.GoTo(HomeOf(id), memory_.costs().hop);
    const int64_t begin = offset + result.bytes;
    const int64_t end = std::min({begin + kPiece, offset + length, files_.FileAt(id).bytes});
    if (begin < end) {
      const Range piece{static_cast<uint64_t>(begin >> kPageShift),
                        static_cast<uint64_t>((end + kPageSize - 1) >> kPageShift)};
      result.error = co_await ReadPiece(path, process, id, piece);
    }
    co_await path.GoTo(here, memory_.costs().hop);
    if (begin >= end || result.error != Errno::kOk) break;
    result.bytes += end - begin;
    co_await memory_.cpu(process.cpu).MaybeYield(path);
  }
  co_return result;
}

// What is to be in memory for a read of the piece (ondemand_readahead). A read that lacks a page brings all
// of the piece and a window ahead; one that gets to what was read ahead last brings the next window, so that
// there is always one ahead of who reads on.
Filemap::Range Filemap::Wanted(ShmemFile& file, Range piece) {
  bool lacks = false;
  for (uint64_t index = piece.from; index < piece.to && !lacks; ++index)
    lacks = file.mapping.Lookup(index) == kNoPfn;
  const bool reaches_mark = piece.from <= file.readahead && file.readahead < piece.to;
  if (!lacks && !reaches_mark) return piece;
  file.readahead = piece.to;
  return {piece.from, std::min(piece.to + kReadahead, std::max(piece.to, file.EndIndex()))};
}

std::vector<uint64_t> Filemap::Missing(const Mapping& mapping, Range range) {
  std::vector<uint64_t> missing;
  std::array<Pfn, kMostPages> there;
  const std::span<Pfn> pages = std::span(there).first(range.size());
  mapping.LookupRange(range.from, pages);
  for (size_t i = 0; i < pages.size(); ++i) {
    if (pages[i] == kNoPfn && !mapping.IsLocked(range.from + i)) missing.push_back(range.from + i);
  }
  return missing;
}

// filemap_read() of one call's pages. At the file's home.
sim::Task<Errno> Filemap::ReadPiece(sim::Path& path, Process& process, FileId id, Range piece) {
  const Costs& costs = memory_.costs();
  ShmemFile& file = files_.FileAt(id);
  if (file.of_disk()) {
    const Range wanted = Wanted(file, piece);
    if (!co_await Fill(path, process, id, wanted, piece)) co_return Errno::kNoMem;
    co_await MarkAccessed(path, process.cpu, id, piece);
  }
  co_await path.Take((costs.cache_lookup + costs.copy_page) * static_cast<int64_t>(piece.size()));
  co_return Errno::kOk;
}

// Brings what is not there of the range. False where a page of `needed` is not to be had.
sim::Task<bool> Filemap::Fill(sim::Path& path, Process& process, FileId id, Range range, Range needed) {
  const std::vector<uint64_t> missing = Missing(files_.At(id), range);
  if (missing.empty()) co_return true;
  const sim::LpId home = path.lp();
  co_await path.GoTo(memory_.node(memory_.NodeOfCpu(process.cpu)).lp, memory_.costs().hop);
  const std::vector<Pfn> pages = co_await Allocate(path, process, id, missing, needed);
  co_await path.GoTo(home, memory_.costs().hop);
  co_await Insert(path, process.cpu, id, missing, pages);
  for (size_t i = 0; i < missing.size(); ++i) {
    if (IsIn(missing[i], needed) && pages[i] == kNoPfn) co_return false;
  }
  co_return true;
}

// Pages for these offsets, in turn, on the LP of the process's node. Its policy counts, not that of a
// mapping. kNoPfn: memory has ended. After the first such the others are tried only where they are needed.
sim::Task<std::vector<Pfn>> Filemap::Allocate(sim::Path& path, Process& process, FileId id,
                                              std::span<const uint64_t> indices, Range needed) {
  const Costs& costs = memory_.costs();
  const NodeId local = memory_.NodeOfCpu(process.cpu);
  std::vector<Pfn> pages;
  pages.reserve(indices.size());
  int64_t at_hand = 0;  // that cost nothing more than taking them
  int64_t got = 0;
  for (const uint64_t index : indices) {
    const bool ended = got < std::ssize(pages);
    if (ended && !IsIn(index, needed)) {
      pages.push_back(kNoPfn);
      continue;
    }
    const Placement placement = PlaceForTask(process, local);
    const FrameOwner owner{FrameOwner::kFile, 1, static_cast<uint64_t>(id.value), index};
    AllocRequest request = RequestFor(ended ? kFileGfp : kReadaheadGfp, placement, process.cpu, owner);
    request.file_home = id.home;
    request.task = process.task;
    Pfn page = allocator_.TryAllocHere(path, request);
    if (page != kNoPfn) {
      ++at_hand;
    } else {
      page = co_await allocator_.AllocPlaced(path, request, placement.retry_anywhere);
    }
    if (page == kNoPfn && !ended && IsIn(index, needed)) {
      request.gfp = kFileGfp;  // filemap_create_folio()
      page = co_await allocator_.AllocPlaced(path, request, placement.retry_anywhere);
    }
    // Who had to wake up kswapd gives way to it before the next page (might_sleep() of prepare_alloc_pages).
    co_await memory_.cpu(process.cpu).MaybeYield(path);
    got += page == kNoPfn ? 0 : 1;
    pages.push_back(page);
  }
  co_await path.Take(allocator_.at_hand_cost() * at_hand + costs.clear_page * got);
  co_await memory_.node(local).lru_lock->MoveFull(path, process.cpu);
  co_return pages;
}

// filemap_add_folio() of the pages that there are, at the file's home. Who was faster keeps its page.
sim::Task<void> Filemap::Insert(sim::Path& path, CpuId cpu, FileId id, std::span<const uint64_t> indices,
                                std::span<const Pfn> pages) {
  Mapping& mapping = files_.At(id);
  const uint64_t end = files_.FileAt(id).EndIndex();  // it may have been truncated meanwhile
  std::vector<Folio> unused;
  std::vector<std::pair<Pfn, Mapping::Shadow>> refaults;
  for (size_t i = 0; i < pages.size(); ++i) {
    const uint64_t index = indices[i];
    if (pages[i] == kNoPfn) continue;
    if (index >= end || mapping.Lookup(index) != kNoPfn) {
      unused.emplace_back(pages[i]);
      continue;
    }
    const std::optional<Mapping::Shadow> shadow = mapping.ShadowAt(index);
    if (shadow.has_value()) refaults.emplace_back(pages[i], *shadow);
    mapping.Insert(index, pages[i]);
  }
  co_await path.Take(memory_.costs().cache_add * static_cast<int64_t>(pages.size()));
  for (const auto& [page, shadow] : refaults) co_await Refault(path, id, page, shadow);
  if (!unused.empty()) co_await allocator_.Release(path, cpu, unused);
}

// workingset_refault(): the clock is that of the node that the page was evicted from.
sim::Task<void> Filemap::Refault(sim::Path& path, FileId id, Pfn page, Mapping::Shadow shadow) {
  const sim::LpId home = path.lp();
  Node& evicted_from = memory_.node(shadow.node);
  co_await path.GoTo(evicted_from.lp, memory_.costs().hop);
  if (evicted_from.lru->Refault(shadow.age, shadow.in_workingset)) {
    const Zone& zone = *memory_.ZoneOf(page);
    const FrameIndex frame = zone.frames().Index(page);
    co_await path.GoTo(memory_.node(zone.node()).lp, memory_.costs().hop);
    if (Lru::IsPageOf(zone, frame, static_cast<uint64_t>(id.value))) {
      const Lru::Number number = zone.lru()->NumberOf(zone, frame);
      zone.lru()->BeginActive(number);
      if (shadow.in_workingset) zone.lru()->SetInWorkingset(number, true);
    }
  }
  co_await path.GoTo(home, memory_.costs().hop);
}

// folio_mark_accessed() of what is there of the range: on this LP at once, then node by node.
sim::Task<void> Filemap::MarkAccessed(sim::Path& path, CpuId cpu, FileId id, Range range) {
  const sim::LpId home = path.lp();
  std::array<Pfn, kMostPages> found;
  std::span<Pfn> pages = std::span(found).first(range.size());
  files_.At(id).LookupRange(range.from, pages);
  pages = pages.first(static_cast<size_t>(std::remove(pages.begin(), pages.end(), kNoPfn) - pages.begin()));
  const auto is_on = [&](const Node& node) {
    return [this, &node](Pfn page) { return memory_.ZoneOf(page)->node() == node.id; };
  };
  for (const Node* node = &memory_.node(id.home);;) {
    const auto rest = std::stable_partition(pages.begin(), pages.end(), is_on(*node));
    MarkHere(*node, cpu, id, std::span(pages.begin(), rest));
    co_await node->lru_lock->MoveFull(path, cpu);
    pages = std::span(rest, pages.end());
    if (pages.empty()) break;
    node = &memory_.node(memory_.ZoneOf(pages.front())->node());
    co_await path.GoTo(node->lp, memory_.costs().hop);
  }
  co_await path.GoTo(home, memory_.costs().hop);
}

// Pages of one node, on its LP. Some may have gone on the way here.
void Filemap::MarkHere(const Node& node, CpuId cpu, FileId id, std::span<const Pfn> pages) const {
  for (const Pfn page : pages) {
    const Zone& zone = *memory_.ZoneOf(page);
    const FrameIndex frame = zone.frames().Index(page);
    if (Lru::IsPageOf(zone, frame, static_cast<uint64_t>(id.value)) &&
        node.lru->MarkAccessed(node.lru->NumberOf(zone, frame)))
      node.lru_lock->Batch(cpu);
  }
}

sim::Task<bool> Filemap::ReadAround(sim::Path& path, Process& process, FileId id, uint64_t index) {
  const uint64_t from = index - std::min(index, kReadahead / 2);
  const Range around{from, std::min(from + kReadahead, files_.FileAt(id).EndIndex())};
  co_return co_await Fill(path, process, id, around, {index, index + 1});
}

}  // namespace numasim
