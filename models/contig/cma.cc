#include "models/contig/cma.h"

#include <algorithm>
#include <optional>
#include <utility>

#include "absl/strings/str_cat.h"
#include "models/base/pages_text.h"
#include "models/physical/free_ranges.h"
#include "proto/counter_info.h"
#include "sim/check.h"

namespace numasim {
namespace {

constexpr FrameIndex kBlock = kPageblockPages;
constexpr Pfn k4GiB{uint64_t{4} << (30 - kPageShift)};

uint64_t RoundUp(uint64_t value, uint64_t step) { return (value + step - 1) / step * step; }

// init_cma_reserved_pageblock() of each
void MakeCma(Zone& zone, FrameIndex begin, FrameIndex end) {
  IsolateFree(zone, begin, end);
  SplitFreeAt(zone, end);
  for (FrameIndex block = begin; block < end; block += kBlock) {
    UnisolatePageblock(zone, block, Migratetype::kCma);
  }
}

// bitmap_find_next_zero_area_off(): the first `pages` unused ones from `from` on whose address is a multiple
// of `align` pages.
std::optional<int64_t> NextUnused(const CmaArea& area, int64_t from, int64_t pages, int64_t align) {
  const auto aligned = [&](int64_t at) {
    const uint64_t address = area.base.value + static_cast<uint64_t>(at);
    return static_cast<int64_t>(RoundUp(address, static_cast<uint64_t>(align)) - area.base.value);
  };
  int64_t at = aligned(from);
  auto next = area.used.upper_bound(at);
  if (next != area.used.begin() && std::prev(next)->second > at) at = aligned(std::prev(next)->second);
  for (; next != area.used.end() && next->first < at + pages; ++next)
    at = aligned(std::max(at, next->second));
  if (at + pages > area.pages) return std::nullopt;
  return at;
}

// bitmap_clear() of [begin, end). Returns how many of these pages were handed out. Not of a range that is
// just being taken: a huge page that has to leave it is none of the area's. (Linux 6.1 clears its bit as
// well, and would hand out a part of the range again.)
int64_t ClearUsed(CmaArea& area, int64_t begin, int64_t end) {
  int64_t cleared = 0;
  auto at = area.used.upper_bound(begin);
  if (at != area.used.begin()) --at;
  while (at != area.used.end() && at->first < end) {
    const auto [first, last] = *at;
    if (last <= begin || area.taking.contains(first)) {
      ++at;
      continue;
    }
    cleared += std::min(last, end) - std::max(first, begin);
    area.used.erase(at);
    if (first < begin) area.used.emplace(first, begin);
    if (last > end) area.used.emplace(end, last);
    at = area.used.upper_bound(first);
  }
  return cleared;
}

}  // namespace

CmaAreas::CmaAreas(MemorySystem& memory, ContigRanges& ranges)
    : memory_(memory),
      ranges_(ranges),
      cma_mutex_(std::make_unique<sim::Mutex>(memory.engine(), memory.global_lp(), "cma_mutex")) {}

absl::StatusOr<std::unique_ptr<CmaAreas>> CmaAreas::Create(MemorySystem& memory, ContigRanges& ranges,
                                                           const MachineConfig& machine) {
  auto areas = std::unique_ptr<CmaAreas>(new CmaAreas(memory, ranges));
  for (const MachineConfig::CmaConfig& config : machine.cma) {
    if (absl::Status status = areas->AddArea(config, memory.kernel().cma_lock_is_mutex); !status.ok())
      return status;
  }
  return areas;
}

// cma_declare_contiguous_nid(): from 4 GiB up where the machine has so much, else from the top of the node
// down.
std::pair<Zone*, Pfn> CmaAreas::PlaceFor(const Node& node, int64_t pages, int64_t align) const {
  Pfn end_of_memory{0};
  for (const Zone* const zone : memory_.zones()) end_of_memory = std::max(end_of_memory, BootEnd(*zone));
  // Not in ZONE_MOVABLE: areas are declared before there is one.
  const auto zones = {node.zone(ZoneType::kNormal), node.zone(ZoneType::kDma32), node.zone(ZoneType::kDma)};
  if (end_of_memory >= k4GiB + pages) {
    for (Zone* const zone : zones) {
      const Pfn base = zone == nullptr ? kNoPfn : LowestFree(*zone, k4GiB, pages, align);
      if (base != kNoPfn) return {zone, base};
    }
  }
  for (Zone* const zone : zones) {
    const Pfn base = zone == nullptr ? kNoPfn : HighestFree(*zone, pages, align);
    if (base != kNoPfn) return {zone, base};
  }
  return {nullptr, kNoPfn};
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
  const int64_t align = config.hugetlb ? PagesOf(HugeSize::k1G) : kPageblockPages;
  if (config.pages <= 0 || config.pages % align != 0) {
    return absl::InvalidArgumentError(absl::StrCat(config.where, ": ", config.pages * kPageSize,
                                                   " bytes; expected a multiple of ", align * kPageSize));
  }
  const Node& node = memory_.node(config.node);
  if (const auto [zone, base] = PlaceFor(node, config.pages, align); zone != nullptr) {
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
                                                 PagesText(config.pages),
                                                 " free in one piece; expected a smaller area"));
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
    if (at.has_value()) {
      area.used.emplace(*at, *at + pages);
      area.taking.insert(*at);
    }
    co_await path.Take(costs.cma_bitmap);
    Unlock(path, area);
    if (!at.has_value()) break;
    const Pfn start = area.base + *at;
    co_await path.HopTo(memory_.global_lp(), costs.hop);
    co_await cma_mutex_->Acquire(path);
    result = co_await ranges_.AllocRange(path, cpu, start, pages, Migratetype::kCma, owner);
    cma_mutex_->Release(path);
    co_await path.HopTo(there, costs.hop);
    area.taking.erase(*at);
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
    memory_.LogFailure(path, {.kind = LogKind::kCmaFailed,
                              .error = result.error,
                              .function = result.function,
                              .nodes = result.nodes.empty() ? NodeMask::Of(area.node) : result.nodes,
                              .area = area.name,
                              .pages = pages});
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
      columns.push_back({{absl::StrCat("cma.", area->name, ".", info.name), info.unit, &area->counters[c],
                          memory_.node(area->node).lp},
                         info.gauge,
                         info.more_is_worse});
    }
  }
  return columns;
}

}  // namespace numasim
