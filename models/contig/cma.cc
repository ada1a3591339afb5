#include "models/contig/cma.h"

#include <algorithm>
#include <optional>
#include <utility>

#include "absl/strings/str_cat.h"
#include "proto/counter_info.h"
#include "sim/check.h"

namespace numasim {
namespace {

constexpr auto kBlock = static_cast<FrameIndex>(kPageblockPages);
constexpr int64_t kLargestBlock = int64_t{1} << kMaxOrder;

bool HasCma(const FrameStore& frames, FrameIndex begin, FrameIndex end) {
  for (FrameIndex block = begin; block < end; block += kBlock) {
    if (frames.pageblock_type(block) == Migratetype::kCma) return true;
  }
  return false;
}

// The highest range of the zone, aligned to `align` pages, that is all free and of no other area; kNoPfn if
// there is none.
Pfn HighestFree(const Zone& zone, int64_t pages, int64_t align) {
  const FrameStore& frames = zone.frames();
  const auto step = static_cast<uint64_t>(align);
  if (frames.end() - frames.start() < pages) return kNoPfn;
  for (uint64_t at = (frames.end().value - static_cast<uint64_t>(pages)) / step * step;
       at >= frames.start().value; at -= step) {
    const FrameIndex begin = frames.Index(Pfn{at});
    const auto end = static_cast<FrameIndex>(begin + pages);
    bool free = !HasCma(frames, begin, end);
    ForEachBlock(frames, begin, end,
                 [&](const FrameStore::Head& head) { free = free && head.kind == FrameKind::kFree; });
    if (free) return Pfn{at};
    if (at < step) break;
  }
  return kNoPfn;
}

// init_cma_reserved_pageblock() of each
void MakeCma(Zone& zone, FrameIndex begin, FrameIndex end) {
  FrameIndex blocker = kNilFrame;
  for (FrameIndex block = begin; block < end; block += kBlock) {
    NUMASIM_CHECK(IsolatePageblock(zone, block, block, block + kBlock, Migratetype::kMovable,
                                   IsolateFor::kAllocation, blocker));
  }
  SplitFreeAt(zone, begin);
  SplitFreeAt(zone, end);
  for (FrameIndex block = begin; block < end; block += kBlock) {
    UnisolatePageblock(zone, block, Migratetype::kCma);
  }
}

// bitmap_find_next_zero_area_off(): the first `pages` unused ones from `from` on whose address is a multiple
// of `align` pages.
std::optional<int64_t> NextUnused(const CmaArea& area, int64_t from, int64_t pages, int64_t align) {
  const auto aligned = [&](int64_t at) {
    const auto step = static_cast<uint64_t>(align);
    const uint64_t address = area.base.value + static_cast<uint64_t>(at);
    return static_cast<int64_t>((address + step - 1) / step * step - area.base.value);
  };
  int64_t at = aligned(from);
  auto next = area.used.upper_bound(at);
  if (next != area.used.begin() && std::prev(next)->second > at) at = aligned(std::prev(next)->second);
  for (; next != area.used.end() && next->first < at + pages; ++next)
    at = aligned(std::max(at, next->second));
  if (at + pages > area.pages) return std::nullopt;
  return at;
}

// bitmap_clear() of [begin, end). Returns how many of these pages were handed out.
int64_t ClearUsed(CmaArea& area, int64_t begin, int64_t end) {
  int64_t cleared = 0;
  auto at = area.used.upper_bound(begin);
  if (at != area.used.begin()) --at;
  while (at != area.used.end() && at->first < end) {
    const auto [first, last] = *at;
    if (last <= begin) {
      ++at;
      continue;
    }
    cleared += std::min(last, end) - std::max(first, begin);
    area.used.erase(at);
    if (first < begin) area.used.emplace(first, begin);
    if (last > end) area.used.emplace(end, last);
    at = area.used.lower_bound(end);
  }
  return cleared;
}

}  // namespace

CmaAreas::CmaAreas(MemorySystem& memory, ContigRanges& ranges)
    : memory_(memory),
      ranges_(ranges),
      cma_mutex_(std::make_unique<sim::Mutex>(memory.engine(), memory.global_lp(), "cma_mutex")) {}

absl::StatusOr<std::unique_ptr<CmaAreas>> CmaAreas::Create(MemorySystem& memory, ContigRanges& ranges,
                                                           const MachineConfig& machine,
                                                           const Kernel& kernel) {
  auto areas = std::unique_ptr<CmaAreas>(new CmaAreas(memory, ranges));
  for (const MachineConfig::CmaConfig& config : machine.cma) {
    if (absl::Status status = areas->AddArea(config, kernel.cma().lock() == "mutex"); !status.ok())
      return status;
  }
  return areas;
}

absl::Status CmaAreas::AddArea(const MachineConfig::CmaConfig& config, bool with_mutex) {
  if (config.node.value < 0 || config.node.value >= memory_.node_count()) {
    return absl::InvalidArgumentError(absl::StrCat(config.where, ": node ", config.node.value,
                                                   " does not exist; expected 0 to ",
                                                   memory_.node_count() - 1));
  }
  if (Find(config.name) != nullptr) {
    return absl::InvalidArgumentError(
        absl::StrCat(config.where, ": '", config.name, "' is another area's name; expected one of its own"));
  }
  const int64_t align = config.hugetlb ? PagesOf(HugeSize::k1G) : kLargestBlock;
  if (config.pages <= 0 || config.pages % align != 0) {
    return absl::InvalidArgumentError(absl::StrCat(config.where, ": ", config.pages * kPageSize,
                                                   " bytes; expected a multiple of ", align * kPageSize));
  }
  const Node& node = memory_.node(config.node);
  // Not in ZONE_MOVABLE: cma_declare_contiguous() comes before there is one.
  for (int type = static_cast<int>(ZoneType::kNormal); type >= 0; --type) {
    Zone* const zone = node.zone(static_cast<ZoneType>(type));
    const Pfn base = zone == nullptr ? kNoPfn : HighestFree(*zone, config.pages, align);
    if (base == kNoPfn) continue;
    const FrameIndex begin = zone->frames().Index(base);
    MakeCma(*zone, begin, static_cast<FrameIndex>(begin + config.pages));
    auto area = std::make_unique<CmaArea>();
    area->name = config.name;
    area->hugetlb = config.hugetlb;
    area->node = config.node;
    area->base = base;
    area->pages = config.pages;
    area->counters[CMA_FREE_PAGES] = config.pages;
    const std::string lock_name = absl::StrCat("cma.", config.name, ".lock");
    if (with_mutex) {
      area->mutex = std::make_unique<sim::Mutex>(memory_.engine(), node.lp, lock_name);
    } else {
      area->spinlock = std::make_unique<sim::SpinLock>(memory_.engine(), node.lp, lock_name);
    }
    areas_.push_back(std::move(area));
    return absl::OkStatus();
  }
  return absl::InvalidArgumentError(absl::StrCat(config.where, ": node ", config.node.value, " has no ",
                                                 config.pages * kPageSize,
                                                 " bytes free in one piece; expected a smaller area"));
}

CmaArea* CmaAreas::Find(std::string_view name) {
  for (const auto& area : areas_) {
    if (area->name == name) return area.get();
  }
  return nullptr;
}

CmaArea* CmaAreas::HugetlbArea(NodeId node) {
  for (const auto& area : areas_) {
    if (area->hugetlb && area->node == node) return area.get();
  }
  return nullptr;
}

sim::Task<void> CmaAreas::Lock(sim::Path& path, CmaArea& area) {
  if (area.mutex != nullptr) {
    co_await area.mutex->Acquire(path);
  } else {
    co_await area.spinlock->Acquire(path);
  }
}

void CmaAreas::Unlock(sim::Path& path, CmaArea& area) {
  if (area.mutex != nullptr) {
    area.mutex->Release(path);
  } else {
    area.spinlock->Release(path);
  }
}

sim::Task<Pfn> CmaAreas::Alloc(sim::Path& path, CpuId cpu, CmaArea& area, int64_t pages, int align_order,
                               FrameOwner owner) {
  NUMASIM_CHECK(pages > 0);
  const Costs& costs = memory_.costs();
  const sim::LpId home = path.lp();
  const sim::LpId there = memory_.node(area.node).lp;
  if (home != there) co_await path.HopTo(there, costs.hop);
  const sim::SimTime began = path.now();
  const int64_t align = int64_t{1} << align_order;
  Pfn found = kNoPfn;
  ContigResult result{Errno::kNoMem, kNoPfn, "cma_alloc"};
  for (int64_t from = 0; found == kNoPfn;) {
    co_await Lock(path, area);
    const std::optional<int64_t> at = NextUnused(area, from, pages, align);
    if (at.has_value()) area.used.emplace(*at, *at + pages);
    co_await path.Take(costs.cma_bitmap);
    Unlock(path, area);
    if (!at.has_value()) break;
    const Pfn start = area.base + *at;
    co_await path.HopTo(memory_.global_lp(), costs.hop);
    co_await cma_mutex_->Acquire(path);
    result = co_await ranges_.AllocRange(path, cpu, start, pages, Migratetype::kCma, owner);
    cma_mutex_->Release(path);
    co_await path.HopTo(there, costs.hop);
    if (result.error == Errno::kOk) found = start;
    if (found != kNoPfn) break;
    co_await Lock(path, area);
    area.used.erase(*at);
    co_await path.Take(costs.cma_bitmap);
    Unlock(path, area);
    if (result.error != Errno::kBusy) break;
    from = *at + align;  // a bit further
  }
  ++area.counters[found == kNoPfn ? CMA_ALLOC_FAIL : CMA_ALLOC_SUCCESS];
  if (found != kNoPfn) area.counters[CMA_FREE_PAGES] -= pages;
  const int64_t took = (path.now() - began).ns;
  area.counters[CMA_ALLOC_NS] += took;
  area.counters[CMA_ALLOC_MAX_NS] = std::max(area.counters[CMA_ALLOC_MAX_NS], took);
  if (found == kNoPfn) {
    path.Log(static_cast<int32_t>(LogKind::kCmaFailed),
             absl::StrCat("area=", area.name, " errno=", ErrnoName(result.error),
                          " function=", result.function, " at pages=", pages));
  }
  if (home != there) co_await path.HopTo(home, costs.hop);
  co_return found;
}

sim::Task<void> CmaAreas::Release(sim::Path& path, CmaArea& area, Pfn start, int64_t pages) {
  const sim::LpId home = path.lp();
  const sim::LpId there = memory_.node(area.node).lp;
  if (home != there) co_await path.HopTo(there, memory_.costs().hop);
  co_await ranges_.FreeRange(path, start, pages);
  co_await Lock(path, area);
  const int64_t released = ClearUsed(area, start - area.base, start - area.base + pages);
  NUMASIM_CHECK(released == pages || area.hugetlb);
  area.counters[CMA_FREE_PAGES] += released;
  co_await path.Take(memory_.costs().cma_bitmap);
  Unlock(path, area);
  if (home != there) co_await path.HopTo(home, memory_.costs().hop);
}

std::vector<MemorySystem::CounterColumn> CmaAreas::Columns() const {
  std::vector<MemorySystem::CounterColumn> columns;
  for (const auto& area : areas_) {
    for (int c = 0; c < CmaCounter_ARRAYSIZE; ++c) {
      const CounterName info = NameOf(static_cast<CmaCounter>(c));
      columns.push_back({{absl::StrCat("cma.", area->name, ".", info.name), info.unit,
                          &area->counters[static_cast<size_t>(c)], memory_.node(area->node).lp},
                         info.gauge});
    }
  }
  return columns;
}

}  // namespace numasim
