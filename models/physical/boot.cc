#include "models/physical/boot.h"

#include <algorithm>
#include <array>
#include <map>
#include <optional>
#include <string>

#include "absl/strings/str_cat.h"

namespace numasim {
namespace {

constexpr uint64_t kDmaEnd = (uint64_t{16} << 20) >> kPageShift;
constexpr uint64_t kDma32End = (uint64_t{4} << 30) >> kPageShift;
// A PC (qemu's q35) maps memory below 2 GiB and the rest above 4 GiB, unless all of it fits below 2.75 GiB.
constexpr uint64_t kLowMemory = (uint64_t{2} << 30) >> kPageShift;
constexpr uint64_t kLowMemoryMost = (uint64_t{11} << 28) >> kPageShift;
// Of the first MiB, what a PC's firmware keeps: the hole from 640 KiB and the first page.
constexpr int64_t kFirmwarePages = 97;
// struct page: 64 bytes a frame, kept at the top of the node.
constexpr int64_t kFramesPerMemmapPage = kPageSize / 64;
// /proc/zoneinfo does not say which lists the pages of a CPU are on. What the kernel's own allocations leave
// there is unmovable and at most about this much; where there is more, it is memory that boot freed, which is
// movable. (Recorded 6.1 kernels: on CPUs with 100 to 250 pages none of them serves a movable request, on the
// boot CPU with 2,700 about 2,000 to 2,450 do.)
constexpr int kPcpKernelPages = 256;
// 52 bits of physical address; and a zone's frames are numbered with 32 bits.
constexpr uint64_t kMostFrames = uint64_t{1} << (52 - kPageShift);
constexpr uint64_t kMostZoneFrames = (uint64_t{1} << 32) - (uint64_t{1} << 20);
constexpr uint64_t kLargest = uint64_t{1} << kMaxOrder;

ZoneType TypeAt(uint64_t pfn) {
  if (pfn < kDmaEnd) return ZoneType::kDma;
  return pfn < kDma32End ? ZoneType::kDma32 : ZoneType::kNormal;
}

uint64_t TypeEnd(uint64_t pfn) {
  if (pfn < kDmaEnd) return kDmaEnd;
  return pfn < kDma32End ? kDma32End : ~uint64_t{0};
}

Zone::Extent MakeExtent(NodeId node, ZoneType type, uint64_t start, uint64_t end) {
  Zone::Extent extent{node, type, Pfn{start}, static_cast<int64_t>(end - start), 0, 0};
  extent.present = extent.spanned;
  if (start == 0) {  // the frame 0 and the firmware's hole
    extent.start = Pfn{1};
    extent.spanned -= 1;
    extent.present -= kFirmwarePages + 1;
  }
  extent.managed = extent.present - (extent.present + kFramesPerMemmapPage - 1) / kFramesPerMemmapPage;
  return extent;
}

absl::StatusOr<ZoneType> ParseZoneType(const std::string& name) {
  for (int type = 0; type < kZoneTypes; ++type) {
    if (name == kZoneNames[type]) return static_cast<ZoneType>(type);
  }
  return absl::InvalidArgumentError(
      absl::StrCat("machine.zone.name: '", name, "' is no zone; expected DMA, DMA32, Normal or Movable"));
}

// Lays recorded free blocks out in a zone. Blocks go from the largest order down, each into a part of memory
// that is larger than it, whose other half then stays used: so no two of them merge, exactly where they could
// not have merged in the kernel either, and the counts come out as recorded.
class Layout {
 public:
  explicit Layout(Zone& zone) : zone_(zone), store_(zone.frames()) {
    const FrameIndex begin = store_.Index(zone.extent().start);
    const auto present_end = static_cast<FrameIndex>(begin + zone.extent().spanned);
    for (FrameIndex f = begin; f < present_end;) {
      int order = f == 0 ? kMaxOrder : std::min(__builtin_ctz(f), kMaxOrder);
      while (f + (FrameIndex{1} << order) > present_end) --order;
      parts_[static_cast<size_t>(order)].push_back(f);
      f += FrameIndex{1} << order;
    }
    // Parts are used from the front: lowest addresses first.
    for (auto& list : parts_) std::reverse(list.begin(), list.end());
  }

  // Leaves `pages` at the top of the zone out: holes and what boot reserved.
  void ReserveTop(int64_t pages) {
    for (int order = kMaxOrder; order >= kPageblockOrder && pages > 0; --order) {
      auto& list = parts_[static_cast<size_t>(order)];
      const int64_t size = int64_t{1} << order;
      const auto take = std::min<int64_t>(pages / size, static_cast<int64_t>(list.size()));
      if (take <= 0) continue;
      reserved_.insert(reserved_.end(), list.begin(), list.begin() + take);
      list.erase(list.begin(), list.begin() + take);
      pages -= take * size;
    }
  }

  // Places one free block; false if there is no room that keeps it from merging.
  bool PlaceFree(int order, Migratetype type) {
    FrameIndex frame = kNilFrame;
    if (order == kMaxOrder) {
      frame = Pop(kMaxOrder);
    } else {
      const int from = PickPart(order, type);
      if (from >= 0) frame = SplitTo(from, order, type);
    }
    if (frame == kNilFrame) return false;
    Tag(frame, order, type);
    zone_.buddy().AddToList(frame, order, type, true);
    free_pages_ += int64_t{1} << order;
    return true;
  }

  // Allocates everything that is left, single frames to `pcp` first.
  void UseRest(const std::array<int64_t, kMigratetypes>& pageblocks, std::vector<FrameIndex>* singles,
               int64_t singles_wanted);

  int64_t free_pages() const { return free_pages_; }

 private:
  FrameIndex Pop(int order) {
    auto& list = parts_[static_cast<size_t>(order)];
    if (list.empty()) return kNilFrame;
    const FrameIndex frame = list.back();
    list.pop_back();
    return frame;
  }

  // The smallest part larger than `order`, from a pageblock of the type if there is one; -1 if none. A part
  // of the same order will do where its buddy lies outside the zone.
  int PickPart(int order, Migratetype type) {
    int any = -1;
    for (int o = order + 1; o <= kMaxOrder; ++o) {
      auto& list = parts_[static_cast<size_t>(o)];
      if (list.empty()) continue;
      if (any < 0) any = o;
      if (o > kPageblockOrder) break;
      const auto fits =
          std::find_if(list.rbegin(), list.rend(), [&](FrameIndex f) { return TagOf(f) == type; });
      if (fits == list.rend()) continue;
      std::iter_swap(fits, list.rbegin());
      return o;
    }
    if (any >= 0) return any;
    auto& same = parts_[static_cast<size_t>(order)];
    const auto edge = std::find_if(same.rbegin(), same.rend(), [&](FrameIndex f) {
      return !store_.Contains(store_.PfnOf(f ^ (FrameIndex{1} << order)));
    });
    if (edge == same.rend()) return -1;
    std::iter_swap(edge, same.rbegin());
    return order;
  }

  FrameIndex SplitTo(int from, int order, Migratetype type) {
    const FrameIndex frame = Pop(from);
    for (int o = from - 1; o >= order; --o)
      parts_[static_cast<size_t>(o)].push_back(frame + (FrameIndex{1} << o));
    return frame;
  }

  std::optional<Migratetype> TagOf(FrameIndex frame) const {
    const auto found = tags_.find(frame >> kPageblockOrder);
    if (found == tags_.end()) return std::nullopt;
    return found->second;
  }
  void Tag(FrameIndex frame, int order, Migratetype type) {
    for (FrameIndex f = frame; f < frame + (FrameIndex{1} << order); f += kPageblockPages) {
      if (tags_.emplace(f >> kPageblockOrder, type).second) store_.set_pageblock_type(f, type);
    }
  }
  void MarkUsed(FrameIndex frame, int order) {
    store_.SetHead(frame, FrameKind::kAllocated, order);
    store_.owner(frame, order) = FrameOwner{FrameOwner::kKernel, 0, 0, 0};
  }

  Zone& zone_;
  FrameStore& store_;
  std::array<std::vector<FrameIndex>, kOrders> parts_;
  std::vector<FrameIndex> reserved_;
  std::map<uint32_t, Migratetype> tags_;  // by pageblock
  int64_t free_pages_ = 0;
};

void Layout::UseRest(const std::array<int64_t, kMigratetypes>& pageblocks, std::vector<FrameIndex>* singles,
                     int64_t singles_wanted) {
  // Types of the pageblocks that hold no free block: what the recording counts beyond those tagged.
  std::array<int64_t, kMigratetypes> left = pageblocks;
  for (const auto& [block, type] : tags_) --left[static_cast<size_t>(type)];
  const FrameIndex begin = store_.Index(zone_.extent().start) >> kPageblockOrder << kPageblockOrder;
  const FrameIndex end = store_.Index(zone_.extent().start + zone_.extent().spanned);
  for (FrameIndex f = begin; f < end; f += kPageblockPages) {
    if (tags_.contains(f >> kPageblockOrder)) continue;
    Migratetype type = Migratetype::kMovable;
    for (int t = 0; t < kMigratetypes; ++t) {
      if (left[static_cast<size_t>(t)] <= 0) continue;
      type = static_cast<Migratetype>(t);
      --left[static_cast<size_t>(t)];
      break;
    }
    store_.set_pageblock_type(f, type);
  }
  // The pages on PCP lists come from the smallest parts: they were freed one by one.
  for (int order = 0; order <= kMaxOrder && singles_wanted > 0; ++order) {
    auto& list = parts_[static_cast<size_t>(order)];
    while (!list.empty() && singles_wanted > 0) {
      const FrameIndex frame = list.back();
      list.pop_back();
      for (FrameIndex f = frame; f < frame + (FrameIndex{1} << order); ++f) {
        store_.SetHead(f, FrameKind::kAllocated, 0);
        if (singles_wanted-- > 0) {
          singles->push_back(f);
        } else {
          MarkUsed(f, 0);
        }
      }
    }
  }
  for (int order = 0; order <= kMaxOrder; ++order) {
    for (FrameIndex frame : parts_[static_cast<size_t>(order)]) MarkUsed(frame, order);
  }
}

absl::StatusOr<Migratetype> ParseMigratetype(const std::string& name) {
  for (int type = 0; type < kMigratetypes; ++type) {
    if (name == kMigratetypeNames[type]) return static_cast<Migratetype>(type);
  }
  return absl::InvalidArgumentError(
      absl::StrCat("machine.zone: '", name, "' is no migratetype; expected Unmovable, Movable, Reclaimable, ",
                   "HighAtomic, CMA or Isolate"));
}

}  // namespace

absl::StatusOr<std::vector<Zone::Extent>> DescribedZones(const std::vector<int64_t>& node_pages,
                                                         int64_t movablecore_pages) {
  uint64_t total = 0;
  int64_t with_memory = 0;
  for (int64_t pages : node_pages) {
    total += static_cast<uint64_t>(pages);
    with_memory += pages > 0 ? 1 : 0;
  }
  if (with_memory == 0) return absl::InvalidArgumentError("machine: no node has memory");
  const uint64_t hole_start = total > kLowMemoryMost ? kLowMemory : kDma32End;
  const uint64_t movable_each = static_cast<uint64_t>(movablecore_pages / with_memory);
  std::vector<Zone::Extent> zones;
  uint64_t at = 0;
  for (size_t n = 0; n < node_pages.size(); ++n) {
    uint64_t left = static_cast<uint64_t>(node_pages[n]);
    if (left % kLargest != 0) {
      return absl::InvalidArgumentError(
          absl::StrCat("machine.node[", n, "].memory: ", left * kPageSize,
                       " bytes is not a multiple of 4M, the largest buddy block"));
    }
    if (left >= kMostZoneFrames) {
      return absl::InvalidArgumentError(absl::StrCat("machine.node[", n, "].memory: ", left * kPageSize,
                                                     " bytes; expected less than ",
                                                     kMostZoneFrames * kPageSize));
    }
    if (left != 0 && (movable_each + kLargest - 1) / kLargest * kLargest >= left) {
      return absl::InvalidArgumentError(absl::StrCat("movablecore: ", movable_each * kPageSize,
                                                     " bytes of node", n,
                                                     " would leave it nothing for the kernel"));
    }
    const uint64_t movable = (movable_each + kLargest - 1) / kLargest * kLargest;
    while (left > 0) {
      if (at == hole_start && hole_start < kDma32End) at = kDma32End;
      uint64_t end = std::min(TypeEnd(at), at + left);
      if (at < hole_start && hole_start < end) end = hole_start;
      uint64_t kernel_end = end;
      if (left - (end - at) < movable) kernel_end = std::max(at, end - (movable - (left - (end - at))));
      if (kernel_end > at)
        zones.push_back(MakeExtent(NodeId{static_cast<int32_t>(n)}, TypeAt(at), at, kernel_end));
      if (end > kernel_end) {
        if (!zones.empty() && zones.back().type == ZoneType::kMovable &&
            zones.back().node == NodeId{static_cast<int32_t>(n)}) {
          return absl::InvalidArgumentError(
              absl::StrCat("movablecore: ", movable_each * kPageSize, " bytes of node", n,
                           " reach below its highest zone, which holds all of ZONE_MOVABLE; expected less"));
        }
        zones.push_back(MakeExtent(NodeId{static_cast<int32_t>(n)}, ZoneType::kMovable, kernel_end, end));
      }
      left -= end - at;
      at = end;
    }
  }
  return zones;
}

absl::StatusOr<std::vector<Zone::Extent>> RecordedZones(const std::vector<RecordedZone>& recorded) {
  std::vector<Zone::Extent> zones;
  for (const RecordedZone& zone : recorded) {
    auto type = ParseZoneType(zone.name());
    if (!type.ok()) return type.status();
    const std::string where = absl::StrCat("machine.zone node", zone.node(), " ", zone.name());
    if (zone.start_pfn() >= kMostFrames || zone.spanned() >= kMostZoneFrames) {
      return absl::InvalidArgumentError(absl::StrCat(where, ": start_pfn ", zone.start_pfn(), " and spanned ",
                                                     zone.spanned(), "; expected less than ", kMostFrames,
                                                     " and ", kMostZoneFrames));
    }
    if (zone.spanned() == 0 || zone.present() > zone.spanned() || zone.managed() > zone.present()) {
      return absl::InvalidArgumentError(
          absl::StrCat(where, ": spanned ", zone.spanned(), ", present ", zone.present(), ", managed ",
                       zone.managed(), "; expected spanned >= present >= managed, and spanned > 0"));
    }
    zones.push_back({NodeId{zone.node()}, *type, Pfn{zone.start_pfn()}, static_cast<int64_t>(zone.spanned()),
                     static_cast<int64_t>(zone.present()), static_cast<int64_t>(zone.managed())});
  }
  return zones;
}

void BootEmpty(Zone& zone) {
  FrameStore& store = zone.frames();
  const FrameIndex begin = store.Index(zone.extent().start);
  const auto end = static_cast<FrameIndex>(begin + zone.extent().managed);
  for (FrameIndex f = begin >> kPageblockOrder << kPageblockOrder; f < store.frames(); f += kPageblockPages) {
    store.set_pageblock_type(f, Migratetype::kMovable);
  }
  // Lowest addresses first, to the tail: what memblock_free_all() and __free_pages_core() leave.
  for (FrameIndex f = begin; f < end;) {
    int order = f == 0 ? kMaxOrder : std::min(__builtin_ctz(f), kMaxOrder);
    while (f + (FrameIndex{1} << order) > end) --order;
    zone.buddy().Free(f, order, Migratetype::kMovable, true);
    f += FrameIndex{1} << order;
  }
}

absl::Status BootRecorded(Zone& zone, const RecordedZone& recorded) {
  Layout layout(zone);
  layout.ReserveTop(zone.extent().spanned - zone.extent().present);
  std::array<std::array<int64_t, kMigratetypes>, kOrders> blocks = {};
  for (const auto& pcp : recorded.pcp()) {
    if (pcp.count() >= 0 && pcp.high() >= 0 && pcp.batch() >= 0) continue;
    return absl::InvalidArgumentError(absl::StrCat("machine.zone ", zone.Name(), ": pcp of cpu ", pcp.cpu(),
                                                   ": a negative number of pages; expected 0 or more"));
  }
  for (const auto& list : recorded.free_blocks()) {
    if (list.blocks_size() > kOrders) {
      return absl::InvalidArgumentError(absl::StrCat("machine.zone ", zone.Name(), ": free_blocks of ",
                                                     list.blocks_size(), " orders; expected at most ",
                                                     kOrders));
    }
    auto type = ParseMigratetype(list.type());
    if (!type.ok()) return type.status();
    for (int order = 0; order < std::min(list.blocks_size(), kOrders); ++order) {
      blocks[static_cast<size_t>(order)][static_cast<size_t>(*type)] +=
          static_cast<int64_t>(list.blocks(order));
    }
  }
  if (recorded.free_blocks().empty()) {
    for (int order = 0; order < std::min(recorded.free_total_size(), kOrders); ++order) {
      blocks[static_cast<size_t>(order)][static_cast<size_t>(Migratetype::kMovable)] +=
          static_cast<int64_t>(recorded.free_total(order));
    }
  }
  for (int order = kMaxOrder; order >= 0; --order) {
    for (int type = 0; type < kMigratetypes; ++type) {
      for (int64_t i = 0; i < blocks[static_cast<size_t>(order)][static_cast<size_t>(type)]; ++i) {
        if (layout.PlaceFree(order, static_cast<Migratetype>(type))) continue;
        return absl::InvalidArgumentError(
            absl::StrCat("machine.zone ", zone.Name(), ": the recorded free blocks of order ", order,
                         " do not fit into its ", zone.extent().spanned, " pages"));
      }
    }
  }
  std::array<int64_t, kMigratetypes> pageblocks = {};
  for (const auto& count : recorded.pageblocks()) {
    auto type = ParseMigratetype(count.type());
    if (!type.ok()) return type.status();
    pageblocks[static_cast<size_t>(*type)] += static_cast<int64_t>(count.count());
  }
  int64_t pcp_pages = 0;
  for (const auto& pcp : recorded.pcp()) pcp_pages += pcp.count();
  std::vector<FrameIndex> singles;
  layout.UseRest(pageblocks, &singles, pcp_pages);
  if (static_cast<int64_t>(singles.size()) < pcp_pages) {
    return absl::InvalidArgumentError(absl::StrCat("machine.zone ", zone.Name(), ": ", pcp_pages,
                                                   " pages on PCP lists; only ", singles.size(),
                                                   " of its pages are neither free nor reserved"));
  }
  zone.buddy().AdoptFreePages(layout.free_pages());
  size_t next = 0;
  for (const auto& pcp : recorded.pcp()) {
    if (pcp.cpu() < 0 || pcp.cpu() >= zone.cpus()) {
      return absl::InvalidArgumentError(absl::StrCat("machine.zone ", zone.Name(), ": pcp.cpu ", pcp.cpu(),
                                                     " does not exist; the machine has ", zone.cpus(),
                                                     " CPUs"));
    }
    PcpLists& lists = zone.pcp(CpuId{pcp.cpu()});
    for (int i = 0; i < pcp.count(); ++i, ++next) {
      const Migratetype type = i < kPcpKernelPages ? Migratetype::kUnmovable : Migratetype::kMovable;
      zone.frames().SetHead(singles[next], FrameKind::kPcp, 0);
      lists.lists[static_cast<size_t>(PcpLists::ListOf(0, type))].PushBack(singles[next]);
      ++lists.count;
      ++zone.counter(PCP_PAGES);
    }
  }
  return absl::OkStatus();
}

}  // namespace numasim
