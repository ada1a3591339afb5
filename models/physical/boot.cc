#include "models/physical/boot.h"

#include <algorithm>
#include <span>
#include <string>
#include <vector>

#include "absl/strings/str_cat.h"
#include "models/base/pages_text.h"
#include "models/physical/layout.h"
#include "proto/scenario.pb.h"

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
// On the boot CPU, blocks of two pages are among them: PGDs of processes that boot started and that ended.
// (Recorded 6.1 kernels, machines of one node and of two: the least number of processes that are spawned
// after boot before the list has to be refilled.)
constexpr int kPcpPgds = 9;

// How many of a CPU's recorded pages are unmovable. Nor does /proc say where the stream of movable pages
// stands: whether the next one is on an even frame or on an odd one. In all recordings where compaction
// showed it, it is as odd as the pages that move (AnonPages and Shmem of the node) are even, which they are
// when boot has settled. So what is handed out before the first fresh block, the CPU's movable pages and
// `single` free ones, is odd.
int UnmovableOf(const PcpList& pcp, bool movable_zone, int64_t single) {
  if (movable_zone) return 0;
  const int unmovable = std::min(pcp.count(), kPcpKernelPages);
  const int movable = pcp.count() - unmovable;
  return movable > 0 && (movable + single) % 2 == 0 ? unmovable + 1 : unmovable;
}
constexpr uint64_t kLargest = uint64_t{1} << kMaxOrder;
constexpr uint64_t kGiB = (uint64_t{1} << 30) >> kPageShift;

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

// Takes the highest `pages` of a recorded zone out of its boot memory; false if they cannot be a device's.
bool TakePlugged(int64_t pages, Zone::Extent& zone) {
  if (zone.managed < pages || (zone.end() + -pages).value < kDma32End) return false;
  if ((zone.end() + -pages).value % kMemoryBlockPages != 0) return false;
  zone.spanned -= pages;
  zone.present -= pages;
  zone.managed -= pages;
  return true;
}

absl::StatusOr<Migratetype> ParseMigratetype(const std::string& name) {
  for (int type = 0; type < kMigratetypes; ++type) {
    if (name == kMigratetypeNames[type]) return static_cast<Migratetype>(type);
  }
  return absl::InvalidArgumentError(
      absl::StrCat("machine.zone: '", name, "' is no migratetype; expected Unmovable, Movable, Reclaimable, ",
                   "HighAtomic, CMA or Isolate"));
}

absl::StatusOr<Layout::FreeCounts> RecordedFreeBlocks(const std::string& where,
                                                      const RecordedZone& recorded) {
  Layout::FreeCounts blocks = {};
  const auto add = [&](Migratetype type, const auto& counts) -> absl::Status {
    if (counts.size() > kOrders) {
      return absl::InvalidArgumentError(
          absl::StrCat(where, ": free_blocks of ", counts.size(), " orders; expected at most ", kOrders));
    }
    for (int order = 0; order < counts.size(); ++order) {
      if (counts.Get(order) > recorded.present()) {
        return absl::InvalidArgumentError(absl::StrCat(where, ": the recorded free blocks of order ", order,
                                                       " do not fit into its ", recorded.present(),
                                                       " pages"));
      }
      blocks[order][type] += static_cast<int64_t>(counts.Get(order));
    }
    return absl::OkStatus();
  };
  for (const FreeBlocks& list : recorded.free_blocks()) {
    const auto type = ParseMigratetype(list.type());
    if (!type.ok()) return type.status();
    if (absl::Status status = add(*type, list.blocks()); !status.ok()) return status;
  }
  if (!recorded.free_blocks().empty()) return blocks;
  if (absl::Status status = add(Migratetype::kMovable, recorded.free_total()); !status.ok()) return status;
  return blocks;
}

absl::StatusOr<Layout::Counts> RecordedPageblocks(const RecordedZone& recorded) {
  Layout::Counts pageblocks = {};
  for (const PageblockCount& count : recorded.pageblocks()) {
    const auto type = ParseMigratetype(count.type());
    if (!type.ok()) return type.status();
    pageblocks[*type] += static_cast<int64_t>(count.count());
  }
  return pageblocks;
}

// Huge pages of the size that the zone can have beside what is free and `gigantic` pages.
int64_t HugePageRoom(const RecordedZone& zone, const Zone::Extent& extent, HugeSize size, int64_t gigantic) {
  int64_t used = static_cast<int64_t>(zone.managed()) - gigantic * PagesOf(HugeSize::k1G);
  for (int order = 0; order < zone.free_total_size(); ++order)
    used -= static_cast<int64_t>(zone.free_total(order)) << order;
  for (const PcpList& pcp : zone.pcp()) used -= pcp.count();
  const int64_t room = std::max<int64_t>(0, used) / PagesOf(size);
  return size == HugeSize::k1G ? std::min(room, GiganticRoom(extent)) : room;
}

absl::StatusOr<int64_t> RecordedPcpPages(const std::string& where, const Zone& zone,
                                         const RecordedZone& recorded) {
  int64_t pages = 0;
  for (const PcpList& pcp : recorded.pcp()) {
    if (pcp.count() < 0 || pcp.high() < 0 || pcp.batch() < 0) {
      return absl::InvalidArgumentError(absl::StrCat(where, ": pcp of cpu ", pcp.cpu(),
                                                     ": a negative number of pages; expected 0 or more"));
    }
    if (pcp.cpu() < 0 || pcp.cpu() >= zone.cpus()) {
      return absl::InvalidArgumentError(absl::StrCat(
          where, ": pcp.cpu ", pcp.cpu(), " does not exist; the machine has ", zone.cpus(), " CPUs"));
    }
    pages += pcp.count();
  }
  return pages;
}

// The frames of one CPU's lists.
struct PcpFrames {
  std::vector<FrameIndex> pgds;  // the first of two
  std::vector<FrameIndex> singles;
};

// What follows one another is at the end.
PcpFrames PairPgds(std::span<const FrameIndex> frames, size_t most) {
  PcpFrames result;
  while (!frames.empty()) {
    const FrameIndex last = frames.back();
    const bool pair = frames.size() > 1 && last % 2 == 1 && frames[frames.size() - 2] == last - 1;
    if (pair && result.pgds.size() < most) {
      result.pgds.push_back(last - 1);
      frames = frames.first(frames.size() - 2);
    } else {
      result.singles.push_back(last);
      frames = frames.first(frames.size() - 1);
    }
  }
  std::ranges::reverse(result.singles);
  return result;
}

void PutOnList(Zone& zone, PcpLists& lists, FrameIndex frame, int order, Migratetype type) {
  zone.frames().SetHead(frame, FrameKind::kPcp, order);
  lists.lists[PcpLists::ListOf(order, type)].PushBack(frame);
  lists.count += 1 << order;
  zone.counter(PCP_PAGES) += 1 << order;
}

// `frames` are as many as the recorded lists hold, `single` the movable blocks of one page that are free.
void FillPcpLists(Zone& zone, const RecordedZone& recorded, std::span<const FrameIndex> frames,
                  int64_t single) {
  for (const PcpList& pcp : recorded.pcp()) {
    PcpLists& lists = zone.pcp(CpuId{pcp.cpu()});
    const auto count = static_cast<size_t>(pcp.count());
    // ZONE_MOVABLE has none of the kernel's own pages.
    const bool movable_zone = zone.type() == ZoneType::kMovable;
    const bool of_boot = pcp.cpu() == 0 && pcp.count() > kPcpKernelPages;
    const PcpFrames own = PairPgds(frames.first(count), of_boot && !movable_zone ? kPcpPgds : 0);
    frames = frames.subspan(count);
    for (const FrameIndex pgd : own.pgds) PutOnList(zone, lists, pgd, 1, Migratetype::kUnmovable);
    const size_t unmovable =
        static_cast<size_t>(UnmovableOf(pcp, movable_zone, single)) - 2 * own.pgds.size();
    for (size_t i = 0; i < own.singles.size(); ++i) {
      const Migratetype type = i < unmovable ? Migratetype::kUnmovable : Migratetype::kMovable;
      PutOnList(zone, lists, own.singles[i], 0, type);
    }
  }
}

// The nodes with memory each give the same to ZONE_MOVABLE, rounded up to a largest block.
absl::Status NothingForTheKernel(const std::string& where, int64_t movablecore_pages,
                                 const std::vector<int64_t>& node_pages, size_t n) {
  int64_t with_memory = 0;
  int64_t least = node_pages[n];
  for (const int64_t pages : node_pages) {
    if (pages == 0) continue;
    ++with_memory;
    least = std::min(least, pages);
  }
  const int64_t most = (least - static_cast<int64_t>(kLargest)) * with_memory;
  return absl::InvalidArgumentError(absl::StrCat(
      where, ": '", PagesText(movablecore_pages), "' leaves the kernel nothing of node", n, ", which has ",
      PagesText(node_pages[n]), "; expected at most ", PagesText(most), ", as much of each node"));
}

}  // namespace

absl::StatusOr<std::vector<Zone::Extent>> DescribedZones(const std::vector<int64_t>& node_pages,
                                                         int64_t movablecore_pages,
                                                         const std::string& movablecore_where) {
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
    if (left > static_cast<uint64_t>(kMaxZonePages)) {
      return absl::InvalidArgumentError(absl::StrCat("machine.node[", n, "].memory: ", left * kPageSize,
                                                     " bytes; expected at most ", kMaxZonePages * kPageSize));
    }
    if (left != 0 && (movable_each + kLargest - 1) / kLargest * kLargest >= left)
      return NothingForTheKernel(movablecore_where, movablecore_pages, node_pages, n);
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
          return absl::InvalidArgumentError(absl::StrCat(
              movablecore_where, ": ", PagesText(static_cast<int64_t>(movable_each)), " of node", n,
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
    if (zone.spanned() > static_cast<uint64_t>(kMaxZonePages) ||
        zone.start_pfn() > static_cast<uint64_t>(kMaxPfn) - zone.spanned()) {
      return absl::InvalidArgumentError(absl::StrCat(where, ": start_pfn ", zone.start_pfn(), " and spanned ",
                                                     zone.spanned(), "; expected no end above ", kMaxPfn,
                                                     " and at most ", kMaxZonePages, " pages"));
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

absl::Status AddDevice(const MemoryDevice& device, bool recorded, std::vector<Zone::Extent>& zones) {
  for (const int64_t pages : {device.pages, device.plugged}) {
    if (pages % kMemoryBlockPages == 0 && device.plugged <= device.pages && device.pages > 0) continue;
    return absl::InvalidArgumentError(absl::StrCat("machine.virtio_mem: max ", device.pages * kPageSize,
                                                   " and plugged ", device.plugged * kPageSize,
                                                   " bytes; expected multiples of 128M, the size of a memory "
                                                   "block, and no more plugged than max"));
  }
  auto zone = std::find_if(zones.begin(), zones.end(), [&](const Zone::Extent& extent) {
    return extent.node == device.node && extent.type == device.type;
  });
  Zone::HotRange hot{Pfn{}, device.pages, device.plugged};
  if (recorded && device.plugged > 0) {
    if (zone == zones.end() || !TakePlugged(device.plugged, *zone)) {
      return absl::InvalidArgumentError(absl::StrCat("machine.virtio_mem.plugged: ", device.plugged,
                                                     " pages; expected that many recorded in "
                                                     "a zone ",
                                                     kZoneNames[device.type], " of node ", device.node.value,
                                                     ", at or above 4G"));
    }
    hot.start = zone->start + zone->spanned;
  } else {
    uint64_t top = kDma32End;
    for (const Zone::Extent& extent : zones) top = std::max(top, extent.end().value);
    hot.start = Pfn{(top + kGiB - 1) / kGiB * kGiB};
  }
  if (zone == zones.end()) zone = zones.insert(zones.end(), {device.node, device.type, hot.start});
  zone->hot = hot;
  if (zone->end() - zone->start <= kMaxZonePages) return absl::OkStatus();
  return absl::InvalidArgumentError(absl::StrCat("machine.virtio_mem.max: ", device.pages * kPageSize,
                                                 " bytes make the zone too large; expected at most ",
                                                 kMaxZonePages * kPageSize, " together"));
}

void BootEmpty(Zone& zone) {
  FrameStore& store = zone.frames();
  const Zone::Extent& extent = zone.extent();
  const FrameIndex begin = store.Index(extent.start);
  const auto end = static_cast<FrameIndex>(begin + extent.managed);
  const FrameIndex spanned_end = begin + static_cast<FrameIndex>(extent.spanned);
  for (FrameIndex f = begin >> kPageblockOrder << kPageblockOrder; f < spanned_end; f += kPageblockPages) {
    store.set_pageblock_type(f, Migratetype::kMovable);
  }
  // Lowest addresses first, to the tail: what memblock_free_all() and __free_pages_core() leave.
  for (FrameIndex f = begin; f < end;) {
    int order = f == 0 ? kMaxOrder : std::min(__builtin_ctz(f), kMaxOrder);
    while (f + (FrameIndex{1} << order) > end) --order;
    zone.buddy().Free(f, order, Migratetype::kMovable, true);
    f += FrameIndex{1} << order;
  }
  if (extent.hot.plugged > 0) zone.OnlineBlock(extent.hot.start, extent.hot.plugged);
}

absl::StatusOr<std::vector<HugePageCounts>> ShareHugePages(const std::vector<RecordedZone>& recorded,
                                                           const std::vector<Zone::Extent>& extents,
                                                           const std::vector<NodeHugePages>& nodes) {
  constexpr auto kGigantic = static_cast<size_t>(HugeSize::k1G);
  std::vector<HugePageCounts> shares(recorded.size());
  // Gigantic pages were taken first.
  for (const HugeSize size : {HugeSize::k1G, HugeSize::k2M}) {
    for (const NodeHugePages& wanted : nodes) {
      if (wanted.size != size) continue;
      int64_t left = wanted.pages;
      for (int type = kZoneTypes - 1; type >= 0; --type) {
        for (size_t i = 0; i < recorded.size(); ++i) {
          if (extents[i].node != wanted.node || static_cast<int>(extents[i].type) != type) continue;
          const int64_t share =
              std::min(left, HugePageRoom(recorded[i], extents[i], size, shares[i][kGigantic]));
          shares[i][size] = share;
          left -= share;
        }
      }
      if (left == 0) continue;
      return absl::InvalidArgumentError(absl::StrCat(
          wanted.where, ": ", wanted.pages, " pages of ", kHugeSizeNames[size], " are more than node ",
          wanted.node.value, " has in use; expected at most ", wanted.pages - left));
    }
  }
  return shares;
}

absl::Status BootRecorded(Zone& zone, const RecordedZone& recorded, const HugePageCounts& huge) {
  const std::string where = absl::StrCat("machine.zone ", zone.Name());
  const auto blocks = RecordedFreeBlocks(where, recorded);
  if (!blocks.ok()) return blocks.status();
  const auto pageblocks = RecordedPageblocks(recorded);
  if (!pageblocks.ok()) return pageblocks.status();
  const auto pcp_pages = RecordedPcpPages(where, zone, recorded);
  if (!pcp_pages.ok()) return pcp_pages.status();
  const int64_t plugged = zone.extent().hot.plugged;
  zone.AdjustPresent(plugged);
  zone.AdjustManaged(plugged);
  int64_t free = 0;
  for (int order = 0; order < kOrders; ++order) {
    for (const int64_t count : (*blocks)[order]) free += count << order;
  }
  if (free + *pcp_pages > zone.managed()) {
    return absl::InvalidArgumentError(absl::StrCat(where, ": ", free, " free pages and ", *pcp_pages,
                                                   " pages on PCP lists do not fit into its ", zone.managed(),
                                                   " managed pages"));
  }
  Layout layout(zone, *pageblocks, huge);
  if (const int order = layout.PlaceFree(*blocks); order >= 0) {
    return absl::InvalidArgumentError(absl::StrCat(where, ": the recorded free blocks of order ", order,
                                                   " do not fit into its ", recorded.present(), " pages"));
  }
  FillPcpLists(zone, recorded, layout.UseRest(*pcp_pages), (*blocks)[0][Migratetype::kMovable]);
  return absl::OkStatus();
}

std::vector<Reserves::ZoneSettings> RecordedSettings(const std::vector<RecordedZone>& recorded,
                                                     bool watermarks, const std::vector<Zone*>& zones,
                                                     std::vector<Reserves::ZoneSettings> settings) {
  for (size_t i = 0; i < zones.size(); ++i) {
    for (const RecordedZone& zone : recorded) {
      const bool same = zone.node() == zones[i]->node().value &&
                        zone.name() == kZoneNames[static_cast<int>(zones[i]->type())];
      if (!same) continue;
      if (zone.has_min() || zone.has_low() || zone.has_high() || watermarks) {
        settings[i].watermarks = {static_cast<int64_t>(zone.min()), static_cast<int64_t>(zone.low()),
                                  static_cast<int64_t>(zone.high())};
      }
      for (int t = 0; t < std::min(zone.protection_size(), kZoneTypes); ++t) {
        settings[i].lowmem_reserve[t] = static_cast<int64_t>(zone.protection(t));
      }
      if (zone.pcp().empty()) continue;
      settings[i].pcp_high = zone.pcp(0).high();
      settings[i].pcp_batch = zone.pcp(0).batch();
    }
  }
  return settings;
}

}  // namespace numasim
