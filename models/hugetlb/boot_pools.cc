#include "models/hugetlb/boot_pools.h"

#include <algorithm>
#include <functional>
#include <utility>

#include "absl/strings/str_cat.h"
#include "models/physical/free_ranges.h"
#include "models/physical/isolation.h"

namespace numasim {
namespace {

constexpr CpuId kBootCpu{0};

FrameOwner OwnerOf(HugeSize size) {
  return FrameOwner{FrameOwner::kHugetlb, 1, static_cast<uint64_t>(size), 0};
}

std::string SizeName(HugeSize size) { return kHugeSizeNames[size]; }

// Owned by BootPools().
class PoolBooter {
 public:
  PoolBooter(MemorySystem& memory, HugetlbPool& pool, const MachineConfig& machine,
             std::vector<std::string>& warnings)
      : memory_(memory), pool_(pool), machine_(machine), warnings_(warnings) {
    for (const Zone* zone : memory.zones()) {
      if (zone->managed() > 0) with_memory_.Set(zone->node());
    }
  }

  absl::Status Run() {
    const bool recorded = !machine_.recorded_zones.empty();
    if (recorded) {
      ReplayTurns();
      AdoptRecorded();
    }
    for (const HugetlbConfig::Request& request : machine_.hugetlb.requests) {
      if (recorded) break;
      if (absl::Status status = Make(request); !status.ok()) return status;
    }
    // huge_boot_pages is a list that grows at its head.
    for (auto pfn = gigantic_.rbegin(); pfn != gigantic_.rend(); ++pfn) pool_.Adopt(HugeSize::k1G, *pfn);
    for (const HugeSize size : kHugeSizes) SetState(size);
    return absl::OkStatus();
  }

 private:
  using Take = std::function<bool(NodeId)>;

  // Calls `take` as the kernel would ask the nodes for the request's pages, until one cannot be had. Returns
  // how many could. A page of the buddy allocator is looked for on every node in turn before there is none
  // (alloc_pool_huge_page), a gigantic one on one, as memblock itself goes on to the others.
  int64_t MakeEach(const HugetlbConfig::Request& request, const Take& take) {
    Hstate& h = pool_.hstate(request.size);
    int64_t made = 0;
    for (bool found = true; made < request.pages; ++made) {
      if (request.node != kNoNode) {
        found = take(request.node);
      } else {
        const int tries = h.gigantic() ? 1 : with_memory_.count();
        found = false;
        for (int i = 0; i < tries && !found; ++i) found = take(h.NextToAlloc(with_memory_));
      }
      if (!found) break;
    }
    return made;
  }

  absl::Status Make(const HugetlbConfig::Request& request) {
    if (request.size == HugeSize::k1G && !request.exact && HasHugetlbArea()) {
      warnings_.push_back(
          absl::StrCat(request.where, ": hugetlb_cma is enabled, so boot makes no pages of 1G"));
      return absl::OkStatus();
    }
    const int64_t made = MakeEach(request, [&](NodeId node) {
      return request.size == HugeSize::k1G ? TakeGigantic(node) : TakeFromBuddy(node);
    });
    if (made == request.pages) return absl::OkStatus();
    const std::string place =
        request.node == kNoNode ? "the machine" : absl::StrCat("node ", request.node.value);
    if (!request.exact) {
      warnings_.push_back(absl::StrCat(request.where, ": ", place, " has memory for ", made, " of ",
                                       request.pages, " pages of ", SizeName(request.size)));
      return absl::OkStatus();
    }
    return absl::InvalidArgumentError(absl::StrCat(request.where, ": ", request.pages, " pages of ",
                                                   SizeName(request.size), " are more than ", place,
                                                   " has memory for; expected at most ", made));
  }

  bool HasHugetlbArea() const {
    return std::any_of(machine_.cma.begin(), machine_.cma.end(),
                       [](const MachineConfig::CmaConfig& area) { return area.hugetlb; });
  }

  // memblock_alloc_try_nid_raw(): from the top of the node down, else of any node.
  bool TakeGigantic(NodeId node) {
    constexpr int64_t kPages = PagesOf(HugeSize::k1G);
    for (const bool anywhere : {false, true}) {
      Zone* best = nullptr;
      Pfn highest = kNoPfn;
      for (Zone* const zone : memory_.zones()) {
        if (zone->managed() == 0 || (!anywhere && zone->node() != node)) continue;
        const Pfn pfn = HighestFree(*zone, kPages, kPages);
        if (pfn == kNoPfn || (best != nullptr && pfn < highest)) continue;
        best = zone;
        highest = pfn;
      }
      if (best == nullptr) continue;
      TakeFree(*best, highest, kPages, OwnerOf(HugeSize::k1G));
      gigantic_.push_back(highest);
      return true;
    }
    return false;
  }

  // alloc_buddy_huge_page() on this node alone.
  bool TakeFromBuddy(NodeId id) {
    constexpr ZoneType kHighest = ZoneType::kMovable;  // GFP_HIGHUSER_MOVABLE
    Node& node = memory_.node(id);
    for (const AllocFlags watermark : {kAllocWmarkLow, kAllocWmarkMin}) {
      const AllocFlags flags = watermark | kAllocCma;
      for (Zone* const zone : memory_.Zonelist(id, kHighest)) {
        if (zone->node() != id || zone->managed() == 0) continue;
        if (!zone->WatermarkOk(kPageblockOrder, kHighest, flags)) continue;
        const FrameIndex frame =
            zone->AllocPcp(kBootCpu, kPageblockOrder, Migratetype::kMovable, flags).frame;
        if (frame == kNilFrame) continue;
        zone->frames().owner(frame, kPageblockOrder) = OwnerOf(HugeSize::k2M);
        ++node.counter(NUMA_HIT);
        ++node.counter(memory_.NodeOfCpu(kBootCpu) == id ? LOCAL_NODE : OTHER_NODE);
        pool_.Adopt(HugeSize::k2M, zone->frames().PfnOf(frame));
        pool_.CountBuddyAlloc(true);
        return true;
      }
    }
    pool_.CountBuddyAlloc(false);
    return false;
  }

  // The pages of a recorded machine are there, and tell which attempts of the kernel found memory: after them
  // it is the turn of the node where the kernel left it.
  void ReplayTurns() {
    for (const HugeSize size : kHugeSizes) {
      std::vector<int64_t> left;
      for (const HugetlbConfig::Share& share : machine_.hugetlb.pools[size].nodes)
        left.push_back(share.pages);
      left.resize(static_cast<size_t>(memory_.node_count()));
      for (const HugetlbConfig::Request& request : machine_.hugetlb.requests) {
        if (request.size != size) continue;
        MakeEach(request, [&](NodeId node) {
          auto from = left.begin() + node.value;
          if (*from == 0 && size == HugeSize::k1G)
            from = std::find_if(left.begin(), left.end(), [](int64_t pages) { return pages > 0; });
          if (from == left.end() || *from == 0) return false;
          --*from;
          return true;
        });
      }
    }
  }

  // In rising order of addresses, which is how both kinds came to the pool: the buddy allocator gave its
  // pages in that order, and memblock its own from the highest down, but these were then taken in the other
  // way round.
  void AdoptRecorded() {
    for (const Zone* const zone : memory_.zones()) {
      const FrameStore& frames = zone->frames();
      if (Empty(zone->node())) continue;
      for (FrameIndex f = 0; f < frames.frames(); f += kPageblockPages) {
        const FrameStore::Head head = frames.Find(f);
        if (!OwnedBy(frames, head, FrameOwner::kHugetlb)) continue;
        const auto size = static_cast<HugeSize>(frames.owner(f, head.order).object);
        pool_.Adopt(size, frames.PfnOf(f));
        f += static_cast<FrameIndex>(PagesOf(size) - kPageblockPages);
      }
    }
  }

  bool Empty(NodeId node) const {
    return std::all_of(machine_.hugetlb.pools.begin(), machine_.hugetlb.pools.end(),
                       [&](const HugetlbConfig::Pool& pool) {
                         const auto n = static_cast<size_t>(node.value);
                         return n >= pool.nodes.size() || pool.nodes[n].pages == 0;
                       });
  }

  // What of the pool is in use, surplus or reserved.
  void SetState(HugeSize size) {
    const HugetlbConfig::Pool& config = machine_.hugetlb.pools[size];
    Hstate& h = pool_.hstate(size);
    for (size_t n = 0; n < config.nodes.size(); ++n) {
      const NodeId node{static_cast<int32_t>(n)};
      for (int64_t i = 0; i < config.nodes[n].in_use; ++i) pool_.GiveToBootUser(size, node);
      h.Add(SURPLUS_HUGEPAGES, node, config.nodes[n].surplus);
    }
    NodeId turn = with_memory_.First();
    for (int64_t i = 0; i < config.all.in_use; ++i) {
      while (!pool_.GiveToBootUser(size, turn)) turn = with_memory_.NextAfter(turn);
      turn = with_memory_.NextAfter(turn);
    }
    for (int64_t i = 0; i < config.all.surplus; ++i) h.AdjustSurplus(with_memory_, 1);
    pool_.ReserveForBootUsers(size, config.reserved);
    h.counter(NR_OVERCOMMIT_HUGEPAGES) = config.overcommit;
  }

  MemorySystem& memory_;
  HugetlbPool& pool_;
  const MachineConfig& machine_;
  std::vector<std::string>& warnings_;
  NodeMask with_memory_;       // N_MEMORY at boot
  std::vector<Pfn> gigantic_;  // in the order in which they were taken
};

}  // namespace

absl::Status BootPools(MemorySystem& memory, HugetlbPool& pool, const MachineConfig& machine,
                       std::vector<std::string>& warnings) {
  return PoolBooter(memory, pool, machine, warnings).Run();
}

}  // namespace numasim
